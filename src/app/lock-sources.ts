/**
 * Where lockfile entries are fetched from, before and after a wrapped run. Before: URLs at a registry we front are pointed at the
 * gate, or the client would go there directly. After: no URL names the gate; each is what the client would have written without us.
 * Pure; `rewriteSources` (core/lockfile) applies the answers to the text.
 */
import type { ClientId } from "../core/client/client.ts";
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import { tarballFile, tarballUrl } from "../core/npm/tarball-name.ts";

export type LockEntry = { readonly name: string; readonly version: string; readonly url: string };

export type Fronted = {
  readonly client: ClientId;
  /** Base the client is given for this run, trailing slash. */
  readonly gate: string;
  /** The upstream's base, trailing slash. */
  readonly upstream: string;
};

/** Clients that fetch entries at npm's public host from whatever registry they are configured for (registry.md §0.1, client-contract §2). */
const REMAPS_NPM: ReadonlySet<ClientId> = new Set(["npm", "deno"]);

/** The gate's URL for an entry the client would otherwise fetch past it; undefined = leave it. */
export function towardsGate(entry: LockEntry, { client, gate, upstream }: Fronted): string | undefined {
  const url = parse(entry.url);
  if (!url || entry.url.startsWith(gate)) return undefined;
  const fronted =
    url.host === new URL(upstream).host ||
    url.hostname === YARN_REGISTRY_HOST ||
    (url.hostname === NPM_REGISTRY_HOST && !REMAPS_NPM.has(client));
  if (!fronted) return undefined;
  // npm's own remapping does the same for its public host, but only for that.
  if (url.hostname === NPM_REGISTRY_HOST && REMAPS_NPM.has(client)) return undefined;
  const file = tarballFile(entry.url);
  return file === undefined ? undefined : tarballUrl(gate, entry.name, file);
}

/**
 * What stands in the lockfile afterwards: the URL that stood there before for the same bytes, else what the client records without
 * us. `null` = no URL at all; undefined = leave it.
 */
export function awayFromGate(
  entry: LockEntry,
  { client, gate, upstream }: Fronted,
  before: ReadonlyMap<string, string>,
  published: (name: string, version: string) => string | undefined,
): string | null | undefined {
  const ours = entry.url.startsWith(gate);
  // A shared gate answers npm with public URLs (T5) whatever its upstream is; without us the upstream's own would stand here.
  const portable =
    entry.url.startsWith(NPM_REGISTRY) && upstream !== NPM_REGISTRY && REMAPS_NPM.has(client) && before.get(keyOf(entry)) !== entry.url;
  if (!ours && !portable) return undefined;
  const stood = before.get(keyOf(entry));
  if (stood !== undefined) return stood;
  if (client === "bun" && upstream === NPM_REGISTRY) return null;
  const file = tarballFile(entry.url);
  const url = published(entry.name, entry.version) ?? (file === undefined ? undefined : tarballUrl(upstream, entry.name, file));
  if (url === undefined) return undefined;
  // yarn 1 writes its own alias of npm's host while its registry is the default one.
  if (client === "yarn-classic" && upstream === NPM_REGISTRY) return url.replace(`//${NPM_REGISTRY_HOST}/`, `//${YARN_REGISTRY_HOST}/`);
  return url;
}

/** `name@version`: how entries before and after the run are matched. */
export function keyOf(entry: Pick<LockEntry, "name" | "version">): string {
  return `${entry.name}@${entry.version}`;
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
