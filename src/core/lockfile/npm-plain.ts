/**
 * npm's version 3 lockfiles as npm itself writes them: nearly all there are. When a text is exactly what `JSON.stringify` makes of what
 * `JSON.parse` reads in it, nothing stands twice and nothing is spelled oddly, and every line follows from the values alone. Whatever is
 * unusual beyond that is left to `npm.ts`, which reads every file and says what is wrong where.
 */
import { isPackageName, unscoped } from "../npm/name.ts";
import type { Draft, Reader } from "./document.ts";
import { reportAt } from "./document.ts";
import { LOCAL, trustProblem, USUAL_NAME } from "./entry.ts";
import { isHttp, isVersion, readSri, sourceOf } from "./identity.ts";
import { folderName, nameAtLocation } from "./npm.ts";
import type { Declared, DependencyKind, LockSource, ResolvedPackage } from "./tree.ts";

type Fields = Readonly<Record<string, unknown>>;

/** False, with nothing added, when the file is not this plain. */
export function readPlainNpm(reader: Reader): boolean {
  const parsed = parsedIfPlain(reader.text);
  const packages = parsed?.root["packages"];
  if (parsed === undefined || parsed.root["lockfileVersion"] !== 3 || parsed.root["dependencies"] !== undefined || !isMap(packages))
    return false;
  const { root, indent } = parsed;
  let line = 2;
  for (const field in root) {
    if (field === "packages") break;
    line += linesOf(root[field]);
  }
  const place = { reader, packages, indent };
  for (const key in packages) {
    const entry = packages[key];
    line += 1;
    const lines = isMap(entry) ? readEntry(place, key, entry, line) : undefined;
    if (lines === undefined) {
      reader.packages.length = 0;
      reader.importers.length = 0;
      reader.problems.length = 0;
      return false;
    }
    line += lines - 1;
  }
  reader.version = "3";
  return true;
}

/** What the text says, and its indentation; undefined when another text would say the same. */
function parsedIfPlain(text: string): { readonly root: Fields; readonly indent: number } | undefined {
  const indentation = /^\{\n( {1,10}|\t{1,10})"/.exec(text)?.[1];
  if (indentation === undefined) return undefined;
  try {
    const root: unknown = JSON.parse(text);
    const again = JSON.stringify(root, undefined, indentation);
    const same = text.length === again.length + 1 ? text.endsWith("\n") && text.startsWith(again) : text === again;
    return same && isMap(root) ? { root, indent: indentation.length } : undefined;
  } catch {
    // Not JSON, or nested deeper than can be written again.
    return undefined;
  }
}

function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lines a value takes as `JSON.stringify` lays it out. */
function linesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  let lines = 2;
  if (Array.isArray(value)) {
    if (value.length === 0) return 1;
    for (const item of value) lines += linesOf(item);
    return lines;
  }
  for (const key in value) lines += linesOf((value as Fields)[key]);
  return lines === 2 ? 1 : lines;
}

type Place = { readonly reader: Reader; readonly packages: Fields; readonly indent: number };

const DECLARED: readonly (readonly [string, DependencyKind])[] = [
  ["dependencies", "prod"],
  ["devDependencies", "dev"],
  ["optionalDependencies", "optional"],
  ["peerDependencies", "peer"],
];

