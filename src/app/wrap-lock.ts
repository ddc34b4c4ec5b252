/** Which lockfile entries a wrapped install is about to fetch. Pure. */
import type { Intent } from "../core/client/client.ts";
import type { ResolvedPackage, ResolvedTree } from "../core/lockfile/tree.ts";
import { classifySpec, satisfying } from "../core/npm/ranges.ts";
import type { Entry } from "./decide-entries.ts";

export type LockedEntry = Entry & {
  readonly lockfile: string;
  readonly line: number;
  readonly optional: boolean;
  readonly dev: boolean;
  readonly fits: boolean;
};

export type Platform = { readonly os: string; readonly cpu: string; readonly libc?: string };

/** Registry entries of a lockfile; identity before name, so an alias is the package it stands for. */
export function lockedEntries(tree: ResolvedTree, file: string, platform: Platform): readonly LockedEntry[] {
  return tree.packages
    .filter((one) => one.source.kind === "registry" && one.version !== "")
    .map((one) => ({
      name: one.name,
      version: one.version,
      // A checksum of yarn 4's own zip says nothing about the registry's tarball.
      ...(one.integrity !== undefined && (one.integrity.kind === "sri" || one.integrity.kind === "sha1")
        ? { integrity: one.integrity.value }
        : {}),
      lockfile: file,
      line: one.line,
      optional: one.optional,
      dev: one.dev,
      fits: fits(one, platform),
    }));
}

/** Whether a plain install on this machine fetches the entry at all. */
export function isFetched(entry: LockedEntry, intent: Intent): boolean {
  if (intent.kind !== "install") return false;
  if (intent.omitDev && entry.dev) return false;
  if (intent.omitOptional && entry.optional) return false;
  return entry.fits;
}

/**
 * Whether the manifest still accepts what is locked. When it does not, an install that may write the lockfile resolves anew, and what is
 * pinned now says nothing of what comes: that is also how people get away from a withheld version.
 */
export function inStep(ranges: readonly (readonly [name: string, range: string])[], entries: readonly LockedEntry[]): boolean {
  return ranges.every(([name, range]) => {
    const spec = classifySpec(range);
    const [target, accepted] = spec.kind === "alias" ? [spec.name, classifySpec(spec.spec)] : [name, spec];
    if (accepted.kind !== "version" && accepted.kind !== "range") return true;
    const locked = entries.filter((entry) => entry.name === target).map(({ version }) => version);
    return locked.length === 0 || satisfying(accepted.kind === "version" ? accepted.version : accepted.range, {}, locked).length > 0;
  });
}

/** npm's rule for `os`, `cpu` and `libc`: listed, or not excluded by a `!`. */
function fits(one: ResolvedPackage, platform: Platform): boolean {
  return listed(one.os, platform.os) && listed(one.cpu, platform.cpu) && (platform.libc === undefined || listed(one.libc, platform.libc));
}

function listed(words: readonly string[] | undefined, ours: string): boolean {
  if (!words || words.length === 0 || words.includes("any")) return true;
  if (words.includes(`!${ours}`)) return false;
  const positive = words.filter((word) => !word.startsWith("!"));
  return positive.length === 0 || positive.includes(ours);
}
