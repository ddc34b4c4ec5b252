/** `cordon feeds sync|list|query|check|add|remove`: where advisories come from, how old they are, and what was known when. */
import { whatWasKnown, type Advisories, type Known } from "../../app/advisories.ts";
import type { FeedOutcome } from "../../core/advisory/feeds.ts";
import type { TrustRefresh } from "../../core/attest/trust-refresh.ts";
import { Fault, FAULTS } from "../../core/base/fault.ts";
import { redact } from "../../core/base/text.ts";
import { type Instant, iso, parseInstant, span } from "../../core/base/time.ts";
import { parseSpec } from "../../core/npm/name.ts";
import type { Command, CommandContext } from "./command.ts";
import { refreshTrust, tellTrust, trust, trustAsJson } from "./feeds-trust.ts";
import { columns, painter, printJson, progress, safe } from "./io.ts";
import { reasonOf, typedAtTerminal } from "./owned.ts";

type Options = Readonly<Record<string, unknown>>;

export const run: Command = async (context, args, options) => {
  const [action] = args;
  if (action === "trust") return trust(context, options);
  if (action === "add" || action === "remove") return (await import("./feeds-edit.ts")).edit(context, action, args.slice(1), options);
  const advisories = await context.world.advisories(context.flags);
  try {
    if (advisories.configured.length === 0) {
      const missing = new Fault("USAGE", "no feeds are configured; cordon feeds add names one in the machine's cordon.yaml");
      // Keys and authorities are wanted without feeds too.
      const trust = action === "sync" ? await refreshTrust(context, options) : undefined;
      if (trust === undefined) throw missing;
      told(context, [], trust);
      context.io.stderr(`cordon: ${missing.message}\n`);
      return FAULTS.USAGE.exit;
    }
    switch (action) {
      case "sync":
        return await sync(context, advisories, options);
      case "list":
        return list(context, advisories);
      case "check":
        return check(context, advisories);
      case "query":
        return await query(context, advisories, args[1], options);
      default:
        throw new Fault("USAGE", `cordon feeds ${safe(action ?? "")}: say sync, list, query, check, add, remove or trust`);
    }
  } finally {
    await advisories.close();
  }
};

function told(context: CommandContext, feeds: readonly FeedOutcome[], trust: TrustRefresh | undefined): void {
  if (context.flags.json) return printJson(context.io, "cordon.feeds-sync/1", { feeds, ...(trust && { trust: trustAsJson(trust) }) });
  for (const outcome of feeds) tellOutcome(context, outcome);
  if (trust) tellTrust(context, trust);
}

async function sync(context: CommandContext, advisories: Advisories, options: Options): Promise<number> {
  const { io, flags } = context;
  const confirmed = await confirmedBy(context, advisories, options);
  const line = progress(io);
  const outcomes = await advisories
    .sync({ confirmed, due: options["due"] === true, offline: flags.offline === true, progress: (text) => line.show(text) })
    .finally(() => line.clear());
  told(context, outcomes, await refreshTrust(context, options));
  if (outcomes.some(({ result }) => result === "failed")) return 3;
  return outcomes.some(({ result, mass }) => result === "went-back" || mass !== undefined) ? 1 : 0;
}

/** Believing a feed that went back loosens: a person at a terminal, who says why, and a row in the ledger. */
async function confirmedBy({ io, world, flags }: CommandContext, { configured }: Advisories, options: Options): Promise<readonly string[]> {
  const name = options["accept"];
  if (typeof name !== "string") return [];
  if (!configured.some((feed) => feed.name === name)) throw new Fault("USAGE", `no feed is called ${JSON.stringify(name)}`);
  const reason = reasonOf(options);
  await typedAtTerminal(io, name, `what feed ${name} says now is taken as it is, with what it no longer says\n`);
  const app = await world.open(flags);
  try {
    const at = world.clock.now();
    await app.ledger.append([{ kind: "change", at, what: "feed-accepted", id: name, by: world.user(), detail: reason }]);
  } finally {
    await app.close();
  }
  return [name];
}

