/** Where values come from, which level wins, and that cordon.yaml, its schema and its template are one thing. */
import { expect, test } from "vitest";
import { time } from "../../../test/kit/packages.ts";
import { Fault } from "../base/fault.ts";
import { DAY, MINUTE } from "../base/time.ts";
import { NOTHING } from "../policy/combine.ts";
import { checkDocument, policySchema, readDocument } from "../policy/document.ts";
import { nearest } from "./nearest.ts";
import { type Layer, type SettingSources, SETTING_PATHS, resolveSettings, settingOf } from "./settings.ts";
import { policyTemplate } from "./template.ts";
import { KINDS } from "./values.ts";

const NOW = time("2026-04-01T00:00:00Z");

function machine(text: string): Layer {
  return readDocument({ text, source: "/etc/cordon.yaml", level: "machine", now: NOW });
}

function project(text: string): Layer {
  return readDocument({ text, source: "cordon.yaml", level: "project", now: NOW });
}

function resolve(sources: Omit<SettingSources, "now">) {
  return resolveSettings({ ...sources, now: NOW });
}

function problems(text: string, level: "machine" | "project" = "machine"): readonly string[] {
  return checkDocument({ text, source: "cordon.yaml", level, now: NOW }).problems.map(
    ({ code, line, message }) => `${code} ${line ?? "-"} ${message}`,
  );
}

test("without any word from anyone: balanced, enforced, three days, loopback", () => {
  const { settings, policy, origins, warnings } = resolve({});
  expect(settings).toEqual({
    upstream: { scopes: {}, freshness: 5 * MINUTE, redirects: [] },
    listen: "127.0.0.1:4870",
    publicUrls: [],
    behindProxy: false,
    log: { level: "info" },
    lockfileUrls: "public",
    fetchAhead: true,
    inspectAhead: true,
    feeds: [],
    trust: {},
    notify: [],
    check: { failOn: "medium", require: [], hosts: [], exceptions: [] },
  });
  expect(policy).toMatchObject({ preset: "balanced", mode: { kind: "enforce" }, hold: 3 * DAY, allow: [], private: [] });
  expect(origins.every(({ from }) => from === "default")).toBe(true);
  expect(warnings).toEqual([]);
});

test("flag before environment before project before machine before default, each with its origin", () => {
  const sources = {
    machine: machine("log: { level: error }\nlockfileUrls: self\nfetchAhead: false\nlisten: 0.0.0.0:80\ndata: /srv/cordon"),
    project: project("log: { level: warn }\nlockfileUrls: public"),
    env: { CORDON_LOG_LEVEL: "debug", CORDON_LISTEN: "", CORDON_DATA: "/tmp/env" },
    flags: { data: "/tmp/flag" },
  };
  const { settings, origins } = resolve(sources);
  expect(settings).toMatchObject({
    log: { level: "debug" },
    lockfileUrls: "public",
    fetchAhead: false,
    inspectAhead: true,
    listen: "0.0.0.0:80",
    data: "/tmp/flag",
  });
  const from = Object.fromEntries(
    origins.map(({ path, from: level, where, value }) => [path, `${value} (${level}${where === undefined ? "" : ` ${where}`})`]),
  );
  expect(from).toMatchObject({
    data: "/tmp/flag (flag --data)",
    "log.level": "debug (environment CORDON_LOG_LEVEL)",
    lockfileUrls: "public (project cordon.yaml)",
    fetchAhead: "false (machine /etc/cordon.yaml)",
    "upstream.freshness": "5m (default)",
    "upstream.url": "none (default)",
  });
});

