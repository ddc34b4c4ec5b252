/**
 * The whole product in this process, over a fixture registry and with the fixture's clock: commands, gates and wrapped clients.
 * Nothing in it is a stand-in: stores, registry client, HTTP server and real package managers are the ones users run.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { TufSource } from "../../src/core/attest/trust-refresh.ts";
import type { Instant } from "../../src/core/base/time.ts";
import { openWorld } from "../../src/main.ts";
import { run } from "../../src/surface/cli/cli.ts";
import type { Io } from "../../src/surface/cli/io.ts";
import type { OpenApp, World } from "../../src/surface/cli/world.ts";
import { type RunningGate, startGate, type StartOptions } from "../../src/surface/gate/start.ts";
import type { Fixture } from "./fixture.ts";
import { tempFolder } from "./temp.ts";

export type Ran = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What of stderr is cordon's own, and not a wrapped client's. */
  readonly report: string;
};

export type Product = {
  readonly world: World;
  /** The data directory. */
  readonly data: string;
  readonly home: string;
  readonly log: readonly LogLine[];
  /** Runs `cordon …` in process. */
  cordon(
    argv: readonly string[],
    options?: {
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string | undefined>>;
      readonly answers?: readonly string[];
      readonly terminal?: boolean;
    },
  ): Promise<Ran>;
  /** Starts a gate on an ephemeral port; `start` says anything else about it. `announce`: in the data directory, where wrapped clients look for one. */
  gate(options?: {
    readonly requireTokens?: boolean;
    readonly lockfileUrls?: "public" | "self";
    readonly publicUrls?: readonly string[];
    readonly announce?: boolean;
    readonly start?: Partial<StartOptions>;
  }): Promise<RunningGate & { readonly app: OpenApp }>;
  stop(): Promise<void>;
};

/** What the product logs at a level that is shown, in order. */
export type LogLine = {
  readonly level: "info" | "warn" | "error";
  readonly what: string;
  readonly fields: { readonly [key: string]: unknown };
};

export type ProductOptions = {
  readonly fixture: Pick<Fixture, "url" | "clock"> & Partial<Pick<Fixture, "trust">>;
  /** The machine's cordon.yaml. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder of the project commands run in. */
  readonly cwd?: string;
  /** Where newer trust comes from; without it, from nowhere. */
  readonly tuf?: TufSource;
  /** Resolves when `cordon gate` is to end; without it, when this process is told to. */
  readonly stopped?: () => Promise<string>;
};

export async function product({ fixture, config, env: more = {}, cwd, tuf, stopped }: ProductOptions): Promise<Product> {
  const root = tempFolder({
    "home/.keep": "",
    "project/package.json": '{"name":"site"}\n',
    ...(config === undefined ? {} : { "home/.config/cordon/cordon.yaml": config }),
  });
  const home = join(root, "home");
  const data = join(root, "data");
  const started: { close(): Promise<unknown> }[] = [];
  const clock = { now: () => fixture.clock.now() as Instant };
  const ground = {
    PATH: process.env["PATH"],
    HOME: home,
    CORDON_DATA: data,
    CORDON_UPSTREAM: fixture.url,
    CORDON_INSPECT_AHEAD: "false",
    ...(tuf === undefined ? { CORDON_TRUST_MIRROR: "off" } : {}),
    TZ: "UTC",
    ...more,
  };

  const log: LogLine[] = [];
  const logged = (level: LogLine["level"], what: string, fields: LogLine["fields"]) => void log.push({ level, what, fields });

  function worldIn(at: string, env: Readonly<Record<string, string | undefined>>, told?: { stdout: string; stderr: string }): World {
    const world = {
      ...openWorld({
        clock,
        env,
        cwd: at,
        home,
        log: logged,
        ...(fixture.trust === undefined ? {} : { trust: fixture.trust }),
        ...(tuf === undefined ? {} : { tuf }),
        ...(stopped === undefined ? {} : { stopped }),
      }),
      user: () => "mara",
    };
    if (!told) return world;
    return {
      ...world,
      async host() {
        const host = await world.host();
        return { ...host, run: (binary, args, how) => captured(binary, args, how, told) };
      },
    };
  }

  return {
    world: worldIn(cwd ?? join(root, "project"), ground),
    data,
    home,
    log,
    async cordon(argv, options = {}) {
      const at = options.cwd ?? cwd ?? join(root, "project");
      const env = { ...ground, ...options.env };
      const told = { stdout: "", stderr: "", report: "" };
      const answers = [...(options.answers ?? [])];
      const io: Io = {
        stdout: (text) => void (told.stdout += text),
        stderr(text) {
          told.stderr += text;
          told.report += text;
        },
        stdoutIsTerminal: false,
        stderrIsTerminal: options.terminal === true,
        stdinIsTerminal: options.terminal === true,
        env: { ...env, ...(options.terminal === true ? { NO_COLOR: "1" } : {}) },
        cwd: at,
        ask: async () => answers.shift(),
      };
      const code = await run(argv, io, worldIn(at, env, told));
      return { code, ...told };
    },
    async gate(options = {}) {
      const world = worldIn(cwd ?? join(root, "project"), ground);
      const app = await world.open({});
      const running = await startGate({
        app,
        at: { host: "127.0.0.1", port: 0 },
        publicUrls: options.publicUrls ?? [],
        behindProxy: false,
        lockfileUrls: options.lockfileUrls ?? "self",
        requireTokens: options.requireTokens ?? false,
        role: "gate",
        upstream: app.upstream.base,
        hopHeader: world.hopHeader,
        maxHops: world.maxHops,
        logRequests: false,
        log: logged,
        whose: world.whose,
        ...options.start,
      });
      const gate = { ...running, app, close: async (patience?: number) => (await running.close(patience ?? 500), app.close()) };
      started.push(gate);
      if (options.announce === true) await world.announceGate(app.dataDir, { url: gate.url, pid: process.pid, instance: gate.instance });
      return gate;
    },
    async stop() {
      for (const one of started) await one.close().catch(() => undefined);
    },
  };
}

/** Runs a client with its output kept instead of shown. */
function captured(
  binary: string,
  args: readonly string[],
  how: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>>; readonly toStderr?: boolean },
  told: { stdout: string; stderr: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { cwd: how.cwd, env: how.env as NodeJS.ProcessEnv, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk: Buffer) => (told[how.toStderr === true ? "stderr" : "stdout"] += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (told.stderr += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? (signal ? 137 : 1)));
  });
}
