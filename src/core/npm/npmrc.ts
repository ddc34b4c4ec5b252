/**
 * npm's own configuration, read as npm reads it: which registry, which scopes go elsewhere, with which credentials, through which proxy.
 * Pure: the caller hands in the text of each file and the environment. What cordon does not honour is listed, never dropped in silence.
 */
import { parse } from "ini";
import { printable } from "../base/text.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** One line of one source after variables were filled in. `null` is npm's way to say "none". */
export type NpmrcEntry = {
  readonly key: string;
  readonly value: string | boolean | null | readonly string[];
  /** Variables the value names that are not set; npm leaves such a reference in place. */
  readonly unset: readonly string[];
};

/** One file, or the `npm_config_*` variables. `source` is the path, or `environment`. */
export type NpmrcSource = { readonly source: string; readonly entries: ReadonlyMap<string, NpmrcEntry> };

/** A setting that was read and not followed. `blocking` ones name a registry that cannot be used: guessing another would be worse than stopping. */
export type NpmrcProblem = { readonly source: string; readonly key: string; readonly message: string; readonly blocking: boolean };

/** Sent only to addresses under `at` (`//host/path/`, as npm writes it). */
export type Credential = {
  readonly at: string;
  readonly source: string;
  /** The Authorization header. A function, so that no JSON of a configuration can hold a secret. */
  readonly authorization?: () => string;
  /** Paths of a client certificate and its key, in PEM. */
  readonly certificate?: { readonly certfile: string; readonly keyfile: string };
};

export type NpmSettings = {
  /** Base URLs end in a slash and carry no credentials. */
  readonly registry: { readonly url: string; readonly source: string } | undefined;
  /** By scope, `@acme`. */
  readonly scopes: ReadonlyMap<string, { readonly url: string; readonly source: string }>;
  readonly credentials: readonly Credential[];
  /** Path of a PEM bundle; like `ca`, it replaces the built-in authorities. */
  readonly cafile: string | undefined;
  readonly ca: readonly string[];
  readonly httpsProxy: string | undefined;
  readonly proxy: string | undefined;
  /** Comma-separated, as NO_PROXY. */
  readonly noproxy: string | undefined;
  readonly problems: readonly NpmrcProblem[];
};

/** Reads the text of one file. `env` fills in `${NAME}` and `${NAME?}`. */
export function parseNpmrc(text: string, source: string, env: Environment): NpmrcSource {
  return collect(source, Object.entries(parse(text)), env);
}

/** Reads `npm_config_*` variables, in any case. `except` lists keys that are not the user's own word (npm exports a project's settings to its scripts). */
export function npmrcFromEnvironment(env: Environment, except: ReadonlySet<string> = new Set()): NpmrcSource {
  const entries: [string, unknown][] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!/^npm_config_/i.test(name) || value === undefined || value === "") continue;
    const rest = name.slice("npm_config_".length);
    // npm-config: "_" stands for "-" except at the start; nerf-darted keys are taken as they are.
    const key = rest.startsWith("//") ? rest : rest.replace(/(?!^)_/g, "-").toLowerCase();
    if (!except.has(key)) entries.push([key, value]);
  }
  return collect("environment", entries, env);
}

function collect(source: string, pairs: readonly (readonly [string, unknown])[], env: Environment): NpmrcSource {
  const entries = new Map<string, NpmrcEntry>();
  for (const [rawKey, raw] of pairs) {
    const key = expand(rawKey, env).text;
    if (typeof raw === "string") {
      const { text, unset } = expand(raw.trim(), env);
      entries.set(key, { key, value: word(text), unset });
    } else if (Array.isArray(raw)) {
      const items = raw.map((item) => expand(String(item).trim(), env));
      entries.set(key, { key, value: items.map((item) => item.text), unset: items.flatMap((item) => item.unset) });
    } else if (typeof raw === "boolean" || raw === null) entries.set(key, { key, value: raw, unset: [] });
    // An ini section ([name]) is an object here; npm gives it no meaning either.
  }
  return { source, entries };
}

function word(text: string): string | boolean | null {
  return text === "true" ? true : text === "false" ? false : text === "null" || text === "undefined" ? null : text;
}

/**
 * npmrc: "Environment variables can be replaced using `${VARIABLE_NAME}`", `${NAME?}` is empty when unset, and an unset `${NAME}` stays as
 * written. A backslash before it takes the meaning away. There is no `${NAME:-default}` in npm: it names a variable that cannot exist.
 */
