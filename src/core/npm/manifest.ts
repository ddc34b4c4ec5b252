/**
 * One entry of a packument's `versions`: walked where it stands, then judged. A bad one is named with its reason and harms none of its siblings.
 * Nothing is converted that a decision or a rendering does not need.
 */
import { LIMITS } from "../base/limits.ts";
import { parseIntegrity, shasumToIntegrity } from "./integrity.ts";
import { atObject, eachMember, type JsonCursor, readText, skipValue } from "./json-scan.ts";
import { classifySpec, isVersion } from "./ranges.ts";
import type { VersionSummary } from "./summary.ts";
import { tarballFile } from "./tarball-name.ts";

/** Byte positions in the document, end exclusive. */
export type Span = readonly [start: number, end: number];

/**
 * One version as walked: what decisions need, and where things stand, so that it can be rendered without scanning again.
 * Of one shape, with every field present, because thousands are made for one document.
 */
export type WalkedVersion = {
  /** Its key in `versions`. */
  readonly version: string;
  /** The manifest, braces included. */
  manifest: Span;
  /** The first reason found while walking why it cannot be served. */
  reason: string | undefined;
  /** `name` and `version` inside the manifest. */
  innerName: string | undefined;
  innerVersion: string | undefined;
  deprecated: string | undefined;
  integrity: string | undefined;
  shasum: string | undefined;
  /** `dist.tarball`, the file name in it, and where its value stands, quotes included. */
  tarball: string | undefined;
  file: string | undefined;
  tarballSpan: Span;
  /** Where the value of `dist.attestations.url` stands. */
  attestationsSpan: Span | undefined;
  /** Where the values of the dependency maps stand. */
  readonly maps: Partial<Record<DependencyMap, Span>>;
  /** The members the abbreviated form keeps: start of the key and end of the value in turn, in document order. */
  readonly abbreviated: number[];
  /** Whether an install runs something of it. */
  scripts: boolean;
};

type DependencyMap =
  | "dependencies"
  | "optionalDependencies"
  | "peerDependencies"
  | "peerDependenciesMeta"
  | "bundleDependencies"
  | "bundledDependencies";
const DEPENDENCY_MAP_NAMES: readonly DependencyMap[] = [
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bundleDependencies",
  "bundledDependencies",
];
const DEPENDENCY_MAPS: ReadonlySet<string> = new Set(DEPENDENCY_MAP_NAMES);

// npm/registry docs/responses/package-metadata.md, "abbreviated version object", plus `libc`, which the registry sends too.
// `_npmUser` is ours: because we also send `time`, pnpm does not fetch the full form, and its trust policy reads the publisher from here.
// `hasInstallScript` is missing on purpose: full manifests do not carry it, so it is derived.
const ABBREVIATED = new Set([
  "name",
  "version",
  "deprecated",
  "dependencies",
  "acceptDependencies",
  "optionalDependencies",
  "devDependencies",
  "bundleDependencies",
  "bundledDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bin",
  "directories",
  "dist",
  "engines",
  "_hasShrinkwrap",
  "funding",
  "cpu",
  "os",
  "libc",
  "_npmUser",
]);

const INSTALL_SCRIPTS = new Set(["preinstall", "install", "postinstall"]);

/** Walks the manifest at the cursor. */
export function walkManifest(scan: JsonCursor, version: string): WalkedVersion {
  const start = scan.pos;
  const walked: WalkedVersion = {
    version,
    manifest: NOWHERE,
    reason: undefined,
    innerName: undefined,
    innerVersion: undefined,
    deprecated: undefined,
    integrity: undefined,
    shasum: undefined,
    tarball: undefined,
    file: undefined,
    tarballSpan: NOWHERE,
    attestationsSpan: undefined,
    maps: {},
    abbreviated: [],
    scripts: false,
  };
  if (!atObject(scan)) {
    walked.reason = "its manifest is not an object";
    skipValue(scan);
  } else
    eachMember(scan, (field) => {
      const member = scan.keyStart - 1;
      walkField(scan, walked, field);
      if (ABBREVIATED.has(field)) walked.abbreviated.push(member, scan.pos);
    });
  walked.manifest = [start, scan.pos];
  const unsafe = scan.problems[0];
  if (unsafe) walked.reason = `${unsafe.message} in its manifest`;
  scan.problems = [];
  return walked;
}

