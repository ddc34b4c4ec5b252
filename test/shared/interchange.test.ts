/**
 * What other tools read, against the official schemas of the shared collection and in other programs' parsers. The schemas are not part of
 * this repository: without them these tests say so and pass nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { Validator, type Schema } from "@cfworker/json-schema";
import * as fc from "fast-check";
import { PackageURL } from "packageurl-js";
import { describe, expect, test } from "vitest";
import { instant } from "../../src/core/base/time.ts";
import { cyclonedxOf } from "../../src/core/interchange/cyclonedx.ts";
import { vexOf } from "../../src/core/interchange/openvex.ts";
import { packagesOf } from "../../src/core/check/packages.ts";
import { sarifOfCheck } from "../../src/core/interchange/sarif.ts";
import { readSbom } from "../../src/core/interchange/sbom.ts";
import { spdxOf } from "../../src/core/interchange/spdx.ts";
import { readLockfile } from "../../src/core/lockfile/read.ts";
import type { CheckedPackage, CheckReport } from "../../src/core/check/finding.ts";
import { checkReport, hostileReport, PACKAGES } from "../kit/check-report.ts";

const FOLDER = fileURLToPath(new URL("../../../shared/data/schemas/", import.meta.url));
const present = existsSync(FOLDER);
if (!present) console.error(`NOT RUN: no schemas at ${FOLDER}; nothing is shown about the formats`);

const AT = instant(Date.UTC(2026, 10, 22, 5));
const schema = (file: string): Schema => JSON.parse(readFileSync(`${FOLDER}${file}`, "utf8"));

type Format = {
  readonly file: string;
  readonly draft: "4" | "7" | "2020-12";
  readonly refs?: readonly string[];
  readonly write: (report: CheckReport, packages: readonly CheckedPackage[]) => unknown;
};

const BOM_REFS = ["spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json"];
const FORMATS: Readonly<Record<string, Format>> = {
  "SARIF 2.1.0": { file: "sarif-2.1.0.json", draft: "7", write: (report) => sarifOfCheck(report) },
  "CycloneDX 1.6": {
    file: "bom-1.6.schema.json",
    draft: "7",
    refs: BOM_REFS,
    write: (report, packages) => cyclonedxOf(report, packages, { at: AT }),
  },
  "CycloneDX 1.7": {
    file: "bom-1.7.schema.json",
    draft: "7",
    refs: BOM_REFS,
    write: (report, packages) => cyclonedxOf(report, packages, { version: "1.7" }),
  },
  "SPDX 2.3": { file: "spdx-2.3.json", draft: "7", write: (report, packages) => spdxOf(report, packages, AT) },
  OpenVEX: { file: "openvex.json", draft: "2020-12", write: (report, packages) => vexOf(report, packages, { author: "mara", at: AT }) },
};

function validator({ file, draft, refs = [] }: Format): Validator {
  const made = new Validator(schema(file), draft);
  for (const ref of refs) made.addSchema(schema(ref));
  return made;
}

/** As a reader of the file sees it. */
const written = (document: unknown): unknown => JSON.parse(JSON.stringify(document));

