/**
 * `cordon <client> …`: runs the client the user typed, with a gate in front of it, and then tells the truth about what is installed.
 * stdin, stdout and signals are the client's; everything of ours goes to stderr. What is withheld and pinned is refused before the
 * client starts, because a warm cache would install it without asking anybody.
 */
import type { Entry } from "../../app/decide-entries.ts";
import { awayFromGate, foreignEntries, type Fronted, keyOf, sourcesOf, towardsGate } from "../../app/lock-sources.ts";
import { inStep, isFetched, type LockedEntry, lockedEntries } from "../../app/wrap-lock.ts";
import { type InstalledEntry, type Wanted, type WrapFacts, wrapReport } from "../../app/wrap-report.ts";
import { Fault } from "../../core/base/fault.ts";
import { installsNothing } from "../../core/client/arguments.ts";
import type { Intent } from "../../core/client/client.ts";
import { registryEnvironment, withEnvironment } from "../../core/client/environment.ts";
import { findings } from "../../core/client/findings.ts";
import type { Installed } from "../../core/client/installed.ts";
import { NPM_REGISTRY } from "../../core/config/constants.ts";
import { rewriteSources } from "../../core/lockfile/normalise.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import { parseSpec } from "../../core/npm/name.ts";
import type { CommandContext } from "./command.ts";
import type { GateApi, RemoteDecision } from "./gate-api.ts";
import { painter, progress, safe } from "./io.ts";
import { openSession, type Session } from "./wrap-session.ts";
import { wrapText } from "./wrap-text.ts";
import type { FoundClient, Host, LockfileOnDisk, Normalise, ProjectOnDisk } from "./world.ts";

/** Set for everything below a wrapped client: a nested `cordon` joins the session instead of starting its own. */
const SESSION = "CORDON_SESSION";

/** A registry that never answers (the discard port): what a script installs without a gate fails instead of going round one. */
const NOWHERE = "http://127.0.0.1:9/";

export async function wrap(context: CommandContext, command: string, args: readonly string[]): Promise<number> {
  const { io, world } = context;
  const host = await world.host();
  const found = await host.find(command, io.cwd);
  const outer = io.env[SESSION];
  if (outer !== undefined && (await world.gateApi(outer)).answers) return host.run(found.path, args, { cwd: io.cwd, env: io.env });
  const intent = found.client.intent(command, args, io.env);
  if (intent.kind === "local") return runLocal(context, { host, found, command, args });

  const dataDir = await repaired(context, host);
  const project = await host.project(found, command, args, io.cwd);
  const busy = host.busy(dataDir, project, found.client);
  if (busy.length > 0) refuseBusy(busy);
  const session = await openSession(context, project);
  try {
    return await guarded(context, { host, dataDir, command, args, found, intent, project, session, ...pointed(context, session, project) });
  } finally {
    await session.close();
  }
}

/**
 * Scripts of the project and whatever else has nothing to do with a registry. They get the registry's address and nothing else, no proxy
 * that could stand in their way; and they run even where no gate can be started.
 */
async function runLocal(
  context: CommandContext,
  { host, found, command, args }: { host: Host; found: FoundClient; command: string; args: readonly string[] },
): Promise<number> {
  const { io } = context;
  const started = (env: Readonly<Record<string, string>>) => host.run(found.path, args, { cwd: io.cwd, env: withEnvironment(io.env, env) });
  let session: Session | undefined;
  let variables: Readonly<Record<string, string>>;
  try {
    await repaired(context, host);
    const project = await host.project(found, command, args, io.cwd);
    session = await openSession(context, project);
    ({ variables } = pointed(context, session, project));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    io.stderr(`cordon · no gate could be started: ${safe(error.message)}. What ${safe(command)} installs from here will fail.\n`);
    return started(registryEnvironment({ registry: NOWHERE }));
  }
  try {
    // Without the mark of a session: a cordon that a script calls makes its own checks, over this gate.
    const { [SESSION]: _session, ...registryOnly } = variables;
    return await started(registryOnly);
  } finally {
    await session.close();
  }
}

