/** W3: whatever walks round the gate is named with its file, line and remedy. */
import { expect, test } from "vitest";
import { type FindingsInput, type SettingsFile, findings } from "./findings.ts";
import { planSetup } from "./setup.ts";
import { CLIENTS } from "./table.ts";

const GATE = "http://127.0.0.1:4870/p/shop/npm/";

const INPUT: FindingsInput = {
  client: CLIENTS.npm,
  major: undefined,
  command: "npm",
  argv: ["ci"],
  env: {},
  files: [],
  gate: GATE,
  wrapped: true,
  scopes: [],
};

function find(over: Partial<FindingsInput> & { texts?: Record<string, string> }): string[] {
  const files: SettingsFile[] = Object.entries(over.texts ?? {}).map(([path, text]) => ({ path, text, level: "project" }));
  return findings({ ...INPUT, files, ...over }).map(
    (finding) => `${finding.severity} ${finding.rule} ${finding.file}:${finding.line} ${finding.what}`,
  );
}

test("a scope's own registry walks round the gate in every client", () => {
  const npmrc = { ".npmrc": "# ours\n@acme:registry=https://acme.test/npm/\n" };
  const line = "bypass scoped-registry .npmrc:2 @acme:registry=https://acme.test/npm/";
  for (const id of ["npm", "pnpm", "yarn-classic", "bun", "deno"] as const)
    expect(find({ client: CLIENTS[id], texts: npmrc })).toEqual([line]);
  expect(
    find({ client: CLIENTS["yarn-berry"], texts: { ".yarnrc.yml": "npmScopes:\n  acme:\n    npmRegistryServer: https://acme.test\n" } }),
  ).toEqual(["bypass scoped-registry .yarnrc.yml:3 npmScopes.acme.npmRegistryServer=https://acme.test"]);
  expect(
    find({ client: CLIENTS.bun, texts: { "bunfig.toml": '[install.scopes]\nacme = { url = "https://acme.test/", token = "$T" }\n' } }),
  ).toHaveLength(1);
  expect(find({ client: CLIENTS.pnpm, texts: { "pnpm-workspace.yaml": "registries:\n  '@acme': https://acme.test/\n" } })).toHaveLength(1);
});

test("however a scope's registry is spelled, npm's own reading of the line decides", () => {
  for (const line of [
    "@acme:registry=https:evil.example/",
    "@acme:registry=https:/evil.example/",
    String.raw`@acme:registry="https:\\evil.example/"`,
    "'@acme:registry'=https://evil.test/",
    String.raw`"\u0040acme:registry"=https://evil.test/`,
    "${NOPE?}@acme:registry=https://evil.test/",
    "${SCOPE}:registry=https://evil.test/",
    "${UNSET}:registry=https://evil.test/",
    "@acme:registry[]=https://evil.test/",
    "@acme:registry;x=https://evil.test/",
    "; a comment\r@acme:registry=https://evil.test/",
    " [no section]\n@acme:registry=https://evil.test/",
    "[no section\n@acme:registry=https://evil.test/",
    "@acme:registry=evil",
    `@acme:registry=${GATE.replace("/p/", String.raw`\\p/`)}`,
  ])
    expect(find({ texts: { ".npmrc": line }, env: { SCOPE: "@acme" } }), line).toEqual([
      expect.stringMatching(/^bypass scoped-registry \.npmrc:[12] /),
    ]);
  // A variable that leads to the gate, and a line npm gives no meaning to.
  expect(find({ texts: { ".npmrc": "@acme:registry=${GATE}" }, env: { GATE } })).toEqual([]);
  expect(find({ texts: { ".npmrc": "[section]\n@acme:registry=https://evil.test/" } })).toEqual([]);
});

test("what a variable holds is not shown", () => {
  const texts = { ".npmrc": "@acme:registry=${SECRET}" };
  expect(
    JSON.stringify(findings({ ...INPUT, files: [other(".npmrc", texts[".npmrc"], "project")], env: { SECRET: "opensesame" } })),
  ).not.toContain("opensesame");
});

test("a project that says where the user's or the global settings are may name any registry there", () => {
  for (const line of ["userconfig=./other", "globalconfig=./other", "prefix=./other"]) {
    expect(find({ texts: { ".npmrc": line } })).toEqual([`bypass registry .npmrc:1 ${line}`]);
    expect(find({ texts: { ".npmrc": line }, client: CLIENTS.bun })).toEqual([]);
    expect(find({ files: [other("~/.npmrc", line, "user")] })).toEqual([]);
  }
});