/** Problems told one by one; the rest are counted. */
const TOLD = 3;

function tellOutcome(
  { io }: CommandContext,
  { name, result, why, records, added, changed, withdrawn, mass, problems, firstProblems }: FeedOutcome,
): void {
  const paint = painter(io, "stdout");
  const count = `${records} ${records === 1 ? "record" : "records"}`;
  const lines = {
    read: `${name}   ${count} · ${added} new · ${changed} changed · ${withdrawn} withdrawn · ${problems} ${problems === 1 ? "problem" : "problems"}`,
    unchanged: `${name}   ${count} · unchanged`,
    "went-back": `${paint("yellow", "NOT TAKEN")} ${name}: ${safe(why ?? "")}; the ${count} known before stay in force`,
    failed: `${paint("red", "FAILED")} ${name}: ${safe(why ?? "")}; the ${count} known before stay in force`,
  };
  io.stdout(`${lines[result]}\n`);
  for (const problem of firstProblems.slice(0, TOLD))
    io.stdout(`  ${safe(problem.source)}${problem.id === undefined ? "" : ` ${safe(problem.id)}`}: ${safe(problem.reason)}\n`);
  if (problems > TOLD) io.stdout(`  and ${problems - Math.min(TOLD, firstProblems.length)} more problems\n`);
  const accept = `   cordon feeds sync --accept ${name} --reason "…"\n`;
  if (result === "went-back") io.stdout(`  take it as it is${accept}`);
  if (mass !== undefined)
    io.stdout(
      `  ${paint("yellow", "contested")}: it newly denies ${mass} names in use here; ranges skip them, pins go on\n  confirm it${accept}`,
    );
}

function list({ io, world, flags }: CommandContext, advisories: Advisories): number {
  const now = world.clock.now();
  const stale = new Map(advisories.stale().map(({ name, why }) => [name, why]));
  const states = new Map(advisories.states().map((state) => [state.name, state]));
  const rows = advisories.configured.map((feed) => ({ feed, state: states.get(feed.name), stale: stale.get(feed.name) }));
  if (flags.json) {
    printJson(io, "cordon.feeds-list/1", {
      feeds: rows.map(({ feed, state, stale: why }) => ({
        name: feed.name,
        from: redact(feed.url ?? feed.path ?? ""),
        kind: feed.kind,
        claims: feed.claims,
        records: state?.records ?? 0,
        ...(state?.checked === undefined ? {} : { checked: iso(state.checked) }),
        ...(state?.newest === undefined ? {} : { newest: iso(state.newest) }),
        ...(why === undefined ? {} : { stale: why }),
        ...(state?.pending === undefined ? {} : { notTaken: state.pending }),
        ...(state?.failure === undefined ? {} : { failed: state.failure }),
      })),
    });
    return 0;
  }
  const paint = painter(io, "stdout");
  io.stdout(
    `${columns(
      rows.map(({ feed, state, stale: why }) => [
        feed.name,
        `${state?.records ?? 0} records`,
        why === undefined ? `read ${span(now - (state?.checked ?? now))} ago${afterwards(state)}` : paint("red", `STALE: ${safe(why)}`),
        safe(feed.url ?? feed.path ?? ""),
      ]),
      "",
    )}\n`,
  );
  return 0;
}

/** What went wrong since a feed was last read, while it is still young enough. */
function afterwards(state: { readonly failure?: string; readonly pending?: string } | undefined): string {
  const what = state?.failure ?? state?.pending;
  return what === undefined ? "" : `, not since: ${safe(what)}`;
}

/** Exit 3 while a feed is stale: holds do not end, and what is not reported may only be unread. */
function check({ io, flags }: CommandContext, advisories: Advisories): number {
  const stale = advisories.stale();
  const index = advisories.index();
  const whole = stale.length === 0 && index !== undefined;
  if (flags.json) {
    const indexed = index && { records: index.size, names: index.names };
    printJson(io, "cordon.feeds-check/1", { fresh: whole, ...(indexed && { index: indexed }), stale });
  } else {
    for (const { name, why } of stale) io.stdout(`${painter(io, "stdout")("red", "STALE")} ${name}: ${safe(why)}\n`);
    if (index) io.stdout(`${index.size} records on ${index.names} names\n`);
    if (!whole) io.stdout("  read them   cordon feeds sync\n");
  }
  return whole ? 0 : 3;
}

