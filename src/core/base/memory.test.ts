/** Large pieces are as good as small ones wherever bodies go. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { joined, room } from "./memory.ts";

test.each([0, 1, 70_000, 2_000_000])("room for %i bytes holds them", (size) => {
  const bytes = room(size);
  expect(bytes.length).toBe(size);
  bytes.fill(7);
  expect(createHash("sha256").update(bytes).digest()).toEqual(createHash("sha256").update(Buffer.alloc(size, 7)).digest());
  expect(gzipSync(bytes)).toEqual(gzipSync(Buffer.alloc(size, 7)));
});

test.each([1_000, 900_000])("chunks of %i bytes are joined in order, whatever follows them", (size) => {
  const chunks = [1, 2, 3].map((value) => new Uint8Array(size).fill(value));
  const whole = joined(chunks);
  for (const chunk of chunks) chunk.fill(9);
  expect(whole.length).toBe(3 * size);
  expect([0, size, 3 * size - 1].map((at) => whole[at])).toEqual([1, 2, 3]);
  expect(joined([]).length).toBe(0);
});
