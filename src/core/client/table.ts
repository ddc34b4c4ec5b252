/** The clients cordon can stand in front of. */
import type { LockfileKind } from "../lockfile/tree.ts";
import { bun } from "./bun.ts";
import type { Client, ClientId } from "./client.ts";
import { deno } from "./deno.ts";
import { npm } from "./npm.ts";
import { pnpm } from "./pnpm.ts";
import { yarnBerry } from "./yarn-berry.ts";
import { yarnClassic } from "./yarn-classic.ts";

export const CLIENTS: Readonly<Record<ClientId, Client>> = {
  npm,
  pnpm,
  "yarn-classic": yarnClassic,
  "yarn-berry": yarnBerry,
  bun,
  deno,
};

/** Who writes a lockfile; absent where nobody cordon knows does (bun's binary form is no longer written). */
export const LOCKFILE_CLIENTS: Readonly<Partial<Record<LockfileKind, ClientId>>> = {
  "package-lock": "npm",
  "npm-shrinkwrap": "npm",
  "npm-hidden": "npm",
  pnpm: "pnpm",
  "yarn-classic": "yarn-classic",
  "yarn-berry": "yarn-berry",
  bun: "bun",
  deno: "deno",
};

/** Every command name that can stand behind `cordon`. */
export const COMMANDS: readonly string[] = [...new Set(Object.values(CLIENTS).flatMap((client) => client.commands))];

/** The client a command starts; `berry` says which yarn it is. Undefined when the command is none of theirs. */
export function clientFor(command: string, { berry }: { readonly berry: boolean }): Client | undefined {
  return Object.values(CLIENTS).find(
    (client) => client.commands.includes(command) && (!client.id.startsWith("yarn-") || (client.id === "yarn-berry") === berry),
  );
}
