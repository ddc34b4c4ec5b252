/**
 * Memory for large bodies that are passed on, not read byte by byte. The C library's allocator keeps large pieces among small ones that
 * stay, and then cannot give them back: after a busy hour half of a gate's heap was free and resident. Memory that may be resized, which
 * nothing here does, V8 takes from the system itself and gives back whole.
 */
import { Buffer } from "node:buffer";
import { LIMITS } from "./limits.ts";

/** Smaller ones may be read byte by byte on the main thread, which takes up to three times as long in such memory (measured). */
const LARGE = LIMITS.packumentInPlaceBytes;

/** Not cleared where it is small; every byte is the caller's to write. */
export function room(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes < LARGE) return Buffer.allocUnsafe(bytes);
  const growable: new (length: number, options: { readonly maxByteLength: number }) => ArrayBuffer = ArrayBuffer;
  return new Uint8Array(new growable(bytes, { maxByteLength: bytes }), 0, bytes);
}

/** All chunks in one piece; a single one is given as it is. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = room(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
