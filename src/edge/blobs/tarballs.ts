/**
 * Tarballs on disk by their sha512. Not trusted: verified when written, and again on the first read after start or whenever the
 * file is no longer the one that was verified. Losable: a damaged or missing one is fetched again. Safe to roll back.
 *
 * `<data>/tarballs/ab/cdef….tgz` holds the bytes; `by-digest/sha1-…` names the sha512 of a tarball that a registry lists by a weaker
 * digest. There is no quota and nothing is evicted: the folder grows with what was served, and may be emptied at any time.
 */
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { joined, room } from "../../core/base/memory.ts";
import type { Clock } from "../../core/base/time.ts";
import { type Algorithm, integrityVerifier, parseIntegrity } from "../../core/npm/integrity.ts";
import { createTemporary, type Files, FILES, moveInto, orAbsent, prepare, storeFault, within } from "./files.ts";

export type TarballOptions = {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Told the path of a damaged tarball after it was moved aside. */
  readonly onDamaged?: (path: string) => void;
  readonly files?: Files;
};

type Digest = { readonly algorithm: Algorithm; readonly base64: string };

/** Bytes read or hashed in one step. */
const CHUNK = 256 * 1_024;

/** Raises STORE_BROKEN, here and in every method, when the folder cannot be read or written. */
export async function openTarballs({ dataDir, clock, onDamaged = () => {}, files = FILES }: TarballOptions) {
  const root = join(dataDir, "tarballs");
  await prepare(files, root, clock.now());
  /** Digest → the file that was found to have it. */
  const verified = new Map<string, string>();
  const checks = new Map<string, Promise<boolean>>();

  function remember(digest: Digest, identity: string): void {
    verified.delete(sri(digest));
    verified.set(sri(digest), identity);
    if (verified.size > LIMITS.verifiedBlobs) verified.delete(verified.keys().next().value!);
  }

  /** The path of the tarball with this digest, existing or not; undefined when a weaker digest is not known. */
  async function locate(digest: Digest): Promise<string | undefined> {
    if (digest.algorithm === "sha512") return blobPath(root, hex(sri(digest)));
    const name = await orAbsent(files.readFile(indexPath(root, digest), "latin1"));
    return name !== undefined && /^[0-9a-f]{128}$/.test(name) ? blobPath(root, name) : undefined;
  }

  /** Whether the file behind the handle has the digest: known from an earlier look at the same file, or hashed now. */
  async function holds(handle: FileHandle, path: string, digest: Digest): Promise<boolean> {
    const before = await handle.stat({ bigint: true });
    if (verified.get(sri(digest)) === identityOf(before)) return true;
    const verifier = integrityVerifier(sri(digest));
    for await (const chunk of chunksOf(handle, Number(before.size))) verifier.update(chunk);
    const { ok, sha512 } = verifier.result();
    if (blobPath(root, hex(sha512)) !== path) {
      await orAbsent(files.rename(path, `${path}.damaged`));
      onDamaged(path);
      return false;
    }
    // The bytes are what their name says, so it is the index that lied.
    if (!ok) await orAbsent(files.unlink(indexPath(root, digest)));
    // Changed while it was read: what was hashed may be neither the old file nor the new one.
    const still = identityOf(await handle.stat({ bigint: true })) === identityOf(before);
    if (ok && still) remember(digest, identityOf(before));
    return ok && still;
  }

  async function withHandle<T>(path: string, work: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    const handle = await orAbsent(files.open(path, "r"));
    if (!handle) return undefined;
    try {
      return await work(handle);
    } finally {
      await handle.close();
    }
  }

  /** One look at a time for one digest, however many ask. */
  function check(path: string, digest: Digest): Promise<boolean> {
    const running = checks.get(sri(digest));
    if (running) return running;
    const started = withHandle(path, (handle) => holds(handle, path, digest))
      .then((held) => held === true)
      .finally(() => checks.delete(sri(digest)));
    checks.set(sri(digest), started);
    return started;
  }

  /** Reads through one handle that was found to hold the digest: a file swapped in between is noticed. */
  async function* read(path: string, digest: Digest, size: number, step: number): AsyncGenerator<Uint8Array, void, undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await orAbsent(files.open(path, "r"));
      if (!handle || !(await holds(handle, path, digest))) throw new Fault("INTEGRITY_MISMATCH", `${path} was damaged while it was in use`);
      yield* chunksOf(handle, size, step);
    } catch (error) {
      throw storeFault(root, error);
    } finally {
      await handle?.close();
    }
  }

  return {
    async open(integrity: string) {
      for (const digest of digestsOf(integrity)) {
        const found = await within(root, async () => {
          const path = await locate(digest);
          const stat = path && (await orAbsent(files.stat(path, { bigint: true })));
          if (!path || !stat) return undefined;
          const known = verified.get(sri(digest)) === identityOf(stat);
          return known || (await check(path, digest)) ? { path, size: Number(stat.size) } : undefined;
        });
        if (!found) continue;
        const { path, size } = found;
        return {
          size,
          stream: (): NodeJS.ReadableStream => Readable.from(read(path, digest, size, CHUNK), { objectMode: false, highWaterMark: CHUNK }),
          async bytes(): Promise<Uint8Array> {
            const chunks: Uint8Array[] = [];
            for await (const chunk of read(path, digest, size, size)) chunks.push(chunk);
            return joined(chunks);
          },
        };
      }
      return undefined;
    },

    /** Raises INPUT_UNREADABLE when the integrity names no digest we know, INPUT_TOO_LARGE beyond `LIMITS.tarballBytes`. */
    async write(integrity: string) {
      const wanted = digestsOf(integrity);
      if (wanted.length === 0)
        throw new Fault("INPUT_UNREADABLE", `"${integrity.slice(0, LIMITS.phraseChars)}" names no digest to verify by`);
      const verifiers = wanted.map((digest) => integrityVerifier(sri(digest)));
      const { path: temporary, handle } = await within(root, () => createTemporary(files, root));
      let size = 0;
      let open = true;

      async function discard(): Promise<void> {
        if (!open) return;
        open = false;
        await handle.close();
        await orAbsent(files.unlink(temporary));
      }

      /** A write that fails leaves nothing behind, whether or not the caller aborts it. */
      async function orDiscard<T>(work: () => Promise<T>): Promise<T> {
        try {
          return await within(root, work);
        } catch (error) {
          await discard().catch(() => {});
          throw error;
        }
      }

      return {
        write: (chunk: Uint8Array): Promise<void> =>
          orDiscard(async () => {
            size += chunk.byteLength;
            if (size > LIMITS.tarballBytes) throw new Fault("INPUT_TOO_LARGE", `a tarball of more than ${LIMITS.tarballBytes} bytes`);
            for (const verifier of verifiers) verifier.update(chunk);
            await handle.writeFile(chunk);
          }),

        commit: () =>
          orDiscard(async () => {
            const results = verifiers.map((verifier) => verifier.result());
            const { sha512 } = results[0]!;
            const held = wanted.filter((_digest, index) => results[index]!.ok);
            if (held.length === 0) {
              await discard();
              return { ok: false as const, sha512 };
            }
            await handle.datasync();
            // The folder is not synced: a name that a power cut takes away is a tarball to fetch again.
            await moveInto(files, temporary, blobPath(root, hex(sha512)));
            const identity = identityOf(await handle.stat({ bigint: true }));
            open = false;
            await handle.close();
            for (const digest of held) {
              if (digest.algorithm !== "sha512") await writeIndex(files, root, digest, hex(sha512));
              remember(digest, identity);
            }
            return { ok: true as const, sha512 };
          }),

        abort: (): Promise<void> => within(root, discard),
      };
    },
  };
}

