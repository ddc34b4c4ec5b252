import * as fc from "fast-check";
import { expect, test } from "vitest";
import { incidentPack, seenAs } from "../../../test/samples/incident.ts";
import type { Answer } from "../exposure/judge.ts";
import { FORMS, type Form, LEVELS } from "../exposure/sighting.ts";
import type { IncidentPack } from "../incident/pack.ts";
import { AFTER, isWhole, PHASES, type Plan, stepOf } from "./plan.ts";
import { type Estate, planResponse, waitsFor } from "./planner.ts";

const PACK = incidentPack({
  title: "left 1.0.1",
  summary: "left 1.0.1 brings in stolen 1.0.0",
  packages: [
    { name: "left", role: "carrier", versions: [{ version: "1.0.1", integrity: ["sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="] }] },
    { name: "stolen", role: "payload", versions: [{ version: "1.0.0" }] },
  ],
  window: { from: "2026-01-01T00:00:00Z", until: "2026-01-02T00:00:00Z", precision: "hour" },
  indicators: { paths: [{ path: "~/.config/systemd/user/bad's.service", platform: "linux", means: "executed" }] },
});

const ESTATE: Estate = {
  platform: "linux",
  secrets: [
    { reach: "cloud", name: "AWS_KEY", file: "/p/.env" },
    { reach: "publish", name: "NPM_TOKEN", file: "/p/.env" },
  ],
  projects: [{ root: "/p", client: "pnpm", direct: { left: "dependencies" }, publishes: ["mine"], git: { why: "it is no repository" } }],
  lastGood: new Map([["left@1.0.1", "1.0.0"]]),
};

const places: fc.Arbitrary<Answer> = fc
  .record({
    place: fc.constantFrom("/p", "/q", "/home/u/.npm/_cacache", "/ci/build.log"),
    level: fc.constantFrom(...LEVELS),
    forms: fc.array(fc.constantFrom(...(Object.keys(FORMS) as Form[])), { maxLength: 4 }),
    file: fc.constantFrom("/p/package-lock.json", "/home/u/.npm/_cacache/index-v5/aa/bb/cc", "/ci/build.log", "/s/v11/index.db"),
  })
  .map(({ place, level, forms, file }) => ({ place, level, evidence: forms.map((form) => seenAs(form, file)), missing: [], reasons: [] }));

const orderings = fc.array(
  fc.record({
    first: fc.constantFrom("isolate the machine", "rotate credentials", "call the lawyer", "remove what persists"),
    next: fc.constantFrom("revoke tokens", "isolate the machine", "purge caches", "sleep"),
    because: fc.constant("it hurts"),
  }),
  { maxLength: 3 },
);

const plans = fc
  .record({ answers: fc.uniqueArray(places, { selector: ({ place }) => place }), ordering: orderings, partial: fc.boolean() })
  .map(({ answers, ordering, partial }) => {
    const pack: IncidentPack = { ...PACK, ordering, coverage: { kind: partial ? "partial" : "complete" } };
    return { pack, answers, plan: planResponse(pack, answers, { paths: ["."], machine: true }, ESTATE) };
  });

/** Every step that has to be over before this one. */
function before(plan: Plan, id: string): ReadonlySet<string> {
  const all = new Set<string>();
  const left = [id];
  for (let one = left.pop(); one !== undefined; one = left.pop())
    for (const need of stepOf(plan, one)!.needs)
      if (!all.has(need)) {
        all.add(need);
        left.push(need);
      }
  return all;
}

test("phases have an order, and every phase is shown after what it waits for", () => {
  for (const phase of PHASES)
    for (const other of AFTER[phase]) expect(PHASES.indexOf(other), `${phase} after ${other}`).toBeLessThan(PHASES.indexOf(phase));
});

test("steps can be done one after another: each needs only earlier ones", () => {
  fc.assert(
    fc.property(plans, ({ plan }) => {
      const done = new Set<string>();
      for (const { id, needs } of plan.steps) {
        for (const need of needs) expect(done).toContain(need);
        done.add(id);
      }
      expect(done.size).toBe(plan.steps.length);
    }),
  );
});

