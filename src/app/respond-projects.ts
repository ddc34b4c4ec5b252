/**
 * What a response does to projects: a branch that goes back to the last good versions, in each client's own form, its lockfile written by the
 * client itself; and, once that is taken over, whether what is left and what was published is what it should be.
 */
import semver from "semver";
import { Fault } from "../core/base/fault.ts";
import { type Clock, iso, parseInstant } from "../core/base/time.ts";
import { repairPlans, type RepairCandidate, type RepairPlan } from "../core/check/repair.ts";
import type { ClientId } from "../core/client/client.ts";
import { LOCKFILE_CLIENTS } from "../core/client/table.ts";
import type { IncidentPack } from "../core/incident/pack.ts";
import { dropEntries } from "../core/lockfile/drop.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import type { ResolvedPackage, ResolvedTree } from "../core/lockfile/tree.ts";
import { hasGood, rangeBelow } from "../core/response/last-good.ts";
import type { Plan, RollbackAction } from "../core/response/plan.ts";
import { judgeEntries, judgeOwn, type OwnVersion, timesIn } from "../core/response/revalidate.ts";
import { filesOf } from "./check-fix.ts";
import type { CheckedFiles } from "./check.ts";
import type { DecideEntries } from "./decide-entries.ts";
import type { Knowledge } from "./knowledge.ts";
import { repair, type RepairCheck, type RepairPorts } from "./repair.ts";
import type { Done, ProjectActions } from "./respond.ts";
import type { VersionsOf } from "./versions.ts";

export type Worktree = {
  /** The project in a checkout of its own. */
  readonly project: string;
  commit(paths: readonly string[], message: string, by: string): Promise<string>;
  close(): Promise<void>;
};

/** Branches of the repositories that projects lie in. */
export type Branches = {
  /** `made`: the commit of a run that was killed after it. Fault USAGE when a branch of this name is somebody else's. */
  open(action: RollbackAction, at: { readonly plan: string; readonly step: string }): Promise<Worktree | { readonly made: string }>;
  tip(action: RollbackAction): Promise<string | undefined>;
  file(action: RollbackAction, path: string): Promise<Uint8Array | undefined>;
  /** Fault EDITED_SINCE when it no longer stands at `commit`. */
  remove(action: RollbackAction, commit: string): Promise<void>;
  tags(root: string): Promise<readonly string[] | { readonly why: string }>;
};

export type ProjectPorts = {
  readonly clock: Clock;
  readonly branches: Branches;
  readFolder(folder: string): Promise<CheckedFiles>;
  inFolder(folder: string): Pick<RepairPorts, "read" | "write" | "remove">;
  /** Runs the client through cordon in a folder; gives its exit status. */
  runClient(client: ClientId, folder: string, args: readonly string[]): Promise<number>;
  readonly decide: DecideEntries;
  readonly versions: VersionsOf;
  readonly knowledge: Pick<Knowledge, "know">;
};

