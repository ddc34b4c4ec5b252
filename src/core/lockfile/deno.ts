/**
 * deno.lock, versions 2 to 5. npm packages stand under `name@version_peers`; versions 2 and 3 nest them in another map.
 * An npm entry names a tarball only when it is not at the registry's usual path. JSR packages and remote modules have a bare sha256.
 */
import type { Draft, Reader } from "./document.ts";
import { mapAt, position, recordAt, report, textAt, textNodeAt, textsAt, wrongType, flagAt } from "./document.ts";
import { addPackage, hexIntegrity, notePlace, readPlatforms, removal, settleIdentity, settleSri, settleTrust } from "./entry.ts";
import { lockGraph, reportDangling, settleReach } from "./graph.ts";
import { isHttp, splitAtVersion } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { atOf, childAt, childrenOf, endOf, keyOf, kindOf, startOf, valueOf } from "./tape.ts";
import type { Declared, ResolvedPackage } from "./tree.ts";

export function readDeno(reader: Reader): void {
  const { tape } = reader;
  const root = tape.roots[0]!;
  if (kindOf(tape, root) !== "map") return wrongType(reader, root, "the document", "a map");
  const version = textNodeAt(reader, root, "version", "");
  reader.version = version === undefined ? "" : valueOf(tape, version);
  if (version === undefined) return readVersion1(reader, root);
  if (!/^[2-5]$/.test(reader.version))
    report(reader, "unknown-format", startOf(tape, version), `version "${reader.version}" is not one deno writes`);

  // Version 2: `npm.{specifiers,packages}`; 3: `packages.{specifiers,jsr,npm}`; from 4: at the top.
  const nested =
    reader.version === "2" ? mapAt(reader, root, "npm", "") : reader.version === "3" ? mapAt(reader, root, "packages", "") : root;
  const home = nested ?? root;
  const npm = mapAt(reader, home, reader.version === "2" ? "packages" : "npm", "");
  const entries = npm === undefined ? [] : childrenOf(tape, npm);
  const byName = new Map<string, string>();
  for (const node of entries) byName.set(splitAtVersion(keyOf(tape, node))?.name ?? "", keyOf(tape, node));
  for (const node of entries) readNpmEntry(reader, node, byName);
  const specifiers = readSpecifiers(reader, home, byName);
  const jsr = mapAt(reader, home, "jsr", "");
  for (const node of jsr === undefined ? [] : childrenOf(tape, jsr)) readJsrEntry(reader, node, specifiers);
  readWorkspace(reader, root, specifiers);
  readModules(reader, root);
  const graph = lockGraph(reader);
  settleReach(reader, graph, ["optional"]);
  reportDangling(reader, graph);
}

/** Before version 2 the file was one map of URLs to digests. */
function readVersion1(reader: Reader, root: NodeId): void {
  const { tape } = reader;
  const children = childrenOf(tape, root);
  if (children.length === 0 || !children.every((child) => isHttp(keyOf(tape, child))))
    return report(reader, "unknown-format", atOf(tape, root), "no version: not a lockfile of deno 1.28 or later");
  reader.version = "1";
  report(reader, "old-format", atOf(tape, root), "no version; read as version 1, which lists remote modules only");
  for (const child of children) addModule(reader, child);
}

// --- npm ------------------------------------------------------------------------------------------------------------------------------------

