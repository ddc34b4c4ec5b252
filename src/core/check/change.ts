/** What a change of a lockfile brings: each new version with what is known of it, for a reviewer who has ten seconds. */
import semver from "semver";
import { redact } from "../base/text.ts";
import type { IntegrityChange, TreeDiff, TreeEntry } from "../lockfile/diff.ts";
import type { LockSource } from "../lockfile/tree.ts";

/** What is known of one new version. A member that is absent is not known, which is not the same as `false` or `none`. */
export type VersionDetails = {
  /** ISO; when its age began. */
  readonly published?: string;
  /** Milliseconds old when it was looked at. */
  readonly ageMs?: number;
  /** Of the name, where it is new to the project. */
  readonly nameAgeMs?: number;
  readonly action?: "allow" | "hold" | "review" | "deny";
  /** ISO; when the hold ends. */
  readonly until?: string;
  readonly publisher?: { readonly name: string; readonly trusted: boolean; readonly changed?: boolean };
  /** Names of what an install runs; empty: nothing. */
  readonly scripts?: readonly string[];
  readonly provenance?: { readonly state: string; readonly repository?: string; readonly changed?: boolean };
  readonly signals?: readonly { readonly id: string; readonly effect: string; readonly title: string }[];
  /** Ids of advisories against it. */
  readonly advisories?: readonly string[];
  /** Why nothing, or not everything, could be learnt. */
  readonly notChecked?: string;
};

export type NewVersion = {
  readonly name: string;
  readonly version: string;
  /** 1-based, in the lockfile; absent in binary ones. */
  readonly line?: number;
  readonly source: LockSource["kind"];
  /** Where it comes from, when that is no registry. */
  readonly url?: string;
  readonly dev: boolean;
  readonly details: VersionDetails;
};

export type CheckedChange = {
  /** The lockfile, relative to the folder that was checked. */
  readonly path: string;
  /** What it is compared with: a git ref. */
  readonly since: string;
  readonly added: readonly NewVersion[];
  readonly moved: readonly {
    readonly name: string;
    readonly from: readonly string[];
    readonly to: readonly NewVersion[];
    /** `down`: the newest of them is older than the newest before; `same` where nobody can tell. */
    readonly direction: "up" | "down" | "same";
  }[];
  readonly removed: readonly { readonly name: string; readonly version: string }[];
  /** The same version from another place or with other bytes. */
  readonly changed: readonly {
    readonly name: string;
    readonly version: string;
    readonly line?: number;
    readonly integrity?: IntegrityChange;
    /** Where from and where to, when that changed. */
    readonly source?: { readonly from: string; readonly to: string };
  }[];
  /** Development dependencies that a production install now has. */
  readonly promoted: readonly { readonly name: string; readonly version: string }[];
  readonly unchanged: number;
  readonly summary: {
    /** Versions that were not there before. */
    readonly fresh: number;
    /** Of these, those a client may not have now. */
    readonly withheld: number;
    /** Of these, those an advisory speaks of. */
    readonly known: number;
    /** Of these, those nothing could be learnt of. */
    readonly notChecked: number;
  };
};

/** `details` by `name@version`; a version without any says that nobody looked. */
export function changeOf(
  diff: TreeDiff,
  details: ReadonlyMap<string, VersionDetails>,
  { path, since }: Pick<CheckedChange, "path" | "since">,
): CheckedChange {
  const fresh = ({ name, version, packages }: TreeEntry): NewVersion => {
    const { line, source } = packages[0]!;
    const url = source.kind === "registry" || !("url" in source) ? undefined : placeOf(source);
    return {
      name,
      version,
      ...lineOf(line),
      source: source.kind,
      ...(url === undefined ? {} : { url }),
      dev: packages.every(({ dev }) => dev),
      details: details.get(`${name}@${version}`) ?? { notChecked: "nobody looked" },
    };
  };
  const added = diff.added.map(fresh);
  const moved = diff.moved.map(({ name, from, to }) => {
    const before = from.map(({ version }) => version);
    return {
      name,
      from: before,
      to: to.map(fresh),
      direction: directionOf(
        before,
        to.map(({ version }) => version),
      ),
    };
  });
  const all = [...added, ...moved.flatMap(({ to }) => to)];
  return {
    path,
    since,
    added,
    moved,
    removed: diff.removed.map(({ name, version }) => ({ name, version })),
    changed: diff.changed.map(({ name, version, before, after, integrity, source }) => ({
      name,
      version,
      ...lineOf(after.line),
      ...(integrity === undefined ? {} : { integrity }),
      ...(source ? { source: { from: placeOf(before.source), to: placeOf(after.source) } } : {}),
    })),
    promoted: diff.promoted.map(({ name, version }) => ({ name, version })),
    unchanged: diff.unchanged,
    summary: {
      fresh: all.length,
      withheld: all.filter(({ details: { action = "allow" } }) => action !== "allow").length,
      known: all.filter(({ details: { advisories = [] } }) => advisories.length > 0).length,
      notChecked: all.filter((one) => one.details.notChecked !== undefined).length,
    },
  };
}

function lineOf(line: number): { readonly line?: number } {
  return line > 0 ? { line } : {};
}

/** Lockfiles name registries and repositories with passwords in them. */
function placeOf(source: LockSource): string {
  if ("path" in source) return source.path;
  if (source.kind === "git") return redact(source.commit === undefined ? source.url : `${source.url}#${source.commit}`);
  return "url" in source && source.url !== undefined ? redact(source.url) : `the configured ${source.kind}`;
}

function directionOf(from: readonly string[], to: readonly string[]): "up" | "down" | "same" {
  const [before, after] = [newest(from), newest(to)];
  if (before === undefined || after === undefined) return "same";
  const order = semver.compare(after, before);
  return order > 0 ? "up" : order < 0 ? "down" : "same";
}

/** Undefined when one of them is no version. */
function newest(versions: readonly string[]): semver.SemVer | undefined {
  const read = versions.map((version) => semver.parse(version, { loose: true }));
  if (read.includes(null)) return undefined;
  return (read as semver.SemVer[]).toSorted(semver.rcompare)[0];
}