async function query(context: CommandContext, advisories: Advisories, text: string | undefined, options: Options): Promise<number> {
  const { io, world, flags } = context;
  if (text === undefined) throw new Fault("USAGE", "say what: cordon feeds query axios@1.14.1");
  const spec = parseSpec(text);
  if (!spec) throw new Fault("NAME_INVALID", `${JSON.stringify(text)} is not a package`);
  const given = options["at"];
  const asked =
    given === undefined
      ? world.clock.now()
      : parseInstant(typeof given === "string" ? given.replace(/(T\d\d:\d\d)(?=Z|[+-])/, "$1:00") : given);
  if (asked === undefined) throw new Fault("USAGE", "--at is a time such as 2026-03-31T00:21Z");
  const answer = await whatWasKnown(advisories, { name: spec.name, version: spec.spec, at: asked });
  const stale = given === undefined ? advisories.stale() : [];
  const found = answer.kind === "known" ? answer.found : [];
  if (flags.json)
    printJson(io, "cordon.feeds-query/1", {
      name: spec.name,
      ...(spec.spec === undefined ? {} : { version: spec.spec }),
      at: iso(asked),
      known: answer.kind === "known",
      found: found.map(asJson),
      stale,
    });
  else {
    for (const { name, why } of stale) io.stderr(`${painter(io, "stderr")("red", "STALE")} feed ${name}: ${safe(why)}\n`);
    io.stdout(sentence(text, answer, asked));
    if (found.length > 0) io.stdout(`${columns(found.map(cells))}\n`);
  }
  if (found.some(({ advisory }) => advisory.advisory.withdrawn === undefined)) return 1;
  return answer.kind === "unknown" || stale.length > 0 ? 3 : 0;
}

function sentence(text: string, answer: Awaited<ReturnType<typeof whatWasKnown>>, at: Instant): string {
  if (answer.kind === "unknown") {
    const since =
      answer.since === undefined ? "no feed was ever read; cordon feeds sync reads them" : `the first feed was read ${iso(answer.since)}`;
    return `nothing can be said of ${safe(text)} at ${iso(at)}: ${since}\n`;
  }
  if (answer.found.length === 0) return `no feed said anything of ${safe(text)} at ${iso(at)}\n`;
  return `${safe(text)} at ${iso(at)}: ${answer.found.length} ${answer.found.length === 1 ? "advisory" : "advisories"}\n`;
}

function cells({ advisory: { advisory, feed, firstSeen }, claim }: Known): readonly string[] {
  return [
    safe(advisory.id),
    advisory.withdrawn === undefined ? advisory.kind : `${advisory.kind}, withdrawn ${iso(advisory.withdrawn)}`,
    `${feed}${advisory.origins.length > 0 ? ` (${safe(advisory.origins.join(", "))})` : ""}`,
    `first seen ${iso(firstSeen)}`,
    ...(claim ? [`by ${claim.match}`] : []),
    safe(advisory.summary ?? ""),
  ];
}

function asJson({ advisory: { advisory, feed, firstSeen, withdrawnSeen }, claim }: Known) {
  const times = { modified: advisory.modified, withdrawn: advisory.withdrawn, withdrawnSeen };
  return {
    id: advisory.id,
    aliases: claim?.aliases ?? advisory.aliases,
    kind: advisory.kind,
    feed,
    origins: advisory.origins,
    firstSeen: iso(firstSeen),
    ...Object.fromEntries(Object.entries(times).flatMap(([key, at]) => (at === undefined ? [] : [[key, iso(at)]]))),
    ...(advisory.summary === undefined ? {} : { summary: advisory.summary }),
    ...(claim ? { match: claim.match, fixed: claim.fixed } : { affected: advisory.affected }),
  };
}
