/**
 * Checks one lockfile against everything that is known. Rules only say what they found; ways in, fingerprints and exceptions are worked
 * out afterwards and only for what was said, so that a clean lockfile costs one walk over its entries.
 */
import { canonical, sha256 } from "../base/digest.ts";
import { printable, redact } from "../base/text.ts";
import { firstAlike } from "../lockfile/alike.ts";
import { edgesOf, isPlaced, lockGraph, type Placed, placed } from "../lockfile/graph.ts";
import type { Importer, ResolvedTree } from "../lockfile/tree.ts";
import { checkAdvisories } from "./advisories.ts";
import type { CheckException } from "./exceptions.ts";
import { covering, exceptedBy } from "./exceptions.ts";
import type { CheckedLockfile, CheckId, Finding, NotChecked } from "./finding.ts";
import { checkIntegrity, checkRecords } from "./integrity.ts";
import { joinApprovals, NO_APPROVALS } from "./manifest.ts";
import { checkManifests } from "./manifests.ts";
import { checkNames } from "./names.ts";
import { checkProblems } from "./problems.ts";
import { checkRanges } from "./ranges.ts";
import type { RawFinding } from "./raw.ts";
import { isFetched } from "./raw.ts";
import { ruleOf } from "./rules.ts";
import { openAsked } from "./satisfies.ts";
import { checkScripts, saysScripts } from "./scripts.ts";
import { checkSources } from "./sources.ts";
import { checkDeprecated, checkState } from "./state.ts";
import type { CheckSubject } from "./subject.ts";
import type { Ways } from "./ways.ts";
import { waysThrough } from "./ways.ts";

export type LockfileCheck = {
  readonly lockfile: CheckedLockfile;
  /** In the order of the file. */
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
  /** Exceptions that covered something. */
  readonly used: ReadonlySet<CheckException>;
};

