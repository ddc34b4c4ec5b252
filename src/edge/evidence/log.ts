/** Logs, line by line and in bounded memory: npm's own, and what CI systems keep as text. */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, parseInstant } from "../../core/base/time.ts";
import { readLogLine, timeOfLine } from "../../core/exposure/log-line.ts";
import { codeOf } from "../host/files.ts";
import { giveWay, type Reading } from "./reading.ts";

const CHUNK = 1 << 16;

/** `place` gets the answer. A gap is told once for each file. */
export async function readLogFile(reading: Reading, place: string, file: string): Promise<void> {
  const started = timeOfName(file);
  const lines = logLines(reading, place, file, started);
  let descriptor: number | undefined;
  try {
    // A link among logs may lead anywhere; it is said, not followed.
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW);
    if (!fs.fstatSync(descriptor).isFile()) throw new Error("not a regular file");
    const decoder = new TextDecoder();
    const buffer = Buffer.alloc(CHUNK);
    let rest = "";
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer)) {
      const parts = (rest + decoder.decode(buffer.subarray(0, read), { stream: true })).split(/\r?\n|\r/);
      rest = parts.pop()!;
      for (const line of parts) lines.take(line);
      // A line without end is no log's; its beginning is enough to know what it says.
      if (rest.length > LIMITS.logLineChars) {
        lines.take(rest);
        rest = "";
      }
      await giveWay();
    }
    lines.take(rest);
    reading.counts.files += 1;
    reading.see({ kind: "looked", place, what: "its logs name none of them" });
  } catch (error) {
    reading.see({ kind: "missing", place, what: `${file}: ${codeOf(error)}` });
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** A log that is already in memory, out of an archive. */
export function readLogText(reading: Reading, place: string, file: string, text: string): void {
  const lines = logLines(reading, place, file, timeOfName(file));
  for (const line of text.split(/\r?\n|\r/)) lines.take(line);
}

function logLines(
  { watch, see, counts }: Reading,
  place: string,
  file: string,
  started: Instant | undefined,
): { take(line: string): void } {
  let line = 0;
  const told = new Set<string>();
  return {
    take(text) {
      line += 1;
      counts.entries += 1;
      for (const { form, name, version } of readLogLine(text.slice(0, LIMITS.logLineChars))) {
        const key = `${form} ${name}@${version}`;
        if (told.has(key) || !watch.hits(name, version)) continue;
        told.add(key);
        const at = timeOfLine(text) ?? started;
        see({ kind: "package", place, form, file, line, name, version, ...(at !== undefined && { at }) });
      }
    },
  };
}

/** npm names its logs by the moment it was started: `2026-03-31T01_07_12_345Z-debug-0.log`. */
function timeOfName(file: string): Instant | undefined {
  const match = /(\d{4}-\d\d-\d\dT\d\d)_(\d\d)_(\d\d)_(\d{3}Z)/.exec(path.basename(file));
  return match === null ? undefined : parseInstant(`${match[1]}:${match[2]}:${match[3]}.${match[4]}`);
}
