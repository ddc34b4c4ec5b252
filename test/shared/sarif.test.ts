/** What `cordon inspect --sarif` writes, against the official schema of SARIF 2.1.0, which is not part of this repository. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Schema, Validator } from "@cfworker/json-schema";
import { describe, expect, test } from "vitest";
import { sarifOf } from "../../src/surface/cli/sarif.ts";
import { HOSTILE, inspectionOf, tarballOf, THIEF } from "../kit/inspections.ts";

const FILE = fileURLToPath(new URL("../../../shared/data/schemas/sarif-2.1.0.json", import.meta.url));
const present = existsSync(FILE);
if (!present) console.error(`NOT RUN: no schema at ${FILE}; nothing is shown about the SARIF of inspect`);

describe.runIf(present)("SARIF of inspect", () => {
  const validator = () => new Validator(JSON.parse(readFileSync(FILE, "utf8")) as Schema, "7");
  test.each<[string, Uint8Array]>([
    ["a thief", tarballOf(THIEF)],
    ["hostile names", tarballOf(HOSTILE)],
    ["a plain package", tarballOf({ "package.json": '{"name":"a","version":"1.0.0"}' })],
    ["no archive", Buffer.from("no archive")],
  ])("of %s is valid", async (_what, bytes) => {
    const document: unknown = JSON.parse(JSON.stringify(sarifOf(await inspectionOf(bytes))));
    expect(validator().validate(document)).toMatchObject({ valid: true, errors: [] });
  });

  test("the schema refuses what is none", async () => {
    const document = JSON.parse(JSON.stringify(sarifOf(await inspectionOf(tarballOf(THIEF))))) as {
      runs: { results: { level: string }[] }[];
    };
    document.runs[0]!.results[0]!.level = "terrible";
    expect(validator().validate(document).valid).toBe(false);
  });
});
