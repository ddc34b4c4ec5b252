/** `cordon check --fix`: says what it changes before it does, then whether that cleared what it was for. */
import { fix, planFix, standing } from "../../app/check-fix.ts";
import type { Checked } from "../../app/check.ts";
import type { RepairOutcome } from "../../app/repair.ts";
import { CLIENTS, LOCKFILE_CLIENTS } from "../../core/client/table.ts";
import type { RepairPlan } from "../../core/check/repair.ts";
import type { ResolvedTree } from "../../core/lockfile/tree.ts";
import { Fault } from "../../core/base/fault.ts";
import type { CheckWorld, Target } from "./check.ts";
import type { CommandContext } from "./command.ts";
import { columns, safe } from "./io.ts";
import { count } from "./sizes.ts";

/** What the client of a lockfile is started by. */
function commandOf({ kind }: Pick<ResolvedTree, "kind">): string {
  const client = LOCKFILE_CLIENTS[kind];
  return client === undefined ? "" : CLIENTS[client].commands[0]!;
}

type How = { readonly dryRun: boolean; readonly whole: (targets: readonly Target[]) => Promise<Checked> };

export async function mendFolders(context: CommandContext, here: CheckWorld, targets: readonly Target[], how: How): Promise<void> {
  if (!here.versions) throw new Fault("USAGE", "--fix asks the registry which versions there are; it cannot work with --offline");
  for (const target of targets) await mendFolder(context, here, target, how);
}

async function mendFolder(context: CommandContext, here: CheckWorld, target: Target, { dryRun, whole }: How): Promise<void> {
  const { io } = context;
  const say = (text: string): void => io.stderr(`${text}\n`);
  let checked = await whole([target]);
  if (checked.report.findings.some(({ rule, fix: way }) => rule.startsWith("source-") && way?.command !== undefined)) {
    const { run } = await import("./lockfile.ts");
    const files = checked.trees.map(({ path }) => path);
    await run({ ...context, io: { ...io, stdout: io.stderr }, flags: { ...context.flags, json: false } }, ["normalize", ...files], {
      check: dryRun,
    });
    if (!dryRun) checked = await whole([target]);
  }
  for (const tree of checked.trees) {
    const files = await here.read(target.root, target.only);
    const plans = await planFix(here.versions!, { files, checked, tree, now: here.ports.clock.now() });
    const [first] = plans ?? [];
    if (plans === undefined || first === undefined)
      say(`${safe(tree.path)}: no client cordon knows writes this lockfile; nothing was changed`);
    else {
      say(planText(tree, first));
      if (dryRun || first.steps.length === 0) continue;
      const outcome = await fix(
        {
          ...here.inFolder(target.root),
          run: (args) => runClient(context, tree, target, args),
          recheck: async () => standing(await whole([target]), tree.path),
        },
        plans,
        { files, checked, tree },
      );
      say(outcomeText(tree, outcome));
      checked = await whole([target]);
    }
  }
}

async function runClient(context: CommandContext, tree: ResolvedTree, target: Target, args: readonly string[]): Promise<number> {
  const { wrap } = await import("./wrap.ts");
  return wrap({ ...context, io: { ...context.io, cwd: target.root } }, commandOf(tree), args);
}

function planText({ path, kind }: ResolvedTree, { steps, commands, waiting, unrepaired }: RepairPlan): string {
  const lines = [
    steps.length === 0
      ? `${safe(path)}: nothing that another version clears can be changed`
      : `${safe(path)}: ${count(steps.length, "change")}`,
  ];
  const rows = steps.map(({ kind: how, name, from, summary, where, path: file }) => [
    `${safe(name)} ${safe(from)}`,
    safe(summary),
    how === "in-place"
      ? "only the lockfile moves"
      : `${how === "override" ? "an override" : "its range"} in ${safe(file ?? "the manifest")}: ${safe(where)}`,
  ]);
  if (rows.length > 0) lines.push(columns(rows));
  for (const args of steps.length === 0 ? [] : commands) lines.push(`  then   cordon ${commandOf({ kind })} ${args.map(safe).join(" ")}`);
  for (const { message } of waiting) lines.push(`  ${safe(message)}`);
  for (const { name, version, why } of unrepaired) lines.push(`  not mended   ${safe(`${name} ${version}`)}: ${safe(why)}`);
  return lines.join("\n");
}

function outcomeText({ path }: ResolvedTree, { kind, changed, tries }: RepairOutcome): string {
  if (kind === "repaired") return `${safe(path)}: mended, and checked again · ${changed.map(safe).join(", ")} changed`;
  const why = tries.flatMap((one) => one.why ?? []).map(safe);
  return `${safe(path)}: nothing was changed${why.length === 0 ? "" : `; every file is as it was, because ${why.join("; then ")}`}`;
}
