/**
 * Where lockfile entries are fetched from, before and after a wrapped run. Before: URLs at a registry we front are pointed at the
 * gate, or the client would go there directly. After: no URL names the gate; each is what the client would have written without us.
 * Pure; `rewriteSources` (core/lockfile) applies the answers to the text.
 */
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import type { LockfileKind, ResolvedTree } from "../core/lockfile/tree.ts";
import { tarballFile, tarballUrl } from "../core/npm/tarball-name.ts";

/** A registry entry that names its tarball. */
export type LockEntry = { readonly name: string; readonly version: string; readonly url: string; readonly line: number };

export type Fronted = {
  /** Base the client is given for this run, trailing slash. */
  readonly gate: string;
  /** The upstream's base, trailing slash. */
  readonly upstream: string;
  /** Bases of scopes with a registry of their own. */
  readonly scoped: readonly string[];
};

/** Whose clients fetch entries at npm's public host from whatever registry they are configured for (registry.md §0.1, client-contract §2). */
const REMAPS_NPM: ReadonlySet<LockfileKind> = new Set(["package-lock", "npm-shrinkwrap", "npm-hidden", "deno"]);

export function sourcesOf(tree: ResolvedTree): readonly LockEntry[] {
  return tree.packages.flatMap(({ name, version, source, line }) =>
    source.kind === "registry" && source.url !== undefined ? [{ name, version, url: source.url, line }] : [],
  );
}

/** Entries at a host that is neither public nor ours: the client would go there, whatever registry it is given. */
export function foreignEntries(tree: ResolvedTree, fronted: Fronted): readonly LockEntry[] {
  const known = new Set([...frontedHosts(fronted), hostOf(fronted.gate)]);
  return sourcesOf(tree).filter(({ url }) => {
    const host = hostOf(url);
    return host !== undefined && !known.has(host);
  });
}

/** The gate's URL for an entry the client would otherwise fetch past it; undefined = leave it. */
export function towardsGate(kind: LockfileKind, entry: Pick<LockEntry, "name" | "url">, fronted: Fronted): string | undefined {
  const host = hostOf(entry.url);
  if (host === undefined || entry.url.startsWith(fronted.gate) || !frontedHosts(fronted).has(host)) return undefined;
  if (host === NPM_REGISTRY_HOST && REMAPS_NPM.has(kind)) return undefined;
  const file = tarballFile(entry.url);
  return file === undefined ? undefined : tarballUrl(fronted.gate, entry.name, file);
}

/**
 * What stands in the lockfile afterwards: the URL that stood there before for the same version, else what the client records without
 * us. `null` = no URL at all; undefined = leave it.
 */
export function awayFromGate(
  kind: LockfileKind,
  entry: Pick<LockEntry, "name" | "version" | "url">,
  { gate, upstream }: Pick<Fronted, "gate" | "upstream">,
  before: ReadonlyMap<string, string>,
  published: (name: string, version: string) => string | undefined,
): string | null | undefined {
  const stood = before.get(keyOf(entry));
  // A shared gate answers npm with public URLs (T5) whatever its upstream is; without us the upstream's own would stand here.
  const portable = upstream !== NPM_REGISTRY && REMAPS_NPM.has(kind) && entry.url.startsWith(NPM_REGISTRY) && stood !== entry.url;
  if (!entry.url.startsWith(gate) && !portable) return undefined;
  if (stood !== undefined) return stood;
  if (kind === "bun" && upstream === NPM_REGISTRY) return null;
  const file = tarballFile(entry.url);
  const url = published(entry.name, entry.version) ?? (file === undefined ? undefined : tarballUrl(upstream, entry.name, file));
  // yarn 1 writes its own alias of npm's host while its registry is the default one.
  return kind === "yarn-classic" && upstream === NPM_REGISTRY ? url?.replace(`//${NPM_REGISTRY_HOST}/`, `//${YARN_REGISTRY_HOST}/`) : url;
}

/** `name@version`: how entries before and after the run are matched. */
export function keyOf(entry: Pick<LockEntry, "name" | "version">): string {
  return `${entry.name}@${entry.version}`;
}

function frontedHosts({ upstream, scoped }: Fronted): ReadonlySet<string> {
  return new Set([NPM_REGISTRY_HOST, YARN_REGISTRY_HOST, ...[upstream, ...scoped].flatMap((base) => hostOf(base) ?? [])]);
}

/** With port, if the URL gives one. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}