test("policy: the machine may loosen the defaults, everything else only tightens", () => {
  const machineDay = machine("policy: { hold: 1d }");
  const hold = (sources: Omit<SettingSources, "now">) => {
    const { policy, origins } = resolve(sources);
    return `${policy.hold / DAY}d ${origins.find(({ path }) => path === "policy.hold")!.from}`;
  };
  expect(hold({ machine: machineDay })).toBe("1d machine");
  expect(hold({ machine: machineDay, project: project("policy: { hold: 12h }") })).toBe("1d machine");
  expect(hold({ machine: machineDay, project: project("policy: { hold: 7d }"), flags: { hold: "5d" } })).toBe("7d project");
  expect(hold({ project: project("policy: { hold: 1d }"), env: { CORDON_HOLD: "2d" } })).toBe("3d default");
  expect(hold({ env: { CORDON_HOLD: "4d" }, flags: { hold: "5d" } })).toBe("5d flag");
  expect(resolve({ machine: machine("policy: { preset: strict }"), flags: { preset: "balanced" } }).policy.preset).toBe("strict");
});

test("lists of allowed names narrow, lists of private names grow", () => {
  const allow = (ours: string, theirs: string) =>
    resolve({ machine: machine(`policy: ${ours}`), project: project(`policy: ${theirs}`) }).policy.allow;
  expect(allow('{ allow: ["@acme/*", react] }', '{ allow: ["@acme/ui-*", react, vue] }')).toEqual(["@acme/ui-*", "react"]);
  expect(allow("{ allow: [react] }", '{ allow: ["re*"] }')).toEqual(["react"]);
  expect(allow("{ allow: [react] }", "{ allow: [] }")).toEqual(["react"]);
  expect(allow("{}", "{ allow: [react] }")).toEqual(["react"]);
  // Nothing in common allows nothing; an empty list would allow everything.
  expect(allow("{ allow: [react] }", "{ allow: [vue] }")).toEqual([NOTHING]);
  expect(allow("{ preset: strict }", "{ allow: [vue] }")).toEqual([NOTHING]);
  const { policy } = resolve({ machine: machine('policy: { private: ["@acme/*"] }'), project: project("policy: { private: [acme-x] }") });
  expect(policy.private).toEqual(["@acme/*", "acme-x"]);
});

const digest = (text: string) => resolve({ machine: machine(text) }).policy.digest;

test("the digest follows what the policy says, not how it was written", () => {
  expect(digest("policy: { hold: 72h, allow: [b, a] }")).toBe(digest("policy:\n  allow:\n    - a\n    - b\n  hold: 3d"));
  expect(digest("policy: { hold: 4d }")).not.toBe(digest(""));
});

test("monitor mode and a baseline have an owner and a date; an expired mode is read", () => {
  const { policy } = resolve({
    machine: machine(
      "policy: { mode: { monitor: { owner: mara, expires: 2026-04-08 } }, baseline: { accept: { owner: mara, date: 2026-03-01 } } }",
    ),
  });
  expect(policy.mode).toEqual({ kind: "monitor", owner: "mara", expires: time("2026-04-08T00:00:00Z") });
  expect(policy.baseline).toEqual({ owner: "mara", accepted: time("2026-03-01T00:00:00Z") });
  expect(problems("policy: { mode: { monitor: { owner: mara, expires: 2025-04-08 } } }")).toEqual([]);
  expect(problems("policy: { mode: { monitor: { owner: mara, expires: 2026-12-31 } } }")).toHaveLength(1);
  expect(problems("policy: { mode: monitor }")[0]).toContain("write enforce, or { monitor: { owner, expires } }");
});

