/** Reads a feed from disk, record by record: a zip of records, a folder, lines of JSON (gzipped too), one JSON document, or a list of our own. */
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import type { AdvisoryReading } from "../../core/advisory/advisory.ts";
import { readList } from "../../core/advisory/list.ts";
import { readOsv } from "../../core/advisory/osv.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { FeedConfig } from "../../core/config/values.ts";
import { codeOf } from "../host/files.ts";
import { readZipTexts } from "../host/zip.ts";

export type Source = Pick<FeedConfig, "kind" | "claims"> & {
  /** File or folder. */
  readonly path: string;
  /** What it is called where it came from: says how it is written. */
  readonly called: string;
};

/**
 * Bad records are readings with a problem. A source that cannot be read to its end raises INPUT_UNREADABLE or INPUT_TOO_LARGE: half a
 * feed must not count as a feed.
 */
export async function* readSource(source: Source): AsyncGenerator<AdvisoryReading> {
  let count = 0;
  for await (const reading of readingsOf(source)) {
    if (++count > LIMITS.feedRecords) throw new Fault("INPUT_TOO_LARGE", `${source.called} has more than ${LIMITS.feedRecords} records`);
    yield reading;
  }
}

async function* readingsOf({ path, called, kind, claims }: Source): AsyncGenerator<AdvisoryReading> {
  try {
    const found = await stat(path);
    if (kind === "list") {
      yield* readList((await document(path, called)).toString("utf8"), called, claims);
    } else if (found.isDirectory()) {
      for await (const file of jsonFiles(path)) yield* recordsIn(await document(join(path, file), file), file, claims);
    } else if (!found.isFile()) {
      throw new Fault("INPUT_UNREADABLE", `${called} is neither a file nor a folder`);
    } else if ((await firstBytes(path)).subarray(0, 2).toString("latin1") === "PK") {
      for (const entry of readZipTexts(path, LIMITS.advisoryBytes)) {
        if ("text" in entry) yield* entry.name.endsWith(".json") ? [readOsv(entry.text, entry.name, { claims })] : [];
        else if (entry.name === "") throw new Fault("INPUT_UNREADABLE", `${called}: ${entry.why}`);
        else yield { problem: { source: entry.name, reason: entry.why } };
      }
    } else if (/\.json(?:\.gz)?$/i.test(called)) {
      yield* recordsIn(await document(path, called), called, claims);
    } else {
      for await (const { text, number } of linesOf(path, called)) yield readOsv(text, `${called}:${number}`, { claims });
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("INPUT_UNREADABLE", `${called} cannot be read to its end (${codeOf(error)})`, error);
  }
}

/** One record, or an array of them. */
function* recordsIn(bytes: Buffer, called: string, claims: FeedConfig["claims"]): Generator<AdvisoryReading> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    yield { problem: { source: called, reason: "it is not JSON" } };
    return;
  }
  if (!Array.isArray(value)) yield readOsv(value, called, { claims });
  else for (const [index, record] of value.entries()) yield readOsv(record, `${called} entry ${index + 1}`, { claims });
}

/** Relative paths, in order; links are not followed. */
async function* jsonFiles(root: string, below = ""): AsyncGenerator<string> {
  for (const entry of (await readdir(join(root, below), { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(below, entry.name);
    if (entry.isDirectory() && entry.name !== ".git") yield* jsonFiles(root, path);
    else if (entry.isFile() && entry.name.endsWith(".json")) yield path;
  }
}

const GZIP = Buffer.from([0x1f, 0x8b]);
const unpack = promisify(gunzip);

async function document(path: string, called: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const tooLarge = () => new Fault("INPUT_TOO_LARGE", `${called} is larger than ${LIMITS.feedDocumentBytes} bytes`);
    if (size > LIMITS.feedDocumentBytes) throw tooLarge();
    const bytes = await file.readFile();
    if (!bytes.subarray(0, 2).equals(GZIP)) return bytes;
    return await unpack(bytes, { maxOutputLength: LIMITS.feedDocumentBytes }).catch((error: unknown) => {
      throw codeOf(error) === "ERR_BUFFER_TOO_LARGE" ? tooLarge() : error;
    });
  } finally {
    await file.close();
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const NEWLINE = 10;

/** Lines that are not empty. One that is too long is given cut, which makes it a problem of its own. */
async function* linesOf(path: string, called: string): AsyncGenerator<{ readonly text: string; readonly number: number }> {
  const raw = createReadStream(path);
  const stream = (await firstBytes(path)).subarray(0, 2).equals(GZIP) ? raw.pipe(createGunzip()) : raw;
  raw.on("error", (error) => stream.destroy(error));
  let number = 1;
  let total = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (part: Buffer) => {
    // What is over the ceiling is not kept: the line is refused anyway.
    if (length <= LIMITS.advisoryBytes) parts.push(part.subarray(0, LIMITS.advisoryBytes + 1 - length));
    length += part.length;
  };
  const done = (): string => {
    const text = (parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString("utf8").trim();
    [parts, length] = [[], 0];
    return text;
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > LIMITS.feedBytes) throw new Fault("INPUT_TOO_LARGE", `${called} has more than ${LIMITS.feedBytes} bytes`);
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, to));
      const text = done();
      if (text !== "") yield { text, number };
      number += 1;
      from = to + 1;
    }
    take(chunk.subarray(from));
  }
  const text = done();
  if (text !== "") yield { text, number };
}
