/** The arithmetic of the ledger, fixed: another program must be able to check an exported one. */
import { generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { canonical, sha256 } from "../base/digest.ts";
import { instant } from "../base/time.ts";
import { CHAIN_START, headHolds, headSigner, rowHash, type StoredRow, verification } from "./chain.ts";
import type { LedgerHead } from "./entry.ts";

const AT = instant(1_774_915_200_000);
const signer = headSigner(generateKeyPairSync("ed25519").privateKey);

test("a row's hash is sha256 over the previous hash, a newline and the canonical JSON of chain, entry and seq", () => {
  const entry = { kind: "count", at: AT, packuments: 4 } as const;
  const text = `${CHAIN_START}\n${canonical({ seq: 1, chain: 'a"b', entry })}`;
  expect(rowHash(CHAIN_START, 'a"b', 1, canonical(entry))).toBe(sha256(text));
  expect(rowHash(CHAIN_START, "a", 1, '{"at":1,"kind":"count","packuments":4}')).toBe(
    sha256(`${"0".repeat(64)}\n{"chain":"a","entry":{"at":1,"kind":"count","packuments":4},"seq":1}`),
  );
});

test("a head holds for exactly what it signs", () => {
  const head = signer.sign({ chain: "a", seq: 3, hash: "f".repeat(64), at: AT });
  expect(headHolds(head)).toBe(true);
  const other = headSigner(generateKeyPairSync("ed25519").privateKey);
  for (const change of [
    { chain: "b" },
    { seq: 4 },
    { hash: "e".repeat(64) },
    { at: instant(AT + 1) },
    { key: other.key },
    { signature: "" },
  ])
    expect(headHolds({ ...head, ...change }), JSON.stringify(change)).toBe(false);
});

test("a head under another kind of key, or under none, does not hold", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const unsigned = { chain: "a", seq: 1, hash: "f".repeat(64), at: AT };
  const text = Buffer.from(`cordon-head/1\na\n1\n${unsigned.hash}\n${AT}`);
  const key = rsa.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const signature = sign("sha256", text, rsa.privateKey).toString("base64");
  expect(headHolds({ ...unsigned, key, signature })).toBe(false);
  expect(headHolds({ ...unsigned, key: "not a key", signature })).toBe(false);
});

/** A chain of rows and its head. */
function chain(length: number): { rows: StoredRow[]; head: LedgerHead } {
  const rows: StoredRow[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const previous = rows.at(-1)?.hash ?? CHAIN_START;
    const entry = canonical({ kind: "count", at: AT, packuments: seq });
    rows.push({ id: seq, chain: "a", seq, previous, entry, hash: rowHash(previous, "a", seq, entry) });
  }
  return { rows, head: signer.sign({ chain: "a", seq: length, hash: rows.at(-1)!.hash, at: AT }) };
}

function report(rows: readonly StoredRow[], heads: readonly LedgerHead[], against: readonly LedgerHead[] = []) {
  const check = verification({ heads, key: signer.key, newest: rows.at(-1)?.id ?? 0, against });
  for (const row of rows) check.row(row);
  return check.report();
}

test("an untouched chain has no problems, and any earlier head of it is confirmed", () => {
  const { rows, head } = chain(4);
  const early = signer.sign({ chain: "a", seq: 2, hash: rows[1]!.hash, at: AT });
  expect(report(rows, [head], [early, head])).toEqual({ rows: 4, chains: 1, problems: [] });
});

test("two exported heads that contradict each other are not both confirmed", () => {
  const { rows, head } = chain(4);
  const forged = signer.sign({ chain: "a", seq: 4, hash: "f".repeat(64), at: AT });
  expect(report(rows, [head], [forged, head]).problems).toHaveLength(1);
  expect(report(rows, [head], [head, forged]).problems).toHaveLength(1);
});

test("problems are listed up to a ceiling, and a hopeless ledger is still read to its end", () => {
  const { rows, head } = chain(1_500);
  const ruined = rows.map((row) => Object.assign({}, row, { hash: "0".repeat(64) }));
  const { problems, rows: read } = report(ruined, [head]);
  expect([problems.length, read]).toEqual([1_000, 1_500]);
});