test.each([
  ["polcy: { hold: 3d }", "CONFIG_UNKNOWN_KEY 1 unknown key polcy; did you mean policy?"],
  ["policy:\n  preset: strict\n  hodl: 3d", "CONFIG_UNKNOWN_KEY 3 unknown key policy.hodl; did you mean policy.hold?"],
  ["policy: { mode: { monitor: { owner: a, expires: 2026-05-01, by: b } } }", "CONFIG_UNKNOWN_KEY 1 unknown key policy.mode.monitor.by"],
  ["zebra: 1", "CONFIG_UNKNOWN_KEY 1 unknown key zebra"],
  ["__proto__: { hold: 3d }", "CONFIG_UNKNOWN_KEY 1 unknown key __proto__"],
  ["policy:\n  hold: 3", "CONFIG_INVALID 2 policy.hold: write a duration with its unit, such as 90s, 30m, 72h or 3d, at most 365d, not 3"],
  [
    "policy: { hold: 400d }",
    'CONFIG_INVALID 1 policy.hold: write a duration with its unit, such as 90s, 30m, 72h or 3d, at most 365d, not "400d"',
  ],
  ["policy: 3", "CONFIG_INVALID 1 policy is not a map"],
  ["- 1", "CONFIG_INVALID 1 the document is not a map"],
  ["behindProxy: yes", 'CONFIG_INVALID 1 behindProxy: write true or false, not "yes"'],
  [
    "upstream: { url: https://u:hunter2@x.test/ }",
    'CONFIG_INVALID 1 upstream.url: write an http(s) URL without credentials, not "https://[secret]@x.test/"',
  ],
  ["upstream: { url: ftp://x.test/ }", 'CONFIG_INVALID 1 upstream.url: write an http(s) URL without credentials, not "ftp://x.test/"'],
  ["listen: 4870", "CONFIG_INVALID 1 listen: write HOST:PORT, such as 127.0.0.1:4870, not 4870"],
  ["a: &x 1\nb: *x", "CONFIG_INVALID - not YAML that can be read: Alias resolution is disabled"],
  ["policy: !!js 3", "CONFIG_INVALID 1 Unresolved tag: tag:yaml.org,2002:js"],
  ["policy: { hold: 3d }\npolicy: { hold: 0s }", "CONFIG_INVALID 2 Map keys must be unique"],
])("refused: %s", (text, expected) => expect(problems(text)).toEqual([expected]));

test("deep and large documents are refused, not fallen over", () => {
  expect(problems("[".repeat(50_000))[0]).toContain("CONFIG_INVALID");
  expect(problems(`# ${"x".repeat(1_000_001)}`)).toEqual(["INPUT_TOO_LARGE - larger than 1000000 bytes"]);
});

test.each([
  "upstream: { url: https://x.test/ }",
  "data: x",
  "feeds: []",
  "notify: []",
  "policy: { mode: enforce }",
  "mode: enforce",
  "listen: 0.0.0.0:1",
  "waivers: []",
  "policy: { waivers: [] }",
  "policy: { baseline: { accept: { owner: a, date: 2026-01-01 } } }",
  "tls: { cert: a }",
])("a project may not say: %s", (text) => {
  const [found, ...others] = problems(text, "project");
  expect(found).toMatch(/^PROJECT_LOOSENS 1 a project's cordon.yaml may not set /);
  expect(others).toEqual([]);
  expect(() => readDocument({ text, source: "repo/cordon.yaml", level: "project", now: NOW })).toThrow(
    expect.objectContaining({ code: "PROJECT_LOOSENS", message: expect.stringContaining("repo/cordon.yaml:1: ") }),
  );
});

test("scopes: a URL each, private when said", () => {
  const { settings } = resolve({
    machine: machine(
      'upstream: { scopes: { "@acme": { url: "https://npm.acme.test/api/npm", private: true }, "@other": { url: "http://o.test" } } }',
    ),
  });
  expect(settings.upstream.scopes).toEqual({
    "@acme": { url: "https://npm.acme.test/api/npm/", private: true },
    "@other": { url: "http://o.test/", private: false },
  });
  expect(problems("upstream: { scopes: { acme: { url: https://x.test } } }")).toHaveLength(1);
});

test("bad flags and variables are named", () => {
  expect(() => resolve({ flags: { hold: "3" } })).toThrow(
    expect.objectContaining({ code: "USAGE", message: expect.stringMatching(/^--hold: write a duration/) }),
  );
  expect(() => resolve({ env: { CORDON_LISTEN: "x" } })).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringMatching(/^CORDON_LISTEN: /) }),
  );
  expect(() => resolve({ env: { CORDON_TLS_CERT: "x" } })).toThrow(new Fault("CONFIG_INVALID", "tls.key is missing: TLS needs both"));
  expect(resolve({ env: { CORDON_HLOD: "9d", CORDON_CONFIG: "x", CORDON_SOMETHING_ELSE: "y" } }).warnings).toEqual([
    "CORDON_HLOD is not a setting; did you mean CORDON_HOLD?",
  ]);
  expect(
    resolve({ env: { CORDON_PUBLIC_URLS: "https://a.test, https://b.test/npm", CORDON_FETCH_AHEAD: "false" } }).settings,
  ).toMatchObject({
    publicUrls: ["https://a.test/", "https://b.test/npm/"],
    fetchAhead: false,
    inspectAhead: true,
  });
});

