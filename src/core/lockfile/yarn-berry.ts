/**
 * yarn.lock of yarn 2 and later: YAML whose every scalar is text. Each entry has a `resolution`, the locator of what was resolved.
 * `checksum` is a digest of the zip yarn makes of the tarball, so it proves nothing about the registry's bytes, and entries for other
 * platforms have none. The tarball's URL is computed from the configured registry, unless the locator carries `__archiveUrl`.
 */
import type { Draft, Reader } from "./document.ts";
import { declare, mapAt, position, recordAt, report, textAt, textNodeAt, wrongType } from "./document.ts";
import { addPackage, notePlace, settleIdentity, settleTrust } from "./entry.ts";
import { lockGraph, settleReach } from "./graph.ts";
import { gitSource, isHttp, registryIdentity, sourceOf, splitAtVersion } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { atOf, childAt, childrenOf, endOf, isPlain, keyOf, kindOf, startOf, valueOf } from "./tape.ts";
import type { Declared, LockSource, ResolvedPackage } from "./tree.ts";

const KNOWN_VERSIONS = /^(?:[4-9]|10)$/;

export function readYarnBerry(reader: Reader): void {
  const { tape } = reader;
  const root = tape.roots[0]!;
  if (kindOf(tape, root) !== "map") return wrongType(reader, root, "the document", "a map");
  const metadata = mapAt(reader, root, "__metadata", "");
  reader.version = metadata === undefined ? "" : (textAt(reader, metadata, "version", "__metadata.") ?? "");
  if (!KNOWN_VERSIONS.test(reader.version))
    report(
      reader,
      "unknown-format",
      metadata === undefined ? 0 : atOf(tape, metadata),
      `__metadata version "${reader.version}" is not one cordon knows`,
    );
  const cacheKey = metadata === undefined ? "" : (textAt(reader, metadata, "cacheKey", "__metadata.") ?? "");
  const seen = new Set<string>();
  for (const node of childrenOf(tape, root)) {
    const key = keyOf(tape, node);
    if (key === "__metadata") continue;
    if (kindOf(tape, node) !== "map") {
      wrongType(reader, node, key, "a map");
      continue;
    }
    for (const descriptor of key.split(/, */)) {
      const size = seen.size;
      if (seen.add(descriptor).size === size)
        report(reader, "duplicate-key", startOf(tape, node), `"${descriptor}" stands twice; yarn uses one of them`);
    }
    readEntry(reader, node, key, cacheKey);
  }
  settleReach(reader, lockGraph(reader), ["optional"]);
}

/** A locator `name@reference` taken apart: `reference` without its `::` parameters. */
type Locator = { readonly name: string; readonly reference: string; readonly params: URLSearchParams };

function readLocator(text: string): Locator | undefined {
  const parts = splitAtVersion(text);
  if (parts === undefined) return undefined;
  const at = parts.rest.indexOf("::");
  const params = new URLSearchParams(at < 0 ? "" : parts.rest.slice(at + 2));
  return { name: parts.name, reference: at < 0 ? parts.rest : parts.rest.slice(0, at), params };
}

function readEntry(reader: Reader, node: NodeId, key: string, cacheKey: string): void {
  const { tape } = reader;
  const at = startOf(tape, node);
  const label = `${key}: `;
  const resolution = textNodeAt(reader, node, "resolution", label);
  const locator = resolution === undefined ? undefined : readLocator(valueOf(tape, resolution));
  if (resolution === undefined || locator === undefined) return report(reader, "wrong-type", at, `${label}no readable resolution`);
  const found = resolve(locator);
  const version = textAt(reader, node, "version", label) ?? "";
  const added = addPackage(reader, at, { key, name: found.name, version: found.version ?? version, source: found.source });
  if (found.version !== undefined && found.version !== version)
    report(reader, "contradiction", at, `${label}version ${version || "(none)"}, but the resolution is ${valueOf(tape, resolution)}`);
  const bound = locator.params.get("version");
  if (bound !== null && bound !== version)
    report(reader, "contradiction", at, `${label}version ${version || "(none)"}, but the resolution is bound to ${bound}`);
  if (found.patched !== undefined) added.patched = found.patched;
  const installedAs = key.split(/, */).map((descriptor) => splitAtVersion(descriptor)?.name ?? descriptor);
  if (!installedAs.includes(added.name)) added.alias = installedAs[0]!;
  settleIdentity(reader, at, added);
  readChecksum(reader, node, added, cacheKey, label);
  settleTrust(reader, at, added);
  readConditions(reader, node, added, label);
  readRanges(reader, node, added, label);
  noteArchiveUrl(reader, resolution, locator, added);
  if (added.source.kind === "workspace") addImporter(reader, node, added, label);
}

type Resolved = { readonly name: string; readonly source: LockSource; readonly version?: string; readonly patched?: string };

