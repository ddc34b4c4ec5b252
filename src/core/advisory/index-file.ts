/**
 * Reads the advisory index: opening it reads its head alone, a look-up one page of marks and, on a hit, one of slots and one line. What is
 * read is checked first, so damage is an error and never a "nothing is known". `index-layout` says how it lies in its file.
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { Fault } from "../base/fault.ts";
import { present } from "../base/present.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Affected, RangeEvent } from "./advisory.ts";
import { EVENT_KINDS } from "./advisory.ts";
import { type Claim, SEVERITIES } from "./claim.ts";
import {
  type About,
  FORMAT,
  FRAME_BYTES,
  HEADER_BYTES,
  HEADER_CRC_AT,
  hashOf,
  MAGIC,
  MALWARE,
  markOf,
  MASS,
  PAGE_BYTES,
  pagesOf,
  SEVERITY_AT,
  type Slim,
  SLOT_BYTES,
  slotsFor,
  type Table,
} from "./index-layout.ts";
import { type Match, joined, matchesAffected } from "./match.ts";

/**
 * A file that can be read in places. `read` may give less than was asked, which counts as damage, and may give its own memory, or `into`,
 * which has room for what is asked.
 */
export type IndexSource = { readonly size: number; read(at: number, length: number, into?: Uint8Array): Uint8Array };

/** Every method raises INPUT_UNREADABLE when it meets damage. */
export type AdvisoryIndex = {
  /** Records in it, withdrawn ones included, and names they speak of. */
  readonly size: number;
  readonly names: number;
  readonly feeds: readonly string[];
  /**
   * Everything any feed says of this version, or of these bytes under any name; withdrawn claims too: `inForce` tells them apart.
   * `version` undefined: it is not known which. `integrities` are SRI of one sha512 each.
   */
  claims(name: string, version: string | undefined, integrities?: readonly string[]): readonly Claim[];
  /** What is said of these bytes. */
  byIntegrity(integrity: string): readonly Claim[];
  /** Claims on other versions of the package that name this one as their fix. */
  fixedBy(name: string, version: string): readonly Claim[];
  /** The lines of a table, sorted by key. For comparing two indexes. */
  lines(table: Table): Iterable<Buffer>;
};

/** Raises INPUT_UNREADABLE when it is no index; it can be built again from what the feeds said. */
export function openIndex(from: Uint8Array | IndexSource): AdvisoryIndex {
  const source: IndexSource =
    from instanceof Uint8Array ? { size: from.length, read: (at, length) => from.subarray(at, at + length) } : from;
  const read: Read = (at, length, into) => {
    const { buffer, byteOffset, byteLength } = source.read(at, length, into);
    return Buffer.from(buffer, byteOffset, byteLength);
  };
  const header = read(0, HEADER_BYTES);
  if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) throw broken("it does not begin as one");
  const [format, length, seed, nameSlots, digestSlots, headBytes, linesAt, digestLinesAt, headCrc] = Array.from({ length: 9 }, (_, index) =>
    header.readUInt32LE(MAGIC.length + index * 4),
  ) as [number, number, number, number, number, number, number, number, number];
  if (format !== FORMAT) throw broken(`it has format ${format}, this cordon reads ${FORMAT}`);
  if (crc32(header.subarray(0, HEADER_CRC_AT)) !== header.readUInt32LE(HEADER_CRC_AT)) throw broken("its header is not what was written");
  if (length !== source.size) throw broken(`it has ${source.size} bytes of ${length}`);
  const head = Buffer.from(read(HEADER_BYTES, headBytes));
  if (crc32(head) !== headCrc) throw broken("its head is not what was written");

  let at = HEADER_BYTES + headBytes;
  let checksAt = 0;
  const part = (bytes: number): Part => {
    const checks = head.subarray(checksAt, (checksAt += pagesOf(bytes) * 4));
    return partAt(read, (at += bytes) - bytes, bytes, checks);
  };
  const table = (slots: number) => ({ count: slots, marks: part(slots), slots: part(slots * SLOT_BYTES) });
  const tables = { names: table(nameSlots), integrities: table(digestSlots) };
  const about = JSON.parse(head.toString("utf8", checksAt)) as About;
  const spans = { names: [linesAt, digestLinesAt], integrities: [digestLinesAt, length] } as const;

  // A gate asks about every version of one package in a row.
  let recent: { readonly key: string; readonly group: readonly Slim[] } | undefined;

  function find(name: Table, key: string): readonly Slim[] {
    if (name === "names" && recent?.key === key) return recent.group;
    const group = search(name, key);
    if (name === "names" && group.length > 0) recent = { key, group };
    return group;
  }

  function search(name: Table, key: string): readonly Slim[] {
    const { count, marks, slots } = tables[name];
    if (count === slotsFor(0)) return [];
    const hash = hashOf(key, seed);
    const own = markOf(hash);
    for (let slot = hash & (count - 1), left = count; left > 0; slot = (slot + 1) & (count - 1), left--) {
      const mark = marks.from(slot)[slot]!;
      if (mark === 0) return [];
      if (mark !== own) continue;
      const at = slot * SLOT_BYTES;
      const table = slots.from(at);
      if (table.readUInt32LE(at) !== hash) continue;
      const [found, group] = JSON.parse(lineAt(read, table.readUInt32LE(at + 4)).toString("utf8")) as [string, readonly Slim[]];
      if (found === key) return group;
    }
    return [];
  }

  return {
    size: about.size,
    names: about.names,
    feeds: about.feeds,
    claims(name, version, integrities = []) {
      const group = find("names", name);
      // Nothing is said of nearly every name.
      if (group.length === 0 && integrities.length === 0) return [];
      const found = new Map<string, { slim: Slim; matches: Match[] }>();
      const note = (slim: Slim, match: Match) => {
        const key = `${slim[2]} ${slim[0]}`;
        const known = found.get(key);
        if (known) known.matches.push(match);
        else found.set(key, { slim, matches: [match] });
      };
      for (const slim of group) {
        const match = matchesAffected([affectedOf(name, slim)], name, version);
        if (match) note(slim, match);
      }
      for (const integrity of integrities) for (const slim of find("integrities", integrity)) note(slim, { match: "integrity", fixed: [] });
      return [...found.values()].map(({ slim, matches }) => claimOf(slim, joined(matches)));
    },
    byIntegrity: (integrity) => find("integrities", integrity).map((slim) => claimOf(slim, { match: "integrity", fixed: [] })),
    fixedBy: (name, version) =>
      find("names", name).flatMap((slim) => {
        const fixed = affectedOf(name, slim).ranges.flatMap((range) =>
          range.flatMap((event) => (event.kind === "fixed" ? [event.version] : [])),
        );
        return fixed.includes(version) ? [claimOf(slim, { match: "range", fixed: [...new Set(fixed)] })] : [];
      }),
    lines: (name) => linesIn(read, ...spans[name]),
  };
}

