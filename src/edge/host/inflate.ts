/** Decodes gzip into one piece of memory, with a ceiling; large bodies into memory that goes back whole (`core/base/memory.ts`). */
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import { room } from "../../core/base/memory.ts";

const inOneStep = promisify(gunzip);

/** Up to this size in one step: step by step costs up to twice the time, and a copy. */
const STEP = 256 * 1_024;

/** Rejects with zlib's error; its code is ERR_BUFFER_TOO_LARGE when there are more than `ceiling` bytes. */
export async function inflate(bytes: Uint8Array, ceiling: number): Promise<Uint8Array> {
  // RFC 1952 §2.3.1: the last four bytes are the size of the input modulo 2^32. A claim, so no more is set aside than gzip can usually give.
  const claimed = bytes.length < 18 ? 0 : Buffer.from(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).readUInt32LE();
  const expected = Math.max(1_024, Math.min(claimed + 1, bytes.length * 40, ceiling));
  if (expected <= STEP) return inOneStep(bytes, { chunkSize: expected, maxOutputLength: ceiling });
  const steps = createGunzip({ chunkSize: STEP });
  steps.end(bytes);
  let whole = room(expected);
  let length = 0;
  for await (const step of steps as AsyncIterable<Uint8Array>) {
    if (length + step.length > ceiling) throw Object.assign(new Error(`more than ${ceiling} bytes`), { code: "ERR_BUFFER_TOO_LARGE" });
    if (length + step.length > whole.length) {
      const larger = room(Math.min(Math.max(2 * whole.length, length + step.length), ceiling));
      larger.set(whole.subarray(0, length));
      whole = larger;
    }
    whole.set(step, length);
    length += step.length;
  }
  return whole.subarray(0, length);
}
