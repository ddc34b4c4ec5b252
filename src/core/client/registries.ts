/** Every place that names a client's base registry, and which clients listen to that place. Measured with the clients of `environment.ts`. */
import { printable, redact } from "../base/text.ts";
import { expand } from "../npm/npmrc.ts";
import type { ClientId } from "./client.ts";
import type { SettingsFile } from "./findings.ts";
import { type SettingsReading, readBunfig, readNpmrc, readYaml, readYarnrc } from "./settings.ts";

export type NamedRegistry = {
  readonly url: string;
  /** `.npmrc:3`, or the variable's name. */
  readonly where: string;
  /** Whether the client asks this registry because of it. `major` undefined = not known, yes if any version does. */
  heededBy(client: ClientId, major: number | undefined): boolean;
};

type Heeded = NamedRegistry["heededBy"];
type Environment = Readonly<Record<string, string | undefined>>;

const only =
  (...clients: readonly ClientId[]): Heeded =>
  (client) =>
    clients.includes(client);
const pnpmFrom11: Heeded = (client, major) => client === "pnpm" && (major === undefined || major >= 11);

const FILES: Readonly<
  Record<string, { readonly read: (text: string) => SettingsReading; readonly keys: Readonly<Record<string, Heeded>> }>
> = {
  npmrc: { read: readNpmrc, keys: { registry: only("npm", "pnpm", "yarn-classic", "bun", "deno") } },
  ".yarnrc": { read: readYarnrc, keys: { registry: only("yarn-classic") } },
  ".yarnrc.yml": { read: readYaml, keys: { npmRegistryServer: only("yarn-berry") } },
  "bunfig.toml": { read: readBunfig, keys: { "install.registry": only("bun"), "install.registry.url": only("bun") } },
  "pnpm-workspace.yaml": { read: readYaml, keys: { registry: pnpmFrom11, "registries.default": only("pnpm") } },
};

/** By exact name, as deno, bun and yarn read theirs. */
const VARIABLES: Readonly<Record<string, Heeded>> = {
  NPM_CONFIG_REGISTRY: only("deno"),
  YARN_REGISTRY: only("yarn-classic"),
  YARN_NPM_REGISTRY_SERVER: only("yarn-berry"),
  BUN_CONFIG_REGISTRY: only("bun"),
};
/** In any case: npm's own prefix, which pnpm left behind with version 11, and pnpm's, which it did not know before. */
const PREFIXED: readonly (readonly [RegExp, Heeded])[] = [
  [
    /^npm_config_registry$/i,
    (client, major) => ["npm", "yarn-classic", "bun"].includes(client) || (client === "pnpm" && !(major !== undefined && major >= 11)),
  ],
  [/^pnpm_config_registry$/i, pnpmFrom11],
];

/**
 * Strongest claim on "the project's registry" first: the project's files, the environment, the user's and the machine's files. Variables
 * in a value are filled in as npm does; one that is not set stays as it is written.
 */
export function registriesNamed(files: readonly SettingsFile[], env: Environment): readonly NamedRegistry[] {
  const byLevel = (wanted: (level: SettingsFile["level"]) => boolean) =>
    files.filter(({ level }) => wanted(level)).flatMap((file) => inFile(file, env));
  return [...byLevel((level) => level === "project"), ...inEnvironment(env), ...byLevel((level) => level !== "project")];
}

function inFile({ path, text }: SettingsFile, env: Environment): readonly NamedRegistry[] {
  const name = path.split(/[\\/]/).at(-1)!;
  const kind = FILES[name === ".npmrc" ? "npmrc" : name === ".bunfig.toml" ? "bunfig.toml" : name];
  if (!kind) return [];
  return kind.read(text).settings.flatMap(({ key, value, line }): NamedRegistry[] => {
    const heededBy = Object.hasOwn(kind.keys, key) ? kind.keys[key]! : undefined;
    // A table (`registry = { url = "…" }`) holds its URL in quotes.
    const url = /^\{.*\burl\s*=\s*["']([^"']+)["']/.exec(value)?.[1] ?? value;
    return heededBy ? [{ url: expand(url, env).text, where: `${path}:${line}`, heededBy }] : [];
  });
}

/** Registries of single scopes that files name, whichever client reads them. */
export function scopesNamed(files: readonly SettingsFile[], env: Environment): readonly { readonly scope: string; readonly url: string }[] {
  return files.flatMap(({ path, text }) => {
    const name = path.split(/[\\/]/).at(-1)!;
    const kind = FILES[name === ".npmrc" ? "npmrc" : name === ".bunfig.toml" ? "bunfig.toml" : name];
    if (!kind) return [];
    return kind.read(text).settings.flatMap(({ key, value }) => {
      const scope = SCOPE_KEYS.map((pattern) => pattern.exec(key)?.[1]).find((found) => found !== undefined);
      const url = /^\{.*\burl\s*=\s*["']([^"']+)["']/.exec(value)?.[1] ?? value;
      return scope === undefined ? [] : [{ scope: `@${scope.replace(/^@/, "")}`.toLowerCase(), url: expand(url, env).text }];
    });
  });
}

/** npm's and pnpm's, yarn's, bun's. */
const SCOPE_KEYS = [
  /^(@[^/:]+):registry$/,
  /^registries\.(@[^/.]+)$/,
  /^npmScopes\.@?([^/.]+)\.npmRegistryServer$/,
  /^install\.scopes\.@?([^/.]+)(?:\.url)?$/,
];

function inEnvironment(env: Environment): readonly NamedRegistry[] {
  return Object.entries(env).flatMap(([name, value = ""]): NamedRegistry[] => {
    const heeded = [
      ...(Object.hasOwn(VARIABLES, name) ? [VARIABLES[name]!] : []),
      ...PREFIXED.filter(([pattern]) => pattern.test(name)).map(([, who]) => who),
    ];
    if (value === "" || heeded.length === 0) return [];
    return [{ url: value, where: name, heededBy: (client, major) => heeded.some((who) => who(client, major)) }];
  });
}

/** The variable that points this client at a registry. */
const OWN_VARIABLE: Readonly<Record<ClientId, string>> = {
  npm: "npm_config_registry",
  pnpm: "pnpm_config_registry",
  "yarn-classic": "YARN_REGISTRY",
  "yarn-berry": "YARN_NPM_REGISTRY_SERVER",
  bun: "BUN_CONFIG_REGISTRY",
  deno: "NPM_CONFIG_REGISTRY",
};

/**
 * Why a client does not ask the gate, as far as settings tell: every place that names the gate and that this client does not listen to,
 * and the first place it does listen to that names another. One sentence each; empty when they tell nothing.
 */
export function whyElsewhere(
  named: readonly NamedRegistry[],
  { client, major, command }: { readonly client: ClientId; readonly major: number | undefined; readonly command: string },
  isGate: (url: string) => boolean,
): readonly string[] {
  const called = `${command}${major === undefined ? "" : ` ${major}`}`;
  const heeded = named.filter((one) => one.heededBy(client, major));
  const deaf = named.filter((one) => isGate(one.url) && !heeded.includes(one));
  const other = heeded.find((one) => !isGate(one.url));
  const ownVariable = client === "pnpm" && major !== undefined && major < 11 ? "npm_config_registry" : OWN_VARIABLE[client];
  return [
    ...(heeded.some((one) => isGate(one.url))
      ? []
      : deaf.map(({ where }) => `${where} names the gate, and ${called} does not read it; it reads ${ownVariable}`)),
    ...(other ? [`${other.where} sends it to ${printable(redact(other.url))}`] : []),
  ];
}
