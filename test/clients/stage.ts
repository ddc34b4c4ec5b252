/** A project, a registry, one real client and the whole product around them: what the tests of this folder play on. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ClientId } from "../../src/core/client/client.ts";
import { type Product, product, type Ran } from "../kit/app.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";
import { clientEnv, type ClientRun, pointedAt, runClient, type TestClient } from "./clients.ts";

type Env = Readonly<Record<string, string | undefined>>;

export type Stage = {
  readonly client: TestClient;
  readonly registry: Fixture;
  readonly product: Product;
  readonly cwd: string;
  readonly home: string;
  /** `cordon [flags] <client> …args`, in the project. `command`: another of the client's commands (`npx`). */
  cordon(args: readonly string[], more?: CordonOptions): Promise<Ran>;
  /** The client without cordon, pointed at the registry. */
  bare(
    args: readonly string[],
    more?: { readonly env?: Env; readonly cwd?: string; readonly home?: string; readonly command?: string },
  ): Promise<ClientRun>;
  /** The version in `node_modules`, read from its own manifest. */
  installed(name: string): string | undefined;
  read(path: string): string | undefined;
  write(files: Readonly<Record<string, unknown>>): void;
  /** The project's manifest with these dependencies. */
  depend(dependencies: Readonly<Record<string, string>>): void;
  remove(...paths: readonly string[]): void;
  /** Everything the client keeps outside the project. */
  emptyCaches(): void;
};

export type CordonOptions = {
  readonly env?: Env;
  readonly flags?: readonly string[];
  readonly command?: string;
  readonly cwd?: string;
};

export type StageOptions = {
  /** Packages of the registry; `axios` and `cases` when not given. */
  readonly packages?: readonly string[];
  /** The registry's first moment. */
  readonly at?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, unknown>>;
  /** The machine's cordon.yaml. */
  readonly config?: string;
  /** A registry that stands already. */
  readonly registry?: Fixture;
  /** A project that stands already; nothing is written into it. */
  readonly cwd?: string;
};

/** 22 minutes after axios 1.14.1 was published; an hour after the young packages of `cases`. */
const MOMENT = "2026-03-31T00:43:00Z";
/** 37 minutes before. */
export const BEFORE = "2026-03-31T00:20:00Z";
/** Both lines of axios are hijacked by then. */
export const BOTH = "2026-03-31T01:05:00Z";

export async function stage(client: TestClient, options: StageOptions = {}): Promise<Stage> {
  const registry = options.registry ?? (await startFixture({ packages: options.packages ?? ["axios", "cases"], at: options.at ?? MOMENT }));
  if (!options.registry) onTestFinished(() => registry.stop());
  const cwd =
    options.cwd ?? tempFolder({ ...PROJECT[client.kind], "package.json": manifest(options.dependencies ?? {}), ...options.files });
  const made = await product({ fixture: registry, cwd, ...(options.config === undefined ? {} : { config: options.config }) });
  onTestFinished(() => made.stop());
  const { home } = made;
  return {
    client,
    registry,
    product: made,
    cwd,
    home,
    cordon: (args, { env = {}, flags = [], command = COMMANDS[client.kind], cwd: at = cwd } = {}) =>
      made.cordon([...flags, command, ...args], { cwd: at, env: { ...clientEnv(client, home), ...env } }),
    bare: (args, { env = {}, cwd: at = cwd, home: own = home, ...more } = {}) =>
      runClient(client, args, { cwd: at, home: own, env: { ...pointedAt(client.kind, registry.url), ...env }, ...more }),
    installed: (name) => versionIn(cwd, name),
    read: (path) => readIf(join(cwd, path)),
    write: (files) => writeFiles(cwd, files),
    depend: (dependencies) => writeFiles(cwd, { "package.json": manifest(dependencies) }),
    remove(...paths) {
      for (const path of paths) rmSync(join(cwd, path), { recursive: true, force: true });
      // Without an empty one yarn 4 takes the folder for a part of some project above it.
      if (client.kind === "yarn-berry" && paths.includes("yarn.lock")) writeFiles(cwd, { "yarn.lock": "" });
    },
    emptyCaches() {
      for (const path of [".npm", ".cache", ".pnpm-store", ".local", ".yarn-cache", ".yarn", ".bun", ".deno"])
        rmSync(join(home, path), { recursive: true, force: true });
    },
  };
}

function manifest(dependencies: Readonly<Record<string, string>>): unknown {
  return { name: "site", version: "1.0.0", private: true, dependencies };
}

/** The version of an installed package, by its own manifest. @public */
export function versionIn(folder: string, name: string): string | undefined {
  const text = readIf(join(folder, "node_modules", name, "package.json"));
  return text === undefined ? undefined : (JSON.parse(text) as { version: string }).version;
}

function readIf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** Requests to the registry that did not come from a gate. */
export function pastTheGate(registry: Fixture): readonly string[] {
  return registry.log.entries.flatMap(({ method, url, headers }) =>
    String(headers["user-agent"]).startsWith("cordon/") ? [] : [`${method} ${url} by ${headers["user-agent"]}`],
  );
}

/** What makes a client write `node_modules` where it would not. */
const PROJECT: Record<ClientId, Readonly<Record<string, unknown>>> = {
  npm: {},
  pnpm: {},
  "yarn-classic": {},
  "yarn-berry": { ".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "" },
  bun: {},
  deno: { "deno.json": { nodeModulesDir: "auto" } },
};

/** What a user types behind `cordon`. */
export const COMMANDS: Record<ClientId, string> = {
  npm: "npm",
  pnpm: "pnpm",
  "yarn-classic": "yarn",
  "yarn-berry": "yarn",
  bun: "bun",
  deno: "deno",
};

export const LOCKFILE: Record<ClientId, string> = {
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml",
  "yarn-classic": "yarn.lock",
  "yarn-berry": "yarn.lock",
  bun: "bun.lock",
  deno: "deno.lock",
};

/** Installs what the lockfile says, or fails. */
export const FROZEN: Record<ClientId, readonly string[]> = {
  npm: ["ci"],
  pnpm: ["install", "--frozen-lockfile"],
  "yarn-classic": ["install", "--frozen-lockfile"],
  "yarn-berry": ["install", "--immutable"],
  bun: ["install", "--frozen-lockfile"],
  deno: ["install", "--frozen"],
};

/** Adds a package to the project. */
export const ADD: Record<ClientId, (spec: string) => readonly string[]> = {
  npm: (spec) => ["install", spec],
  pnpm: (spec) => ["add", spec],
  "yarn-classic": (spec) => ["add", spec],
  "yarn-berry": (spec) => ["add", spec],
  bun: (spec) => ["add", spec],
  deno: (spec) => ["add", `npm:${spec}`],
};

/** What a run said, for a test that fails. */
export function all(run: { readonly stdout: string; readonly stderr: string }): string {
  return `${run.stdout}\n${run.stderr}`;
}
