/** Earlier releases were published by a CI job without a token; this one by somebody who had one. */
import type { Facts } from "../facts/facts.ts";
import { lineOf } from "../npm/line.ts";
import type { Publisher } from "../npm/release.ts";
import { everSeen, everSettled } from "./baseline.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

export const trustedPublisherDropped: Check = (input) => (isUsualHere(input.facts) ? undefined : publishedByHand(input));

/** As the signal, and also where it is the custom of the line: beside something worse that is no excuse. */
export const publishedByHand: Check = ({ facts }) => {
  const { release } = facts;
  const publisher = release?.own.publisher;
  // An upstream that does not say who published says nothing against anybody.
  if (!release || !publisher || publisher.trusted) return undefined;
  const trusted = everSeen(release).find((one) => one.release.publisher?.trusted);
  if (!trusted) return undefined;
  // A person let a staged release go with a second factor: that proves more than a job without a token does.
  const staged = publisher.approver !== undefined;
  const expected = staged || facts.privateUpstream || isUsualHere(facts);
  return {
    id: "trusted-publisher-dropped",
    effect: expected ? { kind: "note" } : withinHorizon(facts, { kind: "review" }),
    title: `${trusted.version} came from ${trusted.release.publisher!.trusted!.id} without a token; this one from ${nameOf(publisher)}`,
    evidence: [
      { text: `published by ${nameOf(publisher)}${staged ? `, approved by ${publisher.approver}` : ""}`, source: "registry" },
      { text: `${trusted.version} was published by ${nameOf(trusted.release.publisher!)}`, source: "registry" },
    ],
  };
};

/** An old line that this person has always published by hand, while the workflow publishes another one: nothing was dropped here. */
function isUsualHere({ version, release }: Facts): boolean {
  if (!release?.own.publisher) return false;
  const { name, email } = release.own.publisher;
  const line = everSettled(release).flatMap((one) => (lineOf(one.version) === lineOf(version) ? [one.release.publisher] : []));
  return line.every((one) => !one?.trusted) && line.some((one) => one !== undefined && one.name === name && one.email === email);
}

/** `jasonsaayman <mail>`, `github (oidc:9061ef30-…)`. */
export function nameOf({ name, email, trusted }: Publisher): string {
  if (trusted) return `${trusted.id}${trusted.config === undefined ? "" : ` (${trusted.config})`}`;
  return name === undefined ? `<${email ?? "nobody named"}>` : `${name}${email === undefined ? "" : ` <${email}>`}`;
}