test("a scope the gate fronts is no finding where the environment can route it, and none when its line leads to the gate", () => {
  const texts = { ".npmrc": "@acme:registry=https://acme.test/\n" };
  expect(find({ texts, scopes: ["@acme"] })).toEqual([]);
  expect(find({ texts, scopes: ["@acme"], client: CLIENTS["yarn-classic"] })).toEqual([]);
  expect(find({ texts, scopes: ["@acme"], client: CLIENTS.pnpm, major: 10 })).toEqual([]);
  for (const over of [{ client: CLIENTS.pnpm, major: 11 }, { client: CLIENTS.pnpm }, { client: CLIENTS.bun }, { client: CLIENTS.deno }])
    expect(find({ texts, scopes: ["@acme"], ...over })).toHaveLength(1);
  expect(find({ texts, scopes: ["@acme"], wrapped: false })).toHaveLength(1);
  // A shell script in between drops the variable that would route it.
  expect(find({ texts, scopes: ["@acme"], throughShell: true })).toHaveLength(1);
  for (const url of [GATE, GATE.slice(0, -1)]) expect(find({ texts: { ".npmrc": `@acme:registry=${url}\n` }, wrapped: false })).toEqual([]);
  // The same host under another project's prefix, or a path that only begins alike, is not this gate.
  expect(find({ texts: { ".npmrc": "@acme:registry=http://127.0.0.1:4870/p/shop/npm-evil/\n" } })).toHaveLength(1);
  expect(find({ texts: { ".npmrc": "@acme:registry=${ACME}\n" } })).toHaveLength(1);
});

test("in the wrapper a project's registry does not count, except where pnpm 10 puts the file before the environment", () => {
  expect(find({ texts: { ".npmrc": "registry=https://other.test/\n" } })).toEqual([]);
  const texts = { "pnpm-workspace.yaml": "registries:\n  default: https://other.test/\n" };
  expect(find({ client: CLIENTS.pnpm, major: 10, texts })).toEqual([
    "bypass registry pnpm-workspace.yaml:2 registries.default=https://other.test/",
  ]);
  expect(find({ client: CLIENTS.pnpm, major: 11, texts })).toEqual([]);
});

test("without the wrapper the files must lead to the gate", () => {
  const other = "bypass registry .npmrc:1 registry=https://other.test/";
  expect(find({ wrapped: false, texts: { ".npmrc": "registry=https://other.test/\n" } })).toEqual([other]);
  const user: SettingsFile = { path: "~/.npmrc", text: "registry=https://other.test/\n", level: "user" };
  const project: SettingsFile = { path: ".npmrc", text: `registry=${GATE}\n`, level: "project" };
  expect(find({ wrapped: false, files: [user] })).toHaveLength(1);
  expect(find({ wrapped: false, files: [user, project] })).toEqual([]);
  expect(
    find({ wrapped: false, client: CLIENTS.pnpm, major: 10, texts: { "pnpm-workspace.yaml": "registry: https://other.test/\n" } }),
  ).toEqual([]);
  expect(
    find({ wrapped: false, client: CLIENTS.pnpm, major: 12, texts: { "pnpm-workspace.yaml": "registry: https://other.test/\n" } }),
  ).toHaveLength(1);
});

function other(path: string, text: string, level: SettingsFile["level"]): SettingsFile {
  return { path, text, level };
}

test("only the file a client obeys is a finding", () => {
  const bunfig = other("bunfig.toml", `[install]\nregistry = "${GATE}"\n`, "project");
  const npmrc = other(".npmrc", "registry=https://other.test/\n", "project");
  expect(find({ wrapped: false, client: CLIENTS.bun, files: [bunfig, npmrc] })).toEqual([]);
  const users = other("~/.bunfig.toml", '[install]\nregistry = "https://other.test/"\n', "user");
  expect(find({ wrapped: false, client: CLIENTS.bun, files: [users, other(".npmrc", `registry=${GATE}\n`, "project")] })).toHaveLength(1);
  expect(find({ wrapped: false, client: CLIENTS.bun, files: [users, bunfig, npmrc] })).toEqual([]);
  const yarnrc = other(".yarnrc", `registry "${GATE}"\n`, "project");
  expect(
    find({ wrapped: false, client: CLIENTS["yarn-classic"], files: [yarnrc, other("~/.npmrc", "registry=https://other.test/\n", "user")] }),
  ).toHaveLength(1);
  const workspace = other("pnpm-workspace.yaml", `registries:\n  default: ${GATE}\n`, "project");
  expect(find({ wrapped: false, client: CLIENTS.pnpm, major: 10, files: [workspace, npmrc] })).toEqual([]);
  expect(find({ wrapped: false, client: CLIENTS.pnpm, major: 9, files: [workspace, npmrc] })).toHaveLength(1);
  expect(
    find({ client: CLIENTS.pnpm, major: 9, texts: { "pnpm-workspace.yaml": "registries:\n  default: https://other.test/\n" } }),
  ).toEqual([]);
});

