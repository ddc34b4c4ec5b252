/** Ids of the same thing: classes of aliases, closed over all feeds, so that a finding is ignored, counted and explained once. */
import { LIMITS } from "../base/limits.ts";

export type AliasTies = {
  tie(record: { readonly id: string; readonly aliases: readonly string[] }): void;
  /**
   * The class of an id: itself and everything any record ties to it, sorted. Asked when all are tied. A class with more than
   * `LIMITS.advisoryClass` members is cut: nothing real is that large, and a record that ties everything together must not make every
   * claim huge.
   */
  classOf(id: string): readonly string[];
};

export function aliasTies(): AliasTies {
  const parents = new Map<string, string>();
  const rootOf = (id: string): string => {
    let root = id;
    for (let up = parents.get(root); up !== undefined; up = parents.get(root)) root = up;
    // The way is shortened for whoever comes next.
    for (let at = id; at !== root;) {
      const next = parents.get(at)!;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  const tied = new Set<string>();
  let classes: ReadonlyMap<string, readonly string[]> | undefined;
  function closed(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, string[]>();
    for (const id of tied) {
      const members = found.get(rootOf(id)) ?? [];
      if (members.length < LIMITS.advisoryClass) members.push(id);
      found.set(rootOf(id), members);
    }
    for (const members of found.values()) members.sort();
    return found;
  }
  return {
    tie({ id, aliases }) {
      classes = undefined;
      for (const alias of aliases) {
        tied.add(id).add(alias);
        const [a, b] = [rootOf(id), rootOf(alias)];
        if (a !== b) parents.set(a, b);
      }
    },
    classOf(id) {
      classes ??= closed();
      const members = tied.has(id) ? classes.get(rootOf(id))! : [id];
      return members.includes(id) ? members : [id, ...members];
    },
  };
}
