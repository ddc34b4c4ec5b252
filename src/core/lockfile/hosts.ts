/** Every place where a lockfile names a host: what a client will ask whatever registry it is configured with. */
import type { LockSource, ResolvedPackage, ResolvedTree } from "./tree.ts";

export type ForeignSource = {
  readonly package: ResolvedPackage;
  readonly kind: LockSource["kind"];
  readonly url: string;
  /** With port, when the URL gives one; empty when no host can be read from the URL. */
  readonly host: string;
  /** `https`, `http`, `git`, `ssh`, … */
  readonly protocol: string;
};

/** Sources whose host is not allowed. An allowed host with a port allows that port alone; without, every port. */
export function foreignSources(tree: ResolvedTree, allowedHosts: readonly string[]): ForeignSource[] {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  const verdicts = new Map<string, { host: string; protocol: string; foreign: boolean }>();
  const foreign: ForeignSource[] = [];
  for (const entry of tree.packages) {
    const { source } = entry;
    const url = "url" in source ? source.url : undefined;
    if (url === undefined) continue;
    // Thousands of entries share one origin: it is taken apart once.
    const origin = originOf(url);
    let verdict = verdicts.get(origin);
    if (verdict === undefined) {
      const { host, hostname, protocol } = hostOf(origin);
      verdict = { host, protocol, foreign: !allowed.has(host) && !allowed.has(hostname) };
      verdicts.set(origin, verdict);
    }
    if (verdict.foreign) foreign.push({ package: entry, kind: source.kind, url, host: verdict.host, protocol: verdict.protocol });
  }
  return foreign;
}

/** Everything before the path. */
function originOf(url: string): string {
  const authority = url.indexOf("://");
  if (authority < 0) return url;
  const end = url.slice(authority + 3).search(/[/?#\\]/);
  return end < 0 ? url : url.slice(0, authority + 3 + end);
}

/** Shorthands of code hosts, and what they stand for. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  github: "github.com",
  gist: "gist.github.com",
  gitlab: "gitlab.com",
  bitbucket: "bitbucket.org",
};

export function hostOf(location: string): { host: string; hostname: string; protocol: string } {
  const shorthand = /^(github|gist|gitlab|bitbucket):/.exec(location)?.[1];
  if (shorthand !== undefined) return { host: SHORTHANDS[shorthand]!, hostname: SHORTHANDS[shorthand]!, protocol: "git" };
  // `git@host:owner/repo`, which is ssh without saying so.
  const scp = /^(?:git\+)?(?:([^@/:]+)@)?([^@/:]+):(?!\/\/)./.exec(location);
  if (scp !== null && (scp[1] !== undefined || scp[2]!.includes("."))) {
    const host = scp[2]!.toLowerCase();
    return { host, hostname: host, protocol: "ssh" };
  }
  const protocol = /^(?:git\+)?([a-z]+):/.exec(location)?.[1] ?? "";
  // Only the web's own schemes are taken apart as the web does; the host reads the same in all.
  const web = location.replace(/^(?:git\+)?[a-z]+:/, protocol === "http" ? "http:" : "https:");
  if (!URL.canParse(web)) return { host: "", hostname: "", protocol };
  const { host, hostname } = new URL(web);
  return { host, hostname, protocol };
}
