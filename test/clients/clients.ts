/**
 * Real package managers for tests: the pinned ones that `fetch.mjs` brought, and how to run one with nothing of this machine's own:
 * an empty home, no global configuration, caches below that home, no sign of CI, and an end after which it is killed.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClientId } from "../../src/core/client/client.ts";

export type TestClient = {
  /** `npm-11`, `yarn-4`: as in `pins.json`. */
  readonly id: string;
  readonly version: string;
  readonly kind: ClientId;
  /** Program and first arguments. */
  readonly command: readonly string[];
  /** `PATH` with this client's commands (and the Node it needs) before everything else. */
  readonly env: Readonly<Record<string, string>>;
};

export type ClientRun = {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
};

export type RunOptions = {
  readonly cwd: string;
  /** An empty folder, at first; give the same one again for a warm cache. On the same file system as `cwd`. */
  readonly home: string;
  /** Laid over everything else; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another command of the same client: `npx`, `pnpx`, `bunx`. */
  readonly command?: string;
  /** Milliseconds; 120,000 when not given. */
  readonly timeout?: number;
};

type Pin = Omit<TestClient, "kind" | "command" | "env"> & { kind: ClientId | "node"; node?: string; commands: Record<string, string[]> };

const CACHE = fileURLToPath(new URL("../../.cache/clients/", import.meta.url));
const PINS = JSON.parse(readFileSync(new URL("pins.json", import.meta.url), "utf8")) as Pin[];
const DEFAULT_TIMEOUT = 120_000;

/** The pinned clients that are here, in the order of `pins.json`; all, or those of one kind. */
export function availableClients(kind?: ClientId): TestClient[] {
  return PINS.flatMap((pin) =>
    pin.kind !== "node" && (kind === undefined || pin.kind === kind) && present(pin) ? [toClient(pin, pin.kind)] : [],
  );
}

/** Ids of pinned clients that are not here, or lack the Node they need: for a test to say loudly. */
export function missingClients(): string[] {
  return PINS.filter((pin) => pin.kind !== "node" && !present(pin)).map(({ id }) => id);
}

/** One client by its id; throws with the way to get it when it is not here. */
export function client(id: string): TestClient {
  const found = availableClients().find((one) => one.id === id);
  if (!found) throw new Error(`${id} is not here: node test/clients/fetch.mjs ${id}`);
  return found;
}

/** The npm that is on this machine's PATH: always there, its version is whatever it is. */
export function npmOnPath(): TestClient {
  return { id: "npm", version: "on PATH", kind: "npm", command: ["npm"], env: { PATH: process.env["PATH"] ?? "" } };
}

/** Runs it to its end. Output is kept whole; stdin is closed. */
export function runClient(client: TestClient, args: readonly string[], options: RunOptions): Promise<ClientRun> {
  const [program = "", ...first] = options.command === undefined ? client.command : [options.command];
  return runProgram(program, [...first, ...args], { ...options, env: { ...clientEnv(client, options.home), ...options.env } });
}

/** As `runClient`, for any program: `env` is all the environment it gets. */
export function runProgram(program: string, args: readonly string[], options: Omit<RunOptions, "command" | "home">): Promise<ClientRun> {
  const env = Object.fromEntries(Object.entries(options.env ?? {}).filter(([, value]) => value !== undefined)) as NodeJS.ProcessEnv;
  return new Promise((resolve, reject) => {
    // Its own process group, so that what it started dies with it.
    const child = spawn(program, args, { cwd: options.cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let [stdout, stderr, timedOut] = ["", "", false];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, options.timeout ?? DEFAULT_TIMEOUT);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr, timedOut });
    });
  });
}

/** The whole environment of a client with a private home; for a test that starts it through something else. */
export function clientEnv(client: TestClient, home: string): Record<string, string> {
  const inHome = (path: string) => join(home, path);
  return {
    ...client.env,
    HOME: home,
    XDG_CONFIG_HOME: inHome(".config"),
    XDG_CACHE_HOME: inHome(".cache"),
    XDG_DATA_HOME: inHome(".local/share"),
    XDG_STATE_HOME: inHome(".local/state"),
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    ...PRIVATE[client.kind](inHome),
  };
}

/** What keeps each client inside the home it was given, and quiet about its own updates. */
const PRIVATE: Record<ClientId, (inHome: (path: string) => string) => Record<string, string>> = {
  npm: (inHome) => ({
    // The global file belongs to the machine; a global install would go to /usr.
    npm_config_globalconfig: inHome(".npmrc-global"),
    npm_config_prefix: inHome(".global"),
    npm_config_update_notifier: "false",
  }),
  pnpm: (inHome) => ({
    npm_config_globalconfig: inHome(".npmrc-global"),
    PNPM_HOME: inHome(".pnpm-home"),
    // Without these the store of a project outside the home is put at the root of the file system. 9 and 10 read the first, 11 and 12 the second.
    npm_config_store_dir: inHome(".pnpm-store"),
    pnpm_config_store_dir: inHome(".pnpm-store"),
  }),
  // Run by root, its cache would be the machine's, /usr/local/share/.cache/yarn, and so would the folder for programs.
  "yarn-classic": (inHome) => ({
    YARN_CACHE_FOLDER: inHome(".yarn-cache"),
    npm_config_globalconfig: inHome(".npmrc-global"),
    npm_config_prefix: inHome(".global"),
  }),
  "yarn-berry": (inHome) => ({ YARN_GLOBAL_FOLDER: inHome(".yarn/berry"), YARN_ENABLE_TELEMETRY: "0" }),
  bun: (inHome) => ({ BUN_INSTALL: inHome(".bun"), DO_NOT_TRACK: "1" }),
  deno: (inHome) => ({ DENO_DIR: inHome(".deno"), DENO_NO_UPDATE_CHECK: "1" }),
};

/** Points a client at a registry, for a run without cordon. */
export function pointedAt(kind: ClientId, registry: string): Record<string, string> {
  switch (kind) {
    case "npm":
    case "yarn-classic":
      return { npm_config_registry: registry };
    case "pnpm":
      return { npm_config_registry: registry, pnpm_config_registry: registry };
    case "yarn-berry":
      return { YARN_NPM_REGISTRY_SERVER: registry, YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1,localhost" };
    case "bun":
      return { BUN_CONFIG_REGISTRY: registry };
    case "deno":
      return { NPM_CONFIG_REGISTRY: registry };
  }
}

function toClient(pin: Pin, kind: ClientId): TestClient {
  const paths = [join(folder(pin), "shims"), ...(pin.node === undefined ? [] : [join(folder(pinOf(pin.node)), "shims")])];
  const [command = ""] = Object.keys(pin.commands);
  return {
    id: pin.id,
    version: pin.version,
    kind,
    command: [join(folder(pin), "shims", command)],
    env: { PATH: [...paths, process.env["PATH"] ?? ""].join(delimiter) },
  };
}

function present(pin: Pin): boolean {
  return existsSync(join(folder(pin), ".pin")) && (pin.node === undefined || present(pinOf(pin.node)));
}

function pinOf(id: string): Pin {
  return PINS.find((pin) => pin.id === id)!;
}

/** As `fetch.mjs` names it. */
function folder(pin: Pin): string {
  return join(CACHE, `${pin.id.replace(/-\d+$/, "")}-${pin.version}`);
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Already gone.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
