/**
 * npm's lockfiles: package-lock.json and npm-shrinkwrap.json of versions 1 to 3, and the hidden node_modules/.package-lock.json.
 * npm 7 and later read `packages` and ignore `dependencies`; npm 6 reads `dependencies`. A version 2 file carries both,
 * and where they disagree two developers install different things from one file: that is reported.
 */
import { isPackageName } from "../npm/name.ts";
import type { Draft, Reader } from "./document.ts";
import { declare, flagAt, mapAt, position, recordAt, report, reportAt, textAt, textNodeAt, wrongType } from "./document.ts";
import { addPackage, notePlace, readDependencies, readPlatforms, removal, settleIdentity, settleSri, settleTrust } from "./entry.ts";
import { isHttp, isUsualPath, isVersion, sameVersion, sourceOf, splitAtVersion, versionInFile } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { atOf, childAt, childrenOf, endOf, keyOf, kindOf, startOf, valueOf } from "./tape.ts";
import type { Declared, LockSource, ResolvedPackage } from "./tree.ts";

export function readNpm(reader: Reader, root: NodeId): void {
  const { tape } = reader;
  if (kindOf(tape, root) !== "map") return wrongType(reader, root, "the document", "a map");
  const at = readVersion(reader, root);
  const packages = mapAt(reader, root, "packages", "");
  const legacy = mapAt(reader, root, "dependencies", "");
  if (packages !== undefined) {
    readPackages(reader, packages);
    if (legacy !== undefined) compareHalves(reader, legacy);
    return;
  }
  if (/^[23]$/.test(reader.version)) report(reader, "contradiction", at, `version ${reader.version} without "packages"`);
  if (legacy !== undefined) readLegacy(reader, legacy, "", (entry) => addLegacy(reader, entry));
  else if (reader.version === "" && childAt(tape, root, "requires") === undefined)
    report(reader, "unknown-format", at, 'neither "packages" nor "dependencies": not a lockfile of npm');
}

/** Where the version stands, or the document when it does not. */
function readVersion(reader: Reader, root: NodeId): number {
  const { tape } = reader;
  const node = childAt(tape, root, "lockfileVersion");
  if (node === undefined) {
    report(reader, "old-format", atOf(tape, root), "no lockfileVersion; read as version 1");
    return atOf(tape, root);
  }
  const at = startOf(tape, node);
  reader.version = valueOf(tape, node);
  if (kindOf(tape, node) !== "number") wrongType(reader, node, "lockfileVersion", "a number");
  else if (!/^[123]$/.test(reader.version))
    report(reader, "unknown-format", at, `lockfileVersion ${reader.version} is not one npm writes; read as the newest known`);
  return at;
}

// --- `packages`: npm 7 and later -------------------------------------------------------------------------------------------------------------

/** The name a location gives its package: what stands after the last `node_modules/`. Undefined outside of any. */
export function nameAtLocation(location: string): string | undefined {
  const at = location.lastIndexOf("node_modules/");
  return at === 0 || (at > 0 && location.charCodeAt(at - 1) === 0x2f) ? location.slice(at + 13) : undefined;
}

/** The entry of `packages` at a location. */
type EntryAt = (location: string) => NodeId | undefined;

function readPackages(reader: Reader, packages: NodeId): void {
  const entries = childrenOf(reader.tape, packages);
  let byLocation: Map<string, NodeId> | undefined;
  const entryAt: EntryAt = (location) => {
    byLocation ??= new Map(entries.map((entry) => [keyOf(reader.tape, entry), entry]));
    return byLocation.get(location);
  };
  for (const entry of entries) readEntry(reader, entry, entryAt);
}

