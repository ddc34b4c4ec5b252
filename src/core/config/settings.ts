/**
 * Every setting, in one table: where it may be written, what it means, and who may say it. The schema for editors, the template
 * of `cordon policy init` and the reference page are made from these rows. Reading cordon.yaml itself is `document.ts`.
 */
import { Fault } from "../base/fault.ts";
import type { Instant } from "../base/time.ts";
import type { Policy } from "../policy/policy.ts";
import { type PolicyKey, type PolicyLayer, combinePolicies, layerOf } from "../policy/combine.ts";
import { type CheckKey, type CheckLayer, type CheckSettings, combineChecks } from "./check-settings.ts";
import { nearest } from "./nearest.ts";
import { type Kind, KINDS, type Read } from "./values.ts";

export type Setting = {
  readonly kind: Kind;
  /** Environment variable and flag that set it too. */
  readonly env?: string;
  readonly flag?: string;
  /** Operational keys follow precedence; of policy keys the strictest level wins. */
  readonly level: "operational" | "policy";
  /** What a project's own cordon.yaml may do with it. */
  readonly projectMay: "set" | "tighten" | "never";
  /** As it would be written; absent = no value. */
  readonly fallback?: string;
  /** YAML for the template, where the fallback does not serve as one. */
  readonly example?: string;
  readonly doc: string;
};

