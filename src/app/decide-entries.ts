/** Decides a list of name@version at once: every entry of a lockfile, or everything a client installed. */
import { compareIntegrity } from "../core/npm/integrity.ts";
import { type Verdict, withheld } from "../core/policy/verdict.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";

export type Entry = { readonly name: string; readonly version: string; readonly integrity?: string };

export type DecidedEntry = Entry & {
  readonly verdict: Verdict;
  /** Whether a client may not have it. */
  readonly withheld: boolean;
  /** The registry's integrity, when it differs from the entry's. */
  readonly differs?: string;
  /** When its age began, epoch milliseconds. */
  readonly start: number;
};

export type Decided = {
  readonly decided: readonly DecidedEntry[];
  /** Entries about which nothing could be decided, each with why. Never silently dropped. */
  readonly unknown: readonly (Entry & { readonly why: string })[];
};

export type DecideEntries = (
  entries: readonly Entry[],
  options?: { readonly onProgress?: (done: number, total: number) => void },
) => Promise<Decided>;

/** Packuments asked for at once. */
const WIDTH = 32;

export function decideEntries(ports: { readonly knowledge: Knowledge; readonly judgements: Judgements }): DecideEntries {
  return async (entries, options = {}) => {
    const byName = new Map<string, Entry[]>();
    for (const entry of entries) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
    const names = [...byName.keys()];
    const decided: DecidedEntry[] = [];
    const unknown: (Entry & { why: string })[] = [];
    let next = 0;
    let done = 0;

    async function one(name: string): Promise<void> {
      const known = await ports.knowledge.know(name);
      for (const entry of byName.get(name)!) {
        if (known.kind !== "known") {
          unknown.push({ ...entry, why: known.kind === "absent" ? "the registry does not know the package" : known.message });
          continue;
        }
        if (
          !Object.hasOwn(known.record.versions, entry.version) &&
          !known.record.summary.problems.some((problem) => problem.version === entry.version)
        ) {
          unknown.push({ ...entry, why: "the registry does not list this version and this gate never saw it" });
          continue;
        }
        const { verdict, facts } = await ports.judgements.ofVersion(known.record, entry.version, { pin: true });
        const differs =
          entry.integrity !== undefined &&
          facts.integrity !== undefined &&
          compareIntegrity(entry.integrity, facts.integrity) === "different";
        decided.push({
          ...entry,
          verdict,
          withheld: withheld(verdict),
          start: facts.start,
          ...(differs ? { differs: facts.integrity! } : {}),
        });
      }
    }

    async function lane(): Promise<void> {
      while (next < names.length) {
        await one(names[next++]!);
        done += 1;
        options.onProgress?.(done, names.length);
      }
    }
    await Promise.all(Array.from({ length: Math.min(WIDTH, names.length) }, lane));
    return { decided, unknown };
  };
}
