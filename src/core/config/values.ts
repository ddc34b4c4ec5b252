/** The kinds of values settings have: how each is read from YAML or from a word on a command line, and how it is shown. */
import { LIMITS } from "../base/limits.ts";
import { present } from "../base/present.ts";
import { redact } from "../base/text.ts";
import { DAY, HOUR, MINUTE, SECOND, type Instant, iso, parseDuration, parseInstant } from "../base/time.ts";
import type { CheckException } from "../check/exceptions.ts";
import { CHECKS, SEVERITIES, type CheckId, type Severity } from "../check/finding.ts";
import { RULES, type RuleId } from "../check/rules.ts";
import type { Policy } from "../policy/policy.ts";

export type Reading<T> = { readonly value: T } | { readonly problem: string };

type ValueKind<T> = {
  /** What to write, for messages. */
  readonly expects: string;
  /** `raw` is what YAML gave, or a text. Never throws. */
  readonly read: (raw: unknown, now: Instant) => Reading<T>;
  readonly show: (value: unknown) => string;
};

export type Scopes = Readonly<Record<string, { readonly url: string; readonly private: boolean }>>;

export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export const LOCKFILE_URLS = ["public", "self"] as const;
export const PRESETS = ["balanced", "strict"] as const;
/** Severities that can fail a run: a note never does. */
export const FAILING: readonly Exclude<Severity, "note">[] = SEVERITIES.filter((severity) => severity !== "note");

/** Where advisories come from: one of `url` and `path`. */
export type FeedConfig = {
  readonly name: string;
  readonly url?: string;
  /** A file or a folder. */
  readonly path?: string;
  /** `osv`: OSV records (zip, folder, NDJSON, JSON). `list`: a list of our own. */
  readonly kind: "osv" | "list";
  /** What a record claims that does not say so itself. */
  readonly claims: "malware" | "vulnerability";
  /** Milliseconds after which it is stale. */
  readonly maxAge: number;
  /** Milliseconds after which a gate that stays reads it again; a quarter of `maxAge` when it is absent. */
  readonly refresh?: number;
};

/** Who is told of alerts: one of `url` and `file`. A URL may hold a secret in its path; only its host is ever shown. */
export type NotifyTarget = {
  readonly name: string;
  readonly url?: string;
  /** One JSON line for each alert is appended. */
  readonly file?: string;
  readonly format: "json" | "slack";
};

/** Longest duration a setting may have. */
const LONGEST = 365 * DAY;

function kind<T>(expects: string, read: (raw: unknown, now: Instant) => T | undefined, show: (value: T) => string = String): ValueKind<T> {
  return {
    expects,
    read(raw, now) {
      const value = read(raw, now);
      return value === undefined ? { problem: `write ${expects}, not ${shown(raw)}` } : { value };
    },
    show: (value) => show(value as T),
  };
}

