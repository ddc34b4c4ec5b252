/** yarn 2 and later (measured with 4). Each command has its own options, and none may stand before its name except `--cwd`. */
import { type Arguments, type OptionRules, createPackage, environmentSetting, inCi, isOn, lastOption, readArguments } from "./arguments.ts";
import type { Client, Intent } from "./client.ts";
import { environment } from "./environment.ts";

type Env = Readonly<Record<string, string | undefined>>;

const RULES: OptionRules = {
  values: new Set(
    "branch cwd environment exclude extra fields from ignore include jobs level mode name network-timeout otp out package path repository require scope severity since strategy tag to".split(
      " ",
    ),
  ),
  short: { h: "help", v: "version", p: "package", n: "name", j: "jobs" },
};
// The letters mean other things elsewhere: `pack -n` is --dry-run, `foreach -p` is --parallel, `link -p` is --private.
const SWITCH_LETTERS: OptionRules = { ...RULES, short: { h: "help", v: "version", j: "jobs" } };

const CHANGES = new Set(["add", "remove", "up", "dedupe", "upgrade-interactive", "unplug", "link", "unlink"]);
const QUERIES = new Set(["npm", "patch", "plugin", "search"]);
const KNOWN = new Set([
  ...CHANGES,
  ...QUERIES,
  ..."bin cache config constraints create dlx exec explain help info init install node pack".split(" "),
  ..."patch-commit rebuild run set stage version why workspace workspaces".split(" "),
]);
/** How many words belong to yarn before another command line begins. */
const PROXIES: Readonly<Record<string, number>> = { run: 2, create: 2, dlx: 2, exec: 2, node: 1, workspace: 2 };

/** `--cwd` may stand in front; before yarn 4 a folder could too. */
function leading(argv: readonly string[]): { directory?: string; argv: readonly string[] } {
  const [first = "", second] = argv;
  if (first === "--cwd" && second !== undefined) return { directory: second, argv: argv.slice(2) };
  if (first.startsWith("--cwd=")) return { directory: first.slice("--cwd=".length), argv: argv.slice(1) };
  return { argv };
}

function parse(argv: readonly string[]): Arguments {
  const withNames = argv[0] === "dlx" || argv[0] === "init";
  return readArguments(argv, withNames ? RULES : SWITCH_LETTERS, (words) => {
    const name = words[0]!;
    if (name === "workspaces" && words[1] === "foreach") return words.length === 3;
    return KNOWN.has(name) ? words.length === PROXIES[name] : true;
  });
}

function intent(_command: string, argv: readonly string[], env: Env): Intent {
  const { words, options, rest } = parse(leading(argv).argv);
  if (isOn(options, "help") || (words.length === 0 && isOn(options, "version"))) return { kind: "local" };
  const [name = "install", ...more] = words;
  const specs = [...more, ...rest];
  if (name === "dedupe" && isOn(options, "check", "c")) return { kind: "query" };
  if (CHANGES.has(name)) return { kind: "change", specs };
  if (QUERIES.has(name)) return { kind: "query" };
  switch (name) {
    case "install":
      return installs(options, env);
    case "rebuild":
    case "patch-commit":
      return { kind: "install", frozen: false, omitDev: false, omitOptional: false };
    case "create":
      return specs[0] === undefined ? { kind: "local" } : { kind: "exec", specs: [createPackage(specs[0])] };
    case "init":
      if (specs[0] !== undefined) return { kind: "exec", specs: [createPackage(specs[0])] };
      return isOn(options, "install", "i", "workspace", "w") ? { kind: "change", specs: [] } : { kind: "local" };
    case "dlx": {
      const packages = options.get("package") ?? [];
      if (packages.length > 0) return { kind: "exec", specs: packages };
      return specs[0] === undefined ? { kind: "local" } : { kind: "exec", specs: [specs[0]] };
    }
    case "set":
      return more[0] === "version" ? { kind: "query" } : { kind: "local" };
    case "workspace":
      return rest.length > 0 ? intent("yarn", rest, env) : { kind: "local" };
    case "workspaces":
      // focus installs some workspaces with their dependencies; foreach runs yarn in each.
      if (more[0] === "focus") return { kind: "install", frozen: false, omitDev: isOn(options, "production"), omitOptional: false };
      if (more[0] === "foreach" && more[1] !== undefined) return intent("yarn", [more[1], ...rest], env);
      return { kind: "local" };
    default:
      return { kind: "local" };
  }
}

function installs(options: Arguments["options"], env: Env): Intent {
  // yarn's documentation of enableImmutableInstalls: "If true (the default on CI), Yarn will refuse to change the installation artifacts".
  const immutable =
    lastOption(options, "immutable", "frozen-lockfile") ??
    environmentSetting(env, "yarn_", "enable_immutable_installs") ??
    (inCi(env) ? "true" : "false");
  return { kind: "install", frozen: immutable !== "false" && immutable !== "0", omitDev: false, omitOptional: false };
}

export const yarnBerry: Client = {
  id: "yarn-berry",
  commands: ["yarn", "yarnpkg"],
  lockfiles: ["yarn.lock"],
  intent,
  read: (_command, argv) => parse(leading(argv).argv),
  directory: (_command, argv) => leading(argv).directory,
  directoryIs: "inside",
  environment,
};
