import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../base/time.ts";
import type { ClientId } from "./client.ts";
import { planSync, type SyncInput, type SyncPlan } from "./policy-sync.ts";
import type { SyncFile } from "./policy-sync-files.ts";

const ALL: readonly ClientId[] = ["npm", "pnpm", "yarn-classic", "yarn-berry", "bun", "deno"];

function plan(files: SyncInput["files"], clients: readonly ClientId[], more: Partial<SyncInput> = {}): SyncPlan {
  return planSync({
    clients: clients.map((id) => ({ id })),
    hold: 3 * DAY,
    private: [],
    files,
    asksFor: { git: false, url: false },
    locked: undefined,
    served: () => undefined,
    ...more,
  });
}

function after({ edits }: SyncPlan, path: SyncFile): string | undefined {
  return edits.find((edit) => edit.path === path)?.after;
}

const drift = ({ findings }: SyncPlan) => findings.filter(({ kind }) => kind === "drift").map(({ setting }) => setting);

test("each client gets the same three days in its own file and unit", () => {
  const done = plan({ "deno.json": "{}\n", "package.json": '{\n  "name": "site"\n}\n' }, ALL);
  expect(after(done, ".npmrc")).toBe("min-release-age=3\nstrict-allow-scripts=true\nallow-git=none\nallow-remote=none\n");
  expect(after(done, "pnpm-workspace.yaml")).toBe("minimumReleaseAge: 4320\nstrictDepBuilds: true\nblockExoticSubdeps: true\n");
  expect(after(done, ".yarnrc.yml")).toBe("npmMinimalAgeGate: 4320\nenableScripts: false\n");
  expect(after(done, "bunfig.toml")).toBe("[install]\nminimumReleaseAge = 259200\n");
  expect(after(done, "deno.json")).toBe('{\n  "minimumDependencyAge": 4320\n}\n');
  expect(after(done, "package.json")).toBe('{\n  "name": "site",\n  "trustedDependencies": []\n}\n');
  expect(done.problems).toEqual([]);
});

test("what is stricter stays, what is weaker is replaced where it stands", () => {
  const files = {
    ".npmrc": "; ours\nmin-release-age = 14 ; two weeks\nignore-scripts=true\nallow-git=root\nallow-remote=none\n",
    "pnpm-workspace.yaml": "packages:\n  - a/* # all\nminimumReleaseAge: 60 # an hour\nstrictDepBuilds: true\nblockExoticSubdeps: true\n",
    ".yarnrc.yml": 'npmMinimalAgeGate: "0"\nenableScripts: true\napprovedGitRepositories:\n  - "**"\nnodeLinker: pnp\n',
    "bunfig.toml": "[install]\n# seconds\nminimumReleaseAge = 604800\n",
    "deno.jsonc": '{\n  // a week\n  "minimumDependencyAge": { "age": "P7D" },\n  "allowScripts": true\n}\n',
    "package.json": '{ "trustedDependencies": ["esbuild"] }',
  };
  const done = plan(files, ALL);
  expect(after(done, ".npmrc")).toBe(files[".npmrc"].replace("allow-git=root", "allow-git=none"));
  expect(after(done, "pnpm-workspace.yaml")).toBe(files["pnpm-workspace.yaml"].replace("60 #", "4320 #"));
  expect(after(done, ".yarnrc.yml")).toBe(
    "npmMinimalAgeGate: 4320\nenableScripts: false\napprovedGitRepositories:\n  []\nnodeLinker: pnp\n",
  );
  expect(after(done, "bunfig.toml")).toBeUndefined();
  expect(after(done, "deno.jsonc")).toBe(files["deno.jsonc"].replace("true", "[]"));
  expect(after(done, "package.json")).toBeUndefined();
  const weak = done.findings.find(({ setting, kind }) => setting === "minimumReleaseAge" && kind === "drift");
  expect(weak).toMatchObject({
    path: "pnpm-workspace.yaml",
    line: 3,
    message: "60; the policy says 4320 minutes (3 d)",
  });
});

test("a project that asks for git or a URL keeps that right for itself alone", () => {
  const asking = { asksFor: { git: true, url: true } };
  expect(after(plan({}, ["npm"], asking), ".npmrc")).toContain("allow-git=root\nallow-remote=root\n");
  expect(after(plan({ ".npmrc": "allow-git=none\n" }, ["npm"], asking), ".npmrc")).toContain("allow-git=none\n");
  const yarn = plan({ ".yarnrc.yml": "approvedGitRepositories: ['**']\n" }, ["yarn-berry"], asking);
  expect(yarn.problems).toMatchObject([{ path: ".yarnrc.yml", why: expect.stringContaining("name the ones the project asks for") }]);
});

