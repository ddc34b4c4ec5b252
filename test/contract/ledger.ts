/** What every ledger must keep, whatever it is made of. */
import { expect, test } from "vitest";
import type { Ledger } from "../../src/app/ports.ts";
import { canonical } from "../../src/core/base/digest.ts";
import { CHAIN_START, headHolds, rowHash } from "../../src/core/ledger/chain.ts";
import type { LedgerEntry, LedgerRow } from "../../src/core/ledger/entry.ts";
import { moment } from "../kit/clock.ts";
import type { Open } from "./opened.ts";

const AT = moment("2026-03-31T00:00:00Z");

export function serve(version: string, fields: Partial<LedgerEntry & { kind: "serve" }> = {}): LedgerEntry {
  return { kind: "serve", at: AT, name: "widget", version, integrity: "sha512-abc", bytes: 100, asker: { project: "site" }, ...fields };
}

async function all(ledger: Ledger): Promise<readonly LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for await (const row of ledger.export()) rows.push(row);
  return rows;
}

export function ledgerContract(name: string, open: Open<Ledger>): void {
  test(`${name}: rows keep their order and their content, each hashed over the one before it`, async () => {
    const { store } = await open();
    const entries: LedgerEntry[] = [
      serve("1.0.0", { stale: true, alert: "line\nbreak \u0000 \ud800" }),
      { kind: "refuse", at: AT, name: "@acme/x", route: "packument", action: "deny", signals: ["frozen"], asker: {} },
      { kind: "count", at: AT, packuments: 4 },
    ];
    await store.append(entries.slice(0, 2));
    await store.append([]);
    await store.append(entries.slice(2));
    const rows = await all(store);
    expect(rows.map((row) => row.entry)).toEqual(entries);
    expect(rows.map((row) => row.seq)).toEqual([1, 2, 3]);
    let previous = CHAIN_START;
    for (const row of rows) {
      expect(row.previous).toBe(previous);
      expect(row.hash).toBe(rowHash(previous, row.chain, row.seq, canonical(row.entry)));
      previous = row.hash;
    }
    expect(await store.verify()).toEqual({ rows: 3, chains: 1, problems: [] });
  });

  test(`${name}: an empty ledger is a valid one`, async () => {
    const { store } = await open();
    expect(await store.verify()).toEqual({ rows: 0, chains: 0, problems: [] });
    expect(await store.tail({ limit: 10 })).toEqual([]);
    expect(await store.heads()).toEqual([]);
  });

  test(`${name}: the tail shows the newest rows that meet every condition, newest last`, async () => {
    const { store } = await open();
    const later = moment("2026-04-01T00:00:00Z");
    await store.append([
      serve("1.0.0"),
      serve("1.0.1", { asker: { project: "api" } }),
      serve("1.0.1", { at: later }),
      serve("2.0.0", { name: "gadget", at: later }),
      { kind: "refuse", at: later, name: "widget", route: "tarball", action: "hold", signals: [], asker: { project: "site" } },
      { kind: "count", at: later, project: "site", packuments: 7 },
    ]);
    const seqs = async (query: Omit<Parameters<Ledger["tail"]>[0], "limit">) =>
      (await store.tail({ limit: 100, ...query })).map((row) => row.seq);
    expect(await seqs({})).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await store.tail({ limit: 2 })).map((row) => row.seq)).toEqual([5, 6]);
    expect((await store.tail({ limit: 2, oldest: true })).map((row) => row.seq)).toEqual([1, 2]);
    expect(
      (await store.tail({ limit: 1, oldest: true, name: "widget", version: "1.0.1", kinds: ["serve"] })).map((row) => row.seq),
    ).toEqual([2]);
    expect(await seqs({ since: later })).toEqual([3, 4, 5, 6]);
    expect(await seqs({ project: "site" })).toEqual([1, 3, 4, 5, 6]);
    expect(await seqs({ name: "widget" })).toEqual([1, 2, 3, 5]);
    expect(await seqs({ name: "widget", version: "1.0.1", project: "site" })).toEqual([3]);
    expect(await seqs({ kinds: ["refuse", "count"] })).toEqual([5, 6]);
    expect(await seqs({ kinds: [] })).toEqual([]);
    expect(await seqs({ since: moment("2026-05-01T00:00:00Z") })).toEqual([]);
  });

  test(`${name}: what was served since a moment is read in pages, each version once a page, and later only what is new`, async () => {
    const { store } = await open();
    const later = moment("2026-04-01T00:00:00Z");
    const refused: LedgerEntry = {
      kind: "refuse",
      at: later,
      name: "x",
      version: "1.0.0",
      route: "tarball",
      action: "deny",
      signals: [],
      asker: {},
    };
    await store.append([
      serve("1.0.0"),
      serve("1.0.1", { at: later }),
      serve("1.0.1", { at: later }),
      refused,
      serve("1.0.0", { at: later }),
    ]);
    const first = await store.served({ since: later });
    expect(first).toMatchObject({
      served: [
        { name: "widget", version: "1.0.0", at: later },
        { name: "widget", version: "1.0.1", at: later },
      ],
      done: true,
    });
    expect(await store.served({ since: later, after: first.next })).toMatchObject({ served: [], done: true });
    await store.append(Array.from({ length: 1_500 }, (_, n) => serve(`2.${n}.0`, { at: later })));
    const pages = [];
    for (let after = first.next, done = false; !done;) {
      const page = await store.served({ since: later, after });
      pages.push(...page.served);
      ({ next: after, done } = page);
    }
    expect(new Set(pages.map(({ version }) => version)).size).toBe(1_500);
    expect(await store.served({ since: moment("2026-05-01T00:00:00Z") })).toMatchObject({ served: [], done: true });
  });

  test(`${name}: of many who append the same unless it is there, one does`, async () => {
    const { store, again } = await open();
    const other = await again();
    const query = { limit: 10, kinds: ["serve"], name: "widget" } as const;
    const once = (ledger: Ledger, version: string) =>
      ledger.appendUnless(serve(version), query, (rows) => rows.some(({ entry }) => entry.kind === "serve" && entry.version === version));
    const written = await Promise.all([store, other, store, other].map((ledger) => once(ledger, "1.0.0")));
    expect(written.filter((one) => one)).toHaveLength(1);
    expect(await once(other, "1.0.1")).toBe(true);
    expect((await all(store)).map(({ entry }) => (entry as { version: string }).version)).toEqual(["1.0.0", "1.0.1"]);
    expect((await store.verify()).problems).toEqual([]);
  });

  test(`${name}: concurrent appends are all there when they resolve, each call's entries together`, async () => {
    const { store } = await open();
    const calls = Array.from({ length: 600 }, (_, n) => [serve(`${n}.0.0`), serve(`${n}.0.1`)]);
    await Promise.all(calls.map((entries) => store.append(entries)));
    const versions = (await all(store)).map((row) => (row.entry as { version: string }).version);
    expect(versions).toEqual(calls.flat().map((entry) => (entry as { version: string }).version));
    expect((await store.verify()).problems).toEqual([]);
  });

  test(`${name}: every writing process has its own chain with its own signed head`, async () => {
    const { store, again } = await open();
    const other = await again();
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? store : other).append([serve(`${n}.0.0`)])));
    const heads = await store.heads();
    expect(heads.map((head) => head.seq)).toEqual([10, 10]);
    expect(heads.every(headHolds)).toBe(true);
    expect(new Set(heads.map((head) => head.key)).size).toBe(1);
    expect(await other.verify(heads)).toEqual({ rows: 20, chains: 2, problems: [] });
  });

  test(`${name}: more rows than one page holds are exported and verified`, async () => {
    const { store } = await open();
    await store.append(Array.from({ length: 2_500 }, (_, n) => serve(`${n}.0.0`)));
    const rows = await all(store);
    expect(rows).toHaveLength(2_500);
    expect(rows.at(-1)!.seq).toBe(2_500);
    expect(await store.verify()).toEqual({ rows: 2_500, chains: 1, problems: [] });
  });

  test(`${name}: a head exported earlier is still part of the ledger later; one of another ledger is not`, async () => {
    const { store } = await open();
    await store.append([serve("1.0.0")]);
    const early = await store.heads();
    await store.append([serve("1.0.1")]);
    expect((await store.verify(early)).problems).toEqual([]);

    const { store: replaced } = await open();
    await replaced.append([serve("1.0.0")]);
    expect((await replaced.verify(early)).problems.map(({ chain }) => chain)).toContain(early[0]!.chain);
  });

  test(`${name}: an exported head that was changed on its way is no evidence`, async () => {
    const { store } = await open();
    await store.append([serve("1.0.0"), serve("1.0.1")]);
    const [head] = await store.heads();
    const forged = { ...head!, seq: 1, hash: CHAIN_START };
    expect((await store.verify([forged])).problems.map(({ problem }) => problem)).toContain(
      "the signature of the exported head does not hold",
    );
  });
}
