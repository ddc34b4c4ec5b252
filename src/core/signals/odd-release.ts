/**
 * Several things about a release are unusual at once. Any one of them is ordinary: alone they would hold one release in six (measured).
 */
import { DAY, instant } from "../base/time.ts";
import type { Evidence, Signal } from "../policy/verdict.ts";
import { capabilityAdded } from "./capability-added.ts";
import type { Check, SignalInput } from "./check.ts";
import { dormantRevived } from "./dormant-revived.ts";
import { holdUntil, withinHorizon } from "./horizon.ts";
import { oldLinePublish } from "./old-line-publish.ts";
import { publishBurst } from "./publish-burst.ts";
import { publisherChanged } from "./publisher-changed.ts";
import { repositoryChanged } from "./repository-changed.ts";
import { sizeJump } from "./size-jump.ts";

/** Design §4: "hold 7d". */
const HOLD = 7 * DAY;

const ODDITIES: readonly Check[] = [publisherChanged, publishBurst, dormantRevived, oldLinePublish, sizeJump, repositoryChanged];

/** What is unusual about the release, each by its own signal. */
export function odditiesOf(input: SignalInput): readonly Signal[] {
  return ODDITIES.flatMap((check) => check(input) ?? []);
}

/**
 * Design §4: "two different ones, or one together with a new dependency, size jump or publisher change, hold 7d". Code that gains an ability
 * counts like a new dependency: six of a thousand ordinary releases do, and none of these was odd (measured); @solana/web3.js 1.95.6 was both.
 */
export const oddRelease: Check = (input) => {
  const { facts } = input;
  const odd = odditiesOf(input);
  const added = facts.release?.newDependencies.filter(({ sibling }) => !sibling) ?? [];
  const gained = capabilityAdded(input);
  if (odd.length === 0 || (odd.length === 1 && added.length === 0 && !gained)) return undefined;
  const names = added.map(({ name }) => name);
  const until = instant(facts.start + HOLD);
  return {
    id: "odd-release",
    effect: facts.privateUpstream ? { kind: "note" } : withinHorizon(facts, holdUntil(facts, input.now, until)),
    title: [
      ...odd.map(({ title }) => title),
      ...(gained ? [gained.title] : []),
      ...(names.length > 0 ? [`it requires ${names[0]} for the first time`] : []),
    ].join("; "),
    evidence: [
      ...odd.flatMap(({ evidence }) => evidence.slice(0, 1)),
      ...(gained?.evidence.slice(0, 1) ?? []),
      ...(names.length > 0 ? [{ text: `new dependencies: ${names.join(", ")}`, source: "registry" } satisfies Evidence] : []),
    ],
  };
};
