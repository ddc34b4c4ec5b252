/** The replays in small: a few incidents through the gate, the reader against what may stand in such a file, and that nothing made here does harm. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parsePackageTexts } from "../kit/fixture/package-text.ts";
import { generate } from "./generate.ts";
import { type Incident, readIncidents } from "./incident.ts";
import { reportOf } from "./report.ts";
import { replay } from "./run.ts";
import { score } from "./score.ts";

const { incidents, problems } = readIncidents(readFileSync(new URL("./incidents.json", import.meta.url), "utf8"));

function incident(id: string): Incident {
  return incidents.find((one) => one.id === id)!;
}

test("every incident of the catalogue is read", () => {
  expect(problems).toEqual([]);
  expect(incidents).toHaveLength(39);
});

test.each([
  ["axios-2026", "trusted-publisher-dropped"],
  ["tanstack-2026", "exotic-dependency"],
  ["eslint-scope-2018", "install-execution-added"],
])("%s is withheld at minute 0 for what changed: %s", async (id, reason) => {
  const evidence = await replay(incident(id), "evidence");
  const scored = score(incident(id), { young: evidence, evidence });
  expect(scored).toMatchObject({ evidence: "withheld", right: true });
  expect(Object.keys(scored.by)).toContain(reason);
});

test("with nothing on record but its time, only age withholds it", async () => {
  const nothing: Incident = { ...incident("eslint-scope-2018"), signals: {} };
  const [young, evidence] = [await replay(nothing, "young"), await replay(nothing, "evidence")];
  expect(score(nothing, { young, evidence })).toMatchObject({ young: "withheld", evidence: "missed", by: {} });
  for (const one of evidence) expect(one).toMatchObject({ status: 200, withheld: false });
});

test("what is made is inert, and the same each time", () => {
  for (const one of incidents) {
    const { texts, attacks } = generate(one);
    expect(generate(one)).toEqual({ texts, attacks });
    expect(attacks.length).toBeGreaterThan(0);
    const versions = texts.flatMap((text) => parsePackageTexts(text, one.id, attacks[0]!.at));
    for (const { files } of versions) {
      const code = files.map(({ text }) => text).join("\n");
      for (const [, host = ""] of code.matchAll(/https?:\/\/([^/"]+)|hostname: "([^"]+)"/g)) expect(host).toMatch(/\.test$|^$/);
      for (const [, program] of code.matchAll(/\b(?:spawn|exec|execSync|spawnSync)\("([^"]*)"/g)) expect(program).toBe("true");
      for (const [, path] of code.matchAll(/\.(?:rm|unlink|writeFile|rmSync)\("([^"]*)"/g))
        expect(path).toMatch(/^\/nonexistent\/replay\//);
    }
  }
});

test("somebody's own spelling of a value is that value; what he does not know is not on record", () => {
  const spelt = {
    new_install_script: { v: "Yes" },
    dormant_revived_days: { v: "400" },
    size_jump: { v: "unknown" },
    provenance: { v: "lost" },
  };
  const [one] = readIncidents(
    JSON.stringify([{ id: "a\u001b[31m", signals: { metadata: spelt, code: { destructive: { v: "no" } } } }]),
  ).incidents;
  expect(one!.signals).toEqual({ new_install_script: true, dormant_revived_days: 400, provenance: "lost" });
  expect(one!.id).toBe("a[31m");
});

test("a hijack without a package on record was one of a known package; no time leads before npm began", () => {
  const hijack: Incident = {
    ...incident("eslint-scope-2018"),
    packages: [],
    signals: { new_install_script: true, dormant_revived_days: 1e9 },
  };
  const { texts, attacks } = generate(hijack);
  expect(attacks).toMatchObject([{ own: false }]);
  const versions = texts.flatMap((text) => parsePackageTexts(text, hijack.id, attacks[0]!.at));
  expect(versions.length).toBeGreaterThan(3);
  expect(generate({ ...hijack, class: "typosquat" }).attacks).toMatchObject([{ own: true }]);
});

test("a file of the schema with values nobody foresaw is replayed as far as it goes", () => {
  const entry = fc.record(
    {
      id: fc.anything(),
      date: fc.anything(),
      class: fc.anything(),
      packages: fc.oneof(
        fc.anything(),
        fc.array(fc.record({ name: fc.anything(), malicious: fc.anything(), last_good: fc.anything(), role: fc.anything() })),
      ),
      signals: fc.oneof(
        fc.anything(),
        fc.record({ metadata: fc.dictionary(fc.string(), fc.record({ v: fc.anything() })), code: fc.anything() }),
      ),
      delivery: fc.anything(),
      times: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 3 }), (entries) => {
      for (const one of readIncidents(JSON.stringify(entries)).incidents) {
        const { texts, attacks } = generate(one);
        expect(attacks.length).toBeGreaterThan(0);
        for (const text of texts) parsePackageTexts(text, one.id, attacks[0]!.at);
      }
    }),
    { numRuns: 200 },
  );
  expect(readIncidents("not json").problems).toHaveLength(1);
  expect(readIncidents("{}").problems).toHaveLength(1);
  expect(readIncidents("[1]")).toEqual({ incidents: [], problems: ["entry 1: not an object"] });
});

test("the scorecard says what was missed, and by what the rest was stopped", () => {
  const outcome = { name: "a", version: "1.0.1", own: false, at: "", status: 403, withheld: true, notes: [] };
  const stopped = { ...outcome, reasons: [{ id: "install-execution-added", effect: "review", title: "" }] };
  const unchecked = { ...outcome, version: "1.0.2", reasons: [{ id: "not-checked:tarball", effect: "hold", title: "" }] };
  const one: Incident = { ...incident("eslint-scope-2018"), signals: { new_install_script: true } };
  const half = score(one, { young: [stopped, unchecked], evidence: [stopped, unchecked] });
  expect(half).toMatchObject({ young: "withheld", evidence: "partly", stopped: 1, right: true, by: { "install-execution-added": 1 } });
  const luck = score({ ...one, signals: { cap_network: true } }, { young: [stopped], evidence: [stopped] });
  expect(luck).toMatchObject({ evidence: "withheld", right: false });
  const text = reportOf([half, { ...luck, id: "luck" }], ["entry 3: not an object"]);
  expect(text).toContain("1 of 2 (50 %) withheld at minute 0 with the age rule off, 0 with a reason on record; 2 of 2 with it on.");
  expect(text).toContain("- eslint-scope-2018: a@1.0.2. On record: new_install_script.");
  expect(text).toContain("Not replayed: entry 3: not an object");
});