function readEntry(reader: Reader, node: NodeId, entryAt: EntryAt): void {
  const { tape } = reader;
  const key = keyOf(tape, node);
  if (kindOf(tape, node) !== "map") return wrongType(reader, node, `packages["${key}"]`, "a map");
  const label = `${key || "the root"}: `;
  const located = nameAtLocation(key);
  const link = flagAt(reader, node, "link", label);
  if (located === undefined && !link) addImporter(reader, node, key, label);
  if (key === "") return;

  const at = startOf(tape, node);
  const declaredName = textAt(reader, node, "name", label);
  const installedAs = located ?? declaredName ?? folderName(key);
  const resolved = resolvedAt(reader, node, label);
  const location = resolved === undefined ? "" : valueOf(tape, resolved);
  const name = declaredName ?? installedAs;
  const version = textAt(reader, node, "version", label) ?? "";
  const usual =
    resolved !== undefined && !link && isUsualPath(tape.text, atOf(tape, resolved) + 1, endOf(tape, resolved) - 1, name, version);
  const source: LockSource = usual
    ? { kind: "registry", url: location }
    : location !== "" && !link
      ? sourceOf(location)
      : sourceOfUnnamed(reader, node, { key, label, link, location, inside: located !== undefined, entryAt });
  const added = addPackage(reader, at, { key, name, version, source });
  if (added.name !== installedAs) added.alias = installedAs;
  checkPlace(reader, at, key, located);
  settleIdentity(reader, at, added, usual);
  settleSri(reader, at, added, textNodeAt(reader, node, "integrity", label));
  settleTrust(reader, at, added);
  if (resolved !== undefined && reader.places !== undefined) noteResolved(reader, node, resolved, added);

  added.dev = flagAt(reader, node, "dev", label);
  // "devOptional: the package is either a dev dependency or an optional one of a non-dev one" (package-lock.json docs): it may be in production.
  added.optional = flagAt(reader, node, "optional", label) || flagAt(reader, node, "devOptional", label);
  added.peer = flagAt(reader, node, "peer", label);
  if (flagAt(reader, node, "hasInstallScript", label)) added.hasInstallScript = true;
  readPlatforms(reader, node, added, label);
  const deprecated = textAt(reader, node, "deprecated", label);
  if (deprecated !== undefined) added.deprecated = deprecated;
  readDependencies(reader, node, added, label);
}

/** npm writes to the location as it stands; one that is no plain path below `node_modules` could be any place on the disk. */
function checkPlace(reader: Reader, at: number, key: string, located: string | undefined): void {
  const plain = !key.includes("/.") && !key.includes("//");
  // Directories beside the project begin with `../`; further in, a path has no business to go up or to stand still.
  const straight = plain || !/(?:^|\/)\.{0,2}(?:\/|$)/.test(key.replace(/^(?:\.\.\/)+/, ""));
  if (!straight || located === "") report(reader, "bad-name", at, `"${key}" is no place for a package`);
}

/** Where an entry comes from that is a link, or says no location. */
function sourceOfUnnamed(
  reader: Reader,
  node: NodeId,
  entry: { key: string; label: string; link: boolean; location: string; inside: boolean; entryAt: EntryAt },
): LockSource {
  if (entry.link) {
    if (isHttp(entry.location)) report(reader, "contradiction", startOf(reader.tape, node), `${entry.label}a link to a URL`);
    return { kind: "link", path: entry.location };
  }
  if (!entry.inside) return { kind: "workspace", path: entry.key };
  // What the root project bundles is marked too, but fetched: only a dependency's own tarball can bring a package along.
  return flagAt(reader, node, "inBundle", entry.label) && hasBundler(reader, entry.key, entry.entryAt)
    ? { kind: "bundled" }
    : { kind: "registry" };
}

/** True when a package around this location, itself in `node_modules`, says it bundles something. */
function hasBundler(reader: Reader, key: string, entryAt: EntryAt): boolean {
  for (let end = key.lastIndexOf("/node_modules/"); end > 0; end = key.lastIndexOf("/node_modules/", end - 1)) {
    const outer = key.slice(0, end);
    const entry = nameAtLocation(outer) === undefined ? undefined : entryAt(outer);
    if (entry !== undefined && childAt(reader.tape, entry, "bundleDependencies") !== undefined) return true;
  }
  return false;
}

/** `resolved`; npm 5 wrote `false` for bundled packages, and an empty string is no URL. */
function resolvedAt(reader: Reader, node: NodeId, label: string): NodeId | undefined {
  const found = childAt(reader.tape, node, "resolved");
  if (found === undefined || (kindOf(reader.tape, found) === "boolean" && valueOf(reader.tape, found) === "false")) return undefined;
  const resolved = textNodeAt(reader, node, "resolved", label);
  return resolved === undefined || valueOf(reader.tape, resolved) === "" ? undefined : resolved;
}

