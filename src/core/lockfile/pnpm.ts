/**
 * pnpm-lock.yaml, formats 5.0 to 9.0. Up to 6 an entry of `packages` is one installed copy, its peers in the key; from 9 `packages` holds
 * what is fetched and `snapshots` the copies. A file of pnpm 11 or later may begin with a document of its own for pnpm itself:
 * every document is read, because every one is installed.
 */
import type { Draft, Reader } from "./document.ts";
import { flagAt, isText, mapAt, position, recordAt, report, textAt, textNodeAt, wrongType } from "./document.ts";
import { addPackage, notePlace, readPlatforms, removal, settleIdentity, settleSri, settleTrust } from "./entry.ts";
import { lockGraph, reportDangling, settleReach } from "./graph.ts";
import { gitSource, isHttp, isVersion, sourceOf, splitAtVersion } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { atOf, childAt, childrenOf, endOf, keyOf, kindOf, startOf, valueOf } from "./tape.ts";
import type { Declared, DependencyKind, LockSource, PackageInstance, ResolvedPackage } from "./tree.ts";

/** How keys and references are written: `/name/1.0.0_peers`, `/name@1.0.0(peers)`, `name@1.0.0(peers)`. */
type Style = "slash" | "slash-at" | "at";

export function readPnpm(reader: Reader): void {
  for (const root of reader.tape.roots) readDocument(reader, root);
  const graph = lockGraph(reader);
  // Format 9 no longer says what only development needs.
  if (Number.parseInt(reader.version, 10) >= 9) settleReach(reader, graph, ["dev"]);
  reportDangling(reader, graph);
}

function readDocument(reader: Reader, root: NodeId): void {
  const { tape } = reader;
  if (kindOf(tape, root) !== "map") return wrongType(reader, root, "the document", "a map");
  const version = childAt(tape, root, "lockfileVersion");
  if (version === undefined || kindOf(tape, version) === "map" || kindOf(tape, version) === "list")
    return report(reader, "unknown-format", atOf(tape, root), "no lockfileVersion: not a lockfile of pnpm 3 or later");
  reader.version = valueOf(tape, version);
  const major = Number.parseInt(reader.version, 10);
  if (![5, 6, 7, 9].includes(major))
    report(
      reader,
      "unknown-format",
      startOf(tape, version),
      `lockfileVersion ${reader.version} is not one pnpm writes; read as the nearest known`,
    );
  const style: Style = !(major >= 6) ? "slash" : major < 9 ? "slash-at" : "at";

  const importers = mapAt(reader, root, "importers", "");
  if (importers === undefined) readImporter(reader, root, ".", style);
  else
    for (const importer of childrenOf(tape, importers))
      if (kindOf(tape, importer) === "map") readImporter(reader, importer, keyOf(tape, importer), style);
      else wrongType(reader, importer, `importers.${keyOf(tape, importer)}`, "a map");

  const patches = readPatches(reader, root);
  const snapshots = style === "at" ? readSnapshots(reader, root) : undefined;
  const packages = mapAt(reader, root, "packages", "");
  for (const node of packages === undefined ? [] : childrenOf(tape, packages)) {
    const key = keyOf(tape, node);
    if (kindOf(tape, node) !== "map") {
      wrongType(reader, node, `packages["${key}"]`, "a map");
      continue;
    }
    const copies = snapshots?.get(key);
    if (style === "at" && copies === undefined)
      report(reader, "dangling", startOf(tape, node), `${key} stands in "packages" but has no snapshot`);
    snapshots?.delete(key);
    for (const added of readEntry(reader, node, style)) finishEntry(reader, node, added, style, copies ?? [], patches);
  }
  for (const [key, copies] of snapshots ?? [])
    report(reader, "dangling", startOf(tape, copies[0]!), `${key} has a snapshot but does not stand in "packages"`);
}

// --- importers ------------------------------------------------------------------------------------------------------------------------------

const DECLARED: readonly (readonly [string, DependencyKind])[] = [
  ["dependencies", "prod"],
  ["devDependencies", "dev"],
  ["optionalDependencies", "optional"],
  ["configDependencies", "tool"],
  ["packageManagerDependencies", "tool"],
];

