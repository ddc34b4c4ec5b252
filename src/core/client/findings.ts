/**
 * What in a project's or a user's settings walks round the gate, or runs code of the project inside the client. Judged from texts alone;
 * `cordon doctor` proves the rest by running the client.
 */
import { printable, redact } from "../base/text.ts";
import { expand } from "../npm/npmrc.ts";
import type { Client, ClientId } from "./client.ts";
import { type Setting, readBunfig, readNpmrc, readYaml, readYarnrc } from "./settings.ts";

export type SettingsFile = {
  /** As shown to the reader. The last path segment decides how it is read. */
  readonly path: string;
  readonly text: string;
  readonly level: "project" | "user" | "global";
};

export type FindingsInput = {
  readonly client: Client;
  /** Major version of the client; undefined = not known, the worst is assumed. */
  readonly major: number | undefined;
  readonly command: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: readonly SettingsFile[];
  /** Base URL of the gate with trailing slash. */
  readonly gate: string;
  /** True in the wrapper, where `environment.ts` is in force; false when the files alone must hold (`setup`, `doctor`). */
  readonly wrapped: boolean;
  /** Scopes whose registry the gate fronts. */
  readonly scopes: readonly string[];
  /** True when the client is started through a shell script: dash drops variables with names like `npm_config_@acme:registry`. */
  readonly throughShell?: boolean;
};

export type Finding = {
  readonly rule:
    | "registry"
    | "scoped-registry"
    | "registry-host-kept"
    | "plain-http"
    | "credentials-in-url"
    | "tls-unverified"
    | "runs-code";
  /** `bypass`: requests can reach a registry that is not the gate. `note`: worth knowing. */
  readonly severity: "bypass" | "note";
  /** A file's path, `command line` or `environment`. */
  readonly file: string;
  /** 0 where there are no lines. */
  readonly line: number;
  /** The setting, secrets cut out. */
  readonly what: string;
  readonly why: string;
  readonly fix: string;
};

/** Which of the known files each client reads. */
const READS: Readonly<Record<ClientId, readonly string[]>> = {
  npm: [".npmrc", "npmrc"],
  pnpm: [".npmrc", "npmrc", "pnpm-workspace.yaml"],
  "yarn-classic": [".npmrc", "npmrc", ".yarnrc"],
  "yarn-berry": [".yarnrc.yml"],
  bun: [".npmrc", "bunfig.toml", ".bunfig.toml"],
  deno: [".npmrc"],
};
/** Files whose mere presence runs code. */
const CODE: Readonly<Record<string, readonly ClientId[]>> = {
  ".pnpmfile.cjs": ["pnpm"],
  ".pnpmfile.mjs": ["pnpm"],
  "pnpmfile.js": ["pnpm"],
};

/** The project's files to read before calling `findings`. */
export const FINDING_FILES = [
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  "bunfig.toml",
  "pnpm-workspace.yaml",
  ".corepack.env",
  ...Object.keys(CODE),
] as const;

export function findings(input: FindingsInput): readonly Finding[] {
  return [...input.files.flatMap((file) => fileFindings(file, input)), ...argumentFindings(input), ...environmentFindings(input)];
}

type Place = { readonly file: string; readonly line: number; readonly what: string };

function fileFindings(file: SettingsFile, input: FindingsInput): readonly Finding[] {
  const name = nameOf(file);
  const whole: Place = { file: file.path, line: 1, what: name };
  if (CODE[name]?.includes(input.client.id)) return [runsCode(whole, "a pnpmfile is run inside pnpm and may rewrite every dependency")];
  if (name === ".corepack.env") return corepackFindings(file);
  if (!READS[input.client.id].includes(name)) return [];
  const { settings, problem } = READERS[name]!(file.text);
  // A file cordon cannot read may say anything.
  if (problem !== undefined)
    return [
      bypass(
        "registry",
        { ...whole, what: `${name}: ${printable(problem)}` },
        "cordon cannot read this file, the client may",
        "Correct the file.",
      ),
    ];
  return settings.flatMap((setting) => settingFindings(setting, file, input));
}

