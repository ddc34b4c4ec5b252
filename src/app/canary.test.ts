import { expect, test } from "vitest";
import { extract } from "tar";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { instant } from "../core/base/time.ts";
import { canaryName, canaryOf, control } from "./canary.ts";

test("only names with a nonce are canaries", () => {
  expect(canaryOf("@cordon-doctor/refused-ab12cd34")).toEqual({ kind: "refused", nonce: "ab12cd34" });
  expect(canaryOf("@cordon-doctor/control-ab12cd34")).toEqual({ kind: "control", nonce: "ab12cd34" });
  for (const name of ["@cordon-doctor/refused", "@cordon-doctor/refused-x", "cordon-doctor", "@cordon-doctor/other-ab12cd34"])
    expect(canaryOf(name), name).toBeUndefined();
});

test("the control is an ordinary package that another reader unpacks", async () => {
  const { packument, tarball, file } = control("ab12cd34", "http://gate.test/", instant(Date.UTC(2026, 3, 1)));
  const document = JSON.parse(new TextDecoder().decode(packument)) as { versions: Record<string, { dist: { tarball: string } }> };
  expect(document.versions["1.0.0"]!.dist.tarball).toBe(`http://gate.test/${canaryName("control", "ab12cd34")}/-/${file}`);
  const dir = mkdtempSync(join(tmpdir(), "cordon-canary-"));
  writeFileSync(join(dir, "c.tgz"), tarball);
  await extract({ file: join(dir, "c.tgz"), cwd: dir });
  expect(JSON.parse(readFileSync(join(dir, "package/package.json"), "utf8"))).toMatchObject({
    name: "@cordon-doctor/control-ab12cd34",
    version: "1.0.0",
  });
});
