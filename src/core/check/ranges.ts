/**
 * Whether each entry is what those who need it ask for: by name (an alias nobody declared is another package under a trusted name), by
 * version, and by kind of source. npm and bun repeat every range, yarn keeps them in the keys, pnpm and deno only say what manifests ask.
 */
import { importerKey, type Placed } from "../lockfile/graph.ts";
import { splitAtVersion } from "../lockfile/identity.ts";
import type { Dependencies, ResolvedPackage, ResolvedTree } from "../lockfile/tree.ts";
import type { Manifest, Override } from "./manifest.ts";
import type { Report } from "./raw.ts";
import { called } from "./raw.ts";
import type { Asked } from "./satisfies.ts";

/** Who asks: a package's or an importer's words for a message. */
type Need = { readonly who: string; readonly name: string; readonly range: string };

type Answers = {
  readonly tree: ResolvedTree;
  readonly overrides: ReadonlyMap<string, readonly Override[]>;
  /** Names of the workspace's own packages: they answer for themselves. */
  readonly members: ReadonlySet<string>;
  readonly asked: Asked;
  readonly report: Report;
};

/** `placed` is asked for where packages stand in directories. */
export function checkRanges(tree: ResolvedTree, manifests: readonly Manifest[], placed: () => Placed, asked: Asked, report: Report): void {
  const byName = new Map<string, Override[]>();
  for (const override of manifests.flatMap(({ overrides }) => overrides)) {
    const known = byName.get(override.name);
    if (known) known.push(override);
    else byName.set(override.name, [override]);
  }
  const members = new Set(manifests.flatMap(({ name }) => name ?? []));
  for (const { source, name } of tree.packages) if (source.kind === "workspace") members.add(name);
  const answers = { tree, overrides: byName, members, asked, report };
  switch (tree.kind) {
    case "package-lock":
    case "npm-shrinkwrap":
    case "npm-hidden":
    case "bun":
      return checkPlaced(answers, placed());
    case "yarn-classic":
    case "yarn-berry":
      return checkDescriptors(answers);
    case "pnpm":
    case "deno":
      return checkReferences(answers);
    case "bun-binary":
    case "unknown":
  }
}

// --- npm, bun: packages stand where node finds them -------------------------------------------------------------------------------------------

function checkPlaced(answers: Answers, { edges, words, alike, resolve }: Placed): void {
  const { tree, asked, report } = answers;
  const { packages } = tree;
  const { first, to: targets } = edges;
  // What answered these words last and was right: to copies that ask, copies of it mostly answer.
  const right = new Int32Array(words.names.length).fill(-1);
  for (let from = 0; from < packages.length; from++) {
    const { key, dependencies, source } = packages[from]!;
    if (isOutside(key)) continue;
    const end = first[from + 1]!;
    if (source.kind === "link" && saysTargets(tree) && targets[end - 1]! < 0)
      report({
        rule: "lockfile-dangling",
        entry: from,
        message: `links to ${source.path || "nothing"}, which is not in the file`,
        mark: "link",
      });
    for (let edge = first[from]!, word = words.at[from]!; edge < end; edge++, word++) {
      const range = words.ranges[word];
      if (range === undefined) continue;
      const name = words.names[word]!;
      const to = targets[edge]!;
      if (to >= 0) {
        if (right[word] === alike[to]) continue;
        if (isPlainlyRight(packages[to]!, name, range, asked)) right[word] = alike[to]!;
        else judge(answers, to, { who: called(packages[from]!), name, range });
      } else if (!isLocal(range)) {
        const optional = dependencies === undefined || !Object.hasOwn(dependencies, name);
        reportDangling(from, name, range, optional ? "low" : "medium", report);
      }
    }
  }
  for (const importer of tree.importers)
    for (const { name, kind, range, line, column } of importer.dependencies) {
      if (range === undefined || kind === "peer" || isOutside(importer.path)) continue;
      const to = resolve(importerKey(tree.kind, importer), name, range);
      if (to !== undefined) judge(answers, to, { who: whoIs(importer.path), name, range });
      else if (!isLocal(range))
        report({
          rule: "lockfile-dangling",
          severity: kind === "optional" ? "low" : "medium",
          at: { line, column },
          name,
          message: `${whoIs(importer.path)} needs ${name} (${range}), which is not in the file`,
          mark: importer.path,
        });
    }
}

/** A directory beside the project that is linked to: npm installs nothing there. */
function isOutside(path: string): boolean {
  return path.startsWith("../");
}

function reportDangling(entry: number, name: string, range: string, severity: "low" | "medium", report: Report): void {
  report({ rule: "lockfile-dangling", severity, entry, message: `needs ${name} (${range}), which is not in the file`, mark: name });
}