const NOWHERE: Span = [0, 0];

function walkField(scan: JsonCursor, walked: WalkedVersion, field: string): void {
  switch (field) {
    case "name":
      walked.innerName = textField(scan, walked, "`name`");
      return;
    case "version":
      walked.innerVersion = textField(scan, walked, "`version`");
      return;
    case "deprecated":
      walked.deprecated = readDeprecated(scan, walked);
      return;
    case "dist":
      if (atObject(scan)) return eachMember(scan, (inner) => walkDistField(scan, walked, inner));
      walked.reason ??= "`dist` is not an object";
      return skipValue(scan);
    case "scripts":
      if (!atObject(scan)) return skipValue(scan);
      return eachMember(scan, (script) => {
        if (INSTALL_SCRIPTS.has(script) && !isNothing(scan)) walked.scripts = true;
        skipValue(scan);
      });
    case "gypfile":
    case "hasInstallScript":
      if (!isNothing(scan)) walked.scripts = true;
      return skipValue(scan);
    default: {
      const start = scan.pos;
      skipValue(scan);
      if (DEPENDENCY_MAPS.has(field)) walked.maps[field as DependencyMap] = [start, scan.pos];
    }
  }
}

function walkDistField(scan: JsonCursor, walked: WalkedVersion, field: string): void {
  const start = scan.pos;
  switch (field) {
    case "integrity":
      walked.integrity = textField(scan, walked, "`dist.integrity`");
      return;
    case "shasum":
      walked.shasum = textField(scan, walked, "`dist.shasum`");
      return;
    case "tarball":
      walked.tarball = textField(scan, walked, "`dist.tarball`");
      walked.file = walked.tarball === undefined ? undefined : tarballFile(walked.tarball);
      walked.tarballSpan = [start, scan.pos];
      return;
    case "attestations":
      if (atObject(scan))
        return eachMember(scan, (inner) => {
          const at = scan.pos;
          if (inner !== "url") return skipValue(scan);
          if (textField(scan, walked, "`dist.attestations.url`") !== undefined) walked.attestationsSpan = [at, scan.pos];
        });
      if (!isNull(scan)) walked.reason ??= "`dist.attestations` is not an object";
      return skipValue(scan);
    default:
      return skipValue(scan);
  }
}

/** Consumes a value that should be a string; `null` counts as absent, as in npm's clients. */
function textField(scan: JsonCursor, walked: WalkedVersion, what: string): string | undefined {
  const nothing = isNull(scan);
  const text = readText(scan);
  if (text === undefined && !nothing) walked.reason ??= `${what} is not a string`;
  return text;
}

/** Registries write text, and for "not any more" `""`, `false` or `null`; clients take any other value for a yes. */
function readDeprecated(scan: JsonCursor, walked: WalkedVersion): string | undefined {
  const no = isNothing(scan);
  const yes = scan.bytes[scan.pos] === TRUE;
  const text = readText(scan);
  if (yes) return "deprecated";
  if (text === undefined && !no) walked.reason ??= "`deprecated` is not a string";
  return no ? undefined : text?.slice(0, LIMITS.deprecationChars);
}

const TRUE = 0x74;
const FALSE = 0x66;
const NULL = 0x6e;
const QUOTE = 0x22;

function isNull(scan: JsonCursor): boolean {
  return scan.bytes[scan.pos] === NULL;
}

