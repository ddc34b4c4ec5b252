/** What the replays came to: for each incident whether it was withheld at minute 0, by what, and whether that is what was on record. */
import type { Incident } from "./incident.ts";
import { type Outcome, type Reason, isUnchecked } from "./run.ts";

/**
 * Recorded signal → signals of ours that see it. A reason counts as right when something on record is what it speaks of: a release held
 * for a burst that was none would be held by chance.
 */
const SEEN_AS: Readonly<Record<string, readonly string[]>> = {
  new_install_script: ["install-execution-added"],
  // A build that npm starts by itself is execution on install like a script.
  implicit_gyp: ["install-execution-added"],
  git_dependency: ["exotic-dependency"],
  // What a new dependency brings is seen at its edge, at its age, or in itself: then whatever requires it waits with it.
  new_dependency: ["dependency-unimported", "new-young-dependency", "dependency-withheld"],
  new_dep_age_hours: ["dependency-unimported", "new-young-dependency", "dependency-withheld"],
  new_dep_unimported: ["dependency-unimported"],
  new_dep_publisher_unknown: ["dependency-unimported", "new-young-dependency"],
  dep_install_script: ["dependency-withheld"],
  new_package_name: ["name-lookalike", "dependency-lookalike"],
  provenance: ["provenance-dropped"],
  // Who publishes past the workflow leaves no provenance either.
  trusted_publisher_bypassed: ["trusted-publisher-dropped", "provenance-dropped"],
  publisher_changed: ["publisher-changed"],
  publisher_email_changed: ["publisher-changed"],
  version_jump_or_odd: ["version-odd"],
  old_line_publish: ["old-line-publish"],
  dormant_revived_days: ["dormant-revived"],
  publish_burst: ["publish-burst"],
  size_jump: ["size-jump"],
  // Everything below is something the code can do now and could not before.
  added_obfuscated_or_large_file: ["capability-added", "size-jump"],
  added_binary: ["capability-added", "size-jump"],
  cap_child_process: ["capability-added"],
  cap_network: ["capability-added"],
  cap_fs_credentials: ["capability-added"],
  cap_env_harvest: ["capability-added"],
  cap_eval_or_decoder: ["capability-added"],
  crypto_address_patterns: ["capability-added"],
  browser_hooks: ["capability-added"],
  ai_tool_abuse: ["capability-added"],
  remote_stage2: ["capability-added"],
  self_delete: ["capability-added"],
  dead_man_switch: ["capability-added"],
  editor_agent_persistence: ["capability-added"],
  worm_self_publish: ["capability-added"],
  destructive: ["capability-added"],
};

/** Signals that only say when it was published. */
const AGE = new Set(["young-release", "not-reconfirmed"]);

/** Oddities are notes; two of them, or one beside a new dependency, are the reason `odd-release`. */
const ODDITIES = new Set([
  "publisher-changed",
  "publish-burst",
  "dormant-revived",
  "old-line-publish",
  "size-jump",
  "repository-changed",
  "version-odd",
]);

export type Result =
  /** Every bad release of it. */
  | "withheld"
  /** Some of them. */
  | "partly"
  | "missed";

export type Score = {
  readonly id: string;
  readonly class: string;
  readonly sourced: boolean;
  /** A release of a package that was somebody else's: rights to publish it were stolen, abused or handed over. */
  readonly hijack: boolean;
  /** Something it runs, on install or as code, is on record. */
  readonly touches: boolean;
  /** Under the default policy. */
  readonly young: Result;
  /** With the age rule off. */
  readonly evidence: Result;
  /** Signals that withhold it with the age rule off, and for how many of its bad releases. */
  readonly by: Readonly<Record<string, number>>;
  /** Every withheld release has a reason that is on record. */
  readonly right: boolean;
  /** Of the bad releases: how many there were, and how many were withheld with the age rule off. */
  readonly releases: number;
  readonly stopped: number;
  /** What was said of a release that was let through. */
  readonly missed: readonly { readonly spec: string; readonly notes: readonly string[] }[];
  readonly recorded: readonly string[];
};

