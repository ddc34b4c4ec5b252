/** How each client spells a repair: ranges and overrides in manifests, and the commands that bring its lockfile in step afterwards. */
import type { ClientId, FileEdit } from "../client/client.ts";
import { jsonAt, putJson } from "../client/json-edit.ts";
import { dropEntries } from "../lockfile/drop.ts";
import type { ResolvedTree } from "../lockfile/tree.ts";
import { appendLines, lineEnd, readYaml, replaceValue, setting } from "../client/settings.ts";

/** A manifest, a settings file or the lockfile, as it stands. */
export type RepairFile = {
  /** Relative to the project, forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The importer it is the manifest of (`.` for the root); absent for other files. */
  readonly importer?: string;
  /** Declared ranges by name, catalog references as written; empty for other files. */
  readonly ranges: ReadonlyMap<string, string>;
};

const FIELDS = ["dependencies", "devDependencies", "optionalDependencies"] as const;

/** A file for `planRepair`; `importer` says whose manifest it is. */
export function repairFile(path: string, text: string, importer?: string): RepairFile {
  if (importer === undefined) return { path, text, ranges: new Map() };
  const ranges = FIELDS.toReversed().flatMap((field) => jsonAt(text, [field])?.members ?? []);
  return { path, text, importer, ranges: new Map(ranges.map(({ key, value }) => [key, value])) };
}

/**
 * What brings the lockfile in step with the manifests, and fills in what was taken out of it, without running scripts; checked against the
 * pinned clients. Only yarn 1 has no way to write its lockfile alone.
 */
export function lockCommand(client: ClientId): readonly string[] {
  switch (client) {
    case "npm":
      return ["install", "--package-lock-only", "--ignore-scripts"];
    case "pnpm":
      return ["install", "--lockfile-only", "--no-frozen-lockfile", "--fix-lockfile"];
    case "yarn-classic":
      return ["install", "--ignore-scripts", "--non-interactive"];
    case "yarn-berry":
      return ["install", "--mode=update-lockfile", "--no-immutable"];
    case "bun":
      return ["install", "--lockfile-only", "--ignore-scripts"];
    case "deno":
      return ["install", "--lockfile-only"];
  }
}

export type Written = { readonly path: string; readonly where: string } | { readonly why: string };

export type OverrideRequest = {
  readonly parent: string;
  /** The name it is asked for by. */
  readonly name: string;
  /** The package it is: differs where it is asked for by an alias. */
  readonly real: string;
  readonly from: string;
  readonly to: string;
  /** Nobody else asks for the version. */
  readonly alone: boolean;
};

export type Manifests = {
  /** Takes an entry out of the lockfile, so that the client chooses anew for it alone; false where that cannot be done. */
  letGo(entry: { readonly name: string; readonly version: string }): boolean;
  changeRange(path: string, name: string, range: string): Written;
  override(request: OverrideRequest): Written;
  /** Every file that came to differ. */
  edits(): readonly FileEdit[];
};

