/** `cordon policy sync`: the change first, as a diff; `--write` makes it, `--check` fails while there is one to make. */
import { applySetup } from "../../app/setup.ts";
import { considerSync, type SyncChange } from "../../app/policy-sync.ts";
import { unifiedDiff } from "../../core/base/diff.ts";
import { Fault } from "../../core/base/fault.ts";
import { span } from "../../core/base/time.ts";
import { FAILING, type SyncFinding } from "../../core/client/policy-sync.ts";
import { withheld } from "../../core/policy/verdict.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, painter, type Paint, printJson, safe } from "./io.ts";
import { count } from "./sizes.ts";
import type { OpenApp } from "./world.ts";

export const runSync: Command = async (context, _args, options) => {
  const { io, world, flags } = context;
  const [check, write] = [options["check"] === true, options["write"] === true];
  if (check && write) throw new Fault("USAGE", "cordon policy sync: --check looks, --write writes; say one of them");
  const host = await world.projectHost();
  const project = await host.project(io.cwd);
  const { policy } = await world.resolve(flags);
  const change = await judged(context, (served) => considerSync(host, project, policy, served));
  if (change.clients.length === 0)
    throw new Fault("USAGE", `${safe(project.root)} is no project: there is no package.json, deno.json or lockfile of any client`);

  const written = write && change.edits.length > 0;
  if (written) {
    const dataDir = await world.dataDir(flags);
    const gate = (await host.remembered(dataDir, project.root))?.gate ?? "";
    await applySetup(host, dataDir, project.root, { gate, edits: change.edits });
  }
  const left = change.findings.filter(({ kind }) => FAILING.has(kind) && !(written && kind === "drift"));
  if (flags.json)
    printJson(io, "cordon.policy-sync/1", {
      root: project.root,
      holdMs: policy.hold,
      clients: change.clients.map(({ client, because, version }) => ({ client, because, ...(version !== undefined && { version }) })),
      findings: change.findings,
      changes: change.edits.map(({ path, before, after }) => ({ path, created: before === undefined, diff: diffOf(path, before, after) })),
      problems: change.problems,
      written,
    });
  else io.stdout(text(change, { hold: policy.hold, written, check }, painter(io, "stdout")));
  if (check) return left.length > 0 || change.problems.length > 0 ? 1 : 0;
  return write && change.problems.length > 0 ? 1 : 0;
};

/** The store is opened only when a file names a version whose age matters, and once. */
async function judged(
  { world, flags }: CommandContext,
  consider: (served: (name: string, version: string) => Promise<boolean | undefined>) => Promise<SyncChange>,
): Promise<SyncChange> {
  let app: OpenApp | undefined;
  try {
    return await consider(async (name, version) => {
      app ??= await world.open(flags);
      const verdict = await app.verdictNow(name, version);
      return verdict === undefined ? undefined : !withheld(verdict);
    });
  } finally {
    await app?.close();
  }
}

const SPOKEN: Readonly<Record<SyncFinding["kind"], string>> = {
  drift: "drift",
  "stale-hole": "stale hole",
  "scope-wide-hole": "scope-wide hole",
  "open-hole": "open hole",
  cannot: "no setting",
};

function text(
  { clients, edits, findings, problems }: SyncChange,
  { hold, written, check }: { readonly hold: number; readonly written: boolean; readonly check: boolean },
  paint: Paint,
): string {
  const many = (...kinds: readonly SyncFinding["kind"][]) => findings.filter(({ kind }) => kinds.includes(kind)).length;
  const [drift, holes] = [many("drift"), many("stale-hole", "scope-wide-hole")];
  const summary = [
    drift === 0
      ? "every setting is in step"
      : written
        ? `${count(drift, "setting")} brought in step`
        : `${count(drift, "setting")} weaker than the policy`,
    ...(holes === 0 ? [] : [count(holes, "hole")]),
    `new versions wait ${span(hold)}`,
  ].join(" · ");
  const rows = findings.map((one) => [
    SPOKEN[one.kind],
    one.kind === "cannot" && one.setting === "" ? one.client : `${one.path}${one.line === undefined ? "" : `:${one.line}`}`,
    safe(`${one.setting === "" ? "" : `${one.setting}: `}${one.message}`),
  ]);
  const lines = [
    `${paint(drift + holes > 0 ? "yellow" : "green", "cordon policy sync")} · ${summary}`,
    columns(clients.map(({ client, because }) => [client, `by ${safe(because)}`])),
    ...(rows.length === 0 ? [] : ["", columns(rows)]),
    ...problems.map(({ path, why }) => `  ${paint("yellow", "left alone")} ${path}: ${safe(why)}`),
    ...(check ? [] : edits.flatMap(({ path, before, after }) => ["", ...diffOf(path, before, after).map((line) => coloured(line, paint))])),
    "",
    ...(written
      ? [`wrote ${edits.map(({ path }) => path).join(", ")}`, "  take it back   cordon setup undo"]
      : edits.length > 0
        ? ["  write it       cordon policy sync --write"]
        : []),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Settings files hold tokens beside the lines that change. */
function diffOf(path: string, before: string | undefined, after: string): readonly string[] {
  return unifiedDiff(path, before, after).map(safe);
}

function coloured(line: string, paint: Paint): string {
  if (/^(?:---|\+\+\+) /.test(line)) return paint("bold", line);
  if (line.startsWith("@@")) return paint("cyan", line);
  return line.startsWith("+") ? paint("green", line) : line.startsWith("-") ? paint("red", line) : line;
}
