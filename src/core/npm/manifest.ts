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

/** Where one servable version stands in the document: enough to render it without scanning again. */
export type VersionSlice = {
  readonly version: string;
  /** The manifest, braces included. */
  readonly manifest: Span;
  /** The value of `dist.tarball`, quotes included, and the file name in it. */
  readonly tarball: Span;
  readonly file: string;
  /** The value of `dist.attestations.url`, quotes included. */
  readonly attestationsUrl?: Span;
  /** The members the abbreviated form keeps, each from its key to the end of its value, in document order. */
  readonly abbreviated: readonly Span[];
  /** Whether an install runs something of it. */
  readonly scripts: boolean;
};

/** What the walk found; `judgeVersion` makes a summary or a problem of it. */
export type VersionDraft = {
  readonly key: string;
  readonly manifest: Span;
  /** The first reason found while walking. */
  readonly reason?: string;
  readonly name?: string;
  readonly version?: string;
  readonly deprecated?: string;
  readonly tarball?: { readonly url: string; readonly span: Span };
  readonly integrity?: string;
  readonly shasum?: string;
  readonly attestationsUrl?: Span;
  /** Values of the dependency maps, unread. */
  readonly maps: Readonly<Partial<Record<DependencyMap, Span>>>;
  readonly abbreviated: readonly Span[];
  readonly scripts: boolean;
};

const DEPENDENCY_MAPS = [
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bundleDependencies",
  "bundledDependencies",
] as const;
type DependencyMap = (typeof DEPENDENCY_MAPS)[number];

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
export function walkManifest(scan: JsonCursor, key: string): VersionDraft {
  const start = scan.pos;
  const found: { -readonly [K in keyof VersionDraft]?: VersionDraft[K] } = {};
  const maps: Partial<Record<DependencyMap, Span>> = {};
  const abbreviated: Span[] = [];
  let scripts = false;
  const wrong = (reason: string): void => void (found.reason ??= reason);
  /** Reads a string; `null` counts as absent, as in npm's clients. */
  const text = (what: string): string | undefined => {
    const nothing = isNull(scan);
    const value = readText(scan);
    if (value === undefined && !nothing) wrong(`${what} is not a string`);
    return value;
  };

  if (!atObject(scan)) {
    wrong("its manifest is not an object");
    skipValue(scan);
  } else
    eachMember(scan, (field) => {
      const member = scan.keyStart - 1;
      switch (field) {
        case "name":
        case "version":
          assign(found, field, text(`\`${field}\``));
          break;
        case "deprecated":
          assign(found, field, readDeprecated(scan, wrong));
          break;
        case "dist":
          walkDist(scan, found, text, wrong);
          break;
        case "scripts":
          if (atObject(scan))
            eachMember(scan, (script) => {
              if (INSTALL_SCRIPTS.has(script) && !isEmpty(scan)) scripts = true;
              skipValue(scan);
            });
          else skipValue(scan);
          break;
        case "gypfile":
        case "hasInstallScript":
          if (isTrue(scan)) scripts = true;
          skipValue(scan);
          break;
        default: {
          const from = scan.pos;
          skipValue(scan);
          if (isDependencyMap(field)) maps[field] = [from, scan.pos];
        }
      }
      if (ABBREVIATED.has(field)) abbreviated.push([member, scan.pos]);
    });

  const unsafe = scan.problems[0];
  if (unsafe) found.reason = `${unsafe.message} in its manifest`;
  scan.problems = [];
  return { ...found, key, manifest: [start, scan.pos], maps, abbreviated, scripts };
}

type Found = { -readonly [K in keyof VersionDraft]?: VersionDraft[K] };

function walkDist(scan: JsonCursor, found: Found, text: (what: string) => string | undefined, wrong: (reason: string) => void): void {
  if (!atObject(scan)) {
    wrong("`dist` is not an object");
    return skipValue(scan);
  }
  eachMember(scan, (field) => {
    const start = scan.pos;
    if (field === "integrity" || field === "shasum") assign(found, field, text(`\`dist.${field}\``));
    else if (field === "tarball") {
      const url = text("`dist.tarball`");
      if (url !== undefined) found.tarball = { url, span: [start, scan.pos] };
    } else if (field === "attestations" && atObject(scan))
      eachMember(scan, (inner) => {
        const at = scan.pos;
        if (inner !== "url") skipValue(scan);
        else if (text("`dist.attestations.url`") !== undefined) found.attestationsUrl = [at, scan.pos];
      });
    else {
      if (field === "attestations" && !isNull(scan)) wrong("`dist.attestations` is not an object");
      skipValue(scan);
    }
  });
}

function assign<K extends "name" | "version" | "deprecated" | "integrity" | "shasum">(
  found: Found,
  field: K,
  value: string | undefined,
): void {
  if (value !== undefined) found[field] = value;
}