/** A wrong value in a message: short, and without what looks like a secret. */
function shown(raw: unknown): string {
  const text = redact(JSON.stringify(raw) ?? String(raw));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function oneOf<T extends string>(words: readonly T[]): ValueKind<T> {
  return kind(words.join(" or "), (raw) => words.find((word) => word === raw));
}

function listOf<T extends string>(expects: string, item: (text: string) => T | undefined): ValueKind<readonly T[]> {
  return kind(
    `a list of ${expects}`,
    (raw) => {
      const items = typeof raw === "string" ? raw.split(",").map((each) => each.trim()) : raw;
      if (!Array.isArray(items) || items.length > LIMITS.policyPatterns) return undefined;
      const read = items.map((each: unknown) => (typeof each === "string" ? item(each) : undefined));
      return read.every((each) => each !== undefined) ? read : undefined;
    },
    (values) => (values.length === 0 ? "[]" : values.join(", ")),
  );
}

/** http or https, without credentials, query or fragment; always ends in a slash. */
function baseUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  // Credentials belong into .npmrc: a URL is printed, logged and written into lockfiles.
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

function host(text: string): string | undefined {
  return /^(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(?::\d{1,5})?$/.test(text) ? text.toLowerCase() : undefined;
}

/** A name with `*` for any run of characters but a slash. */
function nameGlob(text: string): string | undefined {
  return text.length <= LIMITS.nameChars && /^(?:@[A-Za-z0-9\-_.!~*'()]+\/)?[A-Za-z0-9\-_.!~*'()]+$/.test(text) ? text : undefined;
}

function listenAt(raw: unknown): string | undefined {
  const match = typeof raw === "string" ? /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(raw) : null;
  return match && Number(match[2]) <= 65_535 ? match[0] : undefined;
}

function duration(raw: unknown): number | undefined {
  const value = typeof raw === "string" ? parseDuration(raw) : undefined;
  return value !== undefined && value <= LONGEST ? value : undefined;
}

function showDuration(milliseconds: number): string {
  for (const [unit, letter] of [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "m"],
  ] as const)
    if (milliseconds >= unit && milliseconds % unit === 0) return `${milliseconds / unit}${letter}`;
  return `${milliseconds / SECOND}s`;
}

/** `2026-12-31` (00:00 UTC) or a full date-time with a zone. */
function day(raw: unknown): Instant | undefined {
  return typeof raw === "string" ? parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(raw) ? `${raw}T00:00:00Z` : raw) : undefined;
}

function fields(raw: unknown, ...keys: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return undefined;
  return Object.keys(raw).every((key) => keys.includes(key)) ? (raw as Record<string, unknown>) : undefined;
}

function owner(raw: unknown): string | undefined {
  return typeof raw === "string" && raw.trim() !== "" && raw.length <= LIMITS.policyTextChars ? raw.trim() : undefined;
}

function scopes(raw: unknown): Scopes | undefined {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return undefined;
  const read = Object.entries(raw).map(([scope, value]: [string, unknown]) => {
    const given = fields(value, "url", "private");
    const url = typeof given?.["url"] === "string" ? baseUrl(given["url"]) : undefined;
    const isPrivate = given?.["private"] ?? false;
    return url !== undefined && typeof isPrivate === "boolean" && /^@[A-Za-z0-9\-_.!~*'()]+$/.test(scope)
      ? ([scope, { url, private: isPrivate }] as const)
      : undefined;
  });
  return read.every((entry) => entry !== undefined) ? Object.fromEntries(read) : undefined;
}

function mode(raw: unknown, now: Instant): Policy["mode"] | undefined {
  if (raw === "enforce") return { kind: "enforce" };
  const monitor = fields(fields(raw, "monitor")?.["monitor"], "owner", "expires");
  const [by, expires] = [owner(monitor?.["owner"]), day(monitor?.["expires"])];
  if (by === undefined || expires === undefined || expires - now > LIMITS.waiverMs) return undefined;
  return { kind: "monitor", owner: by, expires };
}

function baseline(raw: unknown): NonNullable<Policy["baseline"]> | undefined {
  const accept = fields(fields(raw, "accept")?.["accept"], "owner", "date");
  const [by, accepted] = [owner(accept?.["owner"]), day(accept?.["date"])];
  return by === undefined || accepted === undefined ? undefined : { owner: by, accepted };
}

/** Design §4: "feeds no older than 24 h where feeds are configured". */
const FEED_MAX_AGE = DAY;

function feeds(raw: unknown): readonly FeedConfig[] | undefined {
  if (!Array.isArray(raw) || raw.length > LIMITS.feeds) return undefined;
  const read = raw.map(feed);
  const names = new Set(read.map((one) => one?.name));
  return read.every((one) => one !== undefined) && names.size === read.length ? read : undefined;
}

function feed(raw: unknown): FeedConfig | undefined {
  const given = fields(raw, "name", "url", "path", "kind", "claims", "maxAge", "refresh");
  if (!given) return undefined;
  const { name, url, path, kind = "osv", claims, maxAge, refresh } = given;
  const age = maxAge === undefined ? FEED_MAX_AGE : duration(maxAge);
  const every = refresh === undefined ? undefined : duration(refresh);
  if (refresh !== undefined && every === undefined) return undefined;
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9._-]{0,49}$/.test(name) || age === undefined) return undefined;
  if (kind !== "osv" && kind !== "list") return undefined;
  if (claims !== undefined && claims !== "malware" && claims !== "vulnerability") return undefined;
  const place = typeof url === "string" && path === undefined ? feedUrl(url) : undefined;
  const file = typeof path === "string" && path !== "" && url === undefined ? path : undefined;
  if (place === undefined && file === undefined) return undefined;
  const told = claims ?? (kind === "list" ? "malware" : "vulnerability");
  const rest = { name, kind, claims: told, maxAge: age, ...(every === undefined ? {} : { refresh: every }) } as const;
  return place === undefined ? { ...rest, path: file! } : { ...rest, url: place };
}

/** https, or http on this machine: what comes over an open line decides nothing here. */
function feedUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const local = url.protocol === "http:" && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  return (url.protocol === "https:" || local) && url.username === "" && url.password === "" && url.hash === "" ? url.href : undefined;
}

function notify(raw: unknown): readonly NotifyTarget[] | undefined {
  if (!Array.isArray(raw) || raw.length > LIMITS.notifyTargets) return undefined;
  const read = raw.map(notifyTarget);
  const names = new Set(read.map((one) => one?.name));
  return read.every((one) => one !== undefined) && names.size === read.length ? read : undefined;
}

function notifyTarget(raw: unknown): NotifyTarget | undefined {
  const { name, url, file, format = "json" } = fields(raw, "name", "url", "file", "format") ?? {};
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9._-]{0,49}$/.test(name)) return undefined;
  if (format !== "json" && format !== "slack") return undefined;
  if (typeof file === "string" && file !== "" && url === undefined) return format === "json" ? { name, file, format } : undefined;
  const place = typeof url === "string" && file === undefined ? feedUrl(url) : undefined;
  return place === undefined ? undefined : { name, url: place, format };
}

const NOTIFY_EXPECTS = "targets, each { name, url (https), format: json or slack } or { name, file }";

