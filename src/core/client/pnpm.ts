/** pnpm 9 to 12, and pnpx. */
import {
  type Arguments,
  type OptionRules,
  createPackage,
  environmentSetting,
  inCi,
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
      "access allow-build audit-level cache-dir catalog-mode changed-files-ignore-pattern child-concurrency color config-dir cpu depth dir " +
      "dlx-cache-max-age edit-dir env-file fetch-min-speed-ki-bps fetch-retries fetch-timeout fetch-warn-timeout-ms fetching-concurrency " +
      "filter filter-prod git-shallow-hosts global-bin-dir global-dir global-path global-pnpmfile global-virtual-store-dir hoist-pattern " +
      "http-proxy https-proxy ignore-registry-errors init-package-manager init-type libc lockfile-dir lockfile-directory loglevel maxsockets " +
      "merge-git-branch-lockfiles-branch-pattern minimum-release-age minimum-release-age-exclude modules-cache-max-age modules-dir " +
      "network-concurrency node-linker noproxy npm-path npmrc-auth-file only-built-dependencies os otp pack-destination pack-gzip-level package " +
      "package-import-method patches-dir peers-suffix-max-length pnpmfile pnpr-server prefix proxy public-hoist-pattern publish-branch registry " +
      "reporter resolution-mode resume-from save-catalog-name save-prefix script-shell shrinkwrap-directory state-dir store store-dir tag " +
      "test-pattern trust-policy trust-policy-exclude trust-policy-ignore-after use-node-version user-agent userconfig virtual-store-dir " +
      "virtual-store-dir-max-length workspace-concurrency workspace-packages"
    ).split(" "),
  ),
  short: {
    s: "reporter=silent",
    d: "loglevel=info",
    dd: "loglevel=verbose",
    ddd: "loglevel=silly",
    L: "latest",
    r: "recursive",
    silent: "reporter=silent",
    verbose: "loglevel=verbose",
    quiet: "loglevel=warn",
    q: "loglevel=warn",
    h: "help",
    H: "help",
    "?": "help",
    usage: "help",
    v: "version",
    f: "force",
    local: "global=false",
    l: "long",
    p: "parseable",
    porcelain: "parseable",
    prod: "production",
    development: "dev",
    g: "global",
    S: "save",
    // `install -D` means only devDependencies, `add -D` saves into them; neither leaves devDependencies out.
    D: "save-dev",
    // The same letter: `install -P` leaves devDependencies out, `add -P` saves into dependencies.
    P: "production",
    E: "save-exact",
    O: "save-optional",
    C: "dir",
    w: "workspace-root",
    i: "interactive",
    F: "filter",
    c: "shell-mode",
  },
};

const COMMANDS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    add: "add",
    audit: "audit",
    ci: "ci clean-install ic install-clean",
    create: "create",
    dedupe: "dedupe",
    deploy: "deploy",
    dlx: "dlx",
    exec: "exec",
    fetch: "fetch",
    import: "import",
    init: "init",
    install: "install i",
    "install-test": "install-test it",
    link: "link ln",
    patch: "patch",
    "patch-commit": "patch-commit patch-remove",
    pipeline: "pipeline",
    prune: "prune",
    // Talk to the registry; up to pnpm 10 most are handed to npm.
    query:
      "access adduser bugs deprecate dist-tag dist-tags docs doctor find home info issues licenses licences login logout outdated owner owners " +
      "ping profile publish repo s sbom se search show stage star stars team token undeprecate unpublish unstar v view whoami",
    remove: "remove uninstall rm un uni",
    run: "run run-script test t tst start stop restart",
    "self-update": "self-update",
    store: "store",
    unlink: "unlink dislink",
    update: "update up upgrade",
    with: "with",
  }).flatMap(([command, names]) => names.split(" ").map((name) => [name, command])),
);

const RECURSIVE = new Set(["recursive", "multi", "m"]);
/** Commands behind whose name stands another program with options of its own. */
const PROXIES = new Set(["dlx", "create", "exec", "run"]);

function commandFor(word: string | undefined): string | undefined {
  return word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
}