/** npm since 7 lists the directory a link points at. */
function saysTargets({ kind, version }: ResolvedTree): boolean {
  return kind !== "bun" && Number(version) >= 2;
}

/** The usual case, without a word: a registry package under its own name in a plain range. */
function isPlainlyRight(entry: ResolvedPackage, name: string, range: string, asked: Asked): boolean {
  return entry.source.kind === "registry" && entry.name === name && isPlain(range) && asked.holds(range, entry.version);
}

/** No protocol, no path: a range or a tag. */
function isPlain(range: string): boolean {
  return !range.includes(":") && !range.includes("/");
}

function isLocal(range: string): boolean {
  return /^(?:link|file|workspace|portal|\.)/.test(range);
}

function whoIs(importer: string): string {
  return importer === "." ? "the project" : importer;
}

// --- yarn: entries stand under what they answer --------------------------------------------------------------------------------------------

function checkDescriptors(answers: Answers): void {
  const { packages } = answers.tree;
  const known = new Set<string>();
  const names = new Set<string>();
  for (let index = 0; index < packages.length; index++) {
    const entry = packages[index]!;
    const { key } = entry;
    const descriptors = key.includes(",") ? key.split(/, */) : [key];
    for (const descriptor of descriptors) {
      known.add(descriptor);
      if (entry.source.kind === "workspace") continue;
      const parts = splitAtVersion(descriptor);
      if (parts === undefined || parts.name === "") continue;
      names.add(parts.name);
      let range = parts.rest;
      // A patch, and what is bound to a place, are what their locator says.
      if (range.startsWith("patch:") || range.includes("::")) continue;
      // yarn 2 on: `npm:^1.0.0` is a range, `npm:other@^1.0.0` an alias.
      if (range.startsWith("npm:") && !range.includes("@", 5)) range = range.slice(4);
      if (!isPlainlyRight(entry, parts.name, range, answers.asked)) judge(answers, index, { who: "its key", name: parts.name, range });
    }
  }
  for (let from = 0; from < packages.length; from++) {
    const { dependencies, optionalDependencies, patched, key } = packages[from]!;
    if (patched !== undefined) checkPatched(answers, known, from, key);
    const answered = (name: string, range: string): boolean => {
      if (known.has(`${name}@${range}`) || known.has(`${name}@npm:${range}`) || (range === "" && known.has(name))) return true;
      // yarn since 4.10: the range stands in .yarnrc.yml, and the entry under it. What the project replaces stands under what replaces it.
      const replaced = answers.overrides.get(name);
      if (range.startsWith("catalog:") || replaced !== undefined)
        return names.has(name) || (replaced ?? []).some(({ spec }) => isLocal(spec));
      return false;
    };
    checkAnswered(answers, answered, from, dependencies, "medium");
    checkAnswered(answers, answered, from, optionalDependencies, "low");
  }
}