function readNpmEntry(reader: Reader, node: NodeId, byName: ReadonlyMap<string, string>): void {
  const { tape } = reader;
  const key = keyOf(tape, node);
  const at = startOf(tape, node);
  const label = `npm ${key}: `;
  const parts = splitAtVersion(key);
  if (kindOf(tape, node) !== "map") return wrongType(reader, node, label, "a map");
  if (parts === undefined) return report(reader, "bad-name", at, `"${key}" is no name@version`);
  const urlNode = textNodeAt(reader, node, "tarball", label);
  const url = urlNode === undefined ? undefined : valueOf(tape, urlNode);
  const added = addPackage(reader, at, {
    key,
    name: parts.name,
    // The peers it was resolved with follow an underscore, which no version contains.
    version: parts.rest.split("_")[0]!,
    source: url === undefined || url === "" ? { kind: "registry" } : { kind: "registry", url },
  });
  settleIdentity(reader, at, added);
  settleSri(reader, at, added, textNodeAt(reader, node, "integrity", label));
  settleTrust(reader, at, added);
  readPlatforms(reader, node, added, label);
  if (flagAt(reader, node, "scripts", label)) added.hasInstallScript = true;
  for (const field of ["dependencies", "optionalDependencies"] as const) {
    const record = readReferences(reader, node, field, byName, label);
    if (record !== undefined) added[field] = record;
  }
  if (urlNode !== undefined && url !== undefined && isHttp(url))
    notePlace(reader, added, {
      url,
      form: "json",
      at: atOf(tape, urlNode),
      end: endOf(tape, urlNode),
      blank: removal(reader, node, urlNode),
    });
}

/** `name`, `name@version_peers` or `alias@npm:name@version_peers`; versions 2 and 3 have a map. A bare name is the only entry of that name. */
function readReferences(
  reader: Reader,
  node: NodeId,
  field: "dependencies" | "optionalDependencies",
  byName: ReadonlyMap<string, string>,
  label: string,
): Record<string, string> | undefined {
  const found = childAt(reader.tape, node, field);
  if (found === undefined) return undefined;
  if (kindOf(reader.tape, found) === "map") return recordAt(reader, node, field, label);
  const record = Object.create(null) as Record<string, string>;
  for (const reference of textsAt(reader, node, field, label) ?? []) {
    const parts = splitAtVersion(reference);
    if (parts === undefined) record[reference] = byName.get(reference) ?? reference;
    else record[parts.name] = parts.rest.startsWith("npm:") ? parts.rest.slice(4) : reference;
  }
  return record;
}

// --- jsr, remote modules --------------------------------------------------------------------------------------------------------------------

function readJsrEntry(reader: Reader, node: NodeId, specifiers: ReadonlyMap<string, Declared>): void {
  const { tape } = reader;
  const key = keyOf(tape, node);
  const at = startOf(tape, node);
  const parts = splitAtVersion(key);
  if (kindOf(tape, node) !== "map") return wrongType(reader, node, `jsr ${key}`, "a map");
  if (parts === undefined) return report(reader, "bad-name", at, `"${key}" is no name@version`);
  const added = addPackage(reader, at, { key: `jsr:${key}`, name: parts.name, version: parts.rest, source: { kind: "jsr" } });
  settleHex(reader, at, added, textAt(reader, node, "integrity", `jsr ${key}: `));
  const dependencies = Object.create(null) as Record<string, string>;
  for (const asked of textsAt(reader, node, "dependencies", `jsr ${key}: `) ?? []) {
    // Without a range it is the only specifier of that name.
    const found = specifiers.get(asked) ?? [...specifiers].find(([specifier]) => specifier.startsWith(`${asked}@`))?.[1];
    if (found?.resolved === undefined) report(reader, "dangling", at, `jsr ${key} needs ${asked}, which has no specifier`);
    else dependencies[found.name] = found.resolved;
  }
  if (Object.keys(dependencies).length > 0) added.dependencies = dependencies;
}

function readModules(reader: Reader, root: NodeId): void {
  const remote = mapAt(reader, root, "remote", "");
  for (const node of remote === undefined ? [] : childrenOf(reader.tape, remote)) addModule(reader, node);
}

function addModule(reader: Reader, node: NodeId): void {
  const url = keyOf(reader.tape, node);
  const at = startOf(reader.tape, node);
  if (kindOf(reader.tape, node) !== "text") return wrongType(reader, node, url, "a digest");
  const added = addPackage(reader, at, { key: url, name: url, version: "", source: { kind: "module", url } });
  settleHex(reader, at, added, valueOf(reader.tape, node));
}

function settleHex(reader: Reader, at: number, entry: Draft<ResolvedPackage>, text: string | undefined): void {
  const integrity = hexIntegrity(text);
  if (integrity !== undefined) entry.integrity = integrity;
  else if (text !== undefined) report(reader, "bad-integrity", at, `${entry.key}: "${text.slice(0, 80)}" is no sha256`);
  settleTrust(reader, at, entry);
}

