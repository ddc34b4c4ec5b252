/** Every way a feed comes, what is remembered of it, and what happens when it breaks, shrinks or goes back. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { serve } from "../../../test/kit/loopback.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { inForce } from "../../core/advisory/contested.ts";
import { DAY, HOUR, instant } from "../../core/base/time.ts";
import type { FeedConfig } from "../../core/config/values.ts";
import { readProxies } from "../upstream/proxies.ts";
import { openFeeds } from "./feeds.ts";
import { writeIndexFile } from "./index-on-disk.ts";

const START = Date.UTC(2026, 2, 31);

function record(id: string, name: string, more: object = {}): object {
  return { id, modified: "2026-03-31T00:00:00Z", affected: [{ package: { ecosystem: "npm", name }, versions: ["1.0.0"] }], ...more };
}

function lines(...records: readonly object[]): string {
  return records.map((one) => `${JSON.stringify(one)}\n`).join("");
}

/** A folder, its feeds and a clock. */
async function place(
  feeds: readonly (Partial<FeedConfig> & { name: string })[],
  served: ReadonlyMap<string, readonly string[]> = new Map(),
) {
  const root = tempFolder({});
  let now = START;
  const trouble: string[] = [];
  const put = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const open = async () => {
    const opened = await openFeeds({
      dataDir: join(root, "data"),
      base: root,
      clock: { now: () => instant(now) },
      feeds: feeds.map((feed) => ({ kind: "osv", claims: "vulnerability", maxAge: DAY, ...feed })),
      line: async () => ({ proxies: readProxies({}), ca: [] }),
      inUse: async () => served,
      onTrouble: (message) => void trouble.push(message),
    });
    onTestFinished(() => opened.close());
    return opened;
  };
  return { root, put, open, trouble, pass: (milliseconds: number) => void (now += milliseconds), now: () => instant(now) };
}

/** A zip archive with these files; `large` writes the zip64 records that archives of more than 65,535 files have. */
function zip(files: Readonly<Record<string, string>>, large = false): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const packed = deflateRawSync(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 8);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(text.length, 22);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(text.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    parts.push(local, Buffer.from(name), packed);
    central.push(entry, Buffer.from(name));
    offset += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(BigInt(directory.length), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + directory.length), 8);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(large ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(large ? 0xffffffff : offset, 16);
  return Buffer.concat([...parts, directory, ...(large ? [record, locator] : []), end]);
}

const ONE = record("MAL-1", "a");
const TWO = record("MAL-2", "b");

test.each<[string, Record<string, string | Uint8Array>, string]>([
  ["lines", { "feed.ndjson": lines(ONE, TWO) }, "feed.ndjson"],
  ["lines, gzipped, without a last newline", { "feed.ndjson.gz": gzipSync(lines(ONE, TWO).trimEnd()) }, "feed.ndjson.gz"],
  ["an array", { "feed.json": JSON.stringify([ONE, TWO], undefined, 2) }, "feed.json"],
  [
    "a folder, with what is no record in it",
    { "feed/a/1.json": JSON.stringify(ONE), "feed/2.json": JSON.stringify(TWO), "feed/README.md": "x", "feed/.git/3.json": "x" },
    "feed",
  ],
  ["a zip", { "all.zip": zip({ "MAL-1.json": JSON.stringify(ONE), "b/": "", "b/MAL-2.json": JSON.stringify(TWO) }) }, "all.zip"],
  ["a zip64", { "all.zip": zip({ "MAL-1.json": JSON.stringify(ONE), "MAL-2.json": JSON.stringify(TWO) }, true) }, "all.zip"],
])("a feed may be %s", async (_what, files, path) => {
  const here = await place([{ name: "osv", path }]);
  for (const [file, content] of Object.entries(files)) here.put(file, content);
  const feeds = await here.open();
  expect(await feeds.sync({})).toMatchObject([{ name: "osv", result: "read", records: 2, added: 2, problems: 0 }]);
  expect(feeds.index()!.claims("b", "1.0.0")).toMatchObject([{ id: "MAL-2", feed: "osv", firstSeen: START, match: "version" }]);
});