/** `null`, `false` or `""`: a field that says no. */
function isNothing({ bytes, pos }: JsonCursor): boolean {
  return bytes[pos] === NULL || bytes[pos] === FALSE || (bytes[pos] === QUOTE && bytes[pos + 1] === QUOTE);
}

/**
 * Decides whether a walked version can be served as it stands: its summary, or the reason why not.
 * `name` is the package's, `time` the registry's claim about this version, `requirementsOf` the reader for its document.
 */
export function judgeVersion(
  walked: WalkedVersion,
  name: string,
  time: string | undefined,
  requirementsOf: ReturnType<typeof requirementsReader>,
): VersionSummary | string {
  const { version, manifest, tarball, integrity, shasum, deprecated } = walked;
  if (walked.reason !== undefined) return walked.reason;
  if (version.length > LIMITS.versionChars || !isVersion(version)) return "its key is not a SemVer version";
  if (manifest[1] - manifest[0] > LIMITS.manifestBytes) return `its manifest is larger than ${LIMITS.manifestBytes} bytes`;
  if (walked.innerName !== name) return "`name` in its manifest is missing or another package's";
  if (walked.innerVersion !== version) return "`version` in its manifest is missing or another version";
  if (tarball === undefined) return "it has no `dist.tarball`";
  if (walked.file === undefined) return "`dist.tarball` is not an http(s) URL ending in a plain file name";
  const reason = digestProblem(integrity, shasum);
  if (reason !== undefined) return reason;
  const requires = requirementsOf(walked.maps);
  if (typeof requires === "string") return requires;

  const summary: { -readonly [K in keyof VersionSummary]: VersionSummary[K] } = { version, tarball };
  if (integrity) summary.integrity = integrity;
  if (shasum) summary.shasum = shasum;
  if (time !== undefined) summary.time = time;
  if (deprecated !== undefined) summary.deprecated = deprecated;
  if (requires !== undefined) summary.requires = requires;
  if (walked.scripts) summary.scripts = true;
  return summary;
}

/** Why the digests cannot be relied on. An empty string counts as absent: some registries write one beside a good integrity. */
function digestProblem(integrity: string | undefined, shasum: string | undefined): string | undefined {
  if (shasum && shasumToIntegrity(shasum) === undefined) return "`dist.shasum` is not 40 hexadecimal digits";
  if (!integrity) return shasum ? undefined : "it has neither `dist.integrity` nor `dist.shasum`";
  const parsed = parseIntegrity(integrity);
  if (parsed.kind === "malformed") return `\`dist.integrity\` is malformed: ${parsed.part}`;
  if (parsed.kind === "none") return shasum ? undefined : "`dist.integrity` names no known algorithm and there is no `dist.shasum`";
  // Two digests of one algorithm make a client accept either of two tarballs.
  if (Object.values(parsed.digests).some((digests) => digests.length > 1))
    return "`dist.integrity` names two digests of the same algorithm";
  const sha1 = parsed.digests.sha1?.[0];
  if (shasum && sha1 && `sha1-${sha1}` !== shasumToIntegrity(shasum))
    return "`dist.integrity` and `dist.shasum` name different sha1 digests";
  return undefined;
}

/** Reads what the versions of a document require. Neighbours mostly require the same: text that equals the last is not read again. */
export function requirementsReader(document: Buffer): (maps: WalkedVersion["maps"]) => ReturnType<typeof requirements> {
  let last: { readonly maps: WalkedVersion["maps"]; readonly requires: ReturnType<typeof requirements> } | undefined;
  const sameText = (one: Span | undefined, other: Span | undefined): boolean =>
    one === undefined || other === undefined
      ? one === other
      : one[1] - one[0] === other[1] - other[0] && document.compare(document, one[0], one[1], other[0], other[1]) === 0;
  return (maps) => {
    const before = last;
    if (before && DEPENDENCY_MAP_NAMES.every((map) => sameText(before.maps[map], maps[map]))) return before.requires;
    last = { maps, requires: requirements(document, maps) };
    return last.requires;
  };
}

