/**
 * What the ledger remembers: the rows, and how one row is chained to the one before it.
 * Each writing process keeps its own chain: `hash = sha256(previous hash, canonical JSON of the row)`; heads are signed.
 */
import type { Instant } from "../base/time.ts";

/** Who asked, as far as it is known. Everything here but `token` is the client's claim. */
export type Asker = {
  /** Label from the path prefix `/p/<project>/npm/`. */
  readonly project?: string;
  /** Id of the client token, when one was needed. */
  readonly token?: string;
  /** Short client name and version from the User-Agent, e.g. `npm/11.19.1`. */
  readonly client?: string;
  /** Remote address, without port. */
  readonly from?: string;
};

export type LedgerEntry =
  /** A tarball left this gate: committed before its last byte. */
  | {
      readonly kind: "serve";
      readonly at: Instant;
      readonly name: string;
      readonly version: string;
      readonly integrity: string;
      readonly bytes: number;
      readonly asker: Asker;
      readonly stale?: boolean;
      readonly alert?: string;
    }
  /** Something asked for was withheld. */
  | {
      readonly kind: "refuse";
      readonly at: Instant;
      readonly name: string;
      readonly version?: string;
      readonly route: "tarball" | "packument" | "manifest" | "other";
      readonly action: string;
      readonly signals: readonly string[];
      readonly until?: Instant;
      readonly asker: Asker;
    }
  /** The verdict of a withheld or served version changed. */
  | {
      readonly kind: "verdict";
      readonly at: Instant;
      readonly name: string;
      readonly version: string;
      readonly action: string;
      readonly until?: Instant;
      readonly signals: readonly string[];
      readonly policy: string;
      readonly facts: string;
    }
  /** Packuments served in one minute to one project. */
  | { readonly kind: "count"; readonly at: Instant; readonly project?: string; readonly packuments: number }
  /** A resolved tree a client reported through its audit request, stored once by digest. A claim, not a sighting. */
  | { readonly kind: "tree"; readonly at: Instant; readonly digest: string; readonly packages: number; readonly asker: Asker }
  /** A client's expectation (lockfile integrity) disagreed with what is known; that request was refused. */
  | {
      readonly kind: "mismatch";
      readonly at: Instant;
      readonly name: string;
      readonly version: string;
      readonly expected: string;
      readonly known: string;
      readonly asker: Asker;
    }
  /** A waiver, deny, freeze, token or policy changed. */
  | {
      readonly kind: "change";
      readonly at: Instant;
      readonly what: string;
      readonly id: string;
      readonly by: string;
      readonly detail: string;
    }
  | {
      readonly kind: "alert";
      readonly at: Instant;
      readonly what: string;
      readonly name: string;
      readonly version?: string;
      readonly detail: string;
    };

/** An entry in its chain. `seq` starts at 1 in each chain; the first row's `previous` is sixty-four zeros. */
export type LedgerRow = {
  readonly chain: string;
  readonly seq: number;
  readonly previous: string;
  /** Hex sha256. */
  readonly hash: string;
  readonly entry: LedgerEntry;
};

/** The newest row of a chain, signed with the data directory's Ed25519 key. Keep one elsewhere to detect a rolled-back disk. */
export type LedgerHead = {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  readonly at: Instant;
  /** base64 signature over `cordon-head/1\n${chain}\n${seq}\n${hash}\n${at}`. */
  readonly signature: string;
  /** SPKI DER of the public key, base64. */
  readonly key: string;
};

export type LedgerProblem = { readonly chain: string; readonly seq: number; readonly problem: string };

/** Which rows to show; all given conditions hold. `limit` = the newest that many, at most LIMITS.ledgerTailRows. */
export type LedgerQuery = {
  readonly limit: number;
  /** The oldest that many instead. */
  readonly oldest?: boolean;
  readonly since?: Instant;
  readonly project?: string;
  readonly kinds?: readonly LedgerEntry["kind"][];
  readonly name?: string;
  readonly version?: string;
};

/** A page of what was served: each version once, with the newest moment in the page. */
export type ServedPage = {
  readonly served: readonly { readonly name: string; readonly version: string; readonly at: Instant }[];
  /** Where the next page begins. */
  readonly next: number;
  /** Nothing stood behind this page when it was read. */
  readonly done: boolean;
};

/** What `verify` found. No problems = every row is as it was written, as far as this disk can tell. */
export type LedgerReport = { readonly rows: number; readonly chains: number; readonly problems: readonly LedgerProblem[] };