function digestsOf(integrity: string): readonly Digest[] {
  const parsed = parseIntegrity(integrity);
  if (parsed.kind !== "integrity") return [];
  return parsed.digests[parsed.algorithm]!.map((base64) => ({ algorithm: parsed.algorithm, base64 }));
}

function sri({ algorithm, base64 }: Digest): string {
  return `${algorithm}-${base64}`;
}

/** The digest of a single-digest SRI string in hex. */
function hex(integrity: string): string {
  return Buffer.from(integrity.slice(integrity.indexOf("-") + 1), "base64").toString("hex");
}

function blobPath(root: string, sha512: string): string {
  return join(root, sha512.slice(0, 2), `${sha512.slice(2)}.tgz`);
}

function indexPath(root: string, digest: Digest): string {
  return join(root, "by-digest", `${digest.algorithm}-${hex(sri(digest))}`);
}

async function writeIndex(files: Files, root: string, digest: Digest, sha512: string): Promise<void> {
  const { path: temporary, handle } = await createTemporary(files, root);
  try {
    await handle.writeFile(sha512, "latin1");
  } finally {
    await handle.close();
  }
  await moveInto(files, temporary, indexPath(root, digest));
}

/** Changes with any other file in its place and with any write to it; reading leaves it as it is. */
function identityOf(stat: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }): string {
  return `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

async function* chunksOf(handle: FileHandle, size: number, step = CHUNK): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; position < size;) {
    const buffer = room(Math.min(step, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}
