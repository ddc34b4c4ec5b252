/**
 * `cordon watch`: tells by itself of what was installed through this data directory and is withdrawn, reported or denied since. A gate that
 * stays does the same; this is for a machine that has none. `--once` for a timer of the system.
 */
import { type Exposed, type LockedVersion, lockedText } from "../../app/exposures.ts";
import type { Round } from "../../app/served-watch.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { DAY, iso, isoMinute, MINUTE } from "../../core/base/time.ts";
import { fetchedText } from "../../core/ledger/alert.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import type { Command, CommandContext } from "./command.ts";
import { type Io, painter, printJson, progress, safe } from "./io.ts";
import { count } from "./sizes.ts";
import type { OpenApp } from "./world.ts";

export const run: Command = async (context, args, options) => {
  const { world, flags } = context;
  const once = options["once"] === true;
  if (!once && flags.json) throw new Fault("USAGE", "--json is one document: cordon watch --once --json");
  if (!once) {
    const gate = await world.liveGate(await world.dataDir(flags));
    if (gate) throw new Fault("USAGE", `the gate at ${safe(gate.url)} works on this data directory and watches by itself`);
  }
  // From here on, not from when everything was asked: whoever sees the first line may stop it at once.
  const told = once ? undefined : world.stopped();
  const { locked, unread } = await lockedIn(context, args);
  const read = { folders: args.length, unread: [...unread, ...(await syncFeeds(context))] };
  const app = await world.open(flags, { "log-level": "error" });
  app.tellLeftOver();
  app.exposures.lock(locked);
  app.servedWatch.also(locked);
  try {
    return told ? await stay(context, app, read, told) : await look(context, app, read);
  } finally {
    await app.close();
  }
};

/** A feed or a file that should have been read. */
type Unread = { readonly name: string; readonly why: string };

/** What was read besides the ledger. */
type Read = { readonly folders: number; readonly unread: readonly Unread[] };

/** What the lockfiles below these folders take from a registry. */
async function lockedIn(
  { io, world, flags }: CommandContext,
  folders: readonly string[],
): Promise<{ readonly locked: readonly LockedVersion[]; readonly unread: readonly Unread[] }> {
  if (folders.length === 0) return { locked: [], unread: [] };
  const locked: LockedVersion[] = [];
  const unread: Unread[] = [];
  const here = await world.check(flags, { online: false });
  const line = progress(io);
  try {
    for (const given of folders) {
      const below = await here.below(given, (many) => line.show(`${count(many, "folder")} with lockfiles`));
      unread.push(...below.unread.map(({ path, why }) => ({ name: path, why })));
      for (const folder of below.folders)
        for (const { path, content } of (await here.read(folder)).lockfiles) {
          const lockfile = [here.relative(folder), path].filter((part) => part !== "").join("/");
          if ("why" in content) unread.push({ name: lockfile, why: content.why });
          else
            for (const { name, version, source } of readLockfile(lockfile, content).packages)
              if (source.kind === "registry" && version !== "") locked.push({ name, version, lockfile });
        }
    }
    return { locked, unread };
  } finally {
    line.clear();
    await here.close();
  }
}

/** Feeds whose time has come are read first: what they report counts today. Those that could not be read are named. */
async function syncFeeds({ io, world, flags }: CommandContext): Promise<readonly Unread[]> {
  const advisories = await world.advisories(flags);
  const line = progress(io);
  try {
    if (advisories.configured.length === 0) return [];
    const offline = flags.offline === true;
    const outcomes = await advisories.sync({ confirmed: [], due: true, offline, progress: (text) => line.show(text) });
    const failed = outcomes.filter(({ result }) => result === "failed" || result === "went-back");
    const stale = advisories.stale().filter(({ name }) => failed.every((one) => one.name !== name));
    return [...failed, ...stale].map(({ name, why }) => ({ name: `feed ${name}`, why: why ?? "it went back" }));
  } finally {
    line.clear();
    await advisories.close();
  }
}

/** Everything that was served lately, asked about now. */
async function askAll({ io }: CommandContext, { servedWatch }: OpenApp): Promise<Round> {
  const line = progress(io);
  try {
    return await servedWatch.round({ all: true, tell: (name, done, of) => line.show(`asking about ${name} (${done} of ${of})`) });
  } finally {
    line.clear();
  }
}

/** Whether something may be wrong that could not be found out. */
function isOpen({ unasked, missing }: Round, { unread }: Read): boolean {
  return unasked.length + missing.length + unread.length > 0;
}

