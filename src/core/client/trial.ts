/**
 * How each client is tried by `cordon doctor`: its own plain install, in a copy of the project's configuration, with an empty cache and
 * one dependency. What only makes sense beside the project's sources and lockfile is left out of the copy; measured with every client.
 */
import { parseDocument } from "yaml";
import type { ClientId } from "./client.ts";
import { readNpmrc, readYaml, readYarnrc } from "./settings.ts";

export type TrialCommand = {
  readonly args: readonly string[];
  /** Added to the user's own environment. */
  readonly env: Readonly<Record<string, string>>;
};

/** What a client is started with. `cache` is an empty folder. */
export function trialCommand(client: ClientId, cache: string): TrialCommand {
  return COMMANDS[client](cache);
}

const COMMANDS: Readonly<Record<ClientId, (cache: string) => TrialCommand>> = {
  npm: (cache) => ({
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund"],
    env: { npm_config_cache: cache, npm_config_update_notifier: "false", ...NO_RETRIES },
  }),
  pnpm: (cache) => ({
    // A pnpmfile may rewrite every dependency; it is the project's code, and no part of the configuration.
    args: ["install", "--ignore-scripts", "--no-frozen-lockfile", "--ignore-pnpmfile"],
    env: {
      // Up to 10 the first of each pair counts, from 11 the second.
      npm_config_store_dir: `${cache}/store`,
      pnpm_config_store_dir: `${cache}/store`,
      npm_config_cache_dir: `${cache}/cache`,
      pnpm_config_cache_dir: `${cache}/cache`,
      npm_config_update_notifier: "false",
      pnpm_config_update_notifier: "false",
      pnpm_config_fetch_retries: "0",
      ...NO_RETRIES,
      ...COREPACK,
    },
  }),
  "yarn-classic": (cache) => ({
    args: ["install", "--ignore-scripts", "--non-interactive", "--cache-folder", cache],
    env: { YARN_CACHE_FOLDER: cache, ...COREPACK },
  }),
  "yarn-berry": (cache) => ({
    args: ["install"],
    env: {
      YARN_GLOBAL_FOLDER: cache,
      YARN_CACHE_FOLDER: `${cache}/cache`,
      // In CI yarn refuses to write a lockfile, and there is none yet.
      YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
      YARN_ENABLE_SCRIPTS: "false",
      YARN_ENABLE_TELEMETRY: "0",
      YARN_HTTP_RETRY: "0",
      // What arrived is read from node_modules in every client; the linker has no say in where it came from.
      YARN_NODE_LINKER: "node-modules",
      ...COREPACK,
    },
  }),
  bun: (cache) => ({ args: ["install", "--ignore-scripts", "--cache-dir", cache], env: { BUN_INSTALL_CACHE_DIR: cache } }),
  deno: (cache) => ({ args: ["install"], env: { DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1" } }),
};

/** A registry that does not answer would be waited for up to 143 s. */
const NO_RETRIES = { npm_config_fetch_retries: "0" } as const;
/** corepack asks before it fetches a client, and nobody is there to answer. */
const COREPACK = { COREPACK_ENABLE_DOWNLOAD_PROMPT: "0" } as const;

export type TrialProject = {
  readonly client: ClientId;
  /** The one dependency, at 1.0.0. */
  readonly dependency: string;
  /** The project's own field: it decides which version of the client runs. */
  readonly packageManager?: string;
};

/** The files of a trial that are not copies, by name. */
export function trialFiles({ client, dependency, packageManager }: TrialProject): Readonly<Record<string, string>> {
  const manifest = {
    name: "cordon-doctor",
    version: "0.0.0",
    private: true,
    ...(packageManager === undefined ? {} : { packageManager }),
    dependencies: { [dependency]: "1.0.0" },
  };
  return {
    "package.json": `${JSON.stringify(manifest, undefined, 2)}\n`,
    // An empty lockfile makes this folder a project of its own for yarn 4, whatever stands in the folders above.
    ...(client.startsWith("yarn-") ? { "yarn.lock": "" } : {}),
    // deno.json says nothing about registries; node_modules is where the result is read.
    ...(client === "deno" ? { "deno.json": '{ "nodeModulesDir": "auto" }\n' } : {}),
  };
}

/** Configuration files of the project's own folder that go into the copy. */
export const TRIAL_FILES: readonly string[] = [".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml", "pnpm-workspace.yaml"];
/** Of the folders above it: those that some client reads from there. */
export const TRIAL_FILES_ABOVE: readonly string[] = [".npmrc", ".yarnrc", ".yarnrc.yml"];

/** A configuration file as it goes into the copy. One that cannot be read goes as it is: the client shall say so. */
export function trialCopy(name: string, text: string): string {
  switch (name) {
    case "pnpm-workspace.yaml":
      return workspaceSettings(text);
    // There is no lockfile to be frozen.
    case ".yarnrc":
      return text.replace(/^"?--(?:[a-z]+\.)?(?:frozen|pure)-lockfile\b.*$/gm, "");
    case "bunfig.toml":
      return text.replace(/^[ \t]*(?:install\s*\.\s*)?frozenLockfile\s*=.*$/gm, "");
    default:
      return text;
  }
}

/** Keys that speak of the project's packages, patches and files. */
const OF_THE_SOURCES = [
  "catalog",
  "catalogs",
  "configDependencies",
  "globalPnpmfile",
  "overrides",
  "packageExtensions",
  "patchedDependencies",
  "pnpmfile",
];

function workspaceSettings(text: string): string {
  const document = parseDocument(text, { uniqueKeys: false, logLevel: "error" });
  if (document.errors.length > 0) return text;
  for (const key of OF_THE_SOURCES) document.delete(key);
  // pnpm 9 refuses a file without packages.
  if (document.has("packages")) document.set("packages", ["."]);
  return String(document);
}

/** Files a configuration file names by a relative path and the client cannot start without: another yarn, its plugins, certificates. */
export function namedFiles(name: string, text: string): readonly string[] {
  const read = { ".yarnrc.yml": readYaml, ".yarnrc": readYarnrc, ".npmrc": readNpmrc }[name];
  const named = (read?.(text).settings ?? []).flatMap(({ key, value }) => {
    if (key === "plugins")
      return [...value.matchAll(/^\s*(?:-\s*)?path:\s*["']?([^"'\s]+)|^\s*-\s*["']?([^"'\s:]+)["']?\s*$/gm)].map(
        (item) => item[1] ?? item[2]!,
      );
    return ["yarnPath", "yarn-path", "httpsCaFilePath", "cafile"].includes(key) ? [value] : [];
  });
  return named.filter((path) => !/^(?:[/\\~]|[A-Za-z]:|\$)/.test(path));
}

/** What came of one trial. */
export type TrialEnd = {
  /** Undefined when it was killed or could not be started. */
  readonly status: number | undefined;
  readonly timedOut: boolean;
  /** The system's reason why it could not be started. */
  readonly failure?: string;
  /** The end of what it printed, both streams. */
  readonly output: string;
  /** Whether the package lies in node_modules. */
  readonly arrived: boolean;
};

/**
 * Whether the client tried to fetch the package, wherever it asked: every client names the package or the network's error when that
 * fails (measured). One that ended for another reason, before it asked anybody, proves nothing about where it would have asked.
 */
export function triedToFetch({ output }: Pick<TrialEnd, "output">, nonce: string): boolean {
  return output.includes(nonce) || /\b(?:ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b|certificate/i.test(output);
}

/** The line of a client's output that says most about a failure; empty when it said nothing. */
export function lastWords(output: string): string {
  const lines = output
    .split(/\r?\n/)
    // eslint-disable-next-line no-control-regex
    .map((line) => line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").trim())
    .filter((line) => line !== "" && !line.startsWith("at "));
  const told = lines.find((line) => /\berr(?:or)?\b|ERR_|\bfailed\b|YN(?!0000)\d{4}/i.test(line)) ?? lines.at(-1) ?? "";
  return told.length > 200 ? `${told.slice(0, 197)}...` : told;
}