/**
 * What an install must also fetch, by name: see `VersionSummary.requires`. Returns a reason when a map is not a map of strings.
 * An alias (`"y": "npm:x@1"`) is a requirement of x; when x is required already, it stays under its own name with its `npm:` spec, so that
 * none is lost; `classifySpec` tells which is which.
 */
function requirements(document: Buffer, maps: WalkedVersion["maps"]): Readonly<Record<string, string>> | undefined | string {
  const read = (map: DependencyMap): unknown => {
    const span = maps[map];
    return span && (JSON.parse(document.toString("utf8", span[0], span[1])) as unknown);
  };
  // Most manifests have this map alone, and what it says is then the answer as it stands.
  if (DEPENDENCY_MAP_NAMES.every((map) => map === "dependencies" || maps[map] === undefined)) {
    const only = read("dependencies");
    if (only === undefined || (isRecord(only) && isPlainMap(only))) return only && Object.keys(only).length > 0 ? only : undefined;
  }
  const specs: Record<"dependencies" | "optionalDependencies" | "peerDependencies", Map<string, string>> = {
    dependencies: new Map(),
    optionalDependencies: new Map(),
    peerDependencies: new Map(),
  };
  for (const map of ["dependencies", "optionalDependencies", "peerDependencies"] as const) {
    const value = read(map) ?? {};
    if (!isRecord(value)) return `\`${map}\` is not an object`;
    for (const [name, spec] of Object.entries(value)) {
      if (typeof spec !== "string" || name === "" || name.length > LIMITS.nameChars) return `\`${map}\` is not a map of names to strings`;
      specs[map].set(name, spec);
    }
  }

  // package.json docs: entries in optionalDependencies override entries of the same name in dependencies.
  const required = new Map([...specs.dependencies].filter(([name]) => !specs.optionalDependencies.has(name)));
  for (const [name, spec] of specs.optionalDependencies) if (isExact(spec)) required.set(name, spec);
  const optionalPeers = read("peerDependenciesMeta");
  for (const [name, spec] of specs.peerDependencies)
    if (!required.has(name) && !isOptionalPeer(optionalPeers, name)) required.set(name, spec);
  for (const bundled of [read("bundleDependencies"), read("bundledDependencies")])
    for (const name of bundledNames(bundled, required)) required.delete(name);

  if (required.size === 0) return undefined;
  const aliased = [...required].filter(([, spec]) => spec.startsWith("npm:"));
  for (const [name, spec] of aliased) {
    const target = classifySpec(spec);
    if (target.kind !== "alias" || required.has(target.name)) continue;
    required.delete(name);
    required.set(target.name, target.spec);
  }
  return Object.fromEntries(required);
}

/** Names to specs, none of them an alias. */
function isPlainMap(map: Record<string, unknown>): map is Record<string, string> {
  for (const name of Object.keys(map)) {
    const spec = map[name];
    if (typeof spec !== "string" || name === "" || name.length > LIMITS.nameChars || spec.startsWith("npm:")) return false;
  }
  return true;
}

function isExact(spec: string): boolean {
  const parsed = classifySpec(spec);
  return (parsed.kind === "alias" ? classifySpec(parsed.spec) : parsed).kind === "version";
}

function isOptionalPeer(meta: unknown, name: string): boolean {
  const entry = isRecord(meta) && Object.hasOwn(meta, name) ? meta[name] : undefined;
  return isRecord(entry) && entry["optional"] === true;
}

// package.json docs: an array of names, or true for all dependencies. Old manifests also have an object.
function bundledNames(bundled: unknown, required: ReadonlyMap<string, string>): Iterable<string> {
  if (bundled === true) return [...required.keys()];
  if (Array.isArray(bundled)) return bundled.filter((name) => typeof name === "string");
  return isRecord(bundled) ? Object.keys(bundled) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
