/** One file that was named: what it is, by its name and its first bytes, and the reader for it. */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { readZipTexts } from "../host/zip.ts";
import { readImage } from "./image.ts";
import { readLockfileEvidence } from "./lockfile.ts";
import { readLogFile, readLogText } from "./log.ts";
import { readManifestEvidence } from "./manifest.ts";
import { giveWay, type Reading } from "./reading.ts";
import { readSbomEvidence } from "./sbom.ts";

export async function readFileEvidence(reading: Reading, file: string): Promise<void> {
  const name = path.basename(file);
  reading.tell(file);
  if (Object.hasOwn(LOCKFILE_NAMES, name)) return void readLockfileEvidence(reading, file, file);
  if (name === "package.json") return readManifestEvidence(reading, file, file, { locked: false, own: false });
  const head = headOf(file);
  if (head.toString("latin1", 0, 4) === "PK\u0003\u0004") return readLogArchive(reading, file, file);
  if (head.toString("latin1", 257, 262) === "ustar" || /\.tar(?:\.gz)?$|\.tgz$/.test(name)) return readImage(reading, file);
  if (/^\s*\{/.test(head.toString("utf8")) && /"(?:bomFormat|spdxVersion|SPDXID)"/.test(head.toString("utf8")))
    return readSbomEvidence(reading, file, file);
  if (!head.includes(0)) return readLogFile(reading, file, file);
  reading.see({ kind: "missing", place: file, what: `${file}: no kind of file cordon knows how to read` });
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
