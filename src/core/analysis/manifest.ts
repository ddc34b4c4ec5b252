/** package.json of a tarball, as far as it decides what an install does, normalised as npm does before it writes a packument. */
import { Buffer } from "node:buffer";
import { scanJson } from "../npm/json-scan.ts";
import { LIMITS } from "../base/limits.ts";
import type { TarballManifest } from "./report.ts";

export type RawManifest = Readonly<Record<string, unknown>>;

const SCRIPTS: ReadonlySet<string> = new Set(["preinstall", "install", "postinstall"]);

/** `raw` is the document itself; absent when it is not a JSON object. Keys given twice are problems: readers disagree about them. */
export function readManifest(bytes: Uint8Array): { readonly raw?: RawManifest; readonly problems: readonly string[] } {
  if (bytes.length > LIMITS.manifestBytes) return { problems: [`larger than ${LIMITS.manifestBytes} bytes`] };
  // npm strips a byte order mark.
  const plain = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  const { valid, problems } = scanJson(plain);
  const said = problems.slice(0, 5).map(({ message }) => message);
  if (!valid) return { problems: said };
  const raw: unknown = JSON.parse(Buffer.from(plain).toString("utf8"));
  return isRecord(raw) ? { raw, problems: said } : { problems: ["not an object"] };
}

/** `paths`: every file of the package. */
export function normalise(raw: RawManifest, problems: readonly string[], paths: ReadonlySet<string>): TarballManifest {
  const optional = texts(raw["optionalDependencies"]);
  // package.json docs: entries in optionalDependencies override entries of the same name in dependencies.
  const dependencies = Object.fromEntries(Object.entries(texts(raw["dependencies"])).filter(([name]) => !Object.hasOwn(optional, name)));
  const scripts = Object.fromEntries(
    Object.entries(texts(raw["scripts"])).filter(([name, text]) => SCRIPTS.has(name) && text.trim() !== ""),
  );
  const bundled = bundledNames(raw, dependencies);
  const manifest: { -readonly [K in keyof TarballManifest]: TarballManifest[K] } = {};
  if (typeof raw["name"] === "string") manifest.name = raw["name"].trim();
  if (typeof raw["version"] === "string") manifest.version = raw["version"].trim();
  if (Object.keys(dependencies).length > 0) manifest.dependencies = dependencies;
  if (Object.keys(optional).length > 0) manifest.optionalDependencies = optional;
  const peers = texts(raw["peerDependencies"]);
  if (Object.keys(peers).length > 0) manifest.peerDependencies = peers;
  if (bundled.length > 0) manifest.bundled = bundled;
  if (Object.keys(scripts).length > 0) manifest.scripts = scripts;
  // npm builds a package with a binding.gyp that has no install or preinstall script, unless it says gypfile: false.
  if (paths.has("binding.gyp") && raw["gypfile"] !== false) manifest.gypfile = true;
  const bin = commands(raw, paths);
  if (Object.keys(bin).length > 0) manifest.bin = bin;
  if (raw["bin"] === undefined && isRecord(raw["directories"]) && raw["directories"]["bin"] !== undefined) manifest.binFolder = true;
  if (problems.length > 0) manifest.problems = problems;
  return manifest;
}

function bundledNames(raw: RawManifest, dependencies: Readonly<Record<string, string>>): readonly string[] {
  const value = raw["bundleDependencies"] ?? raw["bundledDependencies"];
  if (value === true) return Object.keys(dependencies);
  if (Array.isArray(value)) return value.filter((name): name is string => typeof name === "string");
  return isRecord(value) ? Object.keys(value) : [];
}

/** Command → file, without `./`. */
function commands(raw: RawManifest, paths: ReadonlySet<string>): Record<string, string> {
  const { bin, name, directories } = raw;
  if (typeof bin === "string" && typeof name === "string") return { [name.replace(/^@[^/]+\//, "")]: plainPath(bin) };
  if (isRecord(bin))
    return Object.fromEntries(Object.entries(texts(bin)).map(([command, file]) => [command.replace(/^.*[/\\:]/, ""), plainPath(file)]));
  const folder = isRecord(directories) && typeof directories["bin"] === "string" ? `${plainPath(directories["bin"])}/` : undefined;
  if (bin !== undefined || folder === undefined) return {};
  return Object.fromEntries(
    [...paths].flatMap((path) =>
      path.startsWith(folder) && !path.slice(folder.length).startsWith(".") ? [[path.replace(/^.*\//, ""), path]] : [],
    ),
  );
}

/** `./a//b/../c` → `a/c`; what leads upwards is cut, as npm does. */
export function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split(/[/\\]+/))
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  return parts.join("/");
}

function texts(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
