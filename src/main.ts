/**
 * The composition root: wires the real clock, stores, registry client and machine into the verbs and the command line. The only file
 * that sees everything; it decides nothing. Tests call `openWorld` with their own clock, environment and folders.
 */
import { existsSync, fstatSync, mkdirSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import path from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";
import type { Advisories } from "./app/advisories.ts";
import type { Decided } from "./app/decide-entries.ts";
import type { FeedKeeper } from "./app/feed-keeper.ts";
import type { ExposurePorts } from "./app/expose.ts";
import type { IncidentPorts, KnownPack } from "./app/incidents.ts";
import type { Attest, TarballWork } from "./app/ports.ts";
import type { TufSource } from "./core/attest/trust-refresh.ts";
import { Fault } from "./core/base/fault.ts";
import { LIMITS } from "./core/base/limits.ts";
import { redact } from "./core/base/text.ts";
import { type Clock, instant } from "./core/base/time.ts";
import type { PackageRecord } from "./core/facts/history.ts";
import { HOP_HEADER, NPM_REGISTRY } from "./core/config/constants.ts";
import { type Resolved, resolveSettings } from "./core/config/settings.ts";
import type { TrustTexts } from "./edge/trust/trust.ts";
import type { Threads } from "./edge/workers/threads.ts";
import type { CommonFlags, Io } from "./surface/cli/io.ts";
import type { OpenApp, World } from "./surface/cli/world.ts";

export type Log = (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;

/** What of the machine a world stands on; everything has a real default. */
export type Ground = {
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly home?: string;
  readonly temporary?: string;
  /** What is believed of signatures in place of what cordon ships and what was stored: for registries with keys of their own. */
  readonly trust?: TrustTexts;
  /** Where newer trust comes from, in place of Sigstore's repository. */
  readonly tuf?: TufSource;
  /** The built worker file, which has the built workshop beside it; absent, everything is worked on in place. */
  readonly worker?: URL;
  /** Resolves when the process is asked to end. */
  readonly stopped?: () => Promise<string>;
  /** Takes log lines in place of standard error. */
  readonly log?: Log;
  /** Told when a check, or the client of an upstream, is loaded and about to work, and when a burst of requests is over. */
  readonly onPhase?: (phase: "check" | "upstream" | "rest") => void;
};

/** Requests that passed through this many gates are refused: one of them would be its own upstream. */
const MAX_HOPS = 4;
/** How often a changed cordon.yaml is looked for; a change must reach a running gate within a second. */
const POLICY_POLL_MS = 500;
/** How long after its start an open world loads the HTTP client if nobody needed it before. */
const UPSTREAM_WARM_UP_MS = 100;

export function openWorld(ground: Ground = {}): World {
  const clock = ground.clock ?? { now: () => instant(Date.now()) };
  const env = ground.env ?? process.env;
  const home = ground.home ?? env["HOME"] ?? homedir();
  const cwd = ground.cwd ?? process.cwd();
  const place = { env, home, execPath: process.execPath, platform: process.platform };
  const surroundings = { env, home, temporary: ground.temporary ?? tmpdir(), platform: process.platform };

  async function resolve(flags: CommonFlags, more: Readonly<Record<string, string>> = {}): Promise<Resolved> {
    const { readLayers } = await import("./edge/host/config.ts");
    const layers = await readLayers({ cwd, home, env, config: flags.config, now: clock.now() });
    return resolveSettings({ flags: { data: flags.data, upstream: flags.upstream, ...more }, env, now: clock.now(), ...layers });
  }

  function dataDirOf({ settings }: Resolved): string {
    if (settings.data !== undefined) return path.resolve(cwd, settings.data);
    return path.join(env["XDG_DATA_HOME"] || path.join(home, ".local", "share"), "cordon");
  }

  async function upstreamConfig(resolved: Resolved) {
    const { resolveUpstream } = await import("./edge/upstream/config.ts");
    const { settings, policy, origins } = resolved;
    const origin = origins.find((one) => one.path === "upstream.url");
    return resolveUpstream(
      {
        url: settings.upstream.url,
        from: origin?.where,
        scopes: settings.upstream.scopes,
        privateNames: policy.private,
        redirects: settings.upstream.redirects,
      },
      place,
    );
  }

  async function openAdvisories(resolved: Resolved) {
    const { openFeeds } = await import("./edge/feeds/feeds.ts");
    const dataDir = dataDirOf(resolved);
    const from = resolved.origins.find((one) => one.path === "feeds")?.where;
    const log = world.log(resolved.settings.log.level);
    return openFeeds({
      dataDir,
      clock,
      // Paths stand beside the file that names them: the folder somebody works in must not decide what a feed says.
      base: from === undefined ? dataDir : path.dirname(from),
      feeds: resolved.settings.feeds,
      line: () => upstreamConfig(resolved),
      async inUse(names) {
        const { openStore } = await import("./edge/store/open.ts");
        const store = await openStore({ dataDir, clock });
        try {
          const served = new Map<string, readonly string[]>();
          for (const name of (await store.packages.names()).filter((one) => names.has(one))) {
            const versions = Object.entries((await store.packages.get(name))?.versions ?? {});
            served.set(
              name,
              versions.flatMap(([version, seen]) => (seen.served === undefined ? [] : [version])),
            );
          }
          return served;
        } finally {
          await store.close();
        }
      },
      onTrouble: (trouble) => log("warn", "feeds", { trouble }),
    });
  }

  /** Packs and the readers of evidence; nothing of it is loaded by any other command. */
  async function openIncidents(flags: CommonFlags): Promise<IncidentPorts & ExposurePorts> {
    const [{ SHIPPED_PACKS }, { readImportedPacks, storeImportedPack }, { addPackKey, readPackKeys, removePackKey }, { readEvidence }] =
      await Promise.all([
        import("./edge/evidence/shipped-packs.ts"),
        import("./edge/evidence/packs.ts"),
        import("./edge/evidence/pack-keys.ts"),
        import("./edge/evidence/read.ts"),
      ]);
    const resolved = await resolve(flags);
    const dataDir = dataDirOf(resolved);
    return {
      async packs() {
        const { packs, problems } = readImportedPacks(dataDir, readPackKeys(dataDir));
        const known = new Map<string, KnownPack>(
          SHIPPED_PACKS.map(({ pack, sha256 }) => [pack.id, { pack, origin: { kind: "shipped", sha256 } }]),
        );
        for (const { pack, ...origin } of packs)
          if (pack.revision > (known.get(pack.id)?.pack.revision ?? 0))
            known.set(pack.id, { pack, origin: { kind: "imported", ...origin } });
        return { known: [...known.values()], problems };
      },
      async advisory(id) {
        if (!existsSync(path.join(dataDir, "feeds", "feeds.db"))) return undefined;
        const { openClaimLog } = await import("./edge/store/claims.ts");
        const log = await openClaimLog(path.join(dataDir, "feeds"));
        try {
          for await (const page of log.held(resolved.settings.feeds.map(({ name }) => name)))
            for (const held of page) if (held.advisory.id === id || held.advisory.aliases.includes(id)) return held;
          return undefined;
        } finally {
          await log.close();
        }
      },
      exists: async (file) => existsSync(path.resolve(cwd, file)),
      keep: async (pack, bytes, from) => storeImportedPack(dataDir, pack.id, bytes, { ...from, at: clock.now() }),
      keys: () => readPackKeys(dataDir),
      trust: (key, by) => addPackKey(dataDir, key, { by, at: clock.now() }),
      distrust: (name) => removePackKey(dataDir, name),
      readEvidence: (request) => readEvidence(request, { surroundings, cwd }),
      async readLedger(watch, see) {
        const place = path.join(dataDir, "ledger.db");
        if (!existsSync(place)) return;
        const { readLedgerEvidence } = await import("./edge/store/served.ts");
        await readLedgerEvidence({ dataDir, clock, watch, see });
      },
      async recorded(names) {
        const records = new Map<string, PackageRecord>();
        if (names.length === 0 || !existsSync(path.join(dataDir, "cordon.db"))) return records;
        const { openStore } = await import("./edge/store/open.ts");
        const store = await openStore({ dataDir, clock, readOnly: true });
        try {
          for (const name of names) {
            const record = await store.packages.get(name);
            if (record) records.set(name, record);
          }
        } finally {
          await store.close();
        }
        return records;
      },
    };
  }

  /** Responses of the data directory; nothing of it is loaded by any other command. */
  async function openResponse(flags: CommonFlags): Promise<Awaited<ReturnType<World["response"]>>> {
    const [
      { openResponseStore },
      { preserve, verifyBundle },
      { contentOf, isPurged, purge },
      { leftAt, readProjects, readSecretNames },
      { deleteBranch, onBranch, openBranch, tagsOf, tipOf },
      { openCheckFiles },
      { lastGoodBefore },
    ] = await Promise.all([
      import("./edge/actions/response-store.ts"),
      import("./edge/actions/preserve.ts"),
      import("./edge/actions/purge.ts"),
      import("./edge/actions/survey.ts"),
      import("./edge/actions/branch.ts"),
      import("./edge/host/check-files.ts"),
      import("./core/response/last-good.ts"),
    ]);
    const dataDir = dataDirOf(await resolve(flags));
    const store = openResponseStore(dataDir, clock);
    const { recorded } = await openIncidents(flags);
    const files = openCheckFiles({ cwd, env });
    return {
      ...store,
      preserve: (plan, files, by) =>
        preserve({
          dataDir,
          folder: store.evidenceFolder(plan.id),
          plan: plan.id,
          incident: plan.incident.id,
          files: [
            ...files,
            // What a purge would take away for good.
            ...plan.steps.flatMap((step) => (step.who === "cordon" && step.action.kind === "purge" ? contentOf(step.action) : [])),
            ...store.filesOf(plan.id),
          ],
          by,
          at: clock.now(),
        }),
      purge: (action) => purge(action, clock),
      isPurged: async (action) => isPurged(action),
      leftAt: async (paths) => leftAt(paths, { home, env }),
      async evidenceProblem(plan) {
        const folder = store.evidenceFolder(plan.id);
        return existsSync(folder) ? verifyBundle(folder).problems[0] : `${folder} is gone`;
      },
      branches: {
        open: (action, { plan, step }) =>
          openBranch(action, { folder: store.worktreeFolder(plan, step), mark: `Cordon-Response: ${plan} ${step}`, env }),
        tip: (action) => tipOf(action, env),
        file: (action, file) => onBranch(action, file, env),
        remove: (action, commit) => deleteBranch(action, commit, env),
        tags: (root) => tagsOf(root, env),
      },
      readFolder: files.read,
      inFolder: files.inFolder,
      async survey(pack, answers) {
        const records = await recorded(pack.packages.filter(({ role }) => role !== "payload").map(({ name }) => name));
        const lastGood = new Map<string, string>();
        for (const { name, versions } of pack.packages)
          for (const { version } of versions) {
            const record = records.get(name);
            const good = record && lastGoodBefore(pack, record, version);
            if (good !== undefined) lastGood.set(`${name}@${version}`, good);
          }
        return {
          platform: process.platform,
          secrets: readSecretNames(answers, { home, env }),
          projects: await readProjects(answers, env, binFolder()),
          lastGood,
        };
      },
      verifyBundle: (folder) => verifyBundle(/^[0-9a-f]{12}$/.test(folder) ? store.evidenceFolder(folder) : path.resolve(cwd, folder)),
    };
  }

  /** Reads feeds by themselves, in a process of its own; not where nothing is built (tests). */
  async function keeperOf(advisories: Advisories, flags: CommonFlags, log: Log): Promise<FeedKeeper | undefined> {
    const folder = binFolder()[0];
    if (folder === undefined) return undefined;
    const [{ feedKeeper }, { syncApart }] = await Promise.all([import("./app/feed-keeper.ts"), import("./edge/feeds/apart.ts")]);
    const told = (["data", "config", "upstream"] as const).flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]));
    const apart = { program: path.join(folder, "cordon.js"), flags: told, env, cwd };
    return feedKeeper({ clock, advisories, log, read: (signal) => syncApart(apart, signal) });
  }

  /** In threads; in place where there are none. */
  async function tarballReader(threads: Threads | undefined): Promise<TarballWork & { close(): Promise<void> }> {
    if (threads) return (await import("./edge/workers/tarballs.ts")).tarballWork({ threads });
    const { analyse } = await import("./core/analysis/analyse.ts");
    return { analyse: async (bytes, { known }) => analyse(bytes, known ? { known } : {}), close: async () => undefined };
  }

  /** Its libraries are loaded when the first release is looked at. */
  function attestor(dataDir: string): Attest {
    let opened: Promise<Attest> | undefined;
    return async (release) => {
      opened ??= import("./edge/trust/trust.ts").then(({ openAttestor, loadTrust }) =>
        openAttestor(async () => ground.trust ?? (await loadTrust(dataDir))),
      );
      return (await opened)(release);
    };
  }

  /** Whoever is to be told of alerts. */
  async function openTargets(resolved: Resolved) {
    const { openNotify } = await import("./edge/notify/notify.ts");
    const from = resolved.origins.find((one) => one.path === "notify")?.where;
    const folder = from === undefined ? dataDirOf(resolved) : path.dirname(from);
    return openNotify({
      folder: path.join(dataDirOf(resolved), "alerts"),
      clock,
      targets: resolved.settings.notify.map((one) => (one.file === undefined ? one : { ...one, file: path.resolve(folder, one.file) })),
      line: () => upstreamConfig(resolved),
      log: world.log(resolved.settings.log.level),
    });
  }

  async function open(flags: CommonFlags, more: Readonly<Record<string, string>> = {}): Promise<OpenApp> {
    let resolved = await resolve(flags, more);
    const dataDir = dataDirOf(resolved);
    const config = await upstreamConfig(resolved);
    const [{ openApp }, { openStore }, { openTarballs }, { openDocuments }, { openUpstream }, { packumentWork }, { openWorkshop }] =
      await Promise.all([
        import("./app/app.ts"),
        import("./edge/store/open.ts"),
        import("./edge/blobs/tarballs.ts"),
        import("./edge/blobs/documents.ts"),
        import("./edge/upstream/registry.ts"),
        import("./edge/workers/packuments.ts"),
        import("./edge/workers/workshop.ts"),
      ]);
    const store = await openStore({ dataDir, clock });
    // Names become private as soon as the policy says so, not at the next start.
    const live = {
      ...config,
      get privateNames() {
        return [...config.privateNames, ...resolved.policy.private];
      },
    };
    const upstream = openUpstream(live, { clock, onLoaded: () => ground.onPhase?.("upstream") });
    // Not now, when a gate wants to open its port, and not when somebody waits for the first package.
    setTimeout(() => void upstream.warmUp(), UPSTREAM_WARM_UP_MS).unref();
    const threads = ground.worker && openWorkshop({ program: new URL("./workshop.js", ground.worker), worker: ground.worker });
    const work = packumentWork({ threads });
    const written = world.log(resolved.settings.log.level);
    // Whoever types a command reads its own words; what a gate logs stands in the ledger all the same.
    let stays = ground.log !== undefined;
    const log: Log = (severity, what, fields) => {
      if (stays || severity === "error") written(severity, what, fields);
    };
    const tarballs = await tarballReader(threads);
    const advisories = resolved.settings.feeds.length === 0 ? undefined : await openAdvisories(resolved);
    const notify = resolved.settings.notify.length === 0 ? undefined : await openTargets(resolved);
    const app = await openApp({
      clock,
      ...(notify === undefined ? {} : { notify: notify.tell }),
      ...store,
      blobs: await openTarballs({
        dataDir,
        clock,
        onDamaged: (file) => log("error", "a stored tarball is damaged; it was moved aside", { file }),
      }),
      documents: await openDocuments({ dataDir, clock }),
      attest: attestor(dataDir),
      ...(advisories === undefined ? {} : { advisories }),
      tarballs,
      upstream,
      work,
      policy: () => resolved.policy,
      freshness: resolved.settings.upstream.freshness,
      offline: flags.offline === true,
      fetchAhead: resolved.settings.fetchAhead && flags.offline !== true,
      async incidentOf(name, version) {
        const { incidentNaming } = await import("./app/incidents.ts");
        return (await incidentNaming(await openIncidents(flags), name, version))?.id;
      },
      log,
    });
    // A changed policy file is judged by at once; one that cannot be read leaves the last good policy in force, loudly.
    let told = "";
    const poll = setInterval(() => {
      resolve(flags, more).then(
        (next) => {
          told = "";
          if (next.policy.digest === resolved.policy.digest) return;
          resolved = { ...resolved, policy: next.policy };
          log("warn", "policy changed", { digest: next.policy.digest, preset: next.policy.preset, mode: next.policy.mode.kind });
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          if (message !== told)
            log("error", "the changed configuration cannot be used; the last good one stays in force", { error: redact(message) });
          told = message;
        },
      );
    }, POLICY_POLL_MS);
    poll.unref();
    const { watchTrust } = await import("./edge/trust/watch.ts");
    const stopTrust = watchTrust(dataDir, () => app.inspector.reconsider());
    const keeper = advisories && (await keeperOf(advisories, flags, log));
    const { restAfterBursts } = await import("./edge/host/rest.ts");
    const stopResting = restAfterBursts(
      () => app.recorder.counters.packuments + app.recorder.counters.tarballs,
      () => {
        app.rest();
        ground.onPhase?.("rest");
      },
    );
    return {
      ...app,
      settings: resolved.settings,
      dataDir,
      upstream: {
        base: config.base.url,
        source: config.base.source,
        scopes: [...config.scopes.keys()],
        scoped: [...config.scopes.values()].map(({ url }) => url),
        notes: config.notes,
      },
      async verdictNow(name, version) {
        const record = await app.knowledge.recall(name);
        return record && (await app.judgements.ofVersion(record, version, { pin: false })).verdict;
      },
      identifyUpstream: (instance) => upstream.identify(instance),
      stays() {
        stays = true;
        if (flags.offline !== true) keeper?.start();
        if (flags.offline !== true) app.servedWatch.start();
        notify?.resume();
      },
      tellLeftOver: () => notify?.resume(),
      async close() {
        await keeper?.stop();
        await app.servedWatch.stop();
        clearInterval(poll);
        stopTrust();
        stopResting();
        app.stop();
        await advisories?.close();
        await app.flush();
        // Nobody waits for what is still under way: it is broken off, and over before there is no store to write to.
        await work.close();
        await tarballs.close();
        await threads?.close();
        await upstream.close();
        await app.settled();
        await app.flush();
        await notify?.close();
        await store.close();
      },
    };
  }

  const world: World = {
    clock,
    resolve,
    open,
    incidents: (flags) => openIncidents(flags),
    response: (flags) => openResponse(flags),
    async tokens(flags) {
      if (flags.offline === true) throw new Fault("OFFLINE", "tokens are listed by the registry alone");
      const { openTokens } = await import("./edge/actions/tokens.ts");
      return openTokens(await upstreamConfig(await resolve(flags)), clock);
    },
    advisories: async (flags) => openAdvisories(await resolve(flags)),
    async trust(flags) {
      const resolved = await resolve(flags);
      const dataDir = dataDirOf(resolved);
      const { loadTrust, storeTrust } = await import("./edge/trust/trust.ts");
      return {
        load: () => loadTrust(dataDir),
        async keep({ root, keys }, from) {
          const bytes = (text: string | undefined, kind: "root" | "keys") => (text === undefined ? {} : { [kind]: Buffer.from(text) });
          await storeTrust(dataDir, { ...bytes(root, "root"), ...bytes(keys, "keys"), from, at: clock.now() });
        },
        async refresh() {
          const [{ notRefreshed, refreshTrust }, { SHIPPED_TUF }] = await Promise.all([
            import("./edge/trust/refresh.ts"),
            import("./edge/trust/shipped.ts"),
          ]);
          const { mirror } = resolved.settings.trust;
          if (mirror === "off") return notRefreshed(dataDir, "trust.mirror is off", false);
          if (flags.offline === true) return notRefreshed(dataDir, "nothing is asked with --offline", false);
          const source = { ...(ground.tuf ?? SHIPPED_TUF), ...(mirror === undefined ? {} : { mirror }) };
          return refreshTrust({ dataDir, clock, source, line: () => upstreamConfig(resolved) });
        },
      };
    },
    async check(flags, { online, ...more }) {
      const resolved = await resolve(flags, more);
      const dataDir = dataDirOf(resolved);
      const { base, scopes } = await upstreamConfig(resolved);
      const { openCheckFiles } = await import("./edge/host/check-files.ts");
      const { hosts, ...policy } = resolved.settings.check;
      const advisories = resolved.settings.feeds.length === 0 ? undefined : await openAdvisories(resolved);
      const index = advisories?.index();
      // Opening an empty store to learn that nothing is in it would cost more than the check.
      const app = online || existsSync(path.join(dataDir, "cordon.db")) ? await open(flags, more) : undefined;
      ground.onPhase?.("check");
      return {
        ...openCheckFiles({ cwd, env }),
        ports: {
          clock,
          policy,
          hosts,
          online,
          hasFeeds: resolved.settings.feeds.length > 0,
          registries: { base: base.url, scopes: new Map([...scopes].map(([scope, { url }]) => [scope, url])) },
          ...(advisories && index ? { advisories: { index, states: advisories.states(), stale: advisories.stale() } } : {}),
          ...(app ? { decide: (entries, options) => app.decide(entries, { ...options, stored: !online }) } : {}),
        },
        ...(app && online ? { versions: app.versions } : {}),
        async close() {
          await advisories?.close();
          await app?.close();
        },
      };
    },
    async tryAlerts(flags, alert) {
      const targets = await openTargets(await resolve(flags));
      try {
        return await targets.test(alert);
      } finally {
        await targets.close();
      }
    },
    dataDir: async (flags) => dataDirOf(await resolve(flags)),
    async machineConfig({ config }) {
      const [{ machineFile }, { writeText }] = await Promise.all([import("./edge/host/config.ts"), import("./edge/host/files.ts")]);
      const file = await machineFile({ cwd, home, env, config });
      return {
        ...file,
        async write(text) {
          mkdirSync(path.dirname(file.path), { recursive: true });
          writeText(file.path, text);
        },
      };
    },
    user: () => userInfo().username,
    async readReport(file) {
      const { readText } = await import("./edge/host/files.ts");
      const text = readText(path.resolve(cwd, file), LIMITS.fleetReportBytes);
      if (text === undefined) throw new Fault("INPUT_UNREADABLE", `${file} does not exist`);
      return text;
    },
    async readText(file) {
      const { readSmall } = await import("./edge/upstream/npm-files.ts");
      const text = await readSmall(path.resolve(cwd, file), "the file");
      if (text === undefined) throw new Fault("INPUT_UNREADABLE", `${file} does not exist`);
      return text;
    },
    async readTarball(file) {
      const { readLocalTarball } = await import("./edge/host/local-tarball.ts");
      return readLocalTarball(path.resolve(cwd, file));
    },
    binDirectory: () => binFolder()[0],
    stopped: ground.stopped ?? signalled,
    log: (level) => ground.log ?? structuredLog(level),
    async liveGate(dataDir) {
      const { readInstance } = await import("./edge/host/instance.ts");
      const note = await readInstance(dataDir);
      if (!note) return undefined;
      const { gateHealth } = await import("./edge/upstream/gate-client.ts");
      return (await gateHealth(note.url))?.instance === note.instance ? note : undefined;
    },
    async announceGate(dataDir, gate) {
      await (await import("./edge/host/instance.ts")).writeInstance(dataDir, gate);
    },
    async withdrawGate(dataDir, gate) {
      await (await import("./edge/host/instance.ts")).removeInstance(dataDir, gate);
    },
    async whose(at) {
      const { gateHealth } = await import("./edge/upstream/gate-client.ts");
      const host = at.host === "0.0.0.0" || at.host === "::" ? "127.0.0.1" : at.host;
      const health = await gateHealth(`http://${host.includes(":") ? `[${host}]` : host}:${at.port}/`);
      return (
        health &&
        `a cordon ${health.role === "gate" ? "gate" : "run"} already answers on port ${at.port} (cordon ${health.cordon}, upstream ${health.upstream})`
      );
    },
    async isOwnGate(url) {
      const { isLoopbackHost } = await import("./edge/upstream/addresses.ts");
      return isLoopbackHost(new URL(url).hostname) || (await tokenFor(url)) !== undefined;
    },
    async gateApi(url) {
      const { gateClient, gateHealth } = await import("./edge/upstream/gate-client.ts");
      // A registry URL may carry a project prefix; the gate's own API stands at its root.
      const base = new URL(new URL(url).pathname.replace(/p\/[^/]+\/npm\/?$/, ""), url).href;
      const health = await gateHealth(base);
      const authorization = health && (await tokenFor(base));
      const client = gateClient({ base, authorization });
      return {
        url: base,
        answers: health !== undefined,
        upstream: health?.upstream ?? NPM_REGISTRY,
        decide: async (entries) => (await client.decide(entries)) as unknown as Decided,
        decisions: async (after, project) => (await client.decisions(after, project)) as never,
      };
    },
    async host() {
      const { openMachine } = await import("./edge/host/machine.ts");
      return openMachine({ env, cwd, clock, surroundings, place, own: binFolder() });
    },
    async projectHost() {
      const { openProjectHost } = await import("./edge/host/project-host.ts");
      return openProjectHost({ env, cwd, clock, place, surroundings, own: binFolder() });
    },
    hopHeader: HOP_HEADER,
    maxHops: MAX_HOPS,
  };
  return world;

  /** Where `bin/cordon.js` stands, beside the built worker. */
  function binFolder(): readonly string[] {
    return ground.worker === undefined ? [] : [path.resolve(fileURLToPath(new URL(".", ground.worker)), "..", "bin")];
  }

  /** The token npm's configuration holds for a gate. */
  async function tokenFor(base: string): Promise<string | undefined> {
    const { readNpmSettings } = await import("./edge/upstream/npm-files.ts");
    const { credentialFor } = await import("./core/npm/npmrc.ts");
    const { credentials } = await readNpmSettings(place);
    return credentialFor(new URL(base), credentials)?.authorization?.();
  }
}

