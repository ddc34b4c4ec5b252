/** Which folders are members of a workspace: the globs of manifests, expanded without following links or leaving the root. */
import fs from "node:fs";
import path from "node:path";

/** Members that `patterns` name and that hold a manifest; the root not among them. Absolute, sorted. */
export function membersOf(root: string, patterns: readonly string[]): readonly string[] {
  if (patterns.length === 0) return [];
  const excluded = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => globRegExp(pattern.slice(1)));
  const found = new Set<string>();
  for (const pattern of patterns.filter((each) => !each.startsWith("!")))
    for (const folder of expand(root, pattern.replace(/^\.\//, "").replace(/\/+$/, "").split("/"))) found.add(folder);
  found.delete(root);
  return [...found]
    .filter((folder) => !excluded.some((pattern) => pattern.test(path.relative(root, folder).replaceAll(path.sep, "/"))))
    .filter((folder) => MANIFESTS.some((name) => fs.existsSync(path.join(folder, name))))
    .toSorted();
}

const MANIFESTS = ["package.json", "deno.json", "deno.jsonc"];

/** The globs in what `package.json` (`workspaces`), `pnpm-workspace.yaml` (`packages`) or `deno.json` (`workspace`) says. */
export function patternsIn(...lists: readonly unknown[]): readonly string[] {
  return lists
    .flatMap((list) => [list, (list as { packages?: unknown } | null | undefined)?.packages])
    .flatMap((list) => (Array.isArray(list) ? list.filter((item): item is string => typeof item === "string" && item !== "") : []));
}

/** Folders below `folder` that match the segments; `**` is any depth. Links and `node_modules` are not entered, nothing leaves `folder`. */
function expand(folder: string, segments: readonly string[]): readonly string[] {
  const [segment, ...rest] = segments;
  if (segment === undefined) return [folder];
  if (segment === "..") return [];
  if (segment === "." || segment === "") return expand(folder, rest);
  if (!/[*?{[]/.test(segment)) return fs.existsSync(path.join(folder, segment)) ? expand(path.join(folder, segment), rest) : [];
  const inner = subfolders(folder);
  if (segment === "**") return [...expand(folder, rest), ...inner.flatMap((name) => expand(path.join(folder, name), segments))];
  const pattern = globRegExp(segment);
  return inner.filter((name) => pattern.test(name)).flatMap((name) => expand(path.join(folder, name), rest));
}

function subfolders(folder: string): readonly string[] {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** `*` within a segment, `**` across, `?`, `{a,b}`. */
function globRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/?|[*?{},]|[^*?{},]+/g, (part) => {
    if (part.startsWith("**")) return ".*";
    return { "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|" }[part] ?? part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    // Unbalanced braces: the pattern matches only itself.
    return new RegExp(`^${pattern.replace(/[\\^$.*+?()[\]{}|,]/g, "\\$&")}$`);
  }
}
