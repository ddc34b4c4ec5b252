/** The signals that read a tarball's difference: when they hold, when they only say something, when they are silent. */
import { expect, test } from "vitest";
import type { CodeDone, CodeFacts } from "../analysis/code-facts.ts";
import { NPM_REGISTRY_HOST } from "../config/constants.ts";
import { DAY, instant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import { analysisIncomplete } from "./analysis-incomplete.ts";
import { archiveMalformed } from "./archive-malformed.ts";
import { capabilityAdded } from "./capability-added.ts";
import type { Check, SignalInput } from "./check.ts";
import { dependencyUnimported } from "./dependency-unimported.ts";
import { manifestMismatch } from "./manifest-mismatch.ts";
import { shrinkwrapForeign } from "./shrinkwrap-foreign.ts";

const START = instant(1_000 * DAY);
const NOTHING: CodeDone = {
  state: "done",
  predecessor: "1.0.0",
  archive: [],
  chains: [],
  added: [],
  install: [],
  hosts: [],
  binaries: [],
  mismatches: [],
  unimported: [],
  unread: [],
  shrinkwrap: [],
};
const CHAIN = { id: "secrets-out", key: "ssh", path: "index.js", line: 3, code: "x", install: false, entry: true } as const;
const LIMIT = { path: "a.js", kind: "limit", reason: "nested too deeply", install: false, entry: false } as const;

/** `seenAfter`: how old it was when this gate first saw it. */
function ask(check: Check, code: CodeFacts | undefined, rest: object = {}, seenAfter = 0, more: Partial<SignalInput> = {}) {
  const facts = { code, start: START, firstSeen: instant(START + seenAfter), ...rest } as Facts;
  return check({ facts, now: instant(START + seenAfter), ...more } as SignalInput);
}

const FINDINGS: readonly (readonly [check: Check, code: CodeDone, effect: string])[] = [
  [capabilityAdded, { ...NOTHING, chains: [CHAIN] }, "review"],
  [capabilityAdded, { ...NOTHING, install: [{ id: "network", where: [{ path: "setup.js", line: 1 }] }] }, "review"],
  [manifestMismatch, { ...NOTHING, mismatches: ["version: other"] }, "review"],
  [archiveMalformed, { ...NOTHING, archive: [{ problem: "a path leads upwards", path: "../x" }] }, "review"],
  [analysisIncomplete, { ...NOTHING, unread: [LIMIT] }, "hold"],
];

test.each(FINDINGS)("%o holds while the version is young at first sight, and is a note later", (check, code, effect) => {
  expect(ask(check, code)?.effect.kind).toBe(effect);
  expect(ask(check, code, {}, 91 * DAY)?.effect.kind).toBe("note");
  expect(ask(check, NOTHING)).toBeUndefined();
  expect(ask(check, undefined)).toBeUndefined();
});

test("single new capabilities are a note that names file and line", () => {
  const code = { ...NOTHING, added: [{ id: "network", where: [{ path: "lib/a.js", line: 7, code: "fetch(url)" }] }] } as CodeDone;
  expect(ask(capabilityAdded, code)).toEqual({
    id: "capability-added",
    effect: { kind: "note" },
    title: "its code talks to the network, 1.0.0 did not",
    evidence: [{ text: "talks to the network: fetch(url)", source: "lib/a.js:7" }],
  });
});

test("two new capabilities at once are held where one of them is seldom any use to a library", () => {
  const where = [{ path: "lib/a.js", line: 7, code: "x" }];
  const effectOf = (...ids: readonly string[]) =>
    ask(capabilityAdded, { ...NOTHING, added: ids.map((id) => ({ id, where })) } as unknown as CodeDone)?.effect.kind;
  expect(effectOf("wallet", "network")).toBe("review");
  expect(effectOf("agent-abuse", "process")).toBe("review");
  // How to open a browser, and a hint to edit a shell's profile.
  expect(effectOf("alien-runtime", "process")).toBe("note");
  expect(effectOf("persistence", "process")).toBe("note");
  expect(effectOf("self-delete", "destructive")).toBe("review");
  expect(effectOf("network", "process", "decoder")).toBe("note");
  expect(effectOf("wallet", "filesystem-outside")).toBe("note");
  expect(effectOf("credentials")).toBe("note");
});

test("a shrinkwrap that leads elsewhere is held at any age; npm's own host is not elsewhere", () => {
  const code = { ...NOTHING, shrinkwrap: [{ host: "mirror.test", line: 4 }, { host: NPM_REGISTRY_HOST }] };
  const signal = ask(shrinkwrapForeign, code, {}, 900 * DAY);
  expect(signal).toMatchObject({ effect: { kind: "review" }, evidence: [{ source: "npm-shrinkwrap.json:4" }] });
  expect(ask(shrinkwrapForeign, { ...NOTHING, shrinkwrap: [{ host: NPM_REGISTRY_HOST }] })).toBeUndefined();
  const own = { ...NOTHING, shrinkwrap: [{ host: "npm.acme.test:8443" }] };
  expect(ask(shrinkwrapForeign, own, {}, 0, { ownHosts: ["npm.acme.test:8443"] })).toBeUndefined();
  expect(ask(shrinkwrapForeign, own, {}, 0, { ownHosts: ["npm.acme.test"] })).toMatchObject({ effect: { kind: "review" } });
});

test("an unimported dependency needs an age, and a young one", () => {
  const code = { ...NOTHING, unimported: ["ghost", "alias"] };
  const release = (known?: object, name = "ghost") => ({
    release: {
      own: { dependencies: { ghost: "^1", alias: "npm:target@^1" } },
      newDependencies: [{ name, spec: "^1", optional: false, ...(known && { known }) }],
    },
  });
  const before = (days: number) => instant(START - days * DAY);
  expect(ask(dependencyUnimported, code, release({ since: before(1) }))?.effect).toEqual({ kind: "review" });
  expect(ask(dependencyUnimported, code, release({ since: before(1) }, "target"))?.effect).toEqual({ kind: "review" });
  expect(ask(dependencyUnimported, code, release({ since: before(900), matching: before(2) }))?.effect).toEqual({ kind: "review" });
  expect(ask(dependencyUnimported, code, release({ since: before(900), matching: before(20) }))).toBeUndefined();
  expect(ask(dependencyUnimported, code, release({ since: before(1) }, "imported"))).toBeUndefined();
  expect(ask(dependencyUnimported, code, release())).toBeUndefined();
  expect(ask(dependencyUnimported, code)).toBeUndefined();
});

test("files no parser reads matter when the package's own code could be read before", () => {
  const syntax = { ...LIMIT, kind: "syntax" } as const;
  const effect = (code: CodeDone) => ask(analysisIncomplete, code)?.effect;
  expect(effect({ ...NOTHING, unread: [syntax] })).toEqual({ kind: "note" });
  expect(effect({ ...NOTHING, unread: [{ ...syntax, entry: true }] })).toEqual({ kind: "hold", until: START + 7 * DAY });
  const { predecessor: _, ...first } = NOTHING;
  expect(effect({ ...first, unread: [{ ...syntax, entry: true }] })).toEqual({ kind: "note" });
});

test("a tarball nobody could look at is a check that could not run", () => {
  expect(() => ask(analysisIncomplete, { state: "pending" })).toThrow("not been looked at");
  expect(() => ask(analysisIncomplete, { state: "unreadable", reason: "gone" })).toThrow("gone");
  for (const [check] of FINDINGS.slice(0, 4)) expect(ask(check, { state: "pending" })).toBeUndefined();
});
