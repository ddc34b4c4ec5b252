/**
 * One incident through a real gate: at minute 0 of each bad release a client asks for the package, for what it newly requires, and for the
 * tarball. What the gate says is read from its own `why`. One fixture registry, one store and one gate for each incident and policy.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { iso } from "../../src/core/base/time.ts";
import { product } from "../kit/app.ts";
import { startFixture } from "../kit/fixture.ts";
import { send } from "../kit/http.ts";
import { type Attack, generate } from "./generate.ts";
import type { Incident } from "./incident.ts";

export type Reason = { readonly id: string; readonly effect: string; readonly title: string };

/** What the gate did with one bad release at its minute 0. */
export type Outcome = Pick<Attack, "name" | "version" | "own"> & {
  readonly at: string;
  /** HTTP status of the tarball. */
  readonly status: number;
  readonly withheld: boolean;
  /** What withholds it. */
  readonly reasons: readonly Reason[];
  readonly notes: readonly Reason[];
};

/** `young`: the default policy. `evidence`: the same with a hold of nothing, so that age withholds nothing. */
export type Rules = "young" | "evidence";

const CONFIG: Readonly<Record<Rules, string>> = {
  young: "policy:\n  preset: balanced\n",
  evidence: "policy:\n  preset: balanced\n  hold: 0s\n",
};

export async function replay(incident: Incident, rules: Rules): Promise<readonly Outcome[]> {
  const { texts, attacks } = generate(incident);
  const order = attacks.toSorted((a, b) => a.at - b.at);
  const fixture = await startFixture({ packages: texts, at: iso(order[0]!.at) });
  const opened = await product({ fixture, config: CONFIG[rules] });
  try {
    const gate = await opened.gate();
    const base = `http://${gate.at.host}:${gate.at.port}/`;
    const get = (path: string) => send(base, { method: "GET", path, headers: {} });
    const outcomes: Outcome[] = [];
    for (const { name, version, at, own, requires } of order) {
      fixture.clock.set(iso(at));
      for (const one of [name, ...requires, name]) await get(`/${one.replace("/", "%2f")}`);
      const tarball = `/${name}/-/${name.replace(/^@.*\//, "")}-${version}.tgz`;
      await get(tarball);
      const why = await settled(async () => JSON.parse((await get(`/-/cordon/why/${name}@${version}`)).body.toString()) as Why);
      const { status } = await get(tarball);
      if (why.verdict === undefined)
        throw new Error(`${incident.id}: the gate cannot say why of ${name}@${version}: ${JSON.stringify(why)}`);
      const named = why.signals.map(({ id, effect, title }) => ({ id, effect, title }));
      const reasons = named.filter(({ id }) => why.verdict.reasons.includes(id));
      outcomes.push({
        name,
        version,
        own,
        at: iso(at),
        status,
        withheld: why.withheld && status !== 200,
        reasons,
        notes: named.filter((one) => !reasons.includes(one)),
      });
    }
    return outcomes;
  } finally {
    await opened.stop();
    await fixture.stop();
  }
}

/** Waits until nothing is left unchecked: what is held for that alone is not held by what changed. Gives up after a while and says what it has. */
async function settled(ask: () => Promise<Why>): Promise<Why> {
  let why = await ask();
  for (let tries = 0; tries < TRIES && why.signals?.some(({ id }) => isUnchecked(id)); tries += 1) {
    await sleep(WAIT_MS);
    why = await ask();
  }
  return why;
}

const TRIES = 200;
const WAIT_MS = 25;

/** A check that could not run yet holds a version, whatever is in it. */
export function isUnchecked(id: string): boolean {
  return id.startsWith("not-checked:");
}

type Why = { readonly withheld: boolean; readonly verdict: { readonly reasons: readonly string[] }; readonly signals: readonly Reason[] };
