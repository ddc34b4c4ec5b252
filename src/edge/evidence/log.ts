/** Logs, line by line and in bounded memory: npm's own, and what CI systems keep as text, packed with gzip or not. */
import fs from "node:fs";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, parseInstant } from "../../core/base/time.ts";
import { readLogLine, timeOfLine } from "../../core/exposure/log-line.ts";
import { codeOf } from "../host/files.ts";
import { giveWay, type Reading } from "./reading.ts";

/** `place` gets the answer. A gap is told once for each file. */
export async function readLogFile(reading: Reading, place: string, file: string): Promise<void> {
  let descriptor: number | undefined;
  try {
    // A link among logs may lead anywhere; it is said, not followed.
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW);
    if (!fs.fstatSync(descriptor).isFile()) throw new Error("not a regular file");
    const head = Buffer.alloc(2);
    fs.readSync(descriptor, head, 0, 2, 0);
    const lines = logLines(reading, place, file);
    // What PowerShell redirects into a file is UTF-16, and begins with its mark.
    const decoder = new TextDecoder(head.readUInt16LE() === 0xfeff ? "utf-16le" : "utf-8");
    for await (const chunk of bytesOf(file, descriptor, head.readUInt16BE() === 0x1f8b)) {
      lines.add(decoder.decode(chunk, { stream: true }));
      await giveWay();
    }
    lines.end();
    reading.counts.files += 1;
    reading.see({ kind: "looked", place, what: "its logs name none of them" });
  } catch (error) {
    reading.see({ kind: "missing", place, what: `${file}: ${codeOf(error)}` });
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

async function* bytesOf(file: string, descriptor: number, packed: boolean): AsyncGenerator<Uint8Array> {
  const raw = fs.createReadStream(file, { fd: descriptor, start: 0, autoClose: false });
  if (!packed) return yield* raw as AsyncIterable<Uint8Array>;
  const unpacked = raw.pipe(createGunzip());
  raw.on("error", (error) => unpacked.destroy(error));
  let total = 0;
  for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > LIMITS.logBytes) throw new Error(`unpacks to more than ${LIMITS.logBytes} bytes`);
    yield chunk;
  }
}

/** A log that is already in memory, out of an archive. */
export function readLogText(reading: Reading, place: string, file: string, text: string): void {
  const lines = logLines(reading, place, file);
  lines.add(text);
  lines.end();
}

function logLines({ watch, see, counts }: Reading, place: string, file: string): { add(text: string): void; end(): void } {
  const started = timeOfName(file);
  const told = new Set<string>();
  let line = 0;
  let rest = "";
  let lineTime: Instant | undefined;
  const read = (text: string): void => {
    lineTime = timeOfLine(text) ?? lineTime;
    for (const { form, name, version } of readLogLine(text.slice(0, LIMITS.logLineChars))) {
      const key = `${form} ${name}@${version}`;
      if (told.has(key) || !watch.hits(name, version)) continue;
      told.add(key);
      const at = lineTime ?? started;
      see({ kind: "package", place, form, file, line: line + 1, name, version, ...(at !== undefined && { at }) });
    }
  };
  const take = (text: string): void => {
    // A lone return writes over what the line said before: a progress bar, a section's mark. Lines count as editors count them.
    for (const part of text.split("\r")) if (part !== "") read(part);
    line += 1;
    counts.entries += 1;
    lineTime = undefined;
  };
  return {
    add(text) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const part of parts) take(part);
      if (rest.length <= LIMITS.logLineChars) return;
      // No log has a line so long; what was written over is read, of the rest the beginning says enough.
      const cut = rest.lastIndexOf("\r");
      for (const part of rest.slice(0, cut < 0 ? rest.length : cut).split("\r")) read(part);
      rest = cut < 0 ? "" : rest.slice(cut + 1);
    },
    end() {
      if (rest !== "") take(rest);
    },
  };
}

/** npm names its logs by the moment it was started: `2026-03-31T01_07_12_345Z-debug-0.log`. */
function timeOfName(file: string): Instant | undefined {
  const match = /(\d{4}-\d\d-\d\dT\d\d)_(\d\d)_(\d\d)_(\d{3}Z)/.exec(path.basename(file));
  return match === null ? undefined : parseInstant(`${match[1]}:${match[2]}:${match[3]}.${match[4]}`);
}
