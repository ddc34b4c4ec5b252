/** What every reader of evidence is handed, and how a walk stays civil: it gives way, it counts, it stops at its ceilings. */
import { setImmediate } from "node:timers/promises";
import type { Sighting } from "../../core/exposure/sighting.ts";
import type { Watch } from "../../core/exposure/watch.ts";
import type { Surroundings } from "../host/places.ts";

export type Reading = {
  readonly watch: Watch;
  readonly surroundings: Surroundings;
  /** Real paths of what is read; a link that leads into one of them leads nowhere new. */
  readonly roots: readonly string[];
  /** Takes what was seen. */
  readonly see: (sighting: Sighting) => void;
  /** Told what is being read, for a progress line. */
  readonly tell: (what: string) => void;
  /** How much was read so far, for whoever wants to know whether anybody looked. */
  readonly counts: { folders: number; files: number; entries: number };
};

const SLICE_MS = 15;
let sliceEnd = 0;

/** To be awaited often: lets timers, signals and the progress line have their turn every 15 ms. */
export async function giveWay(): Promise<void> {
  const now = performance.now();
  if (now < sliceEnd) return;
  await setImmediate();
  sliceEnd = performance.now() + SLICE_MS;
}
