/** Instants, durations and how they are written. The core never reads a clock: callers hand in `now`. */

/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number & { readonly __brand: "Instant" };

/** The one way the product learns what time it is; wired in `main.ts`, replaced when tests compose the app. */
export type Clock = { now(): Instant };

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export function instant(milliseconds: number): Instant {
  return milliseconds as Instant;
}

/** Parses `90s`, `30m`, `72h`, `3d` into milliseconds; undefined when the text is none of these. A bare number is refused: the unit trap. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,6})(s|m|h|d)$/.exec(text.trim());
  if (!match) return undefined;
  const unit = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }[match[2] as "s" | "m" | "h" | "d"];
  return Number(match[1]) * unit;
}

/**
 * Parses the timestamps registries write (`2026-03-29T08:50:05.148000+00:00`, `…Z`); undefined when the text is not
 * an ISO 8601 date-time with a zone, or names a moment outside 2009–2200 (npm's first packages are of 2010).
 */
export function parseInstant(text: unknown): Instant | undefined {
  if (typeof text !== "string" || text.length > 40) return undefined;
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})$/.exec(text);
  if (!match) return undefined;
  const zone = match[3] === "Z" ? "Z" : match[3]!.replace(/^(...)(\d\d)$/, "$1:$2");
  const ms = Date.parse(`${match[1]}.${(match[2] ?? "0").slice(0, 3).padEnd(3, "0")}${zone}`);
  if (!Number.isFinite(ms) || ms < EARLIEST || ms > LATEST) return undefined;
  return instant(ms);
}
const EARLIEST = Date.UTC(2009, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** `2026-04-03T00:21:00.000Z`. */
export function iso(at: Instant): string {
  return new Date(at).toISOString();
}

/** `2026-04-03T00:21Z`: for reason phrases and headers, where room is short. */
export function isoMinute(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 16)}Z`;
}

/** `38 min`, `2 d 23 h`, `4 y`: the two largest units that matter, for people. Never negative. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE);
    return `${Math.floor(ms / HOUR)} h${minutes > 0 ? ` ${minutes} min` : ""}`;
  }
  if (ms < 30 * DAY) {
    const hours = Math.floor((ms % DAY) / HOUR);
    return `${Math.floor(ms / DAY)} d${hours > 0 ? ` ${hours} h` : ""}`;
  }
  if (ms < 365 * DAY) return `${Math.floor(ms / DAY)} d`;
  return `${Math.floor(ms / (365.25 * DAY))} y`;
}
