/** It requires something that no registry answers: a git repository, a URL, a file. Nobody holds, checks or remembers that. */
import type { Release } from "../npm/release.ts";
import { classifySpec, isPlainSpec } from "../npm/ranges.ts";
import type { Evidence } from "../policy/verdict.ts";
import { baselineOf, everSettled } from "./baseline.ts";
import type { Check } from "./check.ts";
import { withinHorizon } from "./horizon.ts";

type Exotic = { readonly name: string; readonly spec: string };

export const exoticDependency: Check = ({ facts }) => {
  const { release } = facts;
  if (!release) return undefined;
  const exotic = exoticOf(release.own);
  if (exotic.length === 0) return undefined;
  const compared = [...baselineOf(facts.version, release), ...everSettled(release)];
  const known = new Set(compared.flatMap((one) => exoticOf(one.release).map(keyOf)));
  const fresh = compared.length === 0 ? [] : exotic.filter((one) => !known.has(keyOf(one)));
  const loose = exotic.filter((one) => !isPinned(one.spec));
  const shown = fresh.length > 0 ? fresh : compared.length === 0 ? exotic : loose;
  if (shown.length === 0) return undefined;
  const evidence = shown.map(({ name, spec }): Evidence => ({ text: `${name}: ${spec}`, source: "registry" }));
  const [first] = shown;
  return {
    id: "exotic-dependency",
    effect: fresh.length > 0 ? withinHorizon(facts, { kind: "review" }) : { kind: "note" },
    title: `${fresh.length > 0 ? "new: " : ""}requires ${first!.name} from ${first!.spec}, which no registry answers`,
    evidence,
  };
};

/** Optional ones too: TanStack's malware came as an optional dependency on a full, orphaned commit. */
function exoticOf({ dependencies, optionalDependencies, peerDependencies, bundled }: Release): readonly Exotic[] {
  const carried = new Set(bundled);
  return [dependencies, optionalDependencies, peerDependencies].flatMap((map) =>
    Object.entries(map ?? {}).flatMap(([name, spec]) => (!carried.has(name) && isExotic(spec) ? [{ name, spec }] : [])),
  );
}

/** `workspace:` is a slip of a release script and installs nothing; any other protocol may be taken for a place by some client. */
function isExotic(text: string): boolean {
  if (isPlainSpec(text)) return false;
  const { kind } = classifySpec(text);
  return kind === "git" || kind === "url" || kind === "file" || (kind === "unknown" && text.includes(":"));
}

function keyOf({ name, spec }: Exotic): string {
  return `${name} ${spec}`;
}

/** A full commit cannot be moved to other code. */
function isPinned(spec: string): boolean {
  return /#[0-9a-f]{40}$/i.test(spec);
}