type Read = (at: number, length: number, into?: Uint8Array) => Buffer;

function broken(why: string): Fault {
  return new Fault("INPUT_UNREADABLE", `the advisory index is damaged: ${why}`);
}

/** Of the pages of a part so many are read one by one; who asks for more is asking for a whole lockfile, and gets the rest in one reading. */
const ONE_BY_ONE = 1 / 8;

/** Marks or slots, read page by page, each held to its digest when it is first wanted. `from` gives all, with the page of an offset in it. */
type Part = { from(offset: number): Buffer };

function partAt(read: Read, start: number, length: number, checks: Buffer): Part {
  const known = new Uint8Array(pagesOf(length));
  let bytes: Buffer | undefined;
  let pages = 0;
  function fetch(page: number): void {
    bytes ??= Buffer.from(new ArrayBuffer(length));
    const own = bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    const most = Math.ceil(known.length * ONE_BY_ONE);
    if (pages < most) fill(start + page * PAGE_BYTES, own);
    else if (pages === most) fill(start, bytes);
    pages++;
    if (crc32(own) !== checks.readUInt32LE(page * 4)) throw broken("a page of it is not what was written");
    known[page] = 1;
  }
  function fill(from: number, into: Buffer): void {
    const found = read(from, into.length, into);
    if (found.buffer !== into.buffer) found.copy(into);
  }
  return {
    from(offset) {
      const page = Math.floor(offset / PAGE_BYTES);
      if (known[page] === 0) fetch(page);
      return bytes!;
    },
  };
}

/** Nearly every line is shorter, so one reading gets it. */
const USUAL_LINE = 1_024;

function lineAt(read: Read, offset: number): Buffer {
  const first = read(offset, FRAME_BYTES + USUAL_LINE);
  const length = first.length < FRAME_BYTES ? 0 : first.readUInt32LE(0);
  const crc = first.length < FRAME_BYTES ? 0 : first.readUInt32LE(4);
  const line = length <= USUAL_LINE ? first.subarray(FRAME_BYTES, FRAME_BYTES + length) : read(offset + FRAME_BYTES, length);
  if (length === 0 || line.length !== length || crc32(line) !== crc) throw broken("a line of it is not what was written");
  return line;
}

/** How much is read at once where everything is. */
const STRETCH = 1 << 20;

