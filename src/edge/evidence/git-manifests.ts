/**
 * Manifests as git remembers them, of a repository that never had a lockfile: which ranges stood there when. A range that was replaced since
 * may have resolved to what was poisoned then; one that was committed later cannot have.
 */
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Instant } from "../../core/base/time.ts";
import { type Ask, changesOf, isThere, objects } from "./git-log.ts";
import { type Declared, rangesIn, type Since } from "./manifest.ts";
import { giveWay, type Reading } from "./reading.ts";

const MANIFESTS = [":(glob)**/package.json", ":(exclude,glob)**/node_modules/**"];

/** Tells what stood there once; what still stands there is told by whoever reads the file, with the moment from here. */
export async function readManifestHistory(reading: Reading, place: string, ask: Ask): Promise<Since> {
  const changes = (await changesOf(ask, MANIFESTS)).toSorted((a, b) => a.at - b.at);
  const ids = [...new Set(changes.flatMap(({ before, after }) => [before, after].filter(isThere)))];
  if (ids.length > LIMITS.historyBlobs)
    reading.see({
      kind: "missing",
      place,
      what: `git history: only ${LIMITS.historyBlobs} of ${ids.length} states of its manifests were read`,
    });
  const ranges = new Map<string, ReadonlySet<string>>();
  for await (const { id, bytes } of objects(reading, place, ids.slice(0, LIMITS.historyBlobs))) {
    const found = bytes && rangesIn(bytes.toString("utf8"), reading.watch.knows);
    if (found !== undefined && found.length > 0) ranges.set(id, new Set(found.map(keyOf)));
    await giveWay();
  }
  const now = new Map<string, Instant>();
  for (const [at, change] of changes.entries())
    for (const key of ranges.get(change.after) ?? []) {
      if (ranges.get(change.before)?.has(key) === true) continue;
      const end = changes.slice(at + 1).find((one) => one.path === change.path && ranges.get(one.after)?.has(key) !== true);
      const [name = "", range = ""] = key.split("\0");
      const file = path.join(place, change.path);
      // On several branches: since the first of them.
      if (end === undefined) now.set(`${file}\0${key}`, now.get(`${file}\0${key}`) ?? change.at);
      else reading.see({ kind: "range", place, file, name, range, by: "manifest", since: change.at, until: end.at });
    }
  return (file, declared) => now.get(`${file}\0${keyOf(declared)}`);
}

function keyOf({ name, range }: Declared): string {
  return `${name}\0${range}`;
}
