/** A repair carried out over files in memory and a client that does as the test says: what stands afterwards, and what is given back. */
import { expect, test } from "vitest";
import type { RepairPlan } from "../core/check/repair.ts";
import { repair, type RepairCheck, type RepairPorts } from "./repair.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const step = {
  kind: "range",
  name: "axios",
  from: "1.14.1",
  to: "1.14.0",
  summary: "to 1.14.0",
  path: "package.json",
  where: "dependencies > axios",
} as const;
const plan = (more: Partial<RepairPlan> = {}): RepairPlan => ({
  steps: [step],
  edits: [{ path: "package.json", before: '{"axios":"1.14.1"}', after: '{"axios":"1.14.0"}' }],
  commands: [["install", "--package-lock-only"]],
  waiting: [],
  unrepaired: [],
  ...more,
});
const BEFORE: RepairCheck = new Map([
  ["axios@1.14.1", ["f1"]],
  ["left-pad@1.0.0", ["f2"]],
]);

/** `run` gets the files, to do as a client would; `found` is what each re-check in turn finds. */
function stage(run: (files: Map<string, Uint8Array>, args: readonly string[]) => number, found: readonly RepairCheck[]) {
  // Bytes that are no UTF-8: they are given back as they were too.
  const lock = new Uint8Array([0xff, 0x7b, 0x0d]);
  const files = new Map<string, Uint8Array>([
    ["package.json", bytes('{"axios":"1.14.1"}')],
    ["package-lock.json", lock],
  ]);
  const before = new Map(files);
  const left = [...found];
  const ports: RepairPorts = {
    read: async (path) => files.get(path),
    write: async (path, content) => void files.set(path, content),
    remove: async (path) => void files.delete(path),
    run: async (args) => run(files, args),
    recheck: async () => left.shift()!,
  };
  return { ports, files, before };
}

const guarded = ["package.json", "package-lock.json", "pnpm-workspace.yaml"];
const lockWritten = (files: Map<string, Uint8Array>) => {
  files.set("package-lock.json", bytes("{}"));
  return 0;
};

test("what clears its finding stands, and what differs is told", async () => {
  const { ports, files } = stage(lockWritten, [new Map([["left-pad@1.0.0", ["f2"]]])]);
  const done = await repair(ports, { plans: [plan()], before: BEFORE, guarded });
  expect(done).toMatchObject({ kind: "repaired", tries: [{ steps: [step] }], changed: ["package.json", "package-lock.json"] });
  expect(files.get("package.json")).toEqual(bytes('{"axios":"1.14.0"}'));
});

test("what does not clear it is given back byte for byte, new files taken away", async () => {
  const { ports, files, before } = stage(
    (all) => {
      all.set("pnpm-workspace.yaml", bytes("new"));
      return lockWritten(all);
    },
    [BEFORE],
  );
  const done = await repair(ports, { plans: [plan()], before: BEFORE, guarded });
  expect(done).toMatchObject({ kind: "restored", tries: [{ why: "axios@1.14.1 is still there" }], changed: [] });
  expect(files).toEqual(before);
});

test("a cure that brings findings of its own is none", async () => {
  const { ports, files, before } = stage(lockWritten, [new Map([["evil@1.0.0", ["f9"]]])]);
  const done = await repair(ports, { plans: [plan()], before: BEFORE, guarded });
  expect(done).toMatchObject({ kind: "restored", tries: [{ why: "evil@1.0.0 came in its place, and has findings of its own" }] });
  expect(files).toEqual(before);
});

test("the next larger change is tried when the smallest one did not do it", async () => {
  const inPlace = plan({ edits: [], commands: [["update", "axios"]], steps: [{ ...step, kind: "in-place" }] });
  const ran: string[] = [];
  const { ports } = stage(
    (files, args) => {
      ran.push(args[0]!);
      return args[0] === "update" ? 1 : lockWritten(files);
    },
    [new Map()],
  );
  const done = await repair(ports, { plans: [inPlace, plan()], before: BEFORE, guarded });
  expect(ran).toEqual(["update", "install"]);
  expect(done).toMatchObject({ kind: "repaired", tries: [{ why: "update axios ended with 1" }, { steps: [step] }] });
});

test("a crash gives back what was written before it is told", async () => {
  const { ports, files, before } = stage(() => {
    throw new Error("killed");
  }, []);
  await expect(repair(ports, { plans: [plan()], before: BEFORE, guarded })).rejects.toThrow("killed");
  expect(files).toEqual(before);
});

test("a file that changed since the plan was made is not overwritten; no plan, no deed", async () => {
  const { ports, files } = stage(lockWritten, []);
  files.set("package.json", bytes('{"axios":"2.0.0"}'));
  await expect(repair(ports, { plans: [plan()], before: BEFORE, guarded })).rejects.toMatchObject({ code: "EDITED_SINCE" });
  expect(files.get("package.json")).toEqual(bytes('{"axios":"2.0.0"}'));
  expect(await repair(ports, { plans: [plan({ steps: [] })], before: BEFORE, guarded })).toMatchObject({ kind: "nothing", changed: [] });
});
