/** One tarball to one report. Deterministic; the same bytes give the same report on every machine. Never throws on content. */
import { Buffer, isAscii } from "node:buffer";
import { createHash } from "node:crypto";
import { LIMITS } from "../base/limits.ts";
import { foreignSources } from "../lockfile/hosts.ts";
import { readLockfile } from "../lockfile/read.ts";
import { type ArchiveFile, readArchive } from "../tarball/archive.ts";
import { chainsAcross } from "./across-files.ts";
import { finish, openSights, see } from "./findings.ts";
import { isDeclaration, kindOf } from "./kinds.ts";
import { normalise, readManifest } from "./manifest.ts";
import { measure } from "./measure.ts";
import { closure, entryPoints, filesIn, installCommands } from "./reach.ts";
import { ANALYSER, type Capability, type FileEntry, type FileFindings, type TarballReport, type Unread } from "./report.ts";
import { scanText } from "./scan-text.ts";
import { scanTree } from "./scan-tree.ts";
import { parse } from "./syntax.ts";

export type AnalysisOptions = {
  /** The predecessor's report: files equal to one of its files are not read again, their findings are the same. */
  readonly known?: TarballReport;
  /** Files not to be read because reading them ended a thread before; they are reported as unread. */
  readonly skip?: readonly string[];
  /** Called before a file of `LIMITS.announcedBytes` or more is read, so that the caller knows which one ended the thread. */
  readonly onFile?: (path: string) => void;
};

export function analyse(tarball: Uint8Array, { known, skip = [], onFile }: AnalysisOptions = {}): TarballReport {
  const { entries, problems, unpacked } = readArchive(tarball);
  const paths = new Set(entries.map(({ path }) => path));
  const last = new Map(entries.map((entry) => [entry.path, entry]));
  const { raw = {}, problems: wrong } = readManifest(last.get("package.json")?.bytes ?? new Uint8Array());
  const gyp = last.get("binding.gyp");
  const commands = installCommands(raw, gyp && decode(gyp.bytes));

  const equal = new Map<string, FileEntry>();
  if (known?.analyser === ANALYSER)
    for (const file of known.files) if (file.found?.unread?.kind !== "died") equal.set(`${file.kind} ${file.digest}`, file);
  let budget = LIMITS.sourceTotalBytes;
  const look = (file: ArchiveFile, asCode = false): FileEntry => {
    const { path, bytes } = file;
    const digest = createHash("sha256").update(bytes).digest("base64").slice(0, 32);
    const named = kindOf(path, bytes);
    const kind = asCode && (named === "other" || named === "text") ? "js" : named;
    const entry = { path, bytes: bytes.length, digest, kind };
    const same = equal.get(`${kind} ${digest}`);
    // A few names mean something by themselves; those are looked at again.
    if (same && !HOOKS.has(path) && path !== "package.json" && isDeclaration(path) === isDeclaration(same.path))
      return same.found ? { ...entry, found: same.found } : entry;
    if (skip.includes(path)) return { ...entry, found: unreadFile({ kind: "died", reason: "reading it ended the thread that did" }) };
    if (bytes.length >= LIMITS.announcedBytes) onFile?.(path);
    const source = kind === "js" && bytes.length <= LIMITS.sourceBytes;
    const found = findingsOf(file, kind, source && (budget -= bytes.length) >= 0);
    return found ? { ...entry, found } : entry;
  };

  const byPath = new Map<string, FileEntry>();
  const files = entries.map((file) => {
    const entry = look(file);
    byPath.set(file.path, entry);
    return entry;
  });
  const linksOf = (path: string): readonly string[] => byPath.get(path)?.found?.links ?? [];

  const manifest = normalise(raw, wrong, paths);
  const roots = commands.flatMap(({ command }) => filesIn(command, raw, paths));
  // What is run or imported is code, whatever its name says.
  let install = closure(roots, linksOf, paths);
  for (let grown = true; grown;) {
    grown = false;
    for (const path of install) {
      const entry = byPath.get(path);
      if (entry?.kind !== "other" && entry?.kind !== "text") continue;
      const again = look(last.get(path)!, true);
      byPath.set(path, again);
      files[files.indexOf(entry)] = again;
      grown = true;
    }
    if (grown) install = closure(roots, linksOf, paths);
  }
  const entry = closure(entryPoints(raw, manifest.bin ?? {}, paths), linksOf, paths);

  const script = findingsOfCommands(commands);
  if (script) {
    const at = files.findIndex(({ path }) => path === "package.json");
    if (at >= 0) files[at] = { ...files[at]!, found: script };
    install = new Set([...install, "package.json"]);
  }
  return {
    analyser: ANALYSER,
    archive: problems,
    files,
    unpacked,
    ...(paths.has("package.json") ? { manifest } : {}),
    ...summary(files),
    unmentioned: unmentioned(manifest.dependencies ?? {}, entries, files),
    reach: { install: [...install].toSorted(), entry: [...entry].toSorted() },
    ...shrinkwrap(last.get("npm-shrinkwrap.json")),
  };
}

/** Files that an editor or agent runs when the folder is opened, and what makes them do so. */
const HOOKS: ReadonlyMap<string, RegExp> = new Map([
  [".claude/settings.json", /"hooks"/],
  [".claude/settings.local.json", /"hooks"/],
  [".gemini/settings.json", /"hooks"/],
  [".cursor/hooks.json", /"hooks"/],
  [".cursor/mcp.json", /"command"/],
  [".mcp.json", /"command"/],
  [".vscode/tasks.json", /"runOn"\s*:\s*"folderOpen"/],
]);

