/**
 * The journal of a response, as text: one event a line, each with the digest of the line before it. A line that was changed, taken out or put
 * in breaks the chain from there on, and nothing behind a break is believed. What was cut off at the end does not show by itself: that takes
 * the head, which the report names.
 */
import * as z from "zod/mini";
import { sha256 } from "../base/digest.ts";
import { Fault } from "../base/fault.ts";
import { LIMITS } from "../base/limits.ts";
import { instant } from "../base/time.ts";

const eventSchema = z.strictObject({
  at: z.pipe(z.number().check(z.minimum(0)), z.transform(instant)),
  /** A person: user, and machine where several share the folder. */
  by: z.string().check(z.maxLength(200)),
  /** Id of a step, or `plan` for what concerns the whole. */
  step: z.string().check(z.maxLength(100)),
  /** `noted` changes no state: something that was done within a step. */
  what: z.enum(["opened", "claimed", "done", "failed", "undone", "skipped", "noted"]),
  detail: z.string(),
  /** Ids and files that undoing needs: the deny, the freeze, the branch. */
  made: z.optional(z.array(z.string())),
  /** What was found by it, a line each. */
  found: z.optional(z.array(z.string())),
});
export type ResponseEvent = z.infer<typeof eventSchema>;

const lineSchema = z.extend(eventSchema, { prev: z.string() });

export type Journal = {
  readonly events: readonly ResponseEvent[];
  /** Lines that are no events: a crash cut them short. */
  readonly damaged: number;
  /** Digest of the last line that counts: what the next one names. */
  readonly head: string;
  /** Digests of all lines that count. */
  readonly digests: ReadonlySet<string>;
  /** Where the chain breaks; absent in a whole one. */
  readonly broken?: string;
};

/** One line without its end. `prev`: the head of the journal it is appended to. */
export function eventLine(event: ResponseEvent, prev: string): string {
  return JSON.stringify({ ...event, prev });
}

/**
 * Reads as far as the chain holds. Of two who appended to the same head at once, the first line counts; the other names a line that was
 * passed already, and whoever wrote it writes it again.
 */
export function readJournal(text: string, plan: string): Journal {
  // A journal of another plan does not fit this one.
  const start = sha256(`cordon-response/1\n${plan}`);
  const digests = new Set<string>();
  const events: ResponseEvent[] = [];
  let head = start;
  let damaged = 0;
  const journal = (): Journal => ({ events, damaged, head, digests });
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    if (events.length >= LIMITS.responseEvents)
      throw new Fault("INPUT_TOO_LARGE", `the journal of the response has more than ${LIMITS.responseEvents} events`);
    const read = readLine(line);
    if (read === undefined) damaged += 1;
    else if (read.prev === head) {
      head = sha256(line);
      digests.add(head);
      events.push(read.event);
    } else if (read.prev !== start && !digests.has(read.prev))
      return { ...journal(), broken: `line ${index + 1} of its journal does not follow what stands before it` };
  }
  return journal();
}

/** Undefined for a line that is none: replacing one by such breaks the chain behind it. */
function readLine(line: string): { readonly event: ResponseEvent; readonly prev: string } | undefined {
  try {
    const { prev, ...event } = lineSchema.parse(JSON.parse(line));
    return { event, prev };
  } catch {
    return undefined;
  }
}
