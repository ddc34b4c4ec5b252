/**
 * All advisories in one flat file that opens at once: a hash table over package names, one over digests, and behind them one line of
 * slim JSON for each key. Nothing is parsed when it opens; a look-up reads one slot, and on a hit one line.
 *
 * Layout, numbers little-endian u32: magic (8 bytes) · format · length · seed · slots of names · slots of digests · offset of the last
 * line · sha256 of everything else (32 bytes) · name slots · digest slots (each: hash, offset of its line or 0) · lines · the last line.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { present } from "../base/present.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Affected, HeldAdvisory, RangeEvent } from "./advisory.ts";
import { EVENT_KINDS } from "./advisory.ts";
import { closeAliases } from "./aliases.ts";
import { type Claim, SEVERITIES } from "./claim.ts";
import { type Match, joined, matchesAffected } from "./match.ts";

const MAGIC = Buffer.from("CORDADV\n", "latin1");
/** Raised with every change of the layout or of what the lines hold: an index of another format is built anew. */
const FORMAT = 1;
const HEADER_BYTES = 64;
const DIGEST_AT = 32;
const SLOT_BYTES = 8;
const NEWLINE = 10;

type Table = "names" | "integrities";

export type AdvisoryIndex = {
  /** Records in it, withdrawn ones included, and names they speak of. */
  readonly size: number;
  readonly names: number;
  readonly feeds: readonly string[];
  /** Salt of the hashes; the next index of the same place is built with it, so that the two can be compared line by line. */
  readonly seed: number;
  /**
   * Everything any feed says of this version, or of these bytes under any name; withdrawn claims too: `inForce` tells them apart.
   * `version` undefined: it is not known which. `integrities` are SRI of one sha512 each.
   */
  claims(name: string, version: string | undefined, integrities?: readonly string[]): readonly Claim[];
  /** What is said of these bytes. */
  byIntegrity(integrity: string): readonly Claim[];
  /** Claims on other versions of the package that name this one as their fix. */
  fixedBy(name: string, version: string): readonly Claim[];
  /** The lines of a table with the hashes of their keys; and whether such a line is here. For comparing two indexes of one seed. */
  lines(table: Table): Iterable<readonly [hash: number, line: Buffer]>;
  has(table: Table, hash: number, line: Buffer): boolean;
};

/** One advisory of one feed under one key. What most records do not have stands last, and is left out from the end. */
type Slim = readonly [
  id: string,
  flags: number,
  feed: string,
  firstSeen: number,
  modified: number,
  versions: readonly string[],
  /** Each flat: kind, version, kind, version, … */
  ranges?: readonly (readonly (number | string)[])[],
  /** Empty: a feed that does not say who found it speaks for itself. */
  origins?: readonly string[],
  aliases?: readonly string[],
  withdrawn?: number,
  withdrawnSeen?: number,
  summary?: string,
  integrities?: readonly string[],
];

type Last = { readonly size: number; readonly names: number; readonly feeds: readonly string[] };

/** Bits of `flags`; above them the severity, 0 = not said. */
const MALWARE = 1;
const MASS = 2;
const SEVERITY_AT = 2;

/** `feeds` are the names of all feeds, those without records too. */
export function buildIndex(advisories: Iterable<HeldAdvisory>, feeds: readonly string[], seed = 0): Uint8Array {
  const held = [...advisories];
  const classOf = closeAliases(held.map(({ advisory }) => advisory));
  const names = new Map<string, Slim[]>();
  const integrities = new Map<string, Slim[]>();
  for (const one of held) {
    const aliases = classOf(one.advisory.id).filter((id) => id !== one.advisory.id);
    for (const entry of one.advisory.affected) {
      const slim = slimOf(one, entry, aliases);
      (names.get(entry.name) ?? setIn(names, entry.name)).push(slim);
      for (const integrity of entry.integrities) (integrities.get(integrity) ?? setIn(integrities, integrity)).push(slim);
    }
  }
  const last: Last = { size: held.length, names: names.size, feeds };
  return laidOut(names, integrities, last, seed);
}

