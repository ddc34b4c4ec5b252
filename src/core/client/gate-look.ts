/** What one look at a URL tells about the gate there: who answers, by which clock, under which policy, and whether a client is let in. */
import { printable } from "../base/text.ts";
import { type Instant, parseInstant } from "../base/time.ts";
import { HEALTH_SCHEMA } from "../config/constants.ts";

export type GateHealth = {
  /** Version of cordon. */
  readonly cordon: string;
  readonly instance: string;
  /** By the gate's clock. */
  readonly now: Instant;
  readonly policy: string;
  readonly mode: string;
  readonly monitorUntil?: Instant;
  readonly monitorOwner?: string;
  /** Base URL of its upstream, without credentials. */
  readonly upstream: string;
};

export type GateLook =
  | {
      readonly kind: "gate";
      readonly health: GateHealth;
      /** This machine's clock half-way between question and answer. */
      readonly asked: Instant;
      /** Whether a client with the credentials at hand is let in; `refused` says in the gate's words why not. */
      readonly entry: { readonly kind: "open" } | { readonly kind: "token-needed" } | { readonly kind: "refused"; readonly why: string };
    }
  /** Something answers that is no cordon gate. */
  | { readonly kind: "other"; readonly why: string }
  | { readonly kind: "silent"; readonly why: string };

/** Reads the body of `/-/cordon/health`; undefined when it is not one. */
export function readHealth(body: string): GateHealth | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Some registries answer any path with a page of their own.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const text = (key: string) => (typeof fields[key] === "string" ? printable(fields[key]).slice(0, 300) : undefined);
  const [now, instance, upstream] = [parseInstant(fields["now"]), text("instance"), text("upstream")];
  if (fields["schema"] !== HEALTH_SCHEMA || now === undefined || instance === undefined || upstream === undefined) return undefined;
  const [until, owner] = [parseInstant(fields["monitorUntil"]), text("monitorOwner")];
  return {
    cordon: text("cordon") ?? "",
    instance,
    now,
    policy: text("policy") ?? "",
    mode: text("mode") ?? "",
    ...(until === undefined ? {} : { monitorUntil: until }),
    ...(owner === undefined ? {} : { monitorOwner: owner }),
    upstream,
  };
}

/** One line of `/-/cordon/decisions`, as far as a doctor needs it. */
export type GateDecision = {
  readonly kind: string;
  readonly name: string;
  /** What the client called itself. */
  readonly client?: string;
  readonly project?: string;
};

/** Reads the body of `/-/cordon/decisions`; undefined when it is not one. */
export function readDecisions(body: string): readonly GateDecision[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { schema, decisions } = (value ?? {}) as { schema?: unknown; decisions?: unknown };
  if (schema !== "cordon.decisions/1" || !Array.isArray(decisions)) return undefined;
  return decisions.flatMap((entry: unknown): GateDecision[] => {
    const { kind, name, asker } = (entry ?? {}) as { kind?: unknown; name?: unknown; asker?: { client?: unknown; project?: unknown } };
    if (typeof kind !== "string" || typeof name !== "string") return [];
    return [
      {
        kind,
        name,
        ...(typeof asker?.client === "string" ? { client: printable(asker.client).slice(0, 100) } : {}),
        ...(typeof asker?.project === "string" ? { project: printable(asker.project).slice(0, 100) } : {}),
      },
    ];
  });
}
