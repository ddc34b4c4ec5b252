/** A lockfile pointed at the gate for a run always comes back: when the run ends, and after a kill at any instant. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { compiled } from "../../../test/kit/compiled.ts";
import { grow, tree } from "../../../test/kit/tree.ts";
import { instant } from "../../core/base/time.ts";
import { type JournalEntry, openJournal } from "./journal.ts";
import { type Normalise, beginRun, finishRun, readLockfiles, repairRuns } from "./lockfiles.ts";

const GATE = "http://127.0.0.1:4870/";
const NOW = instant(1_800_000_000_000);
const BEFORE = 'axios@^1:\n  resolved "https://public.test/axios.tgz"\n';
const POINTED = BEFORE.replace("https://public.test/", GATE);
const normalise: Normalise = ({ now, gate }) => (now.includes(gate) ? now.replaceAll(gate, "https://public.test/") : undefined);

function begin(root: string, data: string, text = POINTED): JournalEntry {
  const lockfiles = readLockfiles([path.join(root, "yarn.lock"), path.join(root, "package-lock.json")]);
  const begun = beginRun(openJournal(data), {
    root,
    gate: GATE,
    lockfiles,
    edits: new Map([[path.join(root, "yarn.lock"), text]]),
    now: NOW,
  });
  if (!("entry" in begun)) throw new Error(`busy: ${begun.busy.join()}`);
  return begun.entry;
}

function results(outcomes: readonly { path: string; result: string }[]): Record<string, string> {
  return Object.fromEntries(outcomes.map((each) => [path.basename(each.path), each.result]));
}

test("while it runs the client sees the gate; afterwards the exact bytes and mode are back and the journal is empty", () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  fs.chmodSync(path.join(root, "yarn.lock"), 0o640);
  const entry = begin(root, data);
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(POINTED);
  expect(results(finishRun(openJournal(data), entry, normalise))).toEqual({ "yarn.lock": "restored", "package-lock.json": "unchanged" });
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(BEFORE);
  expect(fs.statSync(path.join(root, "yarn.lock")).mode & 0o777).toBe(0o640);
  expect(openJournal(data).list("run")).toEqual([]);
  expect(fs.readdirSync(root)).toEqual(["yarn.lock"]);
});

test("what the client wrote stays, with the gate taken out of it", () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  const entry = begin(root, data);
  grow(root, { "yarn.lock": `${POINTED}form@^2:\n  resolved "${GATE}form.tgz"\n`, "package-lock.json": "{}" });
  expect(results(finishRun(openJournal(data), entry, normalise))).toEqual({ "yarn.lock": "normalised", "package-lock.json": "written" });
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(`${BEFORE}form@^2:\n  resolved "https://public.test/form.tgz"\n`);
});

test("a lockfile the client removed stays removed, one it made is told as written", () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  const entry = begin(root, data);
  fs.rmSync(path.join(root, "yarn.lock"));
  expect(results(finishRun(openJournal(data), entry, normalise))).toMatchObject({ "yarn.lock": "removed" });
});

test("a second run keeps its hands off a lockfile the first has in hand", () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  const first = begin(root, data);
  const lockfiles = readLockfiles([path.join(root, "yarn.lock")]);
  expect(beginRun(openJournal(data), { root, gate: GATE, lockfiles, edits: new Map(), now: NOW })).toEqual({
    busy: [path.join(root, "yarn.lock")],
  });
  expect(repairRuns(openJournal(data), normalise)).toEqual([]);
  finishRun(openJournal(data), first, normalise);
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(BEFORE);
});

/** The journal as a killed process leaves it. */
function abandon(data: string): void {
  for (const name of fs.readdirSync(path.join(data, "journal"))) {
    const file = path.join(data, "journal", name);
    const entry = JSON.parse(fs.readFileSync(file, "utf8")) as JournalEntry;
    fs.writeFileSync(file, JSON.stringify({ ...entry, owner: { pid: process.pid, mark: "an earlier process of that number" } }));
  }
}

test("after a kill: restored when untouched, normalised when the client had begun to write", () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  begin(root, data);
  abandon(data);
  expect(results(repairRuns(openJournal(data), normalise))).toEqual({ "yarn.lock": "restored" });
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(BEFORE);
  expect(repairRuns(openJournal(data), normalise)).toEqual([]);

  begin(root, data);
  grow(root, { "yarn.lock": `# mine\n${POINTED}` });
  abandon(data);
  expect(results(repairRuns(openJournal(data), normalise))).toEqual({ "yarn.lock": "normalised" });
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(`# mine\n${BEFORE}`);
});

test("a file edited by someone else in between is reported with its text and left alone", () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  begin(root, data);
  grow(root, { "yarn.lock": "rewritten by hand\n" });
  abandon(data);
  expect(repairRuns(openJournal(data), normalise)).toEqual([{ path: path.join(root, "yarn.lock"), result: "edited", text: BEFORE }]);
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe("rewritten by hand\n");
  expect(openJournal(data).list("run")).toEqual([]);
});

test("a project that is gone is forgotten", () => {
  const root = tree({ "app/yarn.lock": BEFORE });
  const data = tree();
  begin(path.join(root, "app"), data);
  fs.rmSync(path.join(root, "app"), { recursive: true });
  abandon(data);
  expect(repairRuns(openJournal(data), normalise)).toEqual([]);
});

test("a damaged journal is an error, not an empty one; an entry that was never filled guards nothing", () => {
  const data = tree({ "journal/1.json": "", "journal/.2.json.tmp": "half" });
  expect(openJournal(data).list("run")).toEqual([]);
  grow(data, { "journal/3.json": "{" });
  expect(() => openJournal(data).list("run")).toThrow(expect.objectContaining({ code: "STORE_BROKEN" }));
});

test("a lockfile that is no file is refused before anything is touched", () => {
  const root = tree({ "yarn.lock/x": "" });
  expect(() => readLockfiles([path.join(root, "yarn.lock")])).toThrow(expect.objectContaining({ code: "INPUT_UNREADABLE" }));
});

test("a process killed in the middle of its run: the next one restores the file", async () => {
  const root = tree({ "yarn.lock": BEFORE });
  const data = tree();
  grow(data, {
    "victim.mjs": `
      import { openJournal } from ${JSON.stringify(compiled("edge/host/journal.ts"))};
      import { beginRun, readLockfiles } from ${JSON.stringify(compiled("edge/host/lockfiles.ts"))};
      const file = ${JSON.stringify(path.join(root, "yarn.lock"))};
      beginRun(openJournal(${JSON.stringify(data)}), {
        root: ${JSON.stringify(root)}, gate: ${JSON.stringify(GATE)}, lockfiles: readLockfiles([file]), edits: new Map([[file, ${JSON.stringify(POINTED)}]]), now: ${NOW},
      });
      console.log("begun");
      setInterval(() => {}, 1000);
    `,
  });
  const victim = spawn(process.execPath, [path.join(data, "victim.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => victim.stdout.once("data", resolve));
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(POINTED);
  expect(repairRuns(openJournal(data), normalise)).toEqual([]);
  const dead = new Promise((resolve) => victim.once("close", resolve));
  victim.kill("SIGKILL");
  await dead;
  expect(results(repairRuns(openJournal(data), normalise))).toEqual({ "yarn.lock": "restored" });
  expect(fs.readFileSync(path.join(root, "yarn.lock"), "utf8")).toBe(BEFORE);
});
