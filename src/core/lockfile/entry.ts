/** What every format does with an entry once its fields are read: decide what it is, check its digest, note its URL, add it. */
import { isPackageName } from "../npm/name.ts";
import type { Draft, Place, Reader } from "./document.ts";
import { position, recordAt, report, textsAt } from "./document.ts";
import { isSha512, isUsualPath, isVersion, readSri, registryIdentity, sameVersion } from "./identity.ts";
import type { NodeId } from "./tape.ts";
import { atOf, childrenOf, endOf, isPlain, startOf, valueOf } from "./tape.ts";
import type { LockIntegrity, LockSource, ResolvedPackage } from "./tree.ts";

/** The fields every entry has; the rest are set on the result. */
export function addPackage(
  reader: Reader,
  at: number,
  entry: { key: string; name: string; version: string; source: LockSource },
): Draft<ResolvedPackage> {
  const { line, column } = position(reader, at);
  const added: Draft<ResolvedPackage> = {
    key: entry.key,
    name: entry.name,
    version: entry.version,
    source: entry.source,
    dev: false,
    optional: false,
    peer: false,
    line,
    column,
  };
  reader.packages.push(added);
  return added;
}

/**
 * Identity before name: clients fetch a recorded URL without asking whose it is, so a registry path decides over the entry's own words.
 * Also reports names no package can have (they become paths on the disk) and registry entries without a version.
 * `usual` says that the URL is known to be the usual path of this very version.
 */
export function settleIdentity(reader: Reader, at: number, entry: Draft<ResolvedPackage>, usual = false): void {
  const { source } = entry;
  if (source.kind === "registry" && source.url !== undefined && !usual) settleUrl(reader, at, entry, source.url);
  for (const name of [entry.name, entry.alias])
    if (name !== undefined && !NAMELESS.has(source.kind) && !USUAL_NAME.test(name) && !isPackageName(name))
      report(reader, "bad-name", at, `${entry.key}: "${name}" cannot be a package's name`);
  if (source.kind !== "registry") return;
  if (entry.version === "") report(reader, "no-version", at, `${entry.key}: a registry package without a version`);
  else if (!isVersion(entry.version)) report(reader, "no-version", at, `${entry.key}: "${entry.version}" is not a version`);
}

/** Most names; what it lets through is a name by the full rule, which takes longer. */
export const USUAL_NAME = /^(?:@[a-z0-9-]{1,80}\/)?[a-z0-9][a-z0-9-]{0,80}$/;
/** Directories may be called anything. */
const NAMELESS: ReadonlySet<LockSource["kind"]> = new Set(["file", "link", "workspace"]);

function settleUrl(reader: Reader, at: number, entry: Draft<ResolvedPackage>, url: string): void {
  const fetched = isUsualPath(url, 0, url.length, entry.name, entry.version) ? undefined : registryIdentity(url);
  if (fetched === undefined) return;
  const unsaid = entry.version === "";
  const same = fetched.name === entry.name && (unsaid || !isVersion(fetched.version) || sameVersion(fetched.version, entry.version));
  const bytes = `${fetched.name}@${fetched.version}`;
  if (!same)
    report(reader, "identity-mismatch", at, `${entry.key}: the entry says ${entry.name}@${entry.version}, its URL fetches ${bytes}`);
  else if (unsaid) report(reader, "no-version", at, `${entry.key}: no version; its URL fetches ${bytes}`);
  else return;
  if (fetched.name !== entry.name) entry.alias ??= entry.name;
  entry.name = fetched.name;
  entry.version = fetched.version;
}

/** Sets the integrity from a string on the tape; a malformed one is reported and counts as none. */
export function settleSri(reader: Reader, at: number, entry: Draft<ResolvedPackage>, node: NodeId | undefined): void {
  if (node === undefined) return;
  const { tape } = reader;
  const value = valueOf(tape, node);
  if (value === "") return;
  const inset = isPlain(tape, node) ? 0 : 1;
  const usual = isSha512(tape.text, atOf(tape, node) + inset, endOf(tape, node) - inset);
  const integrity: LockIntegrity | undefined = usual ? { kind: "sri", value } : readSri(value);
  if (integrity === undefined)
    report(reader, "bad-integrity", at, `${entry.key}: "${value.slice(0, 80)}" is not a digest any client checks`);
  else entry.integrity = integrity;
}

/** Reports what would be fetched without anything to hold it to. */
export function settleTrust(reader: Reader, at: number, entry: Draft<ResolvedPackage>): void {
  const problem = trustProblem(entry);
  if (problem !== undefined) report(reader, problem.code, at, problem.message);
}

/** Bundled, local and linked entries are not fetched. */
export function trustProblem({
  source,
  integrity,
  name,
  version,
}: ResolvedPackage): { readonly code: "no-integrity" | "unpinned-git"; readonly message: string } | undefined {
  if (integrity !== undefined || LOCAL.has(source.kind)) return undefined;
  const called = version === "" ? name : `${name}@${version}`;
  if (source.kind !== "git") return { code: "no-integrity", message: `${called} has no integrity` };
  if (source.commit !== undefined) return undefined;
  return { code: "unpinned-git", message: `${called} comes from ${source.url} without a full commit` };
}

export const LOCAL: ReadonlySet<LockSource["kind"]> = new Set(["file", "link", "workspace", "bundled"]);

/** Remembers a URL that may be rewritten, under the identity the entry settled on. */
export function notePlace(reader: Reader, entry: ResolvedPackage, place: Omit<Place, "key" | "name" | "version">): void {
  reader.places?.push({ key: entry.key, name: entry.name, version: entry.version, ...place });
}

export function hexIntegrity(text: string | undefined): LockIntegrity | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/i.test(text) ? { kind: "hex", value: text.toLowerCase() } : undefined;
}

export function readPlatforms(reader: Reader, node: NodeId, into: Draft<ResolvedPackage>, label: string): void {
  for (const field of ["os", "cpu", "libc"] as const) {
    const values = textsAt(reader, node, field, label);
    if (values !== undefined && values.length > 0) into[field] = values;
  }
}

export function readDependencies(reader: Reader, node: NodeId, into: Draft<ResolvedPackage>, label: string): void {
  for (const field of ["dependencies", "optionalDependencies", "peerDependencies"] as const) {
    const record = recordAt(reader, node, field, label);
    if (record !== undefined) into[field] = record;
  }
}

/** The edit that takes one member out of an object without touching how the others are laid out. */
export function removal(reader: Reader, owner: NodeId, member: NodeId): { at: number; end: number; text: string } {
  const { tape } = reader;
  const siblings = childrenOf(tape, owner);
  const place = siblings.indexOf(member);
  const following = siblings[place + 1];
  if (following !== undefined) return { at: startOf(tape, member), end: startOf(tape, following), text: "" };
  const before = siblings[place - 1];
  return { at: before === undefined ? atOf(tape, owner) + 1 : endOf(tape, before), end: endOf(tape, member), text: "" };
}
