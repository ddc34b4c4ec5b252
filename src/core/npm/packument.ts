/**
 * Reads the raw bytes of a packument into its summary, and into an index from which it can be rendered without scanning again.
 * A bad version is a problem and its siblings live; a document that cannot be trusted as a whole is unreadable, with reason and offset.
 */
import { createHash } from "node:crypto";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { type Instant, parseInstant } from "../base/time.ts";
import { atObject, closeDocument, eachMember, type JsonCursor, openDocument, readText, skipValue } from "./json-scan.ts";
import { judgeVersion, requirementsReader, type Span, type WalkedVersion, walkManifest } from "./manifest.ts";
import { isPackageName } from "./name.ts";
import { chooseReleases } from "./release-choice.ts";
import { type Release, readRelease } from "./release.ts";
import type { PackumentReading, PackumentSummary, VersionProblem, VersionSummary } from "./summary.ts";

/** Where the parts of one document stand. Holds the bytes themselves: drop it to free them. */
export type PackumentIndex = {
  readonly bytes: Buffer;
  readonly name: string;
  readonly digest: string;
  /** The servable versions, in document order. */
  readonly versions: readonly WalkedVersion[];
  /** Values of the top-level fields that may be passed on. */
  readonly fields: ReadonlyMap<string, Span>;
};

export type IndexedPackument =
  | { readonly reading: Extract<PackumentReading, { kind: "packument" }>; readonly index: PackumentIndex }
  | { readonly reading: Extract<PackumentReading, { kind: "unreadable" }>; readonly index?: never };

/**
 * Top-level fields passed on as they are: an allowlist, so that a field npm invents later (as `policyRestrictions` and `stagedVersions` once
 * were) cannot speak to clients past us. `name`, `dist-tags`, `versions`, `time` are written by us.
 */
export const PASSED_FIELDS = [
  "_id",
  "_rev",
  "description",
  "maintainers",
  "author",
  "contributors",
  "repository",
  "homepage",
  "keywords",
  "bugs",
  "license",
  "users",
  "readmeFilename",
  "readme",
] as const;

/** Tests hand in smaller ones. */
export type PackumentLimits = { readonly packumentBytes: number; readonly packumentVersions: number; readonly packumentTags: number };

/** Never throws on content. `name` is the package that was asked for, `moment` when: without it no release is read in detail. */
export function readPackument(name: string, bytes: Uint8Array, limits: PackumentLimits = LIMITS, moment?: Instant): PackumentReading {
  return indexPackument(bytes, name, limits, moment).reading;
}

/** As `readPackument`; without `name` the document's own is taken, for documents that were read under their name before. */
export function indexPackument(
  bytes: Uint8Array,
  name?: string,
  limits: PackumentLimits = LIMITS,
  moment?: Instant,
  young?: readonly string[],
): IndexedPackument {
  if (bytes.length > limits.packumentBytes) return unreadable(`larger than ${limits.packumentBytes} bytes`);

  const scan = openDocument(bytes);
  const document = walkDocument(scan, limits);
  closeDocument(scan);
  if (scan.failure) return unreadable(`not JSON: ${scan.failure.message}`, scan.failure.offset);
  if (document.refused) return unreadable(document.refused.reason, document.refused.offset);
  if (document.name === undefined || !isPackageName(document.name)) return unreadable("`name` is missing or not a package name");
  if (name !== undefined && document.name !== name) return unreadable(`it is about ${document.name}, not ${name}`);
  if (document.versions === undefined && document.unpublished === undefined) return unreadable("it has no `versions`");

  const { good, problems } = judgeVersions(scan.bytes, document);
  const digest = createHash("sha256").update(bytes).digest("base64url");
  const releases = moment === undefined ? undefined : readReleases(scan.bytes, good, moment, new Set(young));
  const summary: PackumentSummary = {
    name: document.name,
    digest,
    bytes: bytes.length,
    tags: Object.fromEntries(document.tags),
    versions: good.map(({ summary }) => summary),
    problems,
    timed: good.some(({ summary: { time } }) => parseInstant(time) !== undefined),
    ...(document.unpublished === undefined || good.length + problems.length > 0 ? {} : { unpublished: document.unpublished }),
    ...(releases === undefined ? {} : { releases }),
  };
  return {
    reading: { kind: "packument", summary },
    index: { bytes: scan.bytes, name: document.name, digest, versions: good.map(({ walked }) => walked), fields: document.fields },
  };
}

function unreadable(reason: string, offset?: number): IndexedPackument {
  return { reading: { kind: "unreadable", reason, ...(offset === undefined ? {} : { offset }) } };
}

type WalkedDocument = {
  name?: string;
  versions?: Map<string, WalkedVersion>;
  /** Version keys listed more than once. */
  readonly repeated: Set<string>;
  readonly tags: Map<string, string>;
  readonly times: Map<string, string>;
  /** Keys of `time` given more than once. */
  readonly repeatedTimes: Set<string>;
  unpublished?: string;
  readonly fields: Map<string, Span>;
  /** The first reason why the document as a whole cannot be used. */
  refused?: { readonly reason: string; readonly offset: number };
};

