import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkReport, EXCEPTED, finding, MALWARE, PACKAGES, VEXED } from "../../../test/kit/check-report.ts";
import { instant } from "../base/time.ts";
import { applyVex, readVex, vexOf, type VexStatement } from "./openvex.ts";

const AT = instant(Date.UTC(2026, 10, 22, 5));
const PRODUCT = { "@id": "pkg:npm/left-pad@1.0.0" };

type Fields = Readonly<Record<string, unknown>>;

function statement(fields: Fields = {}): Fields {
  return {
    vulnerability: { name: "CVE-2026-0001" },
    products: [PRODUCT],
    status: "not_affected",
    justification: "vulnerable_code_not_present",
    ...fields,
  };
}

function document(statements: unknown, fields: Fields = {}): string {
  return JSON.stringify({
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://vex.test/1",
    author: "vendor",
    timestamp: "2026-11-01T00:00:00Z",
    version: 1,
    statements,
    ...fields,
  });
}

function statementsOf(...statements: readonly Fields[]): readonly VexStatement[] {
  const { statements: read, problems } = readVex(document(statements));
  expect(problems).toEqual([]);
  return read;
}

const excepted = (statements: readonly VexStatement[], found = finding(), project = {}) =>
  applyVex([found], statements, project)[0]!.excepted;

test("a statement about the package lifts the finding, by any id of the vulnerability", () => {
  expect(excepted(statementsOf(statement({ impact_statement: "We ship it without the padding" })))).toEqual({
    vex: "https://vex.test/1",
    reason: "vulnerable_code_not_present, We ship it without the padding, says vendor",
    status: "not_affected",
    justification: "vulnerable_code_not_present",
  });
  const aliased = statement({ vulnerability: { name: "VENDOR-7", aliases: ["GHSA-aaaa-bbbb-cccc"] } });
  expect(excepted(statementsOf(aliased))).toMatchObject({ status: "not_affected" });
  expect(excepted(statementsOf(statement({ vulnerability: { name: "CVE-2026-0002" } })))).toBeUndefined();
});

test("malware is never lifted", () => {
  const said = statement({ vulnerability: { name: "MAL-2026-1" }, products: [{ "@id": "pkg:npm/%40evil/core@6.6.6" }] });
  expect(excepted(statementsOf(said), MALWARE)).toBeUndefined();
  // The same words about a vulnerability of the same package do lift it.
  expect(excepted(statementsOf(said), { ...MALWARE, rule: "vulnerability-report" })).toBeDefined();
});

test.each([
  ["another version", { "@id": "pkg:npm/left-pad@1.0.1" }, false],
  ["another package", { "@id": "pkg:npm/right-pad@1.0.0" }, false],
  ["another spelling", { "@id": "pkg:npm/Left-pad@1.0.0" }, false],
  ["every version", { "@id": "pkg:npm/left-pad" }, true],
  ["its purl among the identifiers", { "@id": "https://vex.test/left-pad", identifiers: { purl: "pkg:npm/left-pad@1.0.0" } }, true],
  ["a part of another product", { "@id": "pkg:npm/other@1", subcomponents: [PRODUCT] }, false],
  ["a part of this project", { "@id": "pkg:npm/app@1.2.3", subcomponents: [PRODUCT] }, true],
  ["a part of this project in another version", { "@id": "pkg:npm/app@1.2.4", subcomponents: [PRODUCT] }, false],
  ["this project, where another part has it", { "@id": "pkg:npm/app", subcomponents: [{ "@id": "pkg:npm/right-pad" }] }, false],
] as const)("a product that is %s", (_, product, lifts) => {
  const found = excepted(statementsOf(statement({ products: [product] })), finding(), { name: "app", version: "1.2.3" });
  expect(found !== undefined).toBe(lifts);
});

test("the newest statement counts, and of the newest one that lifts nothing; what is excepted already stays as it is", () => {
  const old = statement({ timestamp: "2026-11-02T00:00:00Z" });
  const affected = (day: string): Fields =>
    statement({ status: "affected", action_statement: "update", timestamp: `2026-11-${day}T00:00:00Z` });
  expect(excepted(statementsOf(old, affected("03")))).toBeUndefined();
  expect(excepted(statementsOf(affected("01"), old))).toBeDefined();
  expect(excepted(statementsOf(old, affected("02")))).toBeUndefined();
  expect(excepted(statementsOf(old, statement({ status: "under_investigation", last_updated: "2026-11-05T00:00:00Z" })))).toBeUndefined();
  expect(excepted(statementsOf(old), EXCEPTED)).toBe(EXCEPTED.excepted);
});

