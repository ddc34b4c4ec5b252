/**
 * Random edits of real lockfiles, and what others read of the result: each edit is either reported, or an independent reader (npm's, pnpm's
 * and yarn's own) yields the same names, versions, digests and URLs as before. Everything comes from a seed.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWantedLockfile } from "@pnpm/lockfile.fs";
import { parseSyml } from "@yarnpkg/parsers";
import { instant } from "../../src/core/base/time.ts";
import { checkLockfile } from "../../src/core/check/check-lockfile.ts";
import { type Manifest, NO_APPROVALS } from "../../src/core/check/manifest.ts";
import type { CheckSubject, RecordedIntegrity } from "../../src/core/check/subject.ts";
import { readLockfile } from "../../src/core/lockfile/read.ts";
import { splitAtVersion } from "../../src/core/lockfile/identity.ts";
import type { ResolvedTree } from "../../src/core/lockfile/tree.ts";

/** A small generator of numbers below 1 (mulberry32): the same in every run. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

// --- edits ------------------------------------------------------------------------------------------------------------------------------------

export type Edit = { readonly kind: string; readonly text: string };
type Random = { below(bound: number): number; of<T>(items: readonly T[]): T };

/** One random edit; undefined when the file has nothing of the kind that was drawn. */
export function edited(text: string, tree: ResolvedTree, next: () => number): Edit | undefined {
  const random: Random = { below: (bound) => Math.floor(next() * bound), of: (items) => items[Math.floor(next() * items.length)]! };
  const kind = random.of(Object.keys(EDITS));
  const after = EDITS[kind]!(text, random, tree);
  return after === undefined || after === text ? undefined : { kind, text: after };
}

