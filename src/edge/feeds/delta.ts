/**
 * What changed of an OSV feed since it was last read. Beside `all.zip` OSV publishes `modified_id.csv`, a line `<modified>,<id>` for each
 * record it has, newest first, and each record as `<id>.json`.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { AdvisoryReading } from "../../core/advisory/advisory.ts";
import type { FeedState } from "../../core/advisory/feeds.ts";
import { readOsv } from "../../core/advisory/osv.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { type Instant, parseInstant } from "../../core/base/time.ts";
import type { FeedConfig } from "../../core/config/values.ts";
import type { Fetched, Fetcher } from "./fetch.ts";

const WHOLE = "all.zip";
const LIST = "modified_id.csv";

export type Delta =
  /** There is no list, or it cannot be used, or too much changed: the feed is read whole. */
  | { readonly kind: "none" }
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "part";
      /** Records that changed since. */
      readonly ids: readonly string[];
      /** Every other record the feed has, and when it was last changed. */
      readonly listed: ReadonlyMap<string, Instant>;
      readonly validators: { readonly etag?: string; readonly lastModified?: string };
    };

/** `scratch`: a file to fetch the list to; the caller removes it. */
export async function whatChanged({ url, kind }: FeedConfig, state: FeedState, fetcher: Fetcher, scratch: string): Promise<Delta> {
  if (kind !== "osv" || url === undefined || state.newest === undefined || !new URL(url).pathname.endsWith(`/${WHOLE}`))
    return { kind: "none" };
  const known = { etag: state.listEtag, lastModified: state.listLastModified };
  const fetched: Fetched = await fetcher.file(new URL(LIST, url).href, scratch, known);
  if (fetched.kind === "unchanged") return { kind: "unchanged" };
  if (fetched.kind === "failed") return { kind: "none" };
  const list = await readList(scratch, state.newest);
  if (list === undefined || list.ids.length > LIMITS.feedRecordsApart) return { kind: "none" };
  const { kind: _kind, ...validators } = fetched;
  return { kind: "part", ...list, validators };
}

/** Undefined: it is no such list, or not whole in itself. A record of the very moment may have changed again within it. */
async function readList(path: string, since: Instant) {
  const listed = new Map<string, Instant>();
  const ids: string[] = [];
  const input = createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const comma = line.indexOf(",");
      const modified = comma < 0 ? undefined : parseInstant(line.slice(0, comma));
      const id = line.slice(comma + 1);
      if (modified === undefined || !/^[\w.-]{1,100}$/.test(id) || listed.size >= LIMITS.feedRecords) return undefined;
      if (modified < since) listed.set(id, modified);
      else if (ids.length <= LIMITS.feedRecordsApart) ids.push(id);
    }
  } finally {
    input.destroy();
  }
  return listed.size + ids.length === 0 ? undefined : { listed, ids };
}

/** At most so many requests at once. */
const AT_ONCE = 4;

/** Raises INPUT_UNREADABLE when one of them cannot be had: half of what changed must not count as all of it. */
export async function* recordsApart(
  url: string,
  ids: readonly string[],
  claims: FeedConfig["claims"],
  fetcher: Fetcher,
): AsyncGenerator<AdvisoryReading> {
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const few = ids.slice(at, at + AT_ONCE);
    const texts = await Promise.all(few.map((id) => fetcher.text(new URL(`${id}.json`, url).href)));
    for (const [index, found] of texts.entries()) {
      const id = few[index]!;
      if (found.kind === "failed") throw new Fault("INPUT_UNREADABLE", `record ${id} cannot be fetched: ${found.message}`);
      const reading = readOsv(found.text, `${id}.json`, { claims });
      // Another record under this address would be counted as changed every time, and this one never.
      const other = reading.advisory !== undefined && reading.advisory.id !== id;
      const problem = other ? { source: `${id}.json`, reason: `it is record ${reading.advisory.id}` } : reading.problem;
      yield { ...(other ? {} : reading), ...(problem && { problem: { ...problem, id } }) };
    }
  }
}
