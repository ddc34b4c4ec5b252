/**
 * What every lockfile is read into: one `ResolvedTree`, whichever client wrote it. Plain data: no text, no offsets, nothing to look up.
 * Everything in it is the file's claim; what contradicts itself, or could not be read, stands beside it in `problems`.
 */

/** `npm-hidden` is `node_modules/.package-lock.json` (what npm installed); `bun-binary` is `bun.lockb`. */
export type LockfileKind =
  | "package-lock"
  | "npm-shrinkwrap"
  | "npm-hidden"
  | "pnpm"
  | "yarn-classic"
  | "yarn-berry"
  | "bun"
  | "bun-binary"
  | "deno"
  | "unknown";

/** Where the bytes of an entry come from. Only `registry` is a package of the npm registry by that name. */
export type LockSource =
  /** `url` is absent when the file leaves it to the client's configured registry. */
  | { readonly kind: "registry"; readonly url?: string }
  /** An archive at a URL that is not a registry's own path for it. */
  | { readonly kind: "tarball"; readonly url: string }
  /** `commit` is set only when it is a full hash; anything shorter can move. */
  | { readonly kind: "git"; readonly url: string; readonly commit?: string }
  /** On this disk; the path is as the file writes it. */
  | { readonly kind: "file" | "link" | "workspace"; readonly path: string }
  /** Inside the tarball of the package above it; never fetched by itself. */
  | { readonly kind: "bundled" }
  | { readonly kind: "jsr" }
  /** One remote module of deno, by its URL. */
  | { readonly kind: "module"; readonly url: string };

/**
 * What the file promises about the bytes.
 * `sri`: an SRI string with at least one sha256 or better. `sha1`: an SRI string of sha1 alone (yarn's `#hex` is converted).
 * `hex`: a bare sha256. `berry-checksum`: a digest of the zip yarn generates, never comparable with a registry's integrity.
 */
export type LockIntegrity = { readonly kind: "sri" | "sha1" | "hex" | "berry-checksum"; readonly value: string };

/** `tool`: pnpm's own package manager and configuration dependencies, fetched before anything else. */
export type DependencyKind = "prod" | "dev" | "optional" | "peer" | "tool";

/** Names as the package imports them → what the file writes: a range (npm, yarn, bun) or a resolved reference (pnpm, deno). */
export type Dependencies = Readonly<Record<string, string>>;

/** One copy of a package among several that differ only in their peers (pnpm 9 snapshots). */
export type PackageInstance = {
  readonly key: string;
  readonly dependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
};

export type ResolvedPackage = {
  /** As in the file; for npm's nested version 1 the path it stands for; for yarn all descriptors of the entry, comma-separated. */
  readonly key: string;
  /** What the bytes are: the real name, never the name of an alias. Where a recorded registry URL names another package, that one. */
  readonly name: string;
  /** Empty when the file does not say (links, workspaces, some git dependencies). */
  readonly version: string;
  /** The name it is installed under, when the entry itself says it differs. pnpm and deno keep aliases on the depending side. */
  readonly alias?: string;
  readonly source: LockSource;
  readonly integrity?: LockIntegrity;
  /** Never part of a production install. False where the format does not tell (yarn, deno, npm's hidden file without flags). */
  readonly dev: boolean;
  /** An install succeeds without it. */
  readonly optional: boolean;
  /** Present only because something has it as a peer (npm says so; others do not). */
  readonly peer: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  /** True when the file says so; absent is no evidence of the contrary except in npm ≥ 7 files. */
  readonly hasInstallScript?: boolean;
  /** The patch applied after fetching: its path where recorded, else its hash. */
  readonly patched?: string;
  readonly deprecated?: string;
  readonly dependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
  readonly peerDependencies?: Dependencies;
  readonly instances?: readonly PackageInstance[];
  /** 1-based, of the entry. 0 in binary files. */
  readonly line: number;
  readonly column: number;
};

/** One dependency a workspace declares. */
export type Declared = {
  readonly name: string;
  readonly kind: DependencyKind;
  /** The range in the manifest, when the lockfile repeats it. */
  readonly range?: string;
  /** What the lockfile resolved it to, when it says so there (pnpm, deno). */
  readonly resolved?: string;
  readonly line: number;
  readonly column: number;
};

/** The root project or a workspace member, as the lockfile remembers its manifest. */
export type Importer = {
  /** Relative to the lockfile, `.` for the root. */
  readonly path: string;
  readonly name?: string;
  readonly dependencies: readonly Declared[];
  readonly line: number;
  readonly column: number;
};

/**
 * Everything that can be wrong with a lockfile by itself. `error`: the file cannot be trusted as it stands.
 * `warning`: an entry is weaker than it should be. `note`: said for completeness.
 */
export const LOCK_PROBLEMS = {
  syntax: { severity: "error", title: "The file does not follow the grammar of its format." },
  truncated: { severity: "error", title: "The file ends in the middle." },
  "conflict-markers": { severity: "error", title: "A merge conflict is unresolved." },
  "duplicate-key": { severity: "error", title: "A key stands twice; clients silently use one of them." },
  "wrong-type": { severity: "error", title: "A field has a type its format does not allow." },
  "unknown-format": { severity: "error", title: "The file says a format or version cordon does not know." },
  "too-large": { severity: "error", title: "The file exceeds a fixed ceiling." },
  contradiction: { severity: "error", title: "Two places of the file disagree about one package." },
  "identity-mismatch": { severity: "error", title: "The recorded URL fetches another package or version than the entry says." },
  "bad-name": { severity: "error", title: "A name or path could not be a package's." },
  "bad-integrity": { severity: "error", title: "A digest is malformed; clients ignore it and check nothing." },
  dangling: { severity: "error", title: "Something refers to an entry that is not in the file." },
  "no-integrity": { severity: "warning", title: "Nothing in the file says which bytes are right." },
  "no-version": { severity: "warning", title: "A registry package without a version." },
  "unpinned-git": { severity: "warning", title: "A git dependency is not pinned to a full commit." },
  "old-format": { severity: "warning", title: "The file does not say its version; it is read as the oldest." },
  binary: { severity: "note", title: "A binary lockfile: what it fetches is read, what it says beyond that is not." },
  partial: { severity: "warning", title: "Only part of the file could be read; what is missing is said." },
} as const satisfies Record<string, { severity: "error" | "warning" | "note"; title: string }>;

export type LockProblemCode = keyof typeof LOCK_PROBLEMS;

export type LockProblem = {
  readonly code: LockProblemCode;
  readonly severity: "error" | "warning" | "note";
  /** One line, naming the entry. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
};

export type ResolvedTree = {
  readonly kind: LockfileKind;
  /** The format's own version as written (`3`, `5.4-inlineSpecifiers`, `9.0`); empty when it says none. */
  readonly version: string;
  readonly path: string;
  readonly packages: readonly ResolvedPackage[];
  readonly importers: readonly Importer[];
  readonly problems: readonly LockProblem[];
  /** False when part of the file could not be read: a package not listed is then no evidence of its absence. */
  readonly complete: boolean;
};