/** Collects edits over the files of one project; each builds on what was written before it. */
export function openManifests({
  client,
  major,
  files,
  tree: { path: lockfile, packages },
}: {
  readonly client: ClientId;
  readonly major?: number;
  readonly files: readonly RepairFile[];
  readonly tree: Pick<ResolvedTree, "path" | "packages">;
}): Manifests {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const root = files.find(({ importer }) => importer === ".")?.path ?? "package.json";

  function putIn(path: string, keys: readonly string[], value: string): Written {
    const text = texts.get(path);
    const edited = text === undefined ? undefined : putJson(text, keys, value);
    if (edited === undefined) return { why: `${path} cannot be written: ${keys.join(".")}` };
    texts.set(path, edited);
    return { path, where: keys.join(" > ") };
  }

  function putCatalog(reference: string, name: string, range: string): Written {
    const catalog = reference.slice("catalog:".length).trim();
    const keys =
      catalog === "" || catalog === "default" ? [`catalog.${name}`, `catalogs.default.${name}`] : [`catalogs.${catalog}.${name}`];
    const text = texts.get(WORKSPACE) ?? "";
    const { settings } = readYaml(text);
    const present = keys.map((one) => setting(settings, one)).find((one) => one !== undefined);
    if (!present) return { why: `${WORKSPACE} has no ${keys[0]}` };
    texts.set(WORKSPACE, replaceValue(text, present, JSON.stringify(range)));
    return { path: WORKSPACE, where: present.key };
  }

  /** pnpm 11 reads nothing but pnpm-workspace.yaml, pnpm 9 nothing but package.json. */
  function putPnpmOverride(selector: string, to: string): Written {
    const inWorkspace = texts.get(WORKSPACE);
    const inManifest = jsonAt(texts.get(root) ?? "", ["pnpm", "overrides"]) !== undefined;
    const wanted =
      major === undefined
        ? inWorkspace !== undefined && !inManifest
        : major >= 11 || (major === 10 && inWorkspace !== undefined && !inManifest);
    if (!wanted) return putIn(root, ["pnpm", "overrides", selector], to);
    const edited = putYamlMember(inWorkspace ?? "", "overrides", selector, to);
    if (edited === undefined) return { why: `${WORKSPACE} cannot be written: overrides` };
    texts.set(WORKSPACE, edited);
    return { path: WORKSPACE, where: `overrides > ${selector}` };
  }

  return {
    letGo(entry) {
      const text = texts.get(lockfile);
      const edited = text === undefined ? undefined : dropEntries(lockfile, text, [entry]);
      if (edited !== undefined) texts.set(lockfile, edited);
      return edited !== undefined;
    },
    changeRange(path, name, range) {
      const file = files.find((one) => one.path === path);
      const written = file?.ranges.get(name);
      if (written?.startsWith("catalog:")) return putCatalog(written, name, range);
      const field = FIELDS.find((one) => jsonAt(texts.get(path) ?? "", [one, name]) !== undefined);
      return field === undefined ? { why: `${path} does not declare ${name} itself` } : putIn(path, [field, name], range);
    },
    override({ parent, name, real, from, to, alone }) {
      const value = name === real ? to : `npm:${real}@${to}`;
      // A rule that stands already wins over one beside it, or is why the version is there at all.
      const standing = standingRules(client, name).find((keys) => jsonAt(texts.get(root) ?? "", keys)?.kind === "text");
      if (standing) return putIn(root, standing, value);
      switch (client) {
        case "npm": {
          // npm takes a text for the parent's own version: what is said of its dependencies stands beside it, under itself.
          const present = jsonAt(texts.get(root) ?? "", ["overrides", parent]);
          if (present !== undefined && present.kind !== "map") {
            const moved = putJson(texts.get(root)!, ["overrides", parent], { ".": present.value, [name]: value });
            if (moved === undefined) return { why: `${root} cannot be written: overrides` };
            texts.set(root, moved);
            return { path: root, where: `overrides > ${parent} > ${name}` };
          }
          return putIn(root, ["overrides", parent, name], value);
        }
        case "pnpm":
          return putPnpmOverride(alone ? `${parent}>${name}` : `${name}@${from}`, value);
        case "yarn-classic":
          // Without the stars yarn 1 means a parent the project itself asks for.
          return putIn(root, ["resolutions", `**/${parent}/${name}`], value);
        case "yarn-berry":
          return putIn(root, ["resolutions", `${parent}/${name}`], value);
        case "bun":
          // bun knows no parents: every copy of the package would become this version.
          if (packages.some((one) => one.name === real && one.version !== from && one.source.kind === "registry"))
            return { why: `bun overrides a package everywhere, and other versions of ${real} are in use; change what asks for it` };
          return putIn(root, ["overrides", name], value);
        case "deno":
          return { why: "deno has no overrides; change what asks for it" };
      }
    },
    edits() {
      const before = new Map(files.map(({ path, text }) => [path, text]));
      return [...texts].flatMap(([path, after]): FileEdit[] =>
        before.get(path) === after ? [] : [{ path, before: before.get(path), after }],
      );
    },
  };
}

function standingRules(client: ClientId, name: string): readonly (readonly string[])[] {
  switch (client) {
    case "npm":
    case "bun":
      return [["overrides", name]];
    case "pnpm":
      return [["pnpm", "overrides", name]];
    case "yarn-classic":
    case "yarn-berry":
      return [
        ["resolutions", name],
        ["resolutions", `**/${name}`],
      ];
    case "deno":
      return [];
  }
}

const WORKSPACE = "pnpm-workspace.yaml";

/** One member of a top-level map in YAML, put in the map's own layout; undefined when it cannot be told where it belongs. */
function putYamlMember(text: string, map: string, key: string, value: string): string | undefined {
  const { settings, problem } = readYaml(text);
  if (problem !== undefined) return undefined;
  const member = `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
  const present = setting(settings, `${map}.${key}`);
  const owner = setting(settings, map);
  const eol = lineEnd(text);
  let edited: string;
  if (present) edited = replaceValue(text, present, JSON.stringify(value));
  else if (!owner) edited = appendLines(text, [`${map}:`, `  ${member}`]);
  else if (text[owner.start] === "{")
    edited = `${text.slice(0, owner.start + 1)} ${member}${/^\{\s*\}$/.test(owner.value) ? " " : ","}${text.slice(owner.start + 1)}`;
  else
    edited = `${text.slice(0, owner.start)}${member}${eol}${text.slice(text.lastIndexOf("\n", owner.start) + 1, owner.start)}${text.slice(owner.start)}`;
  return setting(readYaml(edited).settings, `${map}.${key}`)?.value === value ? edited : undefined;
}
