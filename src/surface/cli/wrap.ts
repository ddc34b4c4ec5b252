/**
 * `cordon <client> …`: runs the client the user typed, with a gate in front of it, and then tells the truth about what is installed.
 * stdin, stdout and signals are the client's; everything of ours goes to stderr. What is withheld and pinned is refused before the
 * client starts, because a warm cache would install it without asking anybody.
 */
import { asWhole, type GateApi, type RemoteDecision } from "./gate-api.ts";
import { type Fronted, awayFromGate, keyOf, type LockEntry, towardsGate } from "../../app/lock-sources.ts";
import { isFetched, type LockedEntry, lockedEntries } from "../../app/wrap-lock.ts";
import { type InstalledEntry, type WrapFacts, type WrapReport, wrapReport } from "../../app/wrap-report.ts";
import { Fault } from "../../core/base/fault.ts";
import type { Intent } from "../../core/client/client.ts";
import { registryEnvironment, withEnvironment } from "../../core/client/environment.ts";
import { type Finding, findings } from "../../core/client/findings.ts";
import type { Installed } from "../../core/client/installed.ts";
import { NPM_REGISTRY, NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../../core/config/constants.ts";
import { rewriteSources } from "../../core/lockfile/normalise.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import type { ResolvedTree } from "../../core/lockfile/tree.ts";
import { parseSpec } from "../../core/npm/name.ts";
import { startGate } from "../gate/start.ts";
import type { CommandContext } from "./command.ts";
import { painter, progress, safe } from "./io.ts";
import { wrapText } from "./wrap-text.ts";
import type { FoundClient, Normalise, OpenApp, ProjectOnDisk } from "./world.ts";

/** Ports tried for a gate of one run: fixed ones first, because pnpm, bun and deno key their caches by the registry's address. */
const RUN_PORTS = [4880, 4881, 4882, 4883, 4884, 4885, 4886, 4887, 0];

/** Set for everything below a wrapped client: a nested `cordon` joins the session instead of starting its own. */
const SESSION = "CORDON_SESSION";

export async function wrap(context: CommandContext, command: string, args: readonly string[]): Promise<number> {
  const { io, world } = context;
  const outer = io.env[SESSION];
  const host = await world.host();
  const found = await host.find(command, io.cwd);
  if (outer !== undefined && (await world.gateApi(outer)).answers) return host.run(found.path, args, { cwd: io.cwd, env: io.env });
  const intent = found.client.intent(command, args, io.env);
  const project = await host.project(found, command, args, io.cwd);
  const dataDir = await world.dataDir(context.flags);
  for (const one of host.repair(
    dataDir,
    normaliser({ client: found.client.id, gate: "", upstream: NPM_REGISTRY }, new Map(), () => undefined),
  ))
    io.stderr(
      `cordon · ${safe(one.path)} was left pointing at a gate by a run that was killed; it is ${one.result === "edited" ? "edited since, so look at it yourself" : "repaired"}\n`,
    );
  const session = await openSession(context, project);
  try {
    const registry = `${session.api.url}p/${project.label}/npm/`;
    const variables = {
      ...registryEnvironment({
        registry,
        scopes: session.scopes,
        ...(io.env["YARN_UNSAFE_HTTP_WHITELIST"] === undefined ? {} : { httpAllowed: io.env["YARN_UNSAFE_HTTP_WHITELIST"] }),
      }),
      [SESSION]: session.api.url,
    };
    // Scripts of the project get the registry and nothing else: no proxy that could stand in their way.
    if (intent.kind === "local") return await host.run(found.path, args, { cwd: io.cwd, env: withEnvironment(io.env, variables) });
    return await guarded(context, { dataDir, command, args, found, intent, project, session, registry, variables });
  } finally {
    await session.close();
  }
}

type Session = {
  readonly api: GateApi;
  /** The app when the gate runs in this process, for what only its store knows. */
  readonly app?: OpenApp;
  readonly upstream: string;
  readonly scopes: readonly string[];
  /** Everything the gate saw is this run's. */
  readonly own: boolean;
  close(): Promise<void>;
};

type Run = {
  readonly dataDir: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly found: FoundClient;
  readonly intent: Intent;
  readonly project: ProjectOnDisk;
  readonly session: Session;
  readonly registry: string;
  readonly variables: Readonly<Record<string, string>>;
};

/** The gate the project is already configured for, else a live one on the data directory, else one for this run. */
async function openSession({ io, world, flags }: CommandContext, project: ProjectOnDisk): Promise<Session> {
  for (const url of project.registries) {
    const api = await world.gateApi(url);
    if (api.answers) return { api, upstream: api.upstream, scopes: [], own: false, close: async () => {} };
  }
  const dataDir = await world.dataDir(flags);
  const live = flags.upstream === undefined && flags.offline !== true ? await world.liveGate(dataDir) : undefined;
  if (live) {
    const api = await world.gateApi(live.url);
    if (api.answers) return { api, upstream: api.upstream, scopes: [], own: false, close: async () => {} };
  }
  const app = await world.open(flags);
  const { settings } = app;
  const log = world.log(io.env["CORDON_LOG_LEVEL"] ?? "error");
  try {
    for (const port of RUN_PORTS) {
      const gate = await startGate({
        app,
        at: { host: "127.0.0.1", port },
        publicUrls: [],
        behindProxy: false,
        // Where the upstream is the public registry its URLs are portable as they are; any other is put back when the client ends.
        lockfileUrls: app.upstream.base === NPM_REGISTRY ? "public" : "self",
        requireTokens: false,
        role: "run",
        upstream: app.upstream.base,
        hopHeader: world.hopHeader,
        maxHops: world.maxHops,
        logRequests: settings.log.level === "debug",
        log,
        whose: async () => undefined,
      }).catch((error: unknown) => {
        if (error instanceof Fault && error.code === "PORT_IN_USE" && port !== 0) return undefined;
        throw error;
      });
      if (!gate) continue;
      const api = await world.gateApi(gate.url);
      return {
        api,
        app,
        upstream: app.upstream.base,
        scopes: app.upstream.scopes,
        own: true,
        async close() {
          await gate.close(1_000);
          await app.close();
        },
      };
    }
  } catch (error) {
    await app.close();
    throw error;
  }
  throw new Fault("PORT_IN_USE", "no port is free for a gate");
}

async function guarded(context: CommandContext, run: Run): Promise<number> {
  const { io, world } = context;
  const { found, intent, project, session } = run;
  const host = await world.host();
  const paint = painter(io, "stderr");
  const stop = stopsBefore(run, io.env, project);
  if (stop.length > 0) {
    io.stderr(
      `${paint("bold", "cordon")} · ${safe(run.command)} was not started: ${stop.length === 1 ? "this" : "these"} would go round the gate\n${stop.map((one) => `  ${safe(one)}\n`).join("")}`,
    );
    return 1;
  }

  const locks = project.lockfiles.map((lockfile) => ({ ...lockfile, tree: readLockfile(lockfile.path, lockfile.text) }));
  const entries = locks.flatMap(({ tree, name }) => lockedEntries(tree, name, project.platform));
  const wanted = entries.filter((entry) => isFetched(entry, intent));
  const shown = progress(io);
  if (wanted.length > 200) shown.show(`cordon · checking ${wanted.length.toLocaleString("en-US")} lockfile entries`);
  const before = wanted.length === 0 ? undefined : await session.api.decide(wanted);
  shown.clear();
  const pinned = (before?.decided ?? []).filter((entry) => entry.withheld).map((entry) => ({ ...entry, ...placeOf(entry, entries) }));
  const blocking = pinned.filter((entry) => !entries.find((one) => one.name === entry.name && one.version === entry.version)?.optional);
  if (blocking.length > 0) return finish(context, reportOf(run, { client: undefined, pinned, entries }), undefined);

  const fronted: Fronted = { client: found.client.id, gate: run.registry, upstream: session.upstream };
  const stood = new Map(locks.flatMap(({ tree }) => sourcesOf(tree).map((entry) => [keyOf(entry), entry.url] as const)));
  const edits = new Map(
    locks.flatMap((lockfile) => {
      const { text } = rewriteSources(lockfile.tree.kind, lockfile.text, (entry) => towardsGate(entry, fronted));
      return text === lockfile.text ? [] : [[lockfile.path, text] as const];
    }),
  );
  const begun = host.begin(run.dataDir, { project, client: found.client, gate: run.registry, edits });
  if ("busy" in begun) throw new Fault("USAGE", `another cordon run has ${begun.busy.map(safe).join(", ")} in hand; wait for it to end`);
  const since = world.clock.now();
  const guard = await host.guard({ client: found.client, gate: session.api.url, registries: [session.upstream, ...project.registries] });
  let status: number;
  try {
    status = await host.run(found.path, run.args, {
      cwd: io.cwd,
      env: withEnvironment(withEnvironment(io.env, guard.variables), run.variables),
    });
  } finally {
    await guard.close();
    // Whatever the client wrote, and however it ended: no lockfile leaves this run naming the gate.
    begun.finish(normaliser(fronted, stood, await publishedUrls(session)));
  }

  const installed = await host.installed({ found, intent, project, args: run.args, since });
  const fromRegistry = installed.packages.filter((one) => one.source === "registry");
  const decided = fromRegistry.length === 0 ? { decided: [], unknown: [] } : await session.api.decide(unique(fromRegistry));
  const seen = await session.api.decisions(since, session.own ? undefined : project.label);
  const after = host
    .lockfiles(project, found.client)
    .flatMap((lockfile) => lockedEntries(readLockfile(lockfile.path, lockfile.text), lockfile.name, project.platform));
  return finish(
    context,
    reportOf(run, { client: status, pinned, entries: after, installed, decided, seen, bypass: guard.attempts() }),
    status,
  );
}

/** Puts every URL that names the gate back to what the client would have written without us. */
function normaliser(
  fronted: Fronted,
  stood: ReadonlyMap<string, string>,
  published: (name: string, version: string) => string | undefined,
): Normalise {
  return ({ path, before, now, gate }) => {
    const { kind } = readLockfile(path, now);
    const earlier = new Map([
      ...(before === undefined ? [] : sourcesOf(readLockfile(path, before)).map((entry) => [keyOf(entry), entry.url] as const)),
      ...stood,
    ]);
    return rewriteSources(kind, now, (entry) => awayFromGate(entry, { ...fronted, gate: fronted.gate || gate }, earlier, published)).text;
  };
}

function finish(context: CommandContext, facts: WrapFacts, status: number | undefined): number {
  const { io, world, flags } = context;
  const report: WrapReport = wrapReport(facts);
  if (flags.json) io.stderr(`${JSON.stringify({ schema: "cordon.run/1", client: status ?? null, ...report })}\n`);
  else io.stderr(wrapText(report, { paint: painter(io, "stderr"), now: world.clock.now(), env: io.env }));
  return status !== undefined && status !== 0 ? status : report.exit;
}

type Gathered = {
  readonly client: number | undefined;
  readonly pinned: WrapFacts["pinned"];
  readonly entries: readonly LockedEntry[];
  readonly installed?: Installed;
  readonly decided?: Awaited<ReturnType<GateApi["decide"]>>;
  readonly seen?: { readonly requests: number; readonly decisions: readonly RemoteDecision[] };
  readonly bypass?: WrapFacts["bypass"];
};

function reportOf(run: Run, gathered: Gathered): WrapFacts {
  const installed: InstalledEntry[] = (gathered.installed?.packages ?? []).map((one) => ({
    name: one.name,
    version: one.version,
    path: one.path,
    ...(one.integrity === undefined ? {} : { integrity: one.integrity }),
    dependencies: one.dependencies,
    optionalDependencies: one.optionalDependencies,
  }));
  const present = new Set(installed.map((one) => one.name));
  const wanted = new Map<string, string[]>();
  const want = (name: string, spec: string) => wanted.set(name, [...(wanted.get(name) ?? []), spec]);
  for (const [name, range] of run.project.ranges) want(...asWhole(name, range));
  for (const spec of "specs" in run.intent ? run.intent.specs : []) {
    const parsed = parseSpec(spec);
    if (parsed) want(parsed.name, parsed.spec ?? "");
  }
  const optional = [
    ...gathered.entries
      .filter((entry) => entry.optional && entry.fits)
      .map((entry) => ({ name: entry.name, version: entry.version, wantedBy: entry.lockfile })),
    ...installed.flatMap((one) =>
      Object.entries(one.optionalDependencies ?? {})
        .filter(([name]) => !present.has(name))
        .map(([name]) => ({ name, wantedBy: `${one.name}@${one.version}` })),
    ),
  ];
  const withheld = (gathered.seen?.decisions ?? []).flatMap((one) =>
    one.version !== undefined && one.verdict !== undefined && (one.kind === "refused" || one.kind === "left-out")
      ? [{ name: one.name, version: one.version, verdict: one.verdict, refused: one.kind === "refused" }]
      : [],
  );
  return {
    client: gathered.client,
    installed,
    wanted,
    decided: gathered.decided?.decided ?? [],
    undecided: gathered.decided?.unknown ?? [],
    withheld,
    pinned: gathered.pinned,
    optional,
    bypass: gathered.bypass ?? [],
    unreadable: gathered.installed?.unreadable ?? [],
    requests: gathered.seen?.requests ?? 0,
  };
}

/** What must not even be started: settings and lockfile entries that lead past the gate whatever the environment says (W3). */
function stopsBefore(run: Run, env: Readonly<Record<string, string | undefined>>, project: ProjectOnDisk): readonly string[] {
  const { found, session } = run;
  const told: Finding[] = [
    ...findings({
      client: found.client,
      major: found.major,
      command: run.command,
      argv: run.args,
      env,
      files: project.settings,
      gate: session.api.url,
      wrapped: true,
      scopes: session.scopes,
    }),
  ];
  const lines = told
    .filter((one) => one.severity === "bypass")
    .map((one) => `${one.file}${one.line > 0 ? `:${one.line}` : ""}   ${one.what}: ${one.why}. ${one.fix}`);
  const known = new Set([NPM_REGISTRY_HOST, YARN_REGISTRY_HOST, new URL(session.upstream).hostname, new URL(session.api.url).hostname]);
  for (const lockfile of project.lockfiles) {
    const foreign = sourcesOf(readLockfile(lockfile.path, lockfile.text)).filter(
      (entry) => URL.canParse(entry.url) && !known.has(new URL(entry.url).hostname),
    );
    if (foreign.length === 0) continue;
    const hosts = [...new Set(foreign.map((entry) => new URL(entry.url).host))];
    lines.push(
      `${lockfile.name}   ${foreign.length === 1 ? "one entry is" : `${foreign.length} entries are`} fetched from ${hosts.slice(0, 3).join(", ")}, which is not your registry (first: ${keyOf(foreign[0]!)}, line ${foreign[0]!.line})`,
    );
  }
  return lines;
}

/** Registry entries with a URL of their own. */
function sourcesOf(tree: ResolvedTree): readonly (LockEntry & { readonly line: number })[] {
  return tree.packages.flatMap((one) =>
    one.source.kind === "registry" && one.source.url !== undefined
      ? [{ name: one.name, version: one.version, url: one.source.url, line: one.line }]
      : [],
  );
}

/** The upstream's own tarball URLs, from this run's store; a shared gate's are taken to follow the registry's naming. */
async function publishedUrls({ app }: Session): Promise<(name: string, version: string) => string | undefined> {
  if (!app) return () => undefined;
  const records = new Map((await app.recentRecords()).map((record) => [record.name, record]));
  return (name, version) => records.get(name)?.summary.versions.find((entry) => entry.version === version)?.tarball;
}

function placeOf(
  entry: { readonly name: string; readonly version: string },
  entries: readonly LockedEntry[],
): { lockfile: string; line: number } {
  const place = entries.find((one) => one.name === entry.name && one.version === entry.version);
  return { lockfile: place?.lockfile ?? "", line: place?.line ?? 0 };
}

function unique(packages: Installed["packages"]): { name: string; version: string; integrity?: string }[] {
  const seen = new Map<string, { name: string; version: string; integrity?: string }>();
  for (const { name, version, integrity } of packages)
    seen.set(`${name}@${version} ${integrity ?? ""}`, { name, version, ...(integrity === undefined ? {} : { integrity }) });
  return [...seen.values()];
}
