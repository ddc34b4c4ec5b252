/** Tags that lately went from a release to something less. */
import semver from "semver";
import { DAY, type Instant } from "../base/time.ts";
import { isPrerelease } from "../npm/line.ts";
import type { PackageRecord } from "./history.ts";

export type MovedBack = { readonly tag: string; readonly from: string; readonly since: Instant };

/** Design §4: "Deprecation text and tags have age too": 72 hours. */
const FRESH = 3 * DAY;

/**
 * By the version a tag names now. Only moves this gate saw, away from a stable version that is still listed: a tag whose version the registry
 * took back has to go somewhere. To a prerelease counts for `latest` alone; `next` and its like are there for them.
 */
export function movedBack({ tags, summary }: PackageRecord, now: Instant): ReadonlyMap<string, MovedBack> {
  const moved = new Map<string, MovedBack>();
  for (const [tag, values] of Object.entries(tags)) {
    const [to, from] = [values.at(-1), values.at(-2)];
    if (!to || !from || to.until !== undefined || now - to.since >= FRESH || isPrerelease(from.version)) continue;
    const less = isPrerelease(to.version) ? tag === "latest" : isLower(to.version, from.version);
    if (less && summary.versions.some(({ version }) => version === from.version))
      moved.set(to.version, { tag, from: from.version, since: to.since });
  }
  return moved;
}

function isLower(version: string, than: string): boolean {
  return semver.valid(version, LOOSE) !== null && semver.valid(than, LOOSE) !== null && semver.lt(version, than, LOOSE);
}

const LOOSE = { loose: true } as const;
