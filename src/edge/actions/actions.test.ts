import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { tempFolder } from "../../../test/kit/temp.ts";
import { emptyPlan, incidentPack } from "../../../test/samples/incident.ts";
import { instant } from "../../core/base/time.ts";
import type { PurgeAction } from "../../core/response/plan.ts";
import { preserve, verifyBundle } from "./preserve.ts";
import { contentOf, isPurged, purge } from "./purge.ts";
import { openResponseStore } from "./response-store.ts";
import { leftAt, readProjects, readSecretNames } from "./survey.ts";

const CLOCK = { now: () => instant(1_700_000_000_000) };
const REGISTRY = "https://registry.test";

/** An npm cache as cacache lays it out. */
function npmCache(entries: readonly (readonly [key: string, content: string])[]): {
  readonly folder: string;
  bucket(key: string): string;
  content(text: string): string;
} {
  const folder = path.join(tempFolder({}), "_cacache");
  const hashed = (root: string, hex: string): string => path.join(folder, root, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
  const bucket = (key: string): string =>
    hashed("index-v5", createHash("sha256").update(`make-fetch-happen:request-cache:${key}`).digest("hex"));
  const content = (text: string): string => hashed("content-v2/sha512", createHash("sha512").update(text).digest("hex"));
  for (const [key, text] of entries) {
    const json = JSON.stringify({
      key: `make-fetch-happen:request-cache:${key}`,
      integrity: `sha512-${createHash("sha512").update(text).digest("base64")}`,
      time: 1,
      size: text.length,
      metadata: { url: key },
    });
    for (const [file, what] of [
      [bucket(key), `\n${createHash("sha1").update(json).digest("hex")}\t${json}`],
      [content(text), text],
    ] as const) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, what);
    }
  }
  return { folder, bucket, content };
}

function npmAction(folder: string, file: string): PurgeAction {
  return { kind: "purge", cache: "npm", folder, file, name: "axios", version: "1.14.1" };
}

test("npm's cache loses the tarball and the registry's answer about it, and keeps every other entry byte for byte", async () => {
  const bad = `${REGISTRY}/axios/-/axios-1.14.1.tgz`;
  const good = `${REGISTRY}/axios/-/axios-1.14.0.tgz`;
  const cache = npmCache([
    [bad, "bad bytes"],
    [good, "good bytes"],
    [`${REGISTRY}/axios`, "document"],
    [`${REGISTRY}/left-pad`, "other document"],
  ]);
  const action = npmAction(cache.folder, cache.bucket(bad));
  const untouched = [
    cache.bucket(good),
    cache.content("good bytes"),
    cache.bucket(`${REGISTRY}/left-pad`),
    cache.content("other document"),
  ];
  const before = untouched.map((file) => fs.readFileSync(file, "utf8"));
  expect(contentOf(action)).toEqual([cache.content("bad bytes")]);
  expect(isPurged(action)).toBe(false);
  await purge(action, CLOCK);
  expect(isPurged(action)).toBe(true);
  expect(fs.existsSync(cache.content("bad bytes"))).toBe(false);
  expect(fs.existsSync(cache.content("document"))).toBe(false);
  expect(untouched.map((file) => fs.readFileSync(file, "utf8"))).toEqual(before);
  // The last line of the key is what npm believes: no integrity, and a checksum that fits.
  const last = fs.readFileSync(cache.bucket(bad), "utf8").split("\n").at(-1)!;
  expect(JSON.parse(last.slice(41))).toMatchObject({ integrity: null, time: 1_700_000_000_000, metadata: { url: bad } });
  expect(createHash("sha1").update(last.slice(41)).digest("hex")).toBe(last.slice(0, 40));
  await purge(action, CLOCK);
  expect(isPurged(action)).toBe(true);
});

test("bytes that another key still needs stay", async () => {
  const bad = `${REGISTRY}/axios/-/axios-1.14.1.tgz`;
  const cache = npmCache([
    [bad, "same bytes"],
    ["https://mirror.test/axios/-/axios-1.14.1.tgz", "same bytes"],
  ]);
  await purge(npmAction(cache.folder, cache.bucket(bad)), CLOCK);
  expect(fs.existsSync(cache.content("same bytes"))).toBe(true);
});

test("the other clients' folder of one version goes, its neighbours stay", async () => {
  const folder = tempFolder({ "axios@1.14.1@@@1/package.json": "{}", "axios@1.14.0@@@1/package.json": "{}" });
  const action: PurgeAction = {
    kind: "purge",
    cache: "bun",
    folder,
    file: path.join(folder, "axios@1.14.1@@@1"),
    name: "axios",
    version: "1.14.1",
  };
  await purge(action, CLOCK);
  expect(isPurged(action)).toBe(true);
  expect(fs.readdirSync(folder)).toEqual(["axios@1.14.0@@@1"]);
});

