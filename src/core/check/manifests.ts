/** Whether the lockfile was written for these manifests: each asks for what the lockfile says it asks for. */
import semver from "semver";
import { splitAtVersion } from "../lockfile/identity.ts";
import type { Declared, Importer, ResolvedTree } from "../lockfile/tree.ts";
import type { Manifest, ManifestDependency } from "./manifest.ts";
import type { Report } from "./raw.ts";

export function checkManifests(tree: ResolvedTree, manifests: readonly Manifest[], report: Report): void {
  // What overrides replace, some clients also write into the importers.
  const replaced = new Set(manifests.flatMap(({ overrides }) => overrides.map(({ name }) => name)));
  const descriptors = tree.importers.length === 0 ? answeredBy(tree, manifests) : undefined;
  const importers = byPath(tree.importers);
  for (const manifest of manifests) {
    for (const { message, path = manifest.path, line, column } of manifest.problems)
      report({ rule: "manifest-malformed", at: { path, line, column }, message, mark: message });
    const asks = tree.kind === "deno" ? wanted(manifest).map(aliased) : wanted(manifest);
    if (descriptors !== undefined) {
      for (const dependency of asks) if (!descriptors(dependency) && !replaced.has(dependency.name)) missing(manifest, dependency, report);
      continue;
    }
    const importer = importers.get(manifest.importer);
    if (importer === undefined) {
      if (manifest.ownLockfile)
        report({
          rule: "lockfile-stale",
          severity: "low",
          at: { path: manifest.path, line: 1, column: 1 },
          message: `the workspace ${manifest.importer} has a lockfile of its own, which is not read here: cordon check ${manifest.importer}`,
          mark: manifest.importer,
        });
      else if (asks.length > 0 && tree.kind !== "deno")
        report({
          rule: "lockfile-stale",
          at: { path: manifest.path, line: 1, column: 1 },
          message: `the lockfile does not know the workspace ${manifest.importer}`,
          mark: manifest.importer,
        });
      continue;
    }
    compare(tree, manifest, asks, importer, replaced, report);
  }
  const found = new Set(manifests.map(({ importer }) => importer));
  const directories = linkedDirectories(tree);
  for (const { path, line, column } of importers.values())
    if (!found.has(path) && !directories.has(path))
      report({
        rule: "lockfile-stale",
        severity: "low",
        at: { line, column },
        message: `the workspace ${path} has no manifest here`,
        mark: path,
      });
}

/** pnpm's file may speak of one importer in two documents. */
function byPath(importers: readonly Importer[]): ReadonlyMap<string, Importer> {
  const found = new Map<string, Importer>();
  for (const importer of importers) {
    const known = found.get(importer.path);
    found.set(
      importer.path,
      known === undefined ? importer : { ...known, dependencies: [...known.dependencies, ...importer.dependencies] },
    );
  }
  return found;
}

/** deno lists what an alias of a package.json stands for, and not the alias. */
function aliased(dependency: ManifestDependency): ManifestDependency {
  const target = dependency.range.startsWith("npm:") ? splitAtVersion(dependency.range.slice(4)) : undefined;
  return target === undefined ? dependency : { ...dependency, name: target.name, range: target.rest };
}

/** Directories somebody asks for by path: npm lists what they ask for as it lists members of a workspace, which they are not. */
function linkedDirectories({ importers, packages }: ResolvedTree): ReadonlySet<string> {
  const byPath = new Set<string>();
  for (const { dependencies } of importers)
    for (const { name, range } of dependencies) if (range !== undefined && /^(?:file:|link:|\.{1,2}\/)/.test(range)) byPath.add(name);
  const directories = new Set<string>();
  if (byPath.size === 0) return directories;
  for (const { key, source } of packages)
    if (source.kind === "link" && byPath.has(key.slice(key.lastIndexOf("node_modules/") + "node_modules/".length)))
      directories.add(source.path);
  return directories;
}

/** What a lockfile must answer: an optional dependency stands for a plain one of its name, and peers are left to others. */
function wanted({ dependencies }: Manifest): readonly ManifestDependency[] {
  const byName = new Map<string, ManifestDependency>();
  for (const dependency of dependencies) if (dependency.kind !== "peer") byName.set(dependency.name, dependency);
  return [...byName.values()];
}

