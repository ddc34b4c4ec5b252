/**
 * Waivers: scoped, owned, reasoned, expiring exceptions. One covers named signals of one exact version with the evidence they
 * had; other bytes, another signal or new evidence are not covered.
 */
import { canonical, sha256 } from "../base/digest.ts";
import { Fault } from "../base/fault.ts";
import { LIMITS } from "../base/limits.ts";
import type { Instant } from "../base/time.ts";
import { compareDigests, digestsOf } from "../facts/digests.ts";
import { SIGNALS, type SignalRow } from "../signals/table.ts";
import { expiry, ownedText } from "./owned.ts";
import type { Signal, Verdict, Waiver } from "./verdict.ts";

export type WaiverRequest = {
  readonly name: string;
  readonly version: string;
  readonly integrity: string | undefined;
  /** What it is to cover: the unwaived reasons of the present verdict. */
  readonly signals: readonly Signal[];
  readonly owner: string;
  readonly reason: string;
  readonly expires: Instant;
  readonly now: Instant;
};

/** Throws Fault USAGE when it would cover nothing, could not, or lacks what a waiver must have. */
export function makeWaiver({ name, version, integrity, signals, owner, reason, expires, now }: WaiverRequest): Waiver {
  const spec = `${name}@${version}`;
  if (signals.length === 0) throw new Fault("USAGE", `nothing holds ${spec}: there is nothing to waive`);
  const fixed = signals.filter((signal) => !isWaivable(signal.id));
  if (fixed.length > 0) throw new Fault("USAGE", `${fixed.map(({ id }) => id).join(" and ")} of ${spec} cannot be waived`);
  if (integrity === undefined || digestsOf(integrity).length === 0)
    throw new Fault("USAGE", `${spec} has no integrity a waiver could be pinned to`);
  const covered = signals.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const waiver = {
    name,
    version,
    integrity,
    signals: covered.map((signal) => signal.id),
    evidence: covered.map((signal) => `${signal.id}=${evidenceDigest(signal)}`).join(" "),
    owner: ownedText("owner", owner),
    reason: ownedText("reason", reason),
    created: now,
    expires: expiry(expires, now),
  };
  return { id: `w-${sha256(canonical(waiver)).slice(0, 10)}`, ...waiver };
}

function isWaivable(id: Signal["id"]): boolean {
  // Somebody may vouch for what a broken check could not say.
  return id.startsWith("not-checked:") || (Object.hasOwn(SIGNALS, id) && SIGNALS[id as keyof typeof SIGNALS].waivable);
}

/**
 * What a waiver of one signal is pinned to. The title is left out: it counts minutes. So is the end of a hold: a longer hold
 * in the policy is no news about the package.
 */
function evidenceDigest(signal: Signal): string {
  return sha256(canonical(signal.evidence)).slice(0, 16);
}

/** When the hold that was waived ends, what is left of it must not come back under another name: both rest on the same evidence. */
const FOLLOWS: Readonly<Record<string, string>> = { "not-reconfirmed": "young-release" };

/** Whether it covers this signal of this version now. */
export function covers(
  waiver: Waiver,
  subject: { readonly name: string; readonly version: string; readonly integrity?: string },
  signal: Signal,
  now: Instant,
): boolean {
  if (waiver.name !== subject.name || waiver.version !== subject.version || subject.integrity === undefined) return false;
  if (stateOfWaiver(waiver, now) !== "live" || !isWaivable(signal.id)) return false;
  if (!sameBytes(waiver.integrity, subject.integrity)) return false;
  const ids = [signal.id, FOLLOWS[signal.id]].filter((id) => id !== undefined && waiver.signals.includes(id));
  const digest = evidenceDigest(signal);
  return ids.some((id) => waiver.evidence.split(" ").includes(`${id}=${digest}`));
}

/** Live waivers of this signal, and how many more people it takes. Design §4: "`malware-report` only by two people". */
export function waiversFor(
  waivers: readonly Waiver[],
  subject: Parameters<typeof covers>[1],
  signal: Signal,
  now: Instant,
): { readonly covering: readonly Waiver[]; readonly missing: number } {
  const covering = waivers.filter((each) => covers(each, subject, signal, now)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  // One for each owner: the same person twice is one person.
  const people = [...new Map(covering.map((each) => [each.owner.toLowerCase(), each])).values()];
  const needed = peopleFor(signal.id);
  return { covering: people.slice(0, needed), missing: Math.max(0, needed - people.length) };
}

/** How many different owners must waive a signal. */
function peopleFor(id: Signal["id"]): number {
  const row: SignalRow | undefined = Object.hasOwn(SIGNALS, id) ? SIGNALS[id as keyof typeof SIGNALS] : undefined;
  return row?.people ?? 1;
}

function sameBytes(a: string, b: string): boolean {
  return compareDigests(digestsOf(a), digestsOf(b)) === "same";
}

export type WaiverState = "live" | "revoked" | "expired" | "unused";

/** A waiver dies when it is revoked, when it expires, and when nobody needed it for 30 days. */
export function stateOfWaiver(waiver: Waiver, now: Instant): WaiverState {
  if (waiver.revoked !== undefined) return "revoked";
  if (now >= waiver.expires) return "expired";
  return now - (waiver.used ?? waiver.created) >= LIMITS.waiverUnusedMs ? "unused" : "live";
}

/** Why `waiver prune` removes it; undefined = it stays. `without` is the verdict of its version if it did not exist. */
export function pruneReason(
  waiver: Waiver,
  now: Instant,
  without: Verdict | undefined,
): Exclude<WaiverState, "live"> | "outlived" | undefined {
  const state = stateOfWaiver(waiver, now);
  if (state !== "live") return state;
  return without?.action === "allow" ? "outlived" : undefined;
}
