/**
 * The functions the verbs need from the world. Adapters under `edge/` fit these by structure; `main.ts` is where the compiler checks the fit.
 * All are asynchronous, so that another store or blob service fits later without touching a verb.
 */
import type { Instant } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { Attested } from "../core/attest/attested.ts";
import type { TarballReport } from "../core/analysis/report.ts";
import type { LedgerEntry, LedgerHead, LedgerQuery, LedgerReport, LedgerRow, ServedPage } from "../core/ledger/entry.ts";
import type { Release } from "../core/npm/release.ts";
import type { PackumentReading, RenderedPackument, RenderPlan } from "../core/npm/summary.ts";
import type { Held, HeldNote } from "../core/policy/held.ts";
import type { Deny, Exceptions, Freeze } from "../core/policy/policy.ts";
import type { Token } from "../core/policy/token.ts";
import type { Waiver } from "../core/policy/verdict.ts";

export type { Held, Token };

/** History: one record per package. */
export type PackageStore = {
  get(name: string): Promise<PackageRecord | undefined>;
  /** Stores the record, joined with what another process stored meanwhile (`mergeRecords`): no evidence is lost. */
  put(record: PackageRecord): Promise<void>;
  /** Names whose newest summary requires `name`; for re-deciding dependents. */
  dependents(name: string): Promise<readonly string[]>;
  /** Keeps nothing in memory that can be read again. */
  forget(): void;
};

/** Waivers, denies, freezes. Every change raises the epoch in the same transaction. */
export type ExceptionStore = {
  read(): Promise<Exceptions>;
  addWaiver(waiver: Waiver): Promise<void>;
  revokeWaiver(id: string, at: Instant, by: string): Promise<boolean>;
  /** Remembers that a waiver made a difference. Does not raise the epoch. */
  touchWaiver(id: string, at: Instant): Promise<void>;
  addDeny(deny: Deny): Promise<void>;
  removeDeny(id: string, at: Instant, by: string): Promise<boolean>;
  addFreeze(freeze: Freeze): Promise<void>;
  liftFreeze(id: string, at: Instant, by: string): Promise<boolean>;
  /** Calls back within a second after any process changed the epoch. Returns the stop function. */
  watch(onChange: (epoch: number) => void): () => void;
};

export type TokenStore = {
  /** `hash` is hex sha256 of the secret; the secret itself is never stored. */
  add(token: Token, hash: string): Promise<void>;
  find(hash: string): Promise<Token | undefined>;
  list(): Promise<readonly Token[]>;
  revoke(id: string, at: Instant): Promise<boolean>;
};

export type HeldStore = {
  /** Upserts: keeps `since`, counts `asked`, unions `projects`. */
  note(held: HeldNote): Promise<void>;
  /** Drops it when it is admitted. */
  drop(name: string, version: string): Promise<void>;
  list(): Promise<readonly Held[]>;
};

export type Ledger = {
  /** Name of the chain this process writes. */
  readonly chain: string;
  /** Resolves when every entry is durable. Entries of concurrent calls are committed together. */
  append(entries: readonly LedgerEntry[]): Promise<void>;
  /**
   * Appends an entry unless the rows that meet `query` hold it already, as `holds` says (rows newest last); whether it was written. Read and
   * written in one step: of several processes that see the same at once, one writes it.
   */
  appendUnless(entry: LedgerEntry, query: LedgerQuery, holds: (rows: readonly LedgerRow[]) => boolean): Promise<boolean>;
  /** Newest last. */
  tail(query: LedgerQuery): Promise<readonly LedgerRow[]>;
  /** A page of the versions served since a moment; `after`: an earlier page's `next`, so that only what is new is read. */
  served(query: { readonly since: Instant; readonly after?: number }): Promise<ServedPage>;
  /** Streams all rows in order of commit. */
  export(): AsyncIterable<LedgerRow>;
  heads(): Promise<readonly LedgerHead[]>;
  verify(against?: readonly LedgerHead[]): Promise<LedgerReport>;
};

/** Tarballs by digest. Not trusted: verified on write, and again on the first read after start or when the file changed. */
export type BlobStore = {
  /** Opens a verified tarball for reading, or undefined when absent or damaged (a damaged one is removed and reported). */
  open(integrity: string): Promise<{ readonly size: number; stream(): NodeJS.ReadableStream; bytes(): Promise<Uint8Array> } | undefined>;
  /** Starts a write; the bytes become visible only when `commit` found that they match `integrity`. */
  write(integrity: string): Promise<{
    write(chunk: Uint8Array): Promise<void>;
    commit(): Promise<{ ok: true; sha512: string } | { ok: false; sha512: string }>;
    abort(): Promise<void>;
  }>;
};

