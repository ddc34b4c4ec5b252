/**
 * Who published what, among the packages this gate has judged since it was started: in memory, bounded, losable. It sees only what was
 * asked for here, so it can say that there is a burst and never that there is none. CI jobs publish under one name for everybody and
 * are left out.
 */
import { LIMITS } from "../core/base/limits.ts";
import { HOUR } from "../core/base/time.ts";
import { ageOf } from "../core/facts/facts-of.ts";
import { historyOf, type PackageRecord } from "../core/facts/history.ts";
import { isBurst, type Publish, publisherBurst } from "../core/facts/publisher-burst.ts";

export type Publishers = {
  /** Remembers what the entries of a package say. Cheap where they said it before. */
  note(record: PackageRecord): void;
  /** Oldest first. */
  publishedBy(publisher: string): readonly Publish[];
};

/** `touch`: a package is to be judged anew, because it turned out to be part of a burst. */
export function openPublishers(touch: (name: string) => void): Publishers {
  /** By publisher; the one heard of longest ago is forgotten first. */
  const known = new Map<string, readonly Publish[]>();
  /** What was noted of each package: the document's digest. */
  const noted = new Map<string, string>();

  function add(publisher: string, publish: Publish): void {
    const before = known.get(publisher) ?? [];
    if (before.some(({ name, at }) => name === publish.name && at === publish.at)) return;
    const now = [...before, publish].toSorted((a, b) => a.at - b.at).slice(-LIMITS.publishesKept);
    known.delete(publisher);
    known.set(publisher, now);
    forgetOldest(known, LIMITS.publishersKept);
    const burst = publisherBurst(publisher, publish, now);
    const isNew = burst && isBurst(burst) && !isBurst({ ...burst, packages: burst.packages - 1 });
    // Those that came before it made four were judged without knowing.
    if (isNew) for (const { name, at } of now) if (name !== publish.name && Math.abs(at - publish.at) <= HOUR) touch(name);
  }

  return {
    note(record) {
      const { name, summary } = record;
      if (summary.releases === undefined || noted.get(name) === summary.digest) return;
      noted.delete(name);
      noted.set(name, summary.digest);
      forgetOldest(noted, LIMITS.publishersKept);
      for (const [version, { publisher }] of Object.entries(summary.releases)) {
        const history = historyOf(record, version);
        if (!history || publisher?.name === undefined || publisher.trusted) continue;
        const { start, basis } = ageOf(record, history, false);
        if (basis === "registry-time") add(publisher.name, { name, at: start });
      }
    },
    publishedBy: (publisher) => known.get(publisher) ?? [],
  };
}

function forgetOldest(entries: Map<string, unknown>, limit: number): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) return;
    entries.delete(oldest);
  }
}
