import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isProjectLabel, projectLabel, readGateUrl, registryUrl } from "./gate-url.ts";

test("a registry URL comes apart into gate and project, wherever the gate is mounted", () => {
  expect(readGateUrl("http://localhost:4870")).toEqual({ base: "http://localhost:4870/" });
  expect(readGateUrl("http://localhost:4870/p/site/npm")).toEqual({ base: "http://localhost:4870/", project: "site" });
  expect(readGateUrl("https://npm.corp.test/cordon/p/site/npm/")).toEqual({ base: "https://npm.corp.test/cordon/", project: "site" });
  expect(readGateUrl("https://npm.corp.test/cordon")).toEqual({ base: "https://npm.corp.test/cordon/" });
});

test("what could hold a secret, or is no web address, is no gate", () => {
  for (const text of [
    "localhost:4870",
    "ftp://gate.test/",
    "https://user:pass@gate.test/",
    "https://gate.test/?token=x",
    "https://${GATE}/",
    "",
    "gate",
  ])
    expect(readGateUrl(text), text).toBeUndefined();
});

test("any name becomes a label the gate accepts, or none", () => {
  expect(projectLabel("@acme/ui")).toBe("acme-ui");
  expect(projectLabel("My App (old)")).toBe("My-App-old");
  expect(projectLabel("..")).toBeUndefined();
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (name) => {
      const label = projectLabel(name);
      if (label === undefined) return;
      expect(isProjectLabel(label)).toBe(true);
      expect(readGateUrl(registryUrl("http://gate.test/", label))).toEqual({ base: "http://gate.test/", project: label });
    }),
  );
});
