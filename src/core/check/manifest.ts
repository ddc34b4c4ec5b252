/** What a project says it wants: package.json and what stands beside it, as text, with places. Never throws on content. */
import type { Reader } from "../lockfile/document.ts";
import { openReader, position, textAt } from "../lockfile/document.ts";
import { splitAtVersion } from "../lockfile/identity.ts";
import { readJson } from "../lockfile/json.ts";
import type { NodeId } from "../lockfile/tape.ts";
import { childAt, childrenOf, keyOf, kindOf, startOf, valueOf } from "../lockfile/tape.ts";
import { readAnyYaml } from "../lockfile/yaml.ts";

export type ManifestDependency = {
  readonly name: string;
  readonly kind: "prod" | "dev" | "optional" | "peer";
  /** As written. */
  readonly range: string;
  readonly line: number;
  readonly column: number;
};

/** A rule that replaces what dependencies ask for: npm's `overrides`, yarn's `resolutions`, pnpm's `overrides`. */
export type Override = {
  /** The package whose version is replaced. */
  readonly name: string;
  /** What it is replaced by, `$name` resolved. */
  readonly spec: string;
  /** As written, outermost first: `a>b@^1`. */
  readonly selector: string;
  readonly line: number;
  readonly column: number;
};

/** An install script a project allows or denies; `range` absent = of every version. */
export type ScriptApproval = { readonly name: string; readonly range?: string };

/** Install scripts a project allows. `listed` false: it has no such list, and the client does as it does. */
export type ScriptApprovals = {
  readonly listed: boolean;
  /** Every script runs, because the project says so. */
  readonly all: boolean;
  readonly allowed: readonly ScriptApproval[];
  readonly denied: readonly ScriptApproval[];
};

export type ManifestProblem = {
  readonly message: string;
  /** Where it stands when that is not the manifest: the workspace's own file. */
  readonly path?: string;
  readonly line: number;
  readonly column: number;
};

export type Manifest = {
  /** The file, relative to the folder that is checked. */
  readonly path: string;
  /** Which importer of the lockfile it is: its folder relative to the lockfile's, `.` for the lockfile's own. */
  readonly importer: string;
  /** A lockfile stands beside it, in a folder that is not the one being checked. */
  readonly ownLockfile?: boolean;
  readonly name?: string;
  readonly version?: string;
  readonly dependencies: readonly ManifestDependency[];
  readonly overrides: readonly Override[];
  /** Names whose code is inside this package's own tarball. */
  readonly bundled: readonly string[];
  readonly approvals: ScriptApprovals;
  readonly problems: readonly ManifestProblem[];
};

/** What pnpm-workspace.yaml adds to the root manifest. */
export type WorkspaceSettings = {
  readonly path: string;
  /** Ranges by catalog and name; the unnamed catalog is `default`. */
  readonly catalogs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly overrides: readonly Override[];
  readonly approvals: ScriptApprovals;
  readonly problems: readonly ManifestProblem[];
};

export const NO_APPROVALS: ScriptApprovals = { listed: false, all: false, allowed: [], denied: [] };

/** Reads a package.json, or a deno.json with its `imports`. `importer` is kept as given. */
export function readManifest(path: string, importer: string, text: string): Manifest {
  const reader = openReader("unknown", path, text);
  const deno = /(?:^|\/)deno\.jsonc?$/.test(path);
  readJson(reader, deno);
  const root = rootOf(reader, "the manifest");
  const dependencies: ManifestDependency[] = [];
  if (root === undefined)
    return { path, importer, dependencies, overrides: [], bundled: [], approvals: NO_APPROVALS, problems: problemsOf(reader) };
  if (deno) readImports(reader, root, dependencies);
  for (const [field, kind] of FIELDS) readRanges(reader, root, field, kind, dependencies);
  const name = textAt(reader, root, "name", "");
  const version = textAt(reader, root, "version", "");
  return {
    path,
    importer,
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    dependencies,
    overrides: readOverrides(reader, root, dependencies),
    bundled: readBundled(reader, root, dependencies),
    approvals: readApprovals(reader, root, deno),
    problems: problemsOf(reader),
  };
}

