/**
 * Packument jobs over a small memory of indexed documents, so that the render after a read scans nothing twice.
 * The same code runs on the main thread and in the worker; it computes only, and its state is nothing but what it was handed.
 */
import { LIMITS } from "../base/limits.ts";
import type { Instant } from "../base/time.ts";
import { indexPackument, type PackumentIndex } from "./packument.ts";
import { type Bases, renderManifest, renderPackument } from "./render.ts";
import type { PackumentReading, RenderedPackument, RenderPlan } from "./summary.ts";

/** `bytes` may be left out when the document was seen before; the answer may be that they are needed. */
export type PackumentJob =
  /** `moment`: of the answer; see `readPackument`. `young`: versions to read in detail whatever their times say. */
  | {
      readonly kind: "read";
      readonly name: string;
      readonly bytes: Uint8Array;
      readonly moment: Instant;
      readonly young?: readonly string[];
    }
  | { readonly kind: "render"; readonly digest: string; readonly bytes?: Uint8Array; readonly plan: RenderPlan }
  | { readonly kind: "manifest"; readonly digest: string; readonly bytes?: Uint8Array; readonly version: string; readonly bases: Bases };

export type PackumentAnswer =
  | { readonly kind: "read"; readonly reading: PackumentReading }
  | { readonly kind: "rendered"; readonly rendered: RenderedPackument }
  | { readonly kind: "manifest"; readonly json: Uint8Array | undefined }
  | { readonly kind: "bytes-needed" }
  /** The bytes handed in are not the document with that digest, or cannot be read. */
  | { readonly kind: "unusable"; readonly reason: string };

export type PackumentMemory = {
  run(job: PackumentJob): PackumentAnswer;
};

/** `capacity` in bytes of documents; the newest one is kept whatever its size. See `LIMITS.packumentMemoryBytes`. */
export function packumentMemory(capacity: number): PackumentMemory {
  // Oldest use first.
  const indexes = new Map<string, PackumentIndex>();
  let held = 0;

  function keep(index: PackumentIndex): PackumentIndex {
    held += index.bytes.length - (indexes.get(index.digest)?.bytes.length ?? 0);
    indexes.delete(index.digest);
    indexes.set(index.digest, index);
    for (const [digest, { bytes }] of indexes) {
      if (held <= capacity || digest === index.digest) break;
      indexes.delete(digest);
      held -= bytes.length;
    }
    return index;
  }

  function find(digest: string, bytes: Uint8Array | undefined): PackumentIndex | Exclude<PackumentAnswer, { kind: "read" }> {
    const known = indexes.get(digest);
    if (known) return keep(known);
    if (bytes === undefined) return { kind: "bytes-needed" };
    const { index } = indexPackument(bytes);
    // The document store is not trusted: what is rendered is what was judged, or nothing.
    return index?.digest === digest ? keep(index) : { kind: "unusable", reason: "the stored document is not the one that was judged" };
  }

  return {
    run(job) {
      if (job.kind === "read") {
        const { reading, index } = indexPackument(job.bytes, job.name, LIMITS, job.moment, job.young);
        if (index) keep(index);
        return { kind: "read", reading };
      }
      const found = find(job.digest, job.bytes);
      if ("kind" in found) return found;
      return job.kind === "render"
        ? { kind: "rendered", rendered: renderPackument(found, job.plan) }
        : { kind: "manifest", json: renderManifest(found, job.version, job.bases) };
    },
  };
}