// --- what asks for them ---------------------------------------------------------------------------------------------------------------------

function readSpecifier(specifier: string): { name: string; range: string } {
  const bare = specifier.replace(/^(?:npm|jsr):\/?/, "");
  const parts = splitAtVersion(bare);
  return parts === undefined ? { name: bare, range: "" } : { name: parts.name, range: parts.rest };
}

/** `npm:chalk@5` → the key it was resolved to; the value is a version from 4 on, a whole key before. */
function readSpecifiers(reader: Reader, home: NodeId, byName: ReadonlyMap<string, string>): Map<string, Declared> {
  const { tape } = reader;
  const map = mapAt(reader, home, "specifiers", "");
  const specifiers = new Map<string, Declared>();
  for (const node of map === undefined ? [] : childrenOf(tape, map)) {
    if (kindOf(tape, node) !== "text") {
      wrongType(reader, node, `specifiers["${keyOf(tape, node)}"]`, "a string");
      continue;
    }
    const specifier = keyOf(tape, node);
    const asked = readSpecifier(specifier);
    const value = valueOf(tape, node).replace(/^(?:npm|jsr):/, "");
    const whole = splitAtVersion(value) === undefined ? `${asked.name}@${value}` : keyOfValue(value, asked.name, byName);
    specifiers.set(specifier, {
      name: asked.name,
      kind: "prod",
      range: asked.range,
      resolved: specifier.startsWith("jsr:") ? `jsr:${whole}` : whole,
      ...position(reader, startOf(tape, node)),
    });
  }
  return specifiers;
}

/** A value with an `@` is a whole key, unless the `@` belongs to the peers of a version. */
function keyOfValue(value: string, name: string, byName: ReadonlyMap<string, string>): string {
  return /^\d/.test(value) && !byName.has(splitAtVersion(value)!.name) ? `${name}@${value}` : value;
}

/** The workspace lists specifiers, for the root and for each member. Without one (versions 2 and 3) the root asks for all. */
function readWorkspace(reader: Reader, root: NodeId, specifiers: ReadonlyMap<string, Declared>): void {
  const { tape } = reader;
  const workspace = mapAt(reader, root, "workspace", "");
  const rootAt = position(reader, workspace === undefined ? atOf(tape, root) : startOf(tape, workspace));
  if (workspace === undefined) {
    if (specifiers.size > 0) reader.importers.push({ path: ".", dependencies: [...specifiers.values()], ...rootAt });
    return;
  }
  const listed = new Set<string>();
  const add = (node: NodeId, path: string): void => {
    const dependencies: Declared[] = [];
    const packageJson = mapAt(reader, node, "packageJson", `workspace ${path}: `);
    for (const holder of packageJson === undefined ? [node] : [node, packageJson])
      for (const specifier of textsAt(reader, holder, "dependencies", `workspace ${path}: `) ?? []) {
        listed.add(specifier);
        // Another member of the workspace needs no specifier.
        const { name, range } = readSpecifier(specifier);
        dependencies.push(specifiers.get(specifier) ?? { name, kind: "prod", range, ...position(reader, startOf(tape, holder)) });
      }
    reader.importers.push({ path, dependencies, ...position(reader, startOf(tape, node)) });
  };
  add(workspace, ".");
  const members = mapAt(reader, workspace, "members", "workspace.");
  for (const member of members === undefined ? [] : childrenOf(tape, members))
    if (kindOf(tape, member) === "map") add(member, keyOf(tape, member));
    else wrongType(reader, member, `workspace.members.${keyOf(tape, member)}`, "a map");
  // What scripts and remote modules ask for belongs to no manifest: to the root, then.
  const rest = [...specifiers].filter(([specifier]) => !listed.has(specifier)).map(([, declared]) => declared);
  const first = reader.importers[0]!;
  reader.importers[0] = { ...first, dependencies: [...first.dependencies, ...rest] };
}
