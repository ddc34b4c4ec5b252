/** Nobody who published the releases before it published this one. */
import type { Publisher } from "../npm/release.ts";
import { everSettled } from "./baseline.ts";
import type { Check } from "./check.ts";
import { nameOf } from "./trusted-publisher-dropped.ts";

export const publisherChanged: Check = ({ facts }) => {
  const { release } = facts;
  const publisher = release?.own.publisher;
  if (!release || !publisher) return undefined;
  const before = everSettled(release).flatMap((one) => one.release.publisher ?? []);
  const comparable = publisher.trusted ? before.filter(({ trusted }) => trusted) : before;
  // Design §4: "Person → trusted publisher is not a change".
  if (comparable.length === 0 || comparable.some((one) => isSame(one, publisher))) return undefined;
  const sameName = before.some(({ name, trusted }) => !trusted && !publisher.trusted && name !== undefined && name === publisher.name);
  return {
    id: "publisher-changed",
    effect: { kind: "note" },
    title: sameName ? `${publisher.name} published it from a new e-mail address` : `${nameOf(publisher)} has not published it before`,
    evidence: [
      { text: `published by ${nameOf(publisher)}`, source: "registry" },
      { text: `before: ${[...new Set(comparable.map(nameOf))].join(", ")}`, source: "registry" },
    ],
  };
};

/** Of trusted publishers the configuration counts, of people both name and address: a stolen account often gets a new address. */
function isSame(a: Publisher, b: Publisher): boolean {
  if (a.trusted || b.trusted) return a.trusted?.id === b.trusted?.id && a.trusted?.config === b.trusted?.config;
  return a.name === b.name && a.email?.toLowerCase() === b.email?.toLowerCase();
}
