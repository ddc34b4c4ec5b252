/** What another process changes reaches a running gate without a restart. */
import { expect, test } from "vitest";
import { openStore } from "../../src/edge/store/open.ts";
import { makeDeny } from "../../src/core/policy/deny.ts";
import { writeFiles } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { openGate, type Opened } from "./open.ts";

/** What the gate answers at last: it looks at what others changed a few times a second, however long a busy machine makes of that. */
function statusOf({ get }: Opened, path: string, wanted: number): Promise<number> {
  return until(
    async () => (await get(path)).status,
    (status) => status === wanted,
  );
}

test("a deny from another process, also under a packument that is warm in memory", async () => {
  const opened = await openGate();
  const store = await openStore({ dataDir: opened.product.data, clock: opened.fixture.clock });
  try {
    for (const version of ["1.14.0", "1.13.6"]) {
      const path = `/axios/-/axios-${version}.tgz`;
      expect((await opened.get(path)).status).toBe(200);
      expect((await opened.get("/axios")).body.toString()).toContain(`"${version}":`);
      const now = opened.fixture.clock.now();
      await store.exceptions.addDeny(makeDeny({ name: "axios", version, owner: "mara", reason: "incident 12", now }));
      expect(await statusOf(opened, path, 403)).toBe(403);
      expect(JSON.parse((await opened.get("/axios")).body.toString())).not.toHaveProperty(["versions", version]);
    }
  } finally {
    await store.close();
  }
});

test("a changed cordon.yaml: the hold, and names that are private from now on", async () => {
  const opened = await openGate();
  const { product, fixture, get } = opened;
  const config = (text: string): void => writeFiles(product.home, { ".config/cordon/cordon.yaml": text });
  const path = "/chain-b/-/chain-b-1.1.0.tgz";
  config("policy:\n  hold: 3d\n");
  expect(await statusOf(opened, path, 200)).toBe(200);
  config("policy:\n  hold: 30d\n");
  expect(await statusOf(opened, path, 403)).toBe(403);

  config('policy:\n  private: ["fast-*", "@fast-thing/*"]\n');
  expect(await statusOf(opened, "/fast-thing", 403)).toBe(403);
  fixture.log.clear();
  expect((await get("/fast-thing/1.0.0")).status).toBe(403);
  expect((await get("/@fast-thing/linux-x64")).status).toBe(403);
  expect(fixture.log.entries).toEqual([]);
  expect(product.log.map(({ what }) => what)).toContain("policy changed");
});

test("a cordon.yaml that cannot be used leaves the last good one in force, and is told once", async () => {
  const opened = await openGate({ config: "policy:\n  hold: 30d\n" });
  const path = "/chain-b/-/chain-b-1.1.0.tgz";
  expect((await opened.get(path)).status).toBe(403);
  writeFiles(opened.product.home, { ".config/cordon/cordon.yaml": "policy:\n  holt: 1h\n" });
  const told = () => opened.product.log.filter(({ what }) => what.startsWith("the changed configuration cannot be used"));
  await expect.poll(() => told().length).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(told()).toHaveLength(1);
  expect((await opened.get(path)).status).toBe(403);
});

test("a data directory that cannot be made is named, with the setting that names another", async () => {
  const { product } = await openGate();
  const data = `${product.home}/.config/cordon/cordon.yaml/below-a-file`;
  writeFiles(product.home, { ".config/cordon/cordon.yaml": "log: { level: error }\n" });
  for (const argv of [["held"], ["npm", "install"]]) {
    const { code, stderr } = await product.cordon(["--data", data, ...argv]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining("Name a folder you can write to with --data DIR or CORDON_DATA."),
    });
    expect(stderr).toContain(data);
  }
});