test("nothing is revoked, purged or rolled back before all isolation, evidence and persistence is over", () => {
  fc.assert(
    fc.property(plans, ({ plan }) => {
      const of = (...phases: readonly string[]): readonly string[] =>
        plan.steps.filter(({ phase }) => phases.includes(phase)).map(({ id }) => id);
      for (const id of of("rotate", "purge", "rollback"))
        for (const first of of("isolate", "preserve", "persistence")) expect(before(plan, id)).toContain(first);
      for (const id of of("persistence")) for (const first of of("isolate", "preserve")) expect(before(plan, id)).toContain(first);
      for (const id of of("preserve")) for (const first of of("isolate")) expect(before(plan, id)).toContain(first);
    }),
  );
});

test("every place where it ran or was installed is cut off, and its secrets are replaced", () => {
  fc.assert(
    fc.property(plans, ({ plan, answers }) => {
      const hit = answers.filter(({ level }) => level === "executed" || level === "installed");
      const isolation = plan.steps
        .filter(({ phase }) => phase === "isolate")
        .map(({ title }) => title)
        .join("\n");
      // More than three places of one machine are counted, not listed.
      if (hit.length <= 3) for (const { place } of hit) expect(isolation).toContain(place);
      expect(plan.steps.some(({ phase }) => phase === "rotate")).toBe(hit.length > 0);
      expect(plan.steps.some(({ phase }) => phase === "persistence")).toBe(hit.length > 0);
    }),
  );
});

test("a pack's order is kept or must be read by a person before anything is done on a machine", () => {
  fc.assert(
    fc.property(plans, ({ plan, pack }) => {
      for (const { first, next, because } of pack.ordering ?? []) {
        const text = `${first}, only then ${next}: ${because}`;
        const warned = plan.steps.some(({ warnings }) => warnings.includes(text));
        const toRead = plan.steps.some(({ phase, title }) => phase === "isolate" && title.includes(text));
        const applies = plan.steps.some(({ phase }) =>
          /revoke/.test(next) ? phase === "rotate" : /purge/.test(next) && phase === "purge",
        );
        if (applies) expect(warned || toRead).toBe(true);
        if (/lawyer/.test(first) || /sleep/.test(next) || (/rotate/.test(first) && /isolate/.test(next))) expect(toRead).toBe(true);
      }
    }),
  );
});

test("cordon itself only tightens, copies, empties caches, makes branches and looks; everything else is a person's", () => {
  fc.assert(
    fc.property(plans, ({ plan }) => {
      for (const step of plan.steps)
        if (step.who === "cordon")
          expect(["deny", "freeze", "preserve", "purge", "rollback", "revalidate-lock", "revalidate-own", "recheck", "report"]).toContain(
            step.action.kind,
          );
    }),
  );
});

test("the same findings give the same plan, in any order; another finding gives another", () => {
  fc.assert(
    fc.property(plans, ({ plan, pack, answers }) => {
      const again = planResponse(pack, answers.toReversed(), { paths: ["."], machine: true }, ESTATE);
      expect(again.id).toBe(plan.id);
      expect(isWhole(JSON.parse(JSON.stringify(plan)) as Plan)).toBe(true);
      expect(isWhole({ ...plan, secrets: [...plan.secrets, { reach: "other", name: "x", file: "y" }] })).toBe(false);
    }),
  );
});

test("waiting is passed on", () => {
  expect(waitsFor("verify", "isolate")).toBe(true);
  expect(waitsFor("isolate", "verify")).toBe(false);
});

