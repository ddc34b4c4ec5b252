/**
 * Takes entries out of a lockfile, so that its client chooses anew for them and for nothing else: a client keeps what a lockfile says as long
 * as a range admits it. What remains stands byte for byte; who asked for the entry still does, and is answered when the client next writes.
 */
import { type Reader } from "./document.ts";
import { readAs, readLockfile } from "./read.ts";
import { afterOf, atOf, childAt, childrenOf, endOf, keyOf, kindOf, type NodeId, startOf, valueOf } from "./tape.ts";

type Entry = { readonly name: string; readonly version: string };

/** Undefined when the file has none of them, cannot be read whole, or its format lets nothing be taken out (binary, deno). */
export function dropEntries(path: string, text: string, entries: readonly Entry[]): string | undefined {
  const tree = readLockfile(path, text);
  const meant = new Set(entries.map(({ name, version }) => `${name}@${version}`));
  const found = tree.packages.filter(({ name, version, source }) => source.kind === "registry" && meant.has(`${name}@${version}`));
  if (!tree.complete || found.length === 0) return undefined;
  if (tree.kind === "yarn-classic") return withoutBlocks(text, new Set(found.map(({ line }) => line)));
  const keys = new Set(found.flatMap(({ key, instances = [] }) => [key, ...instances.map((one) => one.key)]));
  const reader = readAs(tree.kind, text, []);
  const cuts = mapsOf(reader).flatMap(({ map, goes }) => cutsIn(reader, map, goes ?? ((member) => keys.has(keyOf(reader.tape, member)))));
  if (cuts.length === 0) return undefined;
  let kept = "";
  let done = 0;
  for (const { from, to } of cuts.toSorted((a, b) => a.from - b.from)) {
    // A nested cut lies within one that is made already.
    if (from < done) continue;
    kept += text.slice(done, from);
    done = to;
  }
  return kept + text.slice(done);

  /** The maps whose members are entries. */
  function mapsOf({ tape, kind }: Reader): readonly { readonly map: NodeId; readonly goes?: (member: NodeId) => boolean }[] {
    const at = (names: readonly string[]) =>
      tape.roots.flatMap((root) => names.flatMap((name) => childAt(tape, root, name) ?? [])).map((map) => ({ map }));
    switch (kind) {
      case "package-lock":
      case "npm-shrinkwrap":
        // What lies below a package in `node_modules` lies in it, and goes with it.
        return [
          ...at(["packages"]).map(({ map }) => ({ map, goes: (member: NodeId) => isWithin(keyOf(tape, member)) })),
          ...tape.roots.flatMap((root) => legacyMaps(root)),
        ];
      case "pnpm":
        return at(["packages", "snapshots"]);
      case "bun":
        return at(["packages"]);
      case "yarn-berry":
        return tape.roots.map((map) => ({ map }));
      default:
        return [];
    }
  }

  function isWithin(location: string): boolean {
    for (let end = location.length; end > 0; end = location.lastIndexOf("/node_modules/", end - 1))
      if (keys.has(location.slice(0, end))) return true;
    return false;
  }

  /** npm's older half: `dependencies` within `dependencies`, each member's version beside them. */
  function legacyMaps(owner: NodeId): readonly { readonly map: NodeId; readonly goes: (member: NodeId) => boolean }[] {
    const { tape } = reader;
    const map = childAt(tape, owner, "dependencies");
    if (map === undefined || kindOf(tape, map) !== "map") return [];
    const goes = (member: NodeId): boolean => {
      const version = kindOf(tape, member) === "map" ? childAt(tape, member, "version") : undefined;
      const said = version === undefined ? "" : valueOf(tape, version);
      return meant.has(said.startsWith("npm:") ? said.slice(4) : `${keyOf(tape, member)}@${said}`);
    };
    const inner = childrenOf(tape, map).flatMap((member) => (kindOf(tape, member) === "map" ? legacyMaps(member) : []));
    return [{ map, goes }, ...inner];
  }
}

type Cut = { readonly from: number; readonly to: number };

/** What goes of a map, with the comma or the line that belongs to it. */
function cutsIn({ tape }: Reader, map: NodeId, goes: (member: NodeId) => boolean): readonly Cut[] {
  if (kindOf(tape, map) !== "map") return [];
  const members = childrenOf(tape, map);
  const lastKept = members.findLastIndex((member) => !goes(member));
  const cuts = members.slice(0, lastKept + 1).flatMap((member, index): Cut[] => {
    const next = members[index + 1];
    return goes(member) && next !== undefined ? [{ from: startOf(tape, member), to: startOf(tape, next) }] : [];
  });
  const first = members[lastKept + 1];
  if (first === undefined) return cuts;
  const from = lastKept < 0 ? startOf(tape, first) : endOfDeep(tape, members[lastKept]!);
  return [...cuts, { from, to: endOfDeep(tape, members.at(-1)!) }];
}

/** Where a value ends with everything in it. */
function endOfDeep(tape: Reader["tape"], node: NodeId): number {
  const last = afterOf(tape, node) - 1;
  return Math.max(endOf(tape, node), endOf(tape, last), atOf(tape, node));
}

/** yarn 1's blocks end with an empty line. */
function withoutBlocks(text: string, lines: ReadonlySet<number>): string {
  let line = 1;
  return text
    .split(/(?<=\n)(?=[^\s#])/)
    .filter((block) => {
      const starts = line;
      line += block.split("\n").length - 1;
      return !lines.has(starts);
    })
    .join("");
}