/** Runs one command line in this process; the exit status. */
export async function main(argv: readonly string[], onPhase?: Ground["onPhase"]): Promise<number> {
  const { run } = await import("./surface/cli/cli.ts");
  const worker = new URL("./worker.js", import.meta.url);
  return run(argv, terminal(), openWorld({ worker, ...(onPhase === undefined ? {} : { onPhase }) }));
}

function terminal(): Io {
  return {
    stdout: (text) => write(process.stdout, text),
    stderr: (text) => write(process.stderr, text),
    // Asking process.stdin and its like would open them.
    stdoutIsTerminal: isTerminal(1),
    stderrIsTerminal: isTerminal(2),
    get stdinIsTerminal() {
      return isTerminal(0);
    },
    env: process.env,
    cwd: process.cwd(),
    async ask(question) {
      if (process.stdin.isTTY !== true) return undefined;
      const { createInterface } = await import("node:readline/promises");
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await reader.question(question);
      } finally {
        reader.close();
      }
    },
  };
}

/** Files and pipes are told first: what knows terminals takes three milliseconds to load. A closed descriptor is none. */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && isatty(descriptor);
  } catch {
    return false;
  }
}

/** `cordon … | head`: whoever read us has seen enough. Ends as a program does that a closed pipe ends, without a word. */
function write(stream: NodeJS.WriteStream, text: string): void {
  if (stream.listenerCount("error") === 0)
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit();
    });
  stream.write(text);
}

function signalled(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => resolve(signal));
  });
}

const LEVELS = { error: 50, warn: 40, info: 30, debug: 20 } as const;

/** JSON lines on stderr, every text redacted. pino is loaded with the first line that is really written. */
function structuredLog(level: string): Log {
  const threshold = LEVELS[level as keyof typeof LEVELS] ?? LEVELS.info;
  let logger:
    | Promise<{
        info(fields: object, what: string): void;
        warn(fields: object, what: string): void;
        error(fields: object, what: string): void;
      }>
    | undefined;
  return (severity, what, fields) => {
    if (LEVELS[severity] < threshold) return;
    logger ??= import("pino").then(({ pino }) =>
      pino(
        { level: level in LEVELS ? level : "info", base: null, timestamp: () => `,"at":"${new Date().toISOString()}"` },
        pino.destination({ fd: 2, sync: true }),
      ),
    );
    void logger.then((ready) => ready[severity](redacted(fields), what));
  };
}

function redacted(fields: { readonly [key: string]: unknown }): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? redact(value) : value]));
}
