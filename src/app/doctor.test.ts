/** What the doctor concludes from what clients did and what the gate saw; the clients themselves are tried in test/clients. */
import { expect, test } from "vitest";
import { type Instant, instant, iso } from "../core/base/time.ts";
import type { ClientId } from "../core/client/client.ts";
import type { SettingsFile } from "../core/client/findings.ts";
import type { GateDecision, GateLook } from "../core/client/gate-look.ts";
import { canaryName } from "./canary.ts";
import { doctor, judge } from "./doctor.ts";
import type { DoctorHost, DoctorRequest, LockfileBytes, Looker, Program } from "./doctor-host.ts";
import type { TrialEnd } from "../core/client/trial.ts";

const NONCE = "0123456789abcdef";
const GATE = "http://gate.test:4870/";
const NOW = instant(Date.UTC(2026, 3, 1));

const ended = (how: Partial<TrialEnd> = {}): TrialEnd => ({ status: 1, timedOut: false, output: "", arrived: false, ...how });
const refused: GateDecision = { kind: "refused", name: canaryName("refused", NONCE), client: "npm/11.19.1", project: "site" };
const served: GateDecision = { kind: "served", name: canaryName("control", NONCE), client: "npm/11.19.1" };

test.each([
  ["refused and served", { seen: [refused, served], control: ended({ status: 0, arrived: true }) }, "active"],
  [
    "an earlier doctor's canary",
    { seen: [{ ...refused, name: canaryName("refused", "ffffffffffffffff") }], control: ended({ output: NONCE }) },
    "not-active",
  ],
  [
    "asked somebody else",
    { seen: [], control: ended({ output: `npm error 404 @cordon-doctor/control-${NONCE} is not in this registry` }) },
    "not-active",
  ],
  ["nobody could be reached", { seen: [], control: ended({ output: "Error: connect ECONNREFUSED 127.0.0.1:9" }) }, "not-active"],
  [
    "died of something else",
    { seen: [], control: ended({ output: "ERR_PNPM_UNSUPPORTED_ENGINE Your Node version is incompatible" }) },
    "cannot-tell",
  ],
  ["could not be started", { seen: [], control: ended({ failure: "EACCES", status: undefined }) }, "cannot-tell"],
  ["did not end", { seen: [], control: ended({ timedOut: true, status: undefined }) }, "cannot-tell"],
  ["the control did not arrive", { seen: [refused], control: ended({ output: "error: no space left" }) }, "cannot-tell"],
  ["the control was served and not installed", { seen: [refused, served], control: ended() }, "cannot-tell"],
  ["the canary never came by", { seen: [served], control: ended({ status: 0, arrived: true }) }, "cannot-tell"],
  ["the control came from elsewhere", { seen: [], control: ended({ status: 0, arrived: true }) }, "not-active"],
  [
    "the canary was installed",
    { seen: [refused, served], control: ended({ status: 0, arrived: true }), canary: ended({ status: 0, arrived: true }) },
    "not-active",
  ],
] as const)("%s", (_what, facts, verdict) => {
  expect(judge({ nonce: NONCE, canary: ended(), ...facts })).toMatchObject({ verdict });
});

test("what a client printed is told without secrets and control characters", () => {
  const output = `\u001b[31mnpm error\u001b[0m 404 https://user:hunter2@other.test/@cordon-doctor%2fcontrol-${NONCE}`;
  expect(judge({ nonce: NONCE, seen: [], control: ended({ output }), canary: ended() }).evidence).toEqual([
    `it said: npm error 404 https://[secret]@other.test/@cordon-doctor%2fcontrol-${NONCE}`,
  ]);
});

type Stage = {
  readonly settings?: readonly SettingsFile[];
  readonly env?: Record<string, string>;
  readonly looks?: Record<string, GateLook>;
  readonly lockfiles?: readonly LockfileBytes[];
  readonly warm?: readonly string[];
  readonly program?: Program | { readonly missing: string };
  readonly seen?: readonly GateDecision[] | { readonly why: string };
  readonly time?: boolean;
  readonly upstreamClock?: Instant;
};