export function expand(text: string, env: Environment): { readonly text: string; readonly unset: readonly string[] } {
  const unset: string[] = [];
  const expanded = text.replace(/(\\*)\$\{([^${}?]+)(\??)\}/g, (whole, slashes: string, name: string, optional: string) => {
    const kept = slashes.slice(Math.ceil(slashes.length / 2));
    if (slashes.length % 2 === 1) return kept + whole.slice(slashes.length);
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined && optional === "") unset.push(name);
    return kept + (value ?? (optional === "?" ? "" : `\${${name}}`));
  });
  return { text: expanded, unset };
}

/** The value of `key` in the first source that has it; undefined when none has, or the first says `null`, `false` or nothing. */
export function npmrcText(sources: readonly NpmrcSource[], key: string): { readonly value: string; readonly source: string } | undefined {
  const source = sources.find((candidate) => candidate.entries.has(key));
  const value = source?.entries.get(key)?.value;
  return source !== undefined && typeof value === "string" && value !== "" ? { value, source: source.source } : undefined;
}

/** Merges sources, strongest first (npm: environment, user, global, builtin; never a project's file). */
export function mergeNpmrc(sources: readonly NpmrcSource[]): NpmSettings {
  const problems: NpmrcProblem[] = [];
  const merged = new Map<string, NpmrcEntry & { readonly source: string }>();
  for (const { source, entries } of sources)
    for (const entry of entries.values()) {
      const stronger = merged.get(entry.key);
      // The first level that has a key decides it. A `registry` that says nothing is no word: the next level is asked before the public default.
      if (stronger === undefined || (entry.key === "registry" && blank(stronger.value))) merged.set(entry.key, { ...entry, source });
    }

  const scopes = new Map<string, { url: string; source: string }>();
  const inUrls: Credential[] = [];
  let registry: { url: string; source: string } | undefined;
  for (const { key, value, source } of merged.values()) {
    const scope = /^(@[^:/]+):registry$/.exec(key)?.[1];
    if ((key !== "registry" && scope === undefined) || blank(value)) continue;
    const read = typeof value === "string" ? readBase(value) : undefined;
    if (read === undefined) {
      problems.push({ source, key, message: "is not an http(s) address that can be used", blocking: true });
      continue;
    }
    if (read.authorization !== undefined) inUrls.push({ at: nerfDart(read.url), source, authorization: read.authorization });
    if (scope === undefined) registry = { url: read.url, source };
    else scopes.set(scope.toLowerCase(), { url: read.url, source });
  }

  problems.push(...ignored(merged.values()));
  return {
    registry,
    scopes,
    credentials: [...credentials(merged, problems), ...inUrls],
    cafile: npmrcText(sources, "cafile")?.value,
    ca: certificates(merged.get("ca")?.value),
    httpsProxy: npmrcText(sources, "https-proxy")?.value,
    proxy: npmrcText(sources, "proxy")?.value,
    noproxy: list(merged.get("noproxy")?.value),
    problems,
  };
}

function blank(value: NpmrcEntry["value"]): boolean {
  return value === null || value === "";
}

/** A registry's base URL: http(s), with trailing slash, without query; credentials written into it come apart. Undefined when it is none. */
export function readBase(text: string): { readonly url: string; readonly authorization?: () => string } | undefined {
  // A reference that was not filled in would parse as a host name.
  if (text.includes("${") || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  const { username, password } = url;
  url.username = url.password = url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  if (username === "" && password === "") return { url: url.href };
  const pair = [username, password].map(unescaped).join(":");
  return { url: url.href, authorization: () => `Basic ${base64(pair)}` };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign was meant literally.
    return text;
  }
}

/** npm's name for where a credential counts: `//host/path/`. */
export function nerfDart(url: string): string {
  const { host, pathname } = new URL(".", url);
  return `//${host}${pathname}`;
}

/**
 * The credential for an address: the longest `//host/path` that contains it.
 * npm-registry-fetch auth.js: "can be either //host/some/path/:_auth or //host/some/path:_auth", walked up to the bare host.
 */
export function credentialFor<C extends Pick<Credential, "at">>(url: URL, credentials: readonly C[]): C | undefined {
  const place = `//${url.host}${url.pathname}`;
  let best: C | undefined;
  for (const candidate of credentials) {
    const { at } = candidate;
    const inside = place.startsWith(at) && (at.endsWith("/") || place.length === at.length || place[at.length] === "/");
    if (inside && (best === undefined || at.length > best.at.length)) best = candidate;
  }
  return best;
}