test("one record is one, and half a file is none: what was known stays", async () => {
  const here = await place([
    { name: "one", path: "one.json" },
    { name: "many", path: "many.ndjson.gz" },
  ]);
  here.put("one.json", JSON.stringify(ONE, undefined, 2));
  const packed = gzipSync(lines(...Array.from({ length: 500 }, (_, index) => record(`MAL-${index}`, `name-${index}`))));
  here.put("many.ndjson.gz", packed);
  const feeds = await here.open();
  expect(await feeds.sync({})).toMatchObject([{ records: 1 }, { records: 500 }]);
  here.put("many.ndjson.gz", packed.subarray(0, packed.length - 30));
  here.put("one.json", "{");
  const outcomes = await feeds.sync({});
  expect(outcomes).toMatchObject([
    { result: "failed", records: 1 },
    { result: "failed", records: 500 },
  ]);
  expect(outcomes.map(({ why }) => why)).toEqual([
    "nothing in it can be read: one.json: it is not JSON",
    expect.stringMatching(/^many\.ndjson\.gz cannot be read to its end/),
  ]);
  expect(feeds.index()!.claims("name-499", "1.0.0")).toHaveLength(1);
  expect(feeds.states().map(({ failure }) => failure === undefined)).toEqual([false, false]);
});

test("a record nobody can read any more keeps what it said, and one bad line costs no other", async () => {
  const here = await place([{ name: "osv", path: "feed.ndjson" }]);
  here.put("feed.ndjson", lines(ONE, TWO));
  const feeds = await here.open();
  await feeds.sync({});
  here.put("feed.ndjson", lines({ id: "MAL-1", affected: [] }, { id: "MAL-2", affected: "?" }, record("MAL-3", "c")));
  expect(await feeds.sync({})).toMatchObject([{ added: 1, withdrawn: 1, problems: 1 }]);
  const index = feeds.index()!;
  expect(index.claims("b", "1.0.0")).toMatchObject([{ id: "MAL-2" }]);
  expect(index.claims("b", "1.0.0")[0]!.withdrawn).toBeUndefined();
  expect(index.claims("c", "1.0.0")).toHaveLength(1);
  expect(index.claims("a", "1.0.0")[0]!.withdrawn).toBe(START);
});

test("when a claim was seen, changed, taken back and gone is remembered, and any moment can be asked about", async () => {
  const here = await place([{ name: "osv", path: "feed.ndjson" }]);
  const feeds = await here.open();
  const known = async (hours: number) =>
    (await feeds.knownAt("a", instant(START + hours * HOUR))).map(({ advisory, firstSeen, withdrawnSeen }) => [
      advisory.affected[0]!.versions.join(" "),
      advisory.withdrawn !== undefined,
      (firstSeen - START) / HOUR,
      withdrawnSeen === undefined ? undefined : (withdrawnSeen - START) / HOUR,
    ]);
  expect(await feeds.knownSince()).toBeUndefined();
  const wide = record("MAL-1", "a", { affected: [{ package: { ecosystem: "npm", name: "a" }, versions: ["1.0.0", "1.0.1"] }] });
  for (const [hour, content] of [
    [1, lines(ONE, TWO)],
    [2, lines(wide, TWO)],
    [3, lines({ ...wide, withdrawn: "2026-03-31T03:00:00Z" }, TWO)],
    [4, lines(ONE, TWO)],
    [5, lines(TWO)],
  ] as const) {
    here.put("feed.ndjson", content);
    here.pass(START + hour * HOUR - here.now());
    await feeds.sync({});
  }
  expect(await feeds.knownSince()).toBe(START + HOUR);
  expect(await known(0)).toEqual([]);
  expect(await known(1)).toEqual([["1.0.0", false, 1, undefined]]);
  expect(await known(2)).toEqual([["1.0.0 1.0.1", false, 1, undefined]]);
  expect(await known(3)).toEqual([["1.0.0 1.0.1", true, 1, 3]]);
  expect(await known(4)).toEqual([["1.0.0", false, 1, undefined]]);
  expect(await known(5)).toEqual([["1.0.0", true, 1, 5]]);
  // What is gone from the feed counts for a day more: a stolen feed must not unlock malware in the same minute.
  const claims = feeds.index()!.claims("a", "1.0.0");
  expect(inForce(claims, instant(START + 6 * HOUR))).toHaveLength(1);
  expect(inForce(claims, instant(START + 30 * HOUR))).toHaveLength(0);
});

