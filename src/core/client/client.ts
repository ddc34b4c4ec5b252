/** One package manager, as cordon deals with it: names, files, environment, and which commands touch the registry. One file a client beside this. */

import type { Arguments } from "./arguments.ts";

export type ClientId = "npm" | "pnpm" | "yarn-classic" | "yarn-berry" | "bun" | "deno";

/** What a command line of the client is about to do. */
export type Intent =
  /** Installs what manifests and lockfile say (`install`, `ci`, `i` without names). */
  | {
      readonly kind: "install";
      readonly frozen: boolean;
      readonly omitDev: boolean;
      readonly omitOptional: boolean;
      /** The folder it fills when that is not the project's own (`pnpm deploy out`), as written. */
      readonly into?: string;
    }
  /** Changes what is installed: `add x`, `install x`, `update`, `remove`. `specs` are the packages named. */
  | { readonly kind: "change"; readonly specs: readonly string[] }
  /** Fetches and runs a package outside the project: npx, dlx, bunx, `npm exec`, `npm create`. */
  | { readonly kind: "exec"; readonly specs: readonly string[] }
  /** `install -g`. */
  | { readonly kind: "global"; readonly specs: readonly string[] }
  /** Talks to the registry without installing: view, outdated, audit, search, ping. */
  | { readonly kind: "query" }
  /** Runs something local: run, test, start, help, version, config. Gets registry variables only. */
  | { readonly kind: "local" };

/** An edit `cordon setup` makes to one of the client's own files. `before` undefined = the file does not exist. */
export type FileEdit = { readonly path: string; readonly before: string | undefined; readonly after: string };

/**
 * `root`: lockfile and `node_modules` stand there, whatever is above. `project`: a workspace above may count it among its members.
 * `inside`: somewhere in a project. Measured with npm 10 to 12, pnpm 9 to 12, both yarns and bun.
 */
export type DirectoryIs = "root" | "project" | "inside";

export type Client = {
  readonly id: ClientId;
  /** Command names that start it: `npm`, `npx`; `pnpm`, `pnpx`, `pnpm dlx`; … */
  readonly commands: readonly string[];
  /** Lockfile names it writes, most specific first. */
  readonly lockfiles: readonly string[];
  intent(command: string, argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Intent;
  /** The command line as the client's own parser reads it. */
  read(command: string, argv: readonly string[]): Arguments;
  /** The folder the command line sends the client to (`npm --prefix x ci`, `pnpm -C x i`), as written; undefined = where it was started. */
  directory(command: string, argv: readonly string[]): string | undefined;
  /** What that folder is to the client. Where it was started, all look for a project upwards. */
  readonly directoryIs: DirectoryIs;
  /** Environment that points it at `registry` (base URL with trailing slash); see W1 and W4. */
  environment(registry: string, version: string): Readonly<Record<string, string>>;
};
