import { expect, test } from "vitest";
import { readDecisions, readHealth } from "./gate-look.ts";

const HEALTH = {
  schema: "cordon.health/1",
  cordon: "0.1.0",
  instance: "i",
  now: "2026-04-01T10:00:00.000Z",
  policy: "balanced",
  mode: "enforce",
  upstream: "https://npm.test/",
};

test("a gate's health", () => {
  expect(readHealth(JSON.stringify(HEALTH))).toEqual({
    cordon: "0.1.0",
    instance: "i",
    now: Date.UTC(2026, 3, 1, 10),
    policy: "balanced",
    mode: "enforce",
    upstream: "https://npm.test/",
  });
  expect(
    readHealth(JSON.stringify({ ...HEALTH, mode: "monitor", monitorUntil: "2026-05-01T00:00:00.000Z", monitorOwner: "mara\u001b[2J" })),
  ).toMatchObject({
    monitorUntil: Date.UTC(2026, 4, 1),
    monitorOwner: "mara[2J",
  });
});

test("what is not a gate's health is not taken for one", () => {
  for (const body of ["", "<html>", "null", "[]", "{}", JSON.stringify({ ...HEALTH, schema: "x" }), JSON.stringify({ ...HEALTH, now: 5 })])
    expect(readHealth(body), body).toBeUndefined();
});

test("what the gate did, line by line; lines of another shape are no decisions", () => {
  const decisions = [
    {
      kind: "refused",
      name: "@cordon-doctor/refused-ab",
      asker: { client: "npm/11.19.1", project: "site" },
      at: "2026-04-01T10:00:00.000Z",
    },
    { kind: "served", name: "axios" },
    null,
    { kind: 5, name: "x" },
  ];
  expect(readDecisions(JSON.stringify({ schema: "cordon.decisions/1", decisions }))).toEqual([
    { kind: "refused", name: "@cordon-doctor/refused-ab", client: "npm/11.19.1", project: "site" },
    { kind: "served", name: "axios" },
  ]);
  for (const body of ["", "[]", JSON.stringify({ schema: "x", decisions }), JSON.stringify({ schema: "cordon.decisions/1" })])
    expect(readDecisions(body), body).toBeUndefined();
});