test("nothing outside the cache is removed, by no path and through no link", async () => {
  const root = tempFolder({ "mine/keep.txt": "x", "cache/a/b": "y" });
  const folder = path.join(root, "cache");
  fs.symlinkSync(path.join(root, "mine"), path.join(folder, "link"));
  for (const file of [
    path.join(root, "mine", "keep.txt"),
    folder,
    path.join(folder, "..", "mine"),
    path.join(folder, "link", "keep.txt"),
    "a/b",
  ])
    await expect(purge({ kind: "purge", cache: "yarn", folder, file, name: "a", version: "1.0.0" }, CLOCK)).rejects.toMatchObject({
      code: "INPUT_UNREADABLE",
    });
  // The link itself lies in the cache; what it leads to stays.
  await purge({ kind: "purge", cache: "yarn", folder, file: path.join(folder, "link"), name: "a", version: "1.0.0" }, CLOCK);
  expect(fs.readFileSync(path.join(root, "mine", "keep.txt"), "utf8")).toBe("x");
});

test("evidence is copied with its digests and a signature; links and what is gone are named; a change shows", async () => {
  const root = tempFolder({ "p/package-lock.json": "lock", "p/pkg/index.js": "bad" });
  fs.symlinkSync("/etc/passwd", path.join(root, "p/pkg/link"));
  const folder = path.join(root, "evidence");
  const request = { dataDir: root, folder, plan: "0".repeat(12), incident: "x", by: "mara", at: CLOCK.now() };
  const files = [path.join(root, "p/package-lock.json"), path.join(root, "p/pkg"), path.join(root, "p/gone")];
  await preserve({ ...request, files });
  const check = verifyBundle(folder);
  if (!("manifest" in check)) throw new Error("the bundle does not hold");
  expect(check.problems).toEqual([]);
  expect(check.manifest.files.map(({ path: from, bytes }) => [path.relative(root, from), bytes])).toEqual([
    ["p/package-lock.json", 4],
    ["p/pkg/index.js", 3],
  ]);
  expect(check.manifest.missing.map(({ why }) => why)).toEqual(["a link to /etc/passwd", "it is gone"]);
  const copy = path.join(folder, check.manifest.files[1]!.copy);
  expect(fs.statSync(copy).mode & 0o777).toBe(0o600);
  fs.writeFileSync(copy, "good");
  expect(verifyBundle(folder).problems).toEqual([`${check.manifest.files[1]!.copy} is not what was copied`]);
  // A second run does not sign over what was changed.
  await expect(preserve({ ...request, files })).rejects.toMatchObject({ code: "STORE_BROKEN" });
});

const PACK = incidentPack();
const PLAN = emptyPlan({ paths: ["."], machine: true });

test("a response outlives the process; a plan that was changed is refused; a torn line harms no other", async () => {
  const dataDir = tempFolder({});
  const event = { at: CLOCK.now(), by: "mara", step: "plan", what: "opened" as const, detail: "" };
  const store = openResponseStore(dataDir, CLOCK);
  await store.open(PLAN, PACK);
  await store.append(PLAN.id, event);
  fs.appendFileSync(path.join(dataDir, "responses", PLAN.id, "events.jsonl"), '{"at":12');
  await openResponseStore(dataDir, CLOCK).append(PLAN.id, event);
  const read = await openResponseStore(dataDir, CLOCK).read(PLAN.id.slice(0, 5));
  expect([read.plan, read.pack, read.events.length, read.damaged]).toEqual([PLAN, PACK, 2, 1]);
  expect(await store.list("left-2026")).toEqual([PLAN.id]);
  await expect(store.read("../..")).rejects.toMatchObject({ code: "USAGE" });
  const file = path.join(dataDir, "responses", PLAN.id, "plan.json");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace('"machine": true', '"machine": false'));
  await expect(store.read(PLAN.id)).rejects.toMatchObject({ code: "STORE_BROKEN" });
});

test("two write at once: whoever finds another's line before his own writes it once more, and the chain holds", async () => {
  const dataDir = tempFolder({});
  const [mara, jo] = [openResponseStore(dataDir, CLOCK), openResponseStore(dataDir, CLOCK)];
  const event = (by: string) => ({ at: CLOCK.now(), by, step: "isolate-1", what: "claimed" as const, detail: "" });
  await mara.open(PLAN, PACK);
  // Between mara's look at the head and her line, jo writes his.
  const open = fs.openSync;
  let raced = false;
  const spy = vi.spyOn(fs, "openSync").mockImplementation((file, flags, mode) => {
    if (flags === "a" && !raced) {
      raced = true;
      void jo.append(PLAN.id, event("jo"));
    }
    return open(file, flags, mode);
  });
  onTestFinished(() => spy.mockRestore());
  await mara.append(PLAN.id, event("mara"));
  const read = await mara.read(PLAN.id);
  expect(read.events.map(({ by }) => by)).toEqual(["jo", "mara"]);
  expect(read.broken).toBeUndefined();
});

