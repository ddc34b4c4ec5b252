/**
 * Takes newer keys and authorities from a TUF repository: fetches what the conversation in `core/attest/tuf` asks for, keeps what it says
 * must be remembered, and stores the two targets in one step when all of it was verified. Nothing is believed before that.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { request } from "undici";
import type { TrustRefresh, TufSource } from "../../core/attest/trust-refresh.ts";
import { refreshTuf, type TufRefreshed, type TufSeen } from "../../core/attest/tuf/refresh.ts";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock } from "../../core/base/time.ts";
import { VERSION } from "../../core/config/constants.ts";
import { takeLock } from "../feeds/lock.ts";
import { readText, writeText } from "../host/files.ts";
import { explainFailure } from "../upstream/failure.ts";
import { deadline, late, upTo } from "../upstream/line.ts";
import type { Proxies } from "../upstream/proxies.ts";
import { openTransport, type Transport } from "../upstream/transport.ts";
import { lacking, loadTrust, storeTrust, type TrustTexts } from "./trust.ts";

export type RefreshOptions = {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly source: TufSource;
  /** The way to the world. */
  readonly line: () => Promise<{ readonly proxies: Proxies; readonly ca: readonly string[] }>;
};

/** Versions seen last, beside `trust.json`: without it an older repository could be believed again, though no forged one. */
const SEEN_FILE = "trust-seen.json";
const SEEN_SCHEMA = "cordon.trust-seen/1";

/** What stood in the way is part of the answer: what was believed before stays in force. */
export async function refreshTrust(options: RefreshOptions): Promise<TrustRefresh> {
  try {
    await mkdir(options.dataDir, { recursive: true });
    const lock = await takeLock(path.join(options.dataDir, "trust.lock"), options.clock.now());
    if (lock === undefined) return await notRefreshed(options.dataDir, "another sync is at it");
    try {
      return await refreshed(options);
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof Fault) return notRefreshed(options.dataDir, error.message);
    // A full disk, a folder that may not be written.
    if (error instanceof Error && "syscall" in error) return notRefreshed(options.dataDir, error.message);
    throw error;
  }
}

async function refreshed(options: RefreshOptions): Promise<TrustRefresh> {
  const { dataDir, clock, source } = options;
  const current = await loadTrust(dataDir);
  const { before, root, until, targets } = await converse(options);
  const text = (target: string) => Buffer.from(targets.get(target)!).toString("utf8");
  const texts: TrustTexts = { root: text(source.paths.root), keys: text(source.paths.keys) };
  const about = { before, root, until };
  if (texts.root === current.root && texts.keys === current.keys) return { result: "unchanged", ...about, gone: [] };
  const from = `Sigstore's repository at ${source.mirror}, root ${root}`;
  await storeTrust(dataDir, { root: Buffer.from(texts.root), keys: Buffer.from(texts.keys), from, at: clock.now(), signed: true });
  return { result: "refreshed", ...about, gone: lacking(texts, current) };
}

async function converse({ dataDir, clock, source, line }: RefreshOptions): Promise<TufRefreshed> {
  const place = path.join(dataDir, SEEN_FILE);
  const paths = [source.paths.root, source.paths.keys];
  const talk = refreshTuf({ shipped: source.root, seen: readSeen(place), targets: paths, now: clock.now() });
  const transport = openTransport({ ...(await line()), limits: LIMITS });
  const whole = deadline(LIMITS.tufMs);
  try {
    for (let step = talk.next(); ;) {
      if (step.done === true) return step.value;
      if (step.value.want === "memory") {
        writeText(place, `${JSON.stringify({ schema: SEEN_SCHEMA, ...step.value.seen })}\n`);
        step = talk.next();
      } else
        step = talk.next(
          await fetched(new URL(step.value.path, source.mirror.replace(/\/?$/, "/")), step.value.ceiling, transport, whole.signal),
        );
    }
  } finally {
    whole.end();
    await transport.close();
  }
}

/** Undefined: the repository has no such file. Fault UPSTREAM_DOWN, or INPUT_TOO_LARGE beyond the ceiling. No redirect is followed. */
async function fetched(url: URL, ceiling: number, transport: Transport, whole: AbortSignal): Promise<Uint8Array | undefined> {
  const time = deadline(LIMITS.tufFileMs);
  const signal = AbortSignal.any([time.signal, whole]);
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: transport.route(url, { publicOnly: false }),
      headers: { "user-agent": `cordon/${VERSION}`, "accept-encoding": "identity" },
      signal,
    });
    body.on("error", () => {});
    if (statusCode === 200) {
      const parts: Uint8Array[] = [];
      for await (const part of upTo(body, ceiling, url.pathname)) parts.push(part);
      return Buffer.concat(parts);
    }
    void body.dump({ limit: 65_536 }).catch(() => {});
    // Buckets answer 403 for what is not there and may not be listed.
    if (statusCode === 404 || statusCode === 403) return undefined;
    throw new Fault("UPSTREAM_DOWN", `${url.host} answered ${statusCode}`);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const ran = whole.aborted ? LIMITS.tufMs : LIMITS.tufFileMs;
    throw new Fault(
      "UPSTREAM_DOWN",
      signal.aborted ? late({ host: url.host, withinMs: ran }) : explainFailure(error, url.host, LIMITS).message,
      error,
    );
  } finally {
    time.end();
  }
}

/** A damaged file is a Fault: to begin again without it would be to forget what was seen. */
function readSeen(place: string): TufSeen | undefined {
  const text = readText(place, 2 * (LIMITS.tufRootBytes + LIMITS.tufSnapshotBytes));
  if (text === undefined) return undefined;
  const damaged = new Fault("INPUT_UNREADABLE", `${place} is damaged; remove it to begin again from the root cordon ships`);
  let value: Partial<TufSeen> & { readonly schema?: unknown };
  try {
    value = Object(JSON.parse(text)) as typeof value;
  } catch {
    throw damaged;
  }
  const { schema, root, timestamp, snapshot } = value;
  const whole = (...numbers: readonly unknown[]) => numbers.every((one) => Number.isSafeInteger(one));
  if (schema !== SEEN_SCHEMA || typeof root !== "string") throw damaged;
  if (timestamp !== undefined && !whole(timestamp?.version, timestamp?.snapshot)) throw damaged;
  if (snapshot !== undefined && !whole(snapshot?.version, ...Object.values(Object(snapshot?.files)))) throw damaged;
  return { root, ...(timestamp === undefined ? {} : { timestamp }), ...(snapshot === undefined ? {} : { snapshot }) };
}

/** `asked`: whether anybody wanted it refreshed. */
export async function notRefreshed(dataDir: string, why: string, asked = true): Promise<TrustRefresh> {
  try {
    const { source, at } = await loadTrust(dataDir);
    return { result: "not-refreshed", why, asked, used: source === "stored" && at !== undefined ? at : "shipped" };
  } catch (error) {
    if (error instanceof Fault) return { result: "not-refreshed", why: error.message, asked, used: "nothing" };
    throw error;
  }
}