test.each([
  ["a status nobody knows", { status: "harmless" }, /status/],
  ["not_affected for no reason", { justification: undefined }, /without a reason/],
  ["a justification nobody knows", { justification: "we_like_it" }, /justification/],
  ["no product", { products: [] }, /no product/],
  ["a product by its hashes too", { products: [{ ...PRODUCT, hashes: { "sha-256": "00" } }] }, /hashes/],
  ["bytes from elsewhere", { products: [{ "@id": "pkg:npm/left-pad@1.0.0?repository_url=https%3A%2F%2Fa.test" }] }, /qualifiers/],
  ["two purls that differ", { products: [{ ...PRODUCT, identifiers: { purl: "pkg:npm/left-pad@2.0.0" } }] }, /differ/],
  ["a purl that is none", { products: [{ "@id": "pkg:npm/%zz@1.0.0" }] }, /npm/],
  ["a word nobody knows", { only_if: "the moon is full" }, /"only_if"/],
  ["a time nobody can read", { timestamp: "yesterday" }, /timestamp/],
  ["a vulnerability without a name", { vulnerability: { aliases: ["CVE-2026-0001"] } }, /name/],
  ["a vulnerability as text", { vulnerability: "CVE-2026-0001" }, /name/],
] as const)("a statement with %s is left out, and it is said", (_, fields, why) => {
  const { statements, problems } = readVex(document([statement(), statement(fields)]));
  expect(statements).toHaveLength(1);
  expect(problems).toEqual([expect.stringMatching(why)]);
  expect(problems[0]).toMatch(/^statement 2 is left out: /);
});

test.each([
  ["not JSON", "{", /JSON/],
  ["an older format", document([statement()], { "@context": "https://openvex.dev/ns/v0.0.1" }), /0\.2/],
  ["somebody else's context", document([statement()], { "@context": "https://openvex.dev.evil.test/ns" }), /0\.2/],
  ["no author", document([statement()], { author: " " }), /author/],
  ["no time", document([statement()], { timestamp: 5 }), /timestamp/],
  ["no statements", document({}), /statements/],
])("a document with %s lifts nothing", (_, text, why) => {
  expect(readVex(text)).toEqual({ statements: [], problems: [expect.stringMatching(why)], others: 0 });
});

test("a vendor's document for everything it sells: what is about no npm package is counted, and takes nothing from what is", () => {
  const image = { "@id": "pkg:oci/app@sha256%3A00" };
  const { statements, problems, others } = readVex(
    document([
      statement({ products: [image, PRODUCT, { "@id": "https://vendor.test/box" }] }),
      statement({ products: [image] }),
      statement({ products: [{ ...image, subcomponents: [PRODUCT] }] }),
      // About one part of a project of ours, and that part is no npm package: not about the project.
      statement({ products: [{ "@id": "pkg:npm/left-pad@1.0.0", subcomponents: [{ "@id": "pkg:pypi/x@1" }] }] }),
    ]),
  );
  expect([problems, others]).toEqual([[], 3]);
  expect(statements.map(({ products }) => products)).toEqual([
    [{ purl: { name: "left-pad", version: "1.0.0", qualifiers: [] }, parts: [] }],
  ]);
});

test("what is written says: not affected as VEX said, affected where somebody lives with it or a fix is known, else under investigation", () => {
  const { fix: _, ...unfixed } = finding({ name: "@ours/tool", version: "2.0.0", key: "node_modules/ours" });
  const unknown = { ...unfixed, advisory: { ...unfixed.advisory!, id: "CVE-2026-9", aliases: [], fixed: [] } };
  const report = checkReport({ findings: [finding(), EXCEPTED, VEXED, unknown] });
  const written = vexOf(report, PACKAGES, { author: "mara", at: AT }) as {
    readonly statements: readonly Fields[];
    readonly timestamp: string;
  };
  expect(written.timestamp).toBe("2026-11-22T05:00:00.000Z");
  expect(
    written.statements.map(({ status, justification, impact_statement, action_statement }) => [
      status,
      justification ?? impact_statement ?? action_statement,
    ]),
  ).toEqual([
    ["under_investigation", undefined],
    ["affected", "Excepted by mara, until 2026-12-31: not reachable from our code"],
    ["affected", "to 1.0.1 (npm install left-pad@1.0.1); Fixed in 1.0.1"],
    ["not_affected", "vulnerable_code_not_in_execute_path"],
  ]);
  expect(written.statements[2]).toMatchObject({
    vulnerability: { name: "GHSA-aaaa-bbbb-cccc", aliases: ["CVE-2026-0001"] },
    products: [{ "@id": "pkg:npm/app@1.2.3", subcomponents: [{ "@id": "pkg:npm/left-pad@1.0.0" }] }],
  });
  expect(vexOf(report, PACKAGES, { author: "mara", at: AT })).toEqual(written);
  expect(vexOf(checkReport({ findings: [] }), PACKAGES, { author: "mara", at: AT })).toBeUndefined();
});

test("what one run writes the next one reads: the exception by VEX holds, the others do not", () => {
  const vexed = { ...VEXED, name: "left-pad", version: "1.0.0", key: "node_modules/left-pad" };
  const waived = { ...EXCEPTED };
  const text = JSON.stringify(vexOf(checkReport({ findings: [vexed, waived] }), PACKAGES, { author: "mara", at: AT }));
  const { statements, problems } = readVex(text);
  expect(problems).toEqual([]);
  const { excepted: _, ...bare } = waived;
  const project = { name: "app", version: "1.2.3" };
  expect(applyVex([finding(), bare], statements, project).map((one) => one.excepted !== undefined)).toEqual([true, false]);
});

test("nothing in a document makes its reader throw, and nothing random lifts anything", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom("statements", "vulnerability", "products", "status", "timestamp"),
      (value, key) => {
        const texts = [JSON.stringify(value), document([statement({ [key]: value })]), document(value)];
        for (const text of texts)
          if (key !== "timestamp") applyVex([MALWARE], readVex(text).statements).forEach((one) => expect(one.excepted).toBeUndefined());
      },
    ),
  );
});
