/** deno, as far as it installs npm packages. */
import { type Arguments, type OptionRules, createPackage, isOn, readArguments } from "./arguments.ts";
import type { Client, Intent } from "./client.ts";
import { environment } from "./environment.ts";

const RULES: OptionRules = {
  values: new Set(
    (
      "arch cert conditions config cwd ext filter import-map inspect-publish-uid jobs location log-level min-dep-age name node-modules-linker os " +
      "package preload require root seed"
    ).split(" "),
  ),
  // Permissions and the like change nothing about what is fetched; they are named because letters can be written together (`-gA`).
  short: Object.fromEntries(
    (
      "h:help V:version g:global D:dev O:save-optional e:entrypoint u:update p:package c:config n:name L:log-level q:quiet f:force r:reload y:yes " +
      "i:interactive A:allow-all N:allow-net R:allow-read W:allow-write E:allow-env S:allow-sys I:allow-import P:permission-set"
    )
      .split(" ")
      .map((pair) => pair.split(":") as [string, string]),
  ),
};

const PROGRAMS = new Set(["run", "watch", "serve", "task", "x", "eval", "create"]);
const KNOWN = new Set(
  "add approve-scripts audit cache ci init install i link outdated publish remove rm uninstall unlink update upgrade why list".split(" "),
);

function parse(argv: readonly string[]): Arguments {
  return readArguments(argv, RULES, (words) => {
    const name = words[0]!;
    if (PROGRAMS.has(name)) return words.length === 2;
    return !KNOWN.has(name);
  });
}

/** `npm:cowsay@1/sub` → `cowsay@1`; a name without a prefix is npm's; others (`jsr:`, URLs) stay as they are. */
function packageOf(spec: string): string {
  const match = /^(?:npm:)?\/?((?:@[^/@]+\/)?[^/@:]+(?:@[^/]+)?)(?:\/.*)?$/.exec(spec);
  return match?.[1] ?? spec;
}

function intent(_command: string, argv: readonly string[]): Intent {
  const { words, options, rest } = parse(argv);
  if (isOn(options, "help", "version")) return { kind: "local" };
  const [name = "", ...more] = words;
  const specs = [...more, ...rest].map(packageOf);
  switch (name) {
    case "install":
    case "i":
      if (isOn(options, "global")) return { kind: "global", specs: specs.slice(0, 1) };
      if (specs.length > 0 && !isOn(options, "entrypoint")) return { kind: "change", specs };
      return installs(options, false);
    case "ci":
      return installs(options, true);
    case "cache":
      return installs(options, isOn(options, "frozen", "frozen-lockfile"));
    case "add":
    case "update":
    case "remove":
    case "rm":
    case "uninstall":
      return { kind: isOn(options, "global") ? "global" : "change", specs };
    case "approve-scripts":
      return { kind: "change", specs: [] };
    case "outdated":
      return isOn(options, "update") ? { kind: "change", specs } : { kind: "query" };
    case "audit":
    case "publish":
      return { kind: "query" };
    case "x": {
      const packages = (options.get("package") ?? []).map(packageOf);
      if (packages.length > 0) return { kind: "exec", specs: packages };
      return specs[0] === undefined ? { kind: "local" } : { kind: "exec", specs: specs.slice(0, 1) };
    }
    case "create":
      return specs[0] === undefined ? { kind: "local" } : { kind: "exec", specs: [createPackage(specs[0])] };
    case "init":
      return isOn(options, "npm") && specs[0] !== undefined ? { kind: "exec", specs: [createPackage(specs[0])] } : { kind: "local" };
    default: {
      // `deno run npm:tool`, `deno npm:tool`: fetches and runs; a file of one's own is local.
      const program = PROGRAMS.has(name) ? more[0] : name;
      return program?.startsWith("npm:") ? { kind: "exec", specs: [packageOf(program)] } : { kind: "local" };
    }
  }
}

function installs(options: Arguments["options"], frozen: boolean): Intent {
  return {
    kind: "install",
    frozen: frozen || isOn(options, "frozen", "frozen-lockfile"),
    omitDev: isOn(options, "prod"),
    omitOptional: false,
  };
}

export const deno: Client = {
  id: "deno",
  commands: ["deno"],
  lockfiles: ["deno.lock"],
  intent,
  read: (_command, argv) => parse(argv),
  directory: () => undefined,
  directoryIs: "inside",
  environment,
};
