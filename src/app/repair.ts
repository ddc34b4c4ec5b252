/**
 * Carries a repair out: writes the manifests, lets the wrapped client bring the lockfile in step, checks again, and gives every file back byte
 * for byte when that did not clear what was to be cleared. The smallest change is tried first.
 */
import type { RepairPlan, RepairStep } from "../core/check/repair.ts";
import { Fault } from "../core/base/fault.ts";

/** All paths are relative to the project. */
export type RepairPorts = {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** Runs the project's client through the gate (`cordon npm …`); resolves with its exit status. */
  run(args: readonly string[]): Promise<number>;
  /** Checks again, as before: what stands against each version, `name@version` with the fingerprints of findings that count. */
  recheck(): Promise<RepairCheck>;
};

/** `name@version` → fingerprints of its unexcepted findings. */
export type RepairCheck = ReadonlyMap<string, readonly string[]>;

export type RepairRequest = {
  /** Smallest change first; the next one is tried when the one before did not clear its findings. */
  readonly plans: readonly RepairPlan[];
  /** What stood against each version before. */
  readonly before: RepairCheck;
  /** Files the client may write: lockfiles and manifests. They are given back with those the plan edits. */
  readonly guarded: readonly string[];
};

export type RepairTry = {
  readonly steps: readonly RepairStep[];
  /** Why it was taken back; absent when it stands. */
  readonly why?: string;
};

export type RepairOutcome = {
  readonly kind: "repaired" | "restored" | "nothing";
  /** The plan that stands, or the last one tried. */
  readonly plan: RepairPlan | undefined;
  readonly tries: readonly RepairTry[];
  /** Files that differ now from before. */
  readonly changed: readonly string[];
};

/** Raises what a port raises, after everything was given back; EDITED_SINCE when a file is not what its plan was made for. */
export async function repair(ports: RepairPorts, { plans, before, guarded }: RepairRequest): Promise<RepairOutcome> {
  const worth = plans.filter(({ steps }) => steps.length > 0);
  const tries: RepairTry[] = [];
  for (const plan of worth) {
    const paths = [...new Set([...guarded, ...plan.edits.map(({ path }) => path)])];
    const kept = new Map<string, Uint8Array | undefined>();
    for (const path of paths) kept.set(path, await ports.read(path));
    refuseEdited(plan, kept);
    let why: string | undefined = "it was cut short";
    try {
      why = await attempt(ports, plan, before);
    } finally {
      if (why !== undefined) await giveBack(ports, kept);
    }
    tries.push({ steps: plan.steps, ...(why !== undefined && { why }) });
    if (why === undefined) return { kind: "repaired", plan, tries, changed: await differing(ports, kept) };
  }
  return { kind: worth.length === 0 ? "nothing" : "restored", plan: worth.at(-1), tries, changed: [] };
}

/** Undefined when what was to be cleared is cleared, and nothing new came in its place. */
async function attempt(ports: RepairPorts, plan: RepairPlan, before: RepairCheck): Promise<string | undefined> {
  for (const { path, after } of plan.edits) await ports.write(path, new TextEncoder().encode(after));
  for (const args of plan.commands) {
    const status = await ports.run(args);
    if (status !== 0) return `${args.slice(0, 2).join(" ")} ended with ${status}`;
  }
  const now = await ports.recheck();
  const stuck = plan.steps.find(({ name, from }) => now.has(`${name}@${from}`));
  if (stuck) return `${stuck.name}@${stuck.from} is still there`;
  const known = new Set([...before.values()].flat());
  for (const [version, findings] of now)
    if (!before.has(version) && findings.some((fingerprint) => !known.has(fingerprint)))
      return `${version} came in its place, and has findings of its own`;
  return undefined;
}

function refuseEdited({ edits }: RepairPlan, kept: ReadonlyMap<string, Uint8Array | undefined>): void {
  const moved = edits.find(
    ({ path, before }) => !same(kept.get(path), before === undefined ? undefined : new TextEncoder().encode(before)),
  );
  if (moved) throw new Fault("EDITED_SINCE", `${moved.path} changed while this was planned; nothing was written`);
}

async function giveBack(ports: RepairPorts, kept: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
  for (const path of await differing(ports, kept)) {
    const bytes = kept.get(path);
    await (bytes === undefined ? ports.remove(path) : ports.write(path, bytes));
  }
}

async function differing(ports: RepairPorts, kept: ReadonlyMap<string, Uint8Array | undefined>): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const [path, bytes] of kept) if (!same(await ports.read(path), bytes)) paths.push(path);
  return paths;
}

function same(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0;
}
