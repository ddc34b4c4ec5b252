/**
 * A plan of response: an ordered graph of steps that leaves the one who carries it out no choice. It is data, it never changes once made,
 * and its id is the digest of its content: two responders who hold the same id hold the same plan.
 */
import { canonical, sha256 } from "../base/digest.ts";
import type { Answer } from "../exposure/judge.ts";
import type { Secret } from "./secrets.ts";

/**
 * In the order in which they are shown. What must wait for what stands in `AFTER`: some payloads destroy files when a stolen token stops
 * working, so credentials are revoked only after the machine is cut off, its evidence is kept and what persists there is gone.
 */
export const PHASES = [
  "declare",
  "isolate",
  "preserve",
  "persistence",
  "rotate",
  "purge",
  "rollback",
  "revalidate",
  "verify",
  "report",
] as const;
export type Phase = (typeof PHASES)[number];

/** The phases whose every step must be over before a step of this phase may begin. Denying waits for nobody and nobody isolates too early. */
export const AFTER: Readonly<Record<Phase, readonly Phase[]>> = {
  declare: [],
  isolate: [],
  preserve: ["isolate"],
  persistence: ["isolate", "preserve"],
  rotate: ["isolate", "preserve", "persistence"],
  purge: ["declare", "isolate", "preserve", "persistence"],
  rollback: ["declare", "isolate", "preserve", "persistence"],
  revalidate: ["purge", "rollback"],
  verify: ["rotate", "purge", "rollback", "revalidate"],
  report: ["verify"],
};

/** A client's cache or store, by how one version is taken out of it. */
export const CACHES = ["npm", "pnpm", "yarn", "yarn-berry", "bun", "deno"] as const;
export type CacheKind = (typeof CACHES)[number];

export type PurgeAction = {
  readonly kind: "purge";
  readonly cache: CacheKind;
  /** The cache's folder; nothing outside it is touched. Absolute. */
  readonly folder: string;
  /** Where the version lies in it. Absolute. */
  readonly file: string;
  readonly name: string;
  readonly version: string;
};

export type RollbackAction = {
  readonly kind: "rollback";
  /** The project, in a repository of git. Absolute. */
  readonly root: string;
  /** Its name, in `root`. */
  readonly lockfile: string;
  /** Full id of the commit the branch grows from: what was checked out when this was planned. */
  readonly base: string;
  readonly branch: string;
  /** `to` absent: the newest good one below every poisoned version of the same major. */
  readonly replace: readonly { readonly name: string; readonly version: string; readonly to?: string }[];
};

export type RevalidateAction =
  /** Everything the project's lockfiles name, against what the registry says of it now. */
  | { readonly kind: "revalidate-lock"; readonly root: string }
  /** Versions of a package of ours that appeared from `from` on. ISO time. */
  | { readonly kind: "revalidate-own"; readonly root: string; readonly name: string; readonly from: string };

/** What cordon does by itself; every argument stands in the plan. */
export type Action =
  /** Without a version every version of the name. */
  | { readonly kind: "deny"; readonly name: string; readonly version?: string; readonly integrity?: string }
  /** `before` is an ISO time: nothing whose age begins then or later is admitted. */
  | { readonly kind: "freeze"; readonly before: string; readonly days: number }
  | { readonly kind: "preserve"; readonly files: readonly string[] }
  | PurgeAction
  | RollbackAction
  | RevalidateAction
  | { readonly kind: "recheck" }
  | { readonly kind: "report" };

export type OwnTest =
  /** Nothing is at these places of this machine any more; as a pack writes them. */
  | { readonly kind: "gone"; readonly paths: readonly string[] }
  /** No poisoned version stands in this folder any more. */
  | { readonly kind: "clean"; readonly folder: string };

export type Step = {
  /** `isolate-1`: its phase and its place there. */
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  /** Ids of steps that must be over before. */
  readonly needs: readonly string[];
  /** What is kept of it as proof. */
  readonly evidence: string;
  /** How to take it back; absent where that is not possible. */
  readonly undo?: string;
  /** How anybody can tell that it is done. */
  readonly done: string;
  /** What must be known before it begins. */
  readonly warnings: readonly string[];
} & (
  | { readonly who: "cordon"; readonly action: Action }
  | {
      readonly who: "you";
      /** As they are typed; none when it is no matter of commands. */
      readonly commands: readonly string[];
      /** What cordon itself can see of it when somebody says that it is done. */
      readonly test?: OwnTest;
    }
);

export type Plan = {
  readonly schema: "cordon.response-plan/1";
  /** The first 12 hex digits of the sha256 of everything else, as canonical JSON. */
  readonly id: string;
  readonly incident: { readonly id: string; readonly revision: number; readonly title: string; readonly digest: string };
  /** Paths that were asked about, and whether the machine's own places were too: the check at the end asks the same. */
  readonly scope: { readonly paths: readonly string[]; readonly machine: boolean };
  /** Digest of `exposures`. */
  readonly exposuresDigest: string;
  /** Every place with a finding or a gap. */
  readonly exposures: readonly Answer[];
  /** Names and places, never values; in the order in which they are replaced. */
  readonly secrets: readonly Secret[];
  /** In an order in which they can be done one after another. */
  readonly steps: readonly Step[];
};

/** Gives a plan its id. */
export function sealed(content: Omit<Plan, "id">): Plan {
  return { ...content, id: idOf(content) };
}

/** Whether a plan read back is the one that was made. */
export function isWhole({ id, ...content }: Plan): boolean {
  return id === idOf(content);
}

function idOf(content: Omit<Plan, "id">): string {
  return sha256(canonical(content)).slice(0, 12);
}

/** The step a person means by its id or by its number in the list. */
export function stepOf({ steps }: Plan, wanted: string): Step | undefined {
  return steps.find(({ id }) => id === wanted) ?? (/^\d{1,5}$/.test(wanted) ? steps[Number(wanted) - 1] : undefined);
}
