/**
 * bun.lockb, binary formats 2 and 3: read without running bun. After a header come the packages, one column after another, then six arrays,
 * the last of them the bytes of all longer strings. A string is 8 bytes: up to eight characters themselves, or an offset and a length.
 * There are no lines; every position is 0. What bun appends after the arrays (patches, overrides, trusted names) holds no package.
 */
import { Buffer } from "node:buffer";
import type { Draft, Reader } from "./document.ts";
import { reportAt } from "./document.ts";
import { addPackage, settleIdentity, settleTrust } from "./entry.ts";
import { lockGraph, settleReach } from "./graph.ts";
import { gitSource, isHttp, sourceOf } from "./identity.ts";
import type { Declared, Dependencies, DependencyKind, LockProblemCode, LockSource, ResolvedPackage } from "./tree.ts";

const MAGIC = "#!/usr/bin/env bun\nbun-lockfile-format-v0\n";
const NOWHERE = { line: 0, column: 0 };

/** Tags of a package's resolution, from bun's `Resolution.Tag`. */
const ROOT = 1;
const NPM = 2;
const FOLDER = 4;
const LOCAL_TARBALL = 8;
const GITHUB = 16;
const GIT = 32;
const SYMLINK = 64;
const WORKSPACE = 72;
const REMOTE_TARBALL = 80;

const ALGORITHMS: Readonly<Record<number, readonly [name: string, bytes: number]>> = {
  1: ["sha1", 20],
  2: ["sha256", 32],
  3: ["sha384", 48],
  4: ["sha512", 64],
};
/** Bits of a dependency's behaviour. */
const BEHAVIOURS: readonly (readonly [number, DependencyKind])[] = [
  [0b100, "optional"],
  [0b10000, "peer"],
  [0b1000, "dev"],
];
const DEPENDENCY_SIZE = 26;

export function looksLikeBunBinary(bytes: Uint8Array): boolean {
  return bytes.length > MAGIC.length && Buffer.from(bytes.buffer, bytes.byteOffset, MAGIC.length).toString("latin1") === MAGIC;
}

/** The parts of the file every step needs. */
type Binary = {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Where each column begins. */
  readonly columns: { readonly name: number; readonly resolution: number; readonly dependencies: number; readonly meta: number };
  readonly resolutionSize: number;
  readonly dependencies: Span;
  readonly resolutions: Span;
  readonly strings: Span;
};
type Span = { readonly at: number; readonly end: number };

