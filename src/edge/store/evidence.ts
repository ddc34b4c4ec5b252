/**
 * What looking at bytes found, by key: reports of single tarballs, and what comparing two releases gave. Keyed by content, so it is
 * never wrong, only missing: losable, and safe to roll back.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import type { Database } from "./driver.ts";
import { parseStored } from "./json.ts";

export function evidenceStore(database: Database, clock: Clock) {
  let writes = 0;
  return {
    /** Those that are there. */
    async get(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
      if (keys.length === 0) return new Map();
      const rows = await database.read((sql) =>
        keys.flatMap((key) => {
          const row = sql.get<{ body: string }>("SELECT body FROM evidence WHERE key = ?", [key]);
          return row ? [[key, row.body] as const] : [];
        }),
      );
      return new Map(rows.map(([key, body]) => [key, unpack(key, body)]));
    },

    async put(key: string, value: unknown): Promise<void> {
      const body = pack(value);
      writes += 1;
      await database.write((sql) => {
        sql.run("INSERT OR REPLACE INTO evidence (key, at, body) VALUES (?, ?, ?)", [key, clock.now(), body]);
        // Now and then is enough: the ceiling is there for years of use.
        if (writes % 100 === 1)
          sql.run("DELETE FROM evidence WHERE key IN (SELECT key FROM evidence ORDER BY at DESC LIMIT -1 OFFSET ?)", [LIMITS.evidenceRows]);
      });
    },
  };
}

/** Reports repeat themselves: a tenth of their size is left, in text because the database driver takes no bytes. */
function pack(value: unknown): string {
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
  return brotliCompressSync(Buffer.from(JSON.stringify(value)), quick).toString("base64");
}

function unpack(key: string, body: string): unknown {
  let text: string;
  try {
    text = brotliDecompressSync(Buffer.from(body, "base64"), { maxOutputLength: LIMITS.evidenceBytes }).toString("utf8");
  } catch (error) {
    throw new Fault("STORE_BROKEN", `evidence ${key} is damaged`, error);
  }
  return parseStored(text, `evidence ${key}`);
}