/** Exit status as of `cordon exposure`: 1 for any exposure, 3 where something could not be asked, else 0. */
async function look(context: CommandContext, app: OpenApp, read: Read): Promise<number> {
  const { io, world, flags } = context;
  const began = world.clock.now();
  const round = await askAll(context, app);
  const { packages, versions, exposed, unasked, missing } = round;
  if (flags.json)
    printJson(io, "cordon.watch/1", {
      packages,
      versions,
      exposed: exposed.map(({ fetched, told, ...one }) => ({
        ...one,
        ...(fetched && { fetched: { ...fetched, first: iso(fetched.first), last: iso(fetched.last) } }),
        told: iso(told),
        isNew: told >= began,
      })),
      missing: missing.map(({ since, ...one }) => ({ ...one, since: iso(since) })),
      notAsked: unasked,
      notRead: read.unread,
    });
  else {
    for (const one of exposed)
      io.stdout(`${exposedText(one, io, one.told < began ? `told before, ${isoMinute(one.told)}` : "told now")}\n`);
    io.stdout(`${closing(round, read)}\n`);
  }
  if (exposed.length > 0) return 1;
  return isOpen(round, read) ? 3 : 0;
}

/** Until it is told to stop. The first look is at everything; then each package in its time, and feeds in theirs. */
async function stay(context: CommandContext, app: OpenApp, read: Read, told: Promise<string>): Promise<number> {
  const { io } = context;
  const found = new Set<string>();
  app.exposures.listen((one) => {
    const key = [one.name, one.version, one.because].join("\n");
    if (found.has(key)) return;
    found.add(key);
    io.stdout(`${exposedText(one, io, `told ${isoMinute(one.told)}`)}\n`);
  });
  const targets = app.settings.notify.map(({ name }) => safe(name));
  const whom =
    targets.length === 0 ? "only this terminal is told: name targets under notify in cordon.yaml" : `tells ${targets.join(", ")}`;
  io.stdout(`cordon watch · ${whom}\n`);
  const asked = askAll(context, app);
  // Who stops it first does not wait for how this ends.
  asked.catch(() => undefined);
  const round = await Promise.race([asked, told]);
  if (typeof round !== "string") {
    io.stdout(`${closing(round, read)}\n`);
    app.stays();
    await told;
  }
  return found.size > 0 ? 1 : 0;
}

const SHOWN = { "version-withdrawn": "WITHDRAWN", "served-now-withheld": "WITHHELD" } as const satisfies Record<Exposed["what"], string>;

function exposedText({ name, version, what, because, fetched, locked, next }: Exposed, io: Io, when: string): string {
  const paint = painter(io, "stdout");
  const pad = " ".repeat(12);
  return [
    `${paint("red", SHOWN[what].padEnd(11))} ${safe(name)}@${safe(version)}   ${safe(because)}`,
    ...(fetched ? [`${pad}${safe(fetchedText(fetched))}`] : []),
    ...(locked.length > 0 ? [`${pad}${safe(lockedText(locked))}`] : []),
    `${pad}${when}`,
    `${pad}were we hit?   ${safe(next)} ~/code`,
    "",
  ].join("\n");
}

/** Reasons told one by one. */
const TOLD = 3;

function closing(round: Round, read: Read): string {
  const { packages, versions, exposed, unasked, missing } = round;
  const through = `came through here in the last ${LIMITS.servedWatchMs / DAY} days`;
  const also = read.folders === 0 ? "" : ", and what lockfiles there name";
  const bad = new Set(exposed.map(({ name, version }) => `${name}@${version}`)).size;
  const none = isOpen(round, read) ? "nothing bad is known of them" : "none is withdrawn, reported or denied";
  return [
    versions === 0
      ? `Nothing to look at: nothing ${through}${read.folders === 0 ? "" : ", and no lockfile there names anything"}.`
      : `Looked at ${count(versions, "version")} of ${count(packages, "package")}, all that ${through}${also}: ${bad > 0 ? `${bad} should not be here` : none}.`,
    ...missing.map(
      ({ name, version, since }) =>
        `${safe(name)}@${safe(version)} is missing from the registry since ${isoMinute(since)}; that counts once it is missing ${LIMITS.absenceMs / MINUTE} minutes later too`,
    ),
    ...(unasked.length === 0 ? [] : [`could not ask about ${count(unasked.length, "package")}:`]),
    ...unasked.slice(0, TOLD).map(({ name, why }) => `  ${safe(name)}: ${safe(why)}`),
    ...(unasked.length > TOLD ? [`  and ${unasked.length - TOLD} more`] : []),
    ...read.unread.map(({ name, why }) => `${safe(name)} could not be read: ${safe(why)}`),
  ].join("\n");
}
