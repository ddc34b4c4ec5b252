/** npm 8 to 12, and npx. */
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

const VALUES = new Set(
  (
    "_auth access allow-directory allow-file allow-git allow-remote allow-scripts also audit-level auth-type before ca cache cache-max " +
    "cache-min cafile call cert cidr cpu depth diff diff-dst-prefix diff-src-prefix diff-unified editor expect-result-count expires " +
    "fetch-retries fetch-retry-factor fetch-retry-maxtimeout fetch-retry-mintimeout fetch-timeout git globalconfig heading https-proxy " +
    "include init-author-email init-author-name init-author-url init-license init-module init-type init-version init.author.email " +
    "init.author.name init.author.url init.license init.module init.version install-strategy key libc local-address location " +
    "lockfile-version loglevel logs-dir logs-max maxsockets message min-release-age min-release-age-exclude name node-gyp node-options " +
    "noproxy omit only orgs os otp pack-destination package packages password preid prefix provenance-file proxy registry " +
    "replace-registry-host save-prefix sbom-format sbom-type scope scopes script-shell searchexclude searchlimit searchopts " +
    "searchstaleness shell tag tag-version-prefix umask user-agent userconfig viewer which workspace"
  ).split(" "),
);

const SWITCHES = new Set(
  (
    "all allow-same-version allow-scripts-pending allow-scripts-pin audit bin-links browser bypass-2fa color commit-hooks " +
    "dangerously-allow-all-scripts description dev diff-ignore-all-space diff-name-only diff-no-prefix diff-text dry-run engine-strict " +
    "expect-results force foreground-scripts format-package-lock fund git-tag-version global global-style if-present ignore-scripts " +
    "include-attestations include-staged include-workspace-root init-private install-links json legacy-bundling legacy-peer-deps link long " +
    "offline omit-lockfile-registry-resolved optional package-lock package-lock-only packages-all parseable prefer-dedupe prefer-offline " +
    "prefer-online production progress provenance read-only rebuild-bundle save save-bundle save-dev save-exact save-optional save-peer " +
    "save-prod shrinkwrap sign-git-commit sign-git-tag strict-allow-scripts strict-peer-deps strict-ssl timing unicode update-notifier " +
    "usage version versions workspaces workspaces-update yes"
  ).split(" "),
);

const SHORT: OptionRules["short"] = {
  "enjoy-by": "before",
  d: "loglevel=info",
  dd: "loglevel=verbose",
  ddd: "loglevel=silly",
  quiet: "loglevel=warn",
  q: "loglevel=warn",
  s: "loglevel=silent",
  silent: "loglevel=silent",
  verbose: "loglevel=verbose",
  desc: "description",
  help: "usage",
  local: "global=false",
  n: "yes=false",
  no: "yes=false",
  porcelain: "parseable",
  readonly: "read-only",
  reg: "registry",
  iwr: "include-workspace-root",
  ws: "workspaces",
  a: "all",
  c: "call",
  f: "force",
  g: "global",
  L: "location",
  l: "long",
  m: "message",
  p: "parseable",
  C: "prefix",
  S: "save",
  B: "save-bundle",
  D: "save-dev",
  E: "save-exact",
  O: "save-optional",
  P: "save-prod",
  "?": "usage",
  H: "usage",
  h: "usage",
  v: "version",
  w: "workspace",
  y: "yes",
};

const NPM: OptionRules = { values: VALUES, switches: SWITCHES, short: SHORT, abbreviated: true };
// npx reads `-p` as --package and takes the word behind any option it does not know as that option's value.
const NPX: OptionRules = {
  values: VALUES,
  switches: new Set([...SWITCHES, "install"]),
  short: { ...SHORT, p: "package", shell: "script-shell" },
  abbreviated: true,
  unknownTakesValue: true,
};

/** Every command and alias npm knows, typing errors included, with the command it means. */
const COMMANDS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    access: "access",
    adduser: "adduser add-user login",
    "approve-scripts": "approve-scripts",
    audit: "audit",
    bugs: "bugs issues",
    cache: "cache",
    ci: "ci clean-install ic install-clean isntall-clean",
    completion: "completion",
    config: "config c",
    dedupe: "dedupe ddp",
    "deny-scripts": "deny-scripts",
    deprecate: "deprecate",
    diff: "diff",
    "dist-tag": "dist-tag dist-tags",
    docs: "docs home",
    doctor: "doctor",
    edit: "edit",
    exec: "exec x",
    explain: "explain why",
    explore: "explore",
    "find-dupes": "find-dupes",
    fund: "fund",
    get: "get",
    help: "help hlep",
    "help-search": "help-search",
    hook: "hook",
    init: "init create innit",
    install: "install add i in ins inst insta instal isnt isnta isntal isntall",
    "install-ci-test": "install-ci-test cit clean-install-test sit",
    "install-scripts": "install-scripts",
    "install-test": "install-test it",
    link: "link ln",
    ll: "ll la",
    logout: "logout",
    ls: "ls list",
    org: "org ogr",
    outdated: "outdated",
    owner: "owner author",
    pack: "pack",
    ping: "ping",
    pkg: "pkg",
    prefix: "prefix",
    profile: "profile",
    prune: "prune",
    publish: "publish",
    query: "query",
    rebuild: "rebuild rb",
    repo: "repo",
    restart: "restart",
    root: "root",
    run: "run run-script rum urn",
    sbom: "sbom",
    search: "search find s se",
    set: "set",
    shrinkwrap: "shrinkwrap",
    stage: "stage",
    star: "star",
    stars: "stars",
    start: "start",
    stop: "stop",
    team: "team",
    test: "test t tst",
    token: "token",
    trust: "trust",
    undeprecate: "undeprecate",
    uninstall: "uninstall remove rm r un unlink",
    unpublish: "unpublish",
    unstar: "unstar",
    update: "update u up upgrade udpate",
    version: "version verison",
    view: "view info show v",
    whoami: "whoami",
  }).flatMap(([command, names]) => names.split(" ").map((name) => [name, command])),
);

