/** Whatever a body's size and whatever it claims, it is decoded whole or refused. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { inflate } from "./inflate.ts";

/** Compressible, and no two parts alike. */
function text(size: number): Buffer {
  return Buffer.from(Array.from({ length: Math.ceil(size / 8) }, (_, at) => String(at).padStart(8, "-")).join("")).subarray(0, size);
}

test.each([0, 1, 1_000, 300_000, 3_000_000])("%i bytes come back as they were", async (size) => {
  expect(text(size).equals(await inflate(gzipSync(text(size)), 3_000_000))).toBe(true);
});

test("several members are one body, whatever the last one says of its size", async () => {
  const parts = [text(900_000), text(400_000), text(10)];
  expect(Buffer.concat(parts).equals(await inflate(Buffer.concat(parts.map((part) => gzipSync(part))), 2_000_000))).toBe(true);
  const claims = gzipSync(text(900_000));
  claims.writeUInt32LE(400_000, claims.length - 4);
  await expect(inflate(claims, 2_000_000)).rejects.toMatchObject({ code: "Z_DATA_ERROR" });
});

test.each([1_000, 3_000_000])("above the ceiling %i bytes are refused, and cut off they are an error", async (size) => {
  const packed = gzipSync(text(size));
  await expect(inflate(packed, size - 1)).rejects.toMatchObject({ code: "ERR_BUFFER_TOO_LARGE" });
  await expect(inflate(packed.subarray(0, -20), size)).rejects.toMatchObject({ code: "Z_BUF_ERROR" });
});
