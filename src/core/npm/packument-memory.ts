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

/**
 * `capacity` in bytes of documents; the newest one is kept whatever its size. See `LIMITS.packumentMemoryBytes`. What was rendered leaves
 * before what was only read: a read is followed by a render, and that by nothing for as long as the finished answer stands.
 */
export function packumentMemory(capacity: number): PackumentMemory {
  // Oldest use first.
  const rendered = new Map<string, PackumentIndex>();
  const awaited = new Map<string, PackumentIndex>();
  let held = 0;

  function drop(from: Map<string, PackumentIndex>, digest: string): void {
    held -= from.get(digest)?.bytes.length ?? 0;
    from.delete(digest);
  }

  function keep(index: PackumentIndex, shelf: Map<string, PackumentIndex>): PackumentIndex {
    for (const one of [rendered, awaited]) drop(one, index.digest);
    shelf.set(index.digest, index);
    held += index.bytes.length;
    for (const one of [rendered, awaited])
      for (const digest of one.keys()) {
        if (held <= capacity) return index;
        if (digest !== index.digest) drop(one, digest);
      }
    return index;
  }

  function find(digest: string, bytes: Uint8Array | undefined): PackumentIndex | Exclude<PackumentAnswer, { kind: "read" }> {
    const known = awaited.get(digest) ?? rendered.get(digest);
    if (known) return keep(known, rendered);
    if (bytes === undefined) return { kind: "bytes-needed" };
    const { index } = indexPackument(bytes);
    // The document store is not trusted: what is rendered is what was judged, or nothing.
    return index?.digest === digest
      ? keep(index, rendered)
      : { kind: "unusable", reason: "the stored document is not the one that was judged" };
  }

  return {
    run(job) {
      if (job.kind === "read") {
        const { reading, index } = indexPackument(job.bytes, job.name, LIMITS, job.moment, job.young);
        if (index) keep(index, awaited);
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
