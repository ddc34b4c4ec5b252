/** What every store of history, exceptions, tokens and held versions must keep, whatever it is made of. */
import { expect, test } from "vitest";
import type { ExceptionStore, HeldStore, PackageStore, TokenStore } from "../../src/app/ports.ts";
import { instant } from "../../src/core/base/time.ts";
import type { PackageRecord } from "../../src/core/facts/history.ts";
import { markServed, observe } from "../../src/core/facts/observe.ts";
import type { PackumentSummary, VersionSummary } from "../../src/core/npm/summary.ts";
import type { Deny, Freeze } from "../../src/core/policy/policy.ts";
import type { Verdict, Waiver } from "../../src/core/policy/verdict.ts";
import { moment, type TestClock } from "../kit/clock.ts";
import type { Open } from "./opened.ts";

/** A packument as read: versions with what they require. */
function answer(clock: TestClock, versions: Readonly<Record<string, Partial<VersionSummary>>>, name = "widget") {
  const listed = Object.entries(versions).map(([version, claims]) =>
    Object.assign({ version, integrity: `sha512-${version}`, tarball: `https://registry.test/${name}/-/${name}-${version}.tgz` }, claims),
  );
  const summary: PackumentSummary = {
    name,
    digest: JSON.stringify(listed),
    bytes: 1_000,
    tags: { latest: listed.at(-1)!.version },
    versions: listed,
    problems: [],
    timed: true,
  };
  return { summary, upstream: "https://registry.test/", at: clock.now() };
}

function seen(before: PackageRecord | undefined, ...now: Parameters<typeof answer>): PackageRecord {
  return observe(before, answer(...now)).record;
}

export function packageContract(name: string, open: Open<PackageStore>): void {
  test(`${name}: a record comes back as it was put, also to another process`, async () => {
    const { store, again, clock } = await open();
    const record = { ...seen(undefined, clock, { "1.0.0": { requires: { helper: "^1.0.0" } } }), etag: '"1"' };
    expect(await store.get("widget")).toBeUndefined();
    await store.put(record);
    expect(await store.get("widget")).toEqual(record);
    expect(await (await again()).get("widget")).toEqual(record);
    expect(await store.get("Widget")).toBeUndefined();
  });

  test(`${name}: what another process put is seen at the next read`, async () => {
    const { store, again, clock } = await open();
    const other = await again();
    const first = seen(undefined, clock, { "1.0.0": {} });
    await store.put(first);
    clock.advance("1h");
    const second = seen(await other.get("widget"), clock, { "1.0.0": {}, "1.0.1": {} });
    await other.put(second);
    expect(await store.get("widget")).toEqual(second);
  });

  test(`${name}: two processes that saw different answers keep the evidence of both`, async () => {
    const { store, again, clock } = await open();
    const other = await again();
    await store.put(seen(undefined, clock, { "1.0.0": {} }));
    const [mine, theirs] = [await store.get("widget"), await other.get("widget")];
    clock.advance("1h");
    await other.put(markServed(theirs!, "1.0.0", clock.now()));
    await store.put(seen(mine, clock, { "1.0.0": {}, "1.0.1": {} }));
    const sight = clock.now();
    clock.advance("1h");
    // This process never heard of the answer above.
    await other.put(seen(theirs, clock, { "1.0.0": { integrity: "sha512-1.0.0" }, "1.0.1": {}, "1.0.2": {} }));
    for (const view of [await store.get("widget"), await other.get("widget")]) {
      expect(view!.versions["1.0.0"]!.served).toBe(sight);
      expect(view!.versions["1.0.1"]!.firstSeen).toBe(sight);
      expect(view!.versions["1.0.2"]!.absentBefore).toBe(sight);
    }
  });

  test(`${name}: of many concurrent writes of one package none is lost`, async () => {
    const { store, again, clock } = await open();
    const stores = [store, await again(), await again()];
    const versions = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`1.0.${n}`, {}]));
    const base = seen(undefined, clock, versions);
    await store.put(base);
    clock.advance("1m");
    await Promise.all(Object.keys(versions).map((version, n) => stores[n % 3]!.put(markServed(base, version, clock.now()))));
    const record = (await store.get("widget"))!;
    expect(Object.values(record.versions).map((version) => version.served)).toEqual(Array(12).fill(clock.now()));
  });

  test(`${name}: the dependents of a name are those with a young version that requires it`, async () => {
    const { store, clock } = await open();
    const young = { requires: { helper: "^1.0.0", __proto__: "*" }, time: "2026-03-30T00:00:00Z" };
    const old = { requires: { helper: "^1.0.0", ancient: "*" }, time: "2020-01-01T00:00:00Z" };
    await store.put(seen(undefined, clock, { "1.0.0": old, "1.0.1": young }, "widget"));
    await store.put(seen(undefined, clock, { "1.0.0": old }, "veteran"));
    await store.put(seen(undefined, clock, { "1.0.0": young }, "constructor"));
    expect(await store.dependents("helper")).toEqual(["constructor", "widget"]);
    expect(await store.dependents("ancient")).toEqual([]);
    clock.advance("1h");
    const record = await store.get("widget");
    await store.put(seen(record, clock, { "1.0.0": old, "1.0.2": { ...young, requires: {} } }));
    expect(await store.dependents("helper")).toEqual(["constructor"]);
    clock.advance("20d");
    expect(await store.dependents("helper")).toEqual([]);
  });
}