test("a client that does not know a setting is not broken with it", () => {
  const old = plan({}, [], {
    clients: [
      { id: "yarn-berry", version: "4.9.1" },
      { id: "pnpm", version: "9.15.9" },
    ],
  });
  expect(after(old, ".yarnrc.yml")).toBe("enableScripts: false\n");
  expect(after(old, "pnpm-workspace.yaml")).toBeUndefined();
  expect(old.findings.filter(({ kind }) => kind === "cannot").map(({ setting }) => setting)).toEqual([
    "npmMinimalAgeGate",
    "minimumReleaseAge",
    "strictDepBuilds",
    "blockExoticSubdeps",
  ]);
});

test("a file that cannot be read is left alone and said", () => {
  const done = plan({ ".yarnrc.yml": "a: [\n", ".npmrc": "min-release-age=3\n" }, ["yarn-berry", "npm"]);
  expect(done.problems).toMatchObject([{ path: ".yarnrc.yml" }]);
  expect(after(done, ".yarnrc.yml")).toBeUndefined();
  expect(after(done, ".npmrc")).toContain("strict-allow-scripts=true");
});

test("holes are named with file and line: stale, scope-wide, open", () => {
  const files = {
    ".npmrc": "min-release-age=3\nmin-release-age-exclude[]=@acme/*\nmin-release-age-exclude[]=gone\nmin-release-age-exclude[]=axios\n",
    "pnpm-workspace.yaml": [
      "minimumReleaseAgeExclude:",
      "  - axios@1.14.0 || 1.14.1",
      "  - keyv@5.6.0",
      "  - '@types/*'",
      "  - axios",
      "  - '@acme/ui'",
      "  - axios@1.14.1",
      "",
    ].join("\n"),
    ".yarnrc.yml": "npmScopes:\n  other:\n    npmMinimalAgeGate: 0\nnpmPreapprovedPackages: ['keyv@npm:5.5.4']\n",
    "bunfig.toml": '[install]\nminimumReleaseAgeExcludes = [\n  "axios", # a fix\n  "gone",\n]\n',
    "deno.json": '{ "minimumDependencyAge": { "age": 4320, "exclude": ["npm:@std/*"] } }',
  };
  const locked = new Map([
    ["axios", new Set(["1.14.1"])],
    ["keyv", new Set(["5.5.4"])],
    ["@acme/ui", new Set(["1.0.0"])],
  ]);
  const found = plan(files, ALL, { locked, private: ["@acme/*"], served: (name) => name === "keyv" }).findings.filter(({ kind }) =>
    /hole/.test(kind),
  );
  expect(found.map(({ kind, path, line }) => `${path}:${line} ${kind}`)).toEqual([
    ".npmrc:3 stale-hole",
    "pnpm-workspace.yaml:2 stale-hole",
    "pnpm-workspace.yaml:3 stale-hole",
    "pnpm-workspace.yaml:4 scope-wide-hole",
    "pnpm-workspace.yaml:5 open-hole",
    ".yarnrc.yml:4 stale-hole",
    ".yarnrc.yml:3 scope-wide-hole",
    "bunfig.toml:4 stale-hole",
    "deno.json:1 scope-wide-hole",
  ]);
});

test("what was written is in step, whatever stood there before, and is never laxer than the policy", () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 20_000 }).map(String),
    fc.constantFrom("3d", "P3D", "true", "false", "none", "root", "x"),
  );
  const text = (keys: readonly string[], line: (key: string, value: string) => string) =>
    fc.option(
      fc
        .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 4 })
        .map((pairs) => [...new Map(pairs)].map(([k, v]) => line(k, v)).join("")),
      { nil: undefined },
    );
  const yaml = (key: string, of: string) => `${key}: ${of}\n`;
  fc.assert(
    fc.property(
      text(["min-release-age", "allow-git", "strict-allow-scripts", "dangerously-allow-all-scripts"], (key, of) => `${key}=${of}\n`),
      text(["minimumReleaseAge", "strictDepBuilds", "blockExoticSubdeps", "dangerouslyAllowAllBuilds"], yaml),
      text(["npmMinimalAgeGate", "enableScripts", "approvedGitRepositories"], yaml),
      fc.integer({ min: 1, max: 30 * 24 * 60 }).map((minutes) => minutes * MINUTE),
      (npmrc, workspace, yarnrc, hold) => {
        const files = Object.fromEntries(
          Object.entries({ ".npmrc": npmrc, "pnpm-workspace.yaml": workspace, ".yarnrc.yml": yarnrc, "package.json": "{}" }).filter(
            ([, one]) => one !== undefined,
          ),
        ) as SyncInput["files"];
        const first = plan(files, ALL, { hold });
        const written = Object.fromEntries(first.edits.map(({ path, after: text }) => [path, text]));
        const second = plan({ ...files, ...written }, ALL, { hold });
        expect(second.edits).toEqual([]);
        expect(drift(second)).toEqual([]);
        const days = /^min-release-age=(.*)$/m.exec(written[".npmrc"] ?? npmrc ?? "")![1];
        expect(Number(days) * DAY).toBeGreaterThanOrEqual(hold);
      },
    ),
  );
});

test("half a day is written as half a day", () => {
  expect(after(plan({}, ["npm"], { hold: 12 * HOUR }), ".npmrc")).toContain("min-release-age=0.5\n");
});