/** A patch is put onto a package that has an entry of its own. */
function checkPatched({ report }: Answers, known: ReadonlySet<string>, from: number, key: string): void {
  const base = /@patch:((?:%[0-9A-Fa-f]{2}|[^#%\s])+)#/.exec(key)?.[1]?.replace(/%3A/gi, ":").replace(/%40/g, "@").replace(/%2F/gi, "/");
  // Those yarn brings itself leave out the protocol.
  if (base !== undefined && !base.includes("%") && !known.has(base) && !known.has(base.replace(/(?<=.)@/, "@npm:")))
    report({ rule: "lockfile-dangling", entry: from, message: `patches ${base}, which is not in the file`, mark: base });
}

/** Whether each dependency has an entry that stands under it. */
function checkAnswered(
  { members, report, tree }: Answers,
  answered: (name: string, range: string) => boolean,
  from: number,
  dependencies: Dependencies | undefined,
  severity: "low" | "medium",
): void {
  for (const name in dependencies) {
    const range = dependencies[name]!;
    if (answered(name, range) || members.has(name)) continue;
    // Directories and patches stand under where they are bound to.
    if (tree.kind === "yarn-berry" && /^(?:patch|portal|file|link|workspace|exec):/.test(range)) continue;
    reportDangling(from, name, range, severity, report);
  }
}

// --- pnpm, deno: importers say what was asked and what it became ------------------------------------------------------------------------

function checkReferences(answers: Answers): void {
  const { tree, report } = answers;
  const keys = keysOf(tree);
  for (let from = 0; from < tree.packages.length; from++) {
    const entry = tree.packages[from]!;
    // The reader has looked at the others.
    for (const { optionalDependencies } of entry.instances ?? [entry])
      for (const name in optionalDependencies) {
        const reference = optionalDependencies[name]!;
        if (!keys.has(reference) && !isLocal(reference)) reportDangling(from, name, reference, "low", report);
      }
  }
  for (const importer of tree.importers)
    for (const { name, range, resolved, kind, line, column } of importer.dependencies) {
      if (range === undefined || kind === "tool") continue;
      if (resolved === undefined) {
        if (tree.kind === "pnpm")
          report({
            rule: "lockfile-dangling",
            at: { line, column },
            name,
            message: `${whoIs(importer.path)} asks for ${name} ${range}, and nothing says what it became`,
            mark: importer.path,
          });
        continue;
      }
      const to = keys.get(resolved);
      if (to !== undefined)
        judge(answers, to, {
          who: whoIs(importer.path),
          name,
          range: tree.kind === "deno" ? range.replace(/\/.*$/, "") : range,
        });
    }
}

function keysOf(tree: ResolvedTree): Map<string, number> {
  const keys = new Map<string, number>();
  tree.packages.forEach((entry, index) => {
    if (entry.instances === undefined) keys.set(entry.key, index);
    else for (const { key } of entry.instances) keys.set(key, index);
  });
  return keys;
}

// --- one need, one entry ------------------------------------------------------------------------------------------------------------------------

function judge(answers: Answers, to: number, need: Need): void {
  const entry = answers.tree.packages[to]!;
  const wrong = differenceOf(answers, entry, need);
  if (wrong === undefined) return;
  // What the project replaces on purpose is held against what replaces it.
  const overrides = answers.overrides.get(need.name) ?? answers.overrides.get(entry.name) ?? [];
  const replaced = overrides.some(
    ({ spec }) =>
      spec === "" || spec === "-" || differenceOf(answers, entry, { ...need, range: spec.replace(/^npm:(?=[^@]*$)/, "") }) === undefined,
  );
  if (replaced) return;
  const override = overrides[0];
  answers.report({
    rule: wrong.rule,
    entry: to,
    message: `${need.who === "its key" ? "stands for" : `${need.who} asks for`} ${need.name} ${need.range || "*"}, ${wrong.what}`,
    evidence: override === undefined ? [] : [`the project replaces it by ${override.spec} (${override.selector})`],
    mark: `${need.who} ${need.name} ${need.range}`,
  });
}

type Difference = { readonly rule: "alias-undeclared" | "lockfile-stale"; readonly what: string };

function differenceOf({ asked }: Answers, entry: ResolvedPackage, { name, range }: Need): Difference | undefined {
  const { kind } = entry.source;
  const spec = asked.spec(range);
  const stale = (what: string): Difference => ({ rule: "lockfile-stale", what });
  const versioned = (wanted: string): Difference | undefined =>
    entry.version === "" || asked.holds(wanted, entry.version) ? undefined : stale(`the file has ${entry.version}`);
  const registry = kind === "registry" || kind === "bundled" || kind === "jsr";
  switch (spec.kind) {
    case "version":
    case "range":
    case "tag":
      // A member of the workspace answers for its name; yarn and pnpm take it whatever its version.
      if (kind === "workspace" || kind === "link") return undefined;
      if (kind === "git" || kind === "file" || kind === "module")
        return stale(`the file has ${called(entry)} from ${kind === "git" ? "git" : "this disk"}`);
      if (entry.name !== name) return { rule: "alias-undeclared", what: `the file has ${called(entry)}` };
      return spec.kind === "tag" ? undefined : versioned(range);
    case "alias":
      if (!registry && kind !== "tarball") return stale(`the file has ${called(entry)} from ${kind}`);
      if (entry.name !== spec.name) return { rule: "alias-undeclared", what: `the file has ${called(entry)}` };
      return spec.spec === "" || asked.spec(spec.spec).kind === "tag" ? undefined : versioned(spec.spec);
    case "git":
      return registry ? stale(`the file has ${called(entry)} from the registry`) : undefined;
    case "url":
      // npm keeps a registry's own URL as an ordinary entry.
      return kind === "git" || kind === "tarball" || kind === "registry" ? undefined : stale(`the file has ${called(entry)} from ${kind}`);
    case "file":
      return kind === "registry" && !range.startsWith("file:")
        ? undefined
        : registry && kind !== "bundled"
          ? stale(`the file has ${called(entry)} from the registry`)
          : undefined;
    case "workspace":
      // `catalog:` stands for a range that is written elsewhere.
      if (range.startsWith("catalog:") || kind === "workspace" || kind === "link" || kind === "file") return undefined;
      return stale(`the file has ${called(entry)} from ${kind}`);
    case "unknown":
      return undefined;
  }
}
