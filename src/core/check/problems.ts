/** What the reader of a lockfile already found wrong with it, as findings. */
import type { LockProblem, LockProblemCode, ResolvedTree } from "../lockfile/tree.ts";
import type { Severity } from "./finding.ts";
import type { Report } from "./raw.ts";
import type { RuleId } from "./rules.ts";

/** The rule of each problem; `entries` are found again, entry by entry, by the rule of that name. */
const RULE_OF: Readonly<Record<LockProblemCode, { readonly rule: RuleId; readonly severity?: Severity } | "entries">> = {
  syntax: { rule: "lockfile-malformed" },
  truncated: { rule: "lockfile-malformed" },
  "conflict-markers": { rule: "lockfile-malformed" },
  "wrong-type": { rule: "lockfile-malformed" },
  "unknown-format": { rule: "lockfile-malformed" },
  "too-large": { rule: "lockfile-malformed" },
  "duplicate-key": { rule: "lockfile-contradiction" },
  contradiction: { rule: "lockfile-contradiction" },
  "identity-mismatch": { rule: "source-identity" },
  "bad-name": { rule: "name-invalid" },
  "bad-integrity": { rule: "integrity-malformed" },
  dangling: { rule: "lockfile-dangling" },
  "no-integrity": "entries",
  "no-version": { rule: "version-missing" },
  "unpinned-git": "entries",
  "old-format": { rule: "lockfile-partial", severity: "note" },
  binary: { rule: "lockfile-partial", severity: "note" },
  partial: { rule: "lockfile-partial" },
};

export function checkProblems(tree: ResolvedTree, report: Report): void {
  let places: ReadonlyMap<string, number> | undefined;
  for (const problem of tree.problems) {
    const row = RULE_OF[problem.code];
    if (row === "entries") continue;
    places ??= new Map(tree.packages.map((entry, index) => [entry.key, index]));
    const entry = entryOf(problem, places);
    report({
      ...row,
      ...(entry === undefined ? {} : { entry: entry.index }),
      at: { line: problem.line, column: problem.column },
      message: entry === undefined ? problem.message : entry.rest,
      mark: markOf(problem),
    });
  }
}

/** Readers begin what they say about an entry with its key. */
function entryOf({ message }: LockProblem, places: ReadonlyMap<string, number>): { index: number; rest: string } | undefined {
  for (let at = message.indexOf(": "); at >= 0; at = message.indexOf(": ", at + 1)) {
    const index = places.get(message.slice(0, at));
    if (index !== undefined) return { index, rest: message.slice(at + 2) };
  }
  return undefined;
}

/** Lines move while a problem stays; some messages name one. */
function markOf({ code, message }: LockProblem): string {
  return `${code} ${message.replace(/\b(?:line|column) \d+/g, "")}`;
}
