/** Tarballs and packuments on disk may be lost, so a disk that does not take them costs nobody an answer. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import { integrityOf } from "../../src/core/npm/integrity.ts";
import { openGate, receive } from "./open.ts";

test("what cannot be stored is served all the same, and stands in the ledger", async () => {
  const { fixture, gate, base, product, get } = await openGate();
  const large = Buffer.alloc(LIMITS.tarballBufferBytes + 300_000, "no package, but nobody looks inside\n");
  const edit = (document: Record<string, unknown>): void => {
    const { dist } = (document["versions"] as Record<string, { dist: object }>)["1.0.0"]!;
    Object.assign(dist, { integrity: integrityOf(large) });
  };
  fixture.faults.add({ route: "packument", name: "host" }, { edit });
  fixture.faults.add({ route: "tarball", name: "host" }, { body: large });
  // Not even root can make a file where a file stands in the folder's place.
  for (const store of ["tarballs", "packuments"]) {
    rmSync(join(product.data, store, "tmp"), { recursive: true });
    writeFileSync(join(product.data, store, "tmp"), "");
  }

  expect(await get("/axios")).toMatchObject({ status: 200 });
  for (let again = 0; again < 2; again += 1) {
    expect(await receive(base, "/axios/-/axios-1.14.0.tgz")).toMatchObject({ status: 200, whole: true });
    const got = await receive(base, "/host/-/host-1.0.0.tgz");
    expect(got).toMatchObject({ status: 200, whole: true });
    expect(got.body.equals(large)).toBe(true);
  }
  const rows = await gate.app.ledger.tail({ limit: 50, kinds: ["serve"] });
  expect(rows.map(({ entry }) => "name" in entry && entry.name)).toEqual(["axios", "host", "axios", "host"]);
});

test("a folder that cannot be read is as good as an empty one", async () => {
  const { base, product, get } = await openGate();
  for (const store of ["tarballs", "packuments"]) {
    rmSync(join(product.data, store), { recursive: true });
    writeFileSync(join(product.data, store), "");
  }
  expect(await get("/axios")).toMatchObject({ status: 200 });
  expect(await receive(base, "/axios/-/axios-1.14.0.tgz")).toMatchObject({ status: 200, whole: true });
});
