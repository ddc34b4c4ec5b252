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

export function checkSources(tree: ResolvedTree, allowed: AllowedSources, isDirect: (index: number) => boolean, report: Report): void {
  const origins = new Map<string, Origin>();
  const hosts = new Set(allowed.hosts);
  const registries = new Set(allowed.registries);
  const scopes = new Map(Object.entries(allowed.scopes).map(([scope, own]) => [scope, new Set(own)]));
  const strangers = new Map<string, { count: number; first: ResolvedPackage; open: boolean }>();
  const { packages } = tree;
  for (let index = 0; index < packages.length; index++) {
    const entry = packages[index]!;
    const { source } = entry;
    const url = "url" in source ? source.url : undefined;
    if (url === undefined) continue;
    const key = originKey(url);
    let origin = origins.get(key);
    if (origin === undefined) origins.set(key, (origin = originOf(key)));

    if (source.kind === "module") {
      // A graph of remote modules names one host thousands of times; one finding each says it.
      if (isAmong(hosts, origin) && !origin.open) continue;
      const known = strangers.get(origin.host);
      if (known) known.count++;
      else strangers.set(origin.host, { count: 1, first: entry, open: origin.open });
      continue;
    }
    if (source.kind === "registry") {
      const scoped = scopes.size === 0 ? undefined : scopes.get(scopeOf(entry.name) ?? "");
      const own = scoped ?? registries;
      // Nobody said which registries there are: then no host is a stranger.
      if (own.size > 0 && !isAmong(own, origin) && !isAmong(hosts, origin)) {
        const whose = scoped === undefined ? "your registry" : `the registry of ${scopeOf(entry.name)}`;
        const message = `resolved from ${origin.host || "a place without a host"}, not from ${whose}`;
        report({ rule: "source-host", entry: index, message, evidence: [shown(url)], fix: PORTABLE, mark: origin.host });
      }
    } else {
      const pinned = source.kind === "git" && source.commit !== undefined;
      if (source.kind === "git") {
        if (!pinned)
          report({ rule: "git-unpinned", entry: index, message: "a git dependency without a full commit", evidence: [shown(url)] });
        // What the project itself asks for by git it knows; what comes by git through others it does not.
        const direct = isDirect(index);
        const message = direct ? "comes from git, as the project asks" : "comes from git, through another package";
        report({ rule: "git-dependency", entry: index, severity: direct ? "low" : "medium", message, evidence: [shown(url)] });
      } else report({ rule: "url-dependency", entry: index, message: "an archive at a URL that is no registry's", evidence: [shown(url)] });
      if (registries.size > 0 && !isAmong(hosts, origin) && !isAmong(registries, origin) && !isCodeHost(origin))
        report({
          rule: "source-host",
          entry: index,
          message: `fetched from ${origin.host || "a place without a host"}, which is none of the policy's hosts`,
          evidence: [shown(url)],
          mark: origin.host,
        });
    }
    if (origin.open) {
      const fix = source.kind === "registry" ? { fix: PORTABLE } : {};
      report({ rule: "source-protocol", entry: index, message: `fetched over ${origin.protocol}`, evidence: [shown(url)], ...fix });
    }
    if (saysTooMuch(url))
      report({ rule: "source-url", entry: index, message: "its URL carries credentials or a query", evidence: [shown(url)] });
  }
  for (const [host, { count, first, open }] of strangers) {
    const message = `${count} remote ${count === 1 ? "module" : "modules"} from ${host}${open ? ", over an open line" : ""}`;
    const at = { line: first.line, column: first.column };
    report({ rule: open ? "source-protocol" : "url-dependency", severity: open ? "high" : "low", at, message, mark: host });
  }
}

/** Everything before the path: thousands of entries share it. */
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

/** Where git commits usually are: that it is git is said anyway. */
const CODE_HOSTS: ReadonlySet<string> = new Set([
  "github.com",
  "codeload.github.com",
  "api.github.com",
  "gitlab.com",
  "bitbucket.org",
  "gist.github.com",
]);

function isCodeHost({ hostname }: Origin): boolean {
  return CODE_HOSTS.has(hostname);
}

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