describe.runIf(present)("the official schemas", () => {
  test.each(Object.keys(FORMATS))("%s: a report with everything in it is valid, and one of hostile text too", (name) => {
    const format = FORMATS[name]!;
    const checker = validator(format);
    const errors = (report: CheckReport, packages: readonly CheckedPackage[]): unknown => {
      const document = format.write(report, packages);
      return document === undefined ? [] : checker.validate(written(document)).errors;
    };
    expect(errors(checkReport(), PACKAGES)).toEqual([]);
    expect(errors(checkReport({ findings: [], project: {} }), [])).toEqual([]);
    fc.assert(
      fc.property(hostileReport, ({ report, packages }) => {
        expect(errors(report, packages)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test.each(Object.keys(FORMATS))("%s: the schema refuses a document that lacks what it demands", (name) => {
    const format = FORMATS[name]!;
    const whole = written(format.write(checkReport(), PACKAGES)) as Record<string, unknown>;
    const checker = validator(format);
    const needed: Readonly<Record<string, string>> = {
      "SARIF 2.1.0": "runs",
      "CycloneDX 1.6": "bomFormat",
      "CycloneDX 1.7": "bomFormat",
      "SPDX 2.3": "creationInfo",
      OpenVEX: "author",
    };
    const { [needed[name]!]: _, ...rest } = whole;
    expect(checker.validate(rest).valid).toBe(false);
  });
});

test("every purl is read by the purl authors' parser as the package it stands for", () => {
  const { components } = written(cyclonedxOf(checkReport(), PACKAGES)) as {
    components: readonly { purl?: string; group?: string; name: string; version?: string }[];
  };
  const purls = components.flatMap(({ purl, group, name, version }) =>
    purl === undefined ? [] : [{ purl, name: group === undefined ? name : `${group}/${name}`, version }],
  );
  expect(purls.length).toBeGreaterThan(5);
  for (const { purl, name, version } of purls) {
    const read = PackageURL.fromString(purl);
    // The library writes npm names in lower case; which package it is must be right but for that.
    expect([read.namespace, read.name].filter(Boolean).join("/")).toBe(name.toLowerCase());
    expect(read.version ?? "").toBe(version ?? "");
  }
  const qualifiers = purls.map(({ purl }) => PackageURL.fromString(purl).qualifiers ?? {});
  expect(qualifiers).toContainEqual({ repository_url: "https://npm.ours.test/base" });
  expect(qualifiers).toContainEqual({ download_url: "https://cdn.test/a b/tarred.tgz" });
  expect(qualifiers).toContainEqual({ vcs_url: `git+ssh://git@host.test/a/b.git@${"a".repeat(40)}` });
});

const LOCKFILES = fileURLToPath(new URL("../../../shared/samples/lockfiles/", import.meta.url));

/** One of each kind, by what its client calls it. */
const REAL = {
  "package-lock/v2-npm-cli-2022-workspaces-bundled.json": "package-lock.json",
  "package-lock/v3-lavamoat-git-deps.json": "package-lock.json",
  "pnpm-lock/v9-git-tarball-patched-nointegrity.yaml": "pnpm-lock.yaml",
  "pnpm-lock/v6.0-pnpm-2024.yaml": "pnpm-lock.yaml",
  "yarn-classic/pkg-tests-partial-integrity.lock": "yarn.lock",
  "yarn-berry/v6-jest-2025.lock": "yarn.lock",
  "bun/v1-kysely-git.lock": "bun.lock",
  "deno/v5-kysely.lock": "deno.lock",
};

describe.runIf(present && existsSync(LOCKFILES))("SBOMs of real lockfiles", () => {
  test.each(Object.entries(REAL))("%s", (file, called) => {
    const packages = packagesOf(readLockfile(called, readFileSync(`${LOCKFILES}${file}`)));
    const report = checkReport({ findings: [], project: { name: basename(file).replace(/\W/g, "-") } });
    const names = new Set(
      packages.filter(({ source }) => !["file", "jsr", "module"].includes(source)).map(({ name, version }) => `${name}@${version}`),
    );
    expect(names.size).toBeGreaterThan(0);
    for (const format of [FORMATS["CycloneDX 1.6"]!, FORMATS["SPDX 2.3"]!]) {
      const document = written(format.write(report, packages));
      expect(validator(format).validate(document).errors).toEqual([]);
      const read = readSbom(JSON.stringify(document));
      expect(read.problems).toEqual([]);
      expect(
        new Set(read.packages.filter(({ name }) => name !== report.project.name).map(({ name, version = "" }) => `${name}@${version}`)),
      ).toEqual(names);
      for (const { purl } of read.packages) expect(PackageURL.fromString(purl).type).toBe("npm");
    }
  });
});