export function folderName(path: string): string {
  return /(?:^|\/)((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1] ?? path;
}

function addImporter(reader: Reader, node: NodeId, key: string, label: string): void {
  const dependencies: Declared[] = [];
  declare(reader, node, "dependencies", "prod", dependencies, label);
  declare(reader, node, "devDependencies", "dev", dependencies, label);
  declare(reader, node, "optionalDependencies", "optional", dependencies, label);
  declare(reader, node, "peerDependencies", "peer", dependencies, label);
  const name = textAt(reader, node, "name", label);
  const at = position(reader, startOf(reader.tape, node));
  reader.importers.push({ path: key || ".", ...(name === undefined ? {} : { name }), dependencies, ...at });
}

/** The URL at `resolved` can be changed, or left out with the comma that goes with it: npm then asks its configured registry. */
function noteResolved(reader: Reader, owner: NodeId, resolved: NodeId, entry: ResolvedPackage): void {
  const { tape } = reader;
  const url = valueOf(tape, resolved);
  if (!isHttp(url)) return;
  const blank = entry.source.kind === "registry" ? { blank: removal(reader, owner, resolved) } : {};
  notePlace(reader, entry, { url, form: "json", at: atOf(tape, resolved), end: endOf(tape, resolved), ...blank });
}

// --- `dependencies`: npm 6 and before, and the second half of version 2 -----------------------------------------------------------------------

type Legacy = {
  readonly node: NodeId;
  readonly installedAs: string;
  /** The path in `node_modules` this nesting stands for. */
  readonly location: string;
  readonly name: string;
  readonly version: string;
  readonly source: LockSource;
  readonly integrity: NodeId | undefined;
  /** The URL as written: at `resolved`, or at `version` for a tarball dependency. */
  readonly urlNode: NodeId | undefined;
  readonly label: string;
};

function readLegacy(reader: Reader, dependencies: NodeId, parent: string, visit: (entry: Legacy) => void): void {
  const { tape } = reader;
  for (const node of childrenOf(tape, dependencies)) {
    const installedAs = keyOf(tape, node);
    const location = `${parent === "" ? "" : `${parent}/`}node_modules/${installedAs}`;
    const label = `${location}: `;
    if (kindOf(tape, node) !== "map") {
      wrongType(reader, node, location, "a map");
      continue;
    }
    if (!isPackageName(installedAs)) report(reader, "bad-name", startOf(tape, node), `"${installedAs}" cannot be a package's name`);
    const entry = legacyEntry(reader, node, installedAs, location, label);
    visit(entry);
    // Packages nested under a link are in the directory it points at.
    const inside = entry.source.kind === "link" ? entry.source.path : location;
    const nested = mapAt(reader, node, "dependencies", label);
    if (nested !== undefined) readLegacy(reader, nested, inside, visit);
  }
}

function legacyEntry(reader: Reader, node: NodeId, installedAs: string, location: string, label: string): Legacy {
  const { tape } = reader;
  const versionNode = textNodeAt(reader, node, "version", label);
  const said = versionNode === undefined ? "" : valueOf(tape, versionNode);
  const resolved = resolvedAt(reader, node, label);
  const resolvedTo = resolved === undefined ? "" : valueOf(tape, resolved);
  const common = { node, installedAs, location, label, integrity: textNodeAt(reader, node, "integrity", label) };
  const alias = said.startsWith("npm:") ? splitAtVersion(said.slice(4)) : undefined;
  // "version: this is a specifier that uniquely identifies this package" (package-lock.json docs): a version, an alias or a location.
  if (alias !== undefined || said === "" || isVersion(said) || !/[:/]/.test(said)) {
    const bundled = flagAt(reader, node, "bundled", label);
    const identity = alias === undefined ? { name: installedAs, version: said } : { name: alias.name, version: alias.rest };
    const unnamed: LockSource = bundled ? { kind: "bundled" } : { kind: "registry" };
    const source = resolvedTo === "" ? unnamed : sourceOf(resolvedTo);
    return { ...common, ...identity, source, urlNode: resolved };
  }
  const source = sourceOf(said);
  // A `file:` directory is linked; a `file:` archive is unpacked.
  const linked = source.kind === "file" && !/\.(?:tgz|tar\.gz|tar)$/i.test(source.path);
  return {
    ...common,
    name: installedAs,
    version: source.kind === "tarball" ? versionInFile(source.url, installedAs) : "",
    source: linked ? { kind: "link", path: source.path } : source,
    urlNode: isHttp(said) ? versionNode : resolved,
  };
}

function addLegacy(reader: Reader, entry: Legacy): void {
  const { node, label } = entry;
  const at = startOf(reader.tape, node);
  const added = addPackage(reader, at, { key: entry.location, name: entry.name, version: entry.version, source: entry.source });
  if (entry.name !== entry.installedAs) added.alias = entry.installedAs;
  settleIdentity(reader, at, added);
  settleSri(reader, at, added, entry.integrity);
  settleTrust(reader, at, added);
  noteLegacyUrl(reader, entry, added);
  added.dev = flagAt(reader, node, "dev", label);
  added.optional = flagAt(reader, node, "optional", label);
  const requires = childAt(reader.tape, node, "requires");
  const required =
    requires === undefined || kindOf(reader.tape, requires) === "boolean" ? undefined : recordAt(reader, node, "requires", label);
  if (required !== undefined) added.dependencies = required;
}

function noteLegacyUrl(reader: Reader, entry: Legacy, identity: ResolvedPackage): void {
  const { urlNode } = entry;
  if (urlNode === undefined || reader.places === undefined) return;
  if (keyOf(reader.tape, urlNode) === "resolved") return noteResolved(reader, entry.node, urlNode, identity);
  const { tape } = reader;
  notePlace(reader, identity, { url: valueOf(tape, urlNode), form: "json", at: atOf(tape, urlNode), end: endOf(tape, urlNode) });
}

/** Every entry must stand in both halves and say the same, so that npm 6 and npm 7 install the same bytes. */
function compareHalves(reader: Reader, legacy: NodeId): void {
  const byLocation = new Map<string, Draft<ResolvedPackage>>();
  for (const entry of reader.packages) byLocation.set(entry.key, entry);
  const seen = new Set<string>();
  readLegacy(reader, legacy, "", (old) => {
    const at = startOf(reader.tape, old.node);
    const entry = byLocation.get(old.location);
    seen.add(old.location);
    if (entry === undefined) return report(reader, "contradiction", at, `${old.location} stands in "dependencies" but not in "packages"`);
    noteLegacyUrl(reader, old, entry);
    const difference = differenceOf(reader, entry, old);
    if (difference !== undefined) report(reader, "contradiction", at, `${old.location}: ${difference}`);
  });
  for (const entry of reader.packages)
    if (entry.key.startsWith("node_modules/") && !seen.has(entry.key))
      reportAt(reader, "contradiction", entry, `${entry.key} stands in "packages" but not in "dependencies"`);
}

/** What the two halves say differently, in words; undefined when they agree. */
function differenceOf(reader: Reader, entry: ResolvedPackage, old: Legacy): string | undefined {
  if (entry.source.kind !== old.source.kind && !(isUnnamed(entry.source) && isUnnamed(old.source)))
    return differing("source", entry.source.kind, old.source.kind);
  if (entry.source.kind === "registry" && entry.name !== old.name) return differing("name", entry.name, old.name);
  if (old.version !== "" && entry.version !== "" && !sameVersion(entry.version, old.version))
    return differing("version", entry.version, old.version);
  const [now, before] = [urlOf(entry.source), urlOf(old.source)];
  if (now !== before) return differing("source", now, before);
  const integrity = entry.integrity?.value ?? "";
  const oldIntegrity = old.integrity === undefined ? "" : valueOf(reader.tape, old.integrity).trim();
  return integrity === oldIntegrity ? undefined : differing("integrity", integrity, oldIntegrity);
}

function differing(what: string, now: string, before: string): string {
  return `"packages" says ${what} ${now || "(none)"}, "dependencies" says ${before || "(none)"}`;
}

/** npm marks what the root project bundles differently in the two halves; neither form names a source. */
function isUnnamed(source: LockSource): boolean {
  return source.kind === "bundled" || (source.kind === "registry" && source.url === undefined);
}

function urlOf(source: LockSource): string {
  if ("path" in source) return source.path;
  if (source.kind === "git") return source.commit === undefined ? source.url : `${source.url}#${source.commit}`;
  return ("url" in source ? source.url : undefined) ?? "";
}
