/**
 * Random edits of our own small lockfiles of every format: each is reported, or an independent reader sees nothing change. The same over real
 * lockfiles, some thousands of edits, is `test/shared/lockfile-mutations.test.ts`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { edited, newlySaid, numbersFrom, original, readByOthers } from "../../../test/kit/lockfile-edits.ts";

const SAMPLES = new URL("../lockfile/samples/", import.meta.url);
/** npm 0 is older than npm's own reader reads, and pnpm's reads no file of before 6 and only the second of two documents. */
const NAMES: Readonly<Record<string, string>> = {
  "npm-1.json": "package-lock.json",
  "npm-2.json": "package-lock.json",
  "npm-3.json": "package-lock.json",
  "pnpm-6.0.yaml": "pnpm-lock.yaml",
  "pnpm-9.0.yaml": "pnpm-lock.yaml",
  "yarn-1.lock": "yarn.lock",
  "yarn-4.lock": "yarn.lock",
  "yarn-10.lock": "yarn.lock",
  "bun-1.lock": "bun.lock",
  "bun-2.lock": "bun.lock",
  "deno-4.lock": "deno.lock",
  "deno-5.lock": "deno.lock",
};
const EDITS = 40;

test("every sample that others can read is edited", () => {
  expect(readdirSync(SAMPLES)).toEqual(expect.arrayContaining(Object.keys(NAMES)));
});

test.each(Object.entries(NAMES))("%s", async (file, name) => {
  const was = original(name, readFileSync(new URL(file, SAMPLES), "utf8"));
  const before = await readByOthers(was.tree.kind, was.text, name);
  expect(before[0]).not.toMatch(/^refused/);
  const next = numbersFrom(7);
  const silent: string[] = [];
  let reported = 0;
  for (let made = 0; made < EDITS;) {
    const edit = edited(was.text, was.tree, next);
    if (edit === undefined) continue;
    made++;
    if (newlySaid(was, edit.text).length > 0) reported++;
    else {
      const after = await readByOthers(was.tree.kind, edit.text, name);
      if (after.join("\n") !== before.join("\n"))
        silent.push(
          `${edit.kind}: ${after.filter((line) => !before.includes(line)).join("; ")} for ${before.filter((line) => !after.includes(line)).join("; ")}`,
        );
    }
  }
  expect(silent).toEqual([]);
  expect(reported).toBeGreaterThan(EDITS / 3);
});
