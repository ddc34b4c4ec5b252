/**
 * Looks at a gate from a client's side of the wire: through the user's proxies and authorities, with the credentials a client would send.
 * Every question is short, asked once, and answered with a reason when it fails.
 */
import { LIMITS } from "../../core/base/limits.ts";
import { present } from "../../core/base/present.ts";
import { redact } from "../../core/base/text.ts";
import { type Clock, type Instant, instant, iso } from "../../core/base/time.ts";
import { type GateDecision, type GateLook, readDecisions, readHealth } from "../../core/client/gate-look.ts";
import { readGateUrl } from "../../core/client/gate-url.ts";
import { mergeNpmrc, parseNpmrc } from "../../core/npm/npmrc.ts";
import { resolveUpstream } from "./config.ts";
import { explainFailure, wait } from "./failure.ts";
import { deadline, type Line, openLine, readBody, send } from "./line.ts";
import type { NpmPlace } from "./npm-files.ts";

export type LookerOptions = {
  readonly place: NpmPlace;
  readonly clock: Clock;
  /** The text of the project's own .npmrc: its credentials count, as they do for the clients. */
  readonly npmrc?: string | undefined;
};

type Said = { readonly status: number; readonly body: string; readonly date: string | undefined };

/** Every question throws Fault CONFIG_INVALID when npm's configuration cannot be used as written. */
export function openLooker({ place, clock, npmrc }: LookerOptions) {
  const lines = new Map<string, Promise<Line>>();

  function lineTo(base: string): Promise<Line> {
    const known = lines.get(base);
    if (known) return known;
    const opened = resolveUpstream({ url: base }, place).then((config) => {
      const own = npmrc === undefined ? [] : mergeNpmrc([parseNpmrc(npmrc, ".npmrc", place.env)]).credentials;
      const credentials = [...own.map(({ at, authorization }) => present({ at, authorization })), ...config.credentials];
      return openLine({ ...config, credentials }, { clock, jitter: () => 0, limits: LIMITS });
    });
    lines.set(base, opened);
    return opened;
  }

  async function ask(base: string, path: string): Promise<Said | { readonly why: string }> {
    const url = new URL(path, base);
    const line = await lineTo(base);
    const time = deadline(LIMITS.gateLookMs);
    try {
      const call = { url, base: { url: base, private: false, source: "" }, headers: { accept: "application/json" }, hops: 0 };
      const answer = await send(line, call, time.signal);
      const body = Buffer.from(await readBody(answer, LIMITS.upstreamAnswerBytes, `the answer of ${url.host}`)).toString("utf8");
      return { status: answer.status, body, date: answer.header("date") };
    } catch (error) {
      if (time.signal.aborted) return { why: `${url.host} did not answer within ${wait(LIMITS.gateLookMs)}` };
      return { why: explainFailure(error, url.host, line.limits).message };
    } finally {
      time.end();
    }
  }

  return {
    /** `registry` is the URL a client would be given; the gate is looked for at its root. */
    async look(registry: string): Promise<GateLook> {
      const base = readGateUrl(registry)?.base ?? registry;
      const before = clock.now();
      const said = await ask(base, "-/cordon/health");
      const asked = instant((before + clock.now()) / 2);
      if ("why" in said) return { kind: "silent", why: said.why };
      const health = said.status === 200 ? readHealth(said.body) : undefined;
      if (!health) return { kind: "other", why: `${new URL(base).host} answers (${said.status}), and is no cordon gate` };
      const ping = await ask(registry, "-/ping");
      return { kind: "gate", health, asked, entry: entryOf(ping) };
    },

    /** What the gate did since `since`, by its own clock. `project` is needed where a token may read only its own. */
    async decisions(
      base: string,
      since: Instant,
      project: string | undefined,
    ): Promise<readonly GateDecision[] | { readonly why: string }> {
      const query = `-/cordon/decisions?since=${encodeURIComponent(iso(since))}`;
      const all = await ask(base, query);
      const said =
        "status" in all && all.status === 403 && project !== undefined
          ? await ask(base, `${query}&project=${encodeURIComponent(project)}`)
          : all;
      if ("why" in said) return said;
      return (
        (said.status === 200 ? readDecisions(said.body) : undefined) ?? { why: `the gate answered ${said.status}: ${errorIn(said.body)}` }
      );
    },

    /** Whether the upstream gives publish times, asked of a package the gate can look up; undefined when it cannot tell. */
    async givesTime(base: string, name: string): Promise<boolean | undefined> {
      const said = await ask(base, `-/cordon/why/${name}`);
      if ("why" in said || said.status !== 200) return undefined;
      const facts = parsed(said.body)["facts"];
      return typeof facts === "object" && facts !== null ? "registryTime" in facts : undefined;
    },

    /** The clock of whoever answers at `base`, by its `Date` header; and this machine's half-way through. */
    async clockAt(base: string): Promise<{ readonly theirs: Instant; readonly ours: Instant } | { readonly why: string }> {
      const before = clock.now();
      const said = await ask(base, "-/ping");
      if ("why" in said) return said;
      const theirs = Date.parse(said.date ?? "");
      if (Number.isNaN(theirs)) return { why: `${new URL(base).host} tells no date` };
      return { theirs: instant(theirs), ours: instant((before + clock.now()) / 2) };
    },

    async close(): Promise<void> {
      for (const line of lines.values()) await (await line).transport.close();
    },
  };
}

function entryOf(ping: Said | { readonly why: string }): Extract<GateLook, { kind: "gate" }>["entry"] {
  if ("why" in ping) return { kind: "refused", why: ping.why };
  if (ping.status === 200) return { kind: "open" };
  if (ping.status === 401) return { kind: "token-needed" };
  return { kind: "refused", why: errorIn(ping.body) || `it answered ${ping.status}` };
}

function errorIn(body: string): string {
  const { error } = parsed(body);
  return typeof error === "string" ? redact(error) : "";
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Not the gate's own words; the status has been told.
    return {};
  }
}
