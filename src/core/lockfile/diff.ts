/** What one lockfile has that another has not: the change, not the pile. */
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../config/constants.ts";
import { compareIntegrity } from "../npm/integrity.ts";
import type { LockIntegrity, LockSource, ResolvedPackage, ResolvedTree } from "./tree.ts";

/** One package@version, wherever and however often it stands. */
export type TreeEntry = { readonly name: string; readonly version: string; readonly packages: readonly ResolvedPackage[] };

/** `unlike`: digests that cannot be compared, e.g. sha1 before and sha512 now: most often a client's upgrade, and no proof of it. */
export type IntegrityChange = "different" | "lost" | "gained" | "unlike";

/** A copy of a version that stood before too, now from another place or with other bytes. */
export type ChangedCopy = {
  readonly name: string;
  readonly version: string;
  readonly before: ResolvedPackage;
  readonly after: ResolvedPackage;
  readonly integrity?: IntegrityChange;
  /** True when it comes from elsewhere. */
  readonly source: boolean;
};

export type TreeDiff = {
  /** In `after` alone. A name whose versions changed is under `moved` instead. */
  readonly added: readonly TreeEntry[];
  readonly removed: readonly TreeEntry[];
  /** Names in both with different versions: those gone and those come. */
  readonly moved: readonly { readonly name: string; readonly from: readonly TreeEntry[]; readonly to: readonly TreeEntry[] }[];
  /** The same name@version from another place or with other bytes: never innocent without an explanation. */
  readonly changed: readonly ChangedCopy[];
  /** Versions for development alone before, and now part of a production install. */
  readonly promoted: readonly TreeEntry[];
  /** How many versions stand in both and did not change. */
  readonly unchanged: number;
};

export function diffTrees(before: ResolvedTree, after: ResolvedTree): TreeDiff {
  const [old, fresh] = [entriesOf(before), entriesOf(after)];
  const gone = [...old.values()].filter((entry) => !fresh.has(idOf(entry)));
  const come = [...fresh.values()].filter((entry) => !old.has(idOf(entry)));
  const [goneByName, comeByName] = [groupByName(gone), groupByName(come)];
  const isMoved = ({ name }: TreeEntry): boolean => goneByName.has(name) && comeByName.has(name);
  const stayed = [...fresh.values()].flatMap((now) => {
    const was = old.get(idOf(now));
    return was === undefined ? [] : [{ was, now }];
  });
  const changed = stayed.flatMap(({ was, now }) => changesOf(was, now));
  return {
    added: come.filter((entry) => !isMoved(entry)),
    removed: gone.filter((entry) => !isMoved(entry)),
    moved: [...comeByName].flatMap(([name, to]) => {
      const from = goneByName.get(name);
      return from === undefined ? [] : [{ name, from, to }];
    }),
    changed,
    promoted: stayed.filter(({ was, now }) => isDev(was) && !isDev(now)).map(({ now }) => now),
    unchanged: stayed.length - new Set(changed.map(idOf)).size,
  };
}

function idOf(entry: { readonly name: string; readonly version: string }): string {
  return `${entry.name}@${entry.version}`;
}

function isDev({ packages }: TreeEntry): boolean {
  return packages.every(({ dev }) => dev);
}

/** In the order of the file. */
function entriesOf(tree: ResolvedTree): Map<string, TreeEntry & { packages: ResolvedPackage[] }> {
  const entries = new Map<string, TreeEntry & { packages: ResolvedPackage[] }>();
  for (const found of tree.packages) {
    // A path inside this project is no dependency that came or went.
    if (found.source.kind === "workspace" || found.source.kind === "link") continue;
    const entry = entries.get(idOf(found));
    if (entry === undefined) entries.set(idOf(found), { name: found.name, version: found.version, packages: [found] });
    else entry.packages.push(found);
  }
  return entries;
}

function groupByName(entries: readonly TreeEntry[]): Map<string, TreeEntry[]> {
  const groups = new Map<string, TreeEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.name);
    if (group === undefined) groups.set(entry.name, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** Each copy now that no copy before accounts for. */
function changesOf(was: TreeEntry, now: TreeEntry): readonly ChangedCopy[] {
  return now.packages.flatMap((after) => {
    const changes = was.packages.map((before) => changeOf(before, after));
    const first = changes.find((change) => change !== undefined);
    return changes.includes(undefined) || first === undefined ? [] : [first];
  });
}

function changeOf(before: ResolvedPackage, after: ResolvedPackage): ChangedCopy | undefined {
  const integrity = integrityChange(before.integrity, after.integrity);
  const source = placeOf(before.source) !== placeOf(after.source);
  if (integrity === undefined && !source) return undefined;
  return { name: after.name, version: after.version, before, after, ...(integrity === undefined ? {} : { integrity }), source };
}

function integrityChange(before: LockIntegrity | undefined, after: LockIntegrity | undefined): IntegrityChange | undefined {
  if (before?.value === after?.value) return undefined;
  if (before === undefined) return "gained";
  if (after === undefined) return "lost";
  if (before.kind === after.kind && (before.kind === "hex" || before.kind === "berry-checksum"))
    return checksumChange(before.value, after.value);
  const compared = compareIntegrity(before.value, after.value);
  return compared === "same" ? undefined : compared === "different" ? "different" : "unlike";
}

/** yarn's checksum is of the archive it makes, in the way the key before the slash names: another way, another digest of the same files. */
function checksumChange(before: string, after: string): IntegrityChange {
  const way = (checksum: string): string => (checksum.includes("/") ? checksum.slice(0, checksum.indexOf("/")) : "");
  return way(before) === way(after) ? "different" : "unlike";
}

function placeOf(source: LockSource): string {
  if ("path" in source) return `${source.kind}:${source.path}`;
  if (source.kind === "git") return `git:${source.url}#${source.commit ?? ""}`;
  const url = "url" in source ? (source.url ?? "") : "";
  return source.kind === "registry" && isDefault(url) ? "registry:" : `${source.kind}:${url}`;
}

/**
 * npm leaves the URL out when it is told to, and yarn 1 names npm's registry by its own host: all of these are one place. The path is left
 * to the reader of the lockfile, for whom a URL of another package is another name.
 */
function isDefault(url: string): boolean {
  return url === "" || [NPM_REGISTRY_HOST, YARN_REGISTRY_HOST].some((host) => url.startsWith(`https://${host}/`));
}
