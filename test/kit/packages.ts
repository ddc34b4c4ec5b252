/** Packument summaries and policies for tests of the core, written as briefly as they can be. */
import { createHash } from "node:crypto";
import { type Instant, DAY, instant } from "../../src/core/base/time.ts";
import type { PackumentSummary, VersionSummary } from "../../src/core/npm/summary.ts";
import type { Exceptions, Policy } from "../../src/core/policy/policy.ts";

export const UPSTREAM = "https://registry.test/";

/** The instant of an ISO text; a test that cannot read its own times is wrong. */
export function time(text: string): Instant {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new Error(`not a time: ${text}`);
  return instant(at);
}

/** A real digest of some words. */
export function sri(of: string): string {
  return `sha512-${createHash("sha512").update(of).digest("base64")}`;
}

export function shasum(of: string): string {
  return createHash("sha1").update(of).digest("hex");
}

export type Listing = Partial<Omit<VersionSummary, "version">>;

/** A packument: version → what differs from a plain entry with its own digest. `tags` default to the last version as `latest`. */
export function listing(name: string, entries: Readonly<Record<string, Listing>>, more: Partial<PackumentSummary> = {}): PackumentSummary {
  const versions: VersionSummary[] = [];
  for (const [version, entry] of Object.entries(entries)) versions.push({ version, integrity: sri(`${name}@${version}`), ...entry });
  const last = versions.at(-1)?.version;
  const content = {
    name,
    tags: last === undefined ? {} : { latest: last },
    versions,
    problems: [],
    timed: versions.some((entry) => entry.time !== undefined),
    ...more,
  };
  return {
    digest: createHash("sha256").update(JSON.stringify(content)).digest("base64url"),
    bytes: JSON.stringify(content).length,
    ...content,
  };
}

export const BALANCED: Policy = {
  digest: "balanced",
  preset: "balanced",
  mode: { kind: "enforce" },
  hold: 3 * DAY,
  allow: [],
  private: [],
};

export const NO_EXCEPTIONS: Exceptions = { epoch: 0, waivers: [], denies: [], freezes: [] };
