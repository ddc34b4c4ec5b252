/** `cordon setup` changes one value in a client's own file and nothing else; undo gives the exact bytes back. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ClientId } from "./client.ts";
import { type Files, planSetup, planUndo } from "./setup.ts";

const GATE = "http://127.0.0.1:4870/p/shop/npm/";
const ALL: readonly ClientId[] = ["npm", "pnpm", "yarn-classic", "yarn-berry", "bun", "deno"];

function after(client: ClientId, files: Files): Record<string, string> {
  return Object.fromEntries(planSetup([client], GATE, files).edits.map((edit) => [edit.path, edit.after]));
}

test("a project without settings gets the smallest file of each client", () => {
  expect(after("npm", {})).toEqual({ ".npmrc": `registry=${GATE}\nreplace-registry-host=npmjs\n` });
  expect(after("pnpm", {})).toEqual({ ".npmrc": `registry=${GATE}\n` });
  expect(after("yarn-classic", {})).toEqual({ ".npmrc": `registry=${GATE}\n` });
  expect(after("yarn-berry", {})).toEqual({
    ".yarnrc.yml": `npmRegistryServer: "${GATE}"\nunsafeHttpWhitelist:\n  - "127.0.0.1"\n`,
  });
  expect(after("bun", {})).toEqual({ "bunfig.toml": `[install]\nregistry = "${GATE}"\n` });
  expect(after("deno", {})).toEqual({ ".npmrc": `registry=${GATE}\n` });
});

test("clients that share a file change it once", () => {
  expect(planSetup(["deno", "npm", "pnpm"], GATE, {}).edits).toEqual([
    { path: ".npmrc", before: undefined, after: `registry=${GATE}\nreplace-registry-host=npmjs\n` },
  ]);
});

test(".npmrc: the value that counts is replaced; comments, order, line ends and sections stay", () => {
  const text =
    "; ours\r\nregistry = https://old.test/ ; since 2021\r\nsave-exact=true\r\nreplace-registry-host=never\r\n\r\n[section]\r\nregistry=x\r\n";
  expect(after("npm", { ".npmrc": text })[".npmrc"]).toBe(text.replace("https://old.test/", GATE).replace("never", "npmjs"));
  expect(after("npm", { ".npmrc": "audit=false" })[".npmrc"]).toBe(`audit=false\nregistry=${GATE}\nreplace-registry-host=npmjs\n`);
  expect(after("deno", { ".npmrc": "a=1\n[s]\nb=2\n" })[".npmrc"]).toBe(`a=1\nregistry=${GATE}\n[s]\nb=2\n`);
  expect(after("deno", { ".npmrc": "registry=https://a.test/\nregistry=https://b.test/\n" })[".npmrc"]).toBe(
    `registry=https://a.test/\nregistry=${GATE}\n`,
  );
  expect(after("deno", { ".npmrc": "//a.test/:_authToken=${T}\n@acme:registry=https://acme.test/\n" })[".npmrc"]).toBe(
    `//a.test/:_authToken=\${T}\n@acme:registry=https://acme.test/\nregistry=${GATE}\n`,
  );
});

test("pnpm-workspace.yaml is changed only where it would win over .npmrc", () => {
  expect(after("pnpm", { "pnpm-workspace.yaml": "packages:\n  - a\n" })).not.toHaveProperty("pnpm-workspace.yaml");
  const text =
    "# first\nregistry: 'https://old.test/' # why\nregistries:\n  default: https://old.test/\n  '@acme': https://acme.test/\npackages: [a]\n";
  expect(after("pnpm", { "pnpm-workspace.yaml": text })["pnpm-workspace.yaml"]).toBe(
    text.replace("'https://old.test/'", `"${GATE}"`).replace("default: https://old.test/", `default: "${GATE}"`),
  );
});

test(".yarnrc of yarn 1 is changed only when it names a registry", () => {
  expect(after("yarn-classic", { ".yarnrc": "--install.frozen-lockfile true\n" })).not.toHaveProperty(".yarnrc");
  expect(after("yarn-classic", { ".yarnrc": '# x\nregistry "https://old.test/"\nlastUpdateCheck 1\n' })[".yarnrc"]).toBe(
    `# x\nregistry "${GATE}"\nlastUpdateCheck 1\n`,
  );
});

test(".yarnrc.yml: the server is replaced or added, the host joins either form of list", () => {
  const text =
    "# team\nnodeLinker: node-modules\n\nnpmRegistryServer: https://old.test\n\nunsafeHttpWhitelist:\n  - old.test\n\nyarnPath: x.cjs\n";
  expect(after("yarn-berry", { ".yarnrc.yml": text })[".yarnrc.yml"]).toBe(
    text.replace("https://old.test\n", `"${GATE}"\n`).replace("  - old.test", '  - "127.0.0.1"\n  - old.test'),
  );
  expect(after("yarn-berry", { ".yarnrc.yml": "unsafeHttpWhitelist: [old.test]\n" })[".yarnrc.yml"]).toContain('[old.test, "127.0.0.1"]');
  expect(after("yarn-berry", { ".yarnrc.yml": "unsafeHttpWhitelist: []\n" })[".yarnrc.yml"]).toContain('["127.0.0.1"]');
  const https = planSetup(["yarn-berry"], "https://gate.test/", {}).edits[0]!.after;
  expect(https).toBe('npmRegistryServer: "https://gate.test/"\n');
});

test("bunfig.toml: in its table, wherever the table is and however it is written", () => {
  const cases: [string, string][] = [
    ['[install]\nregistry = "https://old.test/" # why\n', `[install]\nregistry = "${GATE}" # why\n`],
    ["[install]\nexact = true\n", `[install]\nregistry = "${GATE}"\nexact = true\n`],
    ["[run]\nbun = true\n", `[run]\nbun = true\n\n[install]\nregistry = "${GATE}"\n`],
    ['[install]\nregistry = { url = "https://old.test/", token = "$T" }\n', `[install]\nregistry = "${GATE}"\n`],
    ['install.registry = "https://old.test/"\n', `install.registry = "${GATE}"\n`],
    ['[install.registry]\nurl = "https://old.test/"\n', `[install.registry]\nurl = "${GATE}"\n`],
    [
      '[x]\ntext = """\n[install]\nregistry = "https://old.test/"\n"""\n',
      `[x]\ntext = """\n[install]\nregistry = "https://old.test/"\n"""\n\n[install]\nregistry = "${GATE}"\n`,
    ],
    ["[install]", `[install]\nregistry = "${GATE}"\n`],
  ];
  for (const [before, wanted] of cases) expect(after("bun", { "bunfig.toml": before })["bunfig.toml"]).toBe(wanted);
});

test("a file that cannot be read is left alone and named", () => {
  const plan = planSetup(["yarn-berry"], GATE, { ".yarnrc.yml": "a: [\n" });
  expect(plan.edits).toEqual([]);
  expect(plan.problems[0]?.path).toBe(".yarnrc.yml");
  expect(planSetup(["yarn-berry"], GATE, { ".yarnrc.yml": "a: 1\n---\nb: 2\n" }).problems).toHaveLength(1);
  expect(planSetup(["yarn-berry"], GATE, { ".yarnrc.yml": "- a\n" }).problems).toHaveLength(1);
});

test("undo restores what was not touched since, and names what was", () => {
  const files = { ".npmrc": "audit=false\n" };
  const { edits } = planSetup(["npm", "bun"], GATE, files);
  const now: Files = { ".npmrc": edits[0]!.after, "bunfig.toml": `${edits[1]!.after}# mine\n` };
  expect(planUndo(edits, now)).toEqual({ restore: [edits[0]], changed: [edits[1]] });
  expect(planUndo(edits, { ".npmrc": "audit=false\n" })).toEqual({ restore: [], changed: [] });
});

test("setting up twice changes nothing, whatever the files held", () => {
  const line = fc.constantFrom(
    "registry=https://a.test/",
    'registry "https://a.test/"',
    "registry: https://a.test/",
    "npmRegistryServer: https://a.test/",
    "unsafeHttpWhitelist: [a]",
    "unsafeHttpWhitelist:",
    "  - a",
    "[install]",
    "[section]",
    'registry = "https://a.test/"',
    "registries:",
    "  default: https://a.test/",
    "# note",
    "",
    "key: value",
    "\t",
  );
  const text = fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
    .map(([lines, eol, end]) => lines.join(eol) + (end ? eol : ""));
  const files = fc.record(
    { ".npmrc": text, ".yarnrc": text, ".yarnrc.yml": text, "bunfig.toml": text, "pnpm-workspace.yaml": text },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(files, (files: Files) => {
      const { edits } = planSetup(ALL, GATE, files);
      const now: Files = { ...files, ...Object.fromEntries(edits.map((edit) => [edit.path, edit.after])) };
      expect(planSetup(ALL, GATE, now).edits).toEqual([]);
      expect(planUndo(edits, now).restore).toEqual(edits);
    }),
    { numRuns: 500 },
  );
});
