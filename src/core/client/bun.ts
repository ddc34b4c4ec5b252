/** bun, and bunx. */
import { type Arguments, type OptionRules, createPackage, isOff, isOn, lastOption, readArguments } from "./arguments.ts";
import type { Client, Intent } from "./client.ts";
import { environment } from "./environment.ts";

const RULES: OptionRules = {
  values: new Set(
    (
      "access audit-level auth-type backend ca cache-dir cafile catalog concurrent-scripts config cpu cwd depth elide-lines env-file eval filter " +
      "gzip-level ignore import libc linker minimum-release-age minimum-release-age-excludes network-concurrency omit os otp package patches-dir " +
      "preload print registry require shell tag"
    ).split(" "),
  ),
  short: {
    h: "help",
    v: "version",
    g: "global",
    d: "dev",
    D: "dev",
    E: "exact",
    f: "force",
    F: "filter",
    c: "config",
    y: "yarn",
    p: "production",
    r: "preload",
  },
};
/** bunx reads `-p` as --package. */
const BUNX: OptionRules = { ...RULES, short: { ...RULES.short, p: "package" } };

const CHANGES: Readonly<Record<string, true>> = Object.fromEntries(
  "add a remove r rm uninstall update up dedupe prune link unlink init".split(" ").map((name) => [name, true]),
);
const QUERIES = new Set(["outdated", "audit", "info", "publish", "patch"]);
const INSTALLS = new Set(["install", "i", "ci"]);
const KNOWN = new Set([...Object.keys(CHANGES), ...QUERIES, ...INSTALLS, "x", "c", "create", "pm", "patch-commit"]);

function parse(command: string, argv: readonly string[]): Arguments {
  if (command === "bunx") return readArguments(argv, BUNX, () => true);
  if (argv.find((argument) => !argument.startsWith("-")) === "x") return readArguments(argv, BUNX, (words) => words.length === 2);
  return readArguments(
    argv,
    RULES,
    (words) => !KNOWN.has(words[0]!) || (words.length === 2 && (words[0] === "c" || words[0] === "create")),
  );
}

function intent(command: string, argv: readonly string[]): Intent {
  const { words, options, rest } = parse(command, argv);
  if (isOn(options, "help", "version", "revision")) return { kind: "local" };
  if (command === "bunx") return execIntent(words[0], options);
  const [name = "", ...more] = words;
  const specs = [...more, ...rest];
  if (INSTALLS.has(name)) {
    if (isOn(options, "global")) return { kind: "global", specs };
    if (specs.length > 0) return { kind: "change", specs };
    return { kind: "install", frozen: name === "ci" || isOn(options, "frozen-lockfile"), ...omitted(options) };
  }
  if (Object.hasOwn(CHANGES, name)) return { kind: isOn(options, "global") ? "global" : "change", specs: name === "init" ? [] : specs };
  if (QUERIES.has(name)) return { kind: "query" };
  switch (name) {
    case "x":
      return execIntent(more[0], options);
    case "c":
    case "create": {
      const template = more[0];
      if (template === undefined) return { kind: "local" };
      // A path, a component file or a GitHub repository is copied, then its dependencies are installed.
      const copied = /^\.|\.[jt]sx$|^https?:/.test(template) || (/\//.test(template) && !template.startsWith("@"));
      return copied ? { kind: "change", specs: [] } : { kind: "exec", specs: [createPackage(template)] };
    }
    case "pm":
      return more[0] === "view" || more[0] === "diff" ? { kind: "query" } : { kind: "local" };
    case "patch-commit":
      return { kind: "install", frozen: false, omitDev: false, omitOptional: false };
    default:
      return { kind: "local" };
  }
}

function execIntent(tool: string | undefined, options: Arguments["options"]): Intent {
  if (isOff(options, "install")) return { kind: "local" };
  const packages = options.get("package") ?? [];
  if (packages.length > 0) return { kind: "exec", specs: packages };
  return tool === undefined ? { kind: "local" } : { kind: "exec", specs: [tool] };
}

/** The command line alone decides: bun reads neither NODE_ENV nor `npm_config_omit` (measured). */
function omitted(options: Arguments["options"]): { omitDev: boolean; omitOptional: boolean } {
  const omit = options.get("omit") ?? [];
  return {
    omitDev: omit.includes("dev") || isOn(options, "production"),
    omitOptional: omit.includes("optional") || isOff(options, "optional"),
  };
}

export const bun: Client = {
  id: "bun",
  commands: ["bun", "bunx"],
  lockfiles: ["bun.lock", "bun.lockb"],
  intent,
  read: parse,
  directory: (command, argv) => lastOption(parse(command, argv).options, "cwd"),
  directoryIs: "inside",
  environment,
};