/** Adds what stands at a key; the lines it takes, or undefined when it is unusual. */
function readEntry({ reader, packages, indent }: Place, key: string, entry: Fields, line: number): number | undefined {
  const column = 2 * indent + 1;
  const added: Draft<ResolvedPackage> = {
    key,
    name: "",
    version: "",
    source: { kind: "registry" },
    dev: false,
    optional: false,
    peer: false,
    line,
    column,
  };
  let declaredName: string | undefined;
  let resolved = "";
  let link = false;
  let inBundle = false;
  let lines = 2;
  let starts: Record<string, number> | undefined;
  for (const field in entry) {
    const value = entry[field];
    const isText = typeof value === "string";
    switch (field) {
      case "version":
        if (!isText) return undefined;
        added.version = value;
        break;
      case "resolved":
        if (!isText) return undefined;
        resolved = value;
        break;
      case "integrity": {
        if (!isText) return undefined;
        if (value === "") break;
        const integrity = SHA512.test(value) ? ({ kind: "sri", value } as const) : readSri(value);
        if (integrity === undefined) return undefined;
        added.integrity = integrity;
        break;
      }
      case "dependencies":
      case "optionalDependencies":
      case "peerDependencies": {
        const record = recordOf(value);
        if (record === undefined) return undefined;
        if (record !== EMPTY) added[field] = record;
        (starts ??= {})[field] = line + lines - 1;
        break;
      }
      case "devDependencies":
        (starts ??= {})[field] = line + lines - 1;
        break;
      case "dev":
      case "optional":
      case "devOptional":
      case "peer":
      case "hasInstallScript":
      case "link":
      case "inBundle":
        if (value === false) break;
        if (value !== true) return undefined;
        if (field === "devOptional") added.optional = true;
        else if (field === "link") link = true;
        else if (field === "inBundle") inBundle = true;
        else added[field] = true;
        break;
      case "name":
        if (!isText) return undefined;
        declaredName = value;
        break;
      case "deprecated":
        if (!isText) return undefined;
        added.deprecated = value;
        break;
      case "os":
      case "cpu":
      case "libc": {
        const values = isText ? [value] : value;
        if (!Array.isArray(values) || !values.every((one) => typeof one === "string")) return undefined;
        if (values.length > 0) added[field] = values;
      }
    }
    lines += typeof value === "object" ? linesOf(value) : 1;
  }
  if (lines === 2) lines = 1;

  const located = nameAtLocation(key);
  if (located === undefined && !link) {
    const dependencies = declaredBy(entry, starts, indent);
    if (dependencies === undefined || resolved !== "") return undefined;
    const name = declaredName === undefined ? {} : { name: declaredName };
    reader.importers.push({ path: key || ".", ...name, dependencies, line, column });
    if (key === "") return lines;
  }
  // npm writes to the location as it stands: what is no plain path is looked at closely elsewhere.
  if (located === "" || key.includes("/.") || key.includes("//")) return undefined;

  const installedAs = located ?? declaredName ?? folderName(key);
  added.name = declaredName ?? installedAs;
  if (added.name !== installedAs) added.alias = installedAs;
  const source = sourceFor(packages, added, { resolved, link, inBundle, inside: located !== undefined });
  if (source === undefined) return undefined;
  added.source = source;
  if (source.kind === "registry" && !isVersion(added.version)) return undefined;
  if (!LOCAL.has(source.kind) || source.kind === "bundled")
    for (const name of [added.name, added.alias])
      if (name !== undefined && !USUAL_NAME.test(name) && !isPackageName(name)) return undefined;
  const problem = trustProblem(added);
  if (problem !== undefined) reportAt(reader, problem.code, added, problem.message);
  reader.packages.push(added);
  return lines;
}

/** Undefined: not one that is known for certain here. */
function sourceFor(
  packages: Fields,
  { key, name, version }: ResolvedPackage,
  {
    resolved,
    link,
    inBundle,
    inside,
  }: { readonly resolved: string; readonly link: boolean; readonly inBundle: boolean; readonly inside: boolean },
): LockSource | undefined {
  if (link) return isHttp(resolved) ? undefined : { kind: "link", path: resolved };
  if (resolved !== "") {
    if (isUsual(resolved, name, version)) return { kind: "registry", url: resolved };
    const source = sourceOf(resolved);
    return source.kind === "registry" ? undefined : source;
  }
  if (!inside) return { kind: "workspace", path: key };
  return inBundle && hasBundler(packages, key) ? { kind: "bundled" } : { kind: "registry" };
}

/** As `isUsualPath`. What the engine does by itself is quick from the first entry on. */
function isUsual(url: string, name: string, version: string): boolean {
  const path = `/${name}/-/${unscoped(name)}-${version}.tgz`;
  return url.endsWith(path) && url.length - path.length > "http://".length && isHttp(url);
}

/** 64 bytes, in the one spelling base64 has for them. */
const SHA512 = /^sha512-[A-Za-z0-9+/]{85}[AQgw]==$/;

/** True when a package around this location, itself in `node_modules`, says it bundles something. */
function hasBundler(packages: Fields, key: string): boolean {
  for (let end = key.lastIndexOf("/node_modules/"); end > 0; end = key.lastIndexOf("/node_modules/", end - 1)) {
    const outer = key.slice(0, end);
    const entry = nameAtLocation(outer) !== undefined && Object.hasOwn(packages, outer) ? packages[outer] : undefined;
    if (isMap(entry) && entry["bundleDependencies"] !== undefined) return true;
  }
  return false;
}

const EMPTY: Readonly<Record<string, string>> = Object.freeze({});

/** Names to ranges, without a prototype as everywhere; undefined when it is something else. */
function recordOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isMap(value)) return undefined;
  let record: Record<string, string> | undefined;
  for (const name in value) {
    const range = value[name];
    if (typeof range !== "string") return undefined;
    (record ??= Object.create(null) as Record<string, string>)[name] = range;
  }
  return record ?? EMPTY;
}

/** What an importer declares, each with its own line. */
function declaredBy(entry: Fields, starts: Readonly<Record<string, number>> | undefined, indent: number): readonly Declared[] | undefined {
  const declared: Declared[] = [];
  for (const [field, kind] of DECLARED) {
    const start = starts?.[field];
    if (start === undefined) continue;
    const ranges = entry[field];
    if (!isMap(ranges)) return undefined;
    let line = start;
    for (const name in ranges) {
      const range = ranges[name];
      if (typeof range !== "string") return undefined;
      declared.push({ name, kind, range, line: ++line, column: 4 * indent + 1 });
    }
  }
  return declared;
}
