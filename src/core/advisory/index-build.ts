/** Builds the advisory index. Records are handed in one by one and kept as the few bytes that stay of them: feeds have hundreds of thousands. */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { HeldAdvisory } from "./advisory.ts";
import { aliasTies } from "./aliases.ts";
import {
  type About,
  FORMAT,
  FRAME_BYTES,
  HEADER_BYTES,
  HEADER_CRC_AT,
  hashOf,
  MAGIC,
  markOf,
  PAGE_BYTES,
  pagesOf,
  SLOT_BYTES,
  slimOf,
  slotsFor,
} from "./index-layout.ts";

export type IndexBuilder = {
  /** First of every record: which ids are one thing is known only when all were seen. */
  tie(advisory: { readonly id: string; readonly aliases: readonly string[] }): void;
  /** Then of every record again. */
  add(held: HeldAdvisory): void;
  /** The file, in pieces to be written one behind the other. The builder is spent. */
  finish(): readonly Uint8Array[];
};

/** `feeds` are the names of all feeds, those without records too. `seed` salts the hashes: nobody can choose names that collide. */
export function indexBuilder(feeds: readonly string[], seed = 0): IndexBuilder {
  const ties = aliasTies();
  const names: Groups = new Map();
  const integrities: Groups = new Map();
  let size = 0;
  return {
    tie: ties.tie,
    add(held) {
      const { advisory } = held;
      size += 1;
      const aliases = ties.classOf(advisory.id).filter((id) => id !== advisory.id);
      for (const entry of advisory.affected) {
        const slim = JSON.stringify(slimOf(held, entry, aliases));
        put(names, entry.name, slim);
        for (const integrity of entry.integrities) put(integrities, integrity, slim);
      }
    },
    finish: () => laidOut(names, integrities, { size, names: names.size, feeds }, seed),
  };
}

/** The whole at once, for few records. */
export function buildIndex(advisories: readonly HeldAdvisory[], feeds: readonly string[], seed = 0): Uint8Array {
  const builder = indexBuilder(feeds, seed);
  for (const { advisory } of advisories) builder.tie(advisory);
  for (const held of advisories) builder.add(held);
  return Buffer.concat(builder.finish());
}

/** Slim JSON by key. Nearly all keys have one: a list for each would double what is kept. */
type Groups = Map<string, string | string[]>;

function put(groups: Groups, key: string, slim: string): void {
  const known = groups.get(key);
  if (known === undefined) groups.set(key, slim);
  else if (typeof known === "string") groups.set(key, [known, slim]);
  else known.push(slim);
}

function laidOut(names: Groups, integrities: Groups, about: About, seed: number): readonly Uint8Array[] {
  const aboutBytes = Buffer.from(JSON.stringify(about));
  const [nameSlots, digestSlots] = [slotsFor(names.size), slotsFor(integrities.size)];
  const pages = [nameSlots, digestSlots].reduce((sum, slots) => sum + pagesOf(slots) + pagesOf(slots * SLOT_BYTES), 0);
  const headBytes = pages * 4 + aboutBytes.length;
  const linesAt = HEADER_BYTES + headBytes + (nameSlots + digestSlots) * (1 + SLOT_BYTES);
  const lines = roll(linesAt);
  const nameTable = tableOf(names, nameSlots, seed, lines);
  const digestLinesAt = lines.end();
  const tables = [...nameTable, ...tableOf(integrities, digestSlots, seed, lines)];

  const head = Buffer.concat([...tables.map(pageChecks), aboutBytes]);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  const numbers = [FORMAT, lines.end(), seed >>> 0, nameSlots, digestSlots, headBytes, linesAt, digestLinesAt, crc32(head)];
  for (const [index, number] of numbers.entries()) header.writeUInt32LE(number, MAGIC.length + index * 4);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return [header, head, ...tables, ...lines.pieces()].filter(({ length }) => length > 0);
}

/** Marks, then slots. */
function tableOf(groups: Groups, slots: number, seed: number, lines: Roll): readonly [Buffer, Buffer] {
  const marks = Buffer.alloc(slots);
  const table = new Uint32Array(slots * 2);
  // Sorted: the same advisories always make the same file, and two files can be compared by reading each once.
  for (const key of [...groups.keys()].sort()) {
    const group = groups.get(key)!;
    const hash = hashOf(key, seed);
    let slot = hash & (slots - 1);
    while (marks[slot] !== 0) slot = (slot + 1) & (slots - 1);
    marks[slot] = markOf(hash);
    table[slot * 2] = hash;
    table[slot * 2 + 1] = lines.add(`[${JSON.stringify(key)},[${typeof group === "string" ? group : group.join(",")}]]`);
    groups.delete(key);
  }
  return [marks, Buffer.from(table.buffer)];
}

function pageChecks(bytes: Buffer): Buffer {
  const checks = Buffer.alloc(pagesOf(bytes.length) * 4);
  for (let page = 0; page * 4 < checks.length; page++)
    checks.writeUInt32LE(crc32(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)), page * 4);
  return checks;
}

/** Lines behind one another, in pieces: a buffer that grows would be there twice while it does. */
type Roll = { add(line: string): number; end(): number; pieces(): readonly Uint8Array[] };

const PIECE_BYTES = 1 << 20;

/** `start` is where the first will lie in the file; `add` gives where each does. */
function roll(start: number): Roll {
  const full: Uint8Array[] = [];
  let piece = Buffer.alloc(0);
  let filled = 0;
  let end = start;
  return {
    add(line) {
      const length = Buffer.byteLength(line);
      if (filled + FRAME_BYTES + length > piece.length) {
        full.push(piece.subarray(0, filled));
        [piece, filled] = [Buffer.allocUnsafe(Math.max(PIECE_BYTES, FRAME_BYTES + length)), 0];
      }
      const at = filled + FRAME_BYTES;
      piece.write(line, at);
      piece.writeUInt32LE(length, filled);
      piece.writeUInt32LE(crc32(piece.subarray(at, at + length)), filled + 4);
      filled = at + length;
      end += FRAME_BYTES + length;
      return end - FRAME_BYTES - length;
    },
    end: () => end,
    pieces: () => [...full, piece.subarray(0, filled)],
  };
}
