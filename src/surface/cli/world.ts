/** What the command line needs from the machine, handed in by `main.ts`: so that tests run every command in process with their own clock. */
import type { Advisories } from "../../app/advisories.ts";
import type { App } from "../../app/app.ts";
import type { ExposurePorts } from "../../app/expose.ts";
import type { IncidentPorts } from "../../app/incidents.ts";
import type { DoctorHost } from "../../app/doctor-host.ts";
import type { FileActions, ResponseStore, Surveyor } from "../../app/respond.ts";
import type { ProjectPorts } from "../../app/respond-projects.ts";
import type { TokenApi } from "../../app/respond-tokens.ts";
import type { SetupHost } from "../../app/setup.ts";
import type { TrustRefresh } from "../../core/attest/trust-refresh.ts";
import type { Clock, Instant } from "../../core/base/time.ts";
import type { Client, Intent } from "../../core/client/client.ts";
import type { SettingsFile } from "../../core/client/findings.ts";
import type { Installed } from "../../core/client/installed.ts";
import type { Resolved, Settings } from "../../core/config/settings.ts";
import type { Alert } from "../../core/ledger/alert.ts";
import type { ResolvedTree } from "../../core/lockfile/tree.ts";
import type { Verdict } from "../../core/policy/verdict.ts";
import type { BundleCheck } from "../../core/response/bundle.ts";
import type { Platform } from "../../app/wrap-lock.ts";
import type { ListenAt } from "../gate/listen.ts";
import type { CheckWorld } from "./check.ts";
import type { GateApi } from "./gate-api.ts";
import type { CommonFlags } from "./io.ts";

/** The verbs over an open data directory. */
export type OpenApp = App & {
  readonly settings: Settings;
  readonly dataDir: string;
  /** Upstream base URL without credentials, and where it was configured. */
  readonly upstream: {
    readonly base: string;
    readonly source: string;
    readonly scopes: readonly string[];
    /** Base URLs of the scopes' own registries. */
    readonly scoped: readonly string[];
    readonly notes: readonly string[];
  };
  /** What stands at the upstream: a registry, another gate, or the gate with this instance id, which is a loop. */
  identifyUpstream(instance: string): Promise<{ readonly kind: "registry" | "gate" | "loop" | "unknown" }>;
  /** This process stays: until `close` feeds are read by themselves, and alerts that earlier ones could not deliver are told. */
  stays(): void;
  /** Tells what processes that ended could not deliver. */
  tellLeftOver(): void;
  /** The verdict on what is stored, without asking a registry; undefined when nothing is. */
  verdictNow(name: string, version: string): Promise<Verdict | undefined>;
  close(): Promise<void>;
};

export type FoundClient = {
  readonly client: Client;
  /** Absolute path of the real program. */
  readonly path: string;
  readonly version: string;
  readonly major: number | undefined;
  /** Started through a script of a shell, which drops variables with names like `npm_config_@acme:registry`. */
  readonly throughShell: boolean;
};

export type LockfileOnDisk = {
  readonly path: string;
  readonly name: string;
  readonly tree: ResolvedTree;
  /** Absent for a binary one. */
  readonly text?: string;
};

export type ProjectOnDisk = {
  /** Absolute. */
  readonly root: string;
  readonly workspaces: readonly string[];
  /** Where the command line sends the client. */
  readonly directory: string;
  /** Label for the gate's records. */
  readonly label: string;
  /** Lockfiles of the client that runs. */
  readonly lockfiles: readonly LockfileOnDisk[];
  /** Declared ranges of root and workspaces: name and range, aliases as written. */
  readonly ranges: readonly (readonly [string, string])[];
  /** Settings files of project, user and machine. */
  readonly settings: readonly SettingsFile[];
  /** Registries those files name: a gate among them is the project's own. */
  readonly registries: readonly { readonly url: string; readonly byProject: boolean }[];
  readonly platform: Platform;
};

/** Takes the gate out of a lockfile's text; undefined = nothing to change. `before` is its text before the run. */
export type Normalise = (file: {
  readonly path: string;
  readonly before: string | undefined;
  readonly now: string;
  readonly gate: string;
  /** Absent in journals of an earlier cordon. */
  readonly upstream: string | undefined;
}) => string | undefined;

export type LockfileOutcome = {
  readonly path: string;
  readonly result: "unchanged" | "restored" | "written" | "normalised" | "removed" | "edited";
};