const answering = (health: Record<string, unknown> = {}): GateLook => ({
  kind: "gate",
  asked: NOW,
  entry: { kind: "open" },
  health: { cordon: "0.1.0", instance: "i", now: NOW, policy: "balanced", mode: "enforce", upstream: "https://npm.test/", ...health },
});
const npmrc = (text: string): SettingsFile => ({ path: ".npmrc", text, level: "project" });
const POINTED = npmrc(`registry=${GATE}p/site/npm/\n`);
const NPM: Program = { client: "npm", binary: "/usr/bin/npm", version: "11.19.1", major: 11 };

async function examined(stage: Stage, request: Partial<DoctorRequest> = {}) {
  const looked: string[] = [];
  const looker: Looker = {
    async look(registry) {
      looked.push(registry);
      const found = Object.entries(stage.looks ?? { [GATE]: answering() }).find(([base]) => registry.startsWith(base));
      return found?.[1] ?? { kind: "other", why: "no cordon gate" };
    },
    decisions: async () => stage.seen ?? [refused, served],
    givesTime: async () => stage.time ?? true,
    clockAt: async () => ({ theirs: stage.upstreamClock ?? NOW, ours: NOW }),
    close: async () => {},
  };
  const host: DoctorHost = {
    env: stage.env ?? {},
    looker: async () => looker,
    settings: async () => stage.settings ?? [POINTED],
    find: async () => stage.program ?? NPM,
    // What the gate did not serve does not arrive.
    tryClient: async ({ dependency }) => {
      const cameBy = stage.seen === undefined;
      return dependency === canaryName("control", NONCE) && cameBy ? ended({ status: 0, arrived: true }) : ended({ output: NONCE });
    },
    lockfiles: async () => stage.lockfiles ?? [],
    dependencies: async () => ["axios"],
    warmCaches: async () => stage.warm ?? [],
    nonce: () => NONCE,
  };
  const report = await doctor(host, { root: "/site", clients: ["npm"], live: undefined, offline: false, ...request });
  return { ...report, looked };
}

const rules = ({ findings }: { findings: readonly { rule: string; severity: string }[] }) =>
  findings.map(({ rule, severity }) => `${severity} ${rule}`);

test("active and nothing round it", async () => {
  expect(await examined({})).toMatchObject({
    exit: 0,
    clients: [{ verdict: "active", version: "11.19.1" }],
    findings: [],
    notChecked: [],
    gate: { where: ".npmrc:1", answers: true },
  });
});

test("not active is 1, whatever else could not be told", async () => {
  const report = await examined(
    { seen: [], env: { npm_config_registry: GATE }, settings: [], program: { ...NPM, client: "pnpm", version: "11.28.11", major: 11 } },
    { clients: ["pnpm"] },
  );
  expect(report).toMatchObject({ exit: 1, clients: [{ client: "pnpm", verdict: "not-active" }] });
  expect(report.clients[0]!.evidence[0]).toBe(
    "npm_config_registry names the gate, and pnpm 11 does not read it; it reads pnpm_config_registry",
  );
});

test("what cannot be told is 3", async () => {
  expect(await examined({ program: { missing: "npm is not on PATH" } })).toMatchObject({
    exit: 3,
    clients: [{ verdict: "cannot-tell", why: "npm is not on PATH" }],
  });
  expect(await examined({ seen: { why: "the gate answered 401" } })).toMatchObject({
    exit: 3,
    clients: [{ verdict: "cannot-tell", why: "the gate does not say who came by: the gate answered 401" }],
  });
  expect(await examined({ lockfiles: [{ client: "npm", name: "package-lock.json", content: Buffer.from("{") }] })).toMatchObject({
    exit: 3,
  });
});

test("which gate: the first setting that leads to one, not the public registry, else the one of this machine", async () => {
  const elsewhere = await examined({
    settings: [npmrc("registry=https://npm.corp.test/\n"), { path: "/home/.npmrc", text: `registry=${GATE}\n`, level: "user" }],
  });
  expect(elsewhere.gate).toMatchObject({ url: GATE, where: "/home/.npmrc:1" });
  expect(elsewhere.looked).toEqual(["https://npm.corp.test/", GATE]);
  const live = await examined({ settings: [] }, { live: GATE });
  expect(live.gate).toMatchObject({ url: GATE, where: "running on this machine" });
});

test("a declared gate that does not answer, and none at all: nothing can be told", async () => {
  const silent = await examined(
    { looks: { [GATE]: { kind: "silent", why: "gate.test refuses connections" } } },
    { live: "http://other.test/" },
  );
  expect(silent).toMatchObject({
    exit: 3,
    gate: { url: GATE, answers: false, why: "gate.test refuses connections" },
    clients: [{ verdict: "cannot-tell" }],
  });
  expect(await examined({ settings: [] })).toMatchObject({ exit: 3, gate: undefined });
});

