/** Package names: which are valid, how they are written in URLs, on command lines and in purls, and how globs match them. */
import { LIMITS } from "../base/limits.ts";

// What `encodeURIComponent` leaves alone: the characters npm allows, upper case and ~'!()* in old names included.
const PART = "[A-Za-z0-9\\-_.!~*'()]+";
const NAME = new RegExp(`^(?:@${PART}/)?${PART}$`);
const FORBIDDEN = new Set(["node_modules", "favicon.ico"]);

/**
 * Whether npm's clients would ask a registry for it, old names (`JSONStream`) included. A valid name has no `..` segment, no `%`,
 * no control character, at most one slash, and can stand in a URL path as it is.
 */
export function isPackageName(name: string): boolean {
  // validate-npm-package-name: not empty, no leading `.`, `-` or `_`, URL-friendly, not node_modules or favicon.ico.
  return (
    name.length <= LIMITS.nameChars &&
    NAME.test(name) &&
    !/^[._-]/.test(name) &&
    !name.includes("/.") &&
    !name.startsWith("@.") &&
    !FORBIDDEN.has(name.toLowerCase())
  );
}

/** The scope with its `@`, or undefined. */
export function scopeOf(name: string): string | undefined {
  return name.startsWith("@") ? name.slice(0, name.indexOf("/")) : undefined;
}

/** The part behind the scope: what tarball files are named after. */
export function unscoped(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

/** `@scope%2fname`: how npm, yarn, bun and deno write a name in a packument URL. */
export function escapeName(name: string): string {
  return name.replace("/", "%2f");
}

/** Splits `axios@1.14.1`, `@s/n@^1`, `axios`; undefined when the name is invalid. `spec` is absent when nothing was asked for in particular. */
export function parseSpec(text: string): { readonly name: string; readonly spec?: string } | undefined {
  if (text.length > LIMITS.specChars) return undefined;
  const at = text.indexOf("@", 1);
  const name = at < 0 ? text : text.slice(0, at);
  const spec = at < 0 ? "" : text.slice(at + 1).trim();
  if (!isPackageName(name) || /[\u0000-\u001f\u007f]/.test(spec)) return undefined;
  return spec === "" ? { name } : { name, spec };
}

/** `pkg:npm/%40scope/name@1.0.0`. */
export function purl(name: string, version?: string): string {
  // package-url specification, npm: the namespace is the scope, with its @ percent-encoded.
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `pkg:npm/${path}${version === undefined ? "" : `@${encodeURIComponent(version)}`}`;
}

/**
 * Whether a glob covers a name. `*` is any run of characters but `/`, so `acme-*` is never a scoped name and `@acme/*` is all of one scope;
 * everything else stands for itself.
 */
export function nameMatches(glob: string, name: string): boolean {
  const globs = glob.split("/");
  const parts = name.split("/");
  return globs.length === parts.length && globs.every((part, index) => partMatches(part, parts[index]!));
}

/** Goes back to the last `*` only, so the cost is at most the product of both lengths. */
function partMatches(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === "*") {
      star = g++;
      resume = t;
    } else if (glob[g] === text[t]) {
      g++;
      t++;
    } else if (star >= 0) {
      g = star + 1;
      t = ++resume;
    } else return false;
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}
