/** Manifests: what they call themselves and run, and, where no lockfile pins them, ranges that may have resolved to anything a registry had. */
import { existsSync } from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { fromCatalog, readManifest, readWorkspaceSettings, type WorkspaceSettings } from "../../core/check/manifest.ts";
import { launchedBy } from "../../core/exposure/launcher.ts";
import { artefactsIn } from "../../core/exposure/watch.ts";
import { registryIdentity } from "../../core/lockfile/identity.ts";
import { tryReadText } from "../host/files.ts";
import type { Reading } from "./reading.ts";

type Fields = Readonly<Record<string, unknown>>;
export type Declared = { readonly name: string; readonly range: string };

/** What an install brings. npm since 7 and pnpm since 8 install peers as well. */
const FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/** When the range was committed that stands in a manifest now; undefined where git does not know. */
export type Since = (file: string, declared: Declared) => Instant | undefined;

type Standing = {
  /**
   * Names that a lockfile decides about instead of the manifest's ranges, of those that packs speak of: none of them where there is one that
   * does not cover this manifest. `none`: there is no lockfile. `all`: nobody can say which.
   */
  readonly pinned: ReadonlySet<string> | "all" | "none";
  /** It is a package of the project's own: a member of its workspace, a folder it links to. */
  readonly own: boolean;
  readonly since?: Since;
};

export function readManifestEvidence({ see, watch, counts }: Reading, place: string, file: string, { pinned, own, since }: Standing): void {
  const text = tryReadText(file, LIMITS.manifestBytes);
  if (text === undefined) return;
  counts.files += 1;
  let value: unknown;
  try {
    if (typeof text !== "string") throw new Error(text.why);
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    if (pinned === "none")
      see({ kind: "missing", place, what: `${file}: ${typeof text === "string" ? "not JSON" : (error as Error).message}` });
    return;
  }
  const fields = fieldsOf(value);
  const { name, version } = fields;
  if (!own && typeof name === "string" && typeof version === "string" && watch.hits(name, version))
    see({ kind: "package", place, form: "unpacked", file, name, version });
  for (const script of Object.values(fieldsOf(fields["scripts"])))
    if (typeof script === "string")
      for (const indicator of artefactsIn(watch, script)) see({ kind: "artefact", place, file, indicator, started: true });
  const declared = declaredBy(fields).map((one) => ({ ...one, range: fromCatalog(one.range, one.name, catalogsOf(place, one.range)) }));
  for (const one of startedBy(fields, declared)) if (watch.knows(one.name)) see({ kind: "range", place, file, ...one, by: "launcher" });
  if (pinned === "all") return;
  if (pinned === "none" && isInstalledWhole(place, fields))
    return see({ kind: "looked", place, what: "it is an installed package, and what it asks for lies in its own node_modules" });
  const forced = forcedBy(fields);
  if (pinned !== "none") {
    // A peer may be left to whoever uses the package, and what is forced may stand under another name.
    const silent = new Set([...Object.keys(fieldsOf(fields["peerDependencies"])), ...forced.map((one) => one.name), ...pinned]);
    for (const one of declared)
      if (watch.knows(one.name) && !silent.has(one.name)) see({ kind: "range", place, file, ...one, by: "unpinned" });
    return;
  }
  for (const one of [...declared, ...forced]) {
    const at = since?.(file, one);
    if (watch.knows(one.name)) see({ kind: "range", place, file, ...one, by: "manifest", ...(at !== undefined && { since: at }) });
  }
  const fetched = declared.filter(({ range }) => !LOCAL.test(range));
  if (declared.length === 0) see({ kind: "looked", place, what: "it declares no dependencies" });
  else if (fetched.length === 0) see({ kind: "looked", place, what: "what it depends on are folders of this disk" });
  else see({ kind: "missing", place, what: unpinned(place, file, fetched.length) });
}

/** deno's, with the packages of npm that its `imports` name; for one that no lockfile pins. */
export function readDenoManifest({ see, watch, counts }: Reading, place: string, file: string): void {
  const text = tryReadText(file, LIMITS.manifestBytes);
  if (text === undefined) return;
  counts.files += 1;
  if (typeof text !== "string") return see({ kind: "missing", place, what: `${file}: ${text.why}` });
  const { dependencies, problems } = readManifest(file, "", text);
  for (const { name, range } of dependencies) if (watch.knows(name)) see({ kind: "range", place, file, name, range, by: "manifest" });
  for (const { message } of problems.slice(0, 1)) see({ kind: "missing", place, what: `${file}: ${message}` });
  if (dependencies.length > 0) see({ kind: "missing", place, what: unpinned(place, file, dependencies.length) });
  else if (problems.length === 0) see({ kind: "looked", place, what: "it declares no dependencies" });
}

