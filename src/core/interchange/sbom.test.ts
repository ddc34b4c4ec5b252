import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkedPackage, checkReport, EXCEPTED, finding, PACKAGES, SHA512, VEXED } from "../../../test/kit/check-report.ts";
import { instant } from "../base/time.ts";
import { cyclonedxOf } from "./cyclonedx.ts";
import { readSbom } from "./sbom.ts";
import { spdxOf } from "./spdx.ts";

const AT = instant(Date.UTC(2026, 10, 22, 5, 0, 0, 123));
const HEX = "0".repeat(128);

type Component = {
  readonly "bom-ref": string;
  readonly name: string;
  readonly group?: string;
  readonly scope: string;
  readonly purl?: string;
  readonly hashes?: unknown;
  readonly properties: readonly { readonly name: string; readonly value: string }[];
};
type Bom = {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp?: string; readonly component: unknown };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  readonly vulnerabilities?: readonly Readonly<Record<string, unknown>>[];
};

function bomOf(...[report = checkReport(), packages = PACKAGES, options]: Partial<Parameters<typeof cyclonedxOf>>): Bom {
  return JSON.parse(JSON.stringify(cyclonedxOf(report, packages, options))) as Bom;
}

test("CycloneDX: two copies of one version are one component, needed as much as the most needed copy", () => {
  const { components } = bomOf();
  const pads = components.filter(({ name }) => name === "left-pad");
  expect(pads.map(({ scope, hashes }) => [scope, hashes])).toEqual([["required", [{ alg: "SHA-512", content: HEX }]]]);
  expect(pads[0]!.properties.filter(({ name }) => name === "cordon:lockfile").map(({ value }) => value)).toEqual([
    "package-lock.json#node_modules/left-pad",
    "package-lock.json#node_modules/x/node_modules/left-pad",
  ]);
  const scopes = Object.fromEntries(components.map(({ name, scope }) => [name, scope]));
  expect(scopes).toMatchObject({ JSONStream: "optional", "dev-only": "excluded", tool: "required" });
  expect(components.find(({ name }) => name === "tool")!.group).toBe("@ours");
});

test("CycloneDX: the same version with other bytes is another component, and a folder has no purl to be taken for a package by", () => {
  const { components } = bomOf(checkReport(), [checkedPackage(), checkedPackage({ key: "b", integrity: SHA512.replace("A", "B") })]);
  expect(components.map((component) => component["bom-ref"])).toEqual(["pkg:npm/left-pad@1.0.0", "pkg:npm/left-pad@1.0.0|2"]);
  expect(bomOf().components.find(({ name }) => name === "express")!.purl).toBeUndefined();
});

