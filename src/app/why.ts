/** Explains one version, or a package as a whole: verdict, signals with evidence, when it ends, what to install instead. */
import { Fault } from "../core/base/fault.ts";
import { type Clock, iso } from "../core/base/time.ts";
import type { Facts } from "../core/facts/facts.ts";
import { parseSpec } from "../core/npm/name.ts";
import { pick } from "../core/npm/ranges.ts";
import { explain, type ExplainedSignal } from "../core/policy/explain.ts";
import type { Action, Signal, Verdict } from "../core/policy/verdict.ts";
import { withheld } from "../core/policy/verdict.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge, Known } from "./knowledge.ts";

/** `cordon.why/1`. Times are ISO 8601. */
export type WhyReport = {
  readonly schema: "cordon.why/1";
  readonly name: string;
  /** Absent when the whole package was asked about. */
  readonly version?: string;
  readonly withheld: boolean;
  /** It is young and nobody has looked at its tarball yet. */
  readonly uninspected: boolean;
  readonly verdict: {
    readonly action: Action;
    readonly until?: string;
    readonly review: boolean;
    readonly monitored: boolean;
    readonly reasons: readonly string[];
    readonly waived: readonly string[];
    readonly policy: string;
  };
  /** One sentence: what is done with it, and until when. */
  readonly headline: string;
  /** How its age is reckoned. */
  readonly age: string;
  /** Reasons first, strictest first; then what is waived; then notes. */
  readonly signals: readonly Told[];
  readonly facts: {
    readonly integrity?: string;
    readonly listed: boolean;
    readonly ageStarts: string;
    readonly ageBasis: Facts["basis"];
    readonly registryTime?: string;
    readonly firstSeen: string;
    readonly lastListed: string;
    readonly deprecated?: string;
  };
  /** What to install instead, best first; empty when nothing of the package is admitted. */
  readonly instead: readonly string[];
  /** What the gate answers for each dist-tag it moved, and why. */
  readonly tags: Readonly<Record<string, { readonly answers?: string; readonly upstream?: string; readonly why: string }>>;
  /** Other versions withheld now, newest first. */
  readonly others: readonly {
    readonly version: string;
    readonly action: Action;
    readonly until?: string;
    readonly reasons: readonly string[];
  }[];
  /** Set when the upstream could not be asked and this rests on what is stored. */
  readonly stale?: string;
};

export type Told = {
  readonly id: string;
  readonly effect: string;
  /** When a hold ends. */
  readonly until?: string;
  readonly title: string;
  readonly evidence: readonly { readonly text: string; readonly source: string; readonly at?: string }[];
  /** What the signal means and why it exists; absent for a check that could not run. */
  readonly means?: string;
  readonly why?: string;
  /** What ends it, in words. */
  readonly ends?: string;
  readonly waivedBy?: string;
};

export type Why = (spec: string) => Promise<WhyReport>;

export function openWhy(ports: { readonly knowledge: Knowledge; readonly judgements: Judgements; readonly clock: Clock }): Why {
  return async (text) => {
    const { known, version } = await findVersion(ports.knowledge, text);
    const { record } = known;
    const judgement = await ports.judgements.ofPackage(record);
    const judged = await ports.judgements.ofVersion(record, version, { pin: false });
    const { facts, verdict } = judged;
    const told = explain(judged, judgement.alternatives(version), ports.clock.now());
    return {
      schema: "cordon.why/1",
      name: record.name,
      version,
      withheld: withheld(verdict),
      uninspected: judgement.uninspected.has(version),
      verdict: brief(verdict),
      headline: told.headline,
      age: told.age,
      signals: [...told.reasons, ...told.waived, ...told.notes].map((one) => tell(one, judged.signals)),
      facts: {
        ...(facts.integrity === undefined ? {} : { integrity: facts.integrity }),
        listed: facts.listed,
        ageStarts: iso(facts.start),
        ageBasis: facts.basis,
        ...(facts.claimed === undefined ? {} : { registryTime: iso(facts.claimed) }),
        firstSeen: iso(facts.firstSeen),
        lastListed: iso(facts.lastListed),
        ...(facts.deprecated === undefined ? {} : { deprecated: facts.deprecated.text }),
      },
      instead: withheld(verdict) ? told.instead.map((one) => one.version) : [],
      tags: Object.fromEntries(
        judgement.tagChanges.map((change) => [
          change.tag,
          {
            why: change.why,
            ...(change.from === undefined ? {} : { upstream: change.from }),
            ...(change.to === undefined ? {} : { answers: change.to }),
          },
        ]),
      ),
      others: [...judgement.withheld]
        .filter(([other]) => other !== version)
        .toReversed()
        .map(([other, its]) => ({
          version: other,
          action: its.action,
          reasons: its.reasons.map((reason) => reason.id),
          ...(its.until === undefined ? {} : { until: iso(its.until) }),
        })),
      ...(known.stale === undefined ? {} : { stale: known.stale }),
    };
  };
}

/** The version a spec means, held or not. Raises NAME_INVALID, NOT_FOUND, INPUT_UNREADABLE or UPSTREAM_DOWN. */
export async function findVersion(
  knowledge: Pick<Knowledge, "know">,
  text: string,
): Promise<{ readonly known: Extract<Known, { kind: "known" }>; readonly version: string }> {
  const spec = parseSpec(text);
  if (!spec) throw new Fault("NAME_INVALID", `${JSON.stringify(text)} is not a package spec`);
  const known = await knowledge.know(spec.name);
  if (known.kind === "absent") throw new Fault("NOT_FOUND", `${spec.name} is not on the upstream registry`);
  if (known.kind === "refused") throw new Fault("INPUT_UNREADABLE", known.message);
  if (known.kind === "down") throw new Fault("UPSTREAM_DOWN", known.message);
  const { summary, versions } = known.record;
  const version = choose(spec.spec ?? "", summary.tags, [...Object.keys(versions), ...summary.problems.map((problem) => problem.version)]);
  if (version === undefined) throw new Fault("NOT_FOUND", `no version of ${spec.name} matches ${JSON.stringify(spec.spec ?? "")}`);
  return { known, version };
}

/** An exact version, a tag as the upstream has it, else the newest version of the range: the one a client would have asked for. */
function choose(spec: string, tags: Readonly<Record<string, string>>, versions: readonly string[]): string | undefined {
  const candidates = versions.map((version) => ({ version }));
  if (spec === "") return tags["latest"] ?? pick("*", tags, candidates);
  if (versions.includes(spec)) return spec;
  if (Object.hasOwn(tags, spec)) return tags[spec];
  return pick(spec, tags, candidates);
}

export function brief(verdict: Verdict): WhyReport["verdict"] {
  return {
    action: verdict.action,
    ...(verdict.until === undefined ? {} : { until: iso(verdict.until) }),
    review: verdict.review,
    monitored: verdict.monitored,
    reasons: verdict.reasons.map((reason) => reason.id),
    waived: verdict.waived.map((one) => one.signal.id),
    policy: verdict.policy,
  };
}

export function tell(signal: ExplainedSignal, signals: readonly Signal[]): Told {
  const effect = signals.find((one) => one.id === signal.id)?.effect;
  const { evidence, ...rest } = signal;
  return {
    ...rest,
    ...(effect?.kind === "hold" && effect.until !== undefined ? { until: iso(effect.until) } : {}),
    evidence: evidence.map((one) => ({ text: one.text, source: one.source, ...(one.at === undefined ? {} : { at: iso(one.at) }) })),
  };
}
