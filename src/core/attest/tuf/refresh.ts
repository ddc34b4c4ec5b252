/**
 * A client of a TUF repository (specification 1.0, §5), as a conversation: it says which file it wants and what must be remembered, and
 * believes nothing that a chain of signatures from the root it begins with does not cover. It fetches nothing itself.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import { LIMITS } from "../../base/limits.ts";
import { type Instant, iso } from "../../base/time.ts";
import { readTuf, type TufDelegated, type TufDocument, type TufFile, type TufKeys, type TufKind, type TufRole } from "./metadata.ts";
import { assertSigned } from "./signed.ts";

/** What was believed last; older is never believed again. */
export type TufSeen = {
  /** Text of the newest root. */
  readonly root: string;
  readonly timestamp?: { readonly version: number; readonly snapshot: number };
  /** Version of each file that the newest snapshot lists, and its own. */
  readonly snapshot?: { readonly version: number; readonly files: Readonly<Record<string, number>> };
};

export type TufRequest =
  /** Answered by the file's bytes, never more than `ceiling`, or by undefined where the repository has none. `path` is below its base URL. */
  | { readonly want: "file"; readonly path: string; readonly ceiling: number }
  /** To be kept before the next file is asked for, whatever comes of the rest. */
  | { readonly want: "memory"; readonly seen: TufSeen };

type Talk<T> = Generator<TufRequest, T, Uint8Array | undefined>;

export type TufRefreshed = {
  /** Version of the root it began with, and of the one that is believed now. */
  readonly before: number;
  readonly root: number;
  /** When that root ends. */
  readonly until: Instant;
  /** Each target that was asked for, verified. */
  readonly targets: ReadonlyMap<string, Uint8Array>;
};

/**
 * `shipped` is the text of the root cordon was built with; `now` counts for the whole conversation (§5.1). Throws Fault INPUT_UNREADABLE,
 * which names the file that cannot be believed and why.
 */
export function* refreshTuf(request: {
  readonly shipped: string;
  readonly seen?: TufSeen | undefined;
  readonly targets: readonly string[];
  readonly now: Instant;
}): Talk<TufRefreshed> {
  const { now } = request;
  const begun = begin(request.shipped, request.seen);
  const before = begun.root.signed.version;
  const { root, seen } = yield* newestRoot(begun, now);
  const timestamp = yield* newestTimestamp(root, seen, now);
  const stamped = { version: timestamp.signed.version, snapshot: timestamp.signed.meta["snapshot.json"].version };
  yield { want: "memory", seen: { ...seen, timestamp: stamped } };
  const snapshot = yield* snapshotOf(root, timestamp, seen, now);
  const files = Object.fromEntries(Object.entries(snapshot.signed.meta).map(([file, { version }]) => [file, version]));
  yield { want: "memory", seen: { root: seen.root, timestamp: stamped, snapshot: { version: snapshot.signed.version, files } } };
  const top = yield* targetsOf("targets", { keys: root.signed.keys, role: root.signed.roles.targets }, root, snapshot, now);
  const targets = new Map<string, Uint8Array>();
  for (const path of request.targets) {
    const found = yield* find(path, top, root, snapshot, now);
    targets.set(path, yield* fetched(`targets/${targetFile(path, found, root)}`, found, LIMITS.trustBytes));
  }
  return { before, root: root.signed.version, until: root.expires, targets };
}

type Root = TufDocument<"root">;
type Believed = { readonly root: Root; readonly seen: TufSeen };

/** The newer of the root that is shipped and the one seen last. */
function begin(shipped: string, seen: TufSeen | undefined): Believed {
  const built = selfSigned(readTuf("root", "the root cordon was built with", shipped));
  if (seen === undefined) return { root: built, seen: { root: shipped } };
  const last = selfSigned(readTuf("root", "the root seen last", seen.root));
  if (last.signed.version >= built.signed.version) return { root: last, seen };
  return { root: built, seen: afterRotation(last, built, { ...seen, root: shipped }) };
}

function selfSigned(root: Root): Root {
  assertSigned(root, root.signed.keys, root.signed.roles.root, "it");
  return root;
}

/** §5.3: one root after the other, each signed by the one before and by itself. Only the last must not have expired. */
function* newestRoot({ root: first, seen: known }: Believed, now: Instant): Talk<Believed> {
  let [root, seen] = [first, known];
  for (let rotations = 0; ; rotations += 1) {
    const version = root.signed.version + 1;
    const bytes = yield { want: "file", path: `${version}.root.json`, ceiling: LIMITS.tufRootBytes };
    if (bytes === undefined) break;
    if (rotations === LIMITS.tufRotations) throw new Fault("INPUT_UNREADABLE", `more than ${LIMITS.tufRotations} roots follow one another`);
    const next = readTuf("root", `${version}.root.json`, within(bytes, LIMITS.tufRootBytes, `${version}.root.json`));
    // §5.3.4: "MUST have been signed by: (1) a threshold of keys specified in the trusted root metadata file … and (2) … the new root".
    assertSigned(next, root.signed.keys, root.signed.roles.root, `root ${root.signed.version}`);
    selfSigned(next);
    // §5.3.5: "The version number of the new root metadata MUST be exactly the version in the trusted root metadata … incremented by one".
    if (next.signed.version !== version) throw new Fault("INPUT_UNREADABLE", `${next.file} says that it is root ${next.signed.version}`);
    seen = afterRotation(root, next, { ...seen, root: Buffer.from(bytes).toString("utf8") });
    root = next;
    yield { want: "memory", seen };
  }
  assertFresh(root, `root ${root.signed.version}`, now);
  return { root, seen };
}