export function readBunBinary(reader: Reader, bytes: Uint8Array): void {
  const stop = (code: LockProblemCode, message: string): void => {
    reader.complete = false;
    reportAt(reader, code, NOWHERE, message);
  };
  if (!looksLikeBunBinary(bytes)) return stop("unknown-format", "the file does not begin as a bun.lockb does");
  if (bytes.length < MAGIC.length + 44) return stop("truncated", "the file ends in its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint32(MAGIC.length, true);
  reader.version = String(format);
  if (format !== 2 && format !== 3)
    return stop("unknown-format", `binary format ${format} is not one cordon knows; have bun write bun.lock`);
  const binary = openBinary(view, bytes, format);
  if (typeof binary === "string") return stop("truncated", binary);
  readPackages(reader, binary);
  const silent = "a binary file has no lines, and its patches, overrides and trusted names are not read";
  reportAt(reader, "binary", NOWHERE, `${silent}; \`bun install --save-text-lockfile\` writes a bun.lock that says all`);
}

/** Finds the columns and arrays; a sentence when the file does not hold what its numbers promise. */
function openBinary(view: DataView, bytes: Uint8Array, format: number): Binary | string {
  const size = bytes.length;
  // Offsets are 64-bit; a file beyond 2^53 bytes does not exist.
  const long = (at: number): number => (at + 8 > size ? Number.NaN : Number(view.getBigUint64(at, true)));
  let at = MAGIC.length + 4 + 32;
  const total = long(at);
  const count = long(at + 8);
  const fields = long(at + 24);
  const [begin, end] = [long(at + 32), long(at + 40)];
  if (!(total <= size && begin <= end && end <= size && at + 48 <= begin)) return "the file is shorter than its header says";
  // Format 3 widened the three numbers of a version to 64 bits.
  const resolutionSize = format === 3 ? 72 : 64;
  const sizes = { name: 8, nameHash: 8, resolution: resolutionSize, dependencies: 8, resolutions: 8, meta: 88, bin: 20 };
  const row = 8 + 8 + resolutionSize + 8 + 8 + 88 + 20 + (fields > 7 ? 49 : 0);
  if ((fields !== 7 && fields !== 8) || count * row !== end - begin)
    return `${count} packages of ${fields} fields do not fill the ${end - begin} bytes given for them`;
  const name = begin;
  const resolution = name + count * (sizes.name + sizes.nameHash);
  const dependencies = resolution + count * sizes.resolution;
  const meta = dependencies + count * (sizes.dependencies + sizes.resolutions);

  const spans: Span[] = [];
  at = end;
  for (let i = 0; i < 6; i++) {
    const [from, to] = [long(at), long(at + 8)];
    if (!(from >= at && from <= to && to <= size)) return "an array lies outside of the file";
    spans.push({ at: from, end: to });
    at = to;
  }
  const [, , resolutions, deps, , strings] = spans as [Span, Span, Span, Span, Span, Span];
  return {
    view,
    bytes,
    count,
    columns: { name, resolution, dependencies, meta },
    resolutionSize,
    dependencies: deps,
    resolutions,
    strings,
  };
}

/** A string of eight bytes; undefined when it points outside of the file's strings. */
function stringAt(binary: Binary, at: number): string {
  const { bytes, view, strings } = binary;
  if ((view.getUint8(at + 7) & 0x80) === 0) {
    let length = 0;
    while (length < 8 && bytes[at + length] !== 0) length++;
    return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("utf8");
  }
  const offset = view.getUint32(at, true);
  const length = view.getUint32(at + 4, true) & 0x7fffffff;
  if (offset + length > strings.end - strings.at) return "";
  return Buffer.from(bytes.buffer, bytes.byteOffset + strings.at + offset, length).toString("utf8");
}

type Dependency = { readonly name: string; readonly range: string; readonly kind: DependencyKind; readonly to: number };

function dependenciesOf(binary: Binary, row: number): Dependency[] {
  const { view } = binary;
  const at = binary.columns.dependencies + row * 8;
  const [offset, count] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
  const found: Dependency[] = [];
  for (let i = offset; i < offset + count; i++) {
    const entry = binary.dependencies.at + i * DEPENDENCY_SIZE;
    const resolution = binary.resolutions.at + i * 4;
    if (entry + DEPENDENCY_SIZE > binary.dependencies.end || resolution + 4 > binary.resolutions.end) break;
    const behaviour = view.getUint8(entry + 16);
    const kind = BEHAVIOURS.find(([bit]) => (behaviour & bit) !== 0)?.[1] ?? "prod";
    found.push({ name: stringAt(binary, entry), range: stringAt(binary, entry + 18), kind, to: view.getUint32(resolution, true) });
  }
  return found;
}

/** Keys are numbers: two packages may have one name and version and differ in where they come from. */
function keyOf(row: number): string {
  return `#${row}`;
}

function readPackages(reader: Reader, binary: Binary): void {
  const { columns, count, view } = binary;
  for (let row = 0; row < count; row++) {
    const tag = view.getUint8(columns.resolution + row * binary.resolutionSize);
    const name = stringAt(binary, columns.name + row * 8);
    const dependencies = dependenciesOf(binary, row).filter((dependency) => dependency.to < count);
    if (tag === ROOT || tag === WORKSPACE) addImporter(reader, binary, row, tag, name, dependencies);
    if (tag === ROOT) continue;
    const { source, version } = resolutionOf(binary, row, tag);
    const added = addPackage(reader, 0, { key: keyOf(row), name, version, source });
    added.line = added.column = 0;
    settle(reader, binary, row, added);
    for (const [kind, field] of [
      ["prod", "dependencies"],
      ["optional", "optionalDependencies"],
      ["peer", "peerDependencies"],
    ] as const) {
      const own = dependencies.filter((dependency) => dependency.kind === kind);
      if (own.length > 0) added[field] = recordFrom(own.map((dependency) => [dependency.name, keyOf(dependency.to)]));
    }
  }
  settleReach(reader, lockGraph(reader), ["dev", "optional"]);
}

function recordFrom(pairs: readonly (readonly [string, string])[]): Dependencies {
  const record = Object.create(null) as Record<string, string>;
  for (const [name, reference] of pairs) record[name] = reference;
  return record;
}

function addImporter(reader: Reader, binary: Binary, row: number, tag: number, name: string, dependencies: readonly Dependency[]): void {
  const declared = dependencies.map((dependency): Declared => {
    return { name: dependency.name, kind: dependency.kind, range: dependency.range, resolved: keyOf(dependency.to), ...NOWHERE };
  });
  const path = tag === ROOT ? "." : stringAt(binary, binary.columns.resolution + row * binary.resolutionSize + 8);
  reader.importers.push({ path, ...(name === "" ? {} : { name }), dependencies: declared, ...NOWHERE });
}

function resolutionOf(binary: Binary, row: number, tag: number): { source: LockSource; version: string } {
  const { view } = binary;
  const at = binary.columns.resolution + row * binary.resolutionSize + 8;
  const text = (offset = 0): string => stringAt(binary, at + offset);
  switch (tag) {
    case NPM: {
      const url = text();
      return { source: isHttp(url) ? { kind: "registry", url } : { kind: "registry" }, version: versionAt(binary, at + 8) };
    }
    case FOLDER:
    case LOCAL_TARBALL:
      return { source: { kind: "file", path: text() }, version: "" };
    case SYMLINK:
      return { source: { kind: "link", path: text() }, version: "" };
    case WORKSPACE:
      return { source: { kind: "workspace", path: text() }, version: "" };
    case REMOTE_TARBALL:
      return { source: sourceOf(text()), version: "" };
    case GITHUB:
    case GIT: {
      // Owner, repository, committish, then the commit it was resolved to (for GitHub: `owner-repo-commit`).
      const [owner, repository, wanted, resolved] = [text(), text(8), text(16), text(24)];
      const commit = /([0-9a-f]{40})$/.exec(resolved)?.[1] ?? wanted;
      const place =
        tag === GITHUB ? `github:${owner}/${repository}` : /^(?:git|ssh|https?)/.test(repository) ? repository : `git+${repository}`;
      const location = tag === GIT && isHttp(place) ? `git+${place}` : place;
      return { source: gitSource(`${location}#${commit}`) ?? { kind: "git", url: `${location}#${commit}` }, version: "" };
    }
    default:
      return { source: { kind: "file", path: `(resolution of kind ${view.getUint8(at - 8)})` }, version: "" };
  }
}

function versionAt(binary: Binary, at: number): string {
  const { view } = binary;
  const wide = binary.resolutionSize === 72;
  const part = (index: number): string =>
    wide ? view.getBigUint64(at + index * 8, true).toString() : String(view.getUint32(at + index * 4, true));
  const tags = at + (wide ? 24 : 16);
  const [pre, build] = [stringAt(binary, tags), stringAt(binary, tags + 16)];
  return `${part(0)}.${part(1)}.${part(2)}${pre === "" ? "" : `-${pre}`}${build === "" ? "" : `+${build}`}`;
}

/** Integrity and install script stand in the column of particulars. */
function settle(reader: Reader, binary: Binary, row: number, added: Draft<ResolvedPackage>): void {
  const { view, bytes } = binary;
  const meta = binary.columns.meta + row * 88;
  const algorithm = ALGORITHMS[view.getUint8(meta + 20)];
  if (algorithm !== undefined) {
    const value = `${algorithm[0]}-${Buffer.from(bytes.buffer, bytes.byteOffset + meta + 21, algorithm[1]).toString("base64")}`;
    added.integrity = { kind: algorithm[0] === "sha1" ? "sha1" : "sri", value };
  }
  if (view.getUint8(meta + 85) === 2) added.hasInstallScript = true;
  settleIdentity(reader, 0, added);
  settleTrust(reader, 0, added);
}