test("a feed that goes back is not taken until it is confirmed, and one that is whole again needs no word", async () => {
  const here = await place([{ name: "osv", path: "feed.ndjson" }]);
  const all = Array.from({ length: 40 }, (_, index) => record(`MAL-${index}`, `name-${index}`));
  here.put("feed.ndjson", lines(...all));
  const feeds = await here.open();
  await feeds.sync({});
  here.put("feed.ndjson", lines(...all.slice(0, 20)));
  expect(await feeds.sync({})).toMatchObject([{ result: "went-back", why: "20 of 40 records are gone from it" }]);
  expect(inForce(feeds.index()!.claims("name-30", "1.0.0"), here.now())).toHaveLength(1);
  expect(feeds.states()[0]!.pending).toBe("20 of 40 records are gone from it");
  here.put("feed.ndjson", lines(...all.map((one) => ({ ...one, modified: "2026-03-30T00:00:00Z" }))));
  expect((await feeds.sync({}))[0]!.why).toBe("its newest change was of 2026-03-31T00:00:00.000Z, and is of 2026-03-30T00:00:00.000Z now");
  // Not taken is not read: it grows stale.
  here.pass(25 * HOUR);
  expect(feeds.stale()[0]!.why).toMatch(/^read 1 d 1 h ago; not taken: its newest change/);
  here.put("feed.ndjson", lines(...all));
  expect(await feeds.sync({})).toMatchObject([{ result: "read", changed: 0 }]);
  expect(feeds.stale()).toEqual([]);
  expect(feeds.states()[0]!.pending).toBeUndefined();
  here.put("feed.ndjson", lines(...all.slice(0, 20)));
  expect(await feeds.sync({ confirmed: ["osv"] })).toMatchObject([{ result: "read", withdrawn: 20 }]);
});

test("a sync that denies more than twenty names in use is contested until somebody confirms it", async () => {
  const names = Array.from({ length: 21 }, (_, index) => `name-${index}`);
  const here = await place([{ name: "osv", path: "feed.ndjson" }], new Map(names.map((name) => [name, ["1.0.1"]])));
  // Names that are in use, in versions that are not: every old hijack of a popular package is one.
  here.put("feed.ndjson", lines(...names.map((name, index) => record(`MAL-${index}`, name))));
  const feeds = await here.open();
  const [others] = await feeds.sync({});
  expect(others!.mass).toBeUndefined();
  here.put(
    "feed.ndjson",
    lines(
      ...names.map((name, index) =>
        record(`MAL-${index}`, name, {
          affected: [{ package: { ecosystem: "npm", name }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] }],
        }),
      ),
    ),
  );
  expect(await feeds.sync({})).toMatchObject([{ result: "read", mass: 21 }]);
  expect(feeds.index()!.claims("name-3", "1.0.0")).toMatchObject([{ mass: true }]);
  expect(await feeds.sync({ confirmed: ["osv"] })).toMatchObject([{ result: "read" }]);
  expect(feeds.index()!.claims("name-3", "1.0.0")[0]!.mass).toBeUndefined();
});

test("a damaged index is built again from what the feeds said, loudly; a lost state makes every feed stale", async () => {
  const here = await place([{ name: "osv", path: "feed.ndjson" }]);
  here.put("feed.ndjson", lines(ONE));
  await (await here.open()).sync({});
  const file = join(here.root, "data/feeds/index.bin");
  const bytes = readFileSync(file);
  bytes[20]! ^= 1;
  writeFileSync(file, bytes);
  const again = await here.open();
  expect(again.index()!.claims("a", "1.0.0")).toHaveLength(1);
  const header = "the advisory index is damaged: its header is not what was written";
  expect(here.trouble).toEqual([`${header}; it is built again from what the feeds said`]);
  rmSync(file);
  expect((await here.open()).index()!.claims("a", "1.0.0")).toHaveLength(1);
  expect(here.trouble[1]).toBe("the advisory index is not there; it is built again from what the feeds said");
  // A line that is damaged is found when it is asked for: that answer fails, and the next has a new index to ask.
  const later = await here.open();
  const line = readFileSync(file);
  line[line.length - 5]! ^= 1;
  writeFileSync(file, line, { flag: "r+" });
  expect(() => later.index()!.claims("a", "1.0.0")).toThrow("the advisory index is damaged: a line of it is not what was written");
  expect(here.trouble[2]).toMatch(/it is removed$/);
  expect((await here.open()).index()!.claims("a", "1.0.0")).toHaveLength(1);
  writeFileSync(join(here.root, "data/feeds/state.json"), "{");
  expect(again.stale()).toEqual([{ name: "osv", why: "never read" }]);
});

