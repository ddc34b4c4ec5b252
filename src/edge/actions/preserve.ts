/**
 * Copies evidence into a folder of the data directory: bytes as they are, never executable, for their owner only, with one signed manifest.
 * Nothing outside that folder is written and nothing that is copied is run or followed.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, instant, iso } from "../../core/base/time.ts";
import {
  BUNDLE_SCHEMA,
  type BundleCheck,
  type BundleManifest,
  checkBundle,
  manifestText,
  signManifest,
} from "../../core/response/bundle.ts";
import { codeOf, readBytes, readText, writeText } from "../host/files.ts";
import { ledgerKeyPath, loadLedgerKey } from "../store/ledger-key.ts";

type Request = {
  readonly dataDir: string;
  /** Made when it is not there. Absolute. */
  readonly folder: string;
  readonly plan: string;
  readonly incident: string;
  readonly files: readonly string[];
  readonly by: string;
  readonly at: Instant;
};

/** What was copied before stays: a second run adds nothing and replaces nothing that a signature already covers. */
export async function preserve(request: Request): Promise<{ readonly detail: string; readonly made: readonly string[] }> {
  const { dataDir, folder, plan, incident, by, at } = request;
  const manifestFile = path.join(folder, "manifest.json");
  if (fs.existsSync(`${manifestFile}.sig`)) {
    const check = verifyBundle(folder);
    if (check.problems.length > 0) throw new Fault("STORE_BROKEN", `${folder}: ${check.problems[0]}`);
    return { detail: `kept before in ${folder}`, made: [folder] };
  }
  fs.mkdirSync(path.join(folder, "files"), { recursive: true, mode: 0o700 });
  const files: BundleManifest["files"] = [];
  const missing: BundleManifest["missing"] = [];
  for (const file of flattened(request.files, missing)) {
    const bytes = tryRead(file);
    if ("why" in bytes) missing.push({ path: file, why: bytes.why });
    else {
      const digest = sha256(bytes);
      const copy = `files/${sha256(file).slice(0, 16)}`;
      writeCopy(path.join(folder, copy), bytes);
      files.push({ path: file, copy, bytes: bytes.length, sha256: digest, modified: modifiedAt(file) });
    }
  }
  const text = manifestText({ schema: BUNDLE_SCHEMA, plan, incident, at: iso(at), by, files, missing });
  writeText(manifestFile, text);
  writeText(`${manifestFile}.sig`, signManifest(text, await loadLedgerKey(ledgerKeyPath(dataDir))));
  const left = missing.length === 0 ? "" : `; ${missing.length} could not be copied, the manifest says why`;
  return { detail: `${files.length} files in ${folder}, signed${left}`, made: [folder] };
}

/** Checks a bundle with nothing but what lies in it. Fault INPUT_UNREADABLE when it is none. */
export function verifyBundle(folder: string): BundleCheck {
  const text = readText(path.join(folder, "manifest.json"), LIMITS.responseBytes);
  const signature = readText(path.join(folder, "manifest.json.sig"));
  if (text === undefined || signature === undefined)
    throw new Fault("INPUT_UNREADABLE", `${folder} holds no manifest.json with its manifest.json.sig`);
  const copies = fs.existsSync(path.join(folder, "files")) ? fs.readdirSync(path.join(folder, "files")) : [];
  return checkBundle(
    text,
    signature,
    (copy) => digestOf(path.join(folder, copy)),
    copies.map((name) => `files/${name}`),
  );
}

/** Files below folders too; links are named, not followed: they could lead anywhere. */
function flattened(paths: readonly string[], missing: BundleManifest["missing"]): readonly string[] {
  const found = new Set<string>();
  const left = [...paths].toReversed();
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    const stat = fs.lstatSync(file, { throwIfNoEntry: false });
    if (stat === undefined) missing.push({ path: file, why: "it is gone" });
    else if (found.size >= LIMITS.evidenceFiles) {
      missing.push({ path: file, why: `more than ${LIMITS.evidenceFiles} files` });
      break;
    } else if (stat.isDirectory())
      try {
        for (const name of fs.readdirSync(file).toSorted().toReversed()) left.push(path.join(file, name));
      } catch (error) {
        missing.push({ path: file, why: codeOf(error) });
      }
    else if (stat.isFile()) found.add(file);
    else missing.push({ path: file, why: stat.isSymbolicLink() ? `a link to ${fs.readlinkSync(file)}` : "not a regular file" });
  }
  return [...found];
}

function tryRead(file: string): Buffer | { readonly why: string } {
  try {
    return readBytes(file, LIMITS.evidenceFileBytes) ?? { why: "it is gone" };
  } catch (error) {
    return { why: error instanceof Fault ? error.message : codeOf(error) };
  }
}

function writeCopy(file: string, bytes: Uint8Array): void {
  const descriptor = fs.openSync(file, "w", 0o600);
  try {
    fs.writeFileSync(descriptor, bytes);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function digestOf(file: string): string | undefined {
  const bytes = readBytes(file, LIMITS.evidenceFileBytes);
  return bytes && createHash("sha256").update(bytes).digest("hex");
}

function modifiedAt(file: string): string {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  return stat === undefined ? "" : iso(instant(Math.round(stat.mtimeMs)));
}