/** Decoded upstream packuments by digest, kept compressed. Losable. */
export type DocumentStore = {
  get(digest: string): Promise<Uint8Array | undefined>;
  /** `gzip` is the same document as it came, compressed: kept as it is, to spare compressing it again. */
  put(digest: string, bytes: Uint8Array, gzip?: Uint8Array): Promise<void>;
};

export type UpstreamPackument =
  /** `bytes` is the decoded body, `gzip` what was sent, where it was sent compressed. */
  | {
      readonly kind: "document";
      readonly bytes: Uint8Array;
      readonly gzip?: Uint8Array;
      readonly etag?: string;
      readonly lastModified?: string;
      readonly upstream: string;
    }
  | { readonly kind: "unchanged"; readonly upstream: string }
  | { readonly kind: "absent"; readonly upstream: string; readonly status: 404 | 410 }
  /** The upstream answered 401/403 or something that is no packument. */
  | { readonly kind: "refused"; readonly upstream: string; readonly status: number; readonly message: string }
  /** No answer within the ceilings, or 5xx after the last try. */
  | { readonly kind: "down"; readonly upstream: string; readonly message: string };

export type UpstreamTarball =
  | { readonly kind: "tarball"; readonly size?: number; readonly body: AsyncIterable<Uint8Array>; abort(): void }
  | { readonly kind: "absent" | "refused" | "down"; readonly status?: number; readonly message: string };

export type Upstream = {
  /** Base URL (with trailing slash) that serves `name`: a scope's own registry or the default. */
  baseFor(name: string): { readonly base: string; readonly private: boolean };
  /** Of every registry configured, with port where one is given. */
  readonly hosts: readonly string[];
  /** Whether there is any name that must not be told to the registry searches and audits go to. */
  readonly keepsSecrets: boolean;
  /** `hops`: gates the client's request had passed when it came to us; 0 for our own. */
  packument(
    name: string,
    validators: { readonly etag?: string; readonly lastModified?: string },
    hops?: number,
  ): Promise<UpstreamPackument>;
  /** `url` is the upstream's own `dist.tarball`. */
  tarball(name: string, url: string, hops?: number): Promise<UpstreamTarball>;
  /** Passes a small request (keys, attestations, audit, search, ping) through; body and answer are bounded. */
  pass(request: {
    readonly method: "GET" | "HEAD" | "POST";
    readonly path: string;
    readonly name?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Uint8Array;
    readonly hops?: number;
  }): Promise<
    | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }
    | { readonly kind: "down"; readonly message: string }
  >;
};

/** CPU-heavy packument work; big documents go to a worker thread, small ones run in place. Same pure functions either way. */
export type PackumentWork = {
  /** `moment` of the answer: releases young then are read in detail, and those named in `young`. */
  read(name: string, bytes: Uint8Array, moment: Instant, young?: readonly string[]): Promise<PackumentReading>;
  render(digest: string, bytes: () => Promise<Uint8Array>, plan: RenderPlan): Promise<RenderedPackument>;
  /** One full manifest as JSON text with its tarball URL rewritten; undefined when the version is not in the document. */
  manifest(
    digest: string,
    bytes: () => Promise<Uint8Array>,
    version: string,
    plan: Pick<RenderPlan, "tarballBase" | "attestationsBase">,
  ): Promise<Uint8Array | undefined>;
};

/** What looking at bytes found, by key. Losable, and keyed by content: never wrong, only missing. */
export type EvidenceStore = {
  /** Those that are there. */
  get(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>>;
  put(key: string, value: unknown): Promise<void>;
};

/** Reads tarballs in threads of their own; a tarball that ends its thread is a finding in the report. */
export type TarballWork = {
  /** `known`: the predecessor's report; files equal to one of its files are not read again. Raises WORKER_FAILED when nothing could be found out. */
  analyse(tarball: Uint8Array, options: { readonly label: string; readonly known?: TarballReport }): Promise<TarballReport>;
};

/** Verifies what a registry signed of one release, with keys that are not the registry's own word. Raises a Fault when there are no usable keys. */
export type Attest = (release: {
  readonly name: string;
  readonly version: string;
  /** As published: that text is what is signed. */
  readonly integrity?: string;
  readonly signatures?: NonNullable<Release["signatures"]>;
  readonly publishedAt?: Instant;
  /** The answer of the attestations endpoint, or why there is none. */
  readonly attestations: Uint8Array | "absent" | { readonly failed: string };
}) => Promise<Attested>;
