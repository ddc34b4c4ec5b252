/** An install of it runs something that the release before it did not run. */
import type { Release } from "../npm/release.ts";
import type { Evidence } from "../policy/verdict.ts";
import { baselineOf } from "./baseline.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

const RUN = ["preinstall", "install", "postinstall"] as const;

export const installExecutionAdded: Check = ({ facts }) => {
  const { release } = facts;
  const before = release && baselineOf(facts.version, release);
  if (!release || !before || before.length === 0) return undefined;
  const old = before.map((one) => executionOf(one.release));
  const now = executionOf(release.own);
  const added = Object.keys(now).filter((way) => old.every((had) => had[way] === undefined));
  const changed = Object.keys(now).filter((way) => !added.includes(way) && old.every((had) => had[way] !== now[way]));
  const ways = added.length > 0 ? added : changed;
  if (ways.length === 0) return undefined;
  const than = before[0]!.version;
  return {
    id: "install-execution-added",
    // What replaces an existing script is told, not stopped: build commands change, and their files are looked at with the tarball.
    effect: added.length > 0 ? withinHorizon(facts, { kind: "review" }) : { kind: "note" },
    title: added.length > 0 ? `an install runs ${ways.join(" and ")}, ${than} had none` : `${ways.join(" and ")} differs from ${than}`,
    evidence: ways.map((way): Evidence => ({ text: `${way}: ${now[way]}`, source: "registry" })),
  };
};

/** What an install runs: way → command. A gyp file alone makes npm build it; an abbreviated document only says that there is something. */
function executionOf({ scripts = {}, gypfile, installs }: Release): Readonly<Record<string, string>> {
  const named = RUN.flatMap((name) => (scripts[name] === undefined ? [] : [[name, scripts[name]] as const]));
  if (gypfile && !named.some(([name]) => name === "install")) named.push(["install", "node-gyp rebuild"]);
  if (named.length > 0) return Object.fromEntries(named);
  return installs ? { "an install script": "not shown in this registry's document" } : {};
}
