import { expect, test } from "vitest";
import { DAY, HOUR, MINUTE, iso, parseDuration, parseInstant, span } from "./time.ts";

test("a duration needs a unit", () => {
  expect(parseDuration("3d")).toBe(3 * DAY);
  expect(parseDuration("72h")).toBe(72 * HOUR);
  expect(parseDuration("72")).toBeUndefined();
  expect(parseDuration("-1d")).toBeUndefined();
});

test("registry timestamps of every measured form are read; others are not", () => {
  expect(iso(parseInstant("2026-03-29T08:50:05.148000+00:00")!)).toBe("2026-03-29T08:50:05.148Z");
  expect(iso(parseInstant("2026-03-31T00:21:00Z")!)).toBe("2026-03-31T00:21:00.000Z");
  expect(iso(parseInstant("2026-03-31T02:21:00.5+0200")!)).toBe("2026-03-31T00:21:00.500Z");
  for (const bad of ["2026-03-31", "1970-01-01T00:00:00Z", "31 Mar 2026", "2026-13-01T00:00:00Z", 5, null, "9999-01-01T00:00:00Z"])
    expect(parseInstant(bad), String(bad)).toBeUndefined();
});

test("spans name the two units that matter", () => {
  expect(span(38 * MINUTE)).toBe("38 min");
  expect(span(2 * DAY + 23 * HOUR + 59 * MINUTE)).toBe("2 d 23 h");
  expect(span(-5)).toBe("0 s");
  expect(span(400 * DAY)).toBe("1 y");
});
