import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HOUR, instant } from "../base/time.ts";
import type { ClientId } from "../client/client.ts";
import { readLockfile } from "../lockfile/read.ts";
import { repairFile } from "./repair-edits.ts";
import { planRepair, type RepairCandidate, type RepairInput, type RepairPlan, repairPlans } from "./repair.ts";

const NOW = instant(Date.UTC(2026, 2, 31, 0, 43));
const SHA = `sha512-${"A".repeat(86)}==`;

const served = (...versions: string[]): RepairCandidate[] => versions.map((version) => ({ version, state: "admitted", affectedBy: [] }));
const vulnerable = (...versions: string[]): RepairCandidate[] =>
  versions.map((version) => ({ version, state: "admitted", affectedBy: ["GHSA-1"] }));
const refused = (version: string): RepairCandidate => ({ version, state: "refused", affectedBy: ["MAL-1"] });

/** package-lock.json of `axios`, asked for by the project, by `wrapper`, or by both. */
function npm(asked: { readonly direct?: string; readonly wrapper?: string }, version = "1.14.1") {
  const dependencies = {
    ...(asked.direct !== undefined && { axios: asked.direct }),
    ...(asked.wrapper !== undefined && { wrapper: "^2.0.0" }),
  };
  const at = (name: string, of: string, more = {}) => ({
    version: of,
    resolved: `https://registry.test/${name}/-/${name}-${of}.tgz`,
    integrity: SHA,
    ...more,
  });
  const lock = {
    lockfileVersion: 3,
    packages: {
      "": { dependencies },
      "node_modules/axios": at("axios", version),
      ...(asked.wrapper !== undefined && { "node_modules/wrapper": at("wrapper", "2.1.0", { dependencies: { axios: asked.wrapper } }) }),
    },
  };
  const text = JSON.stringify(lock);
  return {
    manifest: `${JSON.stringify({ name: "site", dependencies }, undefined, "\t")}\n`,
    tree: readLockfile("package-lock.json", text),
    lockfile: text,
  };
}

function plan(
  { manifest, tree, lockfile }: { readonly manifest: string; readonly tree: RepairInput["tree"]; readonly lockfile?: string },
  candidates: readonly RepairCandidate[],
  { client = "npm", written = false, ...more }: Partial<RepairInput> & { client?: ClientId; written?: boolean } = {},
) {
  const version = tree.packages.find(({ name }) => name === "axios")!.version;
  const input: RepairInput = {
    client,
    tree,
    files: [repairFile("package.json", manifest, "."), ...(lockfile === undefined ? [] : [repairFile("package-lock.json", lockfile)])],
    ailing: [{ name: "axios", version, because: ["MAL-1"] }],
    candidates: new Map([["axios", candidates]]),
    now: NOW,
    ...more,
  };
  return planRepair(input, { written });
}

/** What is written besides the lockfile. */
const manifestEdits = ({ edits }: RepairPlan) => edits.filter(({ path }) => path !== "package-lock.json");

test("where every range admits a good version only the lockfile moves", () => {
  const done = plan(npm({ direct: "^1.13.0", wrapper: "^1.0.0" }), [...served("1.13.0", "1.14.0"), refused("1.14.1")]);
  expect(done.steps).toMatchObject([
    { kind: "in-place", name: "axios", from: "1.14.1", to: "1.14.0", where: "package.json ^1.13.0, wrapper@2.1.0" },
  ]);
  expect(manifestEdits(done)).toEqual([]);
  // The entry is taken out, so that npm chooses anew for it alone.
  expect(done.edits[0]!.after).not.toContain("node_modules/axios");
  expect(done.edits[0]!.after).toContain("node_modules/wrapper");
  expect(done.commands).toEqual([["install", "--package-lock-only", "--ignore-scripts"]]);
  expect(done.unrepaired).toEqual([]);
});

test("what the range would get is what counts: a vulnerable version that is served shuts the way", () => {
  const done = plan(npm({ direct: "^1.13.0" }, "1.13.5"), [...served("1.13.0", "2.0.0"), ...vulnerable("1.13.5", "1.14.0")]);
  expect(done.steps).toMatchObject([
    { kind: "range", to: "1.13.0", summary: "to 1.13.0, the version before", where: "dependencies > axios" },
  ]);
});

test("an exact pin of the project is lowered or raised in its own form, tabs and all", () => {
  const pinned = npm({ direct: "1.14.1" });
  const down = plan(pinned, [...served("1.13.0", "1.14.0"), refused("1.14.1")]);
  expect(manifestEdits(down)).toEqual([
    { path: "package.json", before: pinned.manifest, after: pinned.manifest.replace("1.14.1", "1.14.0") },
  ]);
  expect(down.commands).toEqual([["install", "--package-lock-only", "--ignore-scripts"]]);
  // The operator stays where it cannot lead back: ^1.14.0 would take 1.14.1 again.
  const ranged = npm({ direct: "^1.14.1" });
  expect(plan(ranged, [...served("1.14.0"), refused("1.14.1")]).edits[0]!.after).toContain('"axios": "1.14.0"');
  expect(plan(ranged, [...vulnerable("1.14.1"), ...served("2.0.1")]).edits[0]!.after).toContain('"axios": "^2.0.1"');
});

