/** Feeds of a gate that stays are read by themselves, when their time has come. Nobody waits for it; what goes wrong is said each time. */
import { type FeedOutcome, nextRead } from "../core/advisory/feeds.ts";
import type { Clock } from "../core/base/time.ts";
import type { Advisories } from "./advisories.ts";

export type FeedKeeperPorts = {
  readonly clock: Clock;
  readonly advisories: Pick<Advisories, "configured" | "states" | "stale">;
  /** Reads the feeds whose time has come, away from the thread that answers; ends early when it is told to. */
  readonly read: (signal: AbortSignal) => Promise<readonly Pick<FeedOutcome, "name" | "result" | "why" | "mass">[]>;
  readonly log: (level: "info" | "warn" | "error", what: string, fields: { readonly [key: string]: unknown }) => void;
};

export type FeedKeeper = {
  /** Reads what is due; one at a time. */
  look(): Promise<void>;
  /** Looks from now on, until `stop`. */
  start(): void;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
};

/** First the port opens, then feeds are thought of. */
const FIRST_LOOK_MS = 1_000;
const LOOK_EVERY_MS = 15_000;

export function feedKeeper({ clock, advisories, read, log }: FeedKeeperPorts): FeedKeeper {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let stale: ReadonlySet<string> = new Set();

  async function readDue(): Promise<void> {
    const states = new Map(advisories.states().map((state) => [state.name, state]));
    const now = clock.now();
    const due = advisories.configured.filter((feed) => nextRead(feed, states.get(feed.name)) <= now);
    if (due.length > 0 && !stopping.signal.aborted) {
      const outcomes = await read(stopping.signal);
      for (const { name, result, why, mass } of outcomes) {
        if (result === "failed") log("error", "a feed could not be read; what it said before stays in force", { feed: name, error: why });
        if (result === "went-back")
          log("error", "a feed went back and was not taken; cordon feeds sync --accept takes it", { feed: name, error: why });
        if (mass !== undefined) log("error", "a feed denies many names in use at once; they are contested", { feed: name, names: mass });
      }
    }
    // What was read just now is seen at the next look.
    if (due.length > 0) return;
    const found = advisories.stale();
    for (const { name, why } of found)
      if (!stale.has(name)) log("error", "a feed is stale: no hold ends until it is read", { feed: name, why });
    stale = new Set(found.map(({ name }) => name));
  }

  function look(): Promise<void> {
    working ??= readDue()
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          log("error", "feeds could not be read", { error: error instanceof Error ? error.message : String(error) });
      })
      .finally(() => (working = undefined));
    return working;
  }

  return {
    look,
    start() {
      timer = setTimeout(() => {
        void look();
        timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();
      }, FIRST_LOOK_MS).unref();
    },
    async stop() {
      clearTimeout(timer);
      stopping.abort();
      await working;
    },
  };
}
