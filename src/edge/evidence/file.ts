/** One file that was named: what it is, by its name and its first bytes, and the reader for it. */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { codeOf } from "../host/files.ts";
import { readZipTexts } from "../host/zip.ts";
import { ARCHIVE_NAME, readNamedArchive } from "./archive.ts";
import { readLockfileEvidence } from "./lockfile.ts";
import { readLogFile, readLogText } from "./log.ts";
import { readManifestEvidence } from "./manifest.ts";
import { giveWay, type Reading } from "./reading.ts";
import { readSbomEvidence } from "./sbom.ts";

/** A lockfile under a name of somebody's own, by what each format begins with. */
const LOCKFILE_HEAD =
  /^\ufeff?\s*\{[^]*"lockfileVersion"\s*:|^\ufeff?\s*\{\s*"version"\s*:\s*"[1-9]",[^]*"(?:npm|specifiers|packages)"\s*:|^(?:\ufeff?__metadata:|# yarn lockfile v1|\ufeff?lockfileVersion:)|^#!\/usr\/bin\/env bun\nbun-lockfile-format/m;
const SBOM_HEAD = /^\ufeff?\s*\{[^]*"(?:bomFormat|spdxVersion|SPDXID)"/;

export async function readFileEvidence(reading: Reading, file: string): Promise<void> {
  const name = path.basename(file);
  reading.tell(file);
  try {
    const head = headOf(file);
    const text = head.toString("utf8");
    if (Object.hasOwn(LOCKFILE_NAMES, name) || LOCKFILE_HEAD.test(text)) readLockfileEvidence(reading, file, file);
    else if (name === "package.json") readManifestEvidence(reading, file, file, { pinned: "none", own: false });
    else if (text.startsWith("PK\u0003\u0004")) await readLogArchive(reading, file, file);
    else if (ARCHIVE_NAME.test(name) || head.toString("latin1", 257, 262) === "ustar") await readNamedArchive(reading, file);
    else if (SBOM_HEAD.test(text)) readSbomEvidence(reading, file, file);
    else if (isText(head)) await readLogFile(reading, file, file);
    else reading.see({ kind: "missing", place: file, what: `${file}: no kind of file cordon knows how to read` });
  } catch (error) {
    reading.see({ kind: "missing", place: file, what: `${file}: ${codeOf(error)}` });
  }
}

/** UTF-8, UTF-16 with its mark, or a packed text. */
function isText(head: Buffer): boolean {
  return !head.includes(0) || (head.length > 1 && (head.readUInt16LE() === 0xfeff || head.readUInt16BE() === 0x1f8b));
}

/** Logs as CI systems hand them out: one zip, a text for each job and step. */
export async function readLogArchive(reading: Reading, place: string, file: string): Promise<void> {
  let logs = 0;
  for (const entry of readZipTexts(file, LIMITS.logBytes)) {
    if ("why" in entry) reading.see({ kind: "missing", place, what: `${file}${entry.name === "" ? "" : `!${entry.name}`}: ${entry.why}` });
    else if (/\.(?:txt|log)$/i.test(entry.name)) {
      logs += 1;
      readLogText(reading, place, `${file}!${entry.name}`, entry.text);
    }
    await giveWay();
  }
  if (logs > 0) reading.see({ kind: "looked", place, what: `none of its ${logs} logs names one of them` });
  else reading.see({ kind: "missing", place, what: `${file}: a zip archive without logs` });
}

/** The first bytes. */
function headOf(file: string): Buffer {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(4_096);
    return head.subarray(0, fs.readSync(descriptor, head, 0, head.length, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}