const owner = { owner: "dana", reason: "needed for the release" };
const waiver: Waiver = {
  id: "w1",
  name: "widget",
  version: "1.0.1",
  integrity: "sha512-abc",
  signals: ["young-release"],
  evidence: "digest",
  ...owner,
  created: moment("2026-03-31T00:00:00Z"),
  expires: moment("2026-04-07T00:00:00Z"),
};
const deny: Deny = { id: "d1", name: "widget", version: "1.0.1", ...owner, created: moment("2026-03-31T00:00:00Z") };
const freeze: Freeze = {
  id: "f1",
  before: moment("2026-03-30T00:00:00Z"),
  ...owner,
  created: moment("2026-03-31T00:00:00Z"),
  expires: moment("2026-04-01T00:00:00Z"),
};

export function exceptionContract(name: string, open: Open<ExceptionStore>): void {
  test(`${name}: exceptions are read as one set, and every change raises the epoch`, async () => {
    const { store, again } = await open();
    const { epoch } = await store.read();
    await store.addWaiver(waiver);
    await store.addDeny(deny);
    await store.addFreeze(freeze);
    const all = await (await again()).read();
    expect(all).toEqual({ epoch: epoch + 3, waivers: [waiver], denies: [deny], freezes: [freeze] });
  });

  test(`${name}: what ends one marks it, once, and keeps it readable`, async () => {
    const { store, clock } = await open();
    await store.addWaiver(waiver);
    await store.addDeny(deny);
    await store.addFreeze(freeze);
    const { epoch } = await store.read();
    const mark = { at: clock.now(), by: "kim" };
    expect(await store.revokeWaiver("w1", mark.at, mark.by)).toBe(true);
    expect(await store.removeDeny("d1", mark.at, mark.by)).toBe(true);
    expect(await store.liftFreeze("f1", mark.at, mark.by)).toBe(true);
    expect(await store.revokeWaiver("w1", mark.at, "eve")).toBe(false);
    expect(await store.removeDeny("w1", mark.at, "eve")).toBe(false);
    expect(await store.liftFreeze("nothing", mark.at, "eve")).toBe(false);
    const all = await store.read();
    expect(all.epoch).toBe(epoch + 3);
    expect([all.waivers[0]!.revoked, all.denies[0]!.removed, all.freezes[0]!.lifted]).toEqual([mark, mark, mark]);
  });

  test(`${name}: the use of a waiver is remembered without raising the epoch`, async () => {
    const { store, clock } = await open();
    await store.addWaiver(waiver);
    const { epoch } = await store.read();
    await store.touchWaiver("w1", clock.now());
    await store.touchWaiver("w1", instant(clock.now() - 5));
    await store.touchWaiver("nothing", clock.now());
    const all = await store.read();
    expect(all.epoch).toBe(epoch);
    expect(all.waivers[0]!.used).toBe(clock.now());
  });

  test(`${name}: a watcher hears of changes by any process until it stops`, async () => {
    const { store, again } = await open();
    const other = await again();
    const heard: number[] = [];
    const stop = store.watch((epoch) => heard.push(epoch));
    await other.addWaiver(waiver);
    const { epoch } = await other.read();
    await expect.poll(() => heard.at(-1), { timeout: 1_000 }).toBe(epoch);
    // Its own process hears at once.
    await store.addDeny(deny);
    expect(heard.at(-1)).toBe(epoch + 1);
    stop();
    await store.addFreeze(freeze);
    expect(heard.at(-1)).toBe(epoch + 1);
  });

  test(`${name}: no change is lost when several processes make one at once`, async () => {
    const { store, again } = await open();
    const stores = [store, await again(), await again()];
    const { epoch } = await store.read();
    await Promise.all(Array.from({ length: 30 }, (_, n) => stores[n % 3]!.addDeny({ ...deny, id: `d${n}` })));
    const all = await store.read();
    expect(all.denies).toHaveLength(30);
    expect(all.epoch).toBe(epoch + 30);
  });
}