/** Keyed by the dotted path in cordon.yaml. */
export const SETTINGS = {
  "upstream.url": {
    kind: "url",
    env: "CORDON_UPSTREAM",
    flag: "upstream",
    level: "operational",
    projectMay: "never",
    example: "https://registry.example.test/",
    doc: "The registry packages come from. Without it: npm's user and global configuration, else npm's own default.",
  },
  "upstream.scopes": {
    kind: "scopes",
    level: "operational",
    projectMay: "never",
    example: '{ "@acme": { url: https://npm.acme.test/, private: true } }',
    doc: "Registries of single scopes. Names of a private one are never asked of another registry, and its word on age is enough.",
  },
  "upstream.freshness": {
    kind: "duration",
    env: "CORDON_FRESHNESS",
    level: "operational",
    projectMay: "never",
    fallback: "5m",
    doc: "How long an upstream answer serves before it is asked for again.",
  },
  "upstream.redirects": {
    kind: "hosts",
    env: "CORDON_REDIRECTS",
    level: "operational",
    projectMay: "never",
    fallback: "[]",
    doc: "Hosts a tarball download may be redirected to. Packuments are never redirected.",
  },
  listen: {
    kind: "listen",
    env: "CORDON_LISTEN",
    flag: "listen",
    level: "operational",
    projectMay: "never",
    fallback: "127.0.0.1:4870",
    doc: "Where the gate listens. Beyond loopback it needs client tokens, and TLS or behindProxy.",
  },
  publicUrls: {
    kind: "urls",
    env: "CORDON_PUBLIC_URLS",
    level: "operational",
    projectMay: "never",
    fallback: "[]",
    doc: "Base URLs clients reach the gate by, beside the address it listens on. A request for another host is refused.",
  },
  behindProxy: {
    kind: "boolean",
    env: "CORDON_BEHIND_PROXY",
    level: "operational",
    projectMay: "never",
    fallback: "false",
    doc: "A reverse proxy stands in front: forwarded headers count, and TLS is its business.",
  },
  "tls.cert": {
    kind: "text",
    env: "CORDON_TLS_CERT",
    level: "operational",
    projectMay: "never",
    example: "/etc/cordon/cert.pem",
    doc: "Certificate chain (PEM file).",
  },
  "tls.key": {
    kind: "text",
    env: "CORDON_TLS_KEY",
    level: "operational",
    projectMay: "never",
    example: "/etc/cordon/key.pem",
    doc: "Private key of the certificate (PEM file).",
  },
  data: {
    kind: "text",
    env: "CORDON_DATA",
    flag: "data",
    level: "operational",
    projectMay: "never",
    example: "/var/lib/cordon",
    doc: "Directory of history, ledger and tarballs. Without it: the user's own data directory.",
  },
  "log.level": {
    kind: "logLevel",
    env: "CORDON_LOG_LEVEL",
    flag: "log-level",
    level: "operational",
    projectMay: "set",
    fallback: "info",
    doc: "How much the gate logs: error, warn, info or debug.",
  },
  lockfileUrls: {
    kind: "lockfileUrls",
    env: "CORDON_LOCKFILE_URLS",
    level: "operational",
    projectMay: "set",
    fallback: "public",
    doc: "Tarball URLs that npm and deno write into lockfiles: public keeps lockfiles portable, self names this gate.",
  },
  fetchAhead: {
    kind: "boolean",
    env: "CORDON_FETCH_AHEAD",
    level: "operational",
    projectMay: "set",
    fallback: "true",
    doc: "Fetch the packuments an answer names before the client asks for them.",
  },
  inspectAhead: {
    kind: "boolean",
    env: "CORDON_INSPECT_AHEAD",
    level: "operational",
    projectMay: "set",
    fallback: "true",
    doc: "Let a gate look at the tarballs of new versions while they wait; otherwise they are looked at when somebody asks.",
  },
  feeds: {
    kind: "feeds",
    level: "operational",
    projectMay: "never",
    fallback: "[]",
    example: "[{ name: osv, url: https://feeds.example.test/npm/all.zip }, { name: own, path: /etc/cordon/denied.yaml, kind: list }]",
    doc: "Where advisories come from: OSV records (zip, folder, NDJSON, JSON) or a list of your own. cordon feeds sync reads them.",
  },
  "trust.mirror": {
    kind: "mirror",
    env: "CORDON_TRUST_MIRROR",
    level: "operational",
    projectMay: "never",
    example: "https://tuf.example.test/",
    doc: "A mirror of Sigstore's TUF repository, from which cordon feeds sync takes newer keys and authorities. Without it: Sigstore's own; off: never.",
  },
  notify: {
    kind: "notify",
    level: "operational",
    projectMay: "never",
    fallback: "[]",
    example:
      "[{ name: chat, url: https://hooks.example.test/T0/B0/secret, format: slack }, { name: log, file: /var/log/cordon-alerts.jsonl }]",
    doc: "Who is told of alerts, once for each event: webhooks (JSON or in Slack's form) and files. cordon notify test tries them.",
  },
  "check.failOn": {
    kind: "severity",
    env: "CORDON_CHECK_FAIL_ON",
    level: "policy",
    projectMay: "tighten",
    fallback: "medium",
    doc: "The least severe finding that fails cordon check: critical, high, medium or low.",
  },
  "check.require": {
    kind: "checks",
    env: "CORDON_CHECK_REQUIRE",
    level: "policy",
    projectMay: "tighten",
    fallback: "[]",
    example: "[advisories, age]",
    doc: "Checks without which cordon check does not count (exit 3): lockfile, manifest, advisories, age, signatures, scripts, recorded-integrity. The preset strict adds advisories and age.",
  },
  "check.hosts": {
    kind: "hosts",
    level: "operational",
    projectMay: "never",
    fallback: "[]",
    example: "[cdn.example.test]",
    doc: "Hosts lockfiles may name besides the registries.",
  },
  "check.exceptions": {
    kind: "exceptions",
    level: "operational",
    projectMay: "never",
    fallback: "[]",
    example:
      '[{ advisory: GHSA-0000-0000-0000, package: left-pad, path: "tool>left-pad", owner: you@example.test, reason: only in tests, expires: 2026-12-31 }]',
    doc: "Findings of cordon check that do not count: of a rule or an advisory, if needed only for a package and where every way to it ends in a path. Never malware.",
  },
  "policy.preset": {
    kind: "preset",
    env: "CORDON_PRESET",
    flag: "preset",
    level: "policy",
    projectMay: "tighten",
    fallback: "balanced",
    doc: "balanced, or strict: then only names in policy.allow are served.",
  },
  "policy.mode": {
    kind: "mode",
    level: "policy",
    projectMay: "never",
    fallback: "enforce",
    example: "{ monitor: { owner: you@example.test, expires: 2026-12-31 } }",
    doc: "enforce, or monitor: everything is explained and only what is denied is withheld, until a day at most 90 days away (00:00 UTC).",
  },
  "policy.hold": {
    kind: "duration",
    env: "CORDON_HOLD",
    flag: "hold",
    level: "policy",
    projectMay: "tighten",
    fallback: "3d",
    doc: "How long a new version waits before it is served.",
  },
  "policy.allow": {
    kind: "names",
    level: "policy",
    projectMay: "tighten",
    fallback: "[]",
    example: '["react", "@acme/*"]',
    doc: "Names that are served; others wait for review. Empty: every name under balanced, none under strict. * stands for anything but a slash.",
  },
  "policy.private": {
    kind: "names",
    level: "policy",
    projectMay: "tighten",
    fallback: "[]",
    example: '["@acme/*", "acme-*"]',
    doc: "Names that are never sent to a public registry.",
  },
  "policy.baseline": {
    kind: "baseline",
    level: "policy",
    projectMay: "never",
    example: "{ accept: { owner: you@example.test, date: 2026-04-01 } }",
    doc: "For an upstream that gives no publish times: what it lists of a package the first time counts as old.",
  },
} as const satisfies Record<string, Setting>;