function findingsOf({ path, bytes }: ArchiveFile, kind: FileEntry["kind"], toTree: boolean): FileFindings | undefined {
  if (kind === "native") {
    const sights = openSights("");
    see(sights, "native-binary", 0);
    return finish(sights, "text");
  }
  const hook = HOOKS.get(path);
  if (kind !== "js" && kind !== "ts" && kind !== "shell" && kind !== "gyp" && !hook) return undefined;
  if (kind === "ts" && isDeclaration(path)) return undefined;
  const source = decode(bytes);
  const sights = openSights(source);
  if (hook) {
    const at = source.search(hook);
    if (at >= 0) see(sights, "hook-file", at, path);
    return finish(sights, "text");
  }
  if (kind !== "shell") measure(source, bytes.length, sights);
  if (kind !== "js") {
    scanText(source, sights, kind === "ts" ? "script" : "shell");
    return finish(
      sights,
      "text",
      bytes.length > LIMITS.textBytes ? { kind: "limit", reason: `larger than ${LIMITS.textBytes} bytes` } : undefined,
    );
  }
  const unread = toTree
    ? readTree(source, sights)
    : { kind: "limit" as const, reason: `${bytes.length} bytes are more than is read to a tree` };
  if (!unread) return finish(sights, "tree");
  scanText(source, sights, "script");
  return finish(sights, "text", unread);
}

function readTree(source: string, sights: ReturnType<typeof openSights>): Unread | undefined {
  const syntax = parse(source);
  if ("unread" in syntax) return syntax.unread;
  return scanTree(syntax.root, sights) ? undefined : { kind: "limit", reason: `more than ${LIMITS.nodesPerFile} nodes` };
}

function unreadFile(unread: Unread): FileFindings {
  return { as: "text", capabilities: [], chains: [], links: [], imports: [], hosts: [], unread };
}

/** What install scripts do by themselves, as findings of package.json. */
function findingsOfCommands(commands: readonly { readonly from: string; readonly command: string }[]): FileFindings | undefined {
  const sights = openSights(commands.map(({ from, command }) => `${from}: ${command.replaceAll("\n", " ")}`).join("\n"));
  scanText(sights.source, sights, "command");
  // An install script that names a program to fetch runs it: there is a process beside it by nature.
  if (sights.seen.has("alien-runtime")) see(sights, "process", sights.seen.get("alien-runtime")!.first[0]!.at);
  return finish(sights, "text");
}

function summary(files: readonly FileEntry[]): Pick<TarballReport, "capabilities" | "chains" | "hosts" | "imports" | "unread"> {
  const capabilities = new Map<string, { -readonly [K in keyof Capability]: Capability[K] }>();
  const hosts = new Set<string>();
  const imports = new Set<string>();
  for (const { path, found } of files) {
    for (const { id, count, where } of found?.capabilities ?? []) {
      const all = capabilities.get(id) ?? { id, where: [], count: 0 };
      all.count += count;
      all.where = [...all.where, ...where.map((place) => ({ path, ...place }))].slice(0, LIMITS.placesPerCapability);
      capabilities.set(id, all);
    }
    for (const host of found?.hosts ?? []) hosts.add(host);
    for (const name of found?.imports ?? []) imports.add(name);
  }
  return {
    capabilities: [...capabilities.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    chains: [...files.flatMap(({ path, found }) => (found?.chains ?? []).map((chain) => ({ ...chain, path }))), ...chainsAcross(files)],
    hosts: [...hosts].toSorted().slice(0, LIMITS.hostsPerTarball),
    imports: [...imports].toSorted(),
    unread: files.flatMap(({ path, found }) => (found?.unread ? [{ path, ...found.unread }] : [])).slice(0, LIMITS.unreadPerTarball),
  };
}

/** Declared dependencies whose name stands in no file but package.json and prose: neither imported nor handed to anything by name. */
function unmentioned(
  dependencies: Readonly<Record<string, string>>,
  entries: readonly ArchiveFile[],
  files: readonly FileEntry[],
): readonly string[] {
  let names = Object.keys(dependencies);
  if (names.length > LIMITS.unmentionedNames) return [];
  let budget = LIMITS.unmentionedBytes;
  for (const [index, { path, bytes }] of entries.entries()) {
    if (path === "package.json" || PROSE.test(path)) continue;
    const { found, kind } = files[index]!;
    const imports = new Set(found?.imports);
    names = names.filter((name) => !imports.has(name));
    if (names.length === 0 || kind === "native") continue;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    budget -= bytes.length * names.length;
    // Too much to search is no evidence of absence.
    if (budget < 0) return [];
    names = names.filter((name) => !text.includes(name));
  }
  return names.filter((name) => !name.startsWith("@types/"));
}
const PROSE = /\.(?:md|markdown|txt|map)$|(?:^|\/)(?:readme|changelog|history|licen[cs]e|authors)[^/]*$/i;

function shrinkwrap(file: ArchiveFile | undefined): Pick<TarballReport, "shrinkwrap"> {
  if (!file) return {};
  const hosts = new Map<string, number | undefined>();
  for (const { host, package: entry } of foreignSources(readLockfile(file.path, file.bytes), []))
    if (!hosts.has(host)) hosts.set(host, entry.line);
  return { shrinkwrap: [...hosts].map(([host, line]) => ({ host, ...(line === undefined ? {} : { line }) })) };
}

function decode(bytes: Uint8Array): string {
  // What is ASCII is the same in both, and one of them is copied as it stands.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(isAscii(bytes) ? "latin1" : "utf8");
}