/** npm itself, say, named by its folder: installed packages have no lockfile, and what came with one is read where it lies. */
function isInstalledWhole(place: string, fields: Fields): boolean {
  const wanted = Object.keys(fieldsOf(fields["dependencies"]));
  const isThere = (name: string): boolean => existsSync(path.join(place, "node_modules", name, "package.json"));
  return path.dirname(place).split(path.sep).includes("node_modules") && wanted.length > 0 && wanted.every(isThere);
}

function unpinned(place: string, file: string, dependencies: number): string {
  const name = path.relative(place, file) || path.basename(file);
  return `${name} has no lockfile: what its dependencies (${dependencies}) resolved to is not recorded`;
}

/** Catalogs of the workspace, for a range that refers to one. */
function catalogsOf(place: string, range: string): WorkspaceSettings["catalogs"] {
  if (!range.startsWith("catalog:")) return {};
  const found = ["pnpm-workspace.yaml", ".yarnrc.yml"].map((name) => {
    const text = tryReadText(path.join(place, name), LIMITS.configBytes);
    return typeof text === "string" ? readWorkspaceSettings(name, text).catalogs : {};
  });
  return { ...found[1], ...found[0] };
}

/** Folders of this disk, or packages of the same workspace. */
const LOCAL = /^(?:link|portal|workspace):|^(?:file:)?\.{0,2}\/(?!.*\.(?:tgz|tar\.gz)$)|^file:(?!.*\.(?:tgz|tar\.gz)$)/;

/** Packages that scripts start by name. One that is declared is started from node_modules, unless its version is said. */
function startedBy(fields: Fields, declared: readonly Declared[]): readonly Declared[] {
  return Object.values(fieldsOf(fields["scripts"])).flatMap((script) =>
    typeof script === "string"
      ? launchedBy(script).filter(({ name }) => script.includes(`${name}@`) || !declared.some((one) => one.name === name))
      : [],
  );
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** What a manifest declares, and what it forces on others, of names that packs speak of. Undefined when it is no JSON. */
export function rangesIn(text: string, knows: (name: string) => boolean): readonly Declared[] | undefined {
  try {
    const fields = fieldsOf(JSON.parse(text.replace(/^\ufeff/, "")));
    return [...declaredBy(fields), ...forcedBy(fields)].filter(({ name }) => knows(name));
  } catch {
    return undefined;
  }
}

function declaredBy(fields: Fields): readonly Declared[] {
  const peers = fieldsOf(fields["peerDependenciesMeta"]);
  return FIELDS.flatMap((field) =>
    Object.entries(fieldsOf(fields[field])).flatMap(([key, range]) => {
      if (typeof range !== "string" || (field === "peerDependencies" && fieldsOf(peers[key])["optional"] === true)) return [];
      return [asked(key, range)];
    }),
  );
}

/** What a key and its range stand for: an alias is another package, an address of a registry's archive one version of one. */
function asked(key: string, range: string): Declared {
  const alias = /^npm:((?:@[^/@]+\/)?[^@]+)@?(.*)$/.exec(range);
  if (alias !== null) return { name: alias[1]!, range: alias[2]! };
  const archive = /^https?:/.test(range) ? registryIdentity(range) : undefined;
  return archive === undefined ? { name: key, range } : { name: archive.name, range: archive.version };
}

/**
 * Versions a manifest forces on whatever asks for the package: npm's `overrides` (nested, `.` for the package itself), yarn's `resolutions`
 * and pnpm's `overrides`, whose keys may be paths and hold ranges: `a/b`, `a>b@1`. By themselves they bring nothing.
 */
function forcedBy(fields: Fields): readonly Declared[] {
  const rules = {
    ...fieldsOf(fields["overrides"]),
    ...fieldsOf(fields["resolutions"]),
    ...fieldsOf(fieldsOf(fields["pnpm"])["overrides"]),
  };
  return forcedIn(rules, "", 0);
}

function forcedIn(rules: Fields, within: string, depth: number): readonly Declared[] {
  if (depth > LIMITS.jsonDepth) return [];
  return Object.entries(rules).flatMap(([key, rule]): readonly Declared[] => {
    const name = key === "." ? within : (/((?:@[^/>@]+\/)?[^/>@]+)(?:@[^/>]*)?$/.exec(key)?.[1] ?? "");
    return typeof rule === "string" ? [asked(name, rule)] : forcedIn(fieldsOf(rule), name, depth + 1);
  });
}