/** Lockfiles name another run's gate until it ends. */
function refuseBusy(paths: readonly string[]): never {
  throw new Fault("USAGE", `another cordon run has ${paths.map(safe).join(", ")} in hand; wait for it to end`);
}

/** The base URL this run's client is given, and the variables that say so. */
function pointed({ io }: CommandContext, session: Session, project: ProjectOnDisk): Pick<Run, "registry" | "variables"> {
  const registry = `${session.api.url}p/${session.label ?? project.label}/npm/`;
  const httpAllowed = io.env["YARN_UNSAFE_HTTP_WHITELIST"];
  return {
    registry,
    variables: {
      ...registryEnvironment({ registry, scopes: session.scopes, ...(httpAllowed === undefined ? {} : { httpAllowed }) }),
      [SESSION]: session.api.url,
    },
  };
}

/** The data directory, when what killed runs left pointing at their gates is put right. */
async function repaired({ io, world, flags }: CommandContext, host: Host): Promise<string> {
  const dataDir = await world.dataDir(flags);
  for (const { path, result } of host.repair(dataDir, normaliser(new Map(), new Map()))) {
    const state = result === "edited" ? "somebody edited it since, so look at it yourself" : "it is repaired";
    io.stderr(`cordon · a run that was killed left ${safe(path)} pointing at its gate; ${state}\n`);
  }
  return dataDir;
}

