/**
 * Decoded upstream packuments by their digest, gzipped as the upstream sent them or by us: `<data>/packuments/ab/cdef….gz`. Not trusted:
 * the digest is checked on every read. Losable: a missing one is fetched again. Safe to roll back.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip as gzipAsync } from "node:zlib";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { type Clock, DAY, type Instant } from "../../core/base/time.ts";
import { inflate } from "../host/inflate.ts";
import { createTemporary, type Files, FILES, idleFor, moveInto, orAbsent, prepare, within } from "./files.ts";

const compress = promisify(gzipAsync);

export type DocumentOptions = { readonly dataDir: string; readonly clock: Clock; readonly files?: Files };

/** Raises STORE_BROKEN, here and in every method, when the folder cannot be read or written. */
export async function openDocuments({ dataDir, clock, files = FILES }: DocumentOptions) {
  const root = join(dataDir, "packuments");
  await prepare(files, root, clock.now());
  // Beside everything else, and nothing depends on it: what is not swept today is swept tomorrow.
  void sweepDaily(files, root, clock.now()).catch(() => {});

  return {
    async get(digest: string): Promise<Uint8Array | undefined> {
      const wanted = hexOf(digest);
      const path = pathOf(root, wanted);
      return within(root, async () => {
        const stored = await orAbsent(files.readFile(path));
        if (!stored) return undefined;
        const bytes = await inflate(stored, LIMITS.packumentBytes).catch(() => undefined);
        if (!bytes || createHash("sha256").update(bytes).digest("hex") !== wanted) {
          await orAbsent(files.unlink(path));
          return undefined;
        }
        await markRead(path);
        return bytes;
      });
    },

    async put(digest: string, bytes: Uint8Array, gzip?: Uint8Array): Promise<void> {
      const path = pathOf(root, hexOf(digest));
      await within(root, async () => {
        if (await orAbsent(files.stat(path))) return;
        // Level 1: a tenth larger than the default, in a third of the time.
        const stored = gzip ?? (await compress(bytes, { level: 1 }));
        const { path: temporary, handle } = await createTemporary(files, root);
        try {
          await handle.writeFile(stored).finally(() => handle.close());
          await moveInto(files, temporary, path);
        } catch (error) {
          await orAbsent(files.unlink(temporary)).catch(() => {});
          throw error;
        }
      });
    },
  };

  /** The file's own time says when it was last read, to the day: many file systems no longer keep track. */
  async function markRead(path: string): Promise<void> {
    const now = clock.now();
    if ((await idleFor(files, path, now)) > DAY) await orAbsent(files.utimes(path, now / 1_000, now / 1_000));
  }
}

/** Removes what nobody has read for `LIMITS.documentIdleMs`; of all processes on this data, one a day does it. */
async function sweepDaily(files: Files, root: string, now: Instant): Promise<void> {
  const marker = join(root, "swept");
  const last = await orAbsent(files.stat(marker));
  if (last && now - last.mtimeMs < DAY) return;
  await (await files.open(marker, "a", 0o600)).close();
  await files.utimes(marker, now / 1_000, now / 1_000);
  for (const folder of (await files.readdir(root)).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    for (const name of await files.readdir(join(root, folder))) {
      const path = join(root, folder, name);
      if ((await idleFor(files, path, now)) > LIMITS.documentIdleMs) await orAbsent(files.unlink(path));
    }
  }
}

/** In hex, since some file systems ignore case. A digest of ours and nothing else: it becomes a path. */
function hexOf(digest: string): string {
  if (!/^[A-Za-z0-9_-]{43}$/.test(digest))
    throw new Fault("INPUT_UNREADABLE", `"${digest.slice(0, LIMITS.phraseChars)}" is no sha256 digest`);
  return Buffer.from(digest, "base64url").toString("hex");
}

function pathOf(root: string, hex: string): string {
  return join(root, hex.slice(0, 2), `${hex.slice(2)}.gz`);
}
