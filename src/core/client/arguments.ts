/** Reads a client's argument vector the way the client's own option parser does, as far as cordon needs it: which words are the command, which are values. */

/** What a client's parser knows about its options. Names are long names without dashes. */
export type OptionRules = {
  /** Options that take the next argument as their value. */
  readonly values: ReadonlySet<string>;
  /** Short forms: `D` → `dev`, `P` → `omit=dev`, `ws` → `workspaces`. */
  readonly short: Readonly<Record<string, string>>;
  /** Options that take none. Needed only where the two fields below look at them. */
  readonly switches?: ReadonlySet<string>;
  /** npm and pnpm up to 11 accept any unambiguous beginning of a long option. */
  readonly abbreviated?: boolean;
  /** npx takes the word after an option it does not know as that option's value. */
  readonly unknownTakesValue?: boolean;
};

export type Arguments = {
  /** Words that are neither options nor values, in order; the first is usually the command. */
  readonly words: readonly string[];
  /** Every value given to an option; a switch has `"true"` or, written `--no-x`, `"false"` under `x`. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** What stands after `--`, or after the word that made `stop` true: arguments of another program. */
  readonly rest: readonly string[];
};

/**
 * `stop` is asked after each word; when it answers true, everything behind that word belongs to the program the client starts
 * (`npx tool --flag`, `pnpm run build --flag`) and is not read as the client's options.
 */
export function readArguments(
  argv: readonly string[],
  rules: OptionRules,
  stop: (words: readonly string[]) => boolean = () => false,
): Arguments {
  const words: string[] = [];
  const options = new Map<string, string[]>();
  const add = (name: string, value: string): void => void options.set(name, [...(options.get(name) ?? []), value]);

  let at = 0;
  for (; at < argv.length; at++) {
    const argument = argv[at]!;
    if (argument === "--") return { words, options, rest: argv.slice(at + 1) };
    if (!argument.startsWith("-") || argument === "-") {
      words.push(argument);
      if (stop(words)) return { words, options, rest: argv.slice(at + 1) };
      continue;
    }
    for (const { name, value } of optionsOf(argument, rules)) {
      const next = argv[at + 1];
      if (value !== undefined) add(name, value);
      else if (takesValue(name, rules) && next !== undefined && !next.startsWith("-")) {
        add(name, next);
        at++;
      } else if (next === "true" || next === "false") {
        // `--production false`: the switch takes the literal, as nopt and commander both do.
        add(name, next);
        at++;
      } else if (name.startsWith("no-")) add(name.slice(3), "false");
      else add(name, "true");
    }
  }
  return { words, options, rest: [] };
}

function takesValue(name: string, rules: OptionRules): boolean {
  if (rules.values.has(name)) return true;
  return rules.unknownTakesValue === true && !rules.switches?.has(name) && !rules.switches?.has(name.replace(/^no-/, ""));
}

function optionsOf(argument: string, rules: OptionRules): { name: string; value: string | undefined }[] {
  const equals = argument.indexOf("=");
  const head = equals < 0 ? argument : argument.slice(0, equals);
  const value = equals < 0 ? undefined : argument.slice(equals + 1);
  const name = head.replace(/^--?/, "");
  if (Object.hasOwn(rules.short, name)) return [expand(rules.short[name]!, value)];
  // `-gD` is `-g -D`; a value can only belong to the last letter.
  const letters = [...name];
  if (!head.startsWith("--") && !known(name, rules) && letters.every((letter) => Object.hasOwn(rules.short, letter)))
    return letters.map((letter, index) => expand(rules.short[letter]!, index === letters.length - 1 ? value : undefined));
  return [{ name: fullName(name, rules), value }];
}

function expand(meaning: string, value: string | undefined): { name: string; value: string | undefined } {
  const equals = meaning.indexOf("=");
  return equals < 0 ? { name: meaning, value } : { name: meaning.slice(0, equals), value: meaning.slice(equals + 1) };
}

function known(name: string, rules: OptionRules): boolean {
  return rules.values.has(name) || rules.switches?.has(name) === true;
}

function fullName(name: string, rules: OptionRules): string {
  if (!rules.abbreviated || known(name, rules)) return name;
  const candidates = [...rules.values, ...(rules.switches ?? [])].filter((option) => option.startsWith(name));
  return candidates.length === 1 ? candidates[0]! : name;
}

/** The last value of an option, the one that counts in every client. */
export function lastOption(options: Arguments["options"], ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = options.get(name)?.at(-1);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** True when the switch is on. */
export function isOn(options: Arguments["options"], ...names: readonly string[]): boolean {
  return names.some((name) => {
    const value = options.get(name)?.at(-1);
    return value !== undefined && value !== "false";
  });
}

/** True when the switch is off by name (`--no-optional`, `--optional=false`). */
export function isOff(options: Arguments["options"], name: string): boolean {
  return options.get(name)?.at(-1) === "false";
}

/** Brings only the lockfile up to date, or only tells; what is fetched meanwhile (yarn 4 for checksums, bun) stays in the cache. */
export function installsNothing(options: Arguments["options"]): boolean {
  return isOn(options, "package-lock-only", "lockfile-only", "dry-run") || lastOption(options, "mode") === "update-lockfile";
}

/** A client's setting in the environment; the prefix is matched without regard to case, `-` and `_` alike, as the clients do. */
export function environmentSetting(
  env: Readonly<Record<string, string | undefined>>,
  prefix: "npm_config_" | "pnpm_config_" | "yarn_",
  name: string,
): string | undefined {
  const wanted = `${prefix}${name}`.replaceAll("-", "_");
  for (const [key, value] of Object.entries(env))
    if (value !== undefined && value !== "" && key.toLowerCase().replaceAll("-", "_") === wanted) return value;
  return undefined;
}

/** Continuous integration as the clients detect it: `CI` set to anything but an explicit no. */
export function inCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return env["CI"] !== undefined && env["CI"] !== "" && env["CI"] !== "false" && env["CI"] !== "0";
}

/**
 * The package that `create x` runs: `vite@5` → `create-vite@5`, `@scope` → `@scope/create`, `@scope/kit@1` → `@scope/create-kit@1`.
 * npm prefixes even a name that has the prefix (`always`). What is no registry name is handed back as it stands.
 */
export function createPackage(initializer: string, always = false): string {
  const match = /^(?:(@[^/@]+)(?:\/([^/@]+))?|([^/@:]+))(@.*)?$/.exec(initializer);
  if (!match) return initializer;
  const [, scope, scoped, plain, version = ""] = match;
  const prefixed = (name: string): string => (!always && name.startsWith("create-") ? name : `create-${name}`);
  if (plain !== undefined) return `${prefixed(plain)}${version}`;
  return `${scope}/${scoped === undefined || (!always && scoped === "create") ? "create" : prefixed(scoped)}${version}`;
}
