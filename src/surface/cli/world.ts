/** What the command line needs from the machine, handed in by `main.ts`: so that tests run every command in process with their own clock. */
import type { App } from "../../app/app.ts";
import type { Settings } from "../../core/config/settings.ts";
import type { Clock } from "../../core/base/time.ts";
import type { CommonFlags } from "./io.ts";
import type { ListenAt } from "../gate/listen.ts";

/** The verbs over an open data directory. */
export type OpenApp = App & {
  readonly settings: Settings;
  readonly dataDir: string;
  /** Upstream base URL without credentials, and where it was configured. */
  readonly upstream: { readonly base: string; readonly source: string };
  /** Whether a version noted as held still is. */
  stillWithheld(name: string, version: string): Promise<boolean>;
  close(): Promise<void>;
};

export type GateInstance = { readonly url: string; readonly pid: number; readonly instance: string };

export type World = {
  readonly clock: Clock;
  /** Settings without opening anything. */
  settings(flags: CommonFlags, more?: Readonly<Record<string, string>>): Promise<Settings>;
  open(flags: CommonFlags, more?: Readonly<Record<string, string>>): Promise<OpenApp>;
  /** Who is at the keyboard: the owner of what is decided. */
  user(): string;
  readText(path: string): Promise<string>;
  /** Where `bin/cordon.js` stands as a command, for the PATH line. */
  binDirectory(): string | undefined;
  /** Resolves with the signal that asks this process to end. */
  stopped(): Promise<string>;
  log(level: string): (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
  /** The running gate of a data directory, if it answers. */
  liveGate(dataDir: string): Promise<GateInstance | undefined>;
  announceGate(dataDir: string, gate: GateInstance): Promise<void>;
  withdrawGate(dataDir: string, gate: GateInstance): Promise<void>;
  /** Says whose a busy port is, when it answers as cordon. */
  whose(at: ListenAt): Promise<string | undefined>;
  readonly hopHeader: string;
  readonly maxHops: number;
};