/** §5.3.11: "If timestamp and / or snapshot keys have been rotated, then delete the trusted timestamp and snapshot metadata files". */
function afterRotation(before: Root, after: Root, seen: TufSeen): TufSeen {
  const same = (["timestamp", "snapshot"] as const).every((name) => keysOfRole(before, name) === keysOfRole(after, name));
  return same ? seen : { root: seen.root };
}

function keysOfRole({ signed }: Root, name: "timestamp" | "snapshot"): string {
  const { keyids, threshold } = signed.roles[name];
  const keys = keyids.map((keyid) => JSON.stringify([keyid, Object.hasOwn(signed.keys, keyid) ? signed.keys[keyid]!.keyval.public : ""]));
  return `${threshold} ${keys.toSorted().join(" ")}`;
}

/** §5.4 */
function* newestTimestamp(root: Root, seen: TufSeen, now: Instant): Talk<TufDocument<"timestamp">> {
  const bytes = yield* fetched("timestamp.json", {}, LIMITS.tufTimestampBytes);
  const timestamp = readTuf("timestamp", "timestamp.json", bytes);
  assertSigned(timestamp, root.signed.keys, root.signed.roles.timestamp, `root ${root.signed.version}`);
  assertNotOlder("timestamp.json", timestamp.signed.version, seen.timestamp?.version);
  assertNotOlder("the snapshot that timestamp.json names", timestamp.signed.meta["snapshot.json"].version, seen.timestamp?.snapshot);
  assertFresh(timestamp, "timestamp.json", now);
  return timestamp;
}

/** §5.5 */
function* snapshotOf(root: Root, timestamp: TufDocument<"timestamp">, seen: TufSeen, now: Instant): Talk<TufDocument<"snapshot">> {
  const named = timestamp.signed.meta["snapshot.json"];
  const file = metadataFile(root, "snapshot", named.version);
  const snapshot = readTuf("snapshot", file, yield* fetched(file, named, LIMITS.tufSnapshotBytes));
  assertSigned(snapshot, root.signed.keys, root.signed.roles.snapshot, `root ${root.signed.version}`);
  assertVersion(snapshot, named.version, "timestamp.json");
  assertNotOlder(file, snapshot.signed.version, seen.snapshot?.version);
  // §5.5.5: files of the snapshot seen last must still be listed, and none in an older version.
  for (const [name, version] of Object.entries(seen.snapshot?.files ?? {})) {
    if (!Object.hasOwn(snapshot.signed.meta, name)) throw new Fault("INPUT_UNREADABLE", `${file} no longer lists ${name}`);
    assertNotOlder(`${name} in ${file}`, snapshot.signed.meta[name]!.version, version);
  }
  assertFresh(snapshot, file, now);
  return snapshot;
}

type Signers = { readonly keys: TufKeys; readonly role: TufRole };

/** §5.6: the top-level targets, or those of a role they delegate to. */
function* targetsOf(
  name: string,
  { keys, role }: Signers,
  root: Root,
  snapshot: TufDocument<"snapshot">,
  now: Instant,
): Talk<TufDocument<"targets">> {
  if (!Object.hasOwn(snapshot.signed.meta, `${name}.json`))
    throw new Fault("INPUT_UNREADABLE", `${snapshot.file} does not list ${name}.json`);
  const listed = snapshot.signed.meta[`${name}.json`]!;
  const file = metadataFile(root, name, listed.version);
  const targets = readTuf("targets", file, yield* fetched(file, listed, LIMITS.tufTargetsBytes));
  assertSigned(targets, keys, role, name === "targets" ? `root ${root.signed.version}` : "whoever delegates to it");
  assertVersion(targets, listed.version, snapshot.file);
  assertFresh(targets, file, now);
  return targets;
}

