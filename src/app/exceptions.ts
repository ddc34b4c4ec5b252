/** Loosening and tightening: waivers, denies, freezes. Every change has an owner and a reason, and stands in the ledger. */
import { Fault } from "../core/base/fault.ts";
import type { Clock, Instant } from "../core/base/time.ts";
import { parseSpec } from "../core/npm/name.ts";
import { isVersion } from "../core/npm/ranges.ts";
import { activeDenies, makeDeny } from "../core/policy/deny.ts";
import { activeFreezes, makeFreeze } from "../core/policy/freeze.ts";
import type { Deny, Freeze } from "../core/policy/policy.ts";
import type { Waiver } from "../core/policy/verdict.ts";
import { withheld } from "../core/policy/verdict.ts";
import { makeWaiver, pruneReason, stateOfWaiver, waiversFor, type WaiverState } from "../core/policy/waiver.ts";
import type { Judgements, VersionJudgement } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";
import type { ExceptionStore, HeldStore, Ledger } from "./ports.ts";

export type Owned = { readonly owner: string; readonly reason: string };

/** What a person is shown before they type the name: nothing is changed yet. */
export type Admittance = {
  readonly waiver: Waiver;
  readonly judged: VersionJudgement;
  /** People whose waiver it takes besides this one before anything is let through. */
  readonly missing: number;
};

export type ExceptionVerbs = {
  /** The waiver that would let a version through. Fault when nothing holds it, nothing about it can be waived, or the end is too far. */
  consider(spec: string, owned: Owned & { readonly expires: Instant }): Promise<Admittance>;
  admit(what: Admittance): Promise<void>;
  waivers(): Promise<readonly (Waiver & { readonly state: WaiverState })[]>;
  revokeWaiver(id: string, by: string): Promise<void>;
  /** Revokes waivers that died or that their version outlived; returns which and why. */
  prune(by: string): Promise<readonly { readonly waiver: Waiver; readonly why: string }[]>;
  /** `spec` names an exact version or a whole package; its bytes are denied with it when they are known. */
  deny(what: { readonly spec?: string; readonly integrity?: string }, owned: Owned): Promise<Deny>;
  denies(): Promise<readonly Deny[]>;
  removeDeny(id: string, by: string): Promise<void>;
  freeze(what: { readonly before: Instant; readonly expires: Instant }, owned: Owned): Promise<Freeze>;
  freezes(): Promise<readonly Freeze[]>;
  liftFreeze(id: string | undefined, by: string): Promise<readonly Freeze[]>;
};

export type ExceptionPorts = {
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly judgements: Judgements;
  readonly exceptions: ExceptionStore;
  readonly held: HeldStore;
  readonly ledger: Ledger;
};

