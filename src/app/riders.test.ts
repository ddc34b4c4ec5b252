/** What rides along does so while the fix that pins it does. */
import { expect, test } from "vitest";
import { instant } from "../core/base/time.ts";
import type { Ride } from "../core/policy/ride.ts";
import { openRiders } from "./riders.ts";

const ride = (name: string, by: string): Ride => ({
  name,
  version: "1.2.4",
  by,
  start: instant(0),
  identity: { issuer: "https://ci.test", repository: "https://github.com/acme/core" },
});

test("a ride begins and ends with the fix, and its package is judged anew both times", () => {
  const touched: string[] = [];
  const riders = openRiders((name) => touched.push(name));
  riders.judged("core", [ride("parser", "core@1.2.4"), ride("types", "core@1.2.4")]);
  expect(riders.of("parser", "1.2.4")?.by).toBe("core@1.2.4");
  expect(riders.of("parser", "1.2.5")).toBeUndefined();
  riders.judged("core", [ride("parser", "core@1.2.4"), ride("types", "core@1.2.4")]);
  expect(touched).toEqual(["parser", "types"]);
  riders.judged("core", [ride("types", "core@1.2.4")]);
  expect(riders.of("parser", "1.2.4")).toBeUndefined();
  expect(touched).toEqual(["parser", "types", "parser"]);
});

test("two fixes that pin the same do not take it in turn", () => {
  const touched: string[] = [];
  const riders = openRiders((name) => touched.push(name));
  for (let times = 0; times < 3; times += 1) for (const by of ["core", "cli"]) riders.judged(by, [ride("parser", `${by}@1.2.4`)]);
  expect([riders.of("parser", "1.2.4")?.by, touched]).toEqual(["core@1.2.4", ["parser"]]);
  riders.judged("core", []);
  riders.judged("cli", [ride("parser", "cli@1.2.4")]);
  expect([riders.of("parser", "1.2.4")?.by, touched]).toEqual(["cli@1.2.4", ["parser", "parser", "parser"]]);
});
