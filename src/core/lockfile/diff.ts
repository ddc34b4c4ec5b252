/** What one lockfile has that another has not: the change, not the pile. */
import type { LockSource, ResolvedPackage, ResolvedTree } from "./tree.ts";

/** One package@version, wherever and however often it stands. */
export type TreeEntry = { readonly name: string; readonly version: string; readonly packages: readonly ResolvedPackage[] };

export type TreeDiff = {
  /** In `after` alone. A name whose versions changed is under `moved` instead. */
  readonly added: readonly TreeEntry[];
  readonly removed: readonly TreeEntry[];
  /** Names in both with different versions: those gone and those come. */
  readonly moved: readonly { readonly name: string; readonly from: readonly TreeEntry[]; readonly to: readonly TreeEntry[] }[];
  /** The same name@version from another place or with other bytes: never innocent without an explanation. */
  readonly changed: readonly {
    readonly name: string;
    readonly version: string;
    readonly before: ResolvedPackage;
    readonly after: ResolvedPackage;
    readonly what: "integrity" | "source" | "both";
  }[];
};

export function diffTrees(before: ResolvedTree, after: ResolvedTree): TreeDiff {
  const [old, fresh] = [entriesOf(before), entriesOf(after)];
  const gone = [...old.values()].filter((entry) => !fresh.has(idOf(entry)));
  const come = [...fresh.values()].filter((entry) => !old.has(idOf(entry)));
  const [goneByName, comeByName] = [groupByName(gone), groupByName(come)];
  const moved = [...comeByName].flatMap(([name, to]) => {
    const from = goneByName.get(name);
    return from === undefined ? [] : [{ name, from, to }];
  });
  const isMoved = (entry: TreeEntry): boolean => goneByName.has(entry.name) && comeByName.has(entry.name);
  return {
    added: come.filter((entry) => !isMoved(entry)),
    removed: gone.filter((entry) => !isMoved(entry)),
    moved,
    changed: [...fresh.values()].flatMap((entry) => changesOf(old.get(idOf(entry)), entry)),
  };
}

function idOf(entry: { readonly name: string; readonly version: string }): string {
  return `${entry.name}@${entry.version}`;
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

/** Each copy after that no copy before accounts for. Digests compare only within their kind: yarn's is no other's. */
function changesOf(before: TreeEntry | undefined, after: TreeEntry): TreeDiff["changed"] {
  if (before === undefined) return [];
  const { name, version } = after;
  return after.packages.flatMap((copy) => {
    const kinds = before.packages.map((old) => differenceOf(old, copy));
    const index = kinds.findIndex((kind) => kind !== undefined);
    if (kinds.includes(undefined) || index < 0) return [];
    return [{ name, version, before: before.packages[index]!, after: copy, what: kinds[index]! }];
  });
}

function differenceOf(a: ResolvedPackage, b: ResolvedPackage): "integrity" | "source" | "both" | undefined {
  const comparable = (a.integrity?.kind === "berry-checksum") === (b.integrity?.kind === "berry-checksum");
  const integrity = comparable && a.integrity?.value !== b.integrity?.value;
  const source = placeOf(a.source) !== placeOf(b.source);
  return integrity ? (source ? "both" : "integrity") : source ? "source" : undefined;
}

function placeOf(source: LockSource): string {
  if ("path" in source) return `${source.kind}:${source.path}`;
  if (source.kind === "git") return `git:${source.url}#${source.commit ?? ""}`;
  return `${source.kind}:${"url" in source ? (source.url ?? "") : ""}`;
}
