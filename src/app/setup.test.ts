/** Set-up and its undoing on a project held in memory: what was written is taken back byte for byte, what was edited since is not touched. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ClientId } from "../core/client/client.ts";
import { SETUP_FILES } from "../core/client/setup.ts";
import { applySetup, considerSetup, type FileText, type SetupHost, type SetupMemory, type SetupPlace, undoSetup } from "./setup.ts";

const GATE = "http://localhost:4870/p/site/npm/";
const CLIENTS: readonly ClientId[] = ["npm", "pnpm", "yarn-classic", "yarn-berry", "bun", "deno"];

const PLACE: SetupPlace = { root: "/", files: Object.fromEntries(SETUP_FILES.map((name) => [name, name])), name: "site" };

type Disk = Map<string, string>;

/** `refuseWrite` names a file whose write fails, as on a full disk. */
function hostOver(
  disk: Disk,
  how: { unusable?: Record<string, string>; refuseWrite?: string } = {},
): SetupHost & { memory: () => SetupMemory | undefined } {
  let memory: SetupMemory | undefined;
  return {
    memory: () => memory,
    project: async () => ({ ...PLACE, marks: { files: [], berryLockfile: false } }),
    user: async () => PLACE,
    async read(_root, path): Promise<FileText> {
      const why = how.unusable?.[path];
      if (why !== undefined) return { kind: "unusable", why };
      const text = disk.get(path);
      return text === undefined ? { kind: "absent" } : { kind: "text", text };
    },
    async write(_root, path, text) {
      if (path === how.refuseWrite) throw new Error("no space left");
      disk.set(path, text);
    },
    async remove(_root, path) {
      disk.delete(path);
    },
    remembered: async () => memory,
    async remember(_dataDir, _root, next) {
      memory = next.edits.length === 0 ? undefined : next;
    },
  };
}

async function setUp(host: SetupHost, clients: readonly ClientId[] = CLIENTS, gate = GATE): Promise<void> {
  const { edits } = await considerSetup(host, PLACE, clients, gate);
  await applySetup(host, "", "/", { gate, edits });
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        "registry=https://a.test/",
        "[install]",
        "registries:",
        "  default: https://a.test/",
        "//a.test/:_authToken=t",
        "# x",
        "",
        "a: 1",
      ),
      { maxLength: 8 },
    )
    .chain((lines) => fc.constantFrom("\n", "\r\n").map((eol) => lines.join(eol))),
);
const project = fc.dictionary(fc.constantFrom(...SETUP_FILES), text).map((files) => Object.entries(files));

test("set up, however often and for whomever, then undone: the same bytes, and no file more or less", async () => {
  await fc.assert(
    fc.asyncProperty(
      project,
      fc.array(fc.tuple(fc.subarray([...CLIENTS], { minLength: 1 }), fc.constantFrom(GATE, "https://gate.test/")), {
        minLength: 1,
        maxLength: 3,
      }),
      async (files, runs) => {
        const disk: Disk = new Map(files);
        const host = hostOver(disk);
        for (const [clients, gate] of runs) await setUp(host, clients, gate);
        const { changed } = await undoSetup(host, "", "/");
        expect(changed).toEqual([]);
        expect(disk).toEqual(new Map(files));
        expect(host.memory()).toBeUndefined();
      },
    ),
  );
});

test("a file edited since is told and left, the others are restored; once it is put right, nothing is left to undo", async () => {
  const disk: Disk = new Map([[".npmrc", "audit=false\n"]]);
  const host = hostOver(disk);
  await setUp(host, ["npm", "bun"]);
  disk.set(".npmrc", `${disk.get(".npmrc")}save-exact=true\n`);
  const { restored, changed } = await undoSetup(host, "", "/");
  expect(restored.map(({ path }) => path)).toEqual(["bunfig.toml"]);
  expect(changed.map(({ edit, now }) => [edit.path, now])).toEqual([[".npmrc", disk.get(".npmrc")]]);
  expect([...disk.keys()]).toEqual([".npmrc"]);
  disk.set(".npmrc", "audit=false\n");
  expect(await undoSetup(host, "", "/")).toEqual({ restored: [], changed: [] });
  expect(host.memory()).toBeUndefined();
});

test("a file that changed while the change was shown: nothing is written", async () => {
  const disk: Disk = new Map();
  const host = hostOver(disk);
  const { edits } = await considerSetup(host, PLACE, ["npm", "bun"], GATE);
  disk.set("bunfig.toml", "# somebody else\n");
  await expect(applySetup(host, "", "/", { gate: GATE, edits })).rejects.toMatchObject({ code: "EDITED_SINCE" });
  expect([...disk]).toEqual([["bunfig.toml", "# somebody else\n"]]);
});

test("a set-up that was cut short is taken back as well", async () => {
  const disk: Disk = new Map([["bunfig.toml", "[run]\n"]]);
  const host = hostOver(disk, { refuseWrite: "bunfig.toml" });
  await expect(setUp(host, ["npm", "bun"])).rejects.toThrow("no space left");
  expect([...disk.keys()].toSorted()).toEqual([".npmrc", "bunfig.toml"]);
  await undoSetup(host, "", "/");
  expect([...disk]).toEqual([["bunfig.toml", "[run]\n"]]);
});

test("a file that cannot be read is named and never made anew", async () => {
  const host = hostOver(new Map(), { unusable: { ".npmrc": "a link out of the project" } });
  const { edits, problems } = await considerSetup(host, PLACE, ["npm", "bun"], GATE);
  expect(edits.map(({ path }) => path)).toEqual(["bunfig.toml"]);
  expect(problems).toEqual([{ path: ".npmrc", why: "a link out of the project" }]);
});

test("in a home the files have their own names, and what no client reads there is not written", async () => {
  const disk: Disk = new Map([["pnpm-workspace.yaml", "registry: https://a.test/\n"]]);
  const host = hostOver(disk);
  const home: SetupPlace = { root: "/", files: { ".npmrc": ".npmrc", "bunfig.toml": ".bunfig.toml" }, name: "mara" };
  const { edits } = await considerSetup(host, home, ["pnpm", "yarn-berry", "bun"], GATE);
  expect(edits.map(({ path }) => path)).toEqual([".npmrc", ".bunfig.toml"]);
  await applySetup(host, "", "/", { gate: GATE, edits });
  await undoSetup(host, "", "/");
  expect([...disk.keys()]).toEqual(["pnpm-workspace.yaml"]);
});