export function checkLockfile(subject: CheckSubject): LockfileCheck {
  const { tree, manifests, policy } = subject;
  const raw: RawFinding[] = [];
  const report = (finding: RawFinding): void => void raw.push(finding);
  const alike = firstAlike(tree.packages);
  const places = once(() => placed(tree, alike));
  const ways = once(() => waysOf(tree, subject, places));
  const notChecked: NotChecked[] = [];
  const lacks = (check: CheckId, reason: string, packages: number): void => {
    const known = subject.unavailable?.[check];
    notChecked.push({
      check,
      reason: known?.reason ?? reason,
      packages,
      required: policy.require.includes(check),
      ...(known?.command === undefined ? {} : { command: known.command }),
    });
  };
  let packages = 0;
  for (const entry of tree.packages) if (isFetched(entry)) packages++;

  checkProblems(tree, report);
  const malformed = new Set(raw.flatMap(({ rule, entry }) => (rule === "integrity-malformed" && entry !== undefined ? [entry] : [])));
  if (!tree.complete) lacks("lockfile", "part of the file could not be read", 0);
  checkIntegrity(tree, alike, malformed, report);
  checkSources(tree, alike, subject.sources, (index) => ways().isDirect(index), report);
  checkNames(tree, manifests, subject.popular, report);

  const asked = openAsked();
  if (manifests.length > 0) {
    checkRanges(tree, manifests, places, asked, report);
    checkManifests(tree, manifests, report);
  } else lacks("manifest", "there is no manifest beside the lockfile", 0);

  if (subject.records === undefined) lacks("recorded-integrity", "nothing was noted about any version before", packages);
  else {
    const unknown = checkRecords(tree, subject.records, report);
    if (unknown > 0) lacks("recorded-integrity", "nothing was noted about these versions before", unknown);
  }

  if (subject.claims === undefined) lacks("advisories", "no advisories were read", packages);
  else checkAdvisories(tree, alike, { claims: subject.claims, now: subject.now }, report);

  if (subject.decided === undefined) {
    lacks("age", "nobody was asked about these versions", packages);
    lacks("signatures", "nobody was asked about these versions", packages);
    checkDeprecated(tree, report);
  } else {
    const { unknown, unsigned } = checkState(tree, subject.decided, report);
    for (const [reason, count] of unknown) lacks("age", reason, count);
    if (unsigned > 0) lacks("signatures", "their signatures were not looked at", unsigned);
  }

  if (saysScripts(tree)) {
    // A package.json and a deno.json may stand side by side.
    const own = manifests.flatMap(({ importer, approvals }) => (importer === "." ? [approvals] : []));
    checkScripts(tree, own.reduce(joinApprovals, subject.approvals ?? NO_APPROVALS), asked, report);
  } else lacks("scripts", "the lockfile does not say which packages run scripts", packages);

  const used = new Set<CheckException>();
  const findings = distinct(raw.map((finding) => finish(finding, subject, ways, used)));
  return { lockfile: { path: tree.path, kind: tree.kind, format: tree.version, packages }, findings, notChecked, used };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Formats that do not repeat what the manifest asks for borrow it from there. */
function waysOf(tree: ResolvedTree, { manifests }: CheckSubject, places: () => Placed): Ways {
  const silent = tree.importers.every(({ dependencies }) => dependencies.length === 0);
  const importers = silent ? manifests.map(asImporter) : tree.importers;
  const edges = isPlaced(tree.kind)
    ? { ...places().edges, roots: places().rootsOf(importers) }
    : edgesOf(lockGraph({ ...tree, importers }));
  return waysThrough(edges, tree.packages.length);
}

function asImporter({ importer, dependencies }: CheckSubject["manifests"][number]): Importer {
  return { path: importer, dependencies, line: 1, column: 1 };
}

function finish(raw: RawFinding, { tree, policy, now }: CheckSubject, ways: () => Ways, used: Set<CheckException>): Finding {
  const entry = raw.entry === undefined ? undefined : tree.packages[raw.entry];
  const name = raw.name ?? (entry?.name === "" ? undefined : entry?.name);
  const version = entry?.version === "" ? undefined : entry?.version;
  const path = raw.at?.path ?? tree.path;
  const place = raw.at ?? entry;
  const { via, more } = raw.entry === undefined ? { via: [], more: 0 } : ways().to(raw.entry);
  const subject = { rule: raw.rule, ...(name === undefined ? {} : { name }), ...(version === undefined ? {} : { version }) };
  const advisory = raw.advisory === undefined ? {} : { advisory: raw.advisory };
  const exceptions = covering({ ...subject, ...advisory }, raw.entry, policy.exceptions, ways, now);
  for (const exception of exceptions) used.add(exception);
  return {
    ...subject,
    severity: raw.severity ?? ruleOf(raw.rule).severity,
    path,
    ...(place === undefined || place.line === 0 ? {} : { line: place.line, column: place.column }),
    ...(entry === undefined ? {} : { key: entry.key }),
    message: redact(printable(raw.message)),
    evidence: [
      ...(raw.evidence ?? []).map((line) => redact(printable(line))),
      ...(entry?.dev === true ? ["only development needs it"] : []),
    ],
    via,
    ...(more === 0 ? {} : { more }),
    ...advisory,
    ...(raw.fix === undefined ? {} : { fix: raw.fix }),
    fingerprint: fingerprintOf([raw.rule, path, name, version, entry?.key, raw.mark]),
    ...(exceptions.length === 0 ? {} : { excepted: exceptedBy(exceptions) }),
  };
}

/** What a finding is, without what changes while it stays: lines, counts, times. */
export function fingerprintOf(parts: readonly (string | undefined)[]): string {
  return sha256(canonical(parts.map((part) => part ?? null))).slice(0, 32);
}

/** Some things are seen twice, by the reader and by a rule; they are said once. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const byFingerprint = new Map<string, Finding>();
  for (const finding of findings) if (!byFingerprint.has(finding.fingerprint)) byFingerprint.set(finding.fingerprint, finding);
  return [...byFingerprint.values()];
}
