/**
 * Everything of ours over HTTP, under `/-/cordon/`: health, metrics, decisions, why, decide. Reads only; what loosens is done in a
 * terminal on the gate's machine. Loaded on the first request, so that start-up does not wait for it.
 */
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DecideEntries } from "../../app/decide-entries.ts";
import type { Token } from "../../app/ports.ts";
import type { Recorder } from "../../app/recorder.ts";
import type { Why } from "../../app/why.ts";
import { FAULTS, Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { redact } from "../../core/base/text.ts";
import { iso, parseInstant } from "../../core/base/time.ts";
import { type Admission, mayAct } from "../gate/access.ts";

export type ApiPorts = {
  readonly recorder: Recorder;
  readonly why: Why;
  readonly decide: DecideEntries;
  /** What `/health` says; changes with time, so asked each time. */
  readonly health: () => { readonly [key: string]: unknown };
  /** Prometheus text. */
  readonly metrics: () => Promise<() => Promise<string>>;
};

type Bindings = { Variables: { token: Token | undefined } };

export function api(
  ports: ApiPorts,
): (request: IncomingMessage, response: ServerResponse, path: string, admitted: Admission) => Promise<void> {
  const admittedTo = new WeakMap<IncomingMessage, Admission>();
  const hono = new Hono<Bindings & { Bindings: { incoming: IncomingMessage } }>();

  hono.use(async (context, next) => {
    const admitted = admittedTo.get(context.env.incoming);
    context.set("token", admitted?.kind === "admitted" ? admitted.token : undefined);
    await next();
  });
  hono.get("/health", (context) => context.json({ schema: "cordon.health/1", ...ports.health() }));
  hono.get("/metrics", async (context) =>
    context.text(await (await ports.metrics())(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
  );

  hono.get("/decisions", (context) => {
    const since = parseInstant(context.req.query("since"));
    const after = position(context.req.query("after"));
    const project = context.req.query("project");
    const token = context.get("token");
    // Decisions are readable only within the projects a token is for.
    if (token && !token.projects.includes("*") && (project === undefined || !mayAct(token, project)))
      return context.json({ error: "cordon: this token reads the decisions of its own projects; add ?project=NAME" }, 403);
    const { next, requests, decisions } = ports.recorder.decisions({
      after,
      ...(since === undefined ? {} : { since }),
      ...(project === undefined ? {} : { project }),
    });
    return context.json({
      schema: "cordon.decisions/1",
      next,
      requests,
      decisions: decisions.map((one) => ({ ...one, at: iso(one.at) })),
    });
  });

  hono.get("/why/*", async (context) => {
    const text = context.req.path.slice("/why/".length);
    return context.json(await ports.why(decoded(text)));
  });

  hono.post("/decide", bodyLimit({ maxSize: LIMITS.requestBytes }), async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    const entries = (body as { entries?: unknown } | undefined)?.entries;
    if (Array.isArray(entries) && entries.length > LIMITS.decideEntries)
      throw new Fault("REQUEST_TOO_LARGE", `one question may have ${LIMITS.decideEntries} entries`);
    if (!Array.isArray(entries) || !entries.every(isEntry))
      return context.json({ error: "cordon: expected {entries: [{name, version, integrity?}]}" }, 400);
    return context.json({ schema: "cordon.decide/1", ...(await ports.decide(entries)) });
  });

  hono.notFound((context) => context.json({ error: "cordon: nothing here; see /-/cordon/health" }, 404));
  hono.onError((error, context) => {
    const fault = error instanceof Fault ? error : undefined;
    if (!fault) ports.recorder.trouble("bug", error);
    const status = fault ? FAULTS[fault.code].http : 500;
    return context.json(
      {
        error: `cordon: ${fault ? redact(fault.message) : "this request failed; the gate's log has the reason"}`,
        ...(fault ? { code: fault.code, fix: FAULTS[fault.code].fix } : {}),
      },
      status as 500,
    );
  });

  const listener = getRequestListener((request, env) => hono.fetch(request, env), { overrideGlobalObjects: false });
  return async (request, response, path, admitted) => {
    admittedTo.set(request, admitted);
    request.url = path;
    await listener(request, response);
  };
}

/** A spec as a URL carries it; `@s/n` may come with its slash or without. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new Fault("NAME_INVALID", `${JSON.stringify(text)} is not a package spec`, error);
  }
}

/** `after`: a `next` of an earlier answer, or `now`. */
function position(text: string | undefined): number | "now" {
  if (text === "now") return "now";
  return /^\d{1,15}$/.test(text ?? "") ? Number(text) : 0;
}

function isEntry(value: unknown): value is { name: string; version: string; integrity?: string } {
  const entry = value as { name?: unknown; version?: unknown; integrity?: unknown } | null;
  return (
    typeof entry === "object" &&
    entry !== null &&
    typeof entry.name === "string" &&
    typeof entry.version === "string" &&
    (entry.integrity === undefined || typeof entry.integrity === "string")
  );
}
