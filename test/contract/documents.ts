/** What every packument store must keep, whatever it is made of. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { DocumentStore } from "../../src/app/ports.ts";

/** `again`: the same data as a process that has just started sees it. */
export type OpenDocuments = () => Promise<{ readonly store: DocumentStore; again(): Promise<DocumentStore> }>;

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

export function documentContract(name: string, open: OpenDocuments): void {
  test(`${name}: a document comes back by its digest, also after a restart`, async () => {
    const { store, again } = await open();
    for (const text of ["", "{}", '{"name":"widget"}'.repeat(20_000)]) {
      const bytes = Buffer.from(text);
      expect(await store.get(digestOf(bytes))).toBeUndefined();
      await store.put(digestOf(bytes), bytes);
      await store.put(digestOf(bytes), bytes);
      for (const view of [store, await again()]) expect(bytes.equals((await view.get(digestOf(bytes)))!)).toBe(true);
    }
  });

  test(`${name}: a document under a digest that is not its own is never given out`, async () => {
    const { store } = await open();
    const digest = digestOf(Buffer.from("promised"));
    await store.put(digest, Buffer.from("something else"));
    expect(await store.get(digest)).toBeUndefined();
    await store.put(digest, Buffer.from("promised"));
    expect(String(await store.get(digest))).toBe("promised");
  });

  test(`${name}: a document that came compressed is kept as it came, and checked all the same`, async () => {
    const { store, again } = await open();
    const bytes = Buffer.from('{"name":"widget"}'.repeat(1_000));
    await store.put(digestOf(bytes), bytes, gzipSync(bytes));
    expect(bytes.equals((await (await again()).get(digestOf(bytes)))!)).toBe(true);
    const other = Buffer.from('{"name":"gadget"}');
    await store.put(digestOf(other), other, gzipSync(bytes));
    expect(await store.get(digestOf(other))).toBeUndefined();
  });

  test(`${name}: what is no digest is refused`, async () => {
    const { store } = await open();
    for (const bad of ["", "../../x", "A".repeat(42), `${"A".repeat(43)}/..`, "é".repeat(43)])
      await expect(store.get(bad), bad).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });

  test(`${name}: concurrent writers of one document do not disturb each other`, async () => {
    const { store, again } = await open();
    const bytes = Buffer.from('{"name":"widget"}'.repeat(5_000));
    const other = await again();
    await Promise.all([store, other, store, other].map((one) => one.put(digestOf(bytes), bytes)));
    expect(bytes.equals((await other.get(digestOf(bytes)))!)).toBe(true);
  });
}
