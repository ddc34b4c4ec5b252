/** Moments for people: in the reader's zone, with UTC beside it where the two differ, and how long until then. */
import { type Instant, span } from "../../core/base/time.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `3 Apr 00:21 UTC (in 2 d 23 h)`, or `3 Apr 02:21 CEST = 00:21 UTC (in 2 d 23 h)` with TZ set to another zone. */
export function when(at: Instant, now: number, env: Readonly<Record<string, string | undefined>>): string {
  const distance = at >= now ? `in ${span(at - now)}` : `${span(now - at)} ago`;
  return `${moment(at, env)} (${distance})`;
}

function moment(at: Instant, env: Readonly<Record<string, string | undefined>>): string {
  const date = new Date(at);
  const utc = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
  const zone = env["TZ"] ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone === undefined || zone === "" || /^(UTC|Etc\/(UTC|GMT|UCT|Zulu)|GMT)$/.test(zone)) return utc;
  try {
    const parts = Object.fromEntries(
      new Intl.DateTimeFormat("en-GB", {
        timeZone: zone,
        day: "numeric",
        month: "short",
        hour: "2-digit",
        minute: "2-digit",
        timeZoneName: "short",
        hourCycle: "h23",
      })
        .formatToParts(date)
        .map((part) => [part.type, part.value]),
    );
    return `${parts["day"]} ${parts["month"]} ${parts["hour"]}:${parts["minute"]} ${parts["timeZoneName"]} = ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
  } catch {
    return utc; // a TZ that Intl does not know is the reader's to fix; UTC is never wrong
  }
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
