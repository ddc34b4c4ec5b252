/** What looking at one tarball found. Plain data, small: kept by integrity and analyser version, compared between releases. */
import type { CapabilityId, ChainId } from "./capabilities.ts";

/** Changes whenever the same tarball could give another report; stored reports of another number are made again. */
export const ANALYSER = 5;

/** One place in one file. `line` counts from 1. */
export type Place = { readonly path: string; readonly line?: number; readonly code?: string };

export type FileKind = "js" | "ts" | "json" | "gyp" | "shell" | "native" | "text" | "other";

export type FileEntry = {
  /** Inside the package: without the first folder. */
  readonly path: string;
  readonly bytes: number;
  /** base64 sha256, cut to 32 characters (192 bits: no pair of equal ones can be made): equal files of two releases are not looked at twice. */
  readonly digest: string;
  readonly kind: FileKind;
  /** Absent for files that hold nothing to look at, and where nothing was found. */
  readonly found?: FileFindings;
};

/** What one file holds, apart from where it stands. */
export type FileFindings = {
  /** Read to a syntax tree, or only as text. */
  readonly as: "tree" | "text";
  readonly capabilities: readonly FoundCapability[];
  readonly chains: readonly FoundChain[];
  /** What it does for files that import it, or that it imports; absent when nothing of that. Sorted. */
  readonly parts?: readonly Part[];
  /** Relative paths it imports or requires, as written. */
  readonly links: readonly string[];
  /** Packages and built-in modules it imports or requires. */
  readonly imports: readonly string[];
  /** Literal hosts in its strings. */
  readonly hosts: readonly string[];
  readonly unread?: Unread;
};

/**
 * Half of a chain that can be made of two files: secrets of a kind taken (`takes ssh`), data sent, a packed text carried, text run as code.
 */
export type Part = `takes ${string}` | "sends" | "carries" | "runs";

export type FoundCapability = {
  readonly id: CapabilityId;
  readonly count: number;
  /** The first ones, `LIMITS.placesPerCapability` at most. */
  readonly where: readonly { readonly line: number; readonly code: string }[];
};

/** Capabilities that act together, close to each other in one file. `key` tells chains of one kind apart by what they reach for. */
export type FoundChain = { readonly id: ChainId; readonly key: string; readonly line: number; readonly code: string };

export type Unread = {
  /** `syntax`: no parser reads it; `limit`: nesting, size or work beyond a ceiling; `died`: the thread that read it ended. */
  readonly kind: "syntax" | "limit" | "died";
  readonly reason: string;
};

/** What code can do. `where` holds the first places, `LIMITS.placesPerCapability` at most. */
export type Capability = { readonly id: CapabilityId; readonly where: readonly Place[]; readonly count: number };

export type TarballReport = {
  readonly analyser: number;
  /** What the archive itself does wrong: duplicates, links, traversal, bombs, trailing data, … */
  readonly archive: readonly { readonly problem: string; readonly path?: string; readonly grave: boolean }[];
  readonly files: readonly FileEntry[];
  readonly unpacked: number;
  /** package.json of the tarball as far as it matters; absent when it cannot be read. */
  readonly manifest?: TarballManifest;
  readonly capabilities: readonly Capability[];
  readonly chains: readonly (FoundChain & { readonly path: string })[];
  /** Files that run on install and files that run on import, sorted; each with everything it imports. */
  readonly reach: { readonly install: readonly string[]; readonly entry: readonly string[] };
  /** Literal hosts in code, each once, sorted. */
  readonly hosts: readonly string[];
  /** Names that code imports or requires. */
  readonly imports: readonly string[];
  /** Declared dependencies whose name stands in no file but package.json and prose. Empty also where there was too much to search. */
  readonly unmentioned: readonly string[];
  /** Hosts that an npm-shrinkwrap.json in the package sends clients to. */
  readonly shrinkwrap?: readonly { readonly host: string; readonly line?: number }[];
  /** Files that could not be analysed, and why: a finding, never silence. */
  readonly unread: readonly (Unread & { readonly path: string })[];
};

/** The members of package.json that decide what an install does. Values that are not of the expected shape are left out, as npm does. */
export type TarballManifest = {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly bundled?: readonly string[];
  /** preinstall, install, postinstall. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** A binding.gyp stands beside it and `gypfile` is not false: npm builds it. */
  readonly gypfile?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  /** The commands are the files of `directories.bin`. */
  readonly binFolder?: boolean;
  /** Keys given twice, and why it could not be read where it could not. */
  readonly problems?: readonly string[];
};