test("what another package asks for is overridden under that package", () => {
  const deep = npm({ wrapper: "~1.14.1" });
  const done = plan(deep, [...served("1.14.0", "1.15.0"), refused("1.14.1")]);
  expect(done.steps).toMatchObject([{ kind: "override", to: "1.15.0", where: "overrides > wrapper > axios" }]);
  expect(JSON.parse(done.edits[0]!.after)).toEqual({
    name: "site",
    dependencies: { wrapper: "^2.0.0" },
    overrides: { wrapper: { axios: "1.15.0" } },
  });
});

test("each client's own form of an override", () => {
  const deep = npm({ wrapper: "1.14.1" });
  const candidates = [...served("1.14.0"), refused("1.14.1")];
  const of = (client: ClientId, more: Partial<RepairInput> = {}) =>
    manifestEdits(plan(deep, candidates, { client, ...more })).map(({ path, after }) => [path, after]);
  const added = (member: object) => `${JSON.stringify({ ...JSON.parse(deep.manifest), ...member }, undefined, "\t")}\n`;
  expect(of("bun")).toEqual([["package.json", added({ overrides: { axios: "1.14.0" } })]]);
  expect(of("yarn-berry")).toEqual([["package.json", added({ resolutions: { "wrapper/axios": "1.14.0" } })]]);
  expect(of("yarn-classic")).toEqual([["package.json", added({ resolutions: { "**/wrapper/axios": "1.14.0" } })]]);
  expect(of("pnpm", { major: 9 })).toEqual([["package.json", added({ pnpm: { overrides: { "wrapper>axios": "1.14.0" } } })]]);
  expect(of("pnpm", { major: 11 })).toEqual([["pnpm-workspace.yaml", 'overrides:\n  "wrapper>axios": "1.14.0"\n']]);
  const workspace = "packages:\n  - a/*\noverrides: # ours\n  left-pad: 1.3.0\n\n# the end\n";
  const files = [repairFile("package.json", deep.manifest, "."), repairFile("pnpm-workspace.yaml", workspace)];
  expect(of("pnpm", { major: 10, files })).toEqual([
    ["pnpm-workspace.yaml", workspace.replace("  left-pad", '  "wrapper>axios": "1.14.0"\n  left-pad')],
  ]);
});

test("a rule that stands already is changed, not contradicted; one about the parent gets a map", () => {
  const deep = npm({ wrapper: "1.14.1" });
  const candidates = [...served("1.14.0"), refused("1.14.1")];
  const manifest = '{\n  "dependencies": { "wrapper": "^2.0.0" },\n  "overrides": { "axios": "1.14.1" }\n}\n';
  expect(plan({ ...deep, manifest }, candidates).edits[0]!.after).toBe(manifest.replace("1.14.1", "1.14.0"));
  const parent = '{\n  "dependencies": { "wrapper": "^2.0.0" },\n  "overrides": { "wrapper": "2.1.0" }\n}\n';
  expect(JSON.parse(plan({ ...deep, manifest: parent }, candidates).edits[0]!.after).overrides).toEqual({
    wrapper: { ".": "2.1.0", axios: "1.14.0" },
  });
});

test("a fix that is only held is never planned; when it opens is said", () => {
  const start = instant(NOW - 2 * 24 * HOUR);
  const held: RepairCandidate = {
    version: "1.15.1",
    state: "held",
    start,
    until: instant(NOW + 24 * HOUR),
    affectedBy: [],
    fastLane: "open in 4 h when the look at it ends clean",
  };
  const nothing = plan(npm({ direct: "^1.14.0" }), [...vulnerable("1.14.0", "1.14.1"), held]);
  expect(nothing.steps).toEqual([]);
  expect(nothing.commands).toEqual([]);
  const message = "the fix 1.15.1 is 2 d old: opens 2026-04-01T00:43Z, or by the fast lane: open in 4 h when the look at it ends clean";
  expect(nothing.unrepaired).toMatchObject([{ name: "axios", why: message }]);
  // Going back is offered, and the fix that comes is named beside it.
  const back = plan(npm({ direct: "^1.14.0" }), [...served("1.13.0"), ...vulnerable("1.14.0", "1.14.1"), held]);
  expect(back.steps).toMatchObject([{ kind: "range", to: "1.13.0" }]);
  expect(back.waiting).toMatchObject([{ version: "1.15.1", message }]);
});