function checkExceptions(raw: unknown, now: Instant): readonly CheckException[] | undefined {
  if (!Array.isArray(raw) || raw.length > LIMITS.policyPatterns) return undefined;
  const read = raw.map((one: unknown) => checkException(one, now));
  return read.every((one) => one !== undefined) ? read : undefined;
}

/** One that has run out is read all the same: that it has is said to whoever wrote it. */
function checkException(raw: unknown, now: Instant): CheckException | undefined {
  const given = fields(raw, "rule", "advisory", "package", "path", "owner", "reason", "expires");
  const [by, reason, expires] = [owner(given?.["owner"]), owner(given?.["reason"]), day(given?.["expires"])];
  if (given === undefined || by === undefined || reason === undefined || expires === undefined) return undefined;
  if (expires - now > LIMITS.checkExceptionMs) return undefined;
  const { rule, advisory, package: spec, path } = given;
  if (rule === undefined && advisory === undefined) return undefined;
  if (rule !== undefined && !(typeof rule === "string" && Object.hasOwn(RULES, rule) && RULES[rule as RuleId].exceptable)) return undefined;
  const texts = [advisory, spec, path];
  if (!texts.every((text) => text === undefined || (typeof text === "string" && owner(text) !== undefined))) return undefined;
  const words = { rule, advisory, package: spec, path } as Pick<CheckException, "rule" | "advisory" | "package" | "path">;
  return { ...present(words), owner: by, reason, expires };
}

export const KINDS = {
  url: kind("an http(s) URL without credentials", (raw) => (typeof raw === "string" ? baseUrl(raw) : undefined)),
  urls: listOf("http(s) URLs without credentials", baseUrl),
  hosts: listOf("host names", host),
  names: listOf("package names, * for anything but a slash", nameGlob),
  scopes: kind("scopes, each { url: https://…, private: true or false }", scopes, (value) =>
    Object.entries(value)
      .map(([scope, { url, private: own }]) => `${scope} ${url}${own ? " (private)" : ""}`)
      .join(", "),
  ),
  duration: kind("a duration with its unit, such as 90s, 30m, 72h or 3d, at most 365d", duration, showDuration),
  listen: kind("HOST:PORT, such as 127.0.0.1:4870", listenAt),
  boolean: kind("true or false", (raw) => (raw === true || raw === "true" ? true : raw === false || raw === "false" ? false : undefined)),
  mirror: kind("an https URL without credentials and query, or off", (raw) =>
    raw === "off" ? raw : typeof raw === "string" && !raw.includes("?") ? feedUrl(raw) : undefined,
  ),
  text: kind("a text", (raw) => (typeof raw === "string" && raw !== "" && !/[\u0000-\u001f\u007f]/.test(raw) ? raw : undefined)),
  feeds: kind(
    "feeds, each { name, url (https) or path, and if needed kind: osv or list, claims: malware or vulnerability, maxAge, refresh }",
    feeds,
    (value) => (value.length === 0 ? "[]" : value.map(({ name, url, path }) => `${name} ${redact(url ?? path ?? "")}`).join(", ")),
  ),
  notify: {
    expects: NOTIFY_EXPECTS,
    // What was written instead is not repeated: a webhook's URL is a secret.
    read(raw: unknown): Reading<readonly NotifyTarget[]> {
      const value = notify(raw);
      return value === undefined ? { problem: `write ${NOTIFY_EXPECTS}` } : { value };
    },
    show(value: unknown): string {
      const targets = value as readonly NotifyTarget[];
      return targets.length === 0
        ? "[]"
        : targets.map(({ name, url, file }) => `${name} ${url === undefined ? file : new URL(url).host}`).join(", ");
    },
  },
  severity: oneOf(FAILING),
  checks: listOf(`checks (${CHECKS.join(", ")})`, (text): CheckId | undefined => CHECKS.find((check) => check === text)),
  exceptions: kind(
    "exceptions, each { rule (one that may be excepted) or advisory, owner, reason, expires } and if needed package and path (a>b>c), for at most a year",
    checkExceptions,
    (value) =>
      value.length === 0
        ? "[]"
        : value.map((one) => `${one.rule ?? one.advisory}${one.package === undefined ? "" : ` of ${one.package}`}`).join(", "),
  ),
  logLevel: oneOf(LOG_LEVELS),
  lockfileUrls: oneOf(LOCKFILE_URLS),
  preset: oneOf(PRESETS),
  mode: kind("enforce, or { monitor: { owner, expires } } with a day at most 90 days away", mode, (value) =>
    value.kind === "enforce" ? "enforce" : `monitor, by ${value.owner}, until ${iso(value.expires)}`,
  ),
  baseline: kind("{ accept: { owner, date } }", baseline, (value) => `accepted by ${value.owner}, ${iso(value.accepted).slice(0, 10)}`),
} satisfies Record<string, ValueKind<unknown>>;

export type Kind = keyof typeof KINDS;

/** What a kind reads to. */
export type Read<K extends Kind> = (typeof KINDS)[K] extends ValueKind<infer T> ? T : never;
