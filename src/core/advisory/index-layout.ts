/**
 * How the advisory index lies in its file, for the side that builds it and the side that reads it. It opens by reading its head alone;
 * tables are read page by page as they are asked, lines one by one, and whatever is read is checked first.
 *
 * Numbers are u32, little-endian:
 *
 *     header   magic (8 bytes) · format · length of the file · seed · name slots · digest slots · length of the head · first name line
 *              · first digest line · crc of the head · zeros · crc of the 60 bytes before
 *     head     crc of every page of the tables · what the index is about, as JSON
 *     tables   names, then digests, each in two: marks, a byte for each slot that is 0 where it is empty; slots of (hash, offset of the line)
 *     lines    of names, then of digests, each sorted by key: length · crc · JSON of [key, [advisory, …]]
 */
import { Buffer } from "node:buffer";
import type { HeldAdvisory } from "./advisory.ts";
import { type Affected, EVENT_KINDS } from "./advisory.ts";
import { SEVERITIES } from "./claim.ts";

export const MAGIC = Buffer.from("CORDADV\n", "latin1");
/** Raised with every change of the layout or of what the lines hold: an index of another format is built anew. */
export const FORMAT = 3;
export const HEADER_BYTES = 64;
/** Where the header's own crc stands. */
export const HEADER_CRC_AT = 60;
export const SLOT_BYTES = 8;
/** One page of marks or of slots is read and checked at a time. */
export const PAGE_BYTES = 4_096;
/** Before each line: its length and its crc. */
export const FRAME_BYTES = 8;

export type Table = "names" | "integrities";

/** What a reader is told when it opens. */
export type About = { readonly size: number; readonly names: number; readonly feeds: readonly string[] };

/** One advisory of one feed under one key. What most records do not have stands last, and is left out from the end. */
export type Slim = readonly [
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

/** Fields every line has. */
const MUST = 6;

/** Bits of `flags`; above them the severity, 0 = not said. */
export const MALWARE = 1;
export const MASS = 2;
export const SEVERITY_AT = 2;

export function slimOf(
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

function isNothing(value: unknown): boolean {
  return value === 0 || value === "" || (Array.isArray(value) && value.length === 0);
}

/** A power of two, at most half full: a look-up that finds nothing reads one or two slots. */
export function slotsFor(keys: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, keys * 2)));
}

export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}

/** What a slot is marked with: eight bits of its hash that choose no slot, so that what nobody speaks of is told by reading one byte of nine. */
export function markOf(hash: number): number {
  return hash >>> 24 || 1;
}

/** FNV-1a over the characters, stirred at the end: the low bits choose the slot. */
export function hashOf(key: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
