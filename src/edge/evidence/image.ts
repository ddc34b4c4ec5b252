/**
 * Container images as archives (`docker save`, OCI layout): every layer of every image in it, in order. What a later layer deletes is
 * still in the image, and was there when the layer was built, so it counts and is said.
 */
import fs from "node:fs";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { LIMITS } from "../../core/base/limits.ts";
import type { PackageSighting } from "../../core/exposure/sighting.ts";
import { LOCKFILE_NAMES, readLockfile } from "../../core/lockfile/read.ts";
import { codeOf } from "../host/files.ts";
import { parseManifest } from "../host/manifest.ts";
import { watched } from "./lockfile.ts";
import { giveWay, type Reading } from "./reading.ts";
import { tarEntries } from "./tar-stream.ts";

/** Where a file of the outer archive lies. */
type Part = { readonly offset: number; readonly size: number };

/** What a document of the image says; everything in it is a claim. */
type Fields = Readonly<Record<string, unknown>>;

/** Something of a layer, told when it is known whether a later layer deletes it. */
type Found = { readonly path: string; readonly layer: number; deletedBy?: number; readonly sighting: Omit<PackageSighting, "file"> };

export async function readImage(reading: Reading, file: string): Promise<void> {
  try {
    const parts = new Map<string, Part>();
    const documents = new Map<string, string>();
    // Small files may be documents; which of them are is known only at the end.
    const small = (_name: string, size: number): boolean => size > 0 && size <= LIMITS.imageDocumentBytes;
    let kept = 0;
    for await (const { name, data, ...part } of tarEntries(stream(file), small)) {
      parts.set(name, part);
      if (data !== undefined && /^\s*[[{]/.test(data.toString("utf8", 0, 10)) && (kept += data.length) <= LIMITS.imageDocumentsBytes)
        documents.set(name, data.toString("utf8"));
      await giveWay();
    }
    const layers = layersOf(documents);
    if (layers.length === 0) {
      reading.see({ kind: "missing", place: file, what: `${file}: a tar archive that is no container image` });
      return;
    }
    const found: Found[] = [];
    for (const [index, name] of layers.entries()) {
      const part = parts.get(name);
      if (part === undefined)
        reading.see({ kind: "missing", place: file, what: `${file}: layer ${index + 1} (${name.slice(-64, -52)}…) is not in the archive` });
      else await readLayer(reading, file, { index: index + 1, part }, found);
    }
    for (const { path: inner, layer, deletedBy, sighting } of found)
      reading.see({
        ...sighting,
        file: `${file}!${inner}`,
        note: [`layer ${layer}${deletedBy === undefined ? "" : `, deleted by layer ${deletedBy}`}`, sighting.note]
          .filter(Boolean)
          .join(", "),
      });
    reading.see({ kind: "looked", place: file, what: `none of its ${layers.length} layers holds one of them` });
  } catch (error) {
    reading.see({ kind: "missing", place: file, what: `${file}: ${codeOf(error)}` });
  }
}

/** Names of the archive's files that are layers, lowest first, of all images in it. */
function layersOf(documents: ReadonlyMap<string, string>): readonly string[] {
  const layers: string[] = [];
  // docker save: [{"Config": …, "RepoTags": […], "Layers": ["<id>/layer.tar" or "blobs/sha256/<id>"]}]
  const images = parsed(documents.get("manifest.json"));
  for (const image of Array.isArray(images) ? images : []) layers.push(...strings(fields(image)["Layers"]));
  // OCI image-layout 1.1: index.json lists manifests by digest, which list layers or, for several platforms, manifests again.
  const pending = list(fields(parsed(documents.get("index.json")))["manifests"]).map((one) => ({ one, depth: 0 }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const document = fields(parsed(documents.get(blob(fields(next.one)["digest"]))));
    if (next.depth < 3) pending.push(...list(document["manifests"]).map((one) => ({ one, depth: next!.depth + 1 })));
    layers.push(...list(document["layers"]).map((one) => blob(fields(one)["digest"])));
  }
  return [...new Set(layers)].filter((name) => name !== "");
}

async function readLayer(
  reading: Reading,
  file: string,
  { index, part }: { readonly index: number; readonly part: Part },
  found: Found[],
): Promise<void> {
  const { see, watch, counts } = reading;
  const keep = (inner: string, sighting: Omit<PackageSighting, "kind" | "place" | "file">): void => {
    found.push({ path: inner, layer: index, sighting: { kind: "package", place: file, ...sighting } });
  };
  try {
    const wanted = (name: string, size: number): boolean =>
      size <= LIMITS.lockfileBytes && (isPackageManifest(name, watch.knows) || isLockfile(name));
    for await (const { name, data } of tarEntries(layerStream(file, part), wanted)) {
      counts.entries += 1;
      await giveWay();
      markDeleted(found, index, name);
      if (data === undefined) {
        if (watch.files.has(path.posix.basename(name)))
          see({ kind: "artefact", place: file, file: `${file}!${name}`, indicator: path.posix.basename(name) });
        continue;
      }
      if (isLockfile(name)) {
        const form = name.endsWith(".package-lock.json") ? "hidden-lockfile" : "lockfile";
        const tree = readLockfile(name, data);
        for (const hit of watched(reading, tree)) keep(name, { form, ...hit });
        if (!tree.complete) see({ kind: "missing", place: file, what: `${file}!${name}: not read whole` });
        continue;
      }
      const manifest = parseManifest(data.toString("utf8"));
      if ("why" in manifest) see({ kind: "missing", place: file, what: `${file}!${name}: ${manifest.why}` });
      else if (manifest.name !== undefined && manifest.version !== undefined && watch.hits(manifest.name, manifest.version))
        keep(path.posix.dirname(name), { form: "image-file", name: manifest.name, version: manifest.version });
    }
  } catch (error) {
    see({ kind: "missing", place: file, what: `${file}: layer ${index}: ${codeOf(error)}` });
  }
}

/** OCI image-spec, layer: `.wh.<name>` deletes a path of the layers below, `.wh..wh..opq` all of a folder. */
function markDeleted(found: Found[], layer: number, name: string): void {
  const base = path.posix.basename(name);
  if (!base.startsWith(".wh.")) return;
  const folder = path.posix.dirname(name);
  const gone = base === ".wh..wh..opq" ? folder : path.posix.join(folder, base.slice(4));
  for (const one of found)
    if (one.layer < layer && one.deletedBy === undefined && (one.path === gone || one.path.startsWith(`${gone}/`))) one.deletedBy = layer;
}

/** A folder's name decides what is opened: an image has thousands of manifests. */
function isPackageManifest(name: string, knows: (name: string) => boolean): boolean {
  const match = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(name);
  return match !== null && knows(match[1]!);
}

function isLockfile(name: string): boolean {
  const base = path.posix.basename(name);
  return Object.hasOwn(LOCKFILE_NAMES, base) && base !== "lock.yaml";
}

async function* layerStream(file: string, { offset, size }: Part): AsyncGenerator<Uint8Array> {
  const raw = fs.createReadStream(file, { start: offset, end: offset + Math.max(size, 1) - 1 });
  const head = headOf(file, offset);
  if (head.readUInt32LE(0) === 0xfd2fb528) throw new Error("packed with zstd, which cordon does not unpack");
  const unpacked = head.readUInt16BE(0) === 0x1f8b ? raw.pipe(createGunzip()) : raw;
  // A stream that is piped hands its own errors to nobody.
  raw.on("error", (error) => unpacked.destroy(error));
  let total = 0;
  for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > LIMITS.imageLayerBytes) throw new Error(`unpacks to more than ${LIMITS.imageLayerBytes} bytes`);
    yield chunk;
  }
}

async function* stream(file: string): AsyncGenerator<Uint8Array> {
  const raw = fs.createReadStream(file);
  const packed = headOf(file, 0).readUInt16BE(0) === 0x1f8b;
  if (packed) throw new Error("a packed archive; unpack it with gunzip first, so that its layers can be found");
  yield* raw as AsyncIterable<Uint8Array>;
}

function headOf(file: string, offset: number): Buffer {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const head = Buffer.alloc(8);
    fs.readSync(descriptor, head, 0, head.length, offset);
    return head;
  } finally {
    fs.closeSync(descriptor);
  }
}

function blob(digest: unknown): string {
  const match = typeof digest === "string" ? /^(sha256|sha512):([0-9a-f]{64,128})$/.exec(digest) : null;
  return match === null ? "" : `blobs/${match[1]}/${match[2]}`;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // no document then: the layers it would name are reported as missing
  }
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, LIMITS.imageLayers) : [];
}

function strings(value: unknown): readonly string[] {
  return list(value).filter((one) => typeof one === "string");
}
