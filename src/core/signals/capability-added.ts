/**
 * Its code does something that its predecessor's did not. One new capability is a note: ordinary releases gain them all the time. What
 * holds is a combination no ordinary release was found to gain, or a new capability in what an install runs.
 */
import { CAPABILITIES, CHAINS, type CapabilityId } from "../analysis/capabilities.ts";
import type { CodeDone } from "../analysis/code-facts.ts";
import { DAY } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { Evidence } from "../policy/verdict.ts";
import type { Check } from "./check.ts";
import { codeEvidence } from "./code-evidence.ts";
import { withinHorizon } from "./horizon.ts";

/** In what an install runs, each of these is a question for a person: it happens before anybody imports anything. */
const AT_INSTALL: ReadonlySet<CapabilityId> = new Set([
  "network",
  "credentials",
  "env-harvest",
  "dynamic-code",
  "encoded-blob",
  "self-publish",
  "persistence",
  "agent-abuse",
  "alien-runtime",
  "destructive",
  "self-delete",
  "hidden-name",
  "invisible-text",
  "obfuscated",
]);
/** Nobody hides these for a reader's sake. */
const ANYWHERE: ReadonlySet<CapabilityId> = new Set(["hidden-name"]);

/**
 * Gained together, wherever they stand: something a library seldom has a use for, and a way to act on it. Of 1,002 ordinary releases that
 * were compared six gained an ability, each a single one and none of the first kind (docs/false-positives.md).
 */
const SELDOM: ReadonlySet<CapabilityId> = new Set([
  "credentials",
  "env-harvest",
  "self-publish",
  "agent-abuse",
  "browser-hook",
  "wallet",
  "clipboard",
  "destructive",
  "self-delete",
]);
const ACTING: ReadonlySet<CapabilityId> = new Set(["network", "process", "dynamic-code", "decoder", "encoded-blob"]);

/** A name younger than this has no past that could speak for its first release. */
const YOUNG_NAME = 90 * DAY;

export const capabilityAdded: Check = ({ facts }) => {
  const { code } = facts;
  if (code?.state !== "done") return undefined;
  const grave = code.predecessor === undefined ? atFirst(facts, code) : since(code);
  const than = code.predecessor === undefined ? "" : `, ${code.predecessor} did not`;
  if (grave.length > 0)
    return {
      id: "capability-added",
      effect: withinHorizon(facts, { kind: "review" }),
      title: `its code ${grave[0]!.does}${than}`,
      evidence: [...grave.map(({ evidence }) => evidence), ...hosts(code)],
    };
  if (code.predecessor === undefined || code.added.length === 0) return undefined;
  return {
    id: "capability-added",
    effect: { kind: "note" },
    title: `its code ${code.added.map(({ id }) => CAPABILITIES[id]).join("; ")}${than}`,
    evidence: code.added.flatMap(({ id, where }) => where.slice(0, 1).map((place) => codeEvidence(place, CAPABILITIES[id]))),
  };
};

type Grave = { readonly does: string; readonly evidence: Evidence };

/** Compared with a predecessor. */
function since({ chains, install, added }: CodeDone): readonly Grave[] {
  const combined = chains.map((chain): Grave => ({ does: CHAINS[chain.id], evidence: codeEvidence(chain, CHAINS[chain.id]) }));
  const alone = [
    ...install.flatMap((one) => (AT_INSTALL.has(one.id) ? [{ ...one, does: `${CAPABILITIES[one.id]} on install` }] : [])),
    ...added.flatMap((one) => (ANYWHERE.has(one.id) ? [{ ...one, does: CAPABILITIES[one.id] }] : [])),
  ].flatMap(({ does, where }) => where.map((place): Grave => ({ does, evidence: codeEvidence(place, does) })));
  const grave = [...combined, ...alone];
  return grave.length > 0 ? grave : gainedTogether(added);
}

/** Says less than where things stand together, so only where nothing does. */
function gainedTogether(added: CodeDone["added"]): readonly Grave[] {
  const seldom = added.filter(({ id }) => SELDOM.has(id));
  const both = [...seldom, ...added.filter(({ id }) => ACTING.has(id))];
  if (seldom.length === 0 || both.length < 2) return [];
  const does = both.map(({ id }) => CAPABILITIES[id]).join("; ");
  return both.flatMap(({ id, where }) =>
    where.slice(0, 1).map((place): Grave => ({ does, evidence: codeEvidence(place, CAPABILITIES[id]) })),
  );
}

/** Nothing to compare with: only what a new name does on install, and only in combination. */
function atFirst({ release, start }: Facts, { chains }: CodeDone): readonly Grave[] {
  if (!release || start - release.packageSince >= YOUNG_NAME) return [];
  return chains.flatMap((chain) =>
    chain.install ? [{ does: `${CHAINS[chain.id]} on install`, evidence: codeEvidence(chain, CHAINS[chain.id]) }] : [],
  );
}

function hosts({ hosts: named, predecessor }: CodeDone): readonly Evidence[] {
  if (named.length === 0 || predecessor === undefined) return [];
  return [{ text: `hosts named for the first time: ${named.join(", ")}`, source: "tarball" }];
}