function setIn(map: Map<string, Slim[]>, key: string): Slim[] {
  const list: Slim[] = [];
  map.set(key, list);
  return list;
}

function slimOf(
  { advisory, feed, firstSeen, withdrawnSeen, mass }: HeldAdvisory,
  { name, versions, ranges, integrities }: Affected,
  aliases: readonly string[],
): Slim {
  const severity = advisory.severity === undefined ? 0 : SEVERITIES.indexOf(advisory.severity) + 1;
  // What thousands of records say of any package is not worth its room.
  const summary = advisory.summary === undefined || advisory.summary === `Malicious code in ${name} (npm)` ? "" : advisory.summary;
  const slim: unknown[] = [
    advisory.id,
    (advisory.kind === "malware" ? MALWARE : 0) | (mass === true ? MASS : 0) | (severity << SEVERITY_AT),
    feed,
    firstSeen,
    advisory.modified ?? 0,
    versions,
    ranges.map((range) => range.flatMap(({ kind, version }) => [EVENT_KINDS.indexOf(kind), version])),
    advisory.origins,
    aliases,
    advisory.withdrawn ?? 0,
    withdrawnSeen ?? 0,
    summary,
    integrities,
  ];
  while (slim.length > MUST && isNothing(slim.at(-1))) slim.pop();
  return slim as unknown as Slim;
}

/** Fields every line has. */
const MUST = 6;

function isNothing(value: unknown): boolean {
  return value === 0 || value === "" || (Array.isArray(value) && value.length === 0);
}

function laidOut(names: ReadonlyMap<string, readonly Slim[]>, integrities: ReadonlyMap<string, readonly Slim[]>, last: Last, seed: number) {
  const lines: Buffer[] = [];
  const nameSlots = slotsFor(names.size);
  const integritySlots = slotsFor(integrities.size);
  let offset = HEADER_BYTES + (nameSlots + integritySlots) * SLOT_BYTES;
  const add = (value: unknown): number => {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    const at = offset;
    lines.push(line);
    offset += line.length;
    return at;
  };
  const tables = [tableOf(names, nameSlots, seed, add), tableOf(integrities, integritySlots, seed, add)].map((table) =>
    Buffer.from(table.buffer),
  );
  const lastAt = add(last);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  for (const [index, number] of [FORMAT, offset, seed >>> 0, nameSlots, integritySlots, lastAt].entries())
    header.writeUInt32LE(number, MAGIC.length + index * 4);
  const file = Buffer.concat([header, ...tables, ...lines]);
  digestOf(file).copy(file, DIGEST_AT);
  return file;
}

/** A power of two, at most half full: a look-up that finds nothing reads one or two slots. */
function slotsFor(keys: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, keys * 2)));
}

function tableOf(groups: ReadonlyMap<string, readonly Slim[]>, slots: number, seed: number, add: (value: unknown) => number): Uint32Array {
  const table = new Uint32Array(slots * 2);
  // Sorted, so that the same advisories always make the same file.
  for (const [key, group] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const hash = hashOf(key, seed);
    let slot = hash & (slots - 1);
    while (table[slot * 2 + 1] !== 0) slot = (slot + 1) & (slots - 1);
    table[slot * 2] = hash;
    table[slot * 2 + 1] = add([key, group]);
  }
  return table;
}