/** The commit of a git dependency is none: another one is another choice, which only a comparison with before can show. */
const DIGEST = /(?<=sha(?:512|256|1)-)[A-Za-z0-9+/]{20,}|\b[0-9a-f]{128}\b|\b[0-9a-f]{64}\b|(?<=\.tgz#)[0-9a-f]{40}\b/g;
const URL_HOST = /(?<=\b(?:https?|ssh|git):\/\/(?:[^@/\s"]*@)?)[a-z0-9][a-z0-9.-]*[a-z0-9](?![a-z0-9.-]*@)/g;
const VERSION = /(?<![\d.])\d+\.\d+\.\d+(?![\d.])/g;
/** Without `resolved` and `tarball` a client asks the registry it is configured with, and holds it to the digest: nothing to report. */
const HOLDER = /^\s*"?(?:integrity|checksum|resolution|version|name)"?:? .*$/gm;

const EDITS: Readonly<Record<string, (text: string, random: Random, tree: ResolvedTree) => string | undefined>> = {
  "one character of a digest": (text, random) => at(text, DIGEST, random, (digest) => withOther(digest, random)),
  "two digests change places": (text, random) => exchange(text, DIGEST, random),
  "another host": (text, random) => at(text, URL_HOST, random, () => "evil.example.test"),
  "no TLS": (text, random) => at(text, /https(?=:\/\/)/g, random, () => "http"),
  "two URLs change places": (text, random) => exchange(text, /https?:\/\/[^\s",]+\.tgz/g, random),
  "another version": (text, random) => at(text, VERSION, random, (version) => bumped(version, random)),
  "another name": (text, random, tree) => {
    const names = tree.packages.map(({ name }) => name).filter((name) => name !== "");
    if (names.length === 0) return undefined;
    const name = random.of(names);
    const other = random.below(2) === 0 ? "evil-package" : random.of(names);
    return at(text, new RegExp(`(?<![\\w@./-])${name.replace(/[.*+?^$(){}|[\]\\/]/g, "\\$&")}(?![\\w./-])`, "g"), random, () => other);
  },
  "an alias": (text, random) =>
    at(text, /^ {4}"(?:.*\/)?node_modules\/[^"]+": \{$/gm, random, (line) => `${line}\n      "name": "evil-package",`) ??
    at(text, /(?<=[@ "'])npm:|(?<=@)(?=[\^~])/g, random, () => "npm:evil-package@"),
  "a line less": (text, random) => at(text, HOLDER, random, () => ""),
  "an entry twice": (text, random) => {
    const blocks = blocksOf(text);
    if (blocks.length < 2) return undefined;
    const [copied, before] = [random.of(blocks), random.of(blocks)];
    const lines = text.split("\n");
    const copy = lines.slice(copied.from, copied.to);
    if (random.below(2) === 0)
      copy.splice(
        0,
        copy.length,
        ...copy
          .join("\n")
          .replace(VERSION, (version) => bumped(version, random))
          .split("\n"),
      );
    lines.splice(before.from, 0, ...copy);
    return lines.join("\n");
  },
  "an entry less": (text, random) => {
    const blocks = blocksOf(text);
    if (blocks.length < 2) return undefined;
    const gone = random.of(blocks);
    const lines = text.split("\n");
    lines.splice(gone.from, gone.to - gone.from);
    return lines.join("\n");
  },
};

function at(text: string, pattern: RegExp, random: Random, change: (found: string) => string): string | undefined {
  const all = [...text.matchAll(pattern)];
  if (all.length === 0) return undefined;
  const one = random.of(all);
  return text.slice(0, one.index) + change(one[0]) + text.slice(one.index + one[0].length);
}

function exchange(text: string, pattern: RegExp, random: Random): string | undefined {
  const all = [...text.matchAll(pattern)];
  if (all.length < 2) return undefined;
  const [a, b] = [random.of(all), random.of(all)].toSorted((x, y) => x.index - y.index) as [RegExpExecArray, RegExpExecArray];
  if (a.index === b.index) return undefined;
  return text.slice(0, a.index) + b[0] + text.slice(a.index + a[0].length, b.index) + a[0] + text.slice(b.index + b[0].length);
}

function withOther(digest: string, random: Random): string {
  const place = random.below(digest.length);
  const other = random.of([..."0123456789abcdef"].filter((letter) => letter !== digest[place]));
  return digest.slice(0, place) + other + digest.slice(place + 1);
}

function bumped(version: string, random: Random): string {
  const parts = version.split(".").map(Number);
  const place = random.below(3);
  return parts.map((part, index) => (index === place ? part + 1 : part)).join(".");
}

/** Entries, by their indentation: the first line with the lines below it that stand further in, and the brace that closes them. */
function blocksOf(text: string): readonly { readonly from: number; readonly to: number }[] {
  const lines = text.split("\n");
  const blocks: { from: number; to: number }[] = [];
  const indent = (line: string): number => /^ */.exec(line)![0].length;
  for (let from = 0; from < lines.length; from++) {
    if (!/^ {0,6}(?:["'@/]|[a-z]).*(?:[:{[]|\],)$/i.test(lines[from]!)) continue;
    let to = from + 1;
    while (to < lines.length && lines[to] !== "" && indent(lines[to]!) > indent(lines[from]!)) to++;
    if (/^ *[}\]],?$/.test(lines[to] ?? "") && indent(lines[to]!) === indent(lines[from]!)) to++;
    if (to - from > 1 && to - from < 60) blocks.push({ from, to });
  }
  return blocks;
}

// --- what cordon says -------------------------------------------------------------------------------------------------------------------------

/** The file as it was: its manifests, and what a ledger would have noted of it. */
export type Original = {
  readonly name: string;
  readonly text: string;
  readonly tree: ResolvedTree;
  readonly subject: Omit<CheckSubject, "tree">;
  readonly known: ReadonlySet<string>;
};

export function original(name: string, text: string): Original {
  const tree = readLockfile(name, text);
  const subject = { ...subjectOf(tree), manifests: manifestsOf(tree) };
  return { name, text, tree, subject, known: new Set(checkLockfile({ ...subject, tree }).findings.map(({ fingerprint }) => fingerprint)) };
}

/** The rules that say something new of the edited file. */
export function newlySaid({ name, subject, known }: Original, text: string): readonly string[] {
  const { findings } = checkLockfile({ ...subject, tree: readLockfile(name, text) });
  return findings.filter(({ fingerprint }) => !known.has(fingerprint)).map(({ rule }) => rule);
}

function subjectOf(tree: ResolvedTree): Omit<CheckSubject, "tree" | "manifests"> {
  const noted = new Map<string, RecordedIntegrity[]>();
  const bytes = new Map<string, { name: string; version: string; by: string }>();
  const hosts = new Set<string>();
  for (const { name, version, source, integrity } of tree.packages) {
    if ("url" in source && source.url !== undefined && URL.canParse(source.url)) hosts.add(new URL(source.url).host);
    if (integrity === undefined) continue;
    const url =
      source.kind === "tarball" || source.kind === "module"
        ? source.url
        : source.kind === "git"
          ? `${source.url}#${source.commit}`
          : undefined;
    const key = url === undefined ? `${name}@${version}` : `${url}@`;
    noted.set(key, [...(noted.get(key) ?? []), { integrity: integrity.value, by: "the ledger" }]);
    bytes.set(integrity.value, {
      ...(url === undefined || source.kind === "git" ? { name, version } : { name: url, version: "" }),
      by: "the ledger",
    });
  }
  return {
    sources: { registries: [...hosts], scopes: {}, hosts: [...hosts] },
    records: { ofVersion: (name, version) => noted.get(`${name}@${version}`) ?? [], ofBytes: (integrity) => bytes.get(integrity) },
    policy: { failOn: "low", require: [], exceptions: [] },
    now: instant(0),
  };
}

/** What the importers say they are; for formats without importers, what stands at the top. */
function manifestsOf(tree: ResolvedTree): readonly Manifest[] {
  const manifest = (importer: string, dependencies: Manifest["dependencies"]): Manifest => ({
    path: `${importer}/package.json`,
    importer,
    dependencies,
    overrides: [],
    bundled: [],
    approvals: NO_APPROVALS,
    problems: [],
  });
  if (tree.importers.length > 0)
    return tree.importers.map(({ path, dependencies }) =>
      manifest(
        path,
        dependencies.flatMap(({ kind, range, ...rest }) => (kind === "tool" ? [] : [{ ...rest, kind, range: range ?? "" }])),
      ),
    );
  const place = { kind: "prod", line: 1, column: 1 } as const;
  if (tree.kind === "yarn-classic")
    return [
      manifest(
        ".",
        tree.packages.flatMap(({ key }) => {
          const parts = splitAtVersion(key.split(", ")[0]!);
          return parts === undefined ? [] : [{ ...place, name: parts.name, range: parts.rest }];
        }),
      ),
    ];
  const top = tree.packages.filter(({ key }) => key.lastIndexOf("node_modules/") === 0);
  return [
    manifest(
      ".",
      top.map(({ key, version }) => ({ ...place, name: key.slice("node_modules/".length), range: version })),
    ),
  ];
}

// --- what others read -------------------------------------------------------------------------------------------------------------------------

type Node = {
  readonly location: string;
  readonly packageName: string;
  readonly version: string;
  readonly integrity?: string | null;
  readonly resolved?: string | null;
  readonly isLink: boolean;
  readonly inDepBundle: boolean;
};
type Arborist = new (options: { path: string }) => { loadVirtual(): Promise<{ readonly inventory: ReadonlyMap<string, Node> }> };

/** Of what somebody's archive brings npm's reader takes a part for its own as soon as nothing in the bundle asks for it. */
function isNested(location: string): boolean {
  return location.lastIndexOf("node_modules/") > 0;
}

/** Names, versions, digests and URLs as somebody else reads them, a line each; a refusal is a line too. */
export async function readByOthers(kind: ResolvedTree["kind"], text: string, name: string): Promise<readonly string[]> {
  try {
    const lines = await readWith(kind, text, name);
    return lines.toSorted();
  } catch (error) {
    return [`refused: ${error instanceof Error ? error.message.slice(0, 60) : String(error)}`];
  }
}

async function readWith(kind: ResolvedTree["kind"], text: string, name: string): Promise<string[]> {
  switch (kind) {
    case "package-lock":
    case "npm-shrinkwrap":
    case "npm-hidden":
      return inFolder(name === ".package-lock.json" ? "package-lock.json" : name, text, byArborist);
    case "pnpm":
      return inFolder("pnpm-lock.yaml", text, byPnpm);
    case "yarn-classic":
    case "yarn-berry":
      return byYarn(text);
    default:
      return byHand(text);
  }
}

async function inFolder(name: string, text: string, read: (folder: string, text: string) => Promise<string[]>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "cordon-edit-"));
  try {
    writeFileSync(join(folder, name), text);
    return await read(folder, text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function byArborist(folder: string, text: string): Promise<string[]> {
  const { Arborist } = createRequire(import.meta.url)("@npmcli/arborist") as { readonly Arborist: Arborist };
  mkdirSync(join(folder, "node_modules"));
  const lock = JSON.parse(text) as { readonly packages?: Readonly<Record<string, object>> };
  writeFileSync(join(folder, "package.json"), JSON.stringify(lock.packages?.[""] ?? {}));
  const { inventory } = await new Arborist({ path: folder }).loadVirtual();
  // The project, its directories and what a dependency's own archive brings are not fetched, and may be called anything.
  const fetched = [...inventory.values()].filter(
    ({ location, isLink, inDepBundle, integrity, resolved }) =>
      location.includes("node_modules/") && !isLink && !inDepBundle && !(isNested(location) && !integrity && !resolved),
  );
  return fetched.map(({ location, packageName, version, integrity, resolved }) =>
    [location, packageName, version, integrity, resolved].join(" "),
  );
}

async function byPnpm(folder: string): Promise<string[]> {
  const lock = await readWantedLockfile(folder, { ignoreIncompatible: false });
  // Copies that differ only in their peers are one package.
  const packages = Object.entries(lock?.packages ?? {}).map(
    ([key, { resolution, version }]) => `${key.replace(/\(.*$/, "")} ${version ?? ""} ${JSON.stringify(resolution)}`,
  );
  const importers = Object.entries(lock?.importers ?? {}).map(
    ([path, { dependencies, devDependencies, optionalDependencies, specifiers }]) =>
      `${path} ${JSON.stringify([dependencies, devDependencies, optionalDependencies, specifiers])}`,
  );
  return [...new Set(packages), ...importers];
}

type Plain = Readonly<Record<string, unknown>>;

/** No reader of bun's and deno's is published; both are JSON, bun's with commas at the ends. */
function byHand(text: string): string[] {
  const lock = JSON.parse(text.replace(/,(?=\s*[}\]])/g, "")) as Plain;
  const lines: string[] = [];
  for (const [key, tuple] of Object.entries((lock["packages"] ?? {}) as Readonly<Record<string, readonly unknown[]>>))
    lines.push([key, ...tuple.filter((item) => typeof item === "string")].join(" "));
  for (const [key, entry] of Object.entries((lock["npm"] ?? {}) as Readonly<Record<string, Plain>>))
    lines.push([key, entry["integrity"], entry["tarball"]].join(" "));
  for (const [key, entry] of Object.entries((lock["jsr"] ?? {}) as Readonly<Record<string, Plain>>))
    lines.push([key, entry["integrity"]].join(" "));
  for (const [key, digest] of Object.entries((lock["remote"] ?? {}) as Plain)) lines.push(`${key} ${String(digest)}`);
  return lines;
}

function byYarn(text: string): string[] {
  const lock = parseSyml(text) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return Object.entries(lock).flatMap(([key, entry]) => {
    if (key === "__metadata") return [`${String(entry["version"])} ${String(entry["cacheKey"])}`];
    // Nothing is fetched for a directory.
    if (String(entry["resolution"]).includes("@workspace:") || (entry["resolved"] === undefined && key.includes("@file:"))) return [];
    // With an integrity yarn 1 does not look at the sha1 behind the URL.
    const resolved = entry["integrity"] === undefined ? entry["resolved"] : String(entry["resolved"]).replace(/#.*$/, "");
    return [[key, entry["version"], resolved, entry["resolution"], entry["integrity"], entry["checksum"]].join(" ")];
  });
}
