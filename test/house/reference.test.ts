/** `docs/reference/` says what the tables say. `npm run docs` (UPDATE=1) writes it anew. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { referencePages } from "../../tools/reference.ts";
import { files, ROOT, text } from "./tree.ts";

const FOLDER = "docs/reference";
const pages = referencePages(text("src/core/base/limits.ts"));

if (process.env["UPDATE"] === "1") {
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
  for (const [name, page] of Object.entries(pages)) writeFileSync(join(ROOT, FOLDER, name), page);
}

test.each(Object.entries(pages))("docs/reference/%s is up to date; `npm run docs` writes it", (name, page) =>
  expect(text(`${FOLDER}/${name}`)).toBe(page),
);

test("docs/reference holds nothing else", () => {
  expect(
    files(FOLDER)
      .map((path) => path.slice(FOLDER.length + 1))
      .sort(),
  ).toEqual(Object.keys(pages).sort());
});