test("a running gate hears of a new index, and of the names it is about", async () => {
  const here = await place([{ name: "osv", path: "feed.ndjson" }]);
  here.put("feed.ndjson", lines(ONE, TWO));
  const [gate, command] = [await here.open(), await here.open()];
  await command.sync({});
  const heard: string[] = [];
  const next = () =>
    new Promise<void>((resolve) => {
      const stop = gate.watch(({ names, freshened }) => {
        heard.push([...[...names].toSorted(), ...(freshened ? ["fresh"] : [])].join(" "));
        stop();
        resolve();
      });
    });
  await next();
  here.put("feed.ndjson", lines(ONE, { ...TWO, summary: "more is known" }, record("MAL-3", "c")));
  const second = next();
  await command.sync({});
  await second;
  expect(heard).toEqual(["a b fresh", "b c"]);
  // Nothing new is said, but no feed is stale any more.
  here.pass(30 * HOUR);
  const third = next();
  await command.sync({});
  await third;
  expect(heard[2]).toBe("fresh");
  expect(gate.index()!.claims("c", "1.0.0")).toHaveLength(1);
});

test("a list of our own denies by name, by all versions, and by bytes alone", async () => {
  const here = await place([{ name: "own", path: "own.yaml", kind: "list", claims: "malware" }]);
  const bytes = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
  here.put(
    "own.yaml",
    `- { name: a, versions: ["1.0.0"], reason: incident 12, source: us }\n- { name: b, versions: "*", reason: worm }\n- { integrity: "${bytes}", reason: seen in a mirror }\n- { name: "../x", versions: "*", reason: r }\n- { name: c, versions: "*", reason: r, why: x }\n`,
  );
  const feeds = await here.open();
  expect(await feeds.sync({})).toMatchObject([{ records: 3, problems: 2 }]);
  const index = feeds.index()!;
  expect(index.claims("a", "1.0.0")).toMatchObject([{ kind: "malware", origins: ["us"], summary: "incident 12", match: "version" }]);
  expect(index.claims("b", "9.9.9")).toMatchObject([{ match: "everything", origins: ["feed own"] }]);
  expect(index.claims("anything", "1.0.0", [bytes])).toMatchObject([{ match: "integrity" }]);
});

/** An OSV feed with a list of its changes, as it stands; `asked` are the paths that were asked for since it was last emptied. */
async function osv() {
  const records = new Map<string, { readonly modified: string; readonly text: string }>();
  const state = { version: 1, zipVersion: 1, list: true };
  const asked: string[] = [];
  const put = (id: string, name: string, modified: string, more: object = {}) => {
    records.set(id, { modified, text: JSON.stringify(record(id, name, { modified, ...more })) });
    state.version += 1;
  };
  const publish = () => void (state.zipVersion = state.version);
  let zipped = zip({});
  const { url } = await serve((request, response) => {
    const path = request.url!.replace("/npm/", "");
    asked.push(path);
    const tag = `"${path === "all.zip" ? state.zipVersion : state.version}"`;
    const known = records.get(path.replace(".json", ""));
    if (request.headers["if-none-match"] === tag) response.writeHead(304).end();
    else if (path === "all.zip") response.writeHead(200, { etag: tag }).end(zipped);
    else if (path === "modified_id.csv" && state.list) {
      const rows = [...records]
        .toSorted(([, a], [, b]) => (a.modified < b.modified ? 1 : -1))
        .map(([id, { modified }]) => `${modified},${id}`);
      response.writeHead(200, { etag: tag }).end(`${rows.join("\n")}\n`);
    } else if (known) response.writeHead(200).end(known.text);
    else response.writeHead(404).end("no");
  });
  return {
    url: `${url}npm/all.zip`,
    records,
    state,
    put,
    publish() {
      publish();
      zipped = zip(Object.fromEntries([...records].map(([id, { text }]) => [`${id}.json`, text])));
    },
    asked: () => asked.splice(0),
  };
}

