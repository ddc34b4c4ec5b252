import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dropEntries } from "./drop.ts";
import { readAs, readLockfile } from "./read.ts";

const FOLDER = new URL("samples/", import.meta.url);
const PATHS: Readonly<Record<string, string>> = { npm: "package-lock.json", pnpm: "pnpm-lock.yaml", yarn: "yarn.lock", bun: "bun.lock" };
const SAMPLES = readdirSync(FOLDER).filter((file) => PATHS[file.split("-")[0]!] !== undefined && !file.includes("hidden"));

test.each(SAMPLES)("%s: each entry can be taken out alone, and nothing else goes", (file) => {
  const path = PATHS[file.split("-")[0]!]!;
  const text = readFileSync(new URL(file, FOLDER), "utf8");
  const before = readLockfile(path, text);
  expect(readAs(before.kind, text, []).complete).toBe(true);
  const told = ({ key, name, version, source, integrity }: (typeof before.packages)[number]) =>
    JSON.stringify([key, name, version, source, integrity]);
  let tried = 0;
  for (const { name, version, source } of before.packages) {
    if (source.kind !== "registry" || version === "") continue;
    const after = dropEntries(path, text, [{ name, version }]);
    const left = readLockfile(path, after!);
    expect(
      left.problems.filter(({ code }) => code === "syntax" || code === "truncated"),
      `${name}@${version}`,
    ).toEqual([]);
    const gone = before.packages.filter((one) => one.name === name && one.version === version && one.source.kind === "registry");
    const expected = before.packages.filter(
      (one) => !gone.includes(one) && !gone.some(({ key }) => one.key.startsWith(`${key}/node_modules/`)),
    );
    expect(left.packages.map(told), `${name}@${version}`).toEqual(expected.map(told));
    tried++;
  }
  expect(tried).toBeGreaterThan(0);
});

test("what is not there, and what cannot be read, is left", () => {
  expect(dropEntries("package-lock.json", '{"lockfileVersion":3,"packages":{}}', [{ name: "a", version: "1.0.0" }])).toBeUndefined();
  expect(dropEntries("package-lock.json", '{"lockfileVersion":3,', [{ name: "a", version: "1.0.0" }])).toBeUndefined();
});
