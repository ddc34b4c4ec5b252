/**
 * Opens the stores of one data directory. `cordon.db` holds history, exceptions, tokens and what is held; `ledger.db` the ledger,
 * apart because it is flushed for every serve and never shrinks. Several processes may have the same directory open.
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Fault } from "../../core/base/fault.ts";
import type { Clock } from "../../core/base/time.ts";
import { openDatabase, type OpenEngine } from "./driver.ts";
import { exceptionStore } from "./exceptions.ts";
import { evidenceStore } from "./evidence.ts";
import { heldStore } from "./held.ts";
import { ledgerKeyPath, loadLedgerKey, readLedgerKey } from "./ledger-key.ts";
import { openLedger } from "./ledger.ts";
import { migrate, type Schema } from "./migrate.ts";
import { packageStore } from "./packages.ts";
import { tokenStore } from "./tokens.ts";

export const HISTORY_SCHEMA: Schema = {
  applicationId: 0x636f7268,
  version: 2,
  steps: async () => (await import("./history-schema.ts")).historySteps(),
};

export type StoreOptions = {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Writes nothing, not even a missing file; raises INPUT_UNREADABLE when there is nothing to read. */
  readonly readOnly?: boolean;
  /** Name of this process's ledger chain; random when absent. */
  readonly chain?: string;
  /** Another SQLite library, or one that fails on purpose. */
  readonly openEngine?: OpenEngine;
};

/**
 * Raises DATA_UNUSABLE when there is no such directory and it cannot be made, STORE_BROKEN naming the file that is damaged or cannot be
 * written, STORE_NEWER when a newer cordon wrote it.
 */
export async function openStore({ dataDir, clock, readOnly = false, chain, openEngine }: StoreOptions) {
  const directory = resolve(dataDir);
  if (!readOnly) await makeDirectory(directory);
  const how = { readOnly, ...(openEngine ? { openEngine } : {}) };
  const history = await openDatabase(join(directory, "cordon.db"), how);
  try {
    await migrate(history, HISTORY_SCHEMA, { readOnly });
    const keyPath = ledgerKeyPath(directory);
    const key = readOnly ? await readLedgerKey(keyPath) : await loadLedgerKey(keyPath);
    const rows = await openDatabase(join(directory, "ledger.db"), how);
    const ledger = await openLedger(rows, { clock, key, chain, readOnly }).catch(async (error: unknown) => {
      await rows.close();
      throw error;
    });
    const exceptions = exceptionStore(history);
    return {
      packages: packageStore(history, clock),
      exceptions,
      tokens: tokenStore(history, clock),
      held: heldStore(history),
      evidence: evidenceStore(history, clock),
      ledger,
      /** Waits for ledger rows on their way to the disk. */
      async close(): Promise<void> {
        exceptions.close();
        await ledger.close();
        await history.close();
      },
    };
  } catch (error) {
    await history.close();
    throw error;
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault(
      "DATA_UNUSABLE",
      `cannot create the data directory ${directory}: ${String((error as NodeJS.ErrnoException).code)}`,
      error,
    );
  }
}