export function readWorkspaceSettings(path: string, text: string): WorkspaceSettings {
  const reader = openReader("unknown", path, text);
  readAnyYaml(reader);
  const root = rootOf(reader, "the workspace file", true);
  if (root === undefined) return { path, catalogs: {}, overrides: [], approvals: NO_APPROVALS, problems: problemsOf(reader) };
  const { tape } = reader;
  const catalogs: Record<string, Record<string, string>> = {};
  const plain = childAt(tape, root, "catalog");
  if (plain !== undefined) catalogs["default"] = textsIn(reader, plain, "catalog");
  const named = childAt(tape, root, "catalogs");
  for (const each of named === undefined ? [] : childrenOf(tape, named)) catalogs[keyOf(tape, each)] = textsIn(reader, each, "catalogs");
  return {
    path,
    catalogs,
    overrides: readFlat(reader, childAt(tape, root, "overrides"), [], pnpmSelector),
    approvals: readApprovals(reader, root, false),
    problems: problemsOf(reader),
  };
}

/** The root manifest with what pnpm-workspace.yaml says; catalog references become the ranges they stand for. */
export function withSettings(manifest: Manifest, { path, catalogs, overrides, approvals, problems }: WorkspaceSettings): Manifest {
  return {
    ...manifest,
    problems: [...manifest.problems, ...problems.map((problem) => ({ ...problem, path }))],
    overrides: [...manifest.overrides, ...overrides.map((each) => ({ ...each, spec: fromCatalog(each.spec, each.name, catalogs) }))],
    approvals: joinApprovals(manifest.approvals, approvals),
  };
}

export function joinApprovals(one: ScriptApprovals, other: ScriptApprovals): ScriptApprovals {
  return {
    listed: one.listed || other.listed,
    all: one.all || other.all,
    allowed: [...one.allowed, ...other.allowed],
    denied: [...one.denied, ...other.denied],
  };
}

/** `catalog:` and `catalog:name` as the range they stand for; anything else, and a catalog nobody knows, as it is. */
export function fromCatalog(range: string, name: string, catalogs: WorkspaceSettings["catalogs"]): string {
  if (!range.startsWith("catalog:")) return range;
  const catalog = range.slice("catalog:".length).trim() || "default";
  const ranges = Object.hasOwn(catalogs, catalog) ? catalogs[catalog]! : {};
  return Object.hasOwn(ranges, name) ? ranges[name]! : range;
}

// --- dependencies ---------------------------------------------------------------------------------------------------------------------------

const FIELDS: readonly (readonly [string, ManifestDependency["kind"]])[] = [
  ["dependencies", "prod"],
  ["devDependencies", "dev"],
  ["optionalDependencies", "optional"],
  ["peerDependencies", "peer"],
];

function readRanges(reader: Reader, root: NodeId, field: string, kind: ManifestDependency["kind"], into: ManifestDependency[]): void {
  const { tape } = reader;
  const map = childAt(tape, root, field);
  if (map === undefined) return;
  if (kindOf(tape, map) !== "map") return complain(reader, map, `${field} should be a map`);
  for (const node of childrenOf(tape, map)) {
    const name = keyOf(tape, node);
    if (kindOf(tape, node) !== "text") complain(reader, node, `${field}.${name} should be a string`);
    else into.push({ name, kind, range: valueOf(tape, node), ...position(reader, startOf(tape, node)) });
  }
}

/** deno's `imports`: `"chalk": "npm:chalk@^5"`. Other places are none of npm's. */
function readImports(reader: Reader, root: NodeId, into: ManifestDependency[]): void {
  const { tape } = reader;
  const imports = childAt(tape, root, "imports");
  if (imports === undefined) return;
  if (kindOf(tape, imports) !== "map") return complain(reader, imports, "imports should be a map");
  for (const node of childrenOf(tape, imports)) {
    const target = /^(?:npm|jsr):\/?(.+)$/.exec(valueOf(tape, node))?.[1];
    if (target === undefined) continue;
    const parts = splitAtVersion(target) ?? { name: target, rest: "" };
    // What follows the version is a path inside of the package.
    into.push({ name: parts.name, kind: "prod", range: parts.rest.replace(/\/.*$/, ""), ...position(reader, startOf(tape, node)) });
  }
}

