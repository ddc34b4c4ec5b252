/** The clock of a test: it stands still until the test moves it. The product takes the same object as its own `Clock`. */
import { type Clock, type Instant, instant, parseDuration, parseInstant } from "../../src/core/base/time.ts";

export type TestClock = Clock & {
  /** `2026-03-31T00:43:00Z`; the past is allowed. */
  set(at: string): void;
  /** `3d`, `90m`. */
  advance(duration: string): void;
};

export function testClock(at: string): TestClock {
  let now = moment(at);
  return {
    now: () => now,
    set(at) {
      now = moment(at);
    },
    advance(duration) {
      const ms = parseDuration(duration);
      if (ms === undefined) throw new Error(`"${duration}" is not a duration like 3d`);
      now = instant(now + ms);
    },
  };
}

/** Throws on what is not a moment with a zone. */
export function moment(text: string): Instant {
  const at = parseInstant(text);
  if (at === undefined) throw new Error(`"${text}" is not a moment like 2026-03-31T00:43:00Z`);
  return at;
}
