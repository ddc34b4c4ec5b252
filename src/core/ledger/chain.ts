/**
 * How ledger rows hang together, and what proves that none was changed, moved or removed since. Needs only the rows and the heads,
 * so an exported ledger can be checked anywhere.
 *
 * What the disk alone cannot prove: whoever can write it and read its key can write another consistent ledger. A head kept
 * elsewhere can; see `against`.
 */
import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { canonical, sha256 } from "../base/digest.ts";
import { LIMITS } from "../base/limits.ts";
import type { LedgerHead, LedgerProblem, LedgerReport } from "./entry.ts";

/** `previous` of the first row of every chain. */
export const CHAIN_START = "0".repeat(64);

/** Hex sha256 over the previous hash, a newline and the canonical JSON of `{chain, entry, seq}`. `entry` is canonical JSON already. */
export function rowHash(previous: string, chain: string, seq: number, entry: string): string {
  return sha256(`${previous}\n{"chain":${canonical(chain)},"entry":${entry},"seq":${seq}}`);
}

export type HeadSigner = {
  /** SPKI DER of the public key, base64. */
  readonly key: string;
  sign(head: Pick<LedgerHead, "chain" | "seq" | "hash" | "at">): LedgerHead;
};

/** `privateKey`: Ed25519. */
export function headSigner(privateKey: KeyObject): HeadSigner {
  const key = createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64");
  return { key, sign: (head) => ({ ...head, signature: sign(null, headText(head), privateKey).toString("base64"), key }) };
}

/** Whether the signature is the embedded key's over this head; whose key that is, is another question. */
export function headHolds(head: LedgerHead): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(head.key, "base64"), format: "der", type: "spki" });
    // Another kind of key could bring another kind of signature with it.
    return key.asymmetricKeyType === "ed25519" && verify(null, headText(head), key, Buffer.from(head.signature, "base64"));
  } catch {
    return false;
  }
}

function headText({ chain, seq, hash, at }: Pick<LedgerHead, "chain" | "seq" | "hash" | "at">): Uint8Array {
  return Buffer.from(`cordon-head/1\n${chain}\n${seq}\n${hash}\n${at}`);
}

/** A row as stored: the entry still text, and its place in the file. */
export type StoredRow = {
  readonly id: number;
  readonly chain: string;
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
  readonly entry: string;
};

export type Verification = {
  /** Rows must come in the order of the file. */
  row(row: StoredRow): void;
  report(): LedgerReport;
};

export type Expected = {
  /** The heads that stand beside the rows. */
  readonly heads: readonly LedgerHead[];
  /** SPKI DER, base64, of the data directory's key; absent when it is gone. */
  readonly key: string | undefined;
  /** Id of the newest row the file says it ever had. */
  readonly newest: number;
  /** Heads exported earlier and kept elsewhere. */
  readonly against: readonly LedgerHead[];
};

export function verification({ heads, key, newest, against }: Expected): Verification {
  const problems: LedgerProblem[] = [];
  const ends = new Map<string, { seq: number; hash: string }>();
  const wanted = new Set(against.map(place));
  const found = new Map<string, string>();
  let rows = 0;
  let previousId = 0;

  function say(chain: string, seq: number, problem: string): void {
    if (problems.length < LIMITS.ledgerProblems) problems.push({ chain, seq, problem });
  }

  function row({ id, chain, seq, previous, hash, entry }: StoredRow): void {
    rows += 1;
    // Ids are given without gaps, so the loss of a whole chain shows too.
    if (id !== previousId + 1) say(chain, seq, `rows are missing from the file before this one (${previousId} is followed by ${id})`);
    previousId = id;
    const end = ends.get(chain) ?? { seq: 0, hash: CHAIN_START };
    if (seq !== end.seq + 1) say(chain, seq, `row ${end.seq} is followed by row ${seq}: rows are missing or out of order`);
    else if (previous !== end.hash) say(chain, seq, "it does not continue the row before it");
    if (rowHash(previous, chain, seq, entry) !== hash) say(chain, seq, "its content is not what was written");
    if (wanted.has(place({ chain, seq }))) found.set(place({ chain, seq }), hash);
    ends.set(chain, { seq, hash });
  }

  function head(one: LedgerHead): void {
    const end = ends.get(one.chain) ?? { seq: 0, hash: CHAIN_START };
    if (!headHolds(one)) say(one.chain, one.seq, "the signature of its head does not hold");
    if (one.key !== key) say(one.chain, one.seq, key === undefined ? "the signing key is gone" : "its head was signed with another key");
    if (end.seq < one.seq) say(one.chain, one.seq, `it ends at row ${end.seq}, its signed head is row ${one.seq}: rows were cut off`);
    else if (end.seq > one.seq) say(one.chain, end.seq, `it goes on to row ${end.seq}, its signed head is row ${one.seq}`);
    else if (end.hash !== one.hash) say(one.chain, one.seq, "its newest row is not the one its head signs");
  }

  function exportedHead(one: LedgerHead, current: LedgerHead | undefined): void {
    const end = ends.get(one.chain)?.seq ?? 0;
    if (!headHolds(one)) say(one.chain, one.seq, "the signature of the exported head does not hold");
    if (end === 0) say(one.chain, one.seq, "the chain of the exported head is missing: the disk was rolled back or replaced");
    else if (end < one.seq) say(one.chain, end, `it ends at row ${end}, the exported head is row ${one.seq}: the disk was rolled back`);
    else if (found.get(place(one)) !== one.hash)
      say(one.chain, one.seq, "it is not the row of the exported head: the ledger was rewritten");
    if (current && current.key !== one.key) say(one.chain, one.seq, "the exported head was signed with another key");
  }

  return {
    row,
    report() {
      if (previousId !== newest) say("", newest, `the file once had ${newest} rows, the newest is ${previousId}: rows were cut off`);
      const signed = new Map(heads.map((one) => [one.chain, one]));
      for (const [chain, end] of ends) if (!signed.has(chain)) say(chain, end.seq, "it has no signed head");
      for (const one of heads) head(one);
      for (const one of against) exportedHead(one, signed.get(one.chain));
      return { rows, chains: ends.size, problems };
    },
  };
}

function place({ chain, seq }: { readonly chain: string; readonly seq: number }): string {
  return `${chain} ${seq}`;
}
