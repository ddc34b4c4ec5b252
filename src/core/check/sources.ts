/** Where entries are fetched from: hosts, protocols, and URLs that say more than they should; git commits and archives. */
import { hostOf } from "../lockfile/hosts.ts";
import type { ResolvedPackage, ResolvedTree } from "../lockfile/tree.ts";
import { scopeOf } from "../npm/name.ts";
import { redact } from "../base/text.ts";
import type { Fix } from "./finding.ts";
import type { Report } from "./raw.ts";
import type { AllowedSources } from "./subject.ts";

type Origin = { readonly host: string; readonly hostname: string; readonly protocol: string; readonly open: boolean };

/** Said of sources that can be written back without changing what is fetched. */
const PORTABLE: Fix = { summary: "write the registry's own URL, or none", command: "cordon check --fix" };

export function checkSources(
  tree: ResolvedTree,
  alike: Int32Array,
  allowed: AllowedSources,
  isDirect: (index: number) => boolean,
  report: Report,
): void {
  // Registry packages nothing is wrong with, nor then with their copies.
  const quiet = new Uint8Array(alike.length);
  const origins = new Map<string, Origin>();
  let last: { readonly key: string; readonly origin: Origin } | undefined;
  const rules = openRules(allowed);
  const strangers = new Map<string, { count: number; first: ResolvedPackage; open: boolean }>();
  for (let index = 0; index < tree.packages.length; index++) {
    if (quiet[alike[index]!] === 1) continue;
    const entry = tree.packages[index]!;
    const { source } = entry;
    const url = "url" in source ? source.url : undefined;
    if (url === undefined) continue;
    // Nearly all of a lockfile comes from one place.
    if (last === undefined || !url.startsWith(last.key) || url.charCodeAt(last.key.length) !== SLASH) {
      const key = originKey(url);
      let origin = origins.get(key);
      if (origin === undefined) origins.set(key, (origin = originOf(key)));
      last = { key, origin };
    }
    const { origin } = last;
    if (source.kind === "module") {
      // A graph of remote modules names one host thousands of times; one finding each says it.
      if (isAmong(rules.hosts, origin) && !origin.open) continue;
      const known = strangers.get(origin.host);
      if (known) known.count++;
      else strangers.set(origin.host, { count: 1, first: entry, open: origin.open });
      continue;
    }
    const stranger = rules.strangerTo(entry, origin);
    const tooMuch = saysTooMuch(url);
    // Most entries end here, and cost nothing more.
    if (source.kind === "registry" && stranger === undefined && !origin.open && !tooMuch) {
      quiet[index] = 1;
      continue;
    }
    const about = { entry: index, evidence: [shown(url)] };
    const portable = source.kind === "registry" ? { fix: PORTABLE } : {};
    if (stranger !== undefined) report({ rule: "source-host", ...about, ...portable, message: stranger, mark: origin.host });
    // What the project itself asks for it knows; what comes this way through others it does not.
    if (source.kind !== "registry") reportUnregistered(entry, isDirect(index), about, report);
    if (origin.open) report({ rule: "source-protocol", ...about, ...portable, message: `fetched over ${origin.protocol}` });
    if (tooMuch) report({ rule: "source-url", ...about, message: "its URL carries credentials or a query" });
  }
  for (const [host, { count, first, open }] of strangers) {
    const message = `${count} remote ${count === 1 ? "module" : "modules"} from ${host}${open ? ", over an open line" : ""}`;
    const at = { line: first.line, column: first.column };
    report({ rule: open ? "source-protocol" : "url-dependency", severity: open ? "high" : "low", at, message, mark: host });
  }
}

type About = { readonly entry: number; readonly evidence: readonly string[] };

