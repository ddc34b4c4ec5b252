import { expect, test } from "vitest";
import { HOSTILE, inspectionOf, tarballOf, THIEF } from "../../../test/kit/inspections.ts";
import { SIGNALS } from "../../core/signals/table.ts";
import { sarifOf } from "./sarif.ts";

type Place = {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string };
    readonly region: { readonly startLine: number; readonly snippet?: { readonly text: string } };
  };
};
type Result = {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly partialFingerprints: { readonly "cordon/1": string };
  readonly locations: readonly Place[];
};
type Run = {
  readonly tool: {
    readonly driver: {
      readonly name: string;
      readonly rules: readonly { readonly id: string; readonly shortDescription: { readonly text: string } }[];
    };
  };
  readonly invocations: readonly [{ readonly executionSuccessful: boolean; readonly toolExecutionNotifications: readonly unknown[] }];
  readonly results: readonly Result[];
};

async function runOf(bytes: Uint8Array, file?: string): Promise<Run> {
  const document = sarifOf(await inspectionOf(bytes, file)) as { readonly version: string; readonly runs: readonly [Run] };
  expect(document.version).toBe("2.1.0");
  return document.runs[0];
}

test("each finding is a result with its rule from the table, its file and its line", async () => {
  const { tool, results, invocations } = await runOf(tarballOf(THIEF));
  expect(tool.driver.name).toBe("cordon");
  expect(invocations[0]).toMatchObject({ executionSuccessful: true, toolExecutionNotifications: [] });
  const [result] = results;
  expect(result).toMatchObject({ ruleId: "capability-added", level: "error" });
  expect(tool.driver.rules[result!.ruleIndex]).toMatchObject({
    id: "capability-added",
    shortDescription: { text: SIGNALS["capability-added"].means },
  });
  expect(result!.locations[0]!.physicalLocation).toMatchObject({
    artifactLocation: { uri: "setup.js", uriBaseId: "PACKAGE" },
    region: { startLine: 2, snippet: { text: expect.stringContaining("process.env") } },
  });
});

test("the same finding has the same fingerprint in the next release and on the next day; another file is another finding", async () => {
  const prints = async (files: Readonly<Record<string, string>>) =>
    (await runOf(tarballOf(files))).results.map((one) => one.partialFingerprints["cordon/1"]);
  const first = await prints(THIEF);
  const { "setup.js": code = "", ...rest } = THIEF;
  expect(await prints({ ...THIEF, "package.json": THIEF["package.json"]!.replace("1.0.1", "1.0.2") })).toEqual(first);
  expect(await prints({ ...THIEF, "setup.js": `\n\n${code}` })).toEqual(first);
  expect(await prints({ ...rest, "other.js": code })).not.toEqual(first);
});

test("nothing found is a run without results; no archive is a result without a line of its own", async () => {
  expect((await runOf(tarballOf({ "package.json": '{"name":"a","version":"1.0.0"}' }))).results).toEqual([]);
  const { results } = await runOf(Buffer.from("no archive"), "broken.tgz");
  expect(results).toMatchObject([
    {
      ruleId: "archive-malformed",
      locations: [{ physicalLocation: { artifactLocation: { uri: "package.json" }, region: { startLine: 1 } } }],
    },
  ]);
});

test("hostile names are URIs, lines are numbers, and every result names its rule", async () => {
  const { results, tool } = await runOf(tarballOf(HOSTILE));
  expect(results.length).toBeGreaterThan(0);
  for (const { ruleId, ruleIndex, locations } of results) {
    expect(tool.driver.rules[ruleIndex]!.id).toBe(ruleId);
    for (const { physicalLocation: place } of locations) {
      expect(place.artifactLocation.uri).toMatch(/^[\w.~!$&'()*+,;=:@/%-]+$/);
      expect(Number.isInteger(place.region.startLine) && place.region.startLine > 0).toBe(true);
    }
  }
});