/** The machine as the wrapper needs it. */
export type Host = {
  /** The real client behind a command name; Fault CLIENT_MISSING. */
  find(command: string, cwd: string): Promise<FoundClient>;
  project(found: FoundClient, command: string, args: readonly string[], cwd: string): Promise<ProjectOnDisk>;
  /** The client's lockfiles as they are now. */
  lockfiles(project: ProjectOnDisk, client: Client): readonly LockfileOnDisk[];
  /** Runs it with our stdio; resolves with its exit status (128 + signal number when it was killed). */
  run(
    path: string,
    args: readonly string[],
    how: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>>; readonly toStderr?: boolean },
  ): Promise<number>;
  installed(request: {
    readonly found: FoundClient;
    readonly intent: Intent;
    readonly project: ProjectOnDisk;
    readonly args: readonly string[];
    readonly since: Instant;
  }): Promise<Installed>;
  /** Opens the CONNECT guard: `registries` and the public ones are reached through the gate or not at all. */
  guard(request: { readonly client: Client; readonly gate: string; readonly registries: readonly string[] }): Promise<{
    readonly variables: Readonly<Record<string, string>>;
    attempts(): readonly { readonly host: string; readonly port: number }[];
    close(): Promise<void>;
  }>;
  /** Lockfiles of the project that another living run has pointed at its gate. */
  busy(dataDir: string, project: ProjectOnDisk, client: Client): readonly string[];
  /** Writes the edits for the run, journalled; `finish` puts every lockfile back into its own form. `busy`: another run has them in hand. */
  begin(
    dataDir: string,
    request: {
      readonly project: ProjectOnDisk;
      readonly client: Client;
      readonly gate: string;
      readonly upstream: string;
      readonly edits: ReadonlyMap<string, string>;
    },
  ): { readonly busy: readonly string[] } | { finish(normalise: Normalise): readonly LockfileOutcome[] };
  /** Repairs lockfiles that killed runs left pointing at their gate. */
  repair(dataDir: string, normalise: Normalise): readonly LockfileOutcome[];
};

export type LockfileHost = {
  /** Any lockfile, by its path from where the command was started. */
  lockfileAt(
    file: string,
  ): Promise<{ readonly folder: string; readonly name: string; readonly content: Uint8Array | { readonly why: string } }>;
};

export type GateInstance = { readonly url: string; readonly pid: number; readonly instance: string };

export type World = {
  readonly clock: Clock;
  /** Loaded when a client is wrapped. */
  host(): Promise<Host>;
  /** Settings files, clients and lockfiles of a project. Loaded by setup, doctor and what mends a project. */
  projectHost(): Promise<SetupHost & DoctorHost & LockfileHost>;
  /** Settings and policy without opening anything. */
  resolve(flags: CommonFlags, more?: Readonly<Record<string, string>>): Promise<Resolved>;
  dataDir(flags: CommonFlags): Promise<string>;
  /** The machine's cordon.yaml; no text: there is none yet. `write` replaces it in one step. Raises a Fault where the project's own is named. */
  machineConfig(
    flags: CommonFlags,
  ): Promise<{ readonly path: string; readonly text: string | undefined; write(text: string): Promise<void> }>;
  /** Whether a gate that only the project names is one of the user's: on this machine, or his own npm configuration holds its token. */
  isOwnGate(url: string): Promise<boolean>;
  /** The API of the gate at a base URL; `answers` is false when there is none. */
  gateApi(url: string): Promise<GateApi>;
  /** Incident packs, shipped and imported, and the readers of evidence. */
  incidents(flags: CommonFlags): Promise<IncidentPorts & ExposurePorts>;
  /** Responses of the data directory, and what carries their steps out on this machine. */
  response(
    flags: CommonFlags,
  ): Promise<
    ResponseStore &
      FileActions &
      Surveyor &
      Pick<ProjectPorts, "branches" | "readFolder" | "inFolder"> & { verifyBundle(folder: string): BundleCheck }
  >;
  /** Tokens of the account at the upstream registry. Fault OFFLINE where nobody may be asked. */
  tokens(flags: CommonFlags): Promise<TokenApi>;
  /** The feeds of the data directory. */
  advisories(flags: CommonFlags): Promise<Advisories>;
  /** The keys and authorities that signatures are checked with. */
  trust(flags: CommonFlags): Promise<{
    load(): Promise<{
      readonly source: "shipped" | "stored";
      readonly digest: string;
      readonly from?: string;
      readonly at?: Instant;
      readonly ignored?: string;
    }>;
    /** Raises a Fault when the texts cannot be used or hold less than what is believed now. */
    keep(texts: { readonly root?: string; readonly keys?: string }, from: string): Promise<void>;
    /** Takes newer ones from Sigstore's repository; what stood in the way is part of the answer. */
    refresh(): Promise<TrustRefresh>;
  }>;
  /** What `cordon check` needs; `online`: the registry may be asked. */
  check(flags: CommonFlags, how: { readonly online: boolean; readonly preset?: string }): Promise<CheckWorld>;
  /** One try to tell each configured target, and what came of it. */
  tryAlerts(
    flags: CommonFlags,
    alert: Alert,
  ): Promise<
    readonly { readonly target: string; readonly result: { readonly ok: true } | { readonly ok: false; readonly message: string } }[]
  >;
  open(flags: CommonFlags, more?: Readonly<Record<string, string>>): Promise<OpenApp>;
  /** Who is at the keyboard: the owner of what is decided. */
  user(): string;
  readText(path: string): Promise<string>;
  /** What another machine reported, which may be large. */
  readReport(path: string): Promise<string>;
  /** A tarball on this machine, of the size that is analysed at most. */
  readTarball(path: string): Promise<Uint8Array>;
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