function readImporter(reader: Reader, node: NodeId, path: string, style: Style): void {
  const { tape } = reader;
  const label = `importer ${path}: `;
  const ranges = recordAt(reader, node, "specifiers", label) ?? {};
  const dependencies: Declared[] = [];
  for (const [field, kind] of DECLARED) {
    const map = mapAt(reader, node, field, label);
    for (const dependency of map === undefined ? [] : childrenOf(tape, map)) {
      const name = keyOf(tape, dependency);
      // Formats 5.4-inlineSpecifiers and 6 on: `{specifier, version}`.
      const inline = kindOf(tape, dependency) === "map";
      if (!inline && !isText(reader, dependency)) {
        wrongType(reader, dependency, `${label}${field}.${name}`, "a string or a map");
        continue;
      }
      const reference = inline ? textAt(reader, dependency, "version", `${label}${name}.`) : valueOf(tape, dependency);
      const range = inline
        ? textAt(reader, dependency, "specifier", `${label}${name}.`)
        : Object.hasOwn(ranges, name)
          ? ranges[name]
          : undefined;
      dependencies.push({
        name,
        kind,
        ...(range === undefined ? {} : { range }),
        ...(reference === undefined ? {} : { resolved: keyOfReference(style, name, reference) }),
        ...position(reader, startOf(tape, dependency)),
      });
    }
  }
  reader.importers.push({ path, dependencies, ...position(reader, startOf(tape, node)) });
}

/** The key a reference stands for; `link:` stays as it is, there is no entry. */
function keyOfReference(style: Style, name: string, reference: string): string {
  if (reference.startsWith("link:")) return reference;
  if (style === "at") {
    if (reference.startsWith("@")) return reference;
    const at = reference.indexOf("@");
    const before = (sign: string): boolean => !reference.includes(sign) || at < reference.indexOf(sign);
    return at > 0 && before(":") && before("(") ? reference : `${name}@${reference}`;
  }
  const bare = reference.slice(0, peersAt(reference));
  if (reference.startsWith("file:") || bare.includes("/")) return reference;
  return style === "slash" ? `/${name}/${reference}` : `/${name}@${reference}`;
}

/** Where the `(peer@1.0.0)(patch_hash=…)` at the end begins; the length when there is none. */
function peersAt(key: string): number {
  if (!key.endsWith(")")) return key.length;
  let open = 0;
  for (let i = key.length - 1; i >= 0; i--) {
    const code = key.charCodeAt(i);
    if (code === 0x29) open++;
    else if (code === 0x28 && --open === 0 && key.charCodeAt(i - 1) !== 0x29) return i;
  }
  return key.length;
}

// --- entries --------------------------------------------------------------------------------------------------------------------------------

/** What a key says: for a registry package its name and version, else what there is. */
function parseKey(style: Style, key: string): { name?: string; version?: string; rest: string } {
  const bare = key.slice(0, style === "slash" ? key.length : peersAt(key));
  // "/foo/1.0.0", or "registry.example/foo/1.0.0" for another registry than the default.
  const relative = style === "at" ? bare : bare.startsWith("/") ? bare.slice(1) : bare.slice(bare.indexOf("/") + 1);
  if (style === "slash") {
    const match = /^((?:@[^/]+\/)?[^/]+)\/([^/_]+)/.exec(relative);
    return match !== null && isVersion(match[2]!) ? { name: match[1]!, version: match[2]!, rest: match[2]! } : { rest: relative };
  }
  const parts = splitAtVersion(relative);
  if (parts === undefined) return { rest: relative };
  return isVersion(parts.rest) ? { name: parts.name, version: parts.rest, rest: parts.rest } : { name: parts.name, rest: parts.rest };
}

function readEntry(reader: Reader, node: NodeId, style: Style): Draft<ResolvedPackage>[] {
  const { tape } = reader;
  const key = keyOf(tape, node);
  const label = `${key}: `;
  const at = startOf(tape, node);
  const said = parseKey(style, key);
  const fields = identityOf(reader, node, key, style, said);
  const resolution = mapAt(reader, node, "resolution", label);
  if (resolution === undefined) {
    report(reader, "wrong-type", at, `${key} has no resolution`);
    return [];
  }
  const type = textAt(reader, resolution, "type", label);
  const variants = type === "variations" ? childAt(tape, resolution, "variants") : undefined;
  if (variants !== undefined) return readVariants(reader, variants, fields);
  const registry = said.version !== undefined;
  const source = sourceOfResolution(reader, resolution, { type, registry, rest: said.rest, label });
  const added = addPackage(reader, at, { ...fields, source });
  settleIdentity(reader, at, added);
  settleSri(reader, at, added, textNodeAt(reader, resolution, "integrity", label));
  settleTrust(reader, at, added);
  noteTarball(reader, resolution, added, registry, label);
  return [added];
}