type Run = {
  readonly host: Host;
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

async function guarded(context: CommandContext, run: Run): Promise<number> {
  const { io, world } = context;
  const { host, found, intent, project, session } = run;
  const fronted: Fronted = { gate: run.registry, upstream: session.upstream, scoped: session.scoped };
  const stopped = stopsBefore(run, io.env, fronted);
  if (stopped.length > 0) return finish(context, factsOf(run, { client: undefined, stopped, pinned: [], entries: [] }), undefined);

  const entries = project.lockfiles.flatMap(({ tree, name }) => lockedEntries(tree, name, project.platform));
  const { pinned, unanswered } = await decidePinned(context, run, entries);
  const stopping = pinned.filter(({ entry, decided }) => !entry.optional || decided.differs !== undefined);
  // What nobody can be asked about, the client would ask for again and again for minutes.
  if (stopping.length > 0 || unanswered.length > 0) {
    const gathered = { client: undefined, pinned, entries, decided: { decided: [], unknown: unanswered } };
    return finish(context, factsOf(run, gathered), undefined);
  }

  const edits = new Map(
    project.lockfiles.flatMap(({ path, tree, text = "" }) => {
      const pointed = rewriteSources(tree.kind, text, (entry) => towardsGate(tree.kind, entry, fronted)).text;
      return pointed === text ? [] : [[path, pointed] as const];
    }),
  );
  const begun = host.begin(run.dataDir, { project, client: found.client, gate: run.registry, upstream: session.upstream, edits });
  if ("busy" in begun) return refuseBusy(begun.busy);
  const since = world.clock.now();
  const { next } = await session.api.decisions("now");
  const registries = [session.upstream, ...session.scoped, ...project.registries.map(({ url }) => url)];
  const guard = await host.guard({ client: found.client, gate: session.api.url, registries });
  let status: number;
  try {
    const env = withEnvironment(withEnvironment(io.env, guard.variables), run.variables);
    status = await host.run(found.path, run.args, { cwd: io.cwd, env });
  } finally {
    await guard.close();
    // Whatever the client wrote, and however it ended: no lockfile leaves this run naming the gate.
    const stood = new Map(project.lockfiles.flatMap(({ tree }) => sourcesOf(tree).map((entry) => [keyOf(entry), entry.url] as const)));
    const written = host.lockfiles(project, found.client);
    begun.finish(normaliser(stood, await publishedUrls(session.api, written, run.registry)));
  }

  const installed = await host.installed({ found, intent, project, args: run.args, since });
  const fromRegistry = installed.packages.filter((one) => one.source === "registry" && one.orphan !== true);
  const decided = fromRegistry.length === 0 ? undefined : await session.api.decide(unique(fromRegistry));
  const seen = await session.api.decisions(next, session.own ? undefined : (session.label ?? project.label));
  const after = host.lockfiles(project, found.client).flatMap(({ tree, name }) => lockedEntries(tree, name, project.platform));
  const facts = factsOf(run, { client: status, pinned, entries: after, installed, decided, seen, bypass: guard.attempts() });
  return finish(context, facts, status);
}

type PinnedEntry = { readonly entry: LockedEntry; readonly decided: Awaited<ReturnType<GateApi["decide"]>>["decided"][number] };

/**
 * Of the entries this command is about to fetch: `pinned` those that are withheld or whose bytes are not the registry's, `unanswered`
 * those of which nothing is known while the registry does not answer.
 */
async function decidePinned(
  { io }: CommandContext,
  { session, intent, project }: Run,
  entries: readonly LockedEntry[],
): Promise<{ readonly pinned: readonly PinnedEntry[]; readonly unanswered: Awaited<ReturnType<GateApi["decide"]>>["unknown"] }> {
  const frozen = intent.kind === "install" && (intent.frozen || inStep(project.ranges, entries));
  const wanted = frozen ? entries.filter((entry) => isFetched(entry, intent)) : [];
  if (wanted.length === 0) return { pinned: [], unanswered: [] };
  const shown = progress(io);
  if (wanted.length > 200) shown.show(`cordon · checking ${wanted.length.toLocaleString("en-US")} lockfile entries`);
  const { decided, unknown } = await session.api.decide(unique(wanted));
  shown.clear();
  const wrong = new Map(decided.filter((one) => one.withheld || one.differs !== undefined).map((one) => [idOf(one), one]));
  const pinned = wanted.flatMap((entry) => {
    const one = wrong.get(idOf(entry));
    return one ? [{ entry, decided: one }] : [];
  });
  return { pinned, unanswered: unknown.filter((one) => one.unanswered) };
}

/**
 * Puts every URL that names the gate back to what the client would have written without us. `stood`: URLs by name@version before the
 * run; `published`: the registry's own.
 */
function normaliser(stood: ReadonlyMap<string, string>, published: ReadonlyMap<string, string>): Normalise {
  return ({ path, before, now, gate, upstream = NPM_REGISTRY }) => {
    const { kind } = readLockfile(path, now);
    const earlier = new Map(before === undefined ? [] : sourcesOf(readLockfile(path, before)).map((entry) => [keyOf(entry), entry.url]));
    for (const [key, url] of stood) earlier.set(key, url);
    return rewriteSources(kind, now, (entry) =>
      awayFromGate(kind, entry, { gate, upstream }, earlier, (name, version) => published.get(keyOf({ name, version }))),
    ).text;
  };
}

/** The registry's own tarball URLs of entries that name the gate. Without an answer the registry's usual naming is taken. */
async function publishedUrls(api: GateApi, lockfiles: readonly LockfileOnDisk[], gate: string): Promise<ReadonlyMap<string, string>> {
  const named = lockfiles.flatMap(({ tree }) => sourcesOf(tree)).filter(({ url }) => url.startsWith(gate));
  if (named.length === 0) return new Map();
  try {
    const { decided } = await api.decide(named.map(({ name, version }) => ({ name, version })));
    return new Map(decided.flatMap((one) => (one.tarball === undefined ? [] : [[keyOf(one), one.tarball] as const])));
  } catch (error) {
    if (error instanceof Fault) return new Map();
    throw error;
  }
}

function finish({ io, world, flags }: CommandContext, facts: WrapFacts, status: number | undefined): number {
  const report = wrapReport(facts);
  if (flags.json) io.stderr(`${JSON.stringify({ schema: "cordon.run/1", client: status ?? null, ...report })}\n`);
  else io.stderr(wrapText(report, { paint: painter(io, "stderr"), now: world.clock.now(), env: io.env }));
  return status !== undefined && status !== 0 ? status : report.exit;
}

type Gathered = {
  readonly client: number | undefined;
  readonly stopped?: readonly string[];
  /** What `decidePinned` found. */
  readonly pinned: readonly PinnedEntry[];
  /** The lockfiles' entries when it is over. */
  readonly entries: readonly LockedEntry[];
  readonly installed?: Installed;
  readonly decided?: Awaited<ReturnType<GateApi["decide"]>> | undefined;
  readonly seen?: Awaited<ReturnType<GateApi["decisions"]>>;
  readonly bypass?: WrapFacts["bypass"];
};

function factsOf(run: Run, { client, stopped = [], pinned, entries, installed, decided, seen, bypass = [] }: Gathered): WrapFacts {
  const { project, intent } = run;
  const packages: readonly InstalledEntry[] = (installed?.packages ?? []).filter((one) => one.orphan !== true);
  const present = new Set(packages.map((one) => one.name));
  const locked = new Set(entries.map(keyOf));
  const decisions = seen?.decisions ?? [];
  const served = decisions.filter((one) => one.kind === "served").length;
  const wanted = wantedBy(project, intent);
  // At a gate that others use too, what was served may be theirs: a project that asks for nothing has lost nothing.
  const mine = served > 0 && (run.session.own || wanted.length > 0);
  const lost = client === 0 && mine && installs(run) && installed?.packages.length === 0 && installed.unreadable.length === 0;
  return {
    client,
    stopped,
    installed: packages,
    wanted,
    decided: decided?.decided ?? [],
    undecided: decided?.unknown ?? [],
    withheld: decisions.flatMap((one) => withheldOf(one) ?? []),
    // What the client took out of the lockfile is no longer pinned.
    pinned: pinned
      .filter(({ entry, decided: { withheld } }) => withheld && locked.has(keyOf(entry)))
      .map(({ entry: { name, version, lockfile, line }, decided: { verdict, instead } }) => ({
        name,
        version,
        lockfile,
        line,
        verdict,
        instead,
      })),
    tampered: pinned.flatMap(({ entry: { name, version, lockfile, line }, decided: { differs } }) =>
      differs === undefined ? [] : [{ name, version, path: line > 0 ? `${lockfile}:${line}` : lockfile, registry: differs }],
    ),
    optional: [
      ...entries
        .filter((entry) => entry.optional && entry.fits)
        .map(({ name, version, lockfile }) => ({ name, version, wantedBy: lockfile })),
      ...packages.flatMap((one) =>
        Object.keys(one.optionalDependencies ?? {})
          .filter((name) => !present.has(name) && !isOfAnotherPlatform(name, project.platform))
          .map((name) => ({ name, wantedBy: keyOf(one) })),
      ),
    ],
    bypass,
    unreadable: lost
      ? [{ path: project.root, why: "nothing is installed there; what was served went to a folder cordon does not know of" }]
      : (installed?.unreadable ?? []),
    notes: [...(installed?.notes ?? []), ...leadingOut(installed?.links ?? [])],
    requests: seen?.requests ?? 0,
    served,
  };
}

function installs({ intent, found, command, args }: Run): boolean {
  return (intent.kind === "install" || intent.kind === "change") && !installsNothing(found.client.read(command, args).options);
}

/** Whose packages lie there, and which, nobody asked a registry for in this run. */
function leadingOut([first, ...others]: Installed["links"]): readonly string[] {
  if (first === undefined) return [];
  const these = others.length === 0 ? "a link leads" : `${others.length + 1} links lead`;
  return [`${these} out of the project, and what is there was not looked at: ${first.path} → ${first.target}`];
}

function wantedBy(project: ProjectOnDisk, intent: Intent): readonly Wanted[] {
  const specs = "specs" in intent ? intent.specs : [];
  return [
    ...project.ranges.map(([name, spec]) => ({ name, spec, by: "the project" })),
    ...specs.flatMap((text) => {
      const parsed = parseSpec(text);
      return parsed ? [{ name: parsed.name, spec: parsed.spec ?? "", by: "this command" }] : [];
    }),
  ];
}

function withheldOf({ kind, name, version, verdict, tags = [], instead = [] }: RemoteDecision): WrapFacts["withheld"][number] | undefined {
  if (verdict === undefined || (kind !== "refused" && kind !== "left-out")) return undefined;
  return { name, ...(version === undefined ? {} : { version }), verdict, refused: kind === "refused", tags, instead };
}

const SYSTEMS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "linuxmusl",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
  "windows",
];
const ARCHITECTURES = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

