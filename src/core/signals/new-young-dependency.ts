/** It requires, for the first time, a package that hardly existed when it was published: how axios and mastra were poisoned. */
import { DAY, type Instant, isoMinute, span } from "../base/time.ts";
import type { NewDependency } from "../facts/release-facts.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";
import { odditiesOf } from "./odd-release.ts";
import { publishedByHand } from "./trusted-publisher-dropped.ts";

/** Design §4: "its name is < 90 d or its resolved version < 14 d old". */
const YOUNG_NAME = 90 * DAY;
const YOUNG_VERSION = 14 * DAY;

export const newYoungDependency: Check = (input) => {
  const { facts } = input;
  const { release } = facts;
  if (!release) return undefined;
  const young = release.newDependencies.flatMap((one) => {
    const age = youthOf(one, facts.start);
    return age === undefined ? [] : [{ ...one, age }];
  });
  const [first] = young;
  if (!first) return undefined;
  // By itself, or inside one project, it is how a package is split in two; beside anything odd about the release it is how one is hijacked.
  const foreign = young.some(({ sibling }) => !sibling);
  const odd = [publishedByHand(input), ...odditiesOf(input)].filter((signal) => signal !== undefined);
  return {
    id: "new-young-dependency",
    effect: foreign && odd.length > 0 && !facts.privateUpstream ? withinHorizon(facts, { kind: "review" }) : { kind: "note" },
    title: `new: requires ${first.name} ${first.spec}, ${first.age} when this was published`,
    evidence: [
      ...young.map(({ name, spec, known }): Evidence => ({
        text: `${name} ${spec}: ${known ? `the package began ${isoMinute(known.since)}${matchingText(known.matching)}` : "never seen"}`,
        source: "history",
      })),
      ...odd.map(({ id, evidence }): Evidence => ({ text: `${id}: ${evidence[0]?.text ?? ""}`, source: "registry" })),
    ],
  };
};

/** How young it was at that moment, in words; undefined when it was not, or when this gate has not seen the package. */
export function youthOf({ known }: NewDependency, at: Instant): string | undefined {
  if (!known) return undefined;
  if (at - known.since < YOUNG_NAME) return `a package ${span(at - known.since)} old`;
  // Of several versions the spec accepts the oldest counts: a range that an old version answers does not depend on the new one.
  if (known.matching !== undefined && at - known.matching < YOUNG_VERSION)
    return `no matching version of which was ${span(YOUNG_VERSION)} old`;
  return undefined;
}

function matchingText(matching: Instant | undefined): string {
  return matching === undefined ? "" : `, its oldest matching version is of ${isoMinute(matching)}`;
}
