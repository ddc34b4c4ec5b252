/**
 * bun.lock, versions 0 to 3: JSON with comments and trailing commas. A package is a tuple whose length depends on where it comes from:
 * `[name@version, url, info, integrity]` from a registry (an empty url means the configured one), `[name@workspace:path]`,
 * `[name@link:path, info]`, `[name@https://…, info, integrity?]`, `[name@github:o/r#commit, info, tag, integrity?]`.
 */
import type { Draft, Reader } from "./document.ts";
import { declare, flagAt, isText, mapAt, position, recordAt, report, textAt, wrongType } from "./document.ts";
import { addPackage, notePlace, readDependencies, readPlatforms, settleIdentity, settleSri, settleTrust } from "./entry.ts";
import { lockGraph, settleReach } from "./graph.ts";
import { gitSource, isHttp, isVersion, registryIdentity, sourceOf, splitAtVersion } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { atOf, childAt, childrenOf, endOf, keyOf, kindOf, startOf, valueOf } from "./tape.ts";
import type { Declared, LockSource, ResolvedPackage } from "./tree.ts";

export function readBun(reader: Reader): void {
  const { tape } = reader;
  const root = tape.roots[0]!;
  if (kindOf(tape, root) !== "map") return wrongType(reader, root, "the document", "a map");
  const version = childAt(tape, root, "lockfileVersion");
  reader.version = version === undefined ? "" : valueOf(tape, version);
  if (version === undefined || kindOf(tape, version) !== "number" || !/^[0-3]$/.test(reader.version))
    report(
      reader,
      "unknown-format",
      version === undefined ? atOf(tape, root) : startOf(tape, version),
      `lockfileVersion "${reader.version}" is not one bun writes`,
    );
  const workspaces = mapAt(reader, root, "workspaces", "");
  for (const node of workspaces === undefined ? [] : childrenOf(tape, workspaces))
    if (kindOf(tape, node) === "map") addImporter(reader, node);
    else wrongType(reader, node, `workspaces["${keyOf(tape, node)}"]`, "a map");
  const patches = recordAt(reader, root, "patchedDependencies", "") ?? {};
  const packages = mapAt(reader, root, "packages", "");
  for (const node of packages === undefined ? [] : childrenOf(tape, packages)) readEntry(reader, node, patches);
  settleReach(reader, lockGraph(reader), ["dev", "optional"]);
}

function addImporter(reader: Reader, node: NodeId): void {
  const key = keyOf(reader.tape, node);
  const label = `workspace "${key}": `;
  const dependencies: Declared[] = [];
  declare(reader, node, "dependencies", "prod", dependencies, label);
  declare(reader, node, "devDependencies", "dev", dependencies, label);
  declare(reader, node, "optionalDependencies", "optional", dependencies, label);
  declare(reader, node, "peerDependencies", "peer", dependencies, label);
  const name = textAt(reader, node, "name", label);
  const at = position(reader, startOf(reader.tape, node));
  reader.importers.push({ path: key || ".", ...(name === undefined ? {} : { name }), dependencies, ...at });
}

function readEntry(reader: Reader, node: NodeId, patches: Readonly<Record<string, string>>): void {
  const { tape } = reader;
  const key = keyOf(tape, node);
  const at = startOf(tape, node);
  const label = `${key}: `;
  const items = kindOf(tape, node) === "list" ? childrenOf(tape, node) : [];
  const first = items[0];
  const spec = first !== undefined && isText(reader, first) ? readSpec(valueOf(tape, first)) : undefined;
  if (spec === undefined) return report(reader, "wrong-type", at, `${label}no tuple that begins with name@version`);
  const info = items.find((item) => kindOf(tape, item) === "map");
  const registry = spec.source === undefined;
  // Strings after the first: the URL of a registry package, then its integrity; elsewhere git's tag and the integrity.
  const strings = items.slice(1).filter((item) => kindOf(tape, item) === "text");
  const urlNode = registry && info !== undefined && items[1] !== info ? items[1] : undefined;
  const url = urlNode === undefined ? "" : valueOf(tape, urlNode);
  const bundled = info !== undefined && flagAt(reader, info, "bundled", label);
  // The name bun installs it under is the last of the path.
  const installedAs = /(?:^|\/)((?:@[^/]+\/)?[^/]+)$/.exec(key)?.[1] ?? key;
  const added = addPackage(reader, at, {
    key,
    name: spec.name,
    version: spec.version,
    source: spec.source ?? (bundled ? { kind: "bundled" } : url === "" ? { kind: "registry" } : registrySource(url)),
  });
  if (added.name !== installedAs) added.alias = installedAs;
  settleIdentity(reader, at, added);
  const whole = items.length === 4 && kindOf(tape, items[3]!) === "text";
  const digest = registry ? (whole ? items[3] : undefined) : strings.findLast((item) => /^sha\d+-/.test(valueOf(tape, item)));
  if (registry && !whole) report(reader, "wrong-type", at, `${label}a registry package is [name@version, url, info, integrity]`);
  settleSri(reader, at, added, digest);
  settleTrust(reader, at, added);
  if (info !== undefined) {
    readPlatforms(reader, info, added, label);
    readDependencies(reader, info, added, label);
    dropOptionalPeers(reader, info, added, label);
  }
  const patch = `${spec.name}@${spec.version}`;
  if (Object.hasOwn(patches, patch)) added.patched = patches[patch]!;
  if (urlNode !== undefined && isHttp(url)) {
    const span = { at: atOf(tape, urlNode), end: endOf(tape, urlNode) };
    notePlace(reader, added, { url, form: "json", ...span, blank: { ...span, text: '""' } });
  }
}

/** The second string is a tarball's URL, or the base of a registry in files of old versions. */
function registrySource(url: string): LockSource {
  return isHttp(url) ? { kind: "registry", url } : sourceOf(url);
}

function readSpec(spec: string): { name: string; version: string; source?: LockSource } | undefined {
  if (spec.startsWith("@root:")) return { name: "", version: "", source: { kind: "workspace", path: "." } };
  const parts = splitAtVersion(spec);
  if (parts === undefined || parts.name === "") return undefined;
  if (isVersion(parts.rest)) return { name: parts.name, version: parts.rest };
  const git = gitSource(parts.rest);
  // Of an archive only the address says which version it is.
  const archive = git === undefined && isHttp(parts.rest) ? registryIdentity(parts.rest) : undefined;
  return { name: parts.name, version: archive?.version ?? "", source: git ?? sourceOf(parts.rest) };
}

/** `optionalPeers` names peers that nothing has to bring. */
function dropOptionalPeers(reader: Reader, info: NodeId, entry: Draft<ResolvedPackage>, label: string): void {
  const node = childAt(reader.tape, info, "optionalPeers");
  if (node === undefined || entry.peerDependencies === undefined) return;
  if (kindOf(reader.tape, node) !== "list") return wrongType(reader, node, `${label}optionalPeers`, "a list");
  const peers: Record<string, string> = Object.assign(Object.create(null), entry.peerDependencies);
  for (const item of childrenOf(reader.tape, node)) delete peers[valueOf(reader.tape, item)];
  entry.peerDependencies = peers;
}
