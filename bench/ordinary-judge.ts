/**
 * What the rules say of one ordinary release: the core's own functions over a packument and two tarballs, without a gate around them.
 * Built and called by `bench/ordinary.mjs`.
 */
import { analyse } from "../src/core/analysis/analyse.ts";
import { codeFacts } from "../src/core/analysis/difference.ts";
import type { TarballReport } from "../src/core/analysis/report.ts";
import { LIMITS } from "../src/core/base/limits.ts";
import { DAY, type Instant, MINUTE, instant, iso, parseInstant } from "../src/core/base/time.ts";
import type { VersionEvidence } from "../src/core/facts/evidence.ts";
import type { PackageRecord } from "../src/core/facts/history.ts";
import { observe } from "../src/core/facts/observe.ts";
import { readPackument } from "../src/core/npm/packument.ts";
import { type JudgeInput, judgeVersion } from "../src/core/policy/judge.ts";
import type { Exceptions, Policy } from "../src/core/policy/policy.ts";

export type Packument = {
  readonly name: string;
  readonly versions: Readonly<Record<string, { dist?: Record<string, unknown> }>>;
  readonly time?: Readonly<Record<string, string>>;
  readonly "dist-tags": Readonly<Record<string, string>>;
};

export type Said = { readonly id: string; readonly effect: string; readonly title: string; readonly evidence: readonly string[] };

export type Judged = {
  /** Milliseconds it was old at that moment. */
  readonly age: number;
  readonly action: string;
  readonly reasons: readonly Said[];
  readonly notes: readonly Said[];
  /** The release its tarball was compared with; absent when that tarball is not here, or there is none. */
  readonly compared?: string;
};

export type Sources = {
  packument(name: string): Packument | undefined;
  /** The report on a tarball that was fetched. */
  report(name: string, version: string): TarballReport | undefined;
};

/** The default policy, except that it waits for nothing. */
const POLICY: Policy = { digest: "ordinary", preset: "balanced", mode: { kind: "enforce" }, hold: 0, allow: [], private: [] };
const NO_EXCEPTIONS: Exceptions = { epoch: 0, waivers: [], denies: [], freezes: [] };

export { analyse };

/** A minute after it was published. */
export function publishMoment(packument: Packument, version: string): number | undefined {
  const published = parseInstant(packument.time?.[version]);
  return published === undefined ? undefined : published + MINUTE;
}

/** Undefined when the packument has no such version at that moment. `before` is the release it is to be compared with. */
export function judgeRelease(name: string, version: string, before: string | undefined, at: number, sources: Sources): Judged | undefined {
  const now = instant(at);
  const record = recordAt(name, now, sources, { version, before });
  if (!record) return undefined;
  const input: JudgeInput = {
    policy: POLICY,
    exceptions: NO_EXCEPTIONS,
    now,
    privateUpstream: false,
    records: (other) => (other === name ? undefined : recordAt(other, now, sources)),
  };
  const first = judgeVersion(record, version, input);
  if (!first) return undefined;
  const predecessor = first.facts.release?.predecessor?.version;
  const [own, other] = [sources.report(name, version), predecessor === undefined ? undefined : sources.report(name, predecessor)];
  const comparable = own !== undefined && (predecessor === undefined || other !== undefined);
  const code = comparable
    ? codeFacts(own, predecessor !== undefined && other ? { version: predecessor, report: other } : undefined, {
        name,
        version,
        ...(first.facts.release === undefined ? {} : { release: first.facts.release.own }),
      })
    : undefined;
  const evidence: VersionEvidence = code === undefined ? {} : { code };
  const { facts, verdict } = judgeVersion(record, version, {
    ...input,
    evidence: { of: (integrity) => (integrity === first.facts.integrity ? evidence : undefined) },
  })!;
  const told = ({ id, effect, title, evidence: shown }: (typeof verdict.reasons)[number]): Said => ({
    id,
    effect: effect.kind,
    title,
    evidence: shown.slice(0, 4).map(({ text }) => text),
  });
  return {
    age: now - facts.start,
    action: verdict.action,
    reasons: verdict.reasons.map(told),
    notes: verdict.notes.map(told),
    ...(comparable && predecessor !== undefined ? { compared: predecessor } : {}),
  };
}

/** A mirror writes the time of its own copy: where that puts the release before a version behind it, or close to it, this is put instead. */
const BEFORE_MS = 30 * DAY;

/** The package as a gate without a past would have found it at that moment. */
function recordAt(
  name: string,
  now: Instant,
  sources: Sources,
  pair?: { readonly version: string; readonly before: string | undefined },
): PackageRecord | undefined {
  const packument = sources.packument(name);
  if (!packument) return undefined;
  const { version, before } = pair ?? {};
  const times = new Map(Object.keys(packument.versions).map((one) => [one, parseInstant(packument.time?.[one]) ?? instant(0)]));
  const own = version === undefined ? undefined : times.get(version);
  if (before !== undefined && own !== undefined) times.set(before, instant(Math.min(times.get(before)!, own - BEFORE_MS)));
  const listed = [...times].filter(([, time]) => time <= now).map(([one]) => one);
  if (listed.length === 0 || (version !== undefined && !listed.includes(version))) return undefined;
  const tags = Object.entries(packument["dist-tags"]).filter(([, tagged]) => listed.includes(tagged));
  const document = {
    ...packument,
    "dist-tags": { latest: version ?? listed.at(-1)!, ...Object.fromEntries(tags) },
    versions: Object.fromEntries(listed.map((one) => [one, sized(packument.versions[one]!, sources.report(name, one))])),
    time: Object.fromEntries(listed.map((one) => [one, iso(times.get(one)!)])),
  };
  const reading = readPackument(name, Buffer.from(JSON.stringify(document)), LIMITS, now);
  if (reading.kind !== "packument") return undefined;
  return observe(undefined, { summary: reading.summary, upstream: "https://registry.test/", at: now }).record;
}

/** The mirror leaves out the sizes a registry gives; the tarball has them. */
function sized<T extends { dist?: Record<string, unknown> }>(entry: T, report: TarballReport | undefined): T {
  if (!report || entry.dist?.["unpackedSize"] !== undefined) return entry;
  return { ...entry, dist: { ...entry.dist, unpackedSize: report.unpacked, fileCount: report.files.length } };
}

export const HORIZON_MS = 90 * DAY;
