/**
 * What editors, agents and hooks start by name: `npx -y server@latest` and its like, in any JSON file that holds commands. No lockfile pins
 * these; they run what the registry calls newest at that moment.
 */

export type Launched = { readonly name: string; readonly range: string };

const RUNNERS = new Set(["npx", "bunx", "pnpx"]);
const SPEC = /^((?:@[\w.~-]+\/)?[\w.~-]+)(?:@(.+))?$/;
const DEPTH = 30;

/** `value` is what JSON gave; strings that are whole command lines count too. */
export function launchedBy(value: unknown, depth = 0): readonly Launched[] {
  if (depth > DEPTH) return [];
  if (typeof value === "string") return ofLine(value);
  if (Array.isArray(value)) return value.flatMap((one) => launchedBy(one, depth + 1));
  if (typeof value !== "object" || value === null) return [];
  const { command, args } = value as Record<string, unknown>;
  const own =
    typeof command === "string" && Array.isArray(args) ? ofWords([command, ...args.filter((one) => typeof one === "string")]) : [];
  return [...own, ...Object.values(value).flatMap((one) => launchedBy(one, depth + 1))];
}

/** Every command of a shell line, split at `&&`, `;` and `|`. */
function ofLine(line: string): readonly Launched[] {
  if (!/\b(?:npx|bunx|pnpx|dlx|npm exec)\b/.test(line)) return [];
  return line.split(/&&|\|\|?|;/).flatMap((command) => ofWords(command.trim().split(/\s+/)));
}

function ofWords(words: readonly string[]): readonly Launched[] {
  const start = words.findIndex(
    (word, i) =>
      RUNNERS.has(baseName(word)) ||
      (word === "dlx" && /^(?:pnpm|yarn)$/.test(baseName(words[i - 1] ?? ""))) ||
      (word === "exec" && baseName(words[i - 1] ?? "") === "npm"),
  );
  if (start < 0) return [];
  const rest = words.slice(start + 1);
  const named = rest.flatMap((word, i) =>
    /^(?:-p|--package)$/.test(word) ? (rest[i + 1] ?? []) : (/^--package=(.+)$/.exec(word)?.[1] ?? []),
  );
  const first = rest.find((word, i) => !word.startsWith("-") && !/^(?:-p|--package)$/.test(rest[i - 1] ?? ""));
  const specs = named.length > 0 ? named : first === undefined ? [] : [first];
  return specs.flatMap((spec) => {
    const match = SPEC.exec(spec.replaceAll(/["']/g, ""));
    return match === null ? [] : [{ name: match[1]!, range: match[2] ?? "latest" }];
  });
}

/** `/usr/bin/npx` and `npx.cmd` are npx. */
function baseName(word: string): string {
  return word.replace(/^.*[\\/]/, "").replace(/\.(?:cmd|exe|ps1)$/i, "");
}

/** Every command line among the settings: what stands under `command`, with its `args`. */
export function commandsOf(value: unknown, depth = 0): readonly string[] {
  if (depth > DEPTH || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one) => commandsOf(one, depth + 1));
  const { command, args } = value as Record<string, unknown>;
  const own = [command, ...(Array.isArray(args) ? args : [])].filter((one) => typeof one === "string").join(" ");
  return [...(own === "" ? [] : [own]), ...Object.values(value).flatMap((one) => commandsOf(one, depth + 1))];
}
