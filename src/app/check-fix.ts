/**
 * `cordon check --fix`: URLs that no registry needs are made portable, then versions with findings are replaced by the smallest change that
 * clears them. What does not clear is given back byte for byte.
 */
import type { Instant } from "../core/base/time.ts";
import type { Finding } from "../core/check/finding.ts";
import { type Ailing, repairPlans, type RepairInput, type RepairPlan } from "../core/check/repair.ts";
import { type RepairFile, repairFile } from "../core/check/repair-edits.ts";
import { fails } from "../core/check/report.ts";
import type { RuleId } from "../core/check/rules.ts";
import { LOCKFILE_CLIENTS } from "../core/client/table.ts";
import type { ResolvedTree } from "../core/lockfile/tree.ts";
import type { Checked, CheckedFiles } from "./check.ts";
import { repair, type RepairCheck, type RepairOutcome, type RepairPorts } from "./repair.ts";
import type { VersionsOf } from "./versions.ts";

/** Findings that another version of the package clears. */
const BY_VERSION: ReadonlySet<RuleId> = new Set(["malware-report", "vulnerability-report", "held", "review", "denied", "withdrawn"]);

export type FixRequest = {
  readonly files: CheckedFiles;
  readonly checked: Checked;
  readonly tree: ResolvedTree;
  readonly now: Instant;
};

/** The changes to try, smallest first; undefined when no client cordon knows writes this lockfile. */
export async function planFix(versions: VersionsOf, { files, checked, tree, now }: FixRequest): Promise<readonly RepairPlan[] | undefined> {
  // The hidden file is npm's own record of what it installed, not what it installs from.
  const client = tree.kind === "npm-hidden" ? undefined : LOCKFILE_CLIENTS[tree.kind];
  if (client === undefined) return undefined;
  const ailing = ailingOf(checked, tree.path);
  const names = [...new Set(ailing.map(({ name }) => name))];
  const found = await Promise.all(names.map(async (name) => [name, await versions(name)] as const));
  const known = new Map(found);
  const input: RepairInput = {
    client,
    tree: { ...tree, path: baseName(tree.path) },
    files: filesOf(files, baseName(tree.path)),
    ailing,
    candidates: new Map(found.map(([name, { candidates }]) => [name, candidates])),
    tags: (name) => known.get(name)?.tags ?? {},
    now,
  };
  return repairPlans(input);
}

function ailingOf({ report }: Checked, path: string): readonly Ailing[] {
  const found = new Map<string, { name: string; version: string; because: string[] }>();
  for (const finding of report.findings) {
    const { name, version, rule, advisory } = finding;
    if (finding.path !== path || !counts(finding, report.summary.failOn) || name === undefined || version === undefined) continue;
    if (!BY_VERSION.has(rule)) continue;
    const key = `${name}@${version}`;
    const one = found.get(key) ?? { name, version, because: [] };
    one.because.push(advisory?.id ?? rule);
    found.set(key, one);
  }
  return [...found.values()];
}

function counts({ excepted, severity }: Finding, failOn: Checked["report"]["summary"]["failOn"]): boolean {
  return excepted === undefined && fails(severity, failOn);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What a repair of one lockfile may change. */
export function filesOf({ manifests, settings, lockfiles }: CheckedFiles, lockfile: string): readonly RepairFile[] {
  const content = lockfiles.find(({ path }) => path === lockfile)?.content;
  return [
    ...manifests.flatMap(({ path, text, importer }) => (typeof text === "string" ? [repairFile(path, text, importer)] : [])),
    ...settings.flatMap(({ path, text }) => (typeof text === "string" && path === "pnpm-workspace.yaml" ? [repairFile(path, text)] : [])),
    ...(content instanceof Uint8Array ? [repairFile(lockfile, new TextDecoder("utf-8", { ignoreBOM: true }).decode(content))] : []),
  ];
}

/** What stands against each version, for telling whether a repair cleared it. */
export function standing({ report }: Checked, path: string): RepairCheck {
  const found = new Map<string, string[]>();
  for (const finding of report.findings) {
    const { name, version, fingerprint } = finding;
    if (finding.path !== path || !counts(finding, report.summary.failOn) || name === undefined) continue;
    const key = `${name}@${version ?? ""}`;
    found.set(key, [...(found.get(key) ?? []), fingerprint]);
  }
  return found;
}

export async function fix(
  ports: RepairPorts,
  plans: readonly RepairPlan[],
  { files, checked, tree }: Pick<FixRequest, "files" | "checked" | "tree">,
): Promise<RepairOutcome> {
  const guarded = [...files.manifests, ...files.settings, ...files.lockfiles].map(({ path }) => path);
  return repair(ports, { plans, before: standing(checked, tree.path), guarded });
}
