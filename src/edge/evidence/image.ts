/**
 * Container images: archives (`docker save`, OCI layout) and the same as folders. Every layer of every image in it, in order. What a later
 * layer deletes is still in the image, and was there when the layer was built, so it counts and is said.
 */
import fs from "node:fs";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { LIMITS } from "../../core/base/limits.ts";
import type { PackageSighting } from "../../core/exposure/sighting.ts";
import { artefactsAt } from "../../core/exposure/watch.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { codeOf, isWithin, tryReadText } from "../host/files.ts";
import { parseManifest } from "../host/manifest.ts";
import { readWatched } from "./lockfile.ts";
import { readLogText } from "./log.ts";
import { readIndex } from "./npm-cache.ts";
import { giveWay, type Reading } from "./reading.ts";
import { tarEntries } from "./tar-stream.ts";

/** Where a file of the image lies: in an archive, or by itself. */
type Part = { readonly file: string; readonly offset: number; readonly size: number };

/** The files of an image, by their names in it. */
type Bundle = { readonly document: (name: string) => string | undefined; readonly part: (name: string) => Part | undefined };

/** What a document of the image says; everything in it is a claim. */
type Fields = Readonly<Record<string, unknown>>;

/** Something of a layer, told when it is known whether a later layer deletes it. */
type Found = { readonly path: string; readonly layer: number; deletedBy?: number; readonly sighting: Omit<PackageSighting, "file"> };

export async function readImage(reading: Reading, file: string): Promise<void> {
  try {
    await readBundle(reading, file, await archived(file));
  } catch (error) {
    reading.see({ kind: "missing", place: file, what: `${file}: ${codeOf(error)}` });
  }
}

/** An OCI layout, or what `docker save` wrote, unpacked. */
export async function readImageFolder(reading: Reading, folder: string): Promise<void> {
  const part = (name: string): Part | undefined => {
    const file = path.join(folder, name);
    const stat = isWithin(folder, file) ? fs.lstatSync(file, { throwIfNoEntry: false }) : undefined;
    return stat?.isFile() ? { file, offset: 0, size: stat.size } : undefined;
  };
  const document = (name: string): string | undefined => {
    const text = name !== "" && part(name) !== undefined ? tryReadText(path.join(folder, name), LIMITS.imageDocumentBytes) : undefined;
    return typeof text === "string" ? text : undefined;
  };
  try {
    await readBundle(reading, folder, { document, part });
  } catch (error) {
    reading.see({ kind: "missing", place: folder, what: `${folder}: ${codeOf(error)}` });
  }
}

/** Whether a folder with these names is an image. `manifest.json` alone is anybody's. */
export function isImageFolder(names: ReadonlySet<string>): boolean {
  if (names.has("oci-layout")) return names.has("index.json");
  return names.has("manifest.json") && [...names].some((name) => /^[0-9a-f]{64}(?:\.json|\.tar)?$/.test(name));
}