/** By its name alone, as in `@esbuild/darwin-arm64`: what never arrived has no manifest to ask. */
function isOfAnotherPlatform(name: string, { os, cpu }: ProjectOnDisk["platform"]): boolean {
  const words = name.split(/[^a-z0-9]+/i);
  const others = (known: readonly string[], ours: string) =>
    words.some((word) => known.includes(word)) && !words.some((word) => word.startsWith(ours));
  return others(SYSTEMS, os) || others(ARCHITECTURES, cpu);
}

/** What must not even be started: settings and lockfile entries that lead past the gate whatever the environment says (W3). */
function stopsBefore(
  { found, command, args, session, project, intent }: Run,
  env: Readonly<Record<string, string | undefined>>,
  fronted: Fronted,
): readonly string[] {
  const told = findings({
    client: found.client,
    major: found.major,
    command,
    argv: args,
    env,
    files: project.settings,
    gate: session.api.url,
    wrapped: true,
    scopes: session.scopes,
    throughShell: found.throughShell,
  });
  const settings = told
    .filter((one) => one.severity === "bypass")
    .map((one) => `${one.file}${one.line > 0 ? `:${one.line}` : ""}   ${one.what}: ${one.why}. ${one.fix}`);
  const lockfiles = project.lockfiles.flatMap(({ name, tree }) => {
    if (!tree.complete) {
      const problem = tree.problems.find((one) => one.severity === "error");
      return [
        `${name}${problem && problem.line > 0 ? `:${problem.line}` : ""}   cannot be read whole (${problem?.message ?? "unknown form"}), and the client would make its own guess. Repair it first`,
      ];
    }
    const foreign = foreignEntries(tree, fronted, project.ranges);
    const [first] = foreign;
    if (first === undefined) return [];
    const hosts = [...new Set(foreign.map(({ url }) => (URL.canParse(url) && new URL(url).host) || url))].slice(0, 3).join(", ");
    const count = foreign.length === 1 ? "one entry is" : `${foreign.length.toLocaleString("en-US")} entries are`;
    const origin = /^https?:/.test(first.url) && URL.canParse(first.url) ? new URL(first.url).origin : undefined;
    const fix =
      origin === undefined
        ? "No manifest asks for it there."
        : `If that is your registry, say so: cordon --upstream ${origin}/ ${command} …`;
    return [
      `${name}${first.line > 0 ? `:${first.line}` : ""}   ${count} fetched from ${hosts}, which is not your registry (first: ${keyOf(first)}). ${fix}`,
    ];
  });
  const writes = intent.kind === "change" || (intent.kind === "install" && !intent.frozen);
  const binary =
    project.lockfiles.some(({ tree }) => tree.kind === "bun-binary") && !project.lockfiles.some(({ name }) => name === "bun.lock");
  return [
    ...settings,
    ...lockfiles,
    ...(writes && binary
      ? ["bun.lockb   would name the gate when it is written. Make it a text first: bun install --save-text-lockfile --lockfile-only"]
      : []),
  ];
}

function idOf({ name, version, integrity = "" }: Entry): string {
  return `${name}@${version} ${integrity}`;
}

/** Once each, with nothing but what decides. */
function unique(entries: readonly Entry[]): readonly Entry[] {
  const plain = entries.map(({ name, version, integrity }) => (integrity === undefined ? { name, version } : { name, version, integrity }));
  return [...new Map(plain.map((entry) => [idOf(entry), entry])).values()];
}
