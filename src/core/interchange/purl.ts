/**
 * Package URLs of npm packages, read and written. Not the purl authors' library: it lower-cases npm names, and `JSONStream` and `jsonstream`
 * are two packages.
 */
import type { CheckedPackage } from "../check/finding.ts";
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../config/constants.ts";
import { isPackageName, purl } from "../npm/name.ts";
import { percent, wellFormed } from "./words.ts";

/**
 * The purl of a checked package, saying where it comes from when that is not npm's own registry. Undefined for what is no npm package:
 * a folder or a module that happens to have a package's name must not be taken for it.
 */
export function purlOf({ name, version, source, url }: CheckedPackage): string | undefined {
  if (source === "file" || source === "jsr" || source === "module" || !isPackageName(name)) return undefined;
  const plain = purl(name, version === "" ? undefined : wellFormed(version));
  const place = url === undefined ? undefined : publicUrl(url);
  if (place === undefined) return plain;
  // purl-spec, known qualifiers: repository_url, download_url, vcs_url.
  if (source === "git") return `${plain}?vcs_url=${percent(vcsUrl(place))}`;
  if (source === "tarball") return `${plain}?download_url=${percent(place)}`;
  const registry = registryBase(place, name);
  return registry === undefined ? plain : `${plain}?repository_url=${percent(registry)}`;
}

/** A location without what may be a secret: user and password (but `git@`, which is everybody's), query, and a fragment that is no commit. */
export function publicUrl(location: string): string {
  const [, scheme = "", user = "", rest = ""] = /^([a-z+.-]+:\/\/)?(?:([^/@]*(?:@[^/@]*)*)@)?(.*)$/is.exec(wellFormed(location)) ?? [];
  const commit = /#(?:commit[=:])?([0-9a-f]{7,64})$/i.exec(rest)?.[1];
  return `${scheme}${user === "git" ? "git@" : ""}${rest.replace(/[?#].*$/s, "")}${commit === undefined ? "" : `#${commit}`}`;
}

/** SPDX's form, which purl-spec asks for: `git+https://host/path.git@commit`. */
export function vcsUrl(place: string): string {
  const pinned = place.replace("#", "@");
  return /^git[+:]/.test(pinned) || !pinned.includes("://") ? pinned : `git+${pinned}`;
}

/** What stands before the package's own path; undefined for npm's registry under either of its names. */
function registryBase(url: string, name: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { host, origin } = new URL(url);
  if (host === NPM_REGISTRY_HOST || host === YARN_REGISTRY_HOST) return undefined;
  const at = decoded(url).lastIndexOf(`/${name}/-/`);
  return at < 0 ? origin : decoded(url).slice(0, at);
}

/** Scopes are written `@scope/name` or `@scope%2fname`. */
function decoded(url: string): string {
  return url.replace(/%2f/gi, "/").replace(/%40/g, "@");
}

export type NpmPurl = { readonly name: string; readonly version?: string; readonly qualifiers: readonly string[] };

/** Reads `pkg:npm/…`; undefined for anything else, or for a name no registry could have. */
export function readPurl(text: string): NpmPurl | undefined {
  // purl-spec, parsing: the subpath from the right at `#`, the qualifiers at `?`, then scheme and type, then the version at the last `@`.
  const match = /^pkg:\/*npm\/+([^?#]+)(?:\?([^#]*))?(?:#.*)?$/is.exec(text);
  if (!match) return undefined;
  const [, path, qualifiers = ""] = match as unknown as [string, string, string | undefined];
  const at = path.lastIndexOf("@");
  const versioned = at > path.lastIndexOf("/") && at > 0;
  const name = unescaped(versioned ? path.slice(0, at) : path);
  const version = versioned ? unescaped(path.slice(at + 1)) : undefined;
  if (name === undefined || !isPackageName(name) || (versioned && (version === undefined || version === ""))) return undefined;
  return { name, ...(version === undefined ? {} : { version }), qualifiers: qualifiers.split("&").filter((part) => part !== "") };
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray `%`: no purl.
    return undefined;
  }
}