test("plans come smallest first, each once; bun keeps its lockfile until nothing else helps", () => {
  const of = (client: ClientId, { direct = "^1.13.0" } = {}) => {
    const { tree, manifest, lockfile } = npm({ direct });
    const files = [repairFile("package.json", manifest, "."), repairFile("package-lock.json", lockfile)];
    const candidates = new Map([["axios", [...served("1.14.0"), refused("1.14.1")]]]);
    const ailing = [{ name: "axios", version: "1.14.1", because: ["MAL-1"] }];
    return repairPlans({ client, tree, files, ailing, candidates, now: NOW }).map(({ steps, edits }) => [
      steps.map(({ kind }) => kind),
      edits.map(({ path }) => path),
    ]);
  };
  expect(of("npm")).toEqual([
    [["in-place"], ["package-lock.json"]],
    [["range"], ["package.json", "package-lock.json"]],
  ]);
  expect(of("npm", { direct: "1.14.1" })).toEqual([[["range"], ["package.json", "package-lock.json"]]]);
  expect(of("bun")).toEqual([
    [["range"], ["package.json"]],
    [["range"], ["package.json", "package-lock.json"]],
  ]);
});

test("what did not move by itself is written on the second try", () => {
  const both = npm({ direct: "^1.13.0", wrapper: "^1.0.0" });
  const second = plan(both, [...served("1.14.0"), refused("1.14.1")], { written: true });
  expect(second.steps.map(({ kind, where }) => `${kind} ${where}`)).toEqual([
    "range dependencies > axios",
    "override overrides > wrapper > axios",
  ]);
});

test("pnpm catalogs are changed where the range stands; a range the lockfile does not say is looked up", () => {
  const lock = [
    "lockfileVersion: '9.0'",
    "importers:",
    "  .:",
    "    dependencies:",
    "      axios:",
    "        specifier: 'catalog:'",
    "        version: 1.14.1",
    "      wrapper:",
    "        specifier: ^2.0.0",
    "        version: 2.1.0",
    "packages:",
    `  axios@1.14.1:\n    resolution: {integrity: ${SHA}}`,
    `  wrapper@2.1.0:\n    resolution: {integrity: ${SHA}}`,
    "snapshots:",
    "  axios@1.14.1: {}",
    "  wrapper@2.1.0:\n    dependencies:\n      axios: 1.14.1",
    "",
  ].join("\n");
  const workspace = "catalog:\n  axios: 1.14.1 # pinned\n";
  const manifest = '{\n  "dependencies": {\n    "axios": "catalog:",\n    "wrapper": "^2.0.0"\n  }\n}\n';
  const files = [repairFile("package.json", manifest, "."), repairFile("pnpm-workspace.yaml", workspace)];
  const input = { manifest, tree: readLockfile("pnpm-lock.yaml", lock) };
  const done = plan(input, [...served("1.14.0"), refused("1.14.1")], { client: "pnpm", major: 11, files, asks: () => "^1.0.0" });
  expect(done.edits).toEqual([{ path: "pnpm-workspace.yaml", before: workspace, after: 'catalog:\n  axios: "1.14.0" # pinned\n' }]);
  expect(done.steps).toMatchObject([{ kind: "range", where: "catalog.axios" }]);
});

test("yarn 1 moves by losing the entry from its lockfile", () => {
  const text = `# yarn lockfile v1\n\n\naxios@^1.13.0:\n  version "1.14.1"\n  resolved "https://registry.test/axios/-/axios-1.14.1.tgz#${"a".repeat(40)}"\n  integrity ${SHA}\n\nleft-pad@^1.0.0:\n  version "1.3.0"\n  resolved "https://registry.test/left-pad/-/left-pad-1.3.0.tgz#${"a".repeat(40)}"\n`;
  const manifest = '{"dependencies":{"axios":"^1.13.0","left-pad":"^1.0.0"}}';
  const files = [repairFile("package.json", manifest, "."), repairFile("yarn.lock", text)];
  const done = plan({ manifest, tree: readLockfile("yarn.lock", text) }, [...served("1.14.0"), refused("1.14.1")], {
    client: "yarn-classic",
    files,
  });
  expect(done.steps).toMatchObject([{ kind: "in-place", to: "1.14.0" }]);
  expect(done.edits).toMatchObject([{ path: "yarn.lock", after: text.replace(/axios@[\s\S]*?\n\n/, "") }]);
  expect(done.commands).toEqual([["install", "--ignore-scripts", "--non-interactive"]]);
});

