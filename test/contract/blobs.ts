/** What every tarball store must keep, whatever it is made of. */
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { BlobStore } from "../../src/app/ports.ts";
import { integrityOf } from "../../src/core/npm/integrity.ts";

/** `again`: the same data as a process that has just started sees it. */
export type OpenBlobs = () => Promise<{ readonly store: BlobStore; again(): Promise<BlobStore> }>;

export async function keep(store: BlobStore, integrity: string, ...chunks: readonly Uint8Array[]) {
  const writer = await store.write(integrity);
  for (const chunk of chunks) await writer.write(chunk);
  return writer.commit();
}

export async function streamed(blob: { stream(): NodeJS.ReadableStream }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.stream()) chunks.push(chunk as unknown as Uint8Array);
  return Buffer.concat(chunks);
}

export function blobContract(name: string, open: OpenBlobs): void {
  test(`${name}: bytes come back whole, in one piece or as a stream, also after a restart`, async () => {
    const { store, again } = await open();
    for (const size of [0, 1, 70_000, 1_500_000]) {
      const bytes = randomBytes(size);
      const integrity = integrityOf(bytes);
      expect(await store.open(integrity)).toBeUndefined();
      const half = size >> 1;
      expect(await keep(store, integrity, bytes.subarray(0, half), bytes.subarray(half))).toEqual({ ok: true, sha512: integrity });
      for (const view of [store, await again()]) {
        const blob = (await view.open(integrity))!;
        expect(blob.size).toBe(size);
        expect(bytes.equals(await blob.bytes())).toBe(true);
        expect(bytes.equals(await streamed(blob))).toBe(true);
      }
    }
  });

  test(`${name}: bytes that do not match are never visible`, async () => {
    const { store, again } = await open();
    const wanted = integrityOf(Buffer.from("what was promised"));
    const other = Buffer.from("something else");
    expect(await keep(store, wanted, other)).toEqual({ ok: false, sha512: integrityOf(other) });
    for (const view of [store, await again()]) {
      expect(await view.open(wanted)).toBeUndefined();
      expect(await view.open(integrityOf(other))).toBeUndefined();
    }
  });

  test(`${name}: what is not committed is never visible`, async () => {
    const { store, again } = await open();
    const bytes = randomBytes(1_000);
    const writer = await store.write(integrityOf(bytes));
    await writer.write(bytes);
    expect(await store.open(integrityOf(bytes))).toBeUndefined();
    await writer.abort();
    await writer.abort();
    expect(await (await again()).open(integrityOf(bytes))).toBeUndefined();
  });

  test(`${name}: aborting after a commit changes nothing`, async () => {
    const { store } = await open();
    const bytes = randomBytes(1_000);
    const writer = await store.write(integrityOf(bytes));
    await writer.write(bytes);
    await writer.commit();
    await writer.abort();
    expect(await store.open(integrityOf(bytes))).toBeDefined();
  });

  test.each(["sha1", "sha256", "sha384"] as const)(
    `${name}: a tarball listed by its %s alone is found by that and by its sha512`,
    async (algorithm) => {
      const { store, again } = await open();
      const bytes = randomBytes(1_000);
      const weak = integrityOf(bytes, algorithm);
      expect(await store.open(weak)).toBeUndefined();
      expect(await keep(store, weak, bytes)).toEqual({ ok: true, sha512: integrityOf(bytes) });
      for (const view of [store, await again()])
        for (const integrity of [weak, integrityOf(bytes)])
          expect(bytes.equals(await (await view.open(integrity))!.bytes()), integrity).toBe(true);
      expect(await keep(store, integrityOf(randomBytes(5), algorithm), bytes)).toMatchObject({ ok: false });
    },
  );

  test(`${name}: the strongest digest of a list counts, any of several`, async () => {
    const { store } = await open();
    const bytes = randomBytes(1_000);
    const [right, wrong] = [integrityOf(bytes), integrityOf(randomBytes(5))];
    const sha1 = integrityOf(bytes, "sha1");
    expect(await keep(store, `${sha1} ${wrong}`, bytes)).toMatchObject({ ok: false });
    expect(await keep(store, `${wrong} ${right}?type=tgz`, bytes)).toMatchObject({ ok: true });
    expect(await store.open(`${sha1} ${wrong}`)).toBeUndefined();
    expect(await store.open(`${sha1} ${wrong} ${right}`)).toBeDefined();
  });

  test(`${name}: an integrity without a usable digest is refused, and finds nothing`, async () => {
    const { store } = await open();
    const md5 = `md5-${createHash("md5").update("").digest("base64")}`;
    for (const bad of ["", md5, "sha512-AAAA", "sha512-../../../../etc/passwd", "sha1-/", "not an integrity"]) {
      expect(await store.open(bad), bad).toBeUndefined();
      await expect(store.write(bad), bad).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    }
  });

  test(`${name}: two writers of the same bytes do not disturb each other, nor a reader`, async () => {
    const { store, again } = await open();
    const bytes = randomBytes(600_000);
    const integrity = integrityOf(bytes);
    const other = await again();
    await keep(store, integrity, bytes);
    const blob = (await store.open(integrity))!;
    const reading = streamed(blob);
    const writers = [store, other, other].map((one) => keep(one, integrity, bytes));
    for (const result of await Promise.all(writers)) expect(result).toEqual({ ok: true, sha512: integrity });
    expect(bytes.equals(await reading)).toBe(true);
    expect(bytes.equals(await blob.bytes())).toBe(true);
    expect(bytes.equals(await (await other.open(integrity))!.bytes())).toBe(true);
  });
}