export function projectActions(ports: ProjectPorts): ProjectActions {
  const { branches } = ports;

  async function rollBack(plan: Plan, pack: IncidentPack, step: string, action: RollbackAction, by: string): Promise<Done> {
    const worktree = await branches.open(action, { plan: plan.id, step });
    if ("made" in worktree) return { detail: `${action.branch} was made before`, made: [worktree.made] };
    try {
      const { changed, steps } = await mend(pack, action, worktree.project);
      const found = steps.map(
        ({ name, from, summary, where, path }) => `${name} ${from} ${summary} (${path ?? action.lockfile}: ${where})`,
      );
      const title = `respond ${plan.incident.id}: ${[...new Set(steps.map(({ name, from, to }) => `${name} ${from} to ${to}`))].join(", ")}`;
      const commit = await worktree.commit(changed, `${title}\n\n${found.join("\n")}`, by);
      return { detail: `${action.branch} at ${commit.slice(0, 12)}: ${changed.join(", ")} changed`, made: [commit], found };
    } finally {
      await worktree.close();
    }
  }

  /** Leaves the project on the last good versions, or raises a Fault that says why it cannot be. */
  async function mend(
    pack: IncidentPack,
    action: RollbackAction,
    project: string,
  ): Promise<{ readonly changed: readonly string[]; readonly steps: RepairPlan["steps"] }> {
    const { lockfile } = action;
    const files = await ports.readFolder(project);
    const before = treeOf(files, lockfile);
    const client = LOCKFILE_CLIENTS[before.kind];
    if (client === undefined) throw new Fault("USAGE", `no client cordon knows writes ${lockfile}`);
    const bad = poisoned(pack, before);
    if (bad.length === 0) throw new Fault("USAGE", `${lockfile} names none of them as of ${action.base.slice(0, 12)}`);
    const { kind, changed, tries } = await repair(
      {
        ...ports.inFolder(project),
        run: (args) => ports.runClient(client, project, args),
        recheck: async () => standing(pack, before, treeOf(await ports.readFolder(project), lockfile)),
      },
      {
        plans: await plansFor(pack, action, client, files, before, bad),
        before: new Map(bad.map((one) => [keyOf(one), [pack.id]])),
        guarded: [...files.manifests, ...files.settings, ...files.lockfiles].map(({ path }) => path),
      },
    );
    if (kind !== "repaired") {
      const why = tries.flatMap((one) => one.why ?? []).join("; then ");
      throw new Fault("USAGE", `no change cleared it: ${why === "" ? "there is none" : why}`);
    }
    const left = poisoned(pack, treeOf(await ports.readFolder(project), lockfile))[0];
    if (left) throw new Fault("USAGE", `${keyOf(left)} is still in ${lockfile}, and nothing good is known to replace it with`);
    return { changed, steps: tries.at(-1)!.steps };
  }

  /** Changes to try, a pin or override first: a lockfile alone would let the next person without cordon have the poison again. */
  async function plansFor(
    pack: IncidentPack,
    action: RollbackAction,
    client: ClientId,
    files: CheckedFiles,
    tree: ResolvedTree,
    bad: readonly ResolvedPackage[],
  ): Promise<readonly RepairPlan[]> {
    const carriers = bad.filter(({ name }) => hasGood(pack, name));
    const names = [...new Set(carriers.map(({ name }) => name))];
    const found = new Map(await Promise.all(names.map(async (name) => [name, await ports.versions(name)] as const)));
    const plans = repairPlans({
      client,
      tree,
      files: filesOf(files, action.lockfile),
      ailing: [...new Map(carriers.map(({ name, version }) => [`${name}@${version}`, { name, version, because: [pack.id] }])).values()],
      candidates: new Map(
        names.map((name) => [
          name,
          found.get(name)!.candidates.map((one): RepairCandidate => {
            const isGood = isLastGood(pack, action, carriers, name, one.version);
            return { ...one, affectedBy: isGood ? [] : [pack.id] };
          }),
        ]),
      ),
      tags: (name) => found.get(name)?.tags ?? {},
      now: ports.clock.now(),
    });
    const whole = plans.filter(({ unrepaired }) => unrepaired.length === 0);
    const why = plans[0]?.unrepaired[0];
    if (whole.length === 0 && why !== undefined) throw new Fault("USAGE", `${keyOf(why)} cannot be replaced: ${why.why}`);
    const isPinned = ({ steps }: RepairPlan): boolean => steps.every((step) => step.kind !== "in-place");
    return [...whole.filter(isPinned), ...whole.filter((one) => !isPinned(one))].map((one) => withoutPayload(one, action.lockfile, bad));
  }

  /** What stands against the versions of a lockfile, of those that were in it before only the poisoned ones. */
  async function standing(pack: IncidentPack, before: ResolvedTree, now: ResolvedTree): Promise<RepairCheck> {
    const known = new Set(before.packages.map(keyOf));
    const fresh = now.packages.filter((one) => one.source.kind === "registry" && !known.has(keyOf(one)));
    const { decided, unknown } = await ports.decide(fresh.map(({ name, version }) => ({ name, version })));
    return new Map([
      ...poisoned(pack, now).map((one) => [keyOf(one), [pack.id]] as const),
      ...decided.filter((one) => one.withheld).map((one) => [keyOf(one), [one.verdict.action]] as const),
      ...unknown.map((one) => [keyOf(one), [one.why]] as const),
    ]);
  }

  return {
    rollBack,

    async rollbackProblem(pack, action) {
      const { branch, lockfile } = action;
      if ((await branches.tip(action)) === undefined) return `there is no branch ${branch}`;
      const bytes = await branches.file(action, lockfile);
      if (bytes === undefined) return `${branch} has no ${lockfile}`;
      const left = poisoned(pack, readLockfile(lockfile, bytes))[0];
      return left && `${lockfile} on ${branch} still names ${keyOf(left)}`;
    },

    takeBack: (action, commit) => branches.remove(action, commit),

    async revalidate(action) {
      if (action.kind === "revalidate-lock") {
        const files = await ports.readFolder(action.root);
        const trees = files.lockfiles.map(({ path }) => treeOf(files, path));
        const entries = trees.flatMap(({ packages }) => packages).flatMap(entryOf);
        return judgeEntries(trees, await ports.decide(entries, { facts: true }));
      }
      const { name, root } = action;
      const from = parseInstant(action.from);
      if (from === undefined) throw new Fault("STORE_BROKEN", `the plan looks from ${JSON.stringify(action.from)} on, which is no time`);
      const known = await ports.knowledge.know(name, { maxAge: 0 });
      if (known.kind === "absent") return { detail: "the registry does not know it: nothing was published" };
      if (known.kind !== "known") throw new Fault("UPSTREAM_DOWN", `${name}: ${known.message}`);
      // What was published since is not in what was stored before.
      if (known.stale !== undefined) throw new Fault("UPSTREAM_DOWN", `${name}: ${known.stale}`);
      const { record } = known;
      const seen = Object.entries(record.versions).map(([version, { claimed, firstSeen }]) => [version, claimed ?? firstSeen] as const);
      const times = new Map([...timesIn(await known.document()), ...seen]);
      const listed = new Set(record.summary.versions.map(({ version }) => version));
      const versions = [...times]
        .filter(([, at]) => at >= from)
        .toSorted(([, a], [, b]) => a - b)
        .map(([version, at]): OwnVersion => {
          const publisher = record.summary.releases?.[version]?.publisher;
          return { version, at: iso(at), publisher, ...(!listed.has(version) && { gone: true }) };
        });
      const proofs = await ports.decide(
        versions.flatMap(({ version, gone }) => (gone ? [] : [{ name, version }])),
        { facts: true },
      );
      return judgeOwn(name, versions, proofs, await branches.tags(root));
    },
  };
}

