/**
 * A process that appends to a ledger as fast as it can and prints each entry the moment it is durable, until somebody kills it.
 * Argument: data directory. Built and started by the kill test of the ledger.
 */
import { writeSync } from "node:fs";
import { instant } from "../../src/core/base/time.ts";
import { openStore } from "../../src/edge/store/open.ts";

const store = await openStore({ dataDir: process.argv[2]!, clock: { now: () => instant(Date.now()) } });
let next = 0;

async function appendForEver(): Promise<never> {
  for (;;) {
    const version = `${process.pid}.0.${(next += 1)}`;
    await store.ledger.append([
      { kind: "serve", at: instant(Date.now()), name: "widget", version, integrity: "sha512-abc", bytes: 100, asker: {} },
    ]);
    // Written at once, past any buffer: what the reader gets was durable before.
    writeSync(1, `${version}\n`);
  }
}

await Promise.all(Array.from({ length: 5 }, appendForEver));