/** FNV-1a over the characters, stirred at the end: the low bits choose the slot. */
function hashOf(key: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function digestOf(file: Buffer): Buffer {
  return createHash("sha256")
    .update(file.subarray(0, DIGEST_AT))
    .update(file.subarray(DIGEST_AT + 32))
    .digest();
}

/** Throws Fault INPUT_UNREADABLE when the file is not whole; it can be built again from what the feeds said. */
export function openIndex(bytes: Uint8Array): AdvisoryIndex {
  // A table of numbers must lie at a multiple of four; a file that was read by itself does.
  const file =
    bytes.byteOffset % 4 === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : Buffer.from(Uint8Array.from(bytes).buffer);
  const slotsAt = (at: number, slots: number) => new Uint32Array(file.buffer, file.byteOffset + at, slots * 2);
  const broken = (why: string) => new Fault("INPUT_UNREADABLE", `the advisory index is damaged: ${why}`);
  if (file.length < HEADER_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) throw broken("it does not begin as one");
  const [format, length, seed, nameSlots, integritySlots, lastAt] = Array.from({ length: 6 }, (_, index) =>
    file.readUInt32LE(MAGIC.length + index * 4),
  ) as [number, number, number, number, number, number];
  if (format !== FORMAT) throw broken(`it has format ${format}, this cordon reads ${FORMAT}`);
  if (length !== file.length) throw broken(`it has ${file.length} bytes of ${length}`);
  if (!digestOf(file).equals(file.subarray(DIGEST_AT, DIGEST_AT + 32))) throw broken("its digest does not match");

  const tables = {
    names: { table: slotsAt(HEADER_BYTES, nameSlots), slots: nameSlots },
    integrities: { table: slotsAt(HEADER_BYTES + nameSlots * SLOT_BYTES, integritySlots), slots: integritySlots },
  };
  const lineAt = (offset: number): Buffer => file.subarray(offset, file.indexOf(NEWLINE, offset));
  const last = JSON.parse(lineAt(lastAt).toString()) as Last;

  // A gate asks about every version of one package in a row.
  let recent: { readonly key: string; readonly group: readonly Slim[] } | undefined;

  function find(name: Table, key: string): readonly Slim[] {
    if (name === "names" && recent?.key === key) return recent.group;
    const group = search(name, key);
    if (name === "names" && group.length > 0) recent = { key, group };
    return group;
  }

  function search(name: Table, key: string): readonly Slim[] {
    const { table, slots } = tables[name];
    const hash = hashOf(key, seed);
    for (let slot = hash & (slots - 1); table[slot * 2 + 1] !== 0; slot = (slot + 1) & (slots - 1)) {
      if (table[slot * 2] !== hash) continue;
      const [found, group] = JSON.parse(lineAt(table[slot * 2 + 1]!).toString()) as [string, readonly Slim[]];
      if (found === key) return group;
    }
    return [];
  }

  return {
    size: last.size,
    names: last.names,
    feeds: last.feeds,
    seed,
    claims(name, version, integrities = []) {
      const found = new Map<string, { slim: Slim; matches: Match[] }>();
      const note = (slim: Slim, match: Match) => {
        const key = `${slim[2]} ${slim[0]}`;
        const known = found.get(key);
        if (known) known.matches.push(match);
        else found.set(key, { slim, matches: [match] });
      };
      for (const slim of find("names", name)) {
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
    *lines(name) {
      const { table, slots } = tables[name];
      for (let slot = 0; slot < slots; slot++) {
        const offset = table[slot * 2 + 1]!;
        if (offset !== 0) yield [table[slot * 2]!, lineAt(offset)];
      }
    },
    has(name, hash, line) {
      const { table, slots } = tables[name];
      for (let slot = hash & (slots - 1); table[slot * 2 + 1] !== 0; slot = (slot + 1) & (slots - 1))
        if (table[slot * 2] === hash && lineAt(table[slot * 2 + 1]!).equals(line)) return true;
      return false;
    },
  };
}

/** Names and digests of which the two do not say the same: all that a gate must decide anew. An index of another seed counts as none. */
export function changedSince(
  before: AdvisoryIndex | undefined,
  after: AdvisoryIndex,
): { readonly names: ReadonlySet<string>; readonly integrities: ReadonlySet<string> } {
  const comparable = before?.seed === after.seed ? before : undefined;
  const keys = (table: Table): ReadonlySet<string> => {
    const changed = new Set<string>();
    const compare = (from: AdvisoryIndex, other: AdvisoryIndex | undefined) => {
      for (const [hash, line] of from.lines(table))
        if (!other?.has(table, hash, line)) changed.add((JSON.parse(line.toString()) as [string])[0]);
    };
    compare(after, comparable);
    if (before) compare(before, comparable && after);
    return changed;
  };
  return { names: keys("names"), integrities: keys("integrities") };
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
