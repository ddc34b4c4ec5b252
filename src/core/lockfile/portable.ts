/**
 * URLs that work for everybody who has the lockfile, whichever registry they ask: what `cordon lockfile normalize` writes. What is portable
 * differs by client: npm and deno take the public registry's URLs to the registry they are configured with, pnpm, yarn 4 and bun do best
 * without any, and yarn 1 fetches whatever is written, so there the configured registry itself must stand.
 */
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../config/constants.ts";
import { scopeOf } from "../npm/name.ts";
import { tarballFile, tarballUrl } from "../npm/tarball-name.ts";
import { isUsualPath } from "./identity.ts";
import { type Rewritten, rewriteSources, type SourceEntry } from "./normalise.ts";
import { readLockfile } from "./read.ts";
import type { LockfileKind, ResolvedPackage, ResolvedTree } from "./tree.ts";

export type Registries = {
  /** Base of the registry the project is configured with, trailing slash. */
  readonly base: string;
  /** Bases of scopes with registries of their own, by scope (`@acme`): no rule rewrites what lies there. */
  readonly scopes: ReadonlyMap<string, readonly string[]>;
  /** npm's `omit-lockfile-registry-resolved`: package-lock.json names no registry URL at all. */
  readonly omit: boolean;
};

export type Portable = Rewritten & {
  /** Entries that are not portable and were left, each with the reason. */
  readonly left: readonly { readonly key: string; readonly url: string; readonly line: number; readonly why: string }[];
};

/** The text with portable URLs; every other byte stays. */
export function makePortable(path: string, text: string, registries: Registries): Portable {
  const tree = readLockfile(path, text);
  const doubtful = doubtfulEntries(tree);
  const rewritten = rewriteSources(tree.kind, text, (entry) =>
    doubtful.has(`${entry.name}@${entry.version}`) ? undefined : portableUrl(tree.kind, entry, registries),
  );
  const left = tree.packages.flatMap(({ key, name, version, source, line }) => {
    if (source.kind !== "registry" || source.url === undefined || isHome(tree.kind, { name, version, url: source.url }, registries))
      return [];
    const entry = { key, url: source.url, line };
    if (doubtful.has(`${name}@${version}`)) return [{ ...entry, why: "its URL fetches another package than the entry says" }];
    if (!isUsualPath(source.url, 0, source.url.length, name, version))
      return [{ ...entry, why: "its path is not the registry's usual one" }];
    return [];
  });
  const kept = rewritten.kept.map((one) => ({ ...one, why: "the entry needs a URL" }));
  return { ...rewritten, left: [...left, ...kept] };
}

/** A string is the URL to write, null none at all, undefined leaves it. */
function portableUrl(kind: LockfileKind, entry: SourceEntry, registries: Registries): string | null | undefined {
  const { name, version, url } = entry;
  // Elsewhere the same file may not exist, or may be other bytes.
  if (!isUsualPath(url, 0, url.length, name, version) || isHome(kind, entry, registries)) return undefined;
  const file = tarballFile(url);
  if (file === undefined) return undefined;
  switch (kind) {
    case "package-lock":
    case "npm-shrinkwrap":
    case "npm-hidden":
      return registries.omit ? null : tarballUrl(NPM_REGISTRY, name, file);
    case "yarn-classic":
      return tarballUrl(registries.base === NPM_REGISTRY ? `https://${YARN_REGISTRY_HOST}/` : registries.base, name, file);
    default:
      return null;
  }
}

/** Whether the URL stands where the policy wants it, in the form its client takes along. */
function isHome(kind: LockfileKind, { name, url }: SourceEntry, { base, scopes, omit }: Registries): boolean {
  const scope = scopeOf(name);
  if (scope !== undefined && scopes.get(scope)?.some((own) => url.startsWith(own))) return true;
  switch (kind) {
    case "package-lock":
    case "npm-shrinkwrap":
    case "npm-hidden":
      return !omit && (url.startsWith(NPM_REGISTRY) || url.startsWith(base));
    case "deno":
      return url.startsWith(NPM_REGISTRY) || url.startsWith(base);
    case "yarn-classic":
      return url.startsWith(base) || (base === NPM_REGISTRY && PUBLIC.some((own) => url.startsWith(own)));
    default:
      return false;
  }
}

const PUBLIC = [`https://${NPM_REGISTRY_HOST}/`, `https://${YARN_REGISTRY_HOST}/`];

/** Entries whose own words and URL disagree: written anew, the URL would lose the only trace of it. */
function doubtfulEntries(tree: ResolvedTree): ReadonlySet<string> {
  const lines = new Set(
    tree.problems.flatMap(({ code, line }) => (code === "identity-mismatch" || code === "contradiction" ? [line] : [])),
  );
  return new Set(tree.packages.filter(({ line }) => lines.has(line)).map(({ name, version }) => `${name}@${version}`));
}

/** What a rewrite of URLs may not change, compared entry by entry; the first entry that differs, or undefined when none does. */
export function firstDifference(before: ResolvedTree, after: ResolvedTree): string | undefined {
  if (!after.complete) return after.problems[0]?.message ?? "it can no longer be read";
  if (before.packages.length !== after.packages.length) return `${after.packages.length} entries, before ${before.packages.length}`;
  const differs = after.packages.findIndex((entry, index) => identity(entry) !== identity(before.packages[index]!));
  return differs < 0 ? undefined : after.packages[differs]!.key;
}

function identity({ key, name, version, alias, source, integrity }: ResolvedPackage): string {
  return JSON.stringify([key, name, version, alias, source.kind, integrity?.kind, integrity?.value]);
}