const CREDENTIAL_KEY = /^(\/\/[^:/]+(?::\d+)?(?:\/.*)?):(_authToken|_auth|username|_password|certfile|keyfile)$/;

function credentials(merged: ReadonlyMap<string, NpmrcEntry & { source: string }>, problems: NpmrcProblem[]): Credential[] {
  const places = new Map<string, Map<string, { value: string; source: string }>>();
  for (const { key, value, unset, source } of merged.values()) {
    const [, at, kind] = CREDENTIAL_KEY.exec(key) ?? [];
    if (at === undefined || kind === undefined) continue;
    if (unset.length > 0)
      problems.push({ source, key, message: `names ${unset.join(", ")}, which is not set; no credential is sent`, blocking: false });
    else if (typeof value === "string" && value !== "") {
      if (/[\r\n]/.test(value)) problems.push({ source, key, message: "holds a line break; no credential is sent", blocking: false });
      else (places.get(at) ?? places.set(at, new Map()).get(at)!).set(kind, { value, source });
    }
  }
  const found: Credential[] = [];
  for (const [at, parts] of places) {
    const authorization = authorizationOf(parts);
    const certfile = parts.get("certfile")?.value;
    const keyfile = parts.get("keyfile")?.value;
    const certificate = certfile !== undefined && keyfile !== undefined ? { certfile, keyfile } : undefined;
    if (authorization === undefined && certificate === undefined) continue;
    const source = [...parts.values()][0]!.source;
    found.push({ at, source, ...(authorization && { authorization }), ...(certificate && { certificate }) });
  }
  return found;
}

function authorizationOf(parts: ReadonlyMap<string, { value: string }>): (() => string) | undefined {
  const token = parts.get("_authToken")?.value;
  if (token !== undefined) return () => `Bearer ${token}`;
  const auth = parts.get("_auth")?.value;
  if (auth !== undefined) return () => `Basic ${auth}`;
  const username = parts.get("username")?.value;
  const password = parts.get("_password")?.value;
  if (username === undefined || password === undefined) return undefined;
  // npm keeps `_password` in base64.
  return () => `Basic ${base64(`${username}:${Buffer.from(password, "base64").toString("utf8")}`)}`;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** Settings that would weaken the gate, or that npm itself has stopped to read. */
const IGNORED: readonly (readonly [key: RegExp, message: string])[] = [
  [/^strict-ssl$/, "is not honoured: certificates are always verified; name your authority with cafile"],
  [/^(?:_auth|_authToken|_password|username)$/, "belongs to no registry and is not sent; write it under //host/path/"],
  [/^(?:cert|key)$/, "would show your certificate to every host and is not used; write //host/path/:certfile and :keyfile"],
  [/:tokenHelper$/, "is not run: cordon starts no program to get a token"],
];

function* ignored(entries: Iterable<NpmrcEntry & { readonly source: string }>): Iterable<NpmrcProblem> {
  for (const { key, value, source } of entries) {
    const message = IGNORED.find(([pattern]) => pattern.test(key))?.[1];
    if (message !== undefined && !(key === "strict-ssl" && value !== false)) yield { source, key, message, blocking: false };
  }
}

function certificates(value: NpmrcEntry["value"] | undefined): readonly string[] {
  const texts = typeof value === "string" ? value.split("\n\n") : Array.isArray(value) ? (value as readonly string[]) : [];
  return texts.map((text) => text.replaceAll("\\n", "\n")).filter((text) => text.includes("-----BEGIN CERTIFICATE-----"));
}

function list(value: NpmrcEntry["value"] | undefined): string | undefined {
  const text = Array.isArray(value) ? value.join(",") : value;
  return typeof text === "string" && text.replaceAll(",", "").trim() !== "" ? text : undefined;
}

const STEERING =
  /^(?:registry|@[^:/]+:registry|replace-registry-host|https?-proxy|proxy|noproxy|strict-ssl|cafile|ca|userconfig|globalconfig|prefix)$/;

/** What a project's own file says about where packages come from: shown to people (W3), followed by nobody. Secrets are left out. */
export function steering(project: NpmrcSource): readonly { readonly key: string; readonly value: string }[] {
  const said: { key: string; value: string }[] = [];
  for (const { key, value } of project.entries.values())
    if (CREDENTIAL_KEY.test(key) || key.endsWith(":tokenHelper")) said.push({ key: printable(key), value: "[secret]" });
    else if (STEERING.test(key))
      said.push({ key: printable(key), value: printable(Array.isArray(value) ? value.join(",") : String(value)) });
  return said;
}