function compare(
  tree: ResolvedTree,
  manifest: Manifest,
  asks: readonly ManifestDependency[],
  importer: Importer,
  replaced: ReadonlySet<string>,
  report: Report,
): void {
  const listed = new Map<string, Declared[]>();
  for (const declared of importer.dependencies) {
    const known = listed.get(declared.name);
    if (known) known.push(declared);
    else listed.set(declared.name, [declared]);
  }
  for (const dependency of asks) {
    const { name, range, line, column } = dependency;
    const declared = listed.get(name);
    if (declared === undefined) {
      // Whoever left out the optional ones has none in the file.
      if (!replaced.has(name) && !isOutside(range, tree.kind)) missing(manifest, dependency, report);
    } else if (!replaced.has(name) && !declared.some((each) => each.range === undefined || sameRange(tree, each.range, range)))
      report({
        rule: "lockfile-stale",
        at: { path: manifest.path, line, column },
        name,
        message: `${manifest.path} asks for ${name} ${range || "*"}, the lockfile was written for ${declared[0]!.range || "*"}`,
        mark: `${name} ${range}`,
      });
  }
  // deno lists what scripts import beside what the manifest says; pnpm may list the peers it installs by itself.
  if (tree.kind === "deno") return;
  const known = new Set(manifest.dependencies.map(({ name }) => name));
  for (const { name, kind, range, line, column } of importer.dependencies)
    if (!known.has(name) && kind !== "tool" && kind !== "peer")
      report({
        rule: "lockfile-stale",
        severity: "medium",
        at: { line, column },
        name,
        message: `the lockfile has ${name} ${range ?? ""} for ${manifest.path}, which does not ask for it`.replace("  ", " "),
        mark: `extra ${manifest.importer} ${name}`,
      });
}

function missing({ path }: Manifest, { name, range, line, column, kind }: ManifestDependency, report: Report): void {
  report({
    rule: "lockfile-stale",
    ...(kind === "optional" ? { severity: "medium" as const } : {}),
    at: { path, line, column },
    name,
    message: `${path} asks for ${name} ${range || "*"}, the lockfile does not answer it`,
    mark: `missing ${name} ${range}`,
  });
}

/** yarn 2 on writes `npm:` before ranges; empty and `*` are one. */
function sameRange(tree: ResolvedTree, listed: string, asked: string): boolean {
  const plain = (range: string): string => {
    const bare = tree.kind === "yarn-berry" ? range.replace(/^npm:(?=[^@]*$)/, "") : range;
    return bare.trim() || "*";
  };
  if (plain(listed) === plain(asked)) return true;
  // deno writes every range in its own words: `1` for `^1`.
  return tree.kind === "deno" && (plain(asked) === "*" || (semver.validRange(asked) !== null && inFull(listed) === inFull(asked)));
}

/** `>=2.0.0 <4.0.0` for `>=2 <4`. */
function inFull(range: string): string | undefined {
  return semver.validRange(range)?.replaceAll("-0", "");
}

/** Directories stand in some lockfiles and not in others; pnpm lists the members of the workspace. */
function isOutside(range: string, kind: ResolvedTree["kind"]): boolean {
  if (kind === "pnpm" && range.startsWith("workspace:")) return false;
  return /^(?:link|file|portal|workspace|\.|\/)/.test(range);
}

/** Formats without importers: yarn 1 has a descriptor for whatever is asked, npm's version 1 an entry at the top. */
function answeredBy(tree: ResolvedTree, manifests: readonly Manifest[]): ((dependency: ManifestDependency) => boolean) | undefined {
  if (tree.kind === "yarn-classic") {
    const descriptors = new Set(tree.packages.flatMap(({ key }) => key.split(/, */)));
    // Members of the workspace do not stand in the file. Whose version does not fit is fetched, and does.
    const members = new Map(manifests.flatMap(({ name, version = "" }) => (name === undefined ? [] : [[name, version] as const])));
    const isMember = (name: string, range: string): boolean => {
      const version = members.get(name);
      return version !== undefined && (semver.validRange(range) === null || semver.satisfies(version, range));
    };
    return ({ name, range }) =>
      isMember(name, range) ||
      descriptors.has(`${name}@${range}`) ||
      descriptors.has(name) ||
      isOutside(range, tree.kind) ||
      splitAtVersion(name) !== undefined;
  }
  if (tree.kind === "package-lock" || tree.kind === "npm-shrinkwrap") {
    const keys = new Set(tree.packages.map(({ key }) => key));
    return ({ name }) => keys.has(`node_modules/${name}`);
  }
  // Hidden files have no importers, and say what is on the disk instead.
  return () => true;
}
