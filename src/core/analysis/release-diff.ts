/** What is different between two tarballs, for a person to read: files, package.json, what the code can do, the hosts it names. */
import { LIMITS } from "../base/limits.ts";
import type { Capability, FileEntry, FoundChain, Place, TarballManifest, TarballReport } from "./report.ts";

/** `before` absent: added; `after` absent: removed. Sizes in bytes. */
export type FileChange = { readonly path: string; readonly before?: number; readonly after?: number };

/** One member of package.json; `before` absent: added; `after` absent: removed. */
export type ManifestChange = { readonly field: string; readonly key: string; readonly before?: string; readonly after?: string };

/** A list cut at `LIMITS.listedDifferences`, and how many there are. */
export type Cut<T> = { readonly count: number; readonly first: readonly T[] };

export type TarballDiff = {
  readonly files: {
    readonly added: Cut<FileChange>;
    readonly removed: Cut<FileChange>;
    /** Those that grew or shrank most come first. */
    readonly changed: Cut<FileChange>;
    readonly unchanged: number;
  };
  /** Unpacked bytes. */
  readonly size: { readonly before: number; readonly after: number };
  readonly manifest: readonly ManifestChange[];
  readonly capabilities: { readonly added: readonly Capability[]; readonly removed: readonly Capability[] };
  /** Capabilities acting together, by kind and what they reach for. */
  readonly chains: { readonly added: readonly ChainAt[]; readonly removed: readonly ChainAt[] };
  readonly hosts: { readonly added: Cut<string>; readonly removed: Cut<string> };
  /** Machine code in paths that had none, or had other bytes. */
  readonly binaries: Cut<string>;
};

export type ChainAt = FoundChain & Pick<Place, "path">;

export function compareTarballs(before: TarballReport, after: TarballReport): TarballDiff {
  const [old, own] = [byPath(before), byPath(after)];
  const added = after.files.filter(({ path }) => !old.has(path));
  const removed = before.files.filter(({ path }) => !own.has(path));
  const both = [...own.values()].flatMap((file) => {
    const was = old.get(file.path);
    return was ? [{ file, was }] : [];
  });
  const changed = both
    .filter(({ file, was }) => file.digest !== was.digest)
    .toSorted((a, b) => growth(b) - growth(a))
    .map(({ file, was }): FileChange => ({ path: file.path, before: was.bytes, after: file.bytes }));
  return {
    files: {
      added: cut(added.toSorted((a, b) => b.bytes - a.bytes).map(({ path, bytes }) => ({ path, after: bytes }))),
      removed: cut(removed.map(({ path, bytes }) => ({ path, before: bytes }))),
      changed: cut(changed),
      unchanged: both.length - changed.length,
    },
    size: { before: before.unpacked, after: after.unpacked },
    manifest: manifestChanges(before.manifest ?? {}, after.manifest ?? {}),
    capabilities: {
      added: without(after.capabilities, before.capabilities, ({ id }) => id),
      removed: without(before.capabilities, after.capabilities, ({ id }) => id),
    },
    chains: {
      added: without(after.chains, before.chains, chainKey),
      removed: without(before.chains, after.chains, chainKey),
    },
    hosts: {
      added: cut(without(after.hosts, before.hosts, (host) => host)),
      removed: cut(without(before.hosts, after.hosts, (host) => host)),
    },
    binaries: cut(
      after.files.filter(({ kind, path, digest }) => kind === "native" && old.get(path)?.digest !== digest).map(({ path }) => path),
    ),
  };
}

/** Where a path stands twice the last one counts: it is the one a client keeps. */
function byPath({ files }: TarballReport): ReadonlyMap<string, FileEntry> {
  return new Map(files.map((file) => [file.path, file]));
}

function growth({ file, was }: { readonly file: FileEntry; readonly was: FileEntry }): number {
  return Math.abs(file.bytes - was.bytes);
}

function cut<T>(all: readonly T[]): Cut<T> {
  return { count: all.length, first: all.slice(0, LIMITS.listedDifferences) };
}

function chainKey({ id, key }: FoundChain): string {
  return `${id} ${key}`;
}

function without<T>(all: readonly T[], others: readonly T[], keyOf: (one: T) => string): readonly T[] {
  const known = new Set(others.map(keyOf));
  return all.filter((one) => !known.has(keyOf(one)));
}

const MAPS = ["scripts", "dependencies", "optionalDependencies", "peerDependencies", "bin"] as const;

function manifestChanges(before: TarballManifest, after: TarballManifest): readonly ManifestChange[] {
  const gyp = (manifest: TarballManifest) => (manifest.gypfile === true ? { "binding.gyp": "npm builds it on install" } : undefined);
  const bundled = (manifest: TarballManifest) => manifest.bundled && Object.fromEntries(manifest.bundled.map((name) => [name, "bundled"]));
  return [
    ...MAPS.flatMap((field) => mapChanges(field, before[field], after[field])),
    ...mapChanges("build", gyp(before), gyp(after)),
    ...mapChanges("bundleDependencies", bundled(before), bundled(after)),
  ];
}

type Texts = Readonly<Record<string, string>>;

/** What differs between two maps of texts: what is new first, then what changed, then what is gone. */
export function mapChanges(field: string, before: Texts = {}, after: Texts = {}): readonly ManifestChange[] {
  const had = (key: string) => Object.hasOwn(before, key);
  const has = (key: string) => Object.hasOwn(after, key);
  const own = Object.keys(after);
  return [
    ...own.filter((key) => !had(key)).map((key) => ({ field, key, after: after[key]! })),
    ...own.filter((key) => had(key) && before[key] !== after[key]).map((key) => ({ field, key, before: before[key]!, after: after[key]! })),
    ...Object.keys(before)
      .filter((key) => !has(key))
      .map((key) => ({ field, key, before: before[key]! })),
  ];
}