/** The version to go back to: the one the plan names, else any below every poisoned one of the same major. */
function isLastGood(
  pack: IncidentPack,
  { replace }: RollbackAction,
  ailing: readonly ResolvedPackage[],
  name: string,
  version: string,
): boolean {
  if ((pack.decoys ?? []).some((one) => one.name === name && one.version === version)) return false;
  return ailing.some((one) => {
    if (one.name !== name) return false;
    const to = replace.find((each) => each.name === name && each.version === one.version)?.to;
    return to === undefined ? semver.satisfies(version, rangeBelow(pack, name, one.version)) : version === to;
  });
}

/**
 * What only the attack asked for has no good version to go back to: its entries go, and nobody asks for them any more. Left in, they would
 * be refused before the client starts. A lockfile that no plan cuts into cannot be cut (bun takes it for none at all).
 */
function withoutPayload(plan: RepairPlan, lockfile: string, bad: readonly ResolvedPackage[]): RepairPlan {
  const edits = plan.edits.map((edit) =>
    edit.path === lockfile ? { ...edit, after: dropEntries(lockfile, edit.after, bad) ?? edit.after } : edit,
  );
  return { ...plan, edits };
}

function poisoned({ packages }: IncidentPack, tree: ResolvedTree): readonly ResolvedPackage[] {
  return tree.packages.filter(({ name, version }) =>
    packages.some((one) => one.name === name && (one.everyVersion === true || one.versions.some((bad) => bad.version === version))),
  );
}

function keyOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

/** What a registry can be asked about. */
function entryOf({ name, version, source, integrity }: ResolvedPackage): readonly { name: string; version: string; integrity?: string }[] {
  if (source.kind !== "registry" || version === "") return [];
  const comparable = integrity?.kind === "sri" || integrity?.kind === "sha1" ? { integrity: integrity.value } : {};
  return [{ name, version, ...comparable }];
}

function treeOf({ lockfiles }: CheckedFiles, lockfile: string): ResolvedTree {
  const content = lockfiles.find(({ path }) => path === lockfile)?.content;
  if (content === undefined) throw new Fault("INPUT_UNREADABLE", `there is no ${lockfile}`);
  if ("why" in content) throw new Fault("INPUT_UNREADABLE", `${lockfile}: ${content.why}`);
  const tree = readLockfile(lockfile, content);
  if (!tree.complete)
    throw new Fault("INPUT_UNREADABLE", `${lockfile} cannot be read whole: ${tree.problems[0]?.message ?? "it is cut off"}`);
  return tree;
}
