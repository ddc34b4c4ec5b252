/** What a version's tarball adds to its predecessor's: the part of Facts that the code signals read. Made by `codeFacts`. */
import type { CapabilityId } from "./capabilities.ts";
import type { FoundChain, Place, Unread } from "./report.ts";

/** `install`: it stands in what an install runs. `entry`: in what an import or a command of it runs. */
export type Reached = { readonly install: boolean; readonly entry: boolean };

export type CodeDone = {
  readonly state: "done";
  /** The version compared with; absent when there is none, and then everything is new. */
  readonly predecessor?: string;
  /** Grave problems of the archive. */
  readonly archive: readonly { readonly problem: string; readonly path?: string }[];
  /** Chains that the predecessor has nowhere. */
  readonly chains: readonly (FoundChain & Reached & { readonly path: string })[];
  /** Capabilities that the predecessor has nowhere. */
  readonly added: readonly { readonly id: CapabilityId; readonly where: readonly Place[] }[];
  /** Capabilities that nothing run by an install of the predecessor had, in files that are new or changed. Empty when there are no install scripts. */
  readonly install: readonly { readonly id: CapabilityId; readonly where: readonly Place[] }[];
  /** Hosts named for the first time. */
  readonly hosts: readonly string[];
  /** Machine code in paths that had none. */
  readonly binaries: readonly string[];
  /** How package.json in the tarball contradicts the packument, one line each. */
  readonly mismatches: readonly string[];
  /** Dependencies declared for the first time whose name stands nowhere in the code; empty without a predecessor. */
  readonly unimported: readonly string[];
  /** Files that could not be read and could be before, or are new. */
  readonly unread: readonly (Unread & Reached & { readonly path: string })[];
  /** Hosts an npm-shrinkwrap.json sends clients to, new or not. */
  readonly shrinkwrap: readonly { readonly host: string; readonly line?: number }[];
};

export type CodeFacts =
  | CodeDone
  /** It has not been looked at yet. */
  | { readonly state: "pending" }
  /** The tarball itself could not be had or read. */
  | { readonly state: "unreadable"; readonly reason: string };