test("of a feed that lists its changes only those are fetched; what it no longer lists is gone, and once a week it is read whole", async () => {
  const feed = await osv();
  for (let index = 0; index < 30; index++) feed.put(`MAL-${index}`, `name-${index}`, `2026-03-30T00:00:${String(index).padStart(2, "0")}Z`);
  feed.publish();
  const here = await place([{ name: "osv", url: feed.url }]);
  const feeds = await here.open();
  expect(await feeds.sync({})).toMatchObject([{ result: "read", records: 30, added: 30 }]);
  expect(feed.asked()).toEqual(["all.zip"]);
  // Asked for the first time, the list says nothing new but the newest record again.
  expect(await feeds.sync({})).toMatchObject([{ result: "read", records: 30, added: 0, changed: 0 }]);
  expect(feed.asked()).toEqual(["modified_id.csv", "MAL-29.json"]);
  expect(await feeds.sync({})).toMatchObject([{ result: "unchanged", records: 30 }]);
  expect(feed.asked()).toEqual(["modified_id.csv"]);

  feed.put("MAL-30", "name-30", "2026-03-31T00:00:00Z");
  feed.put("MAL-3", "name-3", "2026-03-31T00:00:01Z", { withdrawn: "2026-03-31T00:00:01Z" });
  feed.records.delete("MAL-4");
  expect(await feeds.sync({})).toMatchObject([{ result: "read", records: 29, added: 1, changed: 0, withdrawn: 2 }]);
  expect(feed.asked().toSorted()).toEqual(["MAL-29.json", "MAL-3.json", "MAL-30.json", "modified_id.csv"]);
  const index = feeds.index()!;
  expect(index.claims("name-30", "1.0.0")).toHaveLength(1);
  expect(index.claims("name-4", "1.0.0")[0]!.withdrawnSeen).toBe(START);
  expect(index.claims("name-5", "1.0.0")[0]!.withdrawn).toBeUndefined();

  // The whole is older than its list: what the list says is newer stays.
  here.pass(8 * DAY);
  feed.state.version += 1;
  feed.state.zipVersion += 1;
  expect(await feeds.sync({})).toMatchObject([{ result: "read", records: 29, added: 0, changed: 0, withdrawn: 0 }]);
  expect(feed.asked()).toContain("all.zip");
  expect(feeds.index()!.claims("name-30", "1.0.0")).toHaveLength(1);
});

test("a list that lost its records is a feed that went back; too many changes, or a record that cannot be had, are no news by themselves", async () => {
  const feed = await osv();
  for (let index = 0; index < 30; index++) feed.put(`MAL-${index}`, `name-${index}`, `2026-03-30T00:00:${String(index).padStart(2, "0")}Z`);
  feed.publish();
  const here = await place([{ name: "osv", url: feed.url }]);
  const feeds = await here.open();
  await feeds.sync({});
  const all = [...feed.records];
  for (const [id] of all.slice(0, 20)) feed.records.delete(id);
  feed.state.version += 1;
  expect(await feeds.sync({})).toMatchObject([{ result: "went-back", why: "20 of 30 records are gone from it" }]);
  for (const [id, one] of all) feed.records.set(id, one);
  feed.state.version += 1;
  // Not taken: then it is read whole.
  feed.asked();
  expect(await feeds.sync({})).toMatchObject([{ result: "read", records: 30 }]);
  expect(feed.asked()).toEqual(["all.zip"]);
  for (let index = 0; index < 501; index++) feed.put(`NEW-${index}`, `new-${index}`, "2026-03-31T00:00:00Z");
  feed.publish();
  expect(await feeds.sync({})).toMatchObject([{ result: "read", added: 501 }]);
  expect(feed.asked()).toEqual(["modified_id.csv", "all.zip"]);
  feed.put("MAL-7", "name-7", "2026-03-31T00:00:09Z");
  feed.records.set("MAL-7", { modified: "2026-03-31T00:00:09Z", text: "{" });
  feed.put("MAL-8", "name-8", "2026-03-31T00:00:08Z");
  for (const [id] of feed.records)
    if (id.startsWith("NEW-")) feed.records.set(id, { ...feed.records.get(id)!, modified: "2026-03-30T23:59:59Z" });
  expect(await feeds.sync({})).toMatchObject([{ result: "read", records: 531, problems: 1 }]);
  expect(feeds.index()!.claims("name-7", "1.0.0")).toHaveLength(1);
});