test("what the lockfile does not say is tried before it is written, with pnpm's overrides in either place", () => {
  const lock = [
    "lockfileVersion: '9.0'",
    "importers:",
    "  .:",
    "    dependencies:",
    "      wrapper:",
    "        specifier: ^2.0.0",
    "        version: 2.1.0",
    "packages:",
    `  axios@1.14.1:\n    resolution: {integrity: ${SHA}}`,
    `  wrapper@2.1.0:\n    resolution: {integrity: ${SHA}}`,
    "snapshots:",
    "  axios@1.14.1: {}",
    "  wrapper@2.1.0:\n    dependencies:\n      axios: 1.14.1",
    "",
  ].join("\n");
  const files = [repairFile("package.json", '{ "dependencies": { "wrapper": "^2.0.0" } }', "."), repairFile("pnpm-lock.yaml", lock)];
  const candidates = new Map([["axios", [...served("1.14.0"), refused("1.14.1")]]]);
  const ailing = [{ name: "axios", version: "1.14.1", because: ["MAL-1"] }];
  const plans = repairPlans({ client: "pnpm", tree: readLockfile("pnpm-lock.yaml", lock), files, ailing, candidates, now: NOW });
  expect(plans.map(({ steps }) => `${steps[0]!.kind} ${steps[0]!.path ?? steps[0]!.summary}`)).toEqual([
    "in-place to 1.14.0, if what asks for it admits that",
    "override package.json",
    "override pnpm-workspace.yaml",
  ]);
});

test("bun overrides a package everywhere, so not where other versions are in use", () => {
  const entry = (of: string) => `["axios@${of}", "", {}, "${SHA}"]`;
  const lock = `{"lockfileVersion":1,"workspaces":{"":{"dependencies":{"axios":"^0.30.0","wrapper":"^2.0.0"}}},"packages":{"axios":${entry("0.30.3")},"wrapper":["wrapper@2.1.0","",{"dependencies":{"axios":"^1.13.0"}},"${SHA}"],"wrapper/axios":${entry("1.14.1")}}}`;
  const files = [repairFile("package.json", '{"dependencies":{"axios":"^0.30.0","wrapper":"^2.0.0"}}', ".")];
  const input = { client: "bun", tree: readLockfile("bun.lock", lock), files, now: NOW } as const;
  const candidates = new Map([["axios", [...served("0.30.3", "1.14.0"), refused("1.14.1")]]]);
  const done = planRepair({ ...input, candidates, ailing: [{ name: "axios", version: "1.14.1", because: ["MAL-1"] }] });
  expect(done.edits).toEqual([]);
  expect(done.unrepaired).toMatchObject([{ why: expect.stringContaining("other versions of axios are in use") }]);
});

test("what cannot be changed from here is said with its reason", () => {
  const tree = readLockfile(
    "package-lock.json",
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "": {},
        "node_modules/odd/node_modules/axios": { version: "1.14.1", inBundle: true },
        "node_modules/odd": {
          version: "1.0.0",
          bundleDependencies: ["axios"],
          resolved: "https://registry.test/odd/-/odd-1.0.0.tgz",
          integrity: SHA,
        },
      },
    }),
  );
  expect(plan({ manifest: "{}", tree }, served("1.14.0")).unrepaired).toMatchObject([
    { why: expect.stringContaining("inside another package's tarball") },
  ]);
  expect(plan(npm({ direct: "^1.14.0" }), []).unrepaired).toMatchObject([{ why: "no other version of it is known here" }]);
});

test("whatever stands there, only what is served and clear of everything is planned, and nothing throws", () => {
  const version = fc.oneof(
    fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join(".")),
    fc.constantFrom("1.0.0-rc.1", "1.2", "", "latest", "99999999999999999999.0.0"),
  );
  const candidate = fc.record({
    version,
    state: fc.constantFrom("admitted", "held", "refused"),
    affectedBy: fc.constantFrom([], ["GHSA-1"]),
  }) as fc.Arbitrary<RepairCandidate>;
  const range = fc.oneof(
    version,
    version.map((one) => `^${one}`),
    version.map((one) => `~${one}`),
    fc.constantFrom("*", "latest", "git+ssh://x", "npm:axios@^1.0.0"),
  );
  const clients = fc.constantFrom<ClientId>("npm", "pnpm", "yarn-classic", "yarn-berry", "bun", "deno");
  fc.assert(
    fc.property(
      version,
      range,
      range,
      fc.array(candidate, { maxLength: 12 }),
      clients,
      fc.boolean(),
      (from, direct, wrapper, candidates, client, written) => {
        const { steps, edits } = plan(npm({ direct, wrapper }, from), candidates, { client, written });
        const good = new Set(candidates.flatMap((one) => (one.state === "admitted" && one.affectedBy.length === 0 ? [one.version] : [])));
        for (const { to } of steps) for (const one of to.split(" and ")) expect(good.has(one)).toBe(true);
        if (steps.length === 0) expect(edits).toEqual([]);
      },
    ),
  );
});