const NOT_A_HIJACK = new Set(["typosquat", "trojan_own_package", "mutable_remote_artifact", "sabotage"]);

export function score(incident: Incident, outcomes: { readonly young: readonly Outcome[]; readonly evidence: readonly Outcome[] }): Score {
  const evidence = countedOf(outcomes.evidence).map((one) => ({ ...one, withheld: one.withheld && changesOf(one).length > 0 }));
  const withheld = evidence.filter((one) => one.withheld);
  const by: Record<string, number> = {};
  for (const one of withheld) for (const { id } of changesOf(one)) by[id] = (by[id] ?? 0) + 1;
  return {
    id: incident.id,
    class: incident.class,
    sourced: incident.sourced,
    hijack: !NOT_A_HIJACK.has(incident.class),
    touches: touchesCode(incident),
    young: resultOf(countedOf(outcomes.young)),
    evidence: resultOf(evidence),
    by,
    right: withheld.every((one) => isRight(one, incident)),
    releases: evidence.length,
    stopped: withheld.length,
    missed: evidence
      .filter((one) => !one.withheld)
      .map(({ name, version, notes }) => ({ spec: `${name}@${version}`, notes: notes.map(({ id }) => id) })),
    recorded: Object.entries(incident.signals).map(([signal, value]) => (value === true ? signal : `${signal}=${value}`)),
  };
}

/** What withholds it and speaks of what changed. */
function changesOf({ reasons }: Outcome): readonly Reason[] {
  return reasons.filter(({ id }) => !AGE.has(id) && !isUnchecked(id));
}

/** Where known packages carried it, they are what counts: nobody asks for the attacker's own. */
function countedOf(outcomes: readonly Outcome[]): readonly Outcome[] {
  const carriers = outcomes.filter(({ own }) => !own);
  return carriers.length > 0 ? carriers : outcomes;
}

function resultOf(outcomes: readonly Outcome[]): Result {
  const stopped = outcomes.filter(({ withheld }) => withheld).length;
  return stopped === outcomes.length ? "withheld" : stopped > 0 ? "partly" : "missed";
}

/** Signals of how it was published, which leave install and code as they were. */
const PUBLISHING_ONLY = new Set([
  "provenance",
  "trusted_publisher_bypassed",
  "publisher_changed",
  "publisher_email_changed",
  "no_git_tag_or_commit",
  "version_jump_or_odd",
  "old_line_publish",
  "dormant_revived_days",
  "publish_burst",
  "out_of_order_or_reused",
  "never_latest",
  "size_jump",
  "file_not_in_repo",
  "new_package_name",
]);

function touchesCode({ execution, signals }: Incident): boolean {
  return execution !== "none" || Object.keys(signals).some((signal) => !PUBLISHING_ONLY.has(signal));
}

function isRight(outcome: Outcome, { signals }: Incident): boolean {
  const seen = new Set(
    Object.keys(signals).flatMap((signal) => (signal === "provenance" && signals[signal] !== "lost" ? [] : (SEEN_AS[signal] ?? []))),
  );
  const oddities = [...outcome.reasons, ...outcome.notes].filter(({ id }) => ODDITIES.has(id));
  return changesOf(outcome).some(({ id }) =>
    id === "odd-release" ? oddities.length > 0 && oddities.every((one) => seen.has(one.id)) : seen.has(id),
  );
}

export type Headline = { readonly of: number; readonly evidence: number; readonly right: number; readonly young: number };

/** Withheld whole; a part of an incident is not counted. */
export function headline(scores: readonly Score[]): Headline {
  return {
    of: scores.length,
    evidence: scores.filter((one) => one.evidence === "withheld").length,
    right: scores.filter((one) => one.evidence === "withheld" && one.right).length,
    young: scores.filter((one) => one.young === "withheld").length,
  };
}

export function isCounted({ hijack, touches }: Score): boolean {
  return hijack && touches;
}
