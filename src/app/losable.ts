/**
 * The stores that may be lost (tarballs and packuments by digest): one that cannot be read is as good as empty, one that cannot be written
 * is told, and either way the answer is given. Nothing is decided from them; bytes are held to their digest wherever they come from.
 */
import { Fault } from "../core/base/fault.ts";
import type { BlobStore, DocumentStore } from "./ports.ts";

type Trouble = (what: string, error: unknown) => void;

/** A write whose end nobody need look at: what was not kept is fetched again. */
export type LosableWrite = { write(chunk: Uint8Array): Promise<void>; commit(): Promise<void>; abort(): Promise<void> };

export type LosableBlobs = Pick<BlobStore, "open"> & { write(integrity: string): Promise<LosableWrite> };

export function losableDocuments(documents: DocumentStore, trouble: Trouble): DocumentStore {
  return {
    get: (digest) => orTrouble(() => documents.get(digest), "packument store not readable", trouble),
    put: (digest, bytes, gzip) => orTrouble(() => documents.put(digest, bytes, gzip), "packument not stored", trouble),
  };
}

export function losableBlobs(blobs: BlobStore, trouble: Trouble): LosableBlobs {
  return {
    open: (integrity) => orTrouble(() => blobs.open(integrity), "tarball store not readable", trouble),
    async write(integrity) {
      let kept = await orTrouble(() => blobs.write(integrity), "tarball not stored", trouble);
      /** One failure ends the copy; the transfer beside it goes on. */
      const step = async (work: (file: NonNullable<typeof kept>) => Promise<unknown>): Promise<void> => {
        const file = kept;
        if (!file) return;
        const done = await orTrouble(() => work(file).then(() => true), "tarball not stored", trouble);
        if (!done) kept = undefined;
      };
      return {
        write: (chunk) => step((file) => file.write(chunk)),
        commit: () => step((file) => file.commit()),
        abort: () => step((file) => file.abort()),
      };
    },
  };
}

async function orTrouble<T>(work: () => Promise<T>, what: string, trouble: Trouble): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "STORE_BROKEN") throw error;
    trouble(what, error);
    return undefined;
  }
}