function readBundled(reader: Reader, root: NodeId, dependencies: readonly ManifestDependency[]): readonly string[] {
  const { tape } = reader;
  for (const field of ["bundleDependencies", "bundledDependencies"]) {
    const node = childAt(tape, root, field);
    if (node === undefined) continue;
    if (kindOf(tape, node) === "list") return childrenOf(tape, node).map((item) => valueOf(tape, item));
    // `true`: all of them.
    if (valueOf(tape, node) === "true") return dependencies.filter(({ kind }) => kind === "prod").map(({ name }) => name);
    if (valueOf(tape, node) !== "false") complain(reader, node, `${field} should be a list`);
  }
  return [];
}

// --- overrides ------------------------------------------------------------------------------------------------------------------------------

function readOverrides(reader: Reader, root: NodeId, dependencies: readonly ManifestDependency[]): readonly Override[] {
  const { tape } = reader;
  const pnpm = childAt(tape, root, "pnpm");
  const of = (owner: NodeId | undefined, key: string): NodeId | undefined =>
    owner !== undefined && kindOf(tape, owner) === "map" ? childAt(tape, owner, key) : undefined;
  const found: Override[] = [];
  readNested(reader, of(root, "overrides"), [], dependencies, found);
  found.push(...readFlat(reader, of(root, "resolutions"), dependencies, yarnSelector));
  found.push(...readFlat(reader, of(pnpm, "overrides"), dependencies, pnpmSelector));
  return found;
}

/** npm: maps in maps; `.` is the package the map is about. */
function readNested(
  reader: Reader,
  node: NodeId | undefined,
  outer: readonly string[],
  dependencies: readonly ManifestDependency[],
  into: Override[],
): void {
  if (node === undefined) return;
  const { tape } = reader;
  if (kindOf(tape, node) !== "map") return complain(reader, node, "overrides should be a map");
  for (const child of childrenOf(tape, node)) {
    const key = keyOf(tape, child);
    const path = key === "." ? outer : [...outer, key];
    if (kindOf(tape, child) === "map") readNested(reader, child, path, dependencies, into);
    else if (kindOf(tape, child) === "text" && path.length > 0)
      into.push(overrideAt(reader, child, path.join(">"), nameOf(path.at(-1)!), dependencies));
    else complain(reader, child, `the override of ${key} should be a string or a map`);
  }
}

function readFlat(
  reader: Reader,
  node: NodeId | undefined,
  dependencies: readonly ManifestDependency[],
  nameOfSelector: (selector: string) => string,
): Override[] {
  if (node === undefined) return [];
  const { tape } = reader;
  if (kindOf(tape, node) !== "map") {
    complain(reader, node, `${keyOf(tape, node)} should be a map`);
    return [];
  }
  return childrenOf(tape, node).flatMap((child) => {
    const selector = keyOf(tape, child);
    const kind = kindOf(tape, child);
    if (kind !== "map" && kind !== "list") return [overrideAt(reader, child, selector, nameOfSelector(selector), dependencies)];
    complain(reader, child, `the override of ${selector} should be a string`);
    return [];
  });
}

function overrideAt(reader: Reader, node: NodeId, selector: string, name: string, dependencies: readonly ManifestDependency[]): Override {
  const written = valueOf(reader.tape, node);
  // npm and pnpm: `$name` is what the root itself asks for.
  const asked = written.startsWith("$") ? dependencies.find((each) => each.name === written.slice(1))?.range : undefined;
  return { name, spec: asked ?? written, selector, ...position(reader, startOf(reader.tape, node)) };
}

function nameOf(text: string): string {
  return splitAtVersion(text)?.name ?? text;
}

/** yarn: `**`/`a`/`b`, with or without `@npm:range`; the last name is meant. */
function yarnSelector(selector: string): string {
  const plain = selector.replace(/(?<=[^/])@.*$/, "");
  return /(?:^|\/)((?:@[^/]+\/)?[^/]+)$/.exec(plain)?.[1] ?? plain;
}

/** pnpm: `a@1>b@2`. */
function pnpmSelector(selector: string): string {
  return nameOf(
    selector
      .split(/>(?!=)/)
      .at(-1)!
      .trim(),
  );
}

// --- install scripts ------------------------------------------------------------------------------------------------------------------------

