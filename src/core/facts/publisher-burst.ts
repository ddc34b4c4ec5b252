/** Many packages of one publisher within an hour, as far as this gate has seen them: a worm publishes what a stolen account can reach. */
import { HOUR, type Instant } from "../base/time.ts";

/** One version somebody published, by the registry's own time. */
export type Publish = { readonly name: string; readonly at: Instant };

export type PublisherBurst = {
  readonly publisher: string;
  /** Packages published within an hour before or after, its own included. */
  readonly packages: number;
  /** The most within any hour before that. */
  readonly usual: number;
};

/** Undefined: nothing is known of others. `known`: oldest first. */
export function publisherBurst(publisher: string, own: Publish, known: readonly Publish[]): PublisherBurst | undefined {
  const near = new Set([own.name]);
  const before: Publish[] = [];
  for (const one of known) {
    if (one.at < own.at - HOUR) before.push(one);
    else if (one.at <= own.at + HOUR) near.add(one.name);
  }
  return near.size === 1 ? undefined : { publisher, packages: near.size, usual: mostWithinAnHour(before) };
}

/** Fewer are a package split in parts. */
const FEW = 4;
/** Design §4: "over 3× the publisher's own 90-day peak". All that is known counts, so that who publishes twice a year has a peak too. */
const TIMES = 3;

export function isBurst({ packages, usual }: Pick<PublisherBurst, "packages" | "usual">): boolean {
  return packages >= FEW && packages > TIMES * Math.max(1, usual);
}

function mostWithinAnHour(publishes: readonly Publish[]): number {
  const within = new Map<string, number>();
  let most = 0;
  let first = 0;
  for (const { name, at } of publishes) {
    within.set(name, (within.get(name) ?? 0) + 1);
    for (; publishes[first]!.at < at - HOUR; first += 1) {
      const left = within.get(publishes[first]!.name)! - 1;
      if (left > 0) within.set(publishes[first]!.name, left);
      else within.delete(publishes[first]!.name);
    }
    most = Math.max(most, within.size);
  }
  return most;
}