test("two syncs of one data directory do not run beside each other; what a killed one left behind is no obstacle", async () => {
  const here = await place([{ name: "osv", path: "feed.ndjson" }]);
  here.put("feed.ndjson", lines(ONE, TWO));
  const [one, other] = [await here.open(), await here.open()];
  const outcomes = await Promise.all([one.sync({}), other.sync({})]);
  expect(
    outcomes
      .flat()
      .map(({ added }) => added)
      .toSorted(),
  ).toEqual([0, 2]);
  const lock = join(here.root, "data/feeds/sync.lock");
  expect(existsSync(lock)).toBe(false);
  // No process has this number: it is above what any system gives.
  for (const left of [4194999, process.pid]) {
    writeFileSync(lock, `${left} ${START}\n`);
    expect(await one.sync({})).toMatchObject([{ added: 0, records: 2 }]);
  }
  // What is not due is left alone.
  expect(await one.sync({ due: true })).toEqual([]);
  here.pass(6 * HOUR);
  expect(await one.sync({ due: true })).toMatchObject([{ name: "osv" }]);
});

test("a feed with an address is fetched once, asked about after that, and redirected within this machine only", async () => {
  const asked: string[] = [];
  const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
    "/feed.ndjson": (request, response) => {
      asked.push(String(request.headers["if-none-match"]));
      if (request.headers["if-none-match"] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end(lines(ONE));
    },
    "/moved": (_request, response) => void response.writeHead(302, { location: "/feed.ndjson" }).end(),
    "/out": (_request, response) => void response.writeHead(302, { location: "http://feeds.example.test/feed.ndjson" }).end(),
    "/circle": (_request, response) => void response.writeHead(302, { location: "/circle" }).end(),
    "/gone": (_request, response) => void response.writeHead(404).end("no"),
    "/short": (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write(lines(ONE), () => response.destroy());
    },
  };
  const { url: base, host } = await serve((request, response) => answers[request.url!]!(request, response));
  const names = ["feed.ndjson", "moved", "out", "circle", "gone", "short"];
  const here = await place(names.map((name) => ({ name, url: `${base}${name}` })));
  const feeds = await here.open();
  const results = async () => (await feeds.sync({})).map(({ result, why }) => why ?? result);
  expect(await results()).toEqual([
    "read",
    "read",
    `${host} redirects to http://feeds.example.test, which is not https`,
    `${host} redirects more than 3 times`,
    `${host} answered 404`,
    `${host} closed the connection before the answer was complete`,
  ]);
  expect((await results()).slice(0, 2)).toEqual(["unchanged", "unchanged"]);
  expect(asked).toEqual(["undefined", "undefined", '"1"', '"1"']);
  expect((await feeds.sync({ offline: true }))[0]!.why).toBe("it is not asked with --offline");
  expect(feeds.index()!.claims("a", "1.0.0")).toHaveLength(2);
  expect(existsSync(join(here.root, "data/feeds/moved.part"))).toBe(false);
});

test("several may write the index at once: one of them is in place, whole, and nothing else is left", async () => {
  const folder = tempFolder({});
  const path = join(folder, "index.bin");
  await Promise.all(Array.from({ length: 8 }, (_, n) => writeIndexFile(path, [Buffer.alloc(1_000, n)])));
  expect(readdirSync(folder)).toEqual(["index.bin"]);
  expect(new Set(readFileSync(path))).toHaveProperty("size", 1);
});