export type SettingPath = keyof typeof SETTINGS;

export const SETTING_PATHS = Object.keys(SETTINGS) as readonly SettingPath[];

/** The row of a path, with its optional fields. */
export function settingOf(path: SettingPath): Setting {
  return SETTINGS[path];
}

/** One level's values, by path; only what was written. `source` is the file, for messages and origins. */
export type Layer = { readonly source: string; readonly values: ReadonlyMap<SettingPath, unknown> };

export type Settings = {
  readonly upstream: {
    readonly url?: string;
    readonly scopes: Read<"scopes">;
    /** Milliseconds. */
    readonly freshness: number;
    readonly redirects: readonly string[];
  };
  /** `HOST:PORT`. */
  readonly listen: string;
  readonly publicUrls: readonly string[];
  readonly behindProxy: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly data?: string;
  readonly log: { readonly level: Read<"logLevel"> };
  readonly lockfileUrls: Read<"lockfileUrls">;
  readonly fetchAhead: boolean;
  readonly inspectAhead: boolean;
  readonly feeds: Read<"feeds">;
  readonly trust: { readonly mirror?: string };
  readonly notify: Read<"notify">;
  readonly check: CheckSettings;
};

/** Where a value came from; `where` names the flag, the variable or the file. */
export type Origin = {
  readonly path: SettingPath;
  readonly value: string;
  readonly from: "flag" | "environment" | "project" | "machine" | "default";
  readonly where?: string;
};

export type Resolved = {
  readonly settings: Settings;
  readonly policy: Policy;
  /** One for each path, in the order of the table. */
  readonly origins: readonly Origin[];
  /** Variables that look like one of ours and are none. */
  readonly warnings: readonly string[];
};