const QUERIES = new Set(
  (
    "access adduser bugs deprecate diff dist-tag docs doctor find-dupes fund hook logout org outdated owner ping profile publish repo " +
    "search stage star stars team token trust undeprecate unpublish unstar view whoami"
  ).split(" "),
);

/** The command npm takes `word` for: camelCase is folded and an unambiguous beginning is enough. */
function commandFor(word: string): string | undefined {
  const name = word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  const meanings = Object.keys(COMMANDS).filter((known) => known.startsWith(name));
  return meanings.length === 1 ? COMMANDS[meanings[0]!] : undefined;
}

function parse(command: string, argv: readonly string[]): Arguments {
  return command === "npx" ? readArguments(argv, NPX, () => true) : readArguments(argv, NPM);
}

function intent(command: string, argv: readonly string[], env: Env): Intent {
  const read = parse(command, argv);
  if (command === "npx") return execIntent(read, 0);
  const { words, options } = read;
  const name = words[0] === undefined ? undefined : commandFor(words[0]);
  const specs = [...words.slice(1), ...read.rest];
  if (name === undefined || isOn(options, "usage", "version")) return { kind: "local" };
  if (QUERIES.has(name)) return { kind: "query" };
  switch (name) {
    case "install":
    case "install-test":
      if (isGlobal(options, env)) return { kind: "global", specs };
      return specs.length > 0 ? { kind: "change", specs } : { kind: "install", frozen: false, ...omitted(options, env) };
    case "ci":
    case "install-ci-test":
      return { kind: "install", frozen: true, ...omitted(options, env) };
    case "update":
    case "uninstall":
    case "dedupe":
    case "prune":
    case "link":
      return isGlobal(options, env) ? { kind: "global", specs } : { kind: "change", specs };
    case "exec":
      return execIntent(read, 1);
    case "init":
      if (specs.length > 0) return { kind: "exec", specs: [createPackage(specs[0]!, true)] };
      // A new workspace is linked into the tree, which installs.
      return options.has("workspace") ? { kind: "change", specs: [] } : { kind: "local" };
    case "audit":
      return specs[0] === "fix" ? { kind: "change", specs: [] } : { kind: "query" };
    case "cache":
      return specs[0] === "add" ? { kind: "query" } : { kind: "local" };
    case "pack":
      return specs.some((spec) => !isPath(spec)) ? { kind: "query" } : { kind: "local" };
    default:
      return { kind: "local" };
  }
}

/** `npx -p a -p b tool` installs a and b; `npx tool@1 args` installs tool@1; `npx -c 'script'` alone installs nothing. */
function execIntent({ words, options, rest }: Arguments, skip: number): Intent {
  if (isOn(options, "usage", "version")) return { kind: "local" };
  const packages = options.get("package") ?? [];
  if (packages.length > 0) return { kind: "exec", specs: packages };
  const first = [...words.slice(skip), ...rest][0];
  if (first === undefined || options.has("call")) return { kind: "local" };
  return { kind: "exec", specs: [first] };
}

function isGlobal(options: Arguments["options"], env: Env): boolean {
  const flag = lastOption(options, "global");
  if (flag !== undefined) return flag !== "false";
  const location = lastOption(options, "location");
  if (location !== undefined) return location === "global";
  return environmentSetting(env, "npm_config_", "global") === "true" || environmentSetting(env, "npm_config_", "location") === "global";
}

function isPath(spec: string): boolean {
  return /^(\.|\/|~\/|file:)/.test(spec);
}

// npm's documentation of `omit`: "'dev' if the NODE_ENV environment variable is set to 'production'; otherwise, empty";
// a kind named by both omit and include is included.
function omitted(options: Arguments["options"], env: Env): { omitDev: boolean; omitOptional: boolean } {
  const list = (name: string): readonly string[] =>
    options.get(name) ?? environmentSetting(env, "npm_config_", name)?.split(/[\s,]+/) ?? [];
  const production =
    isOn(options, "production") ||
    isOff(options, "dev") ||
    lastOption(options, "only")?.startsWith("prod") === true ||
    (lastOption(options, "production") === undefined && environmentSetting(env, "npm_config_", "production") === "true");
  const omit = list("omit");
  const include = list("include");
  const wantsDev = include.includes("dev") || isOn(options, "dev") || lastOption(options, "also")?.startsWith("dev") === true;
  const byDefault = omit.length === 0 && env["NODE_ENV"] === "production" && !isOff(options, "production");
  const optionalOff = isOff(options, "optional") || environmentSetting(env, "npm_config_", "optional") === "false";
  return {
    omitDev: !wantsDev && (omit.includes("dev") || production || byDefault),
    omitOptional: !include.includes("optional") && (omit.includes("optional") || optionalOff),
  };
}

export const npm: Client = {
  id: "npm",
  commands: ["npm", "npx"],
  lockfiles: ["npm-shrinkwrap.json", "package-lock.json"],
  intent,
  read: parse,
  directory(command, argv) {
    const { options } = parse(command, argv);
    // With --global it says where programs for the whole machine go, and the project is where npm was started.
    return isGlobal(options, {}) ? undefined : lastOption(options, "prefix");
  },
  directoryIs: "root",
  environment,
};
