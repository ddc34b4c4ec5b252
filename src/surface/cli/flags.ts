/** Flags every command takes, and how a wrapped client's command line is told apart from cordon's own. */
import { Fault } from "../../core/base/fault.ts";
import { COMMANDS } from "../../core/client/table.ts";
import type { CommonFlags } from "./io.ts";

export const COMMON_FLAGS: readonly (readonly [string, string])[] = [
  ["--json", "one JSON document on stdout, with a schema field"],
  ["--data <dir>", "data directory (CORDON_DATA)"],
  ["--config <file>", "the machine's cordon.yaml (CORDON_CONFIG)"],
  ["--upstream <url>", "registry to fetch from (CORDON_UPSTREAM)"],
  ["--offline", "ask no registry; decide from what is stored"],
];

/** `--data DIR why axios` → `why axios --data DIR`: common flags may stand before a command too, as they do before a client. */
export function commandFirst(argv: readonly string[]): readonly string[] {
  let i = 0;
  while (i < argv.length && /^--(?:json|offline|(?:data|config|upstream)(?:=|$))/.test(argv[i]!))
    i += /^--(?:data|config|upstream)$/.test(argv[i]!) ? 2 : 1;
  return [...argv.slice(i), ...argv.slice(0, i)];
}

/**
 * `--data DIR npm ci --json` → cordon's flags, the client, and the client's arguments untouched.
 * Undefined when the first word that is no flag of ours is not a client.
 */
export function splitWrapped(argv: readonly string[]): { flags: CommonFlags; client: string; args: readonly string[] } | undefined {
  const flags: { json?: boolean; offline?: boolean; data?: string; config?: string; upstream?: string } = {};
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i]!;
    if (COMMANDS.includes(word)) return { flags, client: word, args: argv.slice(i + 1) };
    if (word === "--json") flags.json = true;
    else if (word === "--offline") flags.offline = true;
    else {
      const match = /^--(data|config|upstream)(?:=(.*))?$/s.exec(word);
      if (!match) return undefined;
      const value = match[2] ?? argv[++i];
      if (value === undefined) throw new Fault("USAGE", `--${match[1]} needs a value`);
      flags[match[1] as "data" | "config" | "upstream"] = value;
    }
  }
  return undefined;
}