test("a step is in one hand at a time, and free again when it lets go", async () => {
  const dataDir = tempFolder({});
  const [one, other] = [openResponseStore(dataDir, CLOCK), openResponseStore(dataDir, CLOCK)];
  await one.open(PLAN, PACK);
  const hold = await one.hold(PLAN.id, "rollback-1");
  expect(await other.hold(PLAN.id, "rollback-1")).toBeUndefined();
  await (await other.hold(PLAN.id, "rollback-2"))!.release();
  await hold!.release();
  await (await other.hold(PLAN.id, "rollback-1"))!.release();
});

test("a line of the journal that was changed is found when it is read, and nothing more is written behind it", async () => {
  const dataDir = tempFolder({});
  const store = openResponseStore(dataDir, CLOCK);
  await store.open(PLAN, PACK);
  for (const detail of ["one", "two", "three"])
    await store.append(PLAN.id, { at: CLOCK.now(), by: "mara", step: "plan", what: "noted", detail });
  const file = path.join(dataDir, "responses", PLAN.id, "events.jsonl");
  const whole = fs.readFileSync(file, "utf8");
  fs.writeFileSync(file, whole.replace('"two"', '"2"'));
  const read = await store.read(PLAN.id);
  expect(read.broken).toMatch(/^line \d+ of its journal does not follow/);
  expect(read.events.map(({ detail }) => detail)).toEqual(["one", "2"]);
  await expect(store.append(PLAN.id, read.events[0]!)).rejects.toMatchObject({ code: "STORE_BROKEN" });
  fs.writeFileSync(file, whole);
  expect((await store.read(PLAN.id)).broken).toBeUndefined();
});

test("names of secrets are read where it ran, in the project and at home, and no value with them", async () => {
  const root = tempFolder({
    "p/.env": "API_TOKEN=hunter2\n",
    "p/package.json": '{"name":"p","version":"1.0.0","dependencies":{"left":"1"},"workspaces":["parts/*"]}',
    "p/parts/one/package.json": '{"name":"@p/one","version":"1.0.0"}',
    "p/parts/two/package.json": '{"name":"@p/two","version":"1.0.0","private":true}',
    "p/yarn.lock": "",
    "q/.env": "OTHER_TOKEN=hunter2\n",
    "home/.npmrc": "//r.test/:_authToken=hunter2\n",
    "home/.ssh/id_ed25519": "hunter2",
    "home/.ssh/work": "hunter2",
    "home/.ssh/work.pub": "public",
    "home/.ssh/config": "Host x",
  });
  const answer = (place: string, level: "executed" | "resolved") => ({
    place: path.join(root, place),
    level,
    evidence: [],
    missing: [],
    reasons: [],
  });
  const at = { home: path.join(root, "home"), env: { CI_TOKEN: "hunter2", EMPTY_TOKEN: "", PATH: "/bin" } };
  const secrets = readSecretNames([answer("p", "executed"), answer("q", "resolved")], at);
  expect(secrets.map(({ name }) => name).toSorted()).toEqual([
    "//r.test/:_authToken",
    "API_TOKEN",
    "CI_TOKEN",
    "OTHER_TOKEN",
    "id_ed25519",
    "work",
  ]);
  expect(JSON.stringify(secrets)).not.toContain("hunter2");
  expect(readSecretNames([answer("q", "resolved")], at)).toEqual([]);
  expect(await readProjects([answer("p", "executed"), answer("q", "resolved")], { PATH: "/nowhere" })).toEqual([
    {
      root: path.join(root, "p"),
      client: "yarn",
      direct: { left: "dependencies" },
      publishes: ["p", "@p/one"],
      git: { why: "yarn is not here, and only yarn itself writes its lockfile" },
    },
  ]);
});

test("what a pack says is left behind is looked for where this machine has it", () => {
  const home = tempFolder({ ".config/implant/run": "", "data/wt.exe": "" });
  const at = { home, env: { PROGRAMDATA: path.join(home, "data") } };
  const there = ["~/.config/implant", path.join(home, "data")];
  expect(leftAt([...there, "~/gone", "/nowhere/at/all", "%NOTSET%\\x", "relative"], at)).toEqual([
    path.join(home, ".config/implant"),
    path.join(home, "data"),
  ]);
  fs.symlinkSync("/nowhere", path.join(home, "dangling"));
  expect(leftAt(["~/dangling"], at)).toEqual([path.join(home, "dangling")]);
});