test("CycloneDX: the project needs what it asks for itself and what nobody else does; a cycle is kept", () => {
  const { dependencies } = bomOf();
  const needs = new Map(dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  // Named by the project, though `left-pad` needs it too.
  expect(needs.get("project")).toContain("pkg:npm/%40evil/core@6.6.6");
  expect(needs.get("project")).not.toContain("pkg:npm/JSONStream@1.3.5");
  expect(needs.get("pkg:npm/left-pad@1.0.0")).toEqual(["pkg:npm/%40evil/core@6.6.6", "pkg:npm/JSONStream@1.3.5"]);
  expect(needs.get("pkg:npm/%40evil/core@6.6.6")).toEqual(["pkg:npm/left-pad@1.0.0"]);
});

test("CycloneDX: each vulnerability names what it affects, and what somebody said of it", () => {
  const { vulnerabilities } = bomOf(checkReport({ findings: [finding(), EXCEPTED, VEXED] }));
  const said = vulnerabilities!.map(({ affects, analysis }) => [(affects as { ref: string }[]).map(({ ref }) => ref), analysis]);
  expect(said).toHaveLength(3);
  expect(said).toContainEqual([["pkg:npm/left-pad@1.0.0"], undefined]);
  expect(said).toContainEqual([
    ["pkg:npm/JSONStream@1.3.5"],
    { state: "in_triage", detail: "mara, until 2026-12-31: not reachable from our code" },
  ]);
  expect(said).toContainEqual([
    ["pkg:npm/%40ours/tool@2.0.0?repository_url=https%3A%2F%2Fnpm.ours.test%2Fbase"],
    { state: "not_affected", justification: "code_not_reachable", detail: "VEX urn:uuid:1: never called" },
  ]);
  expect(vulnerabilities![0]).toMatchObject({
    id: "GHSA-aaaa-bbbb-cccc",
    references: [{ id: "CVE-2026-0001" }],
    recommendation: expect.stringContaining("fixed in 1.0.1"),
  });
});

test("CycloneDX: the serial number stands for the content; a time is there only when it is given", () => {
  const bom = bomOf();
  expect(bom).toEqual(bomOf());
  expect(bom.metadata.timestamp).toBeUndefined();
  const timed = bomOf(checkReport(), PACKAGES, { at: AT });
  expect([timed.metadata.timestamp, timed.serialNumber]).toEqual(["2026-11-22T05:00:00.123Z", bom.serialNumber]);
  expect(bomOf(checkReport(), PACKAGES.slice(3)).serialNumber).not.toBe(bom.serialNumber);
});

test("no password, token or query of a lockfile's URL leaves in an SBOM", () => {
  for (const document of [cyclonedxOf(checkReport(), PACKAGES), spdxOf(checkReport(), PACKAGES, AT)])
    expect(JSON.stringify(document)).not.toMatch(/pass|token|abc"/);
});

test("SPDX: packages, digests, how they hang together, and when", () => {
  const document = spdxOf(checkReport(), PACKAGES, AT) as {
    readonly creationInfo: { readonly created: string };
    readonly documentNamespace: string;
    readonly packages: readonly {
      readonly SPDXID: string;
      readonly name: string;
      readonly downloadLocation: string;
      readonly checksums?: unknown;
    }[];
    readonly relationships: readonly {
      readonly spdxElementId: string;
      readonly relationshipType: string;
      readonly relatedSpdxElement: string;
    }[];
  };
  expect(document.creationInfo.created).toBe("2026-11-22T05:00:00Z");
  expect(document.documentNamespace).toMatch(/^https:\/\/spdx\.org\/spdxdocs\/app-[0-9a-f-]{36}$/);
  const named = new Map(document.packages.map((one) => [one.name, one]));
  expect(named.get("left-pad")).toMatchObject({
    checksums: [{ algorithm: "SHA512", checksumValue: HEX }],
    downloadLocation: "NOASSERTION",
  });
  expect(named.get("tarred")!.downloadLocation).toBe("https://cdn.test/a%20b/tarred.tgz");
  expect(named.get("gitted")!.downloadLocation).toBe(`git+ssh://git@host.test/a/b.git@${"a".repeat(40)}`);
  const names = new Map(document.packages.map(({ SPDXID, name }) => [SPDXID, name]));
  const said = document.relationships.map((one) =>
    [names.get(one.spdxElementId), one.relationshipType, names.get(one.relatedSpdxElement)].join(" "),
  );
  expect(said).toEqual(
    expect.arrayContaining([
      " DESCRIBES app",
      "app DEPENDS_ON @evil/core",
      "dev-only DEV_DEPENDENCY_OF app",
      "left-pad DEPENDS_ON JSONStream",
    ]),
  );
});

test.each([
  ["CycloneDX 1.6", () => cyclonedxOf(checkReport(), PACKAGES), "app"],
  ["CycloneDX 1.7", () => cyclonedxOf(checkReport(), PACKAGES, { version: "1.7" }), "app"],
  ["SPDX-2.3", () => spdxOf(checkReport(), PACKAGES, AT), "app"],
])("%s that was written is read back: names, versions, digests", (format, write, subject) => {
  const read = readSbom(JSON.stringify(write()));
  expect(read).toMatchObject({ format, subject, problems: [] });
  expect(read.packages).toContainEqual({ name: "left-pad", version: "1.0.0", purl: "pkg:npm/left-pad@1.0.0", integrity: SHA512 });
  expect(read.packages.map(({ name }) => name)).toEqual(expect.arrayContaining(["JSONStream", "@evil/core", "@ours/tool", "gitted"]));
  expect(read.packages.map(({ name }) => name)).not.toContain("express");
});

test("an SBOM's problems are told: other ecosystems are counted, a digest of the wrong length is not believed", () => {
  const read = readSbom(
    JSON.stringify({
      bomFormat: "CycloneDX",
      specVersion: "1.4",
      components: [
        { name: "requests", purl: "pkg:pypi/requests@2" },
        { name: "no purl" },
        { name: "bad", purl: "pkg:npm/%zz@1" },
        {
          name: "a",
          purl: "pkg:npm/a@1.0.0",
          hashes: [{ alg: "SHA-512", content: "00" }],
          components: [{ name: "b", purl: "pkg:npm/b@2.0.0", hashes: [{ alg: "MD5", content: "00" }] }],
        },
      ],
    }),
  );
  expect(read.others).toBe(2);
  expect(read.packages).toEqual([
    { name: "a", version: "1.0.0", purl: "pkg:npm/a@1.0.0" },
    { name: "b", version: "2.0.0", purl: "pkg:npm/b@2.0.0" },
  ]);
  expect(read.problems).toEqual(["bad: its purl is no npm package's", "a: a digest cannot be read"]);
});

test.each(["", "[]", "null", "{", `{"bomFormat":"CycloneDX","specVersion":"1.3"}`, `{"spdxVersion":"SPDX-3.0"}`])(
  "%j is refused with a problem",
  (text) => {
    expect(readSbom(text)).toMatchObject({ packages: [], problems: [expect.any(String)] });
  },
);

test("nothing in an SBOM makes its reader throw", () => {
  const deep = `${`{"components":[`.repeat(5_000)}${"]}".repeat(5_000)}`;
  expect(readSbom(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[${deep}]}`).others).toBe(5_000);
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom("components", "packages", "metadata"), (text, key) => {
      readSbom(`{"bomFormat":"CycloneDX","specVersion":"1.6","${key}":${text}}`);
      readSbom(`{"spdxVersion":"SPDX-2.3","${key}":[{"externalRefs":[{"referenceType":"purl","referenceLocator":${text}}]},${text}]}`);
    }),
  );
});
