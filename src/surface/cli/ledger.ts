/** `cordon ledger tail|verify|export|head`: what was served and refused, and proof that the record is whole. */
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { iso, parseInstant } from "../../core/base/time.ts";
import type { LedgerHead, LedgerRow } from "../../core/ledger/entry.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, painter, printJson, safe } from "./io.ts";

export const run: Command = async (context, args, options) => {
  switch (args[0]) {
    case "tail":
      return tail(context, options);
    case "verify":
      return verify(context, options);
    case "export":
      return exportRows(context);
    case "head":
      return head(context);
    default:
      throw new Fault("USAGE", `cordon ledger ${safe(args[0] ?? "")}: say tail, verify, export or head`);
  }
};

async function tail({ io, world, flags }: CommandContext, options: Readonly<Record<string, unknown>>): Promise<number> {
  const limit = Number(options["limit"] ?? 20);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LIMITS.ledgerTailRows)
    throw new Fault("USAGE", `--limit is a whole number from 1 to ${LIMITS.ledgerTailRows}; cordon ledger export gives every row`);
  const since = options["since"] === undefined ? undefined : parseInstant(options["since"]);
  if (options["since"] !== undefined && since === undefined) throw new Fault("USAGE", "--since is a time such as 2026-03-31T00:21:00Z");
  const kinds = typeof options["kind"] === "string" ? options["kind"].split(",").map(kindOf) : undefined;
  const app = await world.open(flags);
  try {
    const rows = await app.ledger.tail({
      limit,
      ...(kinds === undefined ? {} : { kinds }),
      ...(since === undefined ? {} : { since }),
      ...(typeof options["project"] === "string" ? { project: options["project"] } : {}),
    });
    if (flags.json) printJson(io, "cordon.ledger-tail/1", { rows });
    else if (rows.length === 0) io.stdout("the ledger has no such rows\n");
    else io.stdout(`${columns(rows.map(cells), "")}\n`);
    return 0;
  } finally {
    await app.close();
  }
}

const KINDS = ["serve", "refuse", "verdict", "count", "tree", "mismatch", "change", "alert"] as const satisfies readonly Kind[];

type Kind = LedgerRow["entry"]["kind"];

function kindOf(text: string): Kind {
  const kind = KINDS.find((one) => one === text.trim());
  if (!kind) throw new Fault("USAGE", `--kind ${JSON.stringify(text)}: there are ${KINDS.join(", ")}`);
  return kind;
}

function cells(row: LedgerRow): string[] {
  const { entry } = row;
  const asker = "asker" in entry ? safe([entry.asker.project, entry.asker.client].filter((part) => part !== undefined).join(" ")) : "";
  const spec = "name" in entry ? safe(`${entry.name}${"version" in entry && entry.version !== undefined ? `@${entry.version}` : ""}`) : "";
  return [iso(entry.at), entry.kind, spec, detail(entry), asker];
}

function detail(entry: LedgerRow["entry"]): string {
  switch (entry.kind) {
    case "serve":
      return safe([entry.stale ? "stale" : "", entry.alert ?? ""].filter((part) => part !== "").join(" · "));
    case "refuse":
      return `${entry.action}: ${entry.signals.join(", ")}${entry.until === undefined ? "" : ` until ${iso(entry.until)}`}`;
    case "verdict":
      return `${entry.action}${entry.signals.length > 0 ? `: ${entry.signals.join(", ")}` : ""}`;
    case "count":
      return `${entry.packuments} ${entry.packuments === 1 ? "packument" : "packuments"}${entry.project === undefined ? "" : ` to ${safe(entry.project)}`}`;
    case "tree":
      return `${entry.packages} ${entry.packages === 1 ? "package" : "packages"}`;
    case "mismatch":
      return safe(`the lockfile expected ${short(entry.expected)}, the registry says ${short(entry.known)}`);
    case "change":
      return safe(`${entry.what} ${entry.id} by ${entry.by}: ${entry.detail}`);
    case "alert":
      return safe(`${entry.what}: ${entry.detail}`);
  }
}

/** Enough of a digest to compare by eye; --json has all of it. */
function short(integrity: string): string {
  return integrity.length > 24 ? `${integrity.slice(0, 20)}…` : integrity;
}

async function verify({ io, world, flags }: CommandContext, options: Readonly<Record<string, unknown>>): Promise<number> {
  const against = typeof options["head"] === "string" ? readHeads(await world.readText(options["head"]), options["head"]) : undefined;
  const app = await world.open(flags);
  try {
    const result = await app.ledger.verify(against);
    if (flags.json) printJson(io, "cordon.ledger-verify/1", { ...result, comparedWithHead: against !== undefined });
    else {
      const paint = painter(io, "stdout");
      if (result.problems.length === 0) {
        io.stdout(
          `${paint("green", "whole")}   ${result.rows} rows in ${result.chains} ${result.chains === 1 ? "chain" : "chains"}, every link and signature checked\n`,
        );
        if (against === undefined)
          io.stdout(
            "  a disk put back to an earlier day cannot be seen from here: compare with a head kept elsewhere\n  keep one       cordon ledger head > head.json\n  compare        cordon ledger verify --head head.json\n",
          );
      } else {
        io.stdout(
          `${paint("red", "BROKEN")}   ${result.problems.length} ${result.problems.length === 1 ? "problem" : "problems"} in ${result.rows} rows\n${columns(result.problems.slice(0, 50).map((one) => [safe(one.chain), `row ${one.seq}`, safe(one.problem)]))}\n`,
        );
      }
    }
    return result.problems.length === 0 ? 0 : 1;
  } finally {
    await app.close();
  }
}

function readHeads(text: string, file: string): readonly LedgerHead[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault("INPUT_UNREADABLE", `${file} is not JSON`, error);
  }
  const heads = (value as { heads?: unknown } | null)?.heads;
  if (!Array.isArray(heads) || heads.length === 0 || !heads.every(isHead))
    throw new Fault("INPUT_UNREADABLE", `${file} is not what \`cordon ledger head\` writes`);
  return heads;
}

function isHead(head: unknown): head is LedgerHead {
  const one = head as Partial<LedgerHead> | null;
  return (
    typeof one === "object" &&
    one !== null &&
    typeof one.chain === "string" &&
    typeof one.seq === "number" &&
    typeof one.hash === "string" &&
    typeof one.signature === "string" &&
    typeof one.key === "string" &&
    typeof one.at === "number"
  );
}

/** One JSON row a line: streams, so a year of rows needs no memory. */
async function exportRows({ io, world, flags }: CommandContext): Promise<number> {
  const app = await world.open(flags);
  try {
    for await (const row of app.ledger.export()) io.stdout(`${JSON.stringify(row)}\n`);
    return 0;
  } finally {
    await app.close();
  }
}

async function head({ io, world, flags }: CommandContext): Promise<number> {
  const app = await world.open(flags);
  try {
    printJson(io, "cordon.ledger-head/1", { heads: await app.ledger.heads() });
    return 0;
  } finally {
    await app.close();
  }
}