/** npm's `allowScripts`, deno's of the same name (whose names run, and nobody else's), pnpm's `allowBuilds` and its older lists, bun's `trustedDependencies`, yarn's `dependenciesMeta.built`. */
function readApprovals(reader: Reader, root: NodeId, deno: boolean): ScriptApprovals {
  const { tape } = reader;
  const pnpm = childAt(tape, root, "pnpm");
  const homes = pnpm !== undefined && kindOf(tape, pnpm) === "map" ? [root, pnpm] : [root];
  const allowed: ScriptApproval[] = [];
  const denied: ScriptApproval[] = [];
  let listed = false;
  let all = false;
  for (const home of homes) {
    for (const field of ["allowScripts", "allowBuilds"]) {
      const node = childAt(tape, home, field);
      if (node === undefined) continue;
      listed = true;
      // deno: a list of names, `true`, or a map of both kinds under `allow` and `deny`.
      const allow = deno && kindOf(tape, node) === "map" ? childAt(tape, node, "allow") : node;
      if (allow !== undefined && valueOf(tape, allow) === "true") all = true;
      if (deno) continue;
      for (const child of kindOf(tape, node) === "map" ? childrenOf(tape, node) : []) {
        const approval = approvalOf(keyOf(tape, child));
        const value = valueOf(tape, child);
        if (value === "true") allowed.push(approval);
        else if (value === "false") denied.push(approval);
        // The tool of that name, older than npm's own field, has ranges here.
        else if (kindOf(tape, child) === "text") allowed.push({ name: approval.name, range: value });
      }
    }
    for (const [field, into] of [
      ["onlyBuiltDependencies", allowed],
      ["trustedDependencies", allowed],
      ["neverBuiltDependencies", denied],
      ["ignoredBuiltDependencies", denied],
    ] as const) {
      const node = childAt(tape, home, field);
      if (node === undefined || kindOf(tape, node) !== "list") continue;
      listed = true;
      for (const item of childrenOf(tape, node)) into.push(approvalOf(valueOf(tape, item)));
    }
    const every = childAt(tape, home, "dangerouslyAllowAllBuilds");
    all ||= every !== undefined && valueOf(tape, every) === "true";
  }
  const meta = childAt(tape, root, "dependenciesMeta");
  for (const child of meta !== undefined && kindOf(tape, meta) === "map" ? childrenOf(tape, meta) : []) {
    const built = kindOf(tape, child) === "map" ? childAt(tape, child, "built") : undefined;
    if (built === undefined) continue;
    listed = true;
    (valueOf(tape, built) === "true" ? allowed : denied).push(approvalOf(keyOf(tape, child)));
  }
  return { listed, all, allowed, denied };
}

/** `name`, `name@1.2.3`, `name@1.2.3 || 1.2.4`. */
function approvalOf(text: string): ScriptApproval {
  const parts = splitAtVersion(text.trim());
  return parts === undefined ? { name: text.trim() } : { name: parts.name, range: parts.rest };
}

// --- reading ----------------------------------------------------------------------------------------------------------------------------------

function rootOf(reader: Reader, what: string, mayBeEmpty = false): NodeId | undefined {
  const root = reader.tape.roots[0];
  if (root === undefined) {
    if (!mayBeEmpty && reader.problems.length === 0) reader.problems.push(problem(`${what} is empty`, { line: 1, column: 1 }));
    return undefined;
  }
  if (kindOf(reader.tape, root) === "map") return root;
  if (kindOf(reader.tape, root) !== "null" || !mayBeEmpty) complain(reader, root, `${what} should be a map`);
  return undefined;
}

function textsIn(reader: Reader, map: NodeId, label: string): Record<string, string> {
  const { tape } = reader;
  if (kindOf(tape, map) !== "map") {
    complain(reader, map, `${label} should be a map`);
    return {};
  }
  // Without a prototype any name is only a name.
  const texts = Object.create(null) as Record<string, string>;
  for (const child of childrenOf(tape, map)) texts[keyOf(tape, child)] = valueOf(tape, child);
  return texts;
}

function complain(reader: Reader, node: NodeId, message: string): void {
  reader.problems.push(problem(message, position(reader, startOf(reader.tape, node))));
}

function problem(message: string, at: { line: number; column: number }): Reader["problems"][number] {
  return { code: "wrong-type", severity: "error", message, ...at };
}

function problemsOf({ problems }: Reader): readonly ManifestProblem[] {
  return problems.map(({ message, line, column }) => ({ message, line, column }));
}