/** §5.6.7: in depth, in the order delegations are listed, each role once. */
function* find(
  path: string,
  top: TufDocument<"targets">,
  root: Root,
  snapshot: TufDocument<"snapshot">,
  now: Instant,
): Talk<Required<TufFile>> {
  const waiting: { readonly role: TufDelegated; readonly keys: TufKeys }[] = [];
  const visited = new Set(["targets"]);
  for (let document = top; ;) {
    if (Object.hasOwn(document.signed.targets, path)) return document.signed.targets[path]!;
    const { keys = {}, roles = [] } = document.signed.delegations ?? {};
    const fitting = roles.filter((role) => delegates(role, path));
    const last = fitting.findIndex(({ terminating }) => terminating);
    // §5.6.7.2.1: of a terminating delegation that fits, what comes after it, here or further up, is not asked.
    if (last >= 0) waiting.length = 0;
    waiting.unshift(...fitting.slice(0, last < 0 ? undefined : last + 1).map((role) => ({ role, keys })));
    const next = waiting.find(({ role }) => !visited.has(role.name));
    if (next === undefined) throw new Fault("INPUT_UNREADABLE", `the repository names no target ${path}`);
    if (visited.size > LIMITS.tufVisits) throw new Fault("INPUT_UNREADABLE", `more than ${LIMITS.tufVisits} delegations lead to ${path}`);
    waiting.splice(0, waiting.indexOf(next) + 1);
    visited.add(next.role.name);
    document = yield* targetsOf(next.role.name, next, root, snapshot, now);
  }
}

/** §4.5: a pattern's `*` and `?` stand for anything but a slash; or the sha256 of the path begins with one of the prefixes. */
function delegates({ paths, path_hash_prefixes: prefixes }: TufDelegated, path: string): boolean {
  if (paths !== undefined) return paths.some((pattern) => matches(pattern, path));
  return prefixes !== undefined && prefixes.some((prefix) => digest("sha256", Buffer.from(path)).startsWith(prefix));
}

function matches(pattern: string, path: string): boolean {
  const [parts, segments] = [pattern.split("/"), path.split("/")];
  return parts.length === segments.length && parts.every((part, index) => matchesSegment(part, segments[index]!));
}

/** In one pass, going back only to the last star: a pattern must not be able to take for ever. */
function matchesSegment(pattern: string, text: string): boolean {
  let [p, star, mark] = [0, -1, 0];
  for (let t = 0; t < text.length;) {
    if (pattern[p] === "*") [star, mark] = [p++, t];
    else if (pattern[p] === "?" || (p < pattern.length && pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, t] = [star + 1, (mark += 1)];
    else return false;
  }
  return /^\**$/.test(pattern.slice(p));
}

/** §5.5.1, §5.6.1: with consistent snapshots a file's name begins with its version. */
function metadataFile({ signed }: Root, name: string, version: number): string {
  return `${signed.consistent_snapshot === true ? `${version}.` : ""}${encodeURIComponent(name)}.json`;
}

/** §5.7.3: with consistent snapshots a target's file name begins with its hash. */
function targetFile(path: string, { hashes }: Required<TufFile>, { signed }: Root): string {
  const hash = hashes?.["sha256"] ?? hashes?.["sha512"];
  const parts = path.split("/").map(encodeURIComponent);
  if (signed.consistent_snapshot !== true || hash === undefined) return parts.join("/");
  return [...parts.slice(0, -1), `${hash}.${parts.at(-1)}`].join("/");
}

/** A file that must be there, of the length and with the hashes that were signed for it. */
function* fetched(path: string, { length, hashes }: TufFile, most: number): Talk<Uint8Array> {
  const ceiling = Math.min(length ?? most, most);
  const bytes = yield { want: "file", path, ceiling };
  if (bytes === undefined) throw new Fault("INPUT_UNREADABLE", `the repository has no ${path}`);
  within(bytes, ceiling, path);
  if (length !== undefined && bytes.length !== length)
    throw new Fault("INPUT_UNREADABLE", `${path} has ${bytes.length} bytes, not the ${length} that are signed`);
  if (hashes === undefined) return bytes;
  const known = (["sha256", "sha512"] as const).filter((algorithm) => Object.hasOwn(hashes, algorithm));
  if (known.length === 0) throw new Fault("INPUT_UNREADABLE", `${path} is listed with no sha256 and no sha512`);
  for (const algorithm of known)
    if (digest(algorithm, bytes) !== hashes[algorithm])
      throw new Fault("INPUT_UNREADABLE", `${path} is not the file that was signed: its ${algorithm} differs`);
  return bytes;
}

function within(bytes: Uint8Array, ceiling: number, file: string): Uint8Array {
  if (bytes.length > ceiling) throw new Fault("INPUT_TOO_LARGE", `${file} has more than ${ceiling} bytes`);
  return bytes;
}

function digest(algorithm: "sha256" | "sha512", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** §5.4.4 and alike: "the expiration timestamp … MUST be higher than the fixed update start time". */
function assertFresh({ expires }: TufDocument<TufKind>, what: string, now: Instant): void {
  if (expires <= now) throw new Fault("INPUT_UNREADABLE", `${what} ended ${iso(expires)}: newer ones are held back, or nobody wrote one`);
}

function assertNotOlder(what: string, version: number, seen: number | undefined): void {
  if (seen !== undefined && version < seen)
    throw new Fault("INPUT_UNREADABLE", `${what} is version ${version}, and ${seen} was seen before`);
}

function assertVersion({ file, signed }: TufDocument<TufKind>, version: number, by: string): void {
  if (signed.version !== version)
    throw new Fault("INPUT_UNREADABLE", `${file} is version ${signed.version}, not the ${version} that ${by} names`);
}
