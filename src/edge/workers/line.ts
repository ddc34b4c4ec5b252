/** The line between a process and the workshop it started: what is said over it, each a structured value with bytes beside it that are not copied into it. */
import { deserialize, serialize } from "node:v8";
import { LIMITS } from "../../core/base/limits.ts";
import { room } from "../../core/base/memory.ts";
import type { ThreadLimits } from "./threads.ts";

/** To the workshop. */
export type Order =
  | { readonly kind: "start"; readonly thread: number; readonly limits: ThreadLimits }
  | { readonly kind: "job"; readonly thread: number; readonly job: object }
  | { readonly kind: "end"; readonly thread: number };

/** From it. */
export type News =
  | { readonly kind: "message"; readonly thread: number; readonly message: unknown }
  | { readonly kind: "exit"; readonly thread: number };

/** The file descriptor of the workshop's end. */
export const LINE = 3;

/** Length of the value, length of the bytes. */
const HEAD = 8;
/** In place of the second length: no bytes, which is not the same as none in them. */
const WITHOUT = 0xffff_ffff;

/** The parts to write one after another. */
export function frame(value: unknown, bytes?: Uint8Array): readonly Uint8Array[] {
  const told = serialize(value);
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(told.length, 0);
  head.writeUInt32LE(bytes?.length ?? WITHOUT, 4);
  return [head, told, ...(bytes === undefined ? [] : [bytes])];
}

/**
 * Takes the stream's chunks as they come. The bytes stand in ordinary memory of their own, so that they can be moved to a thread and read
 * there. Throws on a frame above `ceiling`.
 */
export function frameReader(
  onFrame: (value: unknown, bytes: Uint8Array<ArrayBuffer> | undefined) => void,
  ceiling: number = LIMITS.workshopFrameBytes,
): (chunk: Uint8Array) => void {
  const lengths = Buffer.alloc(HEAD);
  const head = part(lengths);
  let value: Part | undefined;
  let bytes: Part | undefined;

  return (chunk) => {
    for (let rest = chunk; ;) {
      if (!value) {
        rest = fill(head, rest);
        if (!isFull(head)) return;
        const [told, beside] = [lengths.readUInt32LE(0), lengths.readUInt32LE(4)];
        if (told > ceiling || (beside !== WITHOUT && beside > ceiling)) throw new Error("a message between processes is too large");
        value = part(room(told));
        bytes = beside === WITHOUT ? undefined : part(Buffer.allocUnsafeSlow(beside));
      }
      rest = fill(value, rest);
      if (bytes) rest = fill(bytes, rest);
      if (!isFull(value) || (bytes && !isFull(bytes))) return;
      const whole = [deserialize(value.buffer), bytes?.buffer] as const;
      [head.filled, value, bytes] = [0, undefined, undefined];
      onFrame(...whole);
    }
  };
}

type Part = { readonly buffer: Uint8Array<ArrayBuffer>; filled: number };

function part(buffer: Uint8Array<ArrayBuffer>): Part {
  return { buffer, filled: 0 };
}

function isFull({ buffer, filled }: Part): boolean {
  return filled === buffer.length;
}

/** Returns what it did not take. */
function fill(into: Part, chunk: Uint8Array): Uint8Array {
  const taken = chunk.subarray(0, into.buffer.length - into.filled);
  into.buffer.set(taken, into.filled);
  into.filled += taken.length;
  return chunk.subarray(taken.length);
}