export function exceptionVerbs(ports: ExceptionPorts): ExceptionVerbs {
  async function changed(what: string, id: string, by: string, detail: string): Promise<void> {
    await ports.ledger.append([{ kind: "change", at: ports.clock.now(), what, id, by, detail }]);
    await ports.judgements.reload();
  }

  return {
    async consider(text, { owner, reason, expires }) {
      const { name, version } = exact(text);
      const known = await ports.knowledge.know(name);
      if (known.kind === "absent") throw new Fault("NOT_FOUND", `${name} is not on the upstream registry`);
      if (known.kind === "refused") throw new Fault("INPUT_UNREADABLE", known.message);
      if (known.kind === "down") throw new Fault("UPSTREAM_DOWN", known.message);
      const judged = await ports.judgements.ofVersion(known.record, version, { pin: false });
      const { facts, verdict } = judged;
      const now = ports.clock.now();
      const waiver = makeWaiver({ name, version, integrity: facts.integrity, signals: verdict.reasons, owner, reason, expires, now });
      const waivers = [...(await ports.exceptions.read()).waivers, waiver];
      const missing = Math.max(...verdict.reasons.map((signal) => waiversFor(waivers, facts, signal, now).missing));
      return { waiver, judged, missing };
    },

    async admit({ waiver }) {
      await ports.exceptions.addWaiver(waiver);
      await changed(
        "waiver-added",
        waiver.id,
        waiver.owner,
        `${waiver.name}@${waiver.version}: ${waiver.signals.join(", ")}: ${waiver.reason}`,
      );
    },

    async waivers() {
      const now = ports.clock.now();
      return (await ports.exceptions.read()).waivers.map((waiver) => ({ ...waiver, state: stateOfWaiver(waiver, now) }));
    },

    async revokeWaiver(id, by) {
      if (!(await ports.exceptions.revokeWaiver(id, ports.clock.now(), by))) throw new Fault("USAGE", `there is no live waiver ${id}`);
      await changed("waiver-revoked", id, by, "");
    },

    async prune(by) {
      const now = ports.clock.now();
      const pruned: { waiver: Waiver; why: string }[] = [];
      for (const waiver of (await ports.exceptions.read()).waivers) {
        if (waiver.revoked !== undefined) continue;
        const why = pruneReason(waiver, now, await verdictWithout(waiver));
        if (why === undefined || why === "revoked") continue;
        await ports.exceptions.revokeWaiver(waiver.id, now, by);
        await changed("waiver-pruned", waiver.id, by, why);
        pruned.push({ waiver, why });
      }
      return pruned;
    },

    async deny({ spec, integrity }, { owner, reason }) {
      const now = ports.clock.now();
      const parsed = spec === undefined ? undefined : parseSpec(spec);
      if (spec !== undefined && !parsed) throw new Fault("NAME_INVALID", `${JSON.stringify(spec)} is not a package`);
      // The version's bytes are denied too, so that no other name brings them in.
      const known = parsed?.spec === undefined ? undefined : await bytesOf(parsed.name, parsed.spec);
      const bytes = integrity ?? known;
      const deny = makeDeny({
        ...(parsed === undefined ? {} : { name: parsed.name }),
        ...(parsed?.spec === undefined ? {} : { version: parsed.spec }),
        ...(bytes === undefined ? {} : { integrity: bytes }),
        owner,
        reason,
        now,
      });
      await ports.exceptions.addDeny(deny);
      await changed("deny-added", deny.id, deny.owner, `${spec ?? bytes}: ${deny.reason}`);
      return deny;
    },

    async denies() {
      return activeDenies((await ports.exceptions.read()).denies);
    },

    async removeDeny(id, by) {
      if (!(await ports.exceptions.removeDeny(id, ports.clock.now(), by))) throw new Fault("USAGE", `there is no deny ${id}`);
      await changed("deny-removed", id, by, "");
    },

    async freeze({ before, expires }, { owner, reason }) {
      const freeze = makeFreeze({ before, expires, owner, reason, now: ports.clock.now() });
      await ports.exceptions.addFreeze(freeze);
      await changed("freeze-added", freeze.id, freeze.owner, freeze.reason);
      return freeze;
    },

    async freezes() {
      return activeFreezes((await ports.exceptions.read()).freezes, ports.clock.now());
    },

    async liftFreeze(id, by) {
      const active = activeFreezes((await ports.exceptions.read()).freezes, ports.clock.now());
      const lifted = active.filter((freeze) => id === undefined || freeze.id === id);
      if (lifted.length === 0) throw new Fault("USAGE", id === undefined ? "no freeze is in force" : `no freeze ${id} is in force`);
      for (const freeze of lifted) {
        await ports.exceptions.liftFreeze(freeze.id, ports.clock.now(), by);
        await changed("freeze-lifted", freeze.id, by, "");
      }
      return lifted;
    },
  };

  /** The registry is asked only about what was never seen here. */
  async function bytesOf(name: string, version: string): Promise<string | undefined> {
    let record = await ports.knowledge.recall(name);
    if (!record || !Object.hasOwn(record.versions, version)) {
      const known = await ports.knowledge.know(name, { maxAge: 0 });
      if (known.kind === "known") record = known.record;
    }
    return record && (await ports.judgements.ofVersion(record, version, { pin: false })).facts.integrity;
  }

  async function verdictWithout(waiver: Waiver): Promise<VersionJudgement["verdict"] | undefined> {
    const record = await ports.knowledge.recall(waiver.name);
    if (!record || !Object.hasOwn(record.versions, waiver.version)) return undefined;
    const { verdict } = await ports.judgements.ofVersion(record, waiver.version, { pin: false });
    // What it waives is what would hold the version without it.
    const needed = verdict.waived.some((one) => one.waiver === waiver.id) || withheld(verdict);
    return needed ? { ...verdict, action: "hold" } : { ...verdict, action: "allow" };
  }
}

function exact(text: string): { name: string; version: string } {
  const spec = parseSpec(text);
  if (!spec || spec.spec === undefined || !isVersion(spec.spec))
    throw new Fault("NAME_INVALID", `${JSON.stringify(text)} is not an exact name@version`);
  return { name: spec.name, version: spec.spec };
}