test("what setup wrote has no findings", () => {
  for (const client of Object.values(CLIENTS)) {
    const texts = Object.fromEntries(planSetup([client.id], GATE, {}).edits.map((edit) => [edit.path, edit.after]));
    expect(find({ client, texts, wrapped: false })).toEqual([]);
  }
});

test("replace-registry-host=never is a bypass on npm 11 and older when no environment overrules it", () => {
  const texts = { ".npmrc": `registry=${GATE}\nreplace-registry-host=never\n` };
  expect(find({ texts, wrapped: false, major: 11 })).toEqual(["bypass registry-host-kept .npmrc:2 replace-registry-host=never"]);
  expect(find({ texts, wrapped: false, major: 12 })).toEqual([]);
  expect(find({ texts, major: 11 })).toEqual([]);
  expect(find({ argv: ["ci", "--replace-registry-host=never"], major: 11 })).toEqual([
    "bypass registry-host-kept command line:0 --replace-registry-host=never",
  ]);
});

test("registry options of the command line beat the environment", () => {
  expect(find({ argv: ["i", "--registry", "https://other.test/"] })).toEqual([
    "bypass registry command line:0 --registry=https://other.test/",
  ]);
  expect(find({ argv: ["i", "--@acme:registry=https://acme.test/"] })).toHaveLength(1);
  expect(find({ client: CLIENTS.pnpm, command: "pnpm", argv: ["i", "--config.registry=https://other.test/"] })).toHaveLength(1);
  expect(find({ argv: ["i", `--registry=${GATE}`] })).toEqual([]);
  expect(find({ argv: ["run", "build", "--", "--registry=https://other.test/"] })).toEqual([]);
  expect(find({ client: CLIENTS.bun, command: "bunx", argv: ["tool", "--registry=https://other.test/"] })).toEqual([]);
});

test("what a project makes the client run is named", () => {
  expect(
    find({ client: CLIENTS["yarn-berry"], texts: { ".yarnrc.yml": "yarnPath: .yarn/releases/yarn.cjs\nplugins:\n  - p.cjs\n" } }),
  ).toEqual(["note runs-code .yarnrc.yml:1 yarnPath=.yarn/releases/yarn.cjs", "note runs-code .yarnrc.yml:2 plugins=- p.cjs"]);
  expect(find({ client: CLIENTS["yarn-classic"], texts: { ".yarnrc": 'yarn-path "x.js"\n' } })).toEqual([
    "note runs-code .yarnrc:1 yarn-path=x.js",
  ]);
  expect(find({ client: CLIENTS.pnpm, texts: { ".pnpmfile.cjs": "" } })).toEqual(["note runs-code .pnpmfile.cjs:1 .pnpmfile.cjs"]);
  expect(find({ texts: { ".pnpmfile.cjs": "", ".npmrc": "node-options=--require ./x.cjs\ngit=./git\n" } })).toEqual([
    "note runs-code .npmrc:1 node-options=--require ./x.cjs",
    "note runs-code .npmrc:2 git=./git",
  ]);
  expect(find({ texts: { ".npmrc": "node-options=--max-old-space-size=4096\n" } })).toEqual([]);
  expect(find({ client: CLIENTS.bun, texts: { "bunfig.toml": 'preload = ["./x.ts"]\n' } })).toEqual([
    'note runs-code bunfig.toml:1 preload=["./x.ts"]',
  ]);
  expect(find({ texts: { ".corepack.env": "# x\nCOREPACK_NPM_REGISTRY=https://other.test\n" } })).toEqual([
    "note runs-code .corepack.env:2 COREPACK_NPM_REGISTRY=https://other.test",
  ]);
  expect(find({ env: { NODE_OPTIONS: "--import ./x.mjs" } })).toEqual(["note runs-code environment:0 NODE_OPTIONS=--import ./x.mjs"]);
});

test("secrets never reach a finding", () => {
  const token = `npm_${"a".repeat(36)}`;
  const texts = { ".npmrc": `@acme:registry=https://user:${token}@acme.test/\nstrict-ssl=false\nregistry=http://other.test/\n` };
  const found = find({ texts, env: { "npm_config_@beta:registry": `https://u:${token}@beta.test/` } });
  expect(found.map((line) => line.split(" ")[1])).toEqual([
    "scoped-registry",
    "credentials-in-url",
    "tls-unverified",
    "plain-http",
    "scoped-registry",
  ]);
  expect(found.join("\n")).not.toContain(token);
});

test("a settings file that cannot be read may say anything", () => {
  expect(find({ client: CLIENTS["yarn-berry"], texts: { ".yarnrc.yml": "a: [\n" } })[0]).toMatch(/^bypass registry \.yarnrc\.yml:1/);
});
