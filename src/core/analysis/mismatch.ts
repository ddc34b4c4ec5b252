/**
 * Where package.json in the tarball contradicts the packument: clients resolve by one and run the other. Only what an install depends on,
 * and after the changes npm itself makes on publishing.
 */
import semver from "semver";
import { LIMITS } from "../base/limits.ts";
import type { Release } from "../npm/release.ts";
import { plainPath } from "./manifest.ts";
import type { TarballManifest } from "./report.ts";

type Texts = Readonly<Record<string, string>>;

/** One line for each contradiction, beginning with the field. `release` absent: only name and version are compared. */
export function manifestMismatches(
  manifest: TarballManifest,
  { name, version, release }: { readonly name: string; readonly version: string; readonly release?: Release },
): readonly string[] {
  const found: string[] = (manifest.problems ?? []).filter(matters).map((problem) => `package.json: ${problem}`);
  if (manifest.name !== name) found.push(`name: the tarball says ${shown(manifest.name)}, the registry ${name}`);
  // normalize-package-data: versions are cleaned ("v1.0" forms, build metadata stays).
  if (manifest.version !== version && semver.clean(manifest.version ?? "", { loose: true }) !== version)
    found.push(`version: the tarball says ${shown(manifest.version)}, the registry ${version}`);
  if (!release) return found;

  const optional = release.optionalDependencies ?? {};
  // Old npm copied optional dependencies into `dependencies` of the packument.
  const required = without(release.dependencies ?? {}, Object.keys(optional));
  // What is bundled is in the tarball: registries and clients leave it out or keep it.
  const bundled = new Set([...(manifest.bundled ?? []), ...(release.bundled ?? [])]);
  compare("dependencies", manifest.dependencies ?? {}, required, found, bundled);
  compare("optionalDependencies", manifest.optionalDependencies ?? {}, optional, found, bundled);
  compare("peerDependencies", manifest.peerDependencies ?? {}, release.peerDependencies ?? {}, found, bundled);

  // An abbreviated document says only that something runs.
  if (release.scripts !== undefined || release.installs !== true) {
    const written = Object.fromEntries(
      RUN.flatMap((run) => (manifest.scripts?.[run] === undefined ? [] : [[run, manifest.scripts[run].slice(0, LIMITS.scriptChars)]])),
    ) as Record<string, string>;
    const claimed = pick(release.scripts ?? {}, RUN);
    // npm writes `node-gyp rebuild` for a package with a binding.gyp that has no install script.
    if (manifest.gypfile && claimed["install"] === "node-gyp rebuild" && written["install"] === undefined) delete claimed["install"];
    compare("scripts", written, claimed, found);
  }
  if (manifest.gypfile && release.gypfile !== true && !runs(release) && manifest.scripts === undefined)
    found.push("gyp: the tarball has a binding.gyp that an install builds, the registry says nothing of it");
  // A folder of commands is listed by some versions of npm and not by others.
  if (!manifest.binFolder) {
    const plain = (bin: Texts): Texts => Object.fromEntries(Object.entries(bin).map(([command, file]) => [command, plainPath(file)]));
    compare("bin", plain(manifest.bin ?? {}), plain(release.bin ?? {}), found);
  }
  return found;
}

/** A key given twice is read in two ways; of most keys no install depends. */
function matters(problem: string): boolean {
  return !/^key .* given twice$/.test(problem) || DECIDING.test(problem);
}
const DECIDING =
  /"(?:name|version|dependencies|optionalDependencies|peerDependencies|bundleDependencies|bundledDependencies|scripts|preinstall|install|postinstall|gypfile|bin)"/;

const RUN: readonly string[] = ["preinstall", "install", "postinstall"];

function runs({ scripts = {}, installs }: Release): boolean {
  return installs === true || RUN.some((name) => Object.hasOwn(scripts, name));
}

function compare(field: string, written: Texts, claimed: Texts, found: string[], except: ReadonlySet<string> = new Set()): void {
  for (const name of new Set([...Object.keys(written), ...Object.keys(claimed)])) {
    if (except.has(name)) continue;
    const [own, other] = [written[name], claimed[name]];
    if (own === other || plainText(own) === plainText(other)) continue;
    found.push(`${field}.${name}: the tarball says ${shown(own)}, the registry ${shown(other)}`);
  }
}

/** An empty spec is `*`; spaces around and between do not count. */
function plainText(text: string | undefined): string | undefined {
  const plain = text?.replace(/\s+/g, " ").trim();
  return plain === "" ? "*" : plain;
}

function shown(text: string | undefined): string {
  return text === undefined ? "nothing" : JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function without(map: Texts, names: readonly string[]): Texts {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}

function pick(map: Texts, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => names.includes(name)));
}
