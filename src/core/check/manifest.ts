/** What a project says it wants: package.json (and what stands beside it) as text, with places; never throws on content. */

export type ManifestDependency = {
  readonly name: string;
  readonly kind: "prod" | "dev" | "optional" | "peer";
  /** As written; a `catalog:` reference is resolved where the catalog is known. */
  readonly range: string;
  readonly line: number;
  readonly column: number;
};

/** A rule that replaces what dependencies ask for: npm's `overrides`, yarn's `resolutions`, pnpm's `overrides`. */
export type Override = {
  /** The package whose version is replaced. */
  readonly name: string;
  /** What it is replaced by, `$name` resolved. */
  readonly spec: string;
  /** As written, outermost first: `a>b@^1`. */
  readonly selector: string;
  readonly line: number;
  readonly column: number;
};

/** Install scripts a project allows. `listed` false: it has no such list, and the client does as it does. */
export type ScriptApprovals = {
  readonly listed: boolean;
  /** Every script runs, because the project says so. */
  readonly all: boolean;
  readonly allowed: readonly { readonly name: string; /** Exact versions or a range; absent = every version. */ readonly range?: string }[];
  readonly denied: readonly string[];
};

export type ManifestProblem = { readonly message: string; readonly line: number; readonly column: number };

export type Manifest = {
  /** The file, relative to the folder that is checked. */
  readonly path: string;
  /** Which importer of the lockfile it is: its folder relative to the lockfile's, `.` for the lockfile's own. */
  readonly importer: string;
  readonly name?: string;
  readonly version?: string;
  readonly dependencies: readonly ManifestDependency[];
  readonly overrides: readonly Override[];
  /** Names whose code is inside this package's own tarball. */
  readonly bundled: readonly string[];
  readonly approvals: ScriptApprovals;
  readonly problems: readonly ManifestProblem[];
};