function walkDocument(scan: JsonCursor, limits: PackumentLimits): WalkedDocument {
  const document: WalkedDocument = {
    repeated: new Set(),
    tags: new Map(),
    times: new Map(),
    repeatedTimes: new Set(),
    fields: new Map(),
  };
  const refuse = (reason: string, offset: number = scan.pos): void => void (document.refused ??= { reason, offset });
  /** Walks an object-valued field; anything else refuses the document. */
  const object = (field: string, visit: (key: string) => void): void => {
    if (atObject(scan)) return eachMember(scan, visit);
    refuse(`\`${field}\` is not an object`);
    skipValue(scan);
  };
  const walkers: Record<string, () => void> = {
    name: () => {
      const text = readText(scan);
      if (text !== undefined) document.name = text;
    },
    versions: () => {
      const versions = (document.versions = new Map<string, WalkedVersion>());
      object("versions", (key) => {
        // What the scanner said about this key itself is known here better: see `repeated`.
        scan.problems = [];
        if (versions.size >= limits.packumentVersions && !versions.has(key)) {
          refuse(`more than ${limits.packumentVersions} versions`);
          return skipValue(scan);
        }
        if (versions.has(key)) document.repeated.add(key);
        versions.set(key, walkManifest(scan, key));
      });
    },
    "dist-tags": () =>
      object("dist-tags", (tag) => {
        const offset = scan.keyStart - 1;
        const version = readText(scan);
        const label = `the dist-tag "${printable(tag).slice(0, 80)}"`;
        if (version === undefined) return refuse(`${label} is not a string`, offset);
        if (document.tags.has(tag)) refuse(`${label} is given twice`, offset);
        if (tag.length > LIMITS.versionChars || version.length > LIMITS.versionChars) refuse(`${label} is too long`, offset);
        if (tag === "__proto__") refuse(`${label} cannot be one`, offset);
        if (document.tags.size >= limits.packumentTags) return refuse(`more than ${limits.packumentTags} dist-tags`, offset);
        document.tags.set(tag, version);
      }),
    time: () =>
      object("time", (key) => {
        if (key === "unpublished" && atObject(scan)) return readUnpublished(scan, document);
        const start = scan.pos;
        const text = readText(scan) ?? scan.bytes.toString("utf8", start, Math.min(scan.pos, start + LONGEST_TIME));
        if (document.times.has(key)) document.repeatedTimes.add(key);
        if (document.times.size >= LIMITS.jsonKeys) refuse(`more than ${LIMITS.jsonKeys} entries in \`time\``);
        else document.times.set(key, text.slice(0, LONGEST_TIME));
      }),
  };

  if (!atObject(scan)) {
    refuse("it is not a JSON object");
    skipValue(scan);
    return document;
  }
  const seen = new Set<string>();
  eachMember(scan, (field) => {
    const offset = scan.keyStart - 1;
    const repeated = seen.has(field);
    seen.add(field);
    scan.problems = [];
    const walker = Object.hasOwn(walkers, field) ? walkers[field] : undefined;
    if (walker) {
      if (repeated) refuse(`\`${field}\` is given twice`, offset);
      return walker();
    }
    const start = scan.pos;
    skipValue(scan);
    // Of no importance to us, but clients would read it differently from each other: not passed on.
    if (repeated || scan.problems.length > 0) document.fields.delete(field);
    else if ((PASSED_FIELDS as readonly string[]).includes(field)) document.fields.set(field, [start, scan.pos]);
  });
  return document;
}

/** Longer than any timestamp; what is cut off was none. */
const LONGEST_TIME = 64;

/** `time.unpublished`: an object with the moment in `time`. */
function readUnpublished(scan: JsonCursor, document: WalkedDocument): void {
  document.unpublished = "at an unknown time";
  eachMember(scan, (key) => {
    if (key !== "time") return skipValue(scan);
    const text = readText(scan);
    if (text !== undefined) document.unpublished = text.slice(0, LONGEST_TIME);
  });
}

type ServableVersion = { readonly walked: WalkedVersion; readonly summary: VersionSummary };

function judgeVersions(bytes: Buffer, document: WalkedDocument): { good: ServableVersion[]; problems: VersionProblem[] } {
  const good: ServableVersion[] = [];
  const problems: VersionProblem[] = [];
  const byFile = new Map<string, number>();
  const requirementsOf = requirementsReader(bytes);
  for (const [version, walked] of document.versions ?? []) {
    const judged = document.repeated.has(version)
      ? "it is listed twice"
      : document.repeatedTimes.has(version)
        ? "its publish time is given twice"
        : judgeVersion(walked, document.name!, document.times.get(version), requirementsOf);
    if (typeof judged === "string") problems.push({ version, reason: judged });
    else {
      good.push({ walked, summary: judged });
      byFile.set(walked.file!, (byFile.get(walked.file!) ?? 0) + 1);
    }
  }
  // A tarball request names a file, and the file must mean one version.
  const alone = good.filter(({ walked }) => byFile.get(walked.file!) === 1);
  if (alone.length < good.length)
    for (const { walked } of good)
      if (byFile.get(walked.file!) !== 1)
        problems.push({ version: walked.version, reason: "another version claims the same tarball file name" });
  return { good: alone, problems };
}

/** How the young versions were released, and those they are compared with: few manifests, read whole. */
function readReleases(
  bytes: Buffer,
  good: readonly ServableVersion[],
  moment: Instant,
  young: ReadonlySet<string>,
): Readonly<Record<string, Release>> | undefined {
  const versions = good.map(({ summary }) => summary);
  const chosen = chooseReleases(versions, moment, young);
  if (chosen.size === 0) return undefined;
  const read = good.filter(({ summary }) => chosen.has(summary.version));
  return Object.fromEntries(
    read.map(({ summary, walked }) => [summary.version, readRelease(JSON.parse(bytes.toString("utf8", ...walked.manifest)))]),
  );
}
