/** Decides a list of name@version at once: every entry of a lockfile, or everything a client installed. */
import type { Facts } from "../core/facts/facts.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import { compareIntegrity } from "../core/npm/integrity.ts";
import { onlyNotChecked } from "../core/policy/judge.ts";
import { type Verdict, withheld } from "../core/policy/verdict.ts";
import type { Inspector } from "./inspector.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";

export type Entry = { readonly name: string; readonly version: string; readonly integrity?: string };

export type DecidedEntry = Entry & {
  readonly verdict: Verdict;
  /** Whether a client may not have it. */
  readonly withheld: boolean;
  /** The registry's integrity, when it differs from the entry's. */
  readonly differs?: string;
  /** What to install instead, nearest first; empty when it is not withheld. */
  readonly instead: readonly string[];
  /** When its age began, epoch milliseconds. */
  readonly start: number;
  /** Where the registry says its tarball is. */
  readonly tarball?: string;
  /** What it was decided on, when that was asked for. */
  readonly facts?: Facts;
};

/** `unanswered`: nothing is known of the package and the registry did not say; asked again later it may. */
type Unknown = { readonly why: string; readonly unanswered?: true };

export type Decided = {
  readonly decided: readonly DecidedEntry[];
  /** Entries about which nothing could be decided, each with why. Never silently dropped. */
  readonly unknown: readonly (Entry & Unknown)[];
};

export type DecideOptions = {
  readonly onProgress?: (done: number, total: number) => void;
  /** From what is stored alone: nothing is fetched and no tarball is looked at. */
  readonly stored?: boolean;
  /** With the facts of each. */
  readonly facts?: boolean;
};

export type DecideEntries = (entries: readonly Entry[], options?: DecideOptions) => Promise<Decided>;

/** Packages looked at at once. */
const WIDTH = 32;

export function decideEntries(ports: {
  readonly knowledge: Knowledge;
  readonly judgements: Judgements;
  readonly inspector: Pick<Inspector, "settle">;
}): DecideEntries {
  /** What is decided about one entry, or why nothing can be. */
  async function decide(entry: Entry, options: DecideOptions): Promise<DecidedEntry | Unknown> {
    const found = await recordOf(entry.name, options.stored === true);
    if ("why" in found) return found;
    const { record } = found;
    if (!Object.hasOwn(record.versions, entry.version) && !record.summary.problems.some(({ version }) => version === entry.version))
      return { why: "the registry does not list this version and this gate never saw it" };
    // All versions of the package are judged only for what one of them needs.
    const ofAll = () => ports.judgements.ofPackage(record);
    let judged = await ports.judgements.ofVersion(record, entry.version, { pin: true });
    if (options.stored !== true && onlyNotChecked(judged.verdict) && (await ports.inspector.settle(record, await ofAll(), entry.version)))
      judged = await ports.judgements.ofVersion(record, entry.version, { pin: true });
    const { verdict, facts } = judged;
    const held = withheld(verdict);
    const instead = held ? (await ofAll()).alternatives(entry.version) : [];
    const tarball = record.summary.versions.find(({ version }) => version === entry.version)?.tarball;
    const differs =
      entry.integrity !== undefined && facts.integrity !== undefined && compareIntegrity(entry.integrity, facts.integrity) === "different";
    return {
      ...entry,
      verdict,
      withheld: held,
      start: facts.start,
      instead: instead.map(({ version }) => version),
      ...(tarball === undefined ? {} : { tarball }),
      ...(differs ? { differs: facts.integrity! } : {}),
      ...(options.facts === true ? { facts } : {}),
    };
  }

  async function recordOf(name: string, stored: boolean): Promise<{ readonly record: PackageRecord } | Unknown> {
    if (stored) {
      const record = await ports.knowledge.recall(name);
      return record ? { record } : { why: "nothing is stored of the package" };
    }
    const known = await ports.knowledge.know(name);
    if (known.kind === "absent") return { why: "the registry does not know the package" };
    return known.kind === "known" ? known : { why: known.message, unanswered: true };
  }

  return async (entries, options = {}) => {
    // Entries of one name follow each other, so that a packument is read once.
    const byName = new Map<string, Entry[]>();
    for (const entry of entries) {
      const group = byName.get(entry.name);
      if (group) group.push(entry);
      else byName.set(entry.name, [entry]);
    }
    const groups = [...byName.values()];
    const found = new Map<Entry, DecidedEntry | Unknown>();
    let next = 0;
    async function lane(): Promise<void> {
      for (let group = groups[next++]; group; group = groups[next++])
        for (const entry of group) {
          found.set(entry, await decide(entry, options));
          options.onProgress?.(found.size, entries.length);
        }
    }
    await Promise.all(Array.from({ length: Math.min(WIDTH, groups.length) }, lane));
    // In the order they were given.
    const answers = entries.map((entry) => ({ entry, one: found.get(entry)! }));
    return {
      decided: answers.flatMap(({ one }) => ("why" in one ? [] : [one])),
      unknown: answers.flatMap(({ entry, one }) => ("why" in one ? [{ ...entry, ...one }] : [])),
    };
  };
}
