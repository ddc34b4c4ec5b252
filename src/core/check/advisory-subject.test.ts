import { expect, test } from "vitest";
import { readLockfile } from "../lockfile/read.ts";
import { advisorySubject } from "./advisory-subject.ts";

const SRI = `sha512-${Buffer.alloc(64, 3).toString("base64")}`;

test("A.3.10: an alias is what it stands for; links and workspaces are nobody's; git and archives are at most possible", () => {
  const lock = {
    name: "site",
    lockfileVersion: 3,
    packages: {
      "": { name: "site", workspaces: ["packages/*"], dependencies: {} },
      "node_modules/plain": { version: "1.0.0", resolved: "https://registry.example.test/plain/-/plain-1.0.0.tgz", integrity: SRI },
      "node_modules/other": {
        name: "real",
        version: "2.0.0",
        resolved: "https://registry.example.test/real/-/real-2.0.0.tgz",
        integrity: SRI,
      },
      "node_modules/linked": { resolved: "packages/linked", link: true },
      "packages/linked": { version: "3.0.0" },
      "node_modules/local": { version: "4.0.0", resolved: "file:vendor/local.tgz", integrity: SRI },
      "node_modules/cloned": {
        version: "5.0.0",
        resolved: "git+ssh://git@git.example.test/a/cloned.git#0123456789012345678901234567890123456789",
      },
      "node_modules/archive": { version: "6.0.0", resolved: "https://files.example.test/downloads/archive.tgz", integrity: SRI },
    },
  };
  const tree = readLockfile("package-lock.json", new TextEncoder().encode(JSON.stringify(lock)));
  const subjects = tree.packages
    .flatMap((entry) => advisorySubject(entry) ?? [])
    .map(({ name, version, sure, integrities }) => `${name}@${version} ${sure ? "sure" : "possible"} ${integrities.length}`);
  expect(subjects.toSorted()).toEqual(["archive@6.0.0 possible 1", "cloned@5.0.0 possible 0", "plain@1.0.0 sure 1", "real@2.0.0 sure 1"]);
});
