/** What looking at one tarball found. Plain data, small: kept by integrity and analyser version, compared between releases. */

/** One place in one file. `line` counts from 1. */
export type Place = { readonly path: string; readonly line?: number; readonly code?: string };

export type FileEntry = {
  /** Inside the package: without the first folder. */
  readonly path: string;
  readonly bytes: number;
  /** base64 sha256, cut to 16 characters: equal files of two releases are not looked at twice. */
  readonly digest: string;
  readonly kind: "js" | "ts" | "json" | "gyp" | "shell" | "native" | "text" | "other";
};

/** What code can do. `where` holds the first places, `LIMITS.placesPerCapability` at most. */
export type Capability = { readonly id: string; readonly where: readonly Place[]; readonly count: number };

export type TarballReport = {
  readonly analyser: number;
  /** What the archive itself does wrong: duplicates, links, traversal, bombs, trailing data, … */
  readonly archive: readonly { readonly problem: string; readonly path?: string; readonly grave: boolean }[];
  readonly files: readonly FileEntry[];
  readonly unpacked: number;
  /** package.json of the tarball as far as it matters; absent when it cannot be read. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly capabilities: readonly Capability[];
  /** Literal hosts in code, each once, sorted. */
  readonly hosts: readonly string[];
  /** Names that code imports or requires. */
  readonly imports: readonly string[];
  /** Files that could not be analysed, and why: a finding, never silence. */
  readonly unread: readonly { readonly path: string; readonly reason: string }[];
};