function* linesIn(read: Read, from: number, to: number): Generator<Buffer> {
  let stretch = Buffer.alloc(0);
  let at = 0;
  for (let offset = from; offset < to;) {
    const whole = stretch.length - at >= FRAME_BYTES && stretch.length - at >= FRAME_BYTES + stretch.readUInt32LE(at);
    if (!whole) {
      const length = stretch.length - at >= FRAME_BYTES ? FRAME_BYTES + stretch.readUInt32LE(at) : 0;
      const next = Buffer.from(read(offset, Math.min(to - offset, Math.max(STRETCH, length))));
      if (next.length < FRAME_BYTES || (stretch.length - at >= FRAME_BYTES && next.length < length)) throw broken("it ends within a line");
      [stretch, at] = [next, 0];
      continue;
    }
    const length = stretch.readUInt32LE(at);
    const line = stretch.subarray(at + FRAME_BYTES, at + FRAME_BYTES + length);
    if (length === 0 || crc32(line) !== stretch.readUInt32LE(at + 4)) throw broken("a line of it is not what was written");
    yield line;
    at += FRAME_BYTES + length;
    offset += FRAME_BYTES + length;
  }
}

/** Names and digests of which two indexes do not say the same: all that a gate must decide anew. */
export type IndexChanges = { readonly names: ReadonlySet<string>; readonly integrities: ReadonlySet<string> };

/** Lines between two pauses: some milliseconds of work. */
const PAUSE_AFTER = 5_000;

/** Compares in steps, so that a gate can answer in between. Without a `before`, everything is news. */
export function* comparing(before: AdvisoryIndex | undefined, after: AdvisoryIndex): Generator<void, IndexChanges> {
  return { names: yield* differing("names", before, after), integrities: yield* differing("integrities", before, after) };
}

/** The same at once. */
export function changedSince(before: AdvisoryIndex | undefined, after: AdvisoryIndex): IndexChanges {
  const steps = comparing(before, after);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Both are sorted, so each is read once. */
function* differing(table: Table, before: AdvisoryIndex | undefined, after: AdvisoryIndex): Generator<void, ReadonlySet<string>> {
  const changed = new Set<string>();
  const [old, own] = [(before?.lines(table) ?? [])[Symbol.iterator](), after.lines(table)[Symbol.iterator]()];
  let [was, is] = [old.next(), own.next()];
  for (let count = 1; was.done !== true || is.done !== true; count++) {
    if (count % PAUSE_AFTER === 0) yield;
    if (was.done !== true && is.done !== true && (was.value as Buffer).equals(is.value as Buffer)) {
      [was, is] = [old.next(), own.next()];
      continue;
    }
    const oldKey = was.done === true ? undefined : keyOf(was.value);
    const ownKey = is.done === true ? undefined : keyOf(is.value);
    const isOld = ownKey === undefined || (oldKey !== undefined && oldKey <= ownKey);
    const isOwn = oldKey === undefined || (ownKey !== undefined && ownKey <= oldKey);
    if (isOld) was = old.next();
    if (isOwn) is = own.next();
    changed.add((isOld ? oldKey : ownKey)!);
  }
  return changed;
}

function keyOf(line: Buffer): string {
  return (JSON.parse(line.toString("utf8")) as [string])[0];
}

function affectedOf(name: string, [, , , , , versions, ranges = [], , , , , , integrities = []]: Slim): Affected {
  return { name, versions, ranges: ranges.map(eventsOf), integrities };
}

function eventsOf(flat: readonly (number | string)[]): readonly RangeEvent[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    kind: EVENT_KINDS[flat[at * 2] as number]!,
    version: flat[at * 2 + 1] as string,
  }));
}

const orAbsent = (at: number): Instant | undefined => (at === 0 ? undefined : instant(at));

function claimOf(slim: Slim, match: Match): Claim {
  const [id, flags, feed, firstSeen, modified, , , origins = [], aliases = [], withdrawn = 0, withdrawnSeen = 0, summary = ""] = slim;
  return {
    ...present({
      id,
      aliases: [id, ...aliases].toSorted(),
      kind: (flags & MALWARE) === MALWARE ? ("malware" as const) : ("vulnerability" as const),
      feed,
      origins: origins.length > 0 ? origins : [`feed ${feed}`],
      firstSeen: instant(firstSeen),
      modified: orAbsent(modified),
      withdrawn: orAbsent(withdrawn),
      withdrawnSeen: orAbsent(withdrawnSeen),
      mass: (flags & MASS) === MASS ? (true as const) : undefined,
      severity: SEVERITIES[(flags >> SEVERITY_AT) - 1],
      summary: summary === "" ? undefined : summary,
    }),
    ...match,
  };
}