async function archived(file: string): Promise<Bundle> {
  const parts = new Map<string, Part>();
  const documents = new Map<string, string>();
  // Small files may be documents; which of them are is known only at the end.
  const small = (_name: string, size: number): boolean => size > 0 && size <= LIMITS.imageDocumentBytes;
  let kept = 0;
  for await (const { name, data, offset, size } of tarEntries(stream(file), small)) {
    parts.set(name, { file, offset, size });
    if (data !== undefined && /^\s*[[{]/.test(data.toString("utf8", 0, 10)) && (kept += data.length) <= LIMITS.imageDocumentsBytes)
      documents.set(name, data.toString("utf8"));
    await giveWay();
  }
  return { document: (name) => documents.get(name), part: (name) => parts.get(name) };
}

/** `place` is the archive or the folder. */
async function readBundle(reading: Reading, place: string, bundle: Bundle): Promise<void> {
  const layers = layersOf(bundle.document);
  if (layers.length === 0) {
    reading.see({ kind: "missing", place, what: `${place}: it names no layers of a container image` });
    return;
  }
  const found: Found[] = [];
  let whole = true;
  for (const [index, name] of layers.entries()) {
    const part = bundle.part(name);
    const why = part === undefined ? "not there" : await readLayer(reading, place, { index: index + 1, part }, found);
    if (why === undefined) continue;
    whole = false;
    reading.see({ kind: "missing", place, what: `layer ${index + 1} (${shortName(name)}): ${why}` });
  }
  for (const { path: inner, layer, deletedBy, sighting } of found)
    reading.see({
      ...sighting,
      file: `${place}!${inner}`,
      note: [`layer ${layer}${deletedBy === undefined ? "" : `, deleted by layer ${deletedBy}`}`, sighting.note].filter(Boolean).join(", "),
    });
  if (whole) reading.see({ kind: "looked", place, what: `none of its layers (${layers.length}) holds one of them` });
}

/** A layer is called by its digest. */
function shortName(name: string): string {
  return name.replace(/^.*?([0-9a-f]{12})[0-9a-f]{52}.*$/, "$1…");
}

/** Names of the archive's files that are layers, lowest first, of all images in it. */
function layersOf(document: Bundle["document"]): readonly string[] {
  const layers: string[] = [];
  // docker save: [{"Config": …, "RepoTags": […], "Layers": ["<id>/layer.tar" or "blobs/sha256/<id>"]}]
  const images = parsed(document("manifest.json"));
  for (const image of Array.isArray(images) ? images : []) layers.push(...strings(fields(image)["Layers"]));
  // `skopeo copy … dir:`: one manifest, and its layers beside it by their bare digests.
  layers.push(...list(fields(images)["layers"]).map((one) => blob(fields(one)["digest"]).replace(/^.*\//, "")));
  // OCI image-layout 1.1: index.json lists manifests by digest, which list layers or, for several platforms, manifests again.
  const pending = list(fields(parsed(document("index.json")))["manifests"]).map((one) => ({ one, depth: 0 }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const manifest = fields(parsed(document(blob(fields(next.one)["digest"]))));
    if (next.depth < 3) pending.push(...list(manifest["manifests"]).map((one) => ({ one, depth: next!.depth + 1 })));
    layers.push(...list(manifest["layers"]).map((one) => blob(fields(one)["digest"])));
  }
  return [...new Set(layers)].filter((name) => name !== "");
}

/** Adds what it finds; says why it could not be read to its end. */
async function readLayer(
  reading: Reading,
  place: string,
  { index, part }: { readonly index: number; readonly part: Part },
  found: Found[],
): Promise<string | undefined> {
  const { see, watch, counts } = reading;
  const keep = (inner: string, sighting: Omit<PackageSighting, "kind" | "place" | "file">): void => {
    found.push({ path: inner, layer: index, sighting: { kind: "package", place, ...sighting } });
  };
  try {
    const wanted = (name: string, size: number): boolean =>
      (size <= LIMITS.manifestBytes && IS_MANIFEST.test(name)) ||
      (size <= LIMITS.cacheEntryBytes && NPM_INDEX.test(name)) ||
      (size <= LIMITS.lockfileBytes && NPM_LOG.test(name)) ||
      (size <= LIMITS.lockfileBytes && isLockfile(name));
    for await (const { name, data } of tarEntries(layerStream(part), wanted)) {
      counts.entries += 1;
      await giveWay();
      markDeleted(found, index, name);
      if (data === undefined) {
        for (const indicator of artefactsAt(watch, name)) see({ kind: "artefact", place, file: `${place}!${name}`, indicator });
        continue;
      }
      if (NPM_INDEX.test(name)) {
        for (const entry of readIndex(data.toString("utf8")))
          if (entry === "damaged") see({ kind: "missing", place, what: `${place}!${name}: a damaged index entry` });
          else if (watch.hits(entry.name, entry.version, entry.integrity)) keep(name, { form: "cache", ...entry });
        continue;
      }
      if (NPM_LOG.test(name)) {
        readLogText(reading, place, `${place}!${name}`, data.toString("utf8"));
        continue;
      }
      if (isLockfile(name)) {
        const form = name.endsWith(".package-lock.json") ? "hidden-lockfile" : "lockfile";
        const { hits, why } = readWatched(reading, name, data);
        for (const hit of hits) keep(name, { form, ...hit });
        if (why !== undefined) see({ kind: "missing", place, what: `${place}!${name}: ${why}` });
        continue;
      }
      const manifest = parseManifest(data.toString("utf8"));
      if ("why" in manifest) see({ kind: "missing", place, what: `${place}!${name}: ${manifest.why}` });
      else if (manifest.name !== undefined && manifest.version !== undefined && watch.hits(manifest.name, manifest.version))
        keep(path.posix.dirname(name), { form: "image-file", name: manifest.name, version: manifest.version });
    }
    return undefined;
  } catch (error) {
    return codeOf(error);
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

/** What npm leaves behind where an image was built. */
const NPM_INDEX = /(?:^|\/)_cacache\/index-v5\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]+$/;
const NPM_LOG = /(?:^|\/)_logs\/[^/]+-debug-\d+\.log$/;

/** Of every package: an alias lies in a folder of another name. */
const IS_MANIFEST = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;

function isLockfile(name: string): boolean {
  const base = path.posix.basename(name);
  return Object.hasOwn(LOCKFILE_NAMES, base) && base !== "lock.yaml";
}

async function* layerStream({ file, offset, size }: Part): AsyncGenerator<Uint8Array> {
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
