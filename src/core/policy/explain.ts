/** Verdicts in words: the one line of a refusal, and the parts `cordon why` prints. Data, not formatting. */
import { headerText, printable } from "../base/text.ts";
import { LIMITS } from "../base/limits.ts";
import { type Instant, isoMinute, span } from "../base/time.ts";
import { SIGNALS } from "../signals/table.ts";
import type { Alternative } from "./alternatives.ts";
import type { Judgement } from "./judge.ts";
import type { Evidence, Signal, Verdict } from "./verdict.ts";

/** `cordon holds axios@1.14.1: young-release, until 2026-04-03T00:21Z · cordon why axios@1.14.1` */
export function refusalLine(name: string, version: string, verdict: Verdict): string {
  const spec = `${name}@${version}`;
  return printable(`cordon ${verbOf(verdict)} ${spec}: ${ruleOf(verdict)} · cordon why ${spec}`);
}

/** The same for a reason phrase or a header: printable ASCII, at most LIMITS.phraseChars, the rule never cut off. */
export function refusalPhrase(name: string, version: string, verdict: Verdict): string {
  const whole = refusalLine(name, version, verdict).replaceAll(" · ", " - ");
  if (whole.length <= LIMITS.phraseChars) return headerText(whole);
  const [head, tail] = [`cordon ${verbOf(verdict)} `, `: ${ruleOf(verdict)}`];
  const room = Math.max(0, LIMITS.phraseChars - head.length - tail.length);
  const spec = `${name}@${version}`;
  return headerText(`${head}${spec.length > room ? `${spec.slice(0, Math.max(0, room - 3))}...` : spec}${tail}`);
}

function verbOf(verdict: Verdict): string {
  if (verdict.action === "allow") return "allows";
  return verdict.action === "deny" ? "denies" : "holds";
}

/** Rules named in a line; the rest is counted. */
const NAMED = 3;

/** `young-release, until 2026-04-03T00:21Z`. */
function ruleOf(verdict: Verdict): string {
  const ids = verdict.reasons.map((reason) => reason.id);
  const rules = [...ids.slice(0, NAMED), ...(ids.length > NAMED ? [`${ids.length - NAMED} more`] : [])].join(", ");
  return `${rules}${endPhrase(verdict)}`;
}

function endPhrase(verdict: Verdict): string {
  if (verdict.action === "allow" || verdict.action === "deny") return "";
  const until = verdict.until === undefined ? "" : `, until ${isoMinute(verdict.until)}`;
  if (verdict.review) return `${until}${until === "" ? "," : " and"} until reviewed`;
  return until === "" ? ", until the registry answers again" : until;
}

export type ExplainedSignal = {
  readonly id: string;
  readonly effect: Signal["effect"]["kind"];
  readonly title: string;
  readonly evidence: readonly Evidence[];
  /** What the signal means and why it exists; absent for a check that could not run. */
  readonly means?: string;
  readonly why?: string;
  /** In words: `opens 2026-04-03T00:21Z (in 2 d 23 h)`. */
  readonly ends?: string;
  /** The waiver that covers it. */
  readonly waivedBy?: string;
};

export type Explanation = {
  /** One sentence: what is done with it, and until when. */
  readonly headline: string;
  /** How its age is reckoned. */
  readonly age: string;
  /** Strictest first. */
  readonly reasons: readonly ExplainedSignal[];
  readonly waived: readonly ExplainedSignal[];
  readonly notes: readonly ExplainedSignal[];
  /** What ends it, one line each; empty when nothing withholds it. */
  readonly ends: readonly string[];
  readonly instead: readonly Alternative[];
};

export function explain({ facts, verdict }: Judgement, instead: readonly Alternative[], now: Instant): Explanation {
  const spec = `${facts.name}@${facts.version}`;
  return {
    headline: headlineOf(spec, verdict),
    age: `its age counts from ${isoMinute(facts.start)} (${span(now - facts.start)} ago): ${BASIS[facts.basis]}`,
    reasons: verdict.reasons.map((signal) => explained(signal, now)),
    waived: verdict.waived.map(({ signal, waiver }) => ({ ...explained(signal, now), waivedBy: waiver })),
    notes: verdict.notes.map((signal) => explained(signal, now)),
    ends: [...new Set(verdict.reasons.map((signal) => endOf(signal, now)))],
    instead: verdict.action === "allow" ? [] : instead,
  };
}

const BASIS = {
  "registry-time": "the registry's publish time, which nothing seen here contradicts",
  "first-seen": "the first time this gate saw it",
  "absent-before": "the last answer that listed the package without it",
  returned: "it was gone from the registry and came back then",
  baseline: "it was in the first listing of an upstream without times, which was accepted as old",
} as const;

function headlineOf(spec: string, verdict: Verdict): string {
  const rules = verdict.reasons.map((reason) => reason.id).join(", ");
  if (verdict.action === "allow") return verdict.waived.length > 0 ? `${spec} is allowed by waiver` : `${spec} is allowed`;
  const monitored = verdict.monitored ? " in enforce mode; monitor mode lets it pass" : "";
  if (verdict.action === "deny") return `${spec} is denied: ${rules}`;
  if (verdict.action === "review") return `${spec} is held for review${monitored}: ${rules}`;
  const until = verdict.until === undefined ? "" : ` until ${isoMinute(verdict.until)}`;
  return `${spec} is held${until}${monitored}: ${rules}`;
}

function explained(signal: Signal, now: Instant): ExplainedSignal {
  const row = Object.hasOwn(SIGNALS, signal.id) ? SIGNALS[signal.id as keyof typeof SIGNALS] : undefined;
  return {
    id: signal.id,
    effect: signal.effect.kind,
    title: signal.title,
    evidence: signal.evidence,
    ...(row ? { means: row.means, why: row.why } : {}),
    ...(signal.effect.kind === "note" ? {} : { ends: endOf(signal, now) }),
  };
}

/** When and how one signal stops withholding. */
function endOf({ id, effect }: Signal, now: Instant): string {
  if (effect.kind === "hold" && effect.until !== undefined) return `opens ${isoMinute(effect.until)} (in ${span(effect.until - now)})`;
  if (id === "denied-by-policy") return "when the deny is removed";
  if (effect.kind === "deny") return "does not end by itself";
  if (effect.kind === "review") return "when somebody admits it with a waiver";
  if (id.startsWith("not-checked:")) return "when the check can run";
  return "when the registry's next answer confirms it";
}
