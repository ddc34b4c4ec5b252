/**
 * What a dependency spec asks for, and which version answers it: npm's semantics (npm-package-arg, npm-pick-manifest), without engines,
 * which a registry cannot know.
 */
import semver from "semver";
import { isPackageName } from "./name.ts";

export type Spec =
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "range"; readonly range: string }
  | { readonly kind: "tag"; readonly tag: string }
  /** `npm:other@^1`: another package under a local name; `spec` is a version, range or tag, empty when none was given. */
  | { readonly kind: "alias"; readonly name: string; readonly spec: string }
  /** Not answered by a registry; `text` is the spec as given. */
  | { readonly kind: "git" | "url" | "file" | "workspace"; readonly text: string }
  /** Nothing npm would accept. */
  | { readonly kind: "unknown"; readonly text: string };

const LOOSE = { loose: true } as const;

/** Classifies a spec as it stands in a dependency map. Never throws. */
export function classifySpec(text: string): Spec {
  const spec = text.trim();
  const protocol = /^([a-z][a-z+.-]*):/i.exec(spec)?.[1]?.toLowerCase();
  if (protocol === "npm") return alias(spec, spec.slice(4));
  if (protocol === "workspace" || protocol === "catalog") return { kind: "workspace", text };
  if (protocol === "file" || protocol === "link" || protocol === "portal") return { kind: "file", text };
  if (protocol === "http" || protocol === "https") return { kind: HOSTED_PAGE.test(spec) ? "git" : "url", text };
  if (protocol === "git" || protocol === "ssh" || protocol?.startsWith("git+") || /^(?:github|gitlab|bitbucket|gist)$/.test(protocol ?? ""))
    return { kind: "git", text };
  if (/^(?:\.|~\/|\/|[a-z]:[\\/])/i.test(spec)) return { kind: "file", text };
  if (/^[^@\s]+@[^:.\s]+\.[^:\s]+:.+$/.test(spec)) return { kind: "git", text };
  if (protocol !== undefined) return { kind: "unknown", text };
  if (/^[^/\s:@#]+\/[^/\s:#]+(?:#.*)?$/.test(spec)) return { kind: "git", text };
  if (spec.includes("/") || /\.(?:tgz|tar\.gz|tar)$/i.test(spec)) return { kind: "file", text };
  const version = semver.clean(spec, LOOSE);
  if (version !== null && semver.valid(spec, LOOSE) !== null) return { kind: "version", version };
  if (semver.validRange(spec, LOOSE) !== null) return { kind: "range", range: spec };
  // npm-package-arg: tags may not have any characters that encodeURIComponent encodes.
  return encodeURIComponent(spec) === spec ? { kind: "tag", tag: spec } : { kind: "unknown", text };
}

/** Whether it can only be a version, a range or a tag: told without parsing, because the releases of one package ask for thousands. */
export function isPlainSpec(text: string): boolean {
  return /^[\w^~<>=*|\s+-][\w^~<>=*|\s.+-]*$/.test(text) && !/\.(?:tgz|tar|gz)$/i.test(text);
}

/** A repository page that npm clones instead of downloading. */
const HOSTED_PAGE =
  /^https?:\/\/(?:[^/@]*@)?(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|gist\.github\.com)\/[^/]+\/[^/#?]+(?:#.*)?$/i;

function alias(text: string, target: string): Spec {
  const at = target.indexOf("@", 1);
  const name = at < 0 ? target : target.slice(0, at);
  const spec = at < 0 ? "" : target.slice(at + 1).trim();
  // npm-package-arg: no nested aliases, and aliases only work for registry dependencies.
  const kind = classifySpec(spec).kind;
  if (!isPackageName(name) || (kind !== "version" && kind !== "range" && kind !== "tag")) return { kind: "unknown", text };
  return { kind: "alias", name, spec };
}

/** Whether a `versions` key is SemVer 2.0 exactly as written: no `v`, no spaces, no leading zeros. Build metadata is allowed. */
export function isVersion(text: string): boolean {
  const parsed = semver.parse(text);
  if (parsed === null) return false;
  return text === (parsed.build.length > 0 ? `${parsed.version}+${parsed.build.join(".")}` : parsed.version);
}

/** What picking needs to know of a version. */
export type Candidate = { readonly version: string; readonly deprecated?: string };

/**
 * The version an install of `spec` gets from this listing, or undefined. An empty spec means "whatever you recommend". An alias is answered
 * from its target's listing, which the caller hands in; specs no registry answers get undefined.
 */
export function pick(spec: string, tags: Readonly<Record<string, string>>, candidates: readonly Candidate[]): string | undefined {
  const wanted = registrySpec(spec);
  const listed = (version: string | undefined): Candidate | undefined =>
    version === undefined ? undefined : candidates.find((candidate) => candidate.version === version);
  if (wanted?.kind === "version") return listed(wanted.version)?.version;
  if (wanted?.kind === "tag") return listed(ownTag(tags, wanted.tag))?.version;
  if (wanted === undefined) return undefined;

  // npm-pick-manifest: the default tag wins whenever it satisfies the range and is not deprecated, prerelease or not.
  const latest = listed(ownTag(tags, "latest"));
  if (latest && latest.deprecated === undefined && (wanted.range === "*" || semver.satisfies(latest.version, wanted.range, LOOSE)))
    return latest.version;
  // npm-pick-manifest: else the highest that satisfies, deprecated ones only when there is no other.
  const range = new semver.Range(wanted.range, LOOSE);
  const fitting = candidates.filter((candidate) => range.test(candidate.version));
  const preferred = fitting.filter((candidate) => candidate.deprecated === undefined);
  const sorted = (preferred.length > 0 ? preferred : fitting).map((candidate) => candidate.version);
  return sorted.reduce<string | undefined>(
    (best, version) => (best === undefined || semver.compare(version, best, LOOSE) > 0 ? version : best),
    undefined,
  );
}

/** Every version of the listing that `spec` accepts, in the listing's order; what a resolver may end up with. */
export function satisfying(spec: string, tags: Readonly<Record<string, string>>, versions: readonly string[]): string[] {
  const wanted = registrySpec(spec);
  if (wanted === undefined) return [];
  if (wanted.kind === "version") return versions.filter((version) => version === wanted.version);
  if (wanted.kind === "tag") return versions.filter((version) => version === ownTag(tags, wanted.tag));
  const range = new semver.Range(wanted.range, LOOSE);
  const latest = ownTag(tags, "latest");
  // `*` also takes whatever `latest` is, even a prerelease: see `pick`.
  return versions.filter((version) => range.test(version) || (wanted.range === "*" && version === latest));
}

/** The part of a spec a registry answers; undefined for git, URL, file, workspace and nonsense. */
function registrySpec(text: string): Extract<Spec, { kind: "version" | "range" | "tag" }> | undefined {
  if (text.trim() === "") return { kind: "range", range: "*" };
  const spec = classifySpec(text);
  if (spec.kind === "alias") return registrySpec(spec.spec);
  return spec.kind === "version" || spec.kind === "range" || spec.kind === "tag" ? spec : undefined;
}

function ownTag(tags: Readonly<Record<string, string>>, tag: string): string | undefined {
  return Object.hasOwn(tags, tag) ? tags[tag] : undefined;
}