/** What a locator stands for; a patched package is the package inside, with the patch noted. */
function resolve(locator: Locator, depth = 0): Resolved {
  const { name, reference, params } = locator;
  if (reference.startsWith("npm:")) {
    const url = params.get("__archiveUrl");
    return { name, version: reference.slice(4), source: url === null ? { kind: "registry" } : { kind: "registry", url } };
  }
  if (reference.startsWith("patch:")) {
    const [inner, patch = ""] = reference.slice(6).split("#") as [string, string?];
    const base = depth < 4 ? readLocator(decode(inner)) : undefined;
    const patched = patch.replace(/^(?:optional!|~)+/, "").replace(/^\//, "") || "(unnamed)";
    if (base !== undefined) return { ...resolve(base, depth + 1), patched };
    return { name, source: { kind: "file", path: reference }, patched };
  }
  const jsr = /^jsr:(?:(@[^@]+)@)?(.+)$/.exec(reference);
  if (jsr !== null) return { name: jsr[1] ?? name, version: jsr[2]!, source: { kind: "jsr" } };
  const git = gitSource(reference);
  if (git !== undefined) return { name, source: git };
  const source = sourceOf(reference);
  // Who asks for an archive by its address gives it a name of his own.
  if (source.kind === "registry" && source.url !== undefined) return { name: registryIdentity(source.url)?.name ?? name, source };
  // `file:./x.tgz#./x.tgz` and the like: what follows the sign is yarn's own book-keeping.
  return { name, source: "path" in source ? { ...source, path: source.path.replace(/#.*$/, "") } : source };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `<cacheKey>/<sha512>`, or before version 8 the digest alone under the file's own cache key. */
function readChecksum(reader: Reader, node: NodeId, entry: Draft<ResolvedPackage>, cacheKey: string, label: string): void {
  const checksum = textAt(reader, node, "checksum", label);
  if (checksum === undefined) return;
  const slash = checksum.indexOf("/");
  const digest = checksum.slice(slash + 1);
  if (!/^[0-9a-f]{128}$/.test(digest))
    report(reader, "bad-integrity", startOf(reader.tape, node), `${label}"${checksum.slice(0, 80)}" is no checksum`);
  else entry.integrity = { kind: "berry-checksum", value: `${slash < 0 ? cacheKey : checksum.slice(0, slash)}/${digest}` };
}

/** `os=linux & cpu=x64 & (libc=glibc | libc=musl)` */
function readConditions(reader: Reader, node: NodeId, entry: Draft<ResolvedPackage>, label: string): void {
  const conditions = textAt(reader, node, "conditions", label);
  if (conditions === undefined) return;
  for (const field of ["os", "cpu", "libc"] as const) {
    const values = [...conditions.matchAll(new RegExp(`\\b${field}=([^\\s&|()]+)`, "g"))].map((match) => match[1]!);
    if (values.length > 0) entry[field] = values;
  }
}

/** yarn keeps one list of dependencies and marks the optional ones beside it. */
function readRanges(reader: Reader, node: NodeId, entry: Draft<ResolvedPackage>, label: string): void {
  const dependencies = recordAt(reader, node, "dependencies", label);
  const peers = recordAt(reader, node, "peerDependencies", label);
  if (peers !== undefined) entry.peerDependencies = peers;
  if (dependencies === undefined) return;
  const optional = Object.create(null) as Record<string, string>;
  const meta = mapAt(reader, node, "dependenciesMeta", label);
  for (const dependency of meta === undefined ? [] : childrenOf(reader.tape, meta)) {
    const name = keyOf(reader.tape, dependency);
    const flag = kindOf(reader.tape, dependency) === "map" ? childAt(reader.tape, dependency, "optional") : undefined;
    const range = Object.hasOwn(dependencies, name) ? dependencies[name] : undefined;
    if (flag === undefined || range === undefined || valueOf(reader.tape, flag) !== "true") continue;
    optional[name] = range;
    delete dependencies[name];
  }
  if (Object.keys(dependencies).length > 0) entry.dependencies = dependencies;
  if (Object.keys(optional).length > 0) entry.optionalDependencies = optional;
}

/** A workspace's own entry; yarn does not say which of its dependencies are for development. */
function addImporter(reader: Reader, node: NodeId, entry: ResolvedPackage, label: string): void {
  const dependencies: Declared[] = [];
  declare(reader, node, "dependencies", "prod", dependencies, label);
  const path = entry.source.kind === "workspace" ? entry.source.path : ".";
  reader.importers.push({ path, name: entry.name, dependencies, ...position(reader, startOf(reader.tape, node)) });
}

/** `__archiveUrl` is written percent-encoded among the parameters; without it yarn asks its configured registry. */
function noteArchiveUrl(reader: Reader, resolution: NodeId, locator: Locator, entry: ResolvedPackage): void {
  const url = locator.params.get("__archiveUrl");
  if (url === null || !isHttp(url)) return;
  const { tape, text } = reader;
  const inset = isPlain(tape, resolution) ? 0 : 1;
  const begin = atOf(tape, resolution) + inset;
  const match = /(::|&)__archiveUrl=([^&]*)(&?)/.exec(text.slice(begin, endOf(tape, resolution) - inset));
  // A patch carries its base's URL encoded once more; it follows the base's own entry.
  if (match === null) return;
  const start = begin + match.index;
  const at = start + match[1]!.length + "__archiveUrl=".length;
  const following = match[3] === "&";
  notePlace(reader, entry, {
    url,
    form: "archive-url",
    at,
    end: at + match[2]!.length,
    blank: { at: start, end: at + match[2]!.length + (following ? 1 : 0), text: following ? match[1]! : "" },
  });
}

export function looksLikeYarnBerry(text: string): boolean {
  return /^\ufeff?__metadata:\s*$/m.test(text.slice(0, 100_000));
}