test("the template is a valid file as it stands, and with any line set", () => {
  const template = policyTemplate("./cordon.schema.json");
  expect(template).toMatch(/^# yaml-language-server: \$schema=\.\/cordon\.schema\.json\n/);
  expect(problems(template)).toEqual([]);
  const everything = template.replace(/^#( *[A-Za-z]+:)/gm, "$1");
  expect(problems(everything)).toEqual([]);
  const { layer } = checkDocument({ text: everything, source: "x", level: "machine", now: NOW });
  expect([...layer.values.keys()]).toEqual(SETTING_PATHS);
});

test("the schema describes every setting, and allows nothing else", () => {
  const schema = policySchema();
  for (const path of SETTING_PATHS) {
    let node: { properties?: Record<string, unknown>; additionalProperties?: unknown; description?: string } = schema;
    for (const key of path.split(".")) {
      expect(node.additionalProperties).toBe(false);
      node = node.properties![key] as typeof node;
    }
    expect(node.description, path).toBe(settingOf(path).doc);
  }
});

test("a value is shown as it would be written", () => {
  const { origins } = resolve({
    machine: machine(
      "upstream: { freshness: 90s, redirects: [cdn.test] }\npolicy: { hold: 36h, mode: { monitor: { owner: mara, expires: 2026-04-08 } } }",
    ),
  });
  const value = (path: string) => origins.find((origin) => origin.path === path)!.value;
  expect([
    value("upstream.freshness"),
    value("upstream.redirects"),
    value("policy.hold"),
    value("policy.mode"),
    value("policy.allow"),
  ]).toEqual(["90s", "cdn.test", "36h", "monitor, by mara, until 2026-04-08T00:00:00.000Z", "[]"]);
});

test("the nearest word is near", () => {
  expect(nearest("hodl", ["hold", "mode"])).toBe("hold");
  expect(nearest("lockfileUrl", ["lockfileUrls", "listen"])).toBe("lockfileUrls");
  expect(nearest("zebra", ["hold", "mode", "policy"])).toBeUndefined();
});

test("a feed is an https address or a path; its kind says what its records claim, and nothing stands in it that is not known", () => {
  const read = (...feeds: unknown[]) => {
    const result = KINDS.feeds.read(feeds, NOW);
    return "value" in result ? result.value : undefined;
  };
  expect(
    read({ name: "osv", url: "https://feeds.example.test/all.zip" }, { name: "own", path: "denied.yaml", kind: "list", maxAge: "7d" }),
  ).toEqual([
    { name: "osv", url: "https://feeds.example.test/all.zip", kind: "osv", claims: "vulnerability", maxAge: DAY },
    { name: "own", path: "denied.yaml", kind: "list", claims: "malware", maxAge: 7 * DAY },
  ]);
  expect(read({ name: "near", url: "http://127.0.0.1:8080/x.ndjson" })).toHaveLength(1);
  const wrong: object[] = [
    { name: "a" },
    { name: "a", url: "https://x.test/", path: "y" },
    { name: "a", url: "http://x.test/" },
    { name: "a", url: "https://user:secret@x.test/" },
    { name: "a/b", path: "y" },
    { name: "a", path: "y", kind: "other" },
    { name: "a", path: "y", maxAge: "24" },
    { name: "a", path: "y", extra: true },
  ];
  for (const one of wrong) expect(read(one), JSON.stringify(one)).toBeUndefined();
  expect(read({ name: "a", path: "y" }, { name: "a", path: "z" })).toBeUndefined();
});

test("check: a project lowers failOn and adds to require, and sets neither hosts nor exceptions; strict wants feeds and ages", () => {
  const check = (sources: Omit<SettingSources, "now">) => resolve(sources).settings.check;
  expect(check({})).toEqual({ failOn: "medium", require: [], hosts: [], exceptions: [] });
  const ours = machine("check: { failOn: high, require: [age] }");
  expect(check({ machine: ours }).failOn).toBe("high");
  expect(check({ machine: ours, project: project("check: { failOn: critical }") }).failOn).toBe("high");
  expect(check({ machine: ours, project: project("check: { failOn: low, require: [manifest] }") })).toMatchObject({
    failOn: "low",
    require: ["manifest", "age"],
  });
  expect(check({ project: project("policy: { preset: strict }") }).require).toEqual(["advisories", "age"]);
  expect(
    resolve({ machine: ours, env: { CORDON_CHECK_FAIL_ON: "low" } }).origins.find(({ path }) => path === "check.failOn"),
  ).toMatchObject({
    value: "low",
    from: "environment",
  });
  for (const text of ["check: { hosts: [cdn.example.test] }", "check: { exceptions: [] }"])
    expect(() => project(text)).toThrow(/may not set check/);
});

test("exceptions to findings: owned, at most a year long, never for malware; one that has run out is read", () => {
  const read = (text: string) => resolve({ machine: machine(`check: { exceptions: [${text}] }`) }).settings.check.exceptions;
  const owned = "owner: mara, reason: only in tests";
  expect(read(`{ advisory: GHSA-x, package: left-pad, path: "a>left-pad", ${owned}, expires: 2026-06-01 }`)).toEqual([
    {
      advisory: "GHSA-x",
      package: "left-pad",
      path: "a>left-pad",
      owner: "mara",
      reason: "only in tests",
      expires: time("2026-06-01T00:00:00Z"),
    },
  ]);
  expect(read(`{ rule: git-dependency, ${owned}, expires: 2020-01-01 }`)).toHaveLength(1);
  for (const wrong of [
    `{ rule: malware-report, ${owned}, expires: 2026-06-01 }`,
    `{ rule: no-such-rule, ${owned}, expires: 2026-06-01 }`,
    `{ package: left-pad, ${owned}, expires: 2026-06-01 }`,
    "{ rule: git-dependency, reason: x, expires: 2026-06-01 }",
    `{ rule: git-dependency, ${owned} }`,
    `{ rule: git-dependency, ${owned}, expires: 2036-06-01 }`,
  ])
    expect(() => read(wrong)).toThrow(/exceptions/);
});

test("every key of a feed that is documented may be written, and trust has its mirror", () => {
  const text = [
    "feeds:",
    '  - { name: osv, url: "https://feeds.example.test/all.zip", kind: osv, claims: malware, maxAge: 7d, refresh: 1h }',
    "trust: { mirror: off }",
  ].join("\n");
  const { values } = machine(text);
  expect(values.get("feeds")).toMatchObject([{ name: "osv", claims: "malware", refresh: 60 * MINUTE }]);
  expect(values.get("trust.mirror")).toBe("off");
  expect(() => project('trust: { mirror: "https://tuf.example.test/" }')).toThrow(/may not set trust\.mirror/);
});
