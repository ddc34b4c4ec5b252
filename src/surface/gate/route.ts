/**
 * What a request asks for, read from its method and path alone. No decoding surprises: an encoded slash is accepted only where
 * clients really send one (between scope and name), and whatever has no known shape is `unknown`, which is refused (T2).
 */

import { isPackageName } from "../../core/npm/name.ts";

export type Route =
  | { readonly kind: "packument"; readonly name: string; readonly write: boolean }
  /** `GET /name/<version or tag>` */
  | { readonly kind: "manifest"; readonly name: string; readonly selector: string }
  | { readonly kind: "tarball"; readonly name: string; readonly file: string }
  | { readonly kind: "tags"; readonly name: string }
  | { readonly kind: "attestations"; readonly name: string; readonly version: string }
  | { readonly kind: "audit"; readonly quick: boolean }
  | { readonly kind: "search"; readonly query: string }
  | { readonly kind: "keys" | "ping" | "whoami" }
  /** Everything of ours: the rest of the path after `/-/cordon/`, with its query. */
  | { readonly kind: "ours"; readonly path: string }
  /** Publishing, login, tokens, access: known, and refused by default. */
  | { readonly kind: "write"; readonly what: string }
  | { readonly kind: "unknown" };

export type Request = {
  /** Label from `/p/<project>/npm/`. */
  readonly project?: string;
  /** Path prefix the client used, with both slashes: `/` or `/p/site/npm/`. */
  readonly prefix: string;
  readonly route: Route;
};

const PROJECT = /^\/p\/([A-Za-z0-9][A-Za-z0-9._-]{0,99})\/npm(?=\/|$)/;

/** Reads a request target (`req.url`): origin form only. Never throws. */
export function readRequest(method: string, target: string): Request {
  const mark = target.indexOf("?");
  let path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  const match = PROJECT.exec(path);
  let prefix = "/";
  if (match) {
    prefix = `/p/${match[1]}/npm/`;
    path = path.slice(match[0].length) || "/";
  }
  const route = readRoute(method, path, query);
  return match ? { project: match[1]!, prefix, route } : { prefix, route };
}

const DOTS = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

function readRoute(method: string, path: string, query: string): Route {
  // A URL parser would resolve these, and then another path would be answered than was looked at here.
  if (DOTS.test(path)) return { kind: "unknown" };
  if (path.startsWith("/-/cordon/") || path === "/-/cordon")
    return { kind: "ours", path: path.slice("/-/cordon".length) + (query && `?${query}`) };
  const read = method === "GET" || method === "HEAD";
  if (path.startsWith("/-/")) return endpoint(method, read, path, query);
  const parts = segments(path);
  if (!parts) return { kind: "unknown" };
  const { name, rest } = parts;
  if (!read) return { kind: "write", what: method === "PUT" ? "publishing" : method === "DELETE" ? "unpublishing" : "changing a package" };
  if (rest.length === 0) return { kind: "packument", name, write: /(?:^|&)write=true(?:&|$)/.test(query) };
  if (rest[0] === "-" && rest.length === 2) return { kind: "tarball", name, file: rest[1]! };
  if (rest.length === 1) return { kind: "manifest", name, selector: rest[0]! };
  return { kind: "unknown" };
}

/**
 * `/name`, `/@scope/name`, `/@scope%2fname` (pnpm writes `%2F`; berry uses it in tarball paths too), then what follows.
 * Each remaining segment is decoded once and must not contain a slash, backslash, control character or be `.`/`..`.
 */
function segments(path: string): { name: string; rest: string[] } | undefined {
  const raw = path.slice(1).split("/");
  if (raw.at(-1) === "") raw.pop();
  let name: string;
  const first = raw.shift();
  if (first === undefined || first === "") return undefined;
  if (first.startsWith("@") || first.startsWith("%40")) {
    const scope = first.replace(/^%40/, "@");
    const joined = /^(@[^%]+)%2[fF]([^%]+)$/.exec(scope);
    if (joined) name = `${joined[1]}/${joined[2]}`;
    else {
      const second = raw.shift();
      if (second === undefined || scope.includes("%") || second.includes("%")) return undefined;
      name = `${scope}/${second}`;
    }
  } else {
    const plain = decode(first);
    if (plain === undefined) return undefined;
    name = plain;
  }
  if (!isPackageName(name)) return undefined;
  const rest: string[] = [];
  for (const part of raw) {
    const plain = decode(part);
    if (plain === undefined) return undefined;
    rest.push(plain);
  }
  return { name, rest };
}

function decode(part: string): string | undefined {
  let text = part;
  if (part.includes("%")) {
    try {
      text = decodeURIComponent(part);
    } catch {
      return undefined; // not a segment at all: the caller answers `unknown`, which is refused
    }
  }
  if (text === "" || text === "." || text === ".." || /[/\\%\u0000-\u0020\u007f]/.test(text)) return undefined;
  return text;
}

function endpoint(method: string, read: boolean, path: string, query: string): Route {
  if (read && path === "/-/ping") return { kind: "ping" };
  if (read && path === "/-/whoami") return { kind: "whoami" };
  if (read && path === "/-/npm/v1/keys") return { kind: "keys" };
  if (read && path === "/-/v1/search") return { kind: "search", query };
  if (method === "POST" && path === "/-/npm/v1/security/advisories/bulk") return { kind: "audit", quick: false };
  if (method === "POST" && (path === "/-/npm/v1/security/audits/quick" || path === "/-/npm/v1/security/audits"))
    return { kind: "audit", quick: true };
  const attestations = /^\/-\/npm\/v1\/attestations\/(.+)$/.exec(path);
  if (read && attestations) {
    const spec = attestations[1]!
      .replace(/^%40/, "@")
      .replace(/^(@[^/%@]+)%2[fF]/, "$1/")
      .replace(/%40/, "@");
    const at = spec.lastIndexOf("@");
    const [name, version] = [spec.slice(0, at), spec.slice(at + 1)];
    return at > 0 && isPackageName(name) && VERSION.test(version) ? { kind: "attestations", name, version } : { kind: "unknown" };
  }
  const tags = /^\/-\/package\/(.+)\/dist-tags(\/.*)?$/.exec(path);
  if (tags) {
    if (!read || tags[2]) return { kind: "write", what: "moving a dist-tag" };
    const parts = segments(`/${tags[1]}`);
    return parts && parts.rest.length === 0 ? { kind: "tags", name: parts.name } : { kind: "unknown" };
  }
  for (const [start, what] of WRITES) if (path.startsWith(start)) return { kind: "write", what };
  return { kind: "unknown" };
}

/** What SemVer's own characters can spell; more than that has no place in a path we pass on. */
const VERSION = /^[0-9A-Za-z.+-]{1,256}$/;

/** Known endpoints that change something or act for a person; refused with a reason, never forwarded (client-contract §6). */
const WRITES: readonly (readonly [string, string])[] = [
  ["/-/v1/login", "logging in"],
  ["/-/v1/done", "logging in"],
  ["/-/user/", "logging in or out"],
  ["/-/npm/v1/user", "managing a profile"],
  ["/-/npm/v1/tokens", "managing tokens"],
  ["/-/npm/v1/oidc", "trusted publishing"],
  ["/-/stage", "staged publishing"],
  ["/-/package/", "managing access"],
  ["/-/org/", "managing an organisation"],
  ["/-/team/", "managing a team"],
  ["/-/npm/v1/hooks", "managing hooks"],
];
