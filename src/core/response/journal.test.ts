import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { instant } from "../base/time.ts";
import { eventLine, readJournal, type ResponseEvent } from "./journal.ts";

const PLAN = "0123456789ab";

const event = fc.record({
  at: fc.nat().map(instant),
  by: fc.constantFrom("mara", "jo"),
  step: fc.constantFrom("isolate-1", "plan"),
  what: fc.constantFrom("opened" as const, "claimed" as const, "done" as const, "noted" as const),
  detail: fc.string(),
});

/** The lines of a journal that one person wrote. */
function written(events: readonly ResponseEvent[]): readonly string[] {
  const lines: string[] = [];
  for (const one of events) lines.push(eventLine(one, readJournal(lines.join("\n"), PLAN).head));
  return lines;
}

test("the journal reads back what was written; a line cut short is counted and harms no other", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), fc.nat({ max: 20 }), (events, at) => {
      const lines = written(events);
      const torn = [...lines.slice(0, at), '{"at":12', ...lines.slice(at)];
      expect(readJournal(torn.join("\n\n"), PLAN)).toMatchObject({ events, damaged: 1 });
      expect(readJournal(lines.join("\n"), PLAN)).toEqual({
        events,
        damaged: 0,
        head: expect.any(String),
        digests: new Set(lines.map(sha256)),
      });
    }),
  );
});

test("a line that is changed, taken out, moved or put in breaks the chain there, and nothing behind it is believed", () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 3, maxLength: 12 }), fc.nat(), fc.string({ minLength: 1 }), (events, n, more) => {
      const lines = written(events);
      // The last line has nothing behind it that would show; its digest is the head.
      const at = n % (lines.length - 1);
      const changed = eventLine({ ...events[at]!, detail: events[at]!.detail + more }, JSON.parse(lines[at]!).prev as string);
      const moved = lines.toSpliced(at, 2, lines[at + 1]!, lines[at]!);
      for (const tampered of [lines.with(at, changed), lines.toSpliced(at, 1), moved, lines.with(at, "gone")]) {
        const read = readJournal(tampered.join("\n"), PLAN);
        expect(read.broken).toMatch(/^line \d+ of its journal does not follow/);
        expect(read.events.length).toBeLessThanOrEqual(at + 1);
      }
      expect(readJournal(lines.join("\n"), "ba9876543210")).toMatchObject({ events: [], broken: expect.any(String) });
      expect(readJournal(lines.slice(0, -1).join("\n"), PLAN).head).not.toBe(readJournal(lines.join("\n"), PLAN).head);
    }),
  );
});

test("of two who append to the same head the first line counts, and nothing is lost when the other writes again", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (turns) => {
      // Each writer looked at the head some time ago; who finds that its line does not count writes it once more.
      const lines: string[] = [];
      const seen = new Map(["mara", "jo"].map((by) => [by, readJournal("", PLAN).head]));
      for (const one of turns) {
        let line = eventLine(one, seen.get(one.by)!);
        lines.push(line);
        if (!readJournal(lines.join("\n"), PLAN).digests.has(sha256(line))) {
          line = eventLine(one, readJournal(lines.join("\n"), PLAN).head);
          lines.push(line);
        }
        seen.set(one.by, readJournal(lines.join("\n"), PLAN).head);
      }
      const read = readJournal(lines.join("\n"), PLAN);
      expect(read.broken).toBeUndefined();
      expect(read.events).toEqual(turns);
    }),
  );
});
