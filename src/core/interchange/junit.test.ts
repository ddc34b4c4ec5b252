import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkReport, EXCEPTED, finding, hostileReport, MALWARE } from "../../../test/kit/check-report.ts";
import { readXml, type XmlElement } from "../../../test/kit/xml.ts";
import { junitOf } from "./junit.ts";

const outcome = ({ attributes, children }: XmlElement): readonly unknown[] => [attributes["name"], children[0]?.name ?? "passed"];

test("a case for each finding: what fails the run fails, what is excepted is skipped, what is below passes with its words", () => {
  const low = finding({ severity: "low", name: "low", message: "is a little bad" });
  const root = readXml(junitOf(checkReport({ findings: [MALWARE, low, EXCEPTED] })));
  expect(root.attributes).toMatchObject({ tests: "5", failures: "1", errors: "1", skipped: "2" });
  const [lockfile, missing] = root.children;
  expect(lockfile!.attributes).toMatchObject({ name: "package-lock.json", tests: "3", failures: "1", errors: "0", skipped: "1" });
  expect(lockfile!.children.map(outcome)).toEqual([
    ["malware-report @evil/core@6.6.6", "failure"],
    ["vulnerability-report low@1.0.0", "system-out"],
    ["vulnerability-report JSONStream@1.3.5", "skipped"],
  ]);
  const failure = lockfile!.children[0]!.children[0]!;
  expect(failure.attributes).toEqual({ type: "critical", message: "is malware: MAL-2026-1" });
  expect(failure.text).toContain("package-lock.json:40\nvia @evil/core\nfix: to 1.0.1");
  expect(missing!.children.map(outcome)).toEqual([
    ["signatures", "skipped"],
    ["age", "error"],
  ]);
});

test("a lockfile nothing fails in is a case that passes: a run without cases is taken for one that did not happen", () => {
  const root = readXml(junitOf(checkReport({ findings: [], notChecked: [] })));
  expect(root.attributes).toMatchObject({ tests: "1", failures: "0" });
  expect(root.children[0]!.children.map(outcome)).toEqual([["11 packages checked", "passed"]]);
});

test("whatever the text, the document is well-formed, the same each time, and names what it is about", () => {
  fc.assert(
    fc.property(hostileReport, ({ report }) => {
      const root = readXml(junitOf(report));
      expect(junitOf(report)).toBe(junitOf(report));
      const cases = root.children.filter(({ attributes }) => attributes["name"] !== "not checked").flatMap(({ children }) => children);
      expect(cases.length).toBeGreaterThanOrEqual(report.findings.length);
      expect(Number(root.attributes["tests"])).toBe(root.children.flatMap(({ children }) => children).length);
    }),
  );
});

test("the test's reader refuses what is not XML", () => {
  for (const bad of [
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a>&</a>",
    "<a>&nbsp;</a>",
    "<a b=1/>",
    `<a b="1" b="2"/>`,
    "<a>\u0000</a>",
    "<a>\ufffe</a>",
    "<a>]]></a>",
    "x<a/>",
  ])
    expect(() => readXml(bad), bad).toThrow();
  expect(readXml(`<a b="&lt;"><c/>x&amp;y</a>`)).toEqual({
    name: "a",
    attributes: { b: "<" },
    text: "x&y",
    children: [{ name: "c", attributes: {}, children: [], text: "" }],
  });
});
