/** An incident pack and a response plan with nothing in them that a test does not say; and how its places answer. */
import { FORMS, type Form } from "../../src/core/exposure/sighting.ts";
import type { Evidence } from "../../src/core/exposure/judge.ts";
import { type IncidentPack, PACK_SCHEMA } from "../../src/core/incident/pack.ts";
import { type Plan, sealed } from "../../src/core/response/plan.ts";

/** left 1.0.1 is the bad version; all of its packages are known. */
export function incidentPack(own: Partial<IncidentPack> = {}): IncidentPack {
  return {
    schema: PACK_SCHEMA,
    id: "left-2026",
    revision: 1,
    title: "left",
    summary: "left",
    aliases: [],
    coverage: { kind: "complete" },
    packages: [{ name: "left", role: "carrier", versions: [{ version: "1.0.1" }] }],
    window: { from: "2026-01-01T00:00:00Z", precision: "day" },
    execution: "install",
    sources: [],
    ...own,
  };
}

/** A plan of that incident without a step. */
export function emptyPlan(scope: Plan["scope"]): Plan {
  return sealed({
    schema: "cordon.response-plan/1",
    incident: { id: "left-2026", revision: 1, title: "left", digest: "0" },
    scope,
    exposuresDigest: "0",
    exposures: [],
    secrets: [],
    steps: [],
  });
}

export function seenAs(form: Form, file: string, name = "left", version = "1.0.1"): Evidence {
  const { level, says } = FORMS[form];
  return { level, text: `${name}@${version}: ${says}`, file, name, version };
}
