/**
 * Where lockfile entries are fetched from, before and after a wrapped run. Before: URLs at a registry we front are pointed at the
 * gate, or the client would go there directly. After: no URL names the gate; each is what the client would have written without us.
 * Pure; `rewriteSources` (core/lockfile) applies the answers to the text.
 */
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import type { LockfileKind, ResolvedTree } from "../core/lockfile/tree.ts";
import { classifySpec } from "../core/npm/ranges.ts";
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

/** What manifests ask for: installed name and spec, as written. */
export type Declarations = readonly (readonly [name: string, spec: string])[];

/**
 * Entries fetched from a host that is neither public nor ours: the client would go there, whatever registry it is given. Archives and
 * git commits count too, unless a manifest asks for that package in such a form: a URL that stands in the lockfile alone was put there.
 */
export function foreignEntries(tree: ResolvedTree, fronted: Fronted, declared: Declarations): readonly LockEntry[] {
  const known = new Set([...frontedHosts(fronted), hostOf(fronted.gate)]);
  const foreign = sourcesOf(tree).filter(({ url }) => {
    const host = hostOf(url);
    return host !== undefined && !known.has(host);
  });
  const asked = askedElsewhere(tree, declared);
  for (const { name, alias, version, source, line } of tree.packages) {
    const url =
      source.kind === "tarball" || source.kind === "git"
        ? source.url
        : source.kind === "file" && /^[a-z][a-z+]*:\/\//i.test(source.path)
          ? source.path
          : undefined;
    if (url === undefined || asked.has(alias ?? name)) continue;
    const host = hostOf(url);
    if (host === undefined || !known.has(host)) foreign.push({ name, version, url, line });
  }
  return foreign;
}

/** Names that some manifest, on disk or remembered in the lockfile, wants from elsewhere than a registry. */
function askedElsewhere(tree: ResolvedTree, declared: Declarations): ReadonlySet<string> {
  const specs: (readonly [string, string])[] = [...declared];
  for (const importer of tree.importers)
    for (const { name, range } of importer.dependencies) if (range !== undefined) specs.push([name, range]);
  for (const one of tree.packages) specs.push(...Object.entries(one.dependencies ?? {}), ...Object.entries(one.optionalDependencies ?? {}));
  const elsewhere = new Set(["git", "url", "file"]);
  return new Set(specs.filter(([, spec]) => elsewhere.has(classifySpec(spec).kind)).map(([name]) => name));
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