/** Git commits and archives: no signature, age or advisory speaks of them. */
function reportUnregistered({ source, integrity }: ResolvedPackage, direct: boolean, about: About, report: Report): void {
  const whose = direct ? "as the project asks" : "through another package";
  if (source.kind === "git") {
    if (source.commit === undefined) report({ rule: "git-unpinned", ...about, message: "a git dependency without a full commit" });
    report({ rule: "git-dependency", severity: direct ? "low" : "medium", ...about, message: `comes from git, ${whose}` });
  } else {
    const severity = direct && integrity !== undefined ? "low" : "medium";
    report({ rule: "url-dependency", severity, ...about, message: `an archive at a URL that is no registry's, ${whose}` });
  }
}

type Rules = {
  readonly hosts: ReadonlySet<string>;
  /** Why the host is none of the policy's; undefined when it is. */
  strangerTo(entry: ResolvedPackage, origin: Origin): string | undefined;
};

function openRules(allowed: AllowedSources): Rules {
  const hosts = new Set(allowed.hosts);
  const registries = new Set(allowed.registries);
  const scopes = new Map(Object.entries(allowed.scopes).map(([scope, own]) => [scope, new Set(own)]));
  return {
    hosts,
    strangerTo({ name, source }, origin) {
      const scope = scopes.size === 0 ? undefined : scopeOf(name);
      const scoped = scope === undefined ? undefined : scopes.get(scope);
      const own = source.kind === "registry" ? (scoped ?? registries) : registries;
      // Nobody said which registries there are: then no host is a stranger.
      if (own.size === 0 || isAmong(own, origin) || isAmong(hosts, origin)) return undefined;
      const host = origin.host || "a place without a host";
      if (source.kind === "registry")
        return `resolved from ${host}, not from ${scoped === undefined ? "your registry" : `the registry of ${scope}`}`;
      // That it is git is said anyway.
      return CODE_HOSTS.has(origin.hostname) ? undefined : `fetched from ${host}, which is none of the policy's hosts`;
    },
  };
}

/** Everything before the path: thousands of entries share it. */
const SLASH = 0x2f;

function originKey(url: string): string {
  const authority = url.indexOf("://");
  if (authority < 0) return url;
  for (let at = authority + 3; at < url.length; at++) {
    const code = url.charCodeAt(at);
    // `/`, `?`, `#` and the backslash, which URL parsers take for a slash.
    if (code === 0x2f || code === 0x3f || code === 0x23 || code === 0x5c) return url.slice(0, at);
  }
  return url;
}

/** What anybody on the way can change; on this machine there is no way. */
const OPEN: ReadonlySet<string> = new Set(["http", "git", "ftp"]);
const SHORTHAND = /^(?:github|gist|gitlab|bitbucket):/;

function originOf(url: string): Origin {
  const origin = hostOf(url);
  const local = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(origin.hostname);
  // `github:owner/name` is fetched over TLS.
  return { ...origin, open: OPEN.has(origin.protocol) && !local && !SHORTHAND.test(url) };
}

function isAmong(hosts: ReadonlySet<string>, { host, hostname }: Origin): boolean {
  return hosts.has(host) || hosts.has(hostname);
}

/** Where git commits usually are. */
const CODE_HOSTS: ReadonlySet<string> = new Set([
  "github.com",
  "codeload.github.com",
  "api.github.com",
  "gitlab.com",
  "bitbucket.org",
  "gist.github.com",
]);

/** Credentials before the host, or a query; git's own user name is none. */
function saysTooMuch(url: string): boolean {
  if (!url.includes("@") && !url.includes("?")) return false;
  const match = /^(?:git\+)?(https?|ssh|git):\/\/(?:([^/@?#]*)@)?[^?#]*(\?[^#]*)?/.exec(url);
  if (match === null) return false;
  const [, protocol, user, query] = match;
  const secret = user !== undefined && (user.includes(":") || protocol === "http" || protocol === "https");
  // GitLab's archives name the commit in a query.
  return secret || (query !== undefined && !/^\?(?:ref|sha)=[0-9a-f]{40}$/.test(query));
}

/** Without what a URL should not have carried. */
function shown(url: string): string {
  return redact(url.replace(/\/\/[^/@?#]*:[^/@?#]*@/, "//[secret]@"));
}
