import { expect, test } from "vitest";
import { parse } from "yaml";
import { CLIENTS } from "./table.ts";
import { namedFiles, trialCommand, trialCopy, trialFiles } from "./trial.ts";

test("every client installs by its own plain command, with the given cache", () => {
  for (const client of Object.values(CLIENTS)) {
    const { args, env } = trialCommand(client.id, "/tmp/cache");
    expect(client.intent(client.commands[0]!, args, {}), client.id).toMatchObject({ kind: "install", frozen: false });
    expect(
      Object.values(env).some((value) => value.startsWith("/tmp/cache")),
      client.id,
    ).toBe(true);
  }
});

test("the manifest has a name, the one dependency and the client's declared version", () => {
  const files = trialFiles({ client: "pnpm", dependency: "@cordon-doctor/control-ab12cd34", packageManager: "pnpm@11.28.11" });
  expect(JSON.parse(files["package.json"]!)).toEqual({
    name: "cordon-doctor",
    version: "0.0.0",
    private: true,
    packageManager: "pnpm@11.28.11",
    dependencies: { "@cordon-doctor/control-ab12cd34": "1.0.0" },
  });
});

test("pnpm-workspace.yaml keeps its settings and loses what speaks of the sources", () => {
  const text =
    "# ours\npackages:\n  - packages/*\nregistries:\n  '@acme': https://acme.test/\ncatalog:\n  axios: ^1\npatchedDependencies:\n  a@1: patches/a.patch\noverrides:\n  b: $b\nminimumReleaseAge: 1440\n";
  expect(parse(trialCopy("pnpm-workspace.yaml", text))).toEqual({
    packages: ["."],
    registries: { "@acme": "https://acme.test/" },
    minimumReleaseAge: 1440,
  });
  expect(trialCopy("pnpm-workspace.yaml", "a: [\n")).toBe("a: [\n");
});

test("a frozen lockfile is not asked for where there is none", () => {
  expect(trialCopy(".yarnrc", 'registry "https://a.test/"\n--install.frozen-lockfile true\n')).toBe('registry "https://a.test/"\n\n');
  expect(trialCopy("bunfig.toml", '[install]\nfrozenLockfile = true\nregistry = "https://a.test/"\n')).toBe(
    '[install]\n\nregistry = "https://a.test/"\n',
  );
  expect(trialCopy(".npmrc", "registry=https://a.test/\n")).toBe("registry=https://a.test/\n");
});

test("files the client cannot start without are named, those of the machine are not", () => {
  const yml =
    "yarnPath: .yarn/releases/yarn-4.18.1.cjs\nplugins:\n  - path: .yarn/plugins/a.cjs\n    spec: a\n  - .yarn/plugins/b.cjs\nhttpsCaFilePath: /etc/ssl/ca.pem\n";
  expect(namedFiles(".yarnrc.yml", yml)).toEqual([".yarn/releases/yarn-4.18.1.cjs", ".yarn/plugins/a.cjs", ".yarn/plugins/b.cjs"]);
  expect(namedFiles(".yarnrc", 'yarn-path "./.yarn/releases/yarn-1.22.22.cjs"\n')).toEqual(["./.yarn/releases/yarn-1.22.22.cjs"]);
  expect(namedFiles(".npmrc", "cafile=certs/ca.pem\nregistry=https://a.test/\n")).toEqual(["certs/ca.pem"]);
  expect(namedFiles("bunfig.toml", 'preload = ["./x.ts"]\n')).toEqual([]);
});