export function tokenContract(name: string, open: Open<TokenStore>): void {
  const token = { id: "t1", label: "ci", projects: ["site", "api"], created: moment("2026-03-31T00:00:00Z") };

  test(`${name}: a token is found by the hash of its secret, its last use noted`, async () => {
    const { store, again, clock } = await open();
    await store.add(token, "a".repeat(64));
    await store.add({ ...token, id: "t2", expires: clock.now() }, "b".repeat(64));
    expect(await store.find("a".repeat(64))).toEqual(token);
    expect(await store.find("c".repeat(64))).toBeUndefined();
    const other = await again();
    await expect.poll(async () => (await other.list()).find(({ id }) => id === "t1")!.lastUsed).toBe(clock.now());
    expect((await other.list()).map(({ id, expires }) => [id, expires])).toEqual([
      ["t1", undefined],
      ["t2", clock.now()],
    ]);
  });

  test(`${name}: a token is revoked once, everywhere, and stays listed`, async () => {
    const { store, again, clock } = await open();
    await store.add(token, "a".repeat(64));
    const other = await again();
    expect(await other.revoke("t1", clock.now())).toBe(true);
    expect(await store.revoke("t1", clock.now())).toBe(false);
    expect(await store.revoke("t9", clock.now())).toBe(false);
    expect((await store.find("a".repeat(64)))!.revoked).toBe(clock.now());
    expect(await store.list()).toHaveLength(1);
  });
}

const verdict = (action: Verdict["action"]): Verdict => ({
  action,
  review: false,
  reasons: [],
  notes: [],
  waived: [],
  monitored: false,
  policy: "p1",
});

export function heldContract(name: string, open: Open<HeldStore>): void {
  const held = { name: "widget", version: "1.0.1", verdict: verdict("hold") };

  test(`${name}: requests are counted and projects collected; the first moment stays`, async () => {
    const { store, again, clock } = await open();
    const other = await again();
    const since = clock.now();
    await store.note({ ...held, at: since, asked: false, project: "site" });
    clock.advance("1h");
    await other.note({ ...held, at: clock.now(), asked: true, project: "api", integrity: "sha512-abc" });
    const asked = clock.now();
    clock.advance("1h");
    await store.note({ ...held, at: clock.now(), asked: false, project: "site", verdict: verdict("review") });
    expect(await other.list()).toEqual([
      { ...held, integrity: "sha512-abc", since, lastAsked: asked, asked: 1, projects: ["site", "api"], verdict: verdict("review") },
    ]);
  });

  test(`${name}: concurrent requests are all counted`, async () => {
    const { store, again, clock } = await open();
    const stores = [store, await again()];
    await Promise.all(Array.from({ length: 20 }, (_, n) => stores[n % 2]!.note({ ...held, at: clock.now(), asked: true })));
    expect((await store.list())[0]!.asked).toBe(20);
  });

  test(`${name}: an admitted version is dropped, others stay, the longest held first`, async () => {
    const { store, clock } = await open();
    await store.note({ ...held, at: clock.now(), asked: true });
    clock.advance("1h");
    await store.note({ ...held, version: "1.0.2", at: clock.now(), asked: true });
    await store.note({ ...held, name: "aaa", at: clock.now(), asked: true });
    expect((await store.list()).map((one) => `${one.name}@${one.version}`)).toEqual(["widget@1.0.1", "aaa@1.0.1", "widget@1.0.2"]);
    await store.drop("widget", "1.0.1");
    await store.drop("widget", "9.9.9");
    expect(await store.list()).toHaveLength(2);
  });

  test(`${name}: a client that invents projects does not grow an entry without end`, async () => {
    const { store, clock } = await open();
    for (let n = 0; n < 130; n += 1) await store.note({ ...held, at: clock.now(), asked: false, project: `p${n}` });
    expect((await store.list())[0]!.projects).toHaveLength(100);
  });
}
