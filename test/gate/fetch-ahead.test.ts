/** What a client is about to ask for is asked for first, answered from memory, and counts as asked for only when somebody did. */
import { expect, test } from "vitest";
import { releaseText } from "../kit/stage.ts";
import { openGate } from "./open.ts";

const CORGI = { accept: "application/vnd.npm.install-v1+json" };
const CHAIN = ["one", "two", "three", "four", "five", "six"];

async function open() {
  const opened = await openGate();
  for (const [at, name] of CHAIN.entries()) {
    const next = CHAIN[at + 1];
    opened.fixture.publish(releaseText(`${name}@1.0.0`, "2025-06-01T00:00:00Z", next === undefined ? [] : [`dep:${next}@^1.0.0`]));
  }
  const { gate, fixture } = opened;
  /** What the upstream was asked for since the last time, once nothing is under way. */
  async function asked(): Promise<readonly string[]> {
    await gate.app.ahead!.idle();
    const lines = fixture.log.lines();
    fixture.log.clear();
    return CHAIN.filter((name) => lines.some((line) => line.includes(`/${name}`)));
  }
  return { ...opened, asked };
}

test("two steps are fetched ahead, and each answer given goes on from there", async () => {
  const { gate, get, asked } = await open();
  await get("/one", CORGI);
  expect(await asked()).toEqual(["one", "two", "three"]);
  // Answered from memory, which is also when what follows is fetched.
  await get("/two", CORGI);
  expect(await asked()).toEqual(["four"]);
  await get("/two", CORGI);
  expect(await asked()).toEqual([]);
  expect(gate.app.recorder.counters.packuments).toBe(3);
});

test("an answer made ahead is the one a client would have got", async () => {
  const { base, get, asked } = await open();
  await get("/one", CORGI);
  await asked();
  const ahead = await get("/two", CORGI);
  const other = await open();
  const first = await other.get("/two", CORGI);
  expect(ahead.status).toBe(200);
  const plain = (body: string, base: string) => body.replaceAll(base, "gate/");
  expect(plain(ahead.body.toString(), base)).toBe(plain(first.body.toString(), other.base));
});

test("a client that asks in another form gets its own, from what is stored", async () => {
  const { get, asked } = await open();
  await get("/one", CORGI);
  await asked();
  const full = await get("/two");
  expect(JSON.parse(full.body.toString())).toMatchObject({ name: "two", time: { "1.0.0": "2025-06-01T00:00:00.000Z" } });
  expect(await asked()).toEqual(["four"]);
});
