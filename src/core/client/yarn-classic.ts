/** yarn 1. */
import {
  type Arguments,
  type OptionRules,
  createPackage,
  environmentSetting,
  isOff,
  isOn,
  lastOption,
  readArguments,
} from "./arguments.ts";
import type { Client, Intent } from "./client.ts";
import { environment } from "./environment.ts";

type Env = Readonly<Record<string, string | undefined>>;

const RULES: OptionRules = {
  values: new Set(
    (
      "access cache-folder cwd depth emoji filename global-folder groups https-proxy install into level link-folder message modules-folder mutex " +
      "network-concurrency network-timeout otp pattern preferred-cache-folder prefix preid prod production proxy registry resolved scope " +
      "scripts-prepend-node-path tag use-manifest use-yarnrc"
    ).split(" "),
  ),
  short: {
    h: "help",
    v: "version",
    s: "silent",
    f: "force",
    D: "dev",
    P: "peer",
    O: "optional",
    E: "exact",
    T: "tilde",
    W: "ignore-workspace-root-check",
  },
};

const CHANGES = new Set(["add", "remove", "upgrade", "upgrade-interactive", "upgradeInteractive"]);
/** yarn 1 fills its tree from the registry for `why`, `licenses` and `import` too, but links nothing. */
const QUERIES = new Set("access audit import info licenses login logout outdated owner policies publish tag team why".split(" "));
/** How many words belong to yarn before another command line begins. */
const PROXIES: Readonly<Record<string, number>> = { run: 2, create: 2, node: 1, exec: 2, workspace: 2, workspaces: 2 };
const KNOWN = new Set([
  ...CHANGES,
  ...QUERIES,
  ...Object.keys(PROXIES),
  ..."autoclean bin cache check config dedupe generate-lock-entry generateLockEntry global help init install link list lockfile pack prune set".split(
    " ",
  ),
  ..."unlink unplug version versions".split(" "),
]);

function parse(argv: readonly string[]): Arguments {
  return readArguments(argv, RULES, (words) => {
    const name = words[0]!;
    return KNOWN.has(name) ? words.length === PROXIES[name] : true;
  });
}

function intent(_command: string, argv: readonly string[], env: Env): Intent {
  const { words, options, rest } = parse(argv);
  if (isOn(options, "help", "version")) return { kind: "local" };
  const [name = "install", ...more] = words;
  const specs = [...more, ...rest];
  if (CHANGES.has(name)) return { kind: "change", specs };
  if (QUERIES.has(name)) return { kind: "query" };
  switch (name) {
    case "install":
      return installs(options, env);
    case "global": {
      const [action, ...named] = specs;
      return CHANGES.has(action ?? "") ? { kind: "global", specs: named } : { kind: "local" };
    }
    case "create":
      return specs[0] === undefined ? { kind: "local" } : { kind: "exec", specs: [createPackage(specs[0])] };
    case "workspace":
      // `yarn workspace site add x`: yarn runs itself in that workspace.
      return rest.length > 0 ? intent("yarn", rest, env) : { kind: "local" };
    case "set":
      return more[0] === "version" ? { kind: "query" } : { kind: "local" };
    default:
      return { kind: "local" };
  }
}

function installs(options: Arguments["options"], env: Env): Intent {
  const production = lastOption(options, "production", "prod");
  // yarn 1's documentation of --production: "Yarn will not install any package listed in devDependencies if the NODE_ENV environment
  // variable is set to production. Use this flag to instruct Yarn to ignore NODE_ENV".
  const fromEnv =
    env["NODE_ENV"] === "production" ||
    environmentSetting(env, "yarn_", "production") === "true" ||
    environmentSetting(env, "npm_config_", "production") === "true";
  return {
    kind: "install",
    frozen: isOn(options, "frozen-lockfile"),
    omitDev: production === undefined ? fromEnv : production !== "false",
    omitOptional: isOn(options, "ignore-optional") || isOff(options, "optional"),
  };
}

export const yarnClassic: Client = {
  id: "yarn-classic",
  commands: ["yarn", "yarnpkg"],
  lockfiles: ["yarn.lock"],
  intent,
  read: (_command, argv) => parse(argv),
  directory: (_command, argv) => lastOption(parse(argv).options, "cwd"),
  directoryIs: "inside",
  environment,
};