/** The key names the package, and the fields where it cannot. Where both do, pnpm believes the fields before format 9 and the key since. */
function identityOf(
  reader: Reader,
  node: NodeId,
  key: string,
  style: Style,
  said: ReturnType<typeof parseKey>,
): { key: string; name: string; version: string } {
  const name = textAt(reader, node, "name", `${key}: `);
  const version = textAt(reader, node, "version", `${key}: `);
  if (differ(name, said.name) || differ(version, said.version))
    report(reader, "contradiction", startOf(reader.tape, node), `${key} calls itself ${name ?? said.name}@${version ?? said.version}`);
  const byKey = style === "at";
  const unversioned = said.rest.replace(/^runtime:/, "");
  const settled = (byKey ? (said.version ?? version) : (version ?? said.version)) ?? (/[/:]/.test(unversioned) ? "" : unversioned);
  return { key, name: (byKey ? (said.name ?? name) : (name ?? said.name)) ?? said.rest, version: settled };
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** A runtime (`node@runtime:…`) has one archive for each platform, and each is one entry. */
function readVariants(reader: Reader, variants: NodeId, fields: { key: string; name: string; version: string }): Draft<ResolvedPackage>[] {
  const { tape } = reader;
  if (kindOf(tape, variants) !== "list") {
    wrongType(reader, variants, `${fields.key}: variants`, "a list");
    return [];
  }
  const entries: Draft<ResolvedPackage>[] = [];
  for (const variant of childrenOf(tape, variants)) {
    const label = `${fields.key}: variants.`;
    const resolution =
      kindOf(tape, variant) === "map" ? mapAt(reader, variant, "resolution", label) : wrongType(reader, variant, label, "a map");
    if (resolution === undefined) continue;
    const at = startOf(tape, variant);
    const type = textAt(reader, resolution, "type", label);
    const added = addPackage(reader, at, {
      ...fields,
      source: sourceOfResolution(reader, resolution, { type, registry: false, rest: "", label }),
    });
    settleSri(reader, at, added, textNodeAt(reader, resolution, "integrity", label));
    settleTrust(reader, at, added);
    const targets = childAt(tape, variant, "targets");
    const target = targets !== undefined && kindOf(tape, targets) === "list" ? childrenOf(tape, targets)[0] : undefined;
    if (target !== undefined && kindOf(tape, target) === "map") readPlatforms(reader, target, added, label);
    entries.push(added);
  }
  return entries;
}

function sourceOfResolution(
  reader: Reader,
  resolution: NodeId,
  entry: { type: string | undefined; registry: boolean; rest: string; label: string },
): LockSource {
  const { label } = entry;
  const at = startOf(reader.tape, resolution);
  const text = (field: string): string | undefined => textAt(reader, resolution, field, `${label}resolution.`);
  const missing = (field: string): string => {
    report(reader, "wrong-type", at, `${label}a resolution of type ${entry.type} without ${field}`);
    return "";
  };
  switch (entry.type) {
    case "git": {
      const url = text("repo") ?? missing("repo");
      return gitSource(`git+${url.replace(/^git\+/, "")}#${text("commit") ?? missing("commit")}`) ?? { kind: "git", url };
    }
    case "directory":
      return { kind: "file", path: text("directory") ?? missing("directory") };
    case "binary":
      return { kind: "tarball", url: text("url") ?? missing("url") };
    case undefined:
      break;
    default:
      report(reader, "partial", at, `${label}resolution type "${entry.type}" is fetched by a plugin cordon does not know`);
      return { kind: "tarball", url: text("url") ?? text("tarball") ?? `${entry.type}:` };
  }
  const tarball = text("tarball");
  if (tarball === undefined) return entry.registry ? { kind: "registry" } : sourceOf(entry.rest.replace(/^@?([a-z]+:)/, "$1"));
  // Without a protocol it is a path at the registry.
  if (!/^[a-z+]+:/i.test(tarball)) return { kind: "registry" };
  return entry.registry && isHttp(tarball) ? { kind: "registry", url: tarball } : sourceOf(tarball);
}

/** pnpm writes `tarball` only where the registry's usual path would not do; without it the configured registry is asked. */
function noteTarball(reader: Reader, resolution: NodeId, entry: ResolvedPackage, registry: boolean, label: string): void {
  const { tape, text } = reader;
  const node = textNodeAt(reader, resolution, "tarball", label);
  if (node === undefined || !registry || !isHttp(valueOf(tape, node))) return;
  const flow = text.charCodeAt(atOf(tape, resolution)) === 0x7b;
  const line = text.lastIndexOf("\n", atOf(tape, node)) + 1;
  const lineEnd = text.indexOf("\n", endOf(tape, node));
  const blank = flow ? removal(reader, resolution, node) : { at: line, end: lineEnd < 0 ? text.length : lineEnd + 1, text: "" };
  const edit = { url: valueOf(tape, node), form: "yaml" as const, at: atOf(tape, node), end: endOf(tape, node) };
  // Only with an integrity is the entry still an entry without it.
  notePlace(reader, entry, entry.integrity === undefined ? edit : { ...edit, blank });
}

function finishEntry(
  reader: Reader,
  node: NodeId,
  added: Draft<ResolvedPackage>,
  style: Style,
  copies: readonly NodeId[],
  patches: Patches,
): void {
  const { tape } = reader;
  const label = `${added.key}: `;
  readPlatforms(reader, node, added, label);
  if (flagAt(reader, node, "requiresBuild", label)) added.hasInstallScript = true;
  const deprecated = childAt(tape, node, "deprecated");
  if (deprecated !== undefined) added.deprecated = valueOf(tape, deprecated);
  const peers = recordAt(reader, node, "peerDependencies", label);
  if (peers !== undefined) added.peerDependencies = peers;
  const patch = [added.key, ...copies.map((copy) => keyOf(tape, copy))]
    .map((key) => patchOf(patches, key, style))
    .find((found) => found !== undefined);
  if (patch !== undefined) added.patched = patch;
  if (style === "at") {
    added.optional = copies.length > 0 && copies.every((copy) => flagAt(reader, copy, "optional", label));
    added.instances = copies.map((copy): PackageInstance => ({ key: keyOf(tape, copy), ...references(reader, copy, style, label) }));
    return;
  }
  // "dev: true": only dev dependencies need it; absent: both kinds do.
  added.dev = flagAt(reader, node, "dev", label);
  added.optional = flagAt(reader, node, "optional", label);
  Object.assign(added, references(reader, node, style, label));
}

/** The dependencies of an entry, as keys of other entries. */
function references(
  reader: Reader,
  node: NodeId,
  style: Style,
  label: string,
): Pick<PackageInstance, "dependencies" | "optionalDependencies"> {
  const found: Draft<Pick<PackageInstance, "dependencies" | "optionalDependencies">> = {};
  for (const field of ["dependencies", "optionalDependencies"] as const) {
    const record = recordAt(reader, node, field, label);
    if (record === undefined) continue;
    for (const name in record) record[name] = keyOfReference(style, name, record[name]!);
    found[field] = record;
  }
  return found;
}

/** Snapshots by the entry of `packages` they are a copy of. */
function readSnapshots(reader: Reader, root: NodeId): Map<string, NodeId[]> {
  const { tape } = reader;
  const snapshots = mapAt(reader, root, "snapshots", "");
  const byKey = new Map<string, NodeId[]>();
  for (const node of snapshots === undefined ? [] : childrenOf(tape, snapshots)) {
    const key = keyOf(tape, node);
    if (kindOf(tape, node) !== "map") {
      wrongType(reader, node, `snapshots["${key}"]`, "a map");
      continue;
    }
    const base = key.slice(0, peersAt(key));
    const copies = byKey.get(base);
    if (copies === undefined) byKey.set(base, [node]);
    else copies.push(node);
  }
  return byKey;
}

// --- patches --------------------------------------------------------------------------------------------------------------------------------

/** Hash → what to call the patch: its path where the file has one. */
type Patches = ReadonlyMap<string, string>;

function readPatches(reader: Reader, root: NodeId): Patches {
  const { tape } = reader;
  const patches = new Map<string, string>();
  const map = mapAt(reader, root, "patchedDependencies", "");
  for (const node of map === undefined ? [] : childrenOf(tape, map)) {
    const label = `patchedDependencies.${keyOf(tape, node)}.`;
    const detailed = kindOf(tape, node) === "map";
    const hash = detailed ? textAt(reader, node, "hash", label) : valueOf(tape, node);
    if (hash !== undefined && hash !== "") patches.set(hash, (detailed ? textAt(reader, node, "path", label) : undefined) ?? hash);
  }
  return patches;
}

/** From 6 on the first group behind the version is `(patch_hash=…)`, and those further in belong to peers; 5.4 writes `_<hash>`. */
function patchOf(patches: Patches, key: string, style: Style): string | undefined {
  if (style !== "slash") {
    const hash = /^\(patch_hash=([^)]*)\)/.exec(key.slice(peersAt(key)))?.[1];
    return hash === undefined ? undefined : (patches.get(hash) ?? hash);
  }
  for (const [hash, name] of patches) if (key.split("_").includes(hash)) return name;
  return undefined;
}
