import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type FleetMachine, fleetOf, readFleetReport } from "./fleet.ts";
import { LEVELS } from "./sighting.ts";

const report = (incident: string, ...places: readonly (readonly [string, string])[]): string =>
  JSON.stringify({
    schema: "cordon.exposure/1",
    incident,
    places: places.map(([place, level]) => ({ place, level, evidence: [{ text: `seen in ${place}` }], missing: [], reasons: [] })),
    overall: places[0]?.[1] ?? "not-exposed",
  });

test("each machine has an answer for each incident, the worst machine first; silence about an incident is unknown", () => {
  const fleet = fleetOf([
    readFleetReport("mara", report("axios-2026", ["/code/a", "resolved"], ["/code/b", "not-exposed"])),
    readFleetReport("build-7", report("axios-2026", ["/ci", "executed"])),
    readFleetReport("jo", report("keyv-2026", ["/code", "not-exposed"])),
  ]);
  expect(fleet.incidents).toEqual(["axios-2026", "keyv-2026"]);
  expect(fleet.machines.map(({ machine, cells }) => [machine, ...cells.map(({ level }) => level)])).toEqual([
    ["build-7", "executed", "unknown"],
    ["mara", "resolved", "unknown"],
    ["jo", "unknown", "not-exposed"],
  ]);
  expect(fleet.machines[1]!.cells[0]).toEqual({
    incident: "axios-2026",
    level: "resolved",
    places: [{ place: "/code/a", level: "resolved", because: "seen in /code/a" }],
    notExposed: 1,
  });
  expect(fleet.overall).toBe("executed");
});

test("what cannot be read is unknown and says why; a report that plays its places down is not believed", () => {
  for (const text of ["", "[]", '{"schema":"cordon.check/1"}', '{"schema":"cordon.exposure/1","incident":"x","places":[{"place":1}]}'])
    expect(readFleetReport("m", text).unread, text).toBeDefined();
  const [row] = fleetOf([readFleetReport("m", "no")]).machines;
  expect(row).toMatchObject({ machine: "m", unread: "it is not JSON" });
  expect(fleetOf([readFleetReport("m", "no")]).overall).toBe("unknown");
  expect(fleetOf([]).overall).toBe("unknown");
  const sly = report("axios-2026", ["/code", "installed"]).replace('"overall":"installed"', '"overall":"not-exposed"');
  expect(readFleetReport("m", sly).cells[0]!.level).toBe("installed");
});

test("property: one more report never makes the fleet look better, and order does not matter", () => {
  const machine = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("axios-2026", "keyv-2026"), fc.constantFrom(...LEVELS));
  const rank = (level: string): number =>
    ["not-exposed", "unknown", "could-have", "resolved", "fetched", "installed", "executed"].indexOf(level);
  fc.assert(
    fc.property(fc.array(machine, { minLength: 1, maxLength: 6 }), machine, (given, one) => {
      const read = ([name, incident, level]: typeof one): FleetMachine => readFleetReport(name, report(incident, ["/x", level]));
      const before = fleetOf(given.map(read));
      const after = fleetOf([...given, one].map(read));
      expect(rank(after.overall)).toBeGreaterThanOrEqual(rank(before.overall));
      expect(fleetOf(given.toReversed().map(read)).overall).toBe(before.overall);
    }),
  );
});