export type SettingSources = {
  /** By flag name, without dashes. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly project?: Layer;
  readonly machine?: Layer;
  readonly now: Instant;
};

type From = Origin["from"];
type Level = { readonly from: From; readonly values: ReadonlyMap<SettingPath, unknown>; readonly where: (path: SettingPath) => string };

/** Throws Fault USAGE for a bad flag, CONFIG_INVALID for a bad variable or a half-given pair. */
export function resolveSettings(sources: SettingSources): Resolved {
  const levels = levelsOf(sources);
  const found = (path: SettingPath) => levels.find((level) => level.values.has(path));
  const value = <K extends Kind>(path: SettingPath, _kind: K) =>
    (found(path)?.values.get(path) ?? fallbackOf(path, sources.now)) as Read<K> | undefined;
  const url = value("upstream.url", "url");
  const data = value("data", "text");
  const mirror = value("trust.mirror", "mirror");
  const tls = tlsOf(value("tls.cert", "text"), value("tls.key", "text"));
  const defaults = defaultsOf(sources.now);
  const machine = levels.find((level) => level.from === "machine");
  const tightening = levels.filter((level) => level.from !== "machine").toReversed();
  const ground = new Map([...defaults, ...(machine?.values ?? [])]);
  const { policy, decidedBy } = combinePolicies(
    policyLayer(ground),
    tightening.map((level) => policyLayer(level.values)),
  );
  const checks = combineChecks(
    policyLayer(ground),
    tightening.map((level) => policyLayer(level.values)),
    policy.preset,
  );
  const settings: Settings = {
    upstream: {
      ...(url === undefined ? {} : { url }),
      scopes: value("upstream.scopes", "scopes") ?? {},
      freshness: value("upstream.freshness", "duration")!,
      redirects: value("upstream.redirects", "hosts")!,
    },
    listen: value("listen", "listen")!,
    publicUrls: value("publicUrls", "urls")!,
    behindProxy: value("behindProxy", "boolean")!,
    ...(tls === undefined ? {} : { tls }),
    ...(data === undefined ? {} : { data }),
    log: { level: value("log.level", "logLevel")! },
    lockfileUrls: value("lockfileUrls", "lockfileUrls")!,
    fetchAhead: value("fetchAhead", "boolean")!,
    inspectAhead: value("inspectAhead", "boolean")!,
    feeds: value("feeds", "feeds")!,
    trust: mirror === undefined ? {} : { mirror },
    notify: value("notify", "notify")!,
    check: {
      failOn: checks.failOn,
      require: checks.require,
      hosts: value("check.hosts", "hosts")!,
      exceptions: value("check.exceptions", "exceptions")!,
    },
  };
  const effective = new Map<string, unknown>(Object.entries(layerOf(policy)));
  effective.set("check.failOn", checks.failOn).set("check.require", checks.require);
  const decisions: Readonly<Partial<Record<PolicyKey | CheckKey, number>>> = { ...decidedBy, ...checks.decidedBy };
  const origins = SETTING_PATHS.map((path): Origin => {
    const decided = settingOf(path).level === "policy" ? decisions[path as PolicyKey | CheckKey] : undefined;
    const base = settingOf(path).level === "policy" ? (machine?.values.has(path) ? machine : undefined) : found(path);
    const level = decided === undefined ? base : tightening[decided];
    const shown = effective.get(path) ?? level?.values.get(path) ?? defaults.get(path);
    return {
      path,
      value: show(settingOf(path).kind, shown),
      from: level?.from ?? "default",
      ...(level ? { where: level.where(path) } : {}),
    };
  });
  return { settings, policy, origins, warnings: strangers(sources.env ?? {}) };
}

/** Strongest first. */
function levelsOf({ flags = {}, env = {}, project, machine, now }: SettingSources): readonly Level[] {
  const texts = (from: From, textOf: (row: Setting) => string | undefined, nameOf: (row: Setting) => string): Level => {
    const values = new Map<SettingPath, unknown>();
    for (const path of SETTING_PATHS) {
      const row = settingOf(path);
      const text = textOf(row);
      if (text === undefined || text === "") continue;
      const read = KINDS[row.kind].read(text, now);
      if ("problem" in read) throw new Fault(from === "flag" ? "USAGE" : "CONFIG_INVALID", `${nameOf(row)}: ${read.problem}`);
      values.set(path, read.value);
    }
    return { from, values, where: (path) => nameOf(settingOf(path)) };
  };
  return [
    texts(
      "flag",
      (row) => (row.flag === undefined ? undefined : flags[row.flag]),
      (row) => `--${row.flag}`,
    ),
    texts(
      "environment",
      (row) => (row.env === undefined ? undefined : env[row.env]),
      (row) => row.env ?? "",
    ),
    ...(project ? [{ from: "project" as const, values: project.values, where: () => project.source }] : []),
    ...(machine ? [{ from: "machine" as const, values: machine.values, where: () => machine.source }] : []),
  ];
}

function fallbackOf(path: SettingPath, now: Instant): unknown {
  const { kind, fallback } = settingOf(path);
  if (fallback === undefined) return undefined;
  const read = KINDS[kind].read(fallback === "[]" ? [] : fallback, now);
  if ("problem" in read) throw new Error(`the default of ${path} cannot be read: ${read.problem}`);
  return read.value;
}

function defaultsOf(now: Instant): ReadonlyMap<SettingPath, unknown> {
  return new Map(
    SETTING_PATHS.flatMap((path) => {
      const value = fallbackOf(path, now);
      return value === undefined ? [] : [[path, value] as const];
    }),
  );
}

function policyLayer(values: ReadonlyMap<SettingPath, unknown>): PolicyLayer & CheckLayer {
  return Object.fromEntries([...values].filter(([path]) => settingOf(path).level === "policy")) as PolicyLayer & CheckLayer;
}

function tlsOf(cert: string | undefined, key: string | undefined): Settings["tls"] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new Fault("CONFIG_INVALID", `tls.${cert === undefined ? "cert" : "key"} is missing: TLS needs both`);
  return { cert, key };
}

/** As somebody would write it. */
function show(kind: Kind, value: unknown): string {
  return value === undefined ? "none" : KINDS[kind].show(value);
}

/** A misspelt variable would silently do nothing. Variables that are near none of ours are somebody else's. */
function strangers(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set(["CORDON_CONFIG", ...SETTING_PATHS.flatMap((path) => settingOf(path).env ?? [])]);
  return Object.keys(env)
    .filter((name) => name.startsWith("CORDON_") && !known.has(name))
    .flatMap((name) => {
      const meant = nearest(name, known);
      return meant === undefined ? [] : [`${name} is not a setting; did you mean ${meant}?`];
    });
}
