/** Which files run on install and which on import: entry points by the manifest, then along literal imports. */
import { LIMITS } from "../base/limits.ts";
import { isRecord, plainPath, type RawManifest } from "./manifest.ts";

const TRIES = ["", ".js", ".cjs", ".mjs", ".json", ".node", ".ts", "/index.js", "/index.cjs", "/index.mjs", "/index.ts"];

/** The file a relative specifier means; undefined when there is none. `from` is the file that asks, or "" for the package's folder. */
export function resolvePath(specifier: string, from: string, paths: ReadonlySet<string>): string | undefined {
  const folder = from.includes("/") ? from.slice(0, from.lastIndexOf("/") + 1) : "";
  // To `require` and to a shell, `#` and `?` are letters of a name; to `import` they end it.
  const end = specifier.search(/[?#]/);
  const whole = existing(plainPath(folder + specifier), paths);
  return whole ?? (end < 0 ? undefined : existing(plainPath(folder + specifier.slice(0, end)), paths));
}

function existing(base: string, paths: ReadonlySet<string>): string | undefined {
  for (const end of TRIES) {
    const path = base === "" ? end.replace(/^\//, "") : base + end;
    if (paths.has(path)) return path;
  }
  // TypeScript sources import each other by the name of what they become.
  const source = base.replace(/\.([cm]?)js$/, ".$1ts");
  return source !== base && paths.has(source) ? source : undefined;
}

/** Files that a consumer's import or command runs. */
export function entryPoints(raw: RawManifest, bin: Readonly<Record<string, string>>, paths: ReadonlySet<string>): readonly string[] {
  const named: string[] = Object.values(bin);
  for (const field of ["main", "module", "browser", "jsnext:main", "react-native"]) leaves(raw[field], named);
  leaves(raw["exports"], named);
  if (raw["main"] === undefined && raw["exports"] === undefined) named.push("index.js");
  const found = new Set<string>();
  for (const name of named) {
    const star = name.indexOf("*");
    if (star < 0) {
      const path = resolvePath(name, "", paths);
      if (path !== undefined) found.add(path);
    } else {
      const [before, after] = [plainPath(name.slice(0, star)), name.slice(star + 1)];
      for (const path of paths) if (path.startsWith(before) && path.endsWith(after)) found.add(path);
    }
  }
  return [...found];
}

/** Every string in a nest of conditions. */
function leaves(value: unknown, into: string[], depth = 0): void {
  if (into.length > 10_000 || depth > 20) return;
  if (typeof value === "string") into.push(value);
  else if (Array.isArray(value)) for (const one of value) leaves(one, into, depth + 1);
  else if (isRecord(value)) for (const one of Object.values(value)) leaves(one, into, depth + 1);
}

/** The install scripts with the scripts they call, and what a binding.gyp runs while it is read. */
export function installCommands(raw: RawManifest, gyp: string | undefined): readonly { readonly from: string; readonly command: string }[] {
  const scripts = isRecord(raw["scripts"]) ? raw["scripts"] : {};
  const commands: { from: string; command: string }[] = [];
  const seen = new Set<string>();
  const queue = ["preinstall", "install", "postinstall"];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const text = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
    if (typeof text !== "string" || seen.has(name)) continue;
    if (seen.size >= LIMITS.installCommands) break;
    seen.add(name);
    const command = text.slice(0, LIMITS.installCommandChars);
    commands.push({ from: `scripts.${name}`, command });
    for (const match of command.matchAll(/\b(?:npm|pnpm|yarn|bun)(?: run| run-script)? ([\w:.-]+)/g))
      queue.push(`pre${match[1]}`, match[1]!, `post${match[1]}`);
  }
  // node-gyp runs `<!(…)` and `<!@(…)` while it reads the file, and actions while it builds.
  for (const match of (gyp ?? "").matchAll(/<!@?\(([^)\n]{1,2000})\)?/g)) commands.push({ from: "binding.gyp", command: match[1]! });
  for (const match of (gyp ?? "").matchAll(/["']action["']\s{0,20}:\s{0,20}\[([^\]]{1,2000})\]/g))
    commands.push({ from: "binding.gyp", command: match[1]! });
  return commands;
}

/** Files of the package that a command names, from the package's folder or from the one the command went to last. */
export function filesIn(command: string, raw: RawManifest, paths: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>();
  const words = [...shellWords(command), ...command.split(/[\s;&|()<>"'`,=[\]{}]+/)];
  let folders: readonly string[] = [""];
  for (const [index, word] of words.entries()) {
    // Whether a `cd` before this one took place is not known: both ways are tried.
    if (words[index - 1] === "cd") folders = ["", `${plainPath(word)}/`, `${plainPath(`${folders.at(-1)}${word}`)}/`];
    if (word === "" || word.startsWith("-")) continue;
    const bare = word === "." && typeof raw["main"] === "string" ? raw["main"] : word;
    for (const folder of folders) {
      const path = resolvePath(bare, folder, paths);
      if (path !== undefined && path !== "package.json") found.add(path);
    }
  }
  return [...found];
}

/** POSIX sh §2.2, §2.3: words as a shell takes them apart, with what is quoted as it is meant. */
function shellWords(command: string): readonly string[] {
  const words = command.match(/(?:\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*"|[^\s;&|()<>'"\\])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(
      /\\([^])|'([^']*)'|"((?:\\[^]|[^"\\])*)"/g,
      (_all, letter?: string, single?: string, double?: string) => letter ?? single ?? double!.replaceAll(/\\(["$`\\])/g, "$1"),
    ),
  );
}

/** Everything that is loaded from `roots` along `linksOf`. */
export function closure(
  roots: Iterable<string>,
  linksOf: (path: string) => readonly string[],
  paths: ReadonlySet<string>,
): ReadonlySet<string> {
  const reached = new Set(roots);
  for (const path of reached)
    for (const link of linksOf(path)) {
      const next = resolvePath(link, path, paths);
      if (next !== undefined) reached.add(next);
    }
  return reached;
}
