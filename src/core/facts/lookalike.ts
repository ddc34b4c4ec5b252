/** Whether one package name could be taken for another: by a typing slip, a look-alike letter, a moved separator, a near scope. */
import { scopeOf, unscoped } from "../npm/name.ts";

export type Resemblance = "one letter off" | "look-alike letters" | "separators apart" | "words in another order" | "a scope apart";

/** How `name` resembles `other`; undefined when it does not, or when they are the same. */
export function resemblance(name: string, other: string): Resemblance | undefined {
  const [a, b] = [name.toLowerCase(), other.toLowerCase()];
  if (a === b) return undefined;
  const [scope, otherScope] = [scopeOf(a), scopeOf(b)];
  if (scope === otherScope) return ofWords(unscoped(a), unscoped(b));
  if (scope !== undefined && otherScope !== undefined)
    return unscoped(a) === unscoped(b) && ofWords(scope.slice(1), otherScope.slice(1)) ? "a scope apart" : undefined;
  // `babel-traverse` for @babel/traverse. The other way round, @acme/lodash is simply acme's own.
  return otherScope !== undefined && squash(a) === squash(b.slice(1).replace("/", "-")) ? "a scope apart" : undefined;
}

function ofWords(a: string, b: string): Resemblance | undefined {
  if (squash(a) === squash(b)) return "separators apart";
  if (skeleton(a) === skeleton(b)) return "look-alike letters";
  const words = (name: string): string => name.split(SEPARATORS).toSorted().join(" ");
  if (SEPARATORS.test(b) && words(a) === words(b)) return "words in another order";
  // Of short names every neighbour is a word of its own.
  return Math.min(a.length, b.length) >= SHORTEST && isOneEdit(a, b) ? "one letter off" : undefined;
}

const SHORTEST = 5;
const SEPARATORS = /[-_.]+/;

function squash(name: string): string {
  return name.replace(/[-_.]+/g, "");
}

/** Letters that look alike in the fonts of terminals and web pages become one. */
function skeleton(name: string): string {
  return squash(name).replace(/rn/g, "m").replace(/vv/g, "w").replace(/[1i|]/g, "l").replace(/0/g, "o").replace(/5/g, "s");
}

/** Damerau–Levenshtein distance of exactly one: a letter more, less or other, or two neighbours swapped. */
function isOneEdit(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let start = 0;
  while (start < short.length && short[start] === long[start]) start += 1;
  if (short.length < long.length) return short.slice(start) === long.slice(start + 1);
  const rest = short.slice(start + 1);
  if (rest === long.slice(start + 1)) return true;
  return short[start] === long[start + 1] && short[start + 1] === long[start] && short.slice(start + 2) === long.slice(start + 2);
}