const READERS: Readonly<Record<string, (text: string) => ReturnType<typeof readNpmrc>>> = {
  ".npmrc": readNpmrc,
  npmrc: readNpmrc,
  ".yarnrc": readYarnrc,
  ".yarnrc.yml": readYaml,
  "pnpm-workspace.yaml": readYaml,
  "bunfig.toml": readBunfig,
  ".bunfig.toml": readBunfig,
};

function settingFindings(setting: Setting, file: SettingsFile, input: FindingsInput): readonly Finding[] {
  // Only npmrc has variables in keys; what is shown stays as it is written, because a variable may hold a secret.
  const isNpmrc = READERS[nameOf(file)] === readNpmrc;
  const key = isNpmrc ? expand(setting.key, input.env).text : setting.key;
  const place: Place = { file: file.path, line: setting.line, what: shown(setting.key, setting.value) };
  const found: Finding[] = [];
  const written = urlIn(setting.value);
  const url = written !== undefined && isNpmrc ? expand(written, input.env).text : written;
  const scope = scopeOf(key);
  const isRegistry = REGISTRY_KEYS.has(key);
  if (isNpmrc && /\$\{/.test(key) && !key.startsWith("//"))
    found.push(bypass("scoped-registry", place, "what this line sets depends on a variable that is not set here", "Write the name out."));
  if (file.level === "project" && ELSEWHERE.has(key) && READS_ELSEWHERE.has(input.client.id) && isNpmrc)
    found.push(
      bypass(
        "registry",
        place,
        "the client reads further settings from a place of the project's choosing, and they may name any registry",
        "Remove the line; a person's own settings belong in their home folder.",
      ),
    );
  if (scope !== undefined && url !== undefined && !leadsTo(input.gate, url) && !scopeIsRouted(scope, input))
    found.push(
      bypass(
        "scoped-registry",
        place,
        `packages of ${scope} are asked of ${hostOf(written!)}, not of the gate, whatever else is configured`,
        `Add ${scope} to the gate's upstreams and point this line at the gate, or remove it.`,
      ),
    );
  if (isRegistry && url !== undefined && !leadsTo(input.gate, url) && registryCounts(setting, file, input))
    found.push(bypass("registry", place, `${hostOf(written!)} is asked, not the gate`, "Run `cordon setup`."));
  if (key === "replace-registry-host" && setting.value !== "npmjs" && setting.value !== "always" && !input.wrapped && before12(input))
    found.push(
      bypass("registry-host-kept", place, "hosts written in the lockfile are asked directly", "Run `cordon setup`, or remove the line."),
    );
  if (scope !== undefined || isRegistry) {
    if (url !== undefined && /^http:\/\//i.test(url) && !isLoopback(url) && !leadsTo(input.gate, url))
      found.push(note("plain-http", place, "anyone on the way can answer in the registry's place", "Use https."));
    if (url !== undefined && /^[a-z]+:\/\/[^/]*@/.test(url))
      found.push(
        note("credentials-in-url", place, "the secret is copied into lockfiles and logs", "Use a token for that host in .npmrc instead."),
      );
  }
  if ((key === "strict-ssl" || key === "enableStrictSsl") && setting.value === "false")
    found.push(
      note("tls-unverified", place, "any certificate is accepted", "Remove the line; name your certificate authority with cafile."),
    );
  const code = file.level === "project" ? CODE_KEYS[key] : undefined;
  if (code !== undefined && (key !== "node-options" || PRELOAD.test(setting.value))) found.push(runsCode(place, code));
  return found;
}

/** npm-config: where the user's and the global npmrc are (the latter under `prefix`), and they are read after the project's. */
const ELSEWHERE = new Set(["userconfig", "globalconfig", "prefix"]);
const READS_ELSEWHERE: ReadonlySet<ClientId> = new Set(["npm", "pnpm", "yarn-classic"]);

const REGISTRY_KEYS = new Set(["registry", "npmRegistryServer", "install.registry", "install.registry.url", "registries.default"]);

/** Project settings that make the client run a program or script of the project's choosing. */
const CODE_KEYS: Readonly<Record<string, string>> = {
  yarnPath: "this file is run in yarn's place",
  "yarn-path": "this file is run in yarn's place",
  plugins: "yarn plugins are run inside yarn and may fetch on their own",
  pnpmfile: "a pnpmfile is run inside pnpm and may rewrite every dependency",
  "global-pnpmfile": "a pnpmfile is run inside pnpm and may rewrite every dependency",
  "node-options": "a file is loaded into the client's process before it starts",
  preload: "these files are loaded into every bun process of the project",
  "script-shell": "this program runs every script",
  git: "this program is run in git's place",
};
const PRELOAD = /(^|\s)(-r|--require|--import|--loader|--experimental-loader)\b/;

/** `@acme:registry` (npmrc), `npmScopes.acme.npmRegistryServer` (yarn 4), `install.scopes.acme` (bun), `registries.@acme` (pnpm). */
function scopeOf(key: string): string | undefined {
  const name =
    /^(@.+):registry$/.exec(key)?.[1] ??
    /^npmScopes\.(.+)\.npmRegistryServer$/.exec(key)?.[1] ??
    /^install\.scopes\.(@?[^.]+)(?:\.url)?$/.exec(key)?.[1] ??
    /^registries\.(@.+)$/.exec(key)?.[1];
  return name === undefined || name.startsWith("@") ? name : `@${name}`;
}

/** `npm_config_@scope:registry` beats the file in npm, pnpm up to 10 and yarn 1; nothing in the environment does in the others. */
function scopeIsRouted(scope: string, { client, major, wrapped, scopes, throughShell }: FindingsInput): boolean {
  if (!wrapped || throughShell === true || !scopes.includes(scope)) return false;
  return client.id === "npm" || client.id === "yarn-classic" || (client.id === "pnpm" && major !== undefined && major <= 10);
}

/** Which kind of file each client obeys first where several name the default registry; within a kind the project's beats the user's. */
const STRONGEST: Readonly<Partial<Record<ClientId, readonly string[]>>> = {
  pnpm: ["pnpm-workspace.yaml", ".npmrc"],
  "yarn-classic": [".npmrc", ".yarnrc"],
  bun: ["bunfig.toml", ".npmrc"],
};
const LEVELS: readonly SettingsFile["level"][] = ["project", "user", "global"];

/** Whether a `registry` setting of this file has a say at all. */
function registryCounts(setting: Setting, file: SettingsFile, input: FindingsInput): boolean {
  if (!isHeeded(setting, file, input)) return false;
  // The environment beats every file but one: pnpm 10 obeys `registries.default` before it.
  if (input.wrapped)
    return input.client.id === "pnpm" && setting.key === "registries.default" && (input.major === undefined || input.major === 10);
  return !input.files.some(
    (other) =>
      strength(other, input) < strength(file, input) &&
      settingsOf(other).some((entry) => REGISTRY_KEYS.has(entry.key) && isHeeded(entry, other, input)),
  );
}

/** pnpm 9 reads no settings from pnpm-workspace.yaml, pnpm 10 not this one. */
function isHeeded(setting: Setting, file: SettingsFile, { client, major }: FindingsInput): boolean {
  if (!READS[client.id].includes(nameOf(file))) return false;
  if (nameOf(file) !== "pnpm-workspace.yaml" || major === undefined) return true;
  return major >= (setting.key === "registry" ? 11 : 10);
}

/** Smaller is stronger. */
function strength(file: SettingsFile, { client }: FindingsInput): number {
  const kind = STRONGEST[client.id]?.findIndex((name) => nameOf(file).endsWith(name)) ?? 0;
  return (kind < 0 ? LEVELS.length : kind) * LEVELS.length + LEVELS.indexOf(file.level);
}

function settingsOf(file: SettingsFile): readonly Setting[] {
  return READERS[nameOf(file)]?.(file.text).settings ?? [];
}

function nameOf(file: SettingsFile): string {
  return file.path.split(/[\\/]/).at(-1)!;
}

function corepackFindings(file: SettingsFile): readonly Finding[] {
  return file.text.split(/\r?\n/).flatMap((line, index) => {
    const match = /^\s*(?:export\s+)?(COREPACK_[A-Z_]+)\s*=\s*(.*)$/.exec(line);
    if (!match) return [];
    const place = { file: file.path, line: index + 1, what: shown(match[1]!, match[2]!) };
    return [
      note("runs-code", place, "corepack obeys it when it fetches the package manager itself", "Remove the line unless you put it there."),
    ];
  });
}

/** Options of the command line beat the environment in every client. */
function argumentFindings(input: FindingsInput): readonly Finding[] {
  const { options } = input.client.read(input.command, input.argv);
  return [...options].flatMap(([name, values]) =>
    values.flatMap((value): readonly Finding[] => {
      const place: Place = { file: "command line", line: 0, what: redact(printable(`--${name}=${value}`)) };
      const key = name.replace(/^config\./, "");
      if ((key === "registry" || scopeOf(key) !== undefined) && !leadsTo(input.gate, value))
        return [
          bypass(scopeOf(key) ? "scoped-registry" : "registry", place, `${hostOf(value)} is asked, not the gate`, "Leave the option out."),
        ];
      if (key === "replace-registry-host" && value !== "npmjs" && value !== "always" && before12(input))
        return [bypass("registry-host-kept", place, "hosts written in the lockfile are asked directly", "Leave the option out.")];
      return [];
    }),
  );
}

function environmentFindings({ env, client, gate, wrapped }: FindingsInput): readonly Finding[] {
  const found: Finding[] = [];
  const preload = env["NODE_OPTIONS"];
  if (preload !== undefined && PRELOAD.test(preload))
    found.push(
      runsCode(
        { file: "environment", line: 0, what: shown("NODE_OPTIONS", preload) },
        "a file is loaded into the client's process before it starts",
      ),
    );
  if (env["YARN_RC_FILENAME"] !== undefined && client.id === "yarn-berry")
    found.push(
      bypass(
        "registry",
        { file: "environment", line: 0, what: shown("YARN_RC_FILENAME", env["YARN_RC_FILENAME"]) },
        "yarn reads its settings from a file cordon did not look at",
        "Unset it.",
      ),
    );
  for (const [name, value = ""] of Object.entries(env)) {
    const scope = /^npm_config_(@.+):registry$/i.exec(name)?.[1];
    if (scope === undefined || leadsTo(gate, value) || !["npm", "yarn-classic", "pnpm"].includes(client.id)) continue;
    const place = { file: "environment", line: 0, what: shown(name, value) };
    found.push(
      bypass(
        "scoped-registry",
        place,
        `packages of ${scope} are asked of ${hostOf(value)}, not of the gate`,
        wrapped ? `Add ${scope} to the gate's upstreams.` : "Unset it.",
      ),
    );
  }
  return found;
}

function before12({ client, major }: FindingsInput): boolean {
  return client.id === "npm" && (major === undefined || major < 12);
}

function shown(key: string, value: string): string {
  const line = printable(value.trim().replace(/\s+/g, " "));
  return redact(printable(`${key}=${line.length > 120 ? `${line.slice(0, 117)}...` : line}`));
}

/** What a registry setting names, whatever it looks like: its value, or the `url` of an inline table, which need not have one. */
function urlIn(value: string): string | undefined {
  return /^\{.*\}$/s.test(value) ? /\burl["']?\s*[=:]\s*["']?([^"',}\s]+)/.exec(value)?.[1] : value;
}

function leadsTo(gate: string, url: string): boolean {
  // Where a backslash stands in a URL, its readers disagree about the host.
  if (url.includes("\\")) return false;
  const base = new URL(gate);
  try {
    const target = new URL(url);
    return target.origin === base.origin && `${target.pathname.replace(/\/$/, "")}/`.startsWith(base.pathname);
  } catch {
    // A variable, or no URL at all: it does not lead to the gate as far as anyone can see.
    return false;
  }
}

function isLoopback(url: string): boolean {
  return /^https?:\/\/([^/@]*@)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)/.test(url);
}

function hostOf(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : "";
  return printable(host || (/^[a-z][a-z+.-]*:\/\/(?:[^/@]*@)?([^/]+)/i.exec(url)?.[1] ?? redact(url)));
}

function bypass(rule: Finding["rule"], place: Place, why: string, fix: string): Finding {
  return { rule, severity: "bypass", ...place, why, fix };
}

function note(rule: Finding["rule"], place: Place, why: string, fix: string): Finding {
  return { rule, severity: "note", ...place, why, fix };
}

function runsCode(place: Place, why: string): Finding {
  return note("runs-code", place, why, "Look at it; remove it unless you put it there.");
}