test("the plan of one hit project, in the words of its client", () => {
  const answers: readonly Answer[] = [
    {
      place: "/p",
      level: "executed",
      evidence: [
        seenAs("script-log", "/p/x.log", "stolen", "1.0.0"),
        seenAs("lockfile", "/p/pnpm-lock.yaml"),
        seenAs("lockfile", "/p/pnpm-lock.yaml", "stolen", "1.0.0"),
      ],
      missing: [],
      reasons: [],
    },
    { place: "/c/_cacache", level: "fetched", evidence: [seenAs("cache", "/c/_cacache/index-v5/aa/bb/cc")], missing: [], reasons: [] },
    { place: "/s/v11", level: "fetched", evidence: [seenAs("store", "/s/v11/index.db")], missing: [], reasons: [] },
  ];
  const plan = planResponse(PACK, answers, { paths: ["."], machine: true }, ESTATE);
  const commands = plan.steps.flatMap((step) => (step.who === "you" ? step.commands : []));
  expect(commands).toContain("npm pkg set 'dependencies[left]=1.0.0'");
  expect(commands).toContain("npm pkg set 'pnpm.overrides[left]=1.0.0'");
  expect(commands.some((command) => command.includes("overrides[stolen]"))).toBe(false);
  expect(commands).toContain("systemctl --user disable --now 'bad'\\''s.service'; rm -i -- ~/'.config/systemd/user/bad'\\''s.service'");
  const purges = plan.steps.filter(({ phase }) => phase === "purge");
  expect(purges.map(({ who }) => who)).toEqual(["cordon", "you"]);
  expect(plan.steps.filter(({ phase }) => phase === "rotate").map(({ title }) => title)).toEqual([
    "from a clean machine: npm and other publish tokens: NPM_TOKEN",
    "from a clean machine: cloud credentials: AWS_KEY",
  ]);
  expect(plan.steps.flatMap((step) => (step.phase === "revalidate" && step.who === "cordon" ? [step.action] : []))).toEqual([
    { kind: "revalidate-lock", root: "/p" },
    { kind: "revalidate-own", root: "/p", name: "mine", from: "2026-01-01T00:00:00Z" },
  ]);
});

test("what a pack names is never removed by a command that reaches too far", () => {
  const paths = ["/", "/tmp", "~/", "/home/../etc", '%X%\\a" & format c:'].map((path) => ({ path, means: "executed" as const }));
  const answers: readonly Answer[] = [{ place: "/p", level: "executed", evidence: [seenAs("folder", "/p/x")], missing: [], reasons: [] }];
  const plan = planResponse({ ...PACK, indicators: { paths } }, answers, { paths: ["/p"], machine: true }, ESTATE);
  const step = plan.steps.find(({ phase }) => phase === "persistence")!;
  const commands = step.who === "you" ? step.commands.slice(0, 5) : [];
  expect(commands.slice(0, 4).every((command) => command.startsWith("look at "))).toBe(true);
  expect(commands[4]).toBe('del /p "%X%\\a & format c:"');
});

const POISONED: readonly Answer[] = ["/p", "/web/p"].map((place) => ({
  place,
  level: "resolved",
  evidence: [seenAs("lockfile", `${place}/package-lock.json`), seenAs("lockfile", `${place}/package-lock.json`, "stolen", "1.0.0")],
  missing: [],
  reasons: [],
}));
const CLEAN = { client: "npm", direct: {}, publishes: [], git: { base: "c0ffee".padEnd(40, "0") } } as const;

test("where git can, cordon makes the branch itself; a person takes it over, each project's after its own", () => {
  const projects = ["/p", "/web/p"].map((root) => ({ ...CLEAN, root }));
  const plan = planResponse(PACK, POISONED, { paths: ["."], machine: true }, { ...ESTATE, projects });
  const steps = plan.steps.filter(({ phase }) => phase === "rollback");
  expect(steps.map(({ id, who }) => `${id} ${who}`)).toEqual([
    "rollback-1 cordon",
    "rollback-2 you",
    "rollback-3 cordon",
    "rollback-4 you",
  ]);
  expect(steps[0]!.who === "cordon" && steps[0]!.action).toEqual({
    kind: "rollback",
    root: "/p",
    lockfile: "package-lock.json",
    base: CLEAN.git.base,
    branch: "cordon/respond-left-2026-p",
    replace: [{ name: "left", version: "1.0.1", to: "1.0.0" }],
  });
  expect(steps[2]!.who === "cordon" && steps[2]!.action).toMatchObject({ branch: "cordon/respond-left-2026-p-2" });
  expect(steps.map(({ needs }) => needs.filter((id) => id.startsWith("rollback")))).toEqual([[], ["rollback-1"], [], ["rollback-3"]]);
  expect(steps[1]!.who === "you" && steps[1]!.commands).toContain("git merge cordon/respond-left-2026-p");
});

