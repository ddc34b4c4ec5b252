/**
 * What a name, a URL or a digest in a lockfile stands for. Identity before name: an alias, a link or a directory is never the registry
 * package it is called, and a URL that fetches another package than the entry says decides over the entry.
 */
import semver from "semver";
import { parseIntegrity, shasumToIntegrity } from "../npm/integrity.ts";
import { unscoped } from "../npm/name.ts";
import { standsAt } from "./tape.ts";
import type { LockIntegrity, LockSource } from "./tree.ts";

/** `@scope/name@rest` or `name@rest` in two; undefined without an `@` after the first character. */
export function splitAtVersion(text: string): { name: string; rest: string } | undefined {
  const at = text.indexOf("@", 1);
  return at < 0 ? undefined : { name: text.slice(0, at), rest: text.slice(at + 1) };
}

/** Nearly every version there is; the rest is left to semver, which takes a hundred times longer. */
const USUAL_VERSION = /^(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})(?:-[a-z]+(?:\.[1-9]\d{0,8})?)?$/;

export function isVersion(text: string): boolean {
  return USUAL_VERSION.test(text) || (/^\d/.test(text) && semver.valid(text, { loose: true }) !== null);
}

const FULL_COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;
const GIT_URL = /^(?:git(?:\+[a-z]+)?:|ssh:)|^git@|^(?:github|gitlab|bitbucket|gist):/;
const GIT_OVER_HTTP = /^https?:\/\/[^?#]+\.git(?:[#?]|$)/;
/** Archives the code hosts make of a commit: fetched as a tarball, pinned like git. */
const GIT_ARCHIVE =
  /^https:\/\/(?:codeload\.github\.com\/[^/]+\/[^/]+\/(?:legacy\.)?(?:tar\.gz|zip)\/|api\.github\.com\/repos\/[^/]+\/[^/]+\/tarball\/|gitlab\.com\/(?:api\/v4\/projects\/)?[^?#]+\/(?:-\/)?(?:repository\/)?archive(?:\.tar\.gz\?(?:ref|sha)=|\/)|bitbucket\.org\/[^/]+\/[^/]+\/get\/)([^/?#]+?)(?:\.tar\.gz)?(?:[#?].*)?$/;

/** The git source a location names, or undefined when it names none. */
export function gitSource(location: string): (LockSource & { kind: "git" }) | undefined {
  const archive = GIT_ARCHIVE.exec(location);
  if (archive === null && !GIT_URL.test(location) && !GIT_OVER_HTTP.test(location)) return undefined;
  const hash = location.indexOf("#");
  const fragment = hash < 0 ? "" : location.slice(hash + 1);
  const commit = archive?.[1] ?? /(?:^|[&:])commit[=:]([^&]+)/.exec(fragment)?.[1] ?? fragment.split(/[&:]/)[0]!;
  const url = hash < 0 ? location : location.slice(0, hash);
  return FULL_COMMIT.test(commit) ? { kind: "git", url, commit } : { kind: "git", url: location };
}

export function isHttp(location: string): boolean {
  return location.startsWith("https://") || location.startsWith("http://");
}

/**
 * The package a registry serves at this URL, by the path alone: `/<name>/-/<file>-<version>.tgz` everywhere, and the shapes of cnpm,
 * GitHub Packages and JSR. Undefined for any other URL.
 */
export function registryIdentity(url: string): { name: string; version: string } | undefined {
  const path = url.replace(/^[a-z+]+:\/\/[^/]*/i, "").replace(/[?#].*$/, "");
  const plain = path.includes("%") ? path.replace(/%2f/gi, "/").replace(/%40/g, "@").replace(/%2b/gi, "+") : path;
  const match =
    /(?:^|\/)((?:@[^/]+\/)?[^/]+)\/(?:-|download)\/(?:@[^/]+\/)?([^/]+)\.tgz$/.exec(plain) ??
    /\/packages\/((?:@[^/]+\/)?[^/]+)\/[^/]+\/([^/]+)\.tgz$/.exec(plain);
  if (match !== null) {
    const [, name, file] = match as unknown as [string, string, string];
    const base = unscoped(name);
    if (!file.startsWith(`${base}-`)) return undefined;
    return { name, version: file.slice(base.length + 1) };
  }
  const github = /\/download\/(@[^/]+\/[^/]+)\/([^/]+)\/[0-9a-f]{40,64}$/.exec(plain);
  if (github !== null) return { name: github[1]!, version: github[2]! };
  const jsr = /\/~\/\d+\/(@jsr\/[^/]+)\/([^/]+)\.tgz$/.exec(plain);
  return jsr === null ? undefined : { name: jsr[1]!, version: jsr[2]! };
}

/**
 * True when the URL between two offsets is the registry's usual path for exactly this version: the common case of thousands of entries,
 * decided where it stands, without cutting the URL out or taking it apart.
 */
export function isUsualPath(text: string, from: number, to: number, name: string, version: string): boolean {
  const base = unscoped(name);
  const versionAt = to - 4 - version.length;
  const baseAt = versionAt - 1 - base.length;
  const nameAt = baseAt - 3 - name.length;
  // `/name/-/base-version.tgz`, compared from the end.
  return (
    nameAt - from > 8 &&
    standsAt(text, to - 4, ".tgz") &&
    standsAt(text, versionAt, version) &&
    text.charCodeAt(versionAt - 1) === 0x2d &&
    standsAt(text, baseAt, base) &&
    standsAt(text, baseAt - 3, "/-/") &&
    standsAt(text, nameAt, name) &&
    text.charCodeAt(nameAt - 1) === 0x2f &&
    standsAt(text, from, "http") &&
    (standsAt(text, from + 4, "s://") || standsAt(text, from + 4, "://"))
  );
}

/** The version an archive's file name gives, as npm guesses it for entries that say none; else empty. */
export function versionInFile(url: string, name: string): string {
  const file = /([^/?#]+)\.tgz(?:[?#]|$)/.exec(url)?.[1] ?? "";
  const version = file.slice(unscoped(name).length + 1);
  return file.startsWith(`${unscoped(name)}-`) && isVersion(version) ? version : "";
}

/** Two spellings of one version: build metadata is no identity, and old tarballs are named loosely (`1.0.0beta`). */
export function sameVersion(a: string, b: string): boolean {
  if (a === b) return true;
  const left = semver.parse(a, { loose: true });
  const right = semver.parse(b, { loose: true });
  return left !== null && right !== null && left.compare(right) === 0;
}

/** The source of an entry whose location is written out; relative and absolute paths are files. */
export function sourceOf(location: string): LockSource {
  const git = gitSource(location);
  if (git !== undefined) return git;
  if (isHttp(location))
    return registryIdentity(location) === undefined ? { kind: "tarball", url: location } : { kind: "registry", url: location };
  const path = /^(file|link|portal|workspace):/.exec(location);
  if (path === null) return { kind: "file", path: location };
  const kind = path[1] === "workspace" ? "workspace" : path[1] === "file" ? "file" : "link";
  return { kind, path: location.slice(path[0].length) };
}

/** 1 for each character of base64, by code. */
const BASE64 = Uint8Array.from({ length: 128 }, (_, code) => (/[A-Za-z0-9+/]/.test(String.fromCharCode(code)) ? 1 : 0));

/** The one form nearly every entry has, checked where it stands: 64 bytes, in the one spelling base64 has for them. */
export function isSha512(text: string, from: number, to: number): boolean {
  if (to - from !== 95 || !standsAt(text, from, "sha512-") || !standsAt(text, to - 2, "==")) return false;
  for (let i = from + 7; i < to - 3; i++) if (BASE64[text.charCodeAt(i)] !== 1) return false;
  // Of the last character before the padding only two bits count.
  return "AQgw".includes(text[to - 3]!);
}

/** An SRI string with at least one digest a client checks. Clients skip what they cannot read, so a malformed one counts as none. */
export function readSri(text: string): LockIntegrity | undefined {
  const parsed = parseIntegrity(text);
  if (parsed.kind !== "integrity") return undefined;
  return { kind: parsed.algorithm === "sha1" ? "sha1" : "sri", value: text.trim() };
}

/** yarn's `#<hex>` as an SRI string. */
export function sha1FromHex(hex: string): LockIntegrity | undefined {
  const value = shasumToIntegrity(hex);
  return value === undefined ? undefined : { kind: "sha1", value };
}