test("a scope's own registry and hosts kept in the lockfile walk round, proven client or not", async () => {
  const report = await examined({
    settings: [npmrc(`registry=${GATE}p/site/npm/\n@acme:registry=https://acme.test/\nreplace-registry-host=never\n`)],
  });
  expect(rules(report)).toEqual(["bypass scoped-registry", "bypass registry-host-kept"]);
  expect(report).toMatchObject({ exit: 1, clients: [{ verdict: "active" }] });
  const overruled = await examined({
    settings: [npmrc(`registry=${GATE}p/site/npm/\nreplace-registry-host=never\n`)],
    env: { npm_config_replace_registry_host: "npmjs" },
  });
  expect(overruled.findings).toEqual([]);
});

test("a registry line of a file does not count against a client whose trial reached the gate", async () => {
  const settings = [npmrc("registry=https://other.test/\n")];
  expect(rules(await examined({ settings, env: { npm_config_registry: GATE } }))).toEqual([]);
  expect(rules(await examined({ settings, env: { npm_config_registry: GATE }, seen: [] }))).toEqual(["bypass registry"]);
});

const lockfile = (client: ClientId, name: string, text: string): LockfileBytes => ({ client, name, content: Buffer.from(text) });

test("a lockfile's foreign hosts: one finding for each host, with the first line", async () => {
  const entry = (name: string, host: string) =>
    `"${name}@^1.0.0":\n  version "1.0.0"\n  resolved "https://${host}/${name}/-/${name}-1.0.0.tgz#${"a".repeat(40)}"\n\n`;
  const text = `# yarn lockfile v1\n\n\n${entry("a", "cdn.test")}${entry("b", "cdn.test")}${entry("c", "gate.test:4870")}${entry("d", "gate.test:9999")}`;
  const report = await examined({ lockfiles: [lockfile("yarn-classic", "yarn.lock", text)] });
  expect(report.findings).toMatchObject([
    {
      rule: "foreign-source",
      severity: "bypass",
      where: "yarn.lock:4",
      what: "a@1.0.0 and 1 more",
      why: "fetched from cdn.test, not from the gate",
    },
    { where: "yarn.lock:16", what: "d@1.0.0", why: "fetched from gate.test:9999, not from the gate" },
  ]);
  expect(report.exit).toBe(1);
});

test("git dependencies are told and do not fail", async () => {
  const text = JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": {},
      "node_modules/x": {
        version: "1.0.0",
        resolved: `git+ssh://git@github.com/a/x.git#${"a".repeat(40)}`,
        integrity: `sha512-${"A".repeat(86)}==`,
      },
    },
  });
  expect(await examined({ lockfiles: [lockfile("npm", "package-lock.json", text)] })).toMatchObject({
    exit: 0,
    findings: [{ rule: "foreign-source", severity: "note" }],
  });
});

test("a warm cache, monitor mode, an upstream without times and clocks apart are worth knowing", async () => {
  const report = await examined({
    warm: ["/home/.npm/_cacache/content-v2"],
    looks: {
      [GATE]: answering({ mode: "monitor", monitorOwner: "mara", monitorUntil: instant(NOW + 86_400_000), now: instant(NOW + 600_000) }),
    },
    time: false,
    upstreamClock: NOW,
  });
  expect(rules(report)).toEqual([
    "note warm-cache",
    "note monitor-mode",
    "note upstream-without-time",
    "note clock-skew",
    "note clock-skew",
  ]);
  expect(report.findings.map(({ what }) => what)).toEqual([
    "npm's cache is not empty",
    `monitor mode until ${iso(instant(NOW + 86_400_000))}, by mara`,
    "the upstream gives no publish times",
    "the gate's clock is 10 min ahead of this machine's",
    "the gate's clock is 10 min ahead of its upstream's",
  ]);
  expect(report.exit).toBe(0);
});

test("offline, what the upstream would have told is listed as not looked at", async () => {
  expect((await examined({}, { offline: true })).notChecked).toEqual([
    "whether the upstream gives publish times: --offline",
    "the upstream's clock: --offline",
  ]);
});