function parse(command: string, argv: readonly string[]): Arguments {
  if (command === "pnpx") return parse("pnpm", ["dlx", ...argv]);
  return readArguments(argv, RULES, (words) => {
    const own = RECURSIVE.has(words[0]!) ? words.slice(1) : words;
    if (own[0] === undefined) return false;
    const name = commandFor(own[0]);
    if (name === "with") return own.length === 2;
    // An unknown word is a script or a local program: what follows is its own.
    if (name === undefined) return true;
    return PROXIES.has(name) && own.length === 2;
  });
}

function intent(command: string, argv: readonly string[], env: Env): Intent {
  const { words, options, rest } = parse(command, argv);
  const own = RECURSIVE.has(words[0] ?? "") ? words.slice(1) : words;
  const name = commandFor(own[0]);
  if (name === undefined || isOn(options, "help", "version")) return { kind: "local" };
  const specs = [...own.slice(1), ...rest];
  const global = isOn(options, "global");
  switch (name) {
    case "install":
    case "install-test":
      if (global) return { kind: "global", specs };
      return specs.length > 0 ? { kind: "change", specs } : installs(options, env);
    case "add":
    case "update":
    case "remove":
    case "link":
    case "unlink":
    case "prune":
      return { kind: global ? "global" : "change", specs };
    case "dedupe":
      return isOn(options, "check") ? { kind: "query" } : { kind: "change", specs: [] };
    case "ci":
    case "fetch":
    case "pipeline":
      return { ...installs(options, env), frozen: true };
    case "deploy": {
      const into = specs.at(-1);
      return into === undefined ? { kind: "local" } : { ...installs(options, env), into };
    }
    case "patch-commit":
      return installs(options, env);
    case "dlx": {
      const packages = options.get("package") ?? [];
      const tool = own[1] ?? rest[0];
      if (packages.length > 0) return { kind: "exec", specs: packages };
      return tool === undefined ? { kind: "local" } : { kind: "exec", specs: [tool] };
    }
    case "create":
      return specs[0] === undefined ? { kind: "local" } : { kind: "exec", specs: [createPackage(specs[0])] };
    case "self-update":
      return { kind: "global", specs: [specs[0] === undefined ? "pnpm" : `pnpm@${specs[0]}`] };
    case "with":
      // `pnpm with 10 install`: another pnpm does what the rest says.
      return intent("pnpm", rest, env);
    case "audit":
      return isOn(options, "fix") ? { kind: "change", specs: [] } : { kind: "query" };
    case "store":
      return specs[0] === "add" ? { kind: "query" } : { kind: "local" };
    case "import":
    case "patch":
    case "query":
      return { kind: "query" };
    default:
      return { kind: "local" };
  }
}

// pnpm's documentation of --frozen-lockfile: "default: for non-CI false, for CI true, if a lockfile is present".
// Whether the environment leaves dependencies out changes with the version (NODE_ENV: only 9; npm_config_production: 9 and 10;
// pnpm_config_production: 11, no longer 12; measured), so only what the command line says counts: more is judged then, never less.
function installs(options: Arguments["options"], env: Env): Extract<Intent, { kind: "install" }> {
  const frozen =
    lastOption(options, "frozen-lockfile") ??
    environmentSetting(env, "pnpm_config_", "frozen-lockfile") ??
    environmentSetting(env, "npm_config_", "frozen-lockfile");
  const byDefault = inCi(env) && !options.has("lockfile-only") && !options.has("fix-lockfile");
  return {
    kind: "install",
    frozen: frozen === undefined ? byDefault : frozen !== "false",
    omitDev: isOn(options, "production") || isOff(options, "dev"),
    omitOptional: isOff(options, "optional"),
  };
}

export const pnpm: Client = {
  id: "pnpm",
  commands: ["pnpm", "pnpx"],
  lockfiles: ["pnpm-lock.yaml"],
  intent,
  read: parse,
  directory(command, argv) {
    const { words, options, rest } = parse(command, argv);
    if (commandFor(words[0]) === "with") return pnpm.directory("pnpm", rest);
    return lastOption(options, "dir", "prefix");
  },
  directoryIs: "project",
  environment,
};
