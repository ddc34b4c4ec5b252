/**
 * Archives that lie about: a package as a registry sends it (an offline mirror, a registry's storage, `npm pack`), known by its name or its
 * bytes; a container image, known by what lies in it. Every other archive is nobody's evidence.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { LIMITS } from "../../core/base/limits.ts";
import { codeOf } from "../host/files.ts";
import { readImage } from "./image.ts";
import { giveWay, type Reading } from "./reading.ts";
import { tarEntries } from "./tar-stream.ts";

export const ARCHIVE_NAME = /\.(?:tgz|tar|tar\.gz|tar\.zst|oci)$/i;

/** The first names of an archive that are looked at. */
const NAMES = 20;
/** What tools that write images put into their archives before anything else: docker, podman, skopeo, buildx, kaniko, crane. */
const IMAGE_NAME = /^(?:oci-layout$|repositories$|blobs\/|(?:sha256:)?[0-9a-f]{64}(?:$|\/|\.json$|\.tar$|\.tar\.gz$))/;
/** `name-1.0.0.tgz`; what stands before the version is `@scope-name`, `scope-name` or `name`, by whoever wrote it. */
const PACKAGE_NAME = /^(.+?)-v?(\d+\.\d+\.\d+.*)\.tgz$/i;

/** Found in a folder: what is neither an image nor a package's archive is nobody's business. */
export async function readLooseArchive(reading: Reading, place: string, file: string): Promise<void> {
  try {
    const kind = await kindOf(file);
    if (kind === "image") await readImage(reading, file);
    else if (kind === "package") await readPackageArchive(reading, place, file);
    // What is in it nobody can say; only of an image it matters.
    else if (kind === "zstd" && /image|docker|oci/i.test(path.basename(file)))
      reading.see({ kind: "missing", place: file, what: `${file}: ${ZSTD}` });
  } catch (error) {
    reading.see({ kind: "missing", place, what: `${file}: ${codeOf(error)}` });
  }
}

/** Named by a person, so it gets an answer. */
export async function readNamedArchive(reading: Reading, file: string): Promise<void> {
  const kind = await kindOf(file);
  if (kind === "image" || kind === "other") return readImage(reading, file);
  if (kind === "zstd") return reading.see({ kind: "missing", place: file, what: `${file}: ${ZSTD}` });
  await readPackageArchive(reading, file, file);
  reading.see({ kind: "looked", place: file, what: "neither its name nor its bytes are one of them" });
}

const ZSTD = "packed with zstd, which cordon does not unpack";

async function kindOf(file: string): Promise<"image" | "package" | "zstd" | "other"> {
  const head = headOf(file);
  if (head.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  if (await isImage(file, head.readUInt16BE(0) === 0x1f8b)) return "image";
  return /\.tgz$/i.test(file) ? "package" : "other";
}

async function readPackageArchive({ watch, see, counts }: Reading, place: string, file: string): Promise<void> {
  const [, flat = "", version = ""] = PACKAGE_NAME.exec(path.basename(file)) ?? [];
  // No package is larger; then its name has to do.
  const integrity = fs.statSync(file).size > LIMITS.tarballBytes ? undefined : await digestsOfFile(file);
  counts.files += 1;
  const name = flat === "" ? undefined : watch.names.find((one) => isCalled(one, flat, file) && watch.hits(one, version));
  if (name === undefined && !watch.hits("", "", integrity)) return;
  see({ kind: "package", place, form: "archive", file, name: name ?? (flat || "(unnamed)"), version, ...(integrity && { integrity }) });
}

/** Whether an archive called `flat` may be the package's. In a registry's storage, `@scope/name/name-1.0.0.tgz`, only the folders have the scope. */
function isCalled(name: string, flat: string, file: string): boolean {
  const [scope = "", folder] = path.dirname(file).split(path.sep).slice(-2);
  if (scope.startsWith("@") && folder === flat) return name === `${scope}/${flat}`;
  const dashed = name.replace("/", "-");
  return flat === dashed || (name.startsWith("@") && flat === dashed.slice(1));
}

async function digestsOfFile(file: string): Promise<string> {
  const hashes = ["sha512", "sha1"].map((algorithm) => ({ algorithm, hash: createHash(algorithm) }));
  for await (const chunk of fs.createReadStream(file) as AsyncIterable<Buffer>) {
    for (const { hash } of hashes) hash.update(chunk);
    await giveWay();
  }
  return hashes.map(({ algorithm, hash }) => `${algorithm}-${hash.digest("base64")}`).join(" ");
}

/** By the first names in it. What is no archive at all is no image. */
async function isImage(file: string, packed: boolean): Promise<boolean> {
  const raw = fs.createReadStream(file);
  const chunks = packed ? raw.pipe(createGunzip()) : raw;
  raw.on("error", (error) => chunks.destroy(error));
  let names = 0;
  try {
    for await (const { name } of tarEntries(chunks, () => false)) {
      if (IMAGE_NAME.test(name)) return true;
      if ((names += 1) === NAMES) return false;
    }
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && !String(error.code).startsWith("Z_")) throw error;
    return false;
  } finally {
    raw.destroy();
  }
}

function headOf(file: string): Buffer {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(4);
    fs.readSync(descriptor, head, 0, head.length, 0);
    return head;
  } finally {
    fs.closeSync(descriptor);
  }
}
