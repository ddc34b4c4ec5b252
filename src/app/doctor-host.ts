/** What `cordon doctor` needs from the machine and the network; edge/host/project-host.ts fits it. */
import type { Instant } from "../core/base/time.ts";
import type { ClientId } from "../core/client/client.ts";
import type { SettingsFile } from "../core/client/findings.ts";
import type { GateDecision, GateLook } from "../core/client/gate-look.ts";
import type { TrialEnd } from "../core/client/trial.ts";

/** A client's program on this machine. */
export type Program = {
  readonly client: ClientId;
  readonly binary: string;
  readonly version: string | undefined;
  readonly major: number | undefined;
};

/** Asks gates and upstreams from where the clients stand; see edge/upstream/gate-look.ts. */
export type Looker = {
  look(registry: string): Promise<GateLook>;
  decisions(base: string, since: Instant, project: string | undefined): Promise<readonly GateDecision[] | { readonly why: string }>;
  givesTime(base: string, name: string): Promise<boolean | undefined>;
  clockAt(base: string): Promise<{ readonly theirs: Instant; readonly ours: Instant } | { readonly why: string }>;
  close(): Promise<void>;
};

export type LockfileBytes = { readonly client: ClientId; readonly name: string; readonly content: Uint8Array | { readonly why: string } };

/** `root` is undefined outside a project, here and below. */
export type DoctorHost = {
  readonly env: Readonly<Record<string, string | undefined>>;
  looker(root: string | undefined): Promise<Looker>;
  /** Settings files of the project, the user and the machine. */
  settings(root: string | undefined): Promise<readonly SettingsFile[]>;
  find(command: string, root: string | undefined): Promise<Program | { readonly missing: string }>;
  tryClient(request: {
    readonly program: Program;
    readonly root: string | undefined;
    readonly dependency: string;
    readonly packageManager?: string;
  }): Promise<TrialEnd>;
  lockfiles(root: string): Promise<readonly LockfileBytes[]>;
  /** Names the project declares. */
  dependencies(root: string): Promise<readonly string[]>;
  warmCaches(client: ClientId): Promise<readonly string[]>;
  /** 16 random characters of [a-z0-9]. */
  nonce(): string;
};

export type DoctorRequest = {
  readonly root: string | undefined;
  /** The clients the project uses; all when there is no project. */
  readonly clients: readonly ClientId[];
  readonly packageManager?: string;
  /** URL of the gate that runs on this machine, if one does: used when no setting names one. */
  readonly live: string | undefined;
  /** Ask neither the upstream nor, through the gate, for a package. */
  readonly offline: boolean;
  readonly onProgress?: (text: string) => void;
};

/** A client the project uses, and the program that stands for it here. */
export type Candidate = { readonly client: ClientId; readonly command: string; readonly found: Program | { readonly missing: string } };

/** A gate that answered. */
export type AnsweringGate = {
  readonly base: string;
  /** The label in the URL that named it. */
  readonly project: string | undefined;
  /** The setting that names it, or `running on this machine`. */
  readonly where: string;
  readonly look: Extract<GateLook, { readonly kind: "gate" }>;
};

/** What every part of one examination works with. */
export type Visit = {
  readonly host: DoctorHost;
  readonly looker: Looker;
  readonly request: DoctorRequest;
  readonly gate: AnsweringGate;
  /** Settings files of project, user and machine. */
  readonly files: readonly SettingsFile[];
};
