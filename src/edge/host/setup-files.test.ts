/** `cordon setup` on real files: written with a journal, undone to the exact bytes, never over somebody's later edit. */
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { tree } from "../../../test/kit/tree.ts";
import { instant } from "../../core/base/time.ts";
import { planSetup } from "../../core/client/setup.ts";
import { openJournal } from "./journal.ts";
import { applySetup, readSetupFiles, undoSetup } from "./setup-files.ts";

const GATE = "http://127.0.0.1:4870/p/shop/npm/";

function setUp(root: string, data: string, gate: string, at: number): void {
  const { edits } = planSetup(["npm", "bun"], gate, readSetupFiles(root));
  applySetup(openJournal(data), { root, gate, edits, now: instant(at) });
}

function contents(root: string): Record<string, string> {
  return Object.fromEntries(
    fs
      .readdirSync(root)
      .toSorted()
      .map((name) => [name, fs.readFileSync(path.join(root, name), "utf8")]),
  );
}

test("undo gives back the exact bytes and modes, and removes what was new, over several set-ups", () => {
  const files = { ".npmrc": "; ours\r\naudit=false", "package.json": "{}" };
  const root = tree(files);
  const data = tree();
  fs.chmodSync(path.join(root, ".npmrc"), 0o600);
  setUp(root, data, GATE, 1);
  expect(contents(root)).toEqual({
    ".npmrc": `; ours\r\naudit=false\r\nregistry=${GATE}\r\nreplace-registry-host=npmjs\r\n`,
    "bunfig.toml": `[install]\nregistry = "${GATE}"\n`,
    "package.json": "{}",
  });
  setUp(root, data, GATE, 2);
  setUp(root, data, "https://gate.test/", 3);
  expect(openJournal(data).list("setup")).toHaveLength(2);
  expect(undoSetup(openJournal(data), root)).toEqual({ restored: [".npmrc", "bunfig.toml"], changed: [] });
  expect(contents(root)).toEqual(files);
  expect(fs.statSync(path.join(root, ".npmrc")).mode & 0o777).toBe(0o600);
  expect(undoSetup(openJournal(data), root)).toEqual({ restored: [], changed: [] });
});

test("a file edited since is left alone and named with the text it had; undo can be tried again", () => {
  const root = tree({ ".npmrc": "audit=false\n" });
  const data = tree();
  setUp(root, data, GATE, 1);
  const written = fs.readFileSync(path.join(root, ".npmrc"), "utf8");
  fs.appendFileSync(path.join(root, ".npmrc"), "fund=false\n");
  const undone = undoSetup(openJournal(data), root);
  expect(undone.restored).toEqual(["bunfig.toml"]);
  expect(undone.changed).toEqual([{ path: ".npmrc", before: "audit=false\n", after: written }]);
  fs.writeFileSync(path.join(root, ".npmrc"), written);
  expect(undoSetup(openJournal(data), root)).toEqual({ restored: [".npmrc"], changed: [] });
  expect(contents(root)).toEqual({ ".npmrc": "audit=false\n" });
});

test("another project's set-up is not this one's", () => {
  const root = tree();
  const other = tree();
  const data = tree();
  setUp(other, data, GATE, 1);
  expect(undoSetup(openJournal(data), root)).toEqual({ restored: [], changed: [] });
  expect(Object.keys(contents(other))).toEqual([".npmrc", "bunfig.toml"]);
});

test("nothing to change leaves no trace", () => {
  const root = tree({ ".npmrc": `registry=${GATE}\nreplace-registry-host=npmjs\n`, "bunfig.toml": `[install]\nregistry = "${GATE}"\n` });
  const data = tree();
  setUp(root, data, GATE, 1);
  expect(fs.readdirSync(data)).toEqual([]);
});