/** Registries write text, and for "not any more" `""`, `false` or `null`; clients take any other value for a yes. */
function readDeprecated(scan: JsonCursor, wrong: (reason: string) => void): string | undefined {
  if (isTrue(scan)) {
    skipValue(scan);
    return "deprecated";
  }
  const no = isNull(scan) || scan.bytes[scan.pos] === 0x66;
  const text = readText(scan);
  if (text === undefined && !no) wrong("`deprecated` is not a string");
  return text === undefined || text === "" ? undefined : text.slice(0, LIMITS.deprecationChars);
}

function isNull(scan: JsonCursor): boolean {
  return scan.bytes[scan.pos] === 0x6e;
}

function isTrue(scan: JsonCursor): boolean {
  return scan.bytes[scan.pos] === 0x74;
}

/** `""` or `null`: a script that is none. */
function isEmpty(scan: JsonCursor): boolean {
  return isNull(scan) || (scan.bytes[scan.pos] === 0x22 && scan.bytes[scan.pos + 1] === 0x22);
}

function isDependencyMap(field: string): field is DependencyMap {
  return (DEPENDENCY_MAPS as readonly string[]).includes(field);
}

export type ServableVersion = { readonly summary: VersionSummary; readonly slice: VersionSlice };

/**
 * Decides whether a walked version can be served as it stands; the answer is the reason when it cannot.
 * `name` is the package's, `time` the registry's claim about this version.
 */
export function judgeVersion(document: Buffer, draft: VersionDraft, name: string, time: string | undefined): ServableVersion | string {
  const [start, end] = draft.manifest;
  if (draft.reason !== undefined) return draft.reason;
  if (draft.key.length > LIMITS.versionChars || !isVersion(draft.key)) return "its key is not a SemVer version";
  if (end - start > LIMITS.manifestBytes) return `its manifest is larger than ${LIMITS.manifestBytes} bytes`;
  if (draft.name !== name) return "`name` in its manifest is missing or another package's";
  if (draft.version !== draft.key) return "`version` in its manifest is missing or another version";
  if (draft.tarball === undefined) return "it has no `dist.tarball`";
  const file = tarballFile(draft.tarball.url);
  if (file === undefined) return "`dist.tarball` is not an http(s) URL ending in a plain file name";
  const reason = digestProblem(draft.integrity, draft.shasum);
  if (reason !== undefined) return reason;
  const requires = requirements(document, draft.maps);
  if (typeof requires === "string") return requires;

  return {
    summary: {
      version: draft.key,
      ...(draft.integrity ? { integrity: draft.integrity } : {}),
      ...(draft.shasum ? { shasum: draft.shasum } : {}),
      tarball: draft.tarball.url,
      ...(time === undefined ? {} : { time }),
      ...(draft.deprecated === undefined ? {} : { deprecated: draft.deprecated }),
      ...(requires === undefined ? {} : { requires }),
      ...(draft.scripts ? { scripts: true } : {}),
    },
    slice: {
      version: draft.key,
      manifest: draft.manifest,
      tarball: draft.tarball.span,
      file,
      ...(draft.attestationsUrl ? { attestationsUrl: draft.attestationsUrl } : {}),
      abbreviated: draft.abbreviated,
      scripts: draft.scripts,
    },
  };
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

/**
 * What an install must also fetch, by name: see `VersionSummary.requires`. Returns a reason when a map is not a map of strings.
 * An alias (`"y": "npm:x@1"`) is a requirement of x; when x is required already, it stays under its own name with its `npm:` spec, so that
 * none is lost (`requirementOf` reads both).
 */
function requirements(document: Buffer, maps: VersionDraft["maps"]): Readonly<Record<string, string>> | undefined | string {
  const read = (map: DependencyMap): unknown => {
    const span = maps[map];
    return span && (JSON.parse(document.toString("utf8", ...span)) as unknown);
  };
  const specs: Record<"dependencies" | "optionalDependencies" | "peerDependencies", Map<string, string>> = {
    dependencies: new Map(),
    optionalDependencies: new Map(),
    peerDependencies: new Map(),
  };
  for (const map of ["dependencies", "optionalDependencies", "peerDependencies"] as const) {
    const value = read(map) ?? {};
    if (!isRecord(value)) return `\`${map}\` is not an object`;
    for (const [name, spec] of Object.entries(value)) {
      if (typeof spec !== "string" || name === "" || name.length > LIMITS.versionChars)
        return `\`${map}\` is not a map of names to strings`;
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

/** Resolves one entry of `requires` to the package it means; undefined when no registry answers it (git, URL, file, workspace). */
export function requirementOf(name: string, spec: string): { readonly name: string; readonly spec: string } | undefined {
  const parsed = classifySpec(spec);
  if (parsed.kind === "alias") return { name: parsed.name, spec: parsed.spec };
  return parsed.kind === "version" || parsed.kind === "range" || parsed.kind === "tag" ? { name, spec } : undefined;
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