test("where it cannot be made, the branch stays a person's, who is told why", () => {
  const why = (project: Estate["projects"][number], answers = POISONED): string => {
    const plan = planResponse(PACK, answers.slice(0, 1), { paths: ["."], machine: true }, { ...ESTATE, projects: [project] });
    const step = plan.steps.find(({ phase }) => phase === "rollback")!;
    expect(step.who).toBe("you");
    return step.title.split("; cordon cannot make it: ")[1]!;
  };
  expect(why({ ...CLEAN, root: "/p", git: { why: "npm is not here" } })).toBe("npm is not here");
  expect(why({ ...CLEAN, root: "/p", client: "deno" })).toMatch(/^deno has no overrides/);
  const twice = [{ ...POISONED[0]!, evidence: [...POISONED[0]!.evidence, seenAs("lockfile", "/p/sub/yarn.lock")] }];
  expect(why({ ...CLEAN, root: "/p" }, twice)).toBe("more than one lockfile names them: /p/package-lock.json, /p/sub/yarn.lock");
  const alone = [{ ...POISONED[0]!, evidence: [seenAs("lockfile", "/p/package-lock.json", "stolen", "1.0.0")] }];
  expect(why({ ...CLEAN, root: "/p" }, alone)).toBe("it has no good version: take it out, or what asks for it");
  const installed = [{ ...POISONED[0]!, evidence: [seenAs("folder", "/p/node_modules/left")] }];
  expect(why({ ...CLEAN, root: "/p" }, installed)).toBe("no lockfile of it names a poisoned version; only what is installed has to go");
});

test("a global install is no project: a person takes it out", () => {
  const answers: readonly Answer[] = [
    { place: "/usr/lib", level: "installed", evidence: [seenAs("folder", "/usr/lib/node_modules/left")], missing: [], reasons: [] },
  ];
  const plan = planResponse(PACK, answers, { paths: ["/p"], machine: true }, ESTATE);
  expect(plan.steps.filter(({ phase }) => phase === "rollback").map(({ title }) => title)).toEqual([
    "/usr/lib: take left@1.0.1 out of it; it is no project of its own",
  ]);
});

test("without any history the newest below the poisoned ones is asked for", () => {
  const answers: readonly Answer[] = [
    { place: "/p", level: "resolved", evidence: [seenAs("lockfile", "/p/package-lock.json")], missing: [], reasons: [] },
  ];
  const plan = planResponse(PACK, answers, { paths: ["."], machine: true }, { ...ESTATE, lastGood: new Map() });
  const rollback = plan.steps.find(({ phase }) => phase === "rollback")!;
  expect(rollback.who === "you" && rollback.commands).toContain("npm pkg set 'dependencies[left]=>=1.0.0 <1.0.1'");
  expect(plan.steps.some(({ phase }) => phase === "rotate" || phase === "isolate")).toBe(false);
});

test("a log of another machine isolates that machine, and all of its secrets count", () => {
  const answers: readonly Answer[] = [
    { place: "/ci/build.log", level: "executed", evidence: [seenAs("script-log", "/ci/build.log")], missing: [], reasons: [] },
  ];
  const plan = planResponse(PACK, answers, { paths: ["/ci"], machine: false }, { ...ESTATE, secrets: [], projects: [] });
  expect(plan.steps.find(({ phase }) => phase === "isolate")!.title).toContain("the machine that /ci/build.log tells of");
  expect(plan.steps.filter(({ phase }) => phase === "rotate").map(({ title }) => title)).toEqual([
    "from a clean machine: every secret within reach of the machine that /ci/build.log tells of; cordon knows none of their names",
  ]);
});

test("of a name that was never honest every version is denied, listed or not", () => {
  const phantom = { name: "phantom", role: "payload" as const, versions: [{ version: "1.0.0" }], everyVersion: true as const };
  const plan = planResponse({ ...PACK, packages: [phantom] }, [], { paths: ["."], machine: true }, ESTATE);
  const denies = plan.steps.flatMap((step) => (step.who === "cordon" && step.action.kind === "deny" ? [step.action] : []));
  expect(denies).toEqual([{ kind: "deny", name: "phantom" }]);
});
