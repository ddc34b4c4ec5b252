/** The form of JSON that TUF signs: OLPC's canonical JSON. One value has one text, so a signature is of what was read and not of its layout. */
import { Buffer } from "node:buffer";
import { LIMITS } from "../../base/limits.ts";

/**
 * wiki.laptop.org/go/Canonical_JSON: keys in order, no spaces, no floats, and in strings only `"` and `\` are escaped. Undefined for a value
 * that has no such form: it cannot have been signed.
 */
export function tufCanonical(value: unknown, depth = 0): string | undefined {
  if (depth > LIMITS.jsonDepth) return undefined;
  if (value === null || typeof value === "boolean") return String(value);
  // Beyond 2^53 two numbers that were written differently are read as one.
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return joined("[", value, (item: unknown) => tufCanonical(item, depth + 1), "]");
  if (typeof value !== "object") return undefined;
  // By code points, as UTF-8 sorts; JavaScript's own order differs beyond the first 65,536.
  const members = Object.entries(value).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return joined(
    "{",
    members,
    ([key, inner]) => {
      const [name, text] = [quoted(key), tufCanonical(inner, depth + 1)];
      return name === undefined || text === undefined ? undefined : `${name}:${text}`;
    },
    "}",
  );
}

function joined<T>(open: string, items: readonly T[], textOf: (item: T) => string | undefined, close: string): string | undefined {
  const texts = items.map(textOf);
  return texts.includes(undefined) ? undefined : `${open}${texts.join(",")}${close}`;
}

/** Half a surrogate pair has no UTF-8: all of them would be signed by the same bytes. */
function quoted(text: string): string | undefined {
  return /\p{Surrogate}/u.test(text) ? undefined : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
