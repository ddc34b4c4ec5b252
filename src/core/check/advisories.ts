/** What the feeds say of a lockfile's entries: one finding for each entry and each thing said, under whatever ids the feeds know it. */
import type { Claim } from "../advisory/claim.ts";
import { inForce } from "../advisory/contested.ts";
import { comparePlaced, placed } from "../advisory/order.ts";
import type { ResolvedTree } from "../lockfile/tree.ts";
import { advisorySubject } from "./advisory-subject.ts";
import type { FindingAdvisory, Fix, Severity } from "./finding.ts";
import type { Report } from "./raw.ts";
import type { CheckSubject } from "./subject.ts";

export function checkAdvisories(
  tree: ResolvedTree,
  alike: Int32Array,
  { claims, now }: { readonly claims: NonNullable<CheckSubject["claims"]>; readonly now: CheckSubject["now"] },
  report: Report,
): void {
  // Nobody says anything of nearly every package, nor then of its copies.
  const quiet = new Uint8Array(alike.length);
  for (let index = 0; index < tree.packages.length; index++) {
    if (quiet[alike[index]!] === 1) continue;
    const entry = tree.packages[index]!;
    const subject = advisorySubject(entry);
    const said = subject === undefined ? [] : claims(subject.name, subject.version, subject.integrities);
    if (subject === undefined || said.length === 0) {
      quiet[index] = 1;
      continue;
    }
    for (const group of sameThings(inForce(said, now))) {
      const main = mainOf(group);
      // Bytes are what they are under any name; a name says little of bytes that come from elsewhere.
      const sure = subject.sure || main.match === "integrity";
      const advisory = advisoryOf(group, main, sure);
      const fix = fixOf(entry.version, advisory.fixed);
      report({
        ...weightOf(main, sure && main.match !== "possible"),
        entry: index,
        message: messageOf(main, advisory),
        evidence: evidenceOf(group, sure, entry.patched !== undefined),
        advisory,
        ...(fix === undefined ? {} : { fix }),
        mark: advisory.id,
      });
    }
  }
}

/** Claims of one thing: their ids overlap. */
function sameThings(claims: readonly Claim[]): readonly (readonly Claim[])[] {
  const groups: Claim[][] = [];
  for (const claim of claims) {
    const group = groups.find((each) =>
      each.some((other) => other.kind === claim.kind && other.aliases.some((id) => claim.aliases.includes(id))),
    );
    if (group) group.push(claim);
    else groups.push([claim]);
  }
  return groups;
}

const SUREST: readonly Claim["match"][] = ["integrity", "version", "range", "everything", "possible"];

/** The surest; of equally sure ones the id people know: MAL, then GHSA, then the others in order. */
function mainOf(group: readonly Claim[]): Claim {
  const known = ({ id }: Claim): number => (id.startsWith("MAL-") ? 0 : id.startsWith("GHSA-") ? 1 : 2);
  return group.toSorted((a, b) => SUREST.indexOf(a.match) - SUREST.indexOf(b.match) || known(a) - known(b) || (a.id < b.id ? -1 : 1))[0]!;
}

const FIELD_WORDS = { low: "low", moderate: "medium", high: "high", critical: "critical" } as const satisfies Record<string, Severity>;

function weightOf(
  main: Claim,
  sure: boolean,
): { rule: "malware-report" | "malware-possible" | "vulnerability-report"; severity?: Severity } {
  if (main.kind === "malware") return sure ? { rule: "malware-report" } : { rule: "malware-possible" };
  if (!sure) return { rule: "vulnerability-report", severity: "low" };
  return main.severity === undefined
    ? { rule: "vulnerability-report" }
    : { rule: "vulnerability-report", severity: FIELD_WORDS[main.severity] };
}

function advisoryOf(group: readonly Claim[], main: Claim, sure: boolean): FindingAdvisory {
  const fixed = [...new Set(group.flatMap((claim) => claim.fixed))].toSorted(inOrder);
  const summary = main.summary ?? group.find((claim) => claim.summary !== undefined)?.summary;
  return {
    id: main.id,
    aliases: [...new Set(group.flatMap(({ aliases }) => aliases))].toSorted(),
    feed: main.feed,
    ...(summary === undefined ? {} : { summary }),
    fixed,
    match: sure ? main.match : "possible",
  };
}

function inOrder(a: string, b: string): number {
  const [x, y] = [placed(a), placed(b)];
  return x === undefined || y === undefined ? Number(x === undefined) - Number(y === undefined) : comparePlaced(x, y);
}

function messageOf(main: Claim, { id, fixed, match }: FindingAdvisory): string {
  const what = main.kind === "malware" ? "malware" : "a known vulnerability";
  const how = match === "possible" ? ` may be ${what}` : match === "integrity" ? ` these bytes are ${what}` : ` ${what}`;
  const mended = main.kind === "malware" || fixed.length === 0 ? "" : `, fixed in ${fixed.join(", ")}`;
  return `${id}:${how}${main.summary === undefined ? "" : ` (${main.summary})`}${mended}`;
}

const MATCHED: Readonly<Record<Claim["match"], string>> = {
  version: "names this version",
  range: "names a range with this version",
  everything: "names every version there is",
  integrity: "names these bytes",
  possible: "may mean this version",
};

function evidenceOf(group: readonly Claim[], sure: boolean, patched: boolean): readonly string[] {
  const lines = group.map(({ id, feed, match, modified }) => {
    const changed = modified === undefined ? "" : `, last changed ${new Date(modified).toISOString().slice(0, 10)}`;
    return `${id} in ${feed} ${MATCHED[match]}${changed}`;
  });
  if (sure) return lines;
  return [...lines, patched ? "the entry is patched after it is fetched" : "the entry does not come from a registry under that name"];
}

/** The lowest fixed version above this one, in its own major if there is one. */
function fixOf(version: string, fixed: readonly string[]): Fix | undefined {
  const at = placed(version);
  if (at === undefined) return undefined;
  const above = fixed.filter((each) => {
    const other = placed(each);
    return other !== undefined && comparePlaced(other, at) > 0;
  });
  const major = (text: string): string => /^[v=]?(\d+)/.exec(text)?.[1] ?? "";
  const best = above.find((each) => major(each) === major(version)) ?? above[0];
  return best === undefined ? undefined : { summary: `to ${best}, the lowest version with a fix` };
}
