/**
 * A whole npm registry on a loopback port, served from the package texts of `test/registry`, with its own keys and its own clock.
 * A version is visible once the clock has passed its publish moment; faults, publishing and withdrawing happen in process.
 *
 *   const registry = await startFixture({ packages: ["axios"], at: "2026-03-31T00:43:00Z" });
 *   registry.clock.advance("3d");
 *   registry.faults.add({ route: "tarball", name: "axios" }, { wrongBytes: true });
 *   expect(registry.log.tarballBytes("axios", "1.14.1")).toBe(0);
 *   await registry.stop();
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { type TestClock, testClock } from "./clock.ts";
import { type Fault, type Faults, faultTable } from "./fixture/faults.ts";
import { type Logged, type RequestLog, requestLog } from "./fixture/log.ts";
import { parsePackageTexts, readPackageFolder } from "./fixture/package-text.ts";
import { type Advisory, type Answer, failure, openRegistry, type Registry } from "./fixture/registry.ts";
import { type AccountText, openAccount } from "./fixture/tokens.ts";
import { parseTarget } from "./fixture/target.ts";
import { untilRefused } from "./until.ts";

export type Fixture = Registry & {
  /** With trailing slash. */
  readonly url: string;
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** TCP connections accepted so far. */
  connections(): number;
  /** Keys of the account's tokens that were not revoked. */
  tokens(): readonly string[];
  /** Closes the port: connections are refused until `up`, which opens the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
};

export type FixtureOptions = {
  /** Package texts and folders, mixed. A folder is a set's name below `test/registry`, or a path. */
  readonly packages: string | readonly string[];
  /** The clock's first moment: `2026-03-31T00:43:00Z`. */
  readonly at: string;
  /** Added to the `advisories.json` of each folder. */
  readonly advisories?: readonly Advisory[];
  /** Requests without `Authorization: Bearer <token>` are answered 401. */
  readonly token?: string;
  /** Where the registry is mounted: `/api/npm/main/`. */
  readonly path?: string;
};

const SETS = fileURLToPath(new URL("../registry/", import.meta.url));

export async function startFixture(options: FixtureOptions): Promise<Fixture> {
  const clock = testClock(options.at);
  const entries = [options.packages].flat();
  const folders = entries.filter((entry) => !isText(entry)).map((entry) => (existsSync(join(SETS, entry)) ? join(SETS, entry) : entry));
  const { answer, ...registry } = openRegistry({
    clock,
    texts: [
      ...folders.flatMap((folder) => readPackageFolder(folder, clock.now())),
      ...entries.filter(isText).flatMap((text) => parsePackageTexts(text, "text", clock.now())),
    ],
    advisories: [...folders.flatMap(readAdvisories), ...(options.advisories ?? [])],
    token: options.token,
  });
  const account = openAccount(folders.map(readAccount).find((one) => one !== undefined) ?? { tokens: [] });
  const faults = faultTable();
  const log = requestLog();
  const path = options.path ?? "/";

  const sockets = new Map<Socket, number>();
  let connections = 0;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => {
      // A client that went away is ordinary; anything else is a mistake in the fixture or the test, and shows.
      if (request.socket.destroyed) return;
      response.writeHead(500).end(error.stack);
    });
  });
  server.on("connection", (socket) => {
    connections += 1;
    sockets.set(socket, connections);
    socket.on("close", () => sockets.delete(socket));
  });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${path}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: asked = "", headers } = request;
    const target = asked.startsWith(path) ? parseTarget(asked.slice(path.length)) : ({ route: "other" } as const);
    const entry = log.open({ ...target, at: clock.now(), method, url: asked, headers, socket: sockets.get(request.socket) ?? 0 });
    entry.body = await readBody(request);

    const fault = faults.meet(target);
    if (fault.until) await fault.until;
    if (fault.slow) await sleep(fault.slow);
    if (fault.reset) {
      request.socket.resetAndDestroy();
      return;
    }
    const { accept = "", authorization } = headers;
    const otp = headers["npm-otp"];
    const said =
      target.route === "tokens"
        ? account.answer(target.rest ?? "", { method, authorization, otp: typeof otp === "string" ? otp : undefined }, url)
        : answer(target, { method, accept, authorization, body: entry.body }, url);
    await send(request, response, entry, { fault, answer: faulty(said, fault, asked), date: new Date(clock.now()).toUTCString() });
  }

  function listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets.keys()) socket.destroy();
    });
  }

  return {
    ...registry,
    url,
    clock,
    faults,
    log,
    connections: () => connections,
    tokens: account.left,
    async down() {
      await close();
      await untilRefused(port);
    },
    up: () => listen(port),
    stop: close,
  };
}

/** Every package text has more than one line, no path has. */
function isText(entry: string): boolean {
  return entry.includes("\n");
}

function readAdvisories(folder: string): Advisory[] {
  const file = join(folder, "advisories.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Advisory[]) : [];
}

function readAccount(folder: string): AccountText | undefined {
  const file = join(folder, "tokens.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as AccountText) : undefined;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return (request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString();
}

/** The answer after those faults that change what it says; `send` sees to those that change how it is sent. */
function faulty(answer: Answer, fault: Fault, path: string): Answer {
  if (fault.redirect !== undefined)
    return { status: 302, headers: { location: fault.redirect.replace(/\/$/, "") + path }, body: Buffer.alloc(0) };
  if (fault.html)
    return { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<!doctype html><title>Sign in</title>\n") };
  if (fault.body !== undefined) return { ...answer, status: fault.status ?? 200, body: Buffer.from(fault.body) };
  if (fault.status !== undefined) return failure(fault.status, `the fixture was told to answer ${fault.status}`);
  if (answer.status !== 200 || answer.packed || !(fault.noTime || fault.edit)) return answer;

  const document = JSON.parse(Buffer.from(answer.body).toString()) as Record<string, unknown>;
  if (fault.noTime) delete document["time"];
  fault.edit?.(document);
  return { ...answer, body: Buffer.from(JSON.stringify(document)) };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  entry: Logged,
  { fault, answer, date }: { fault: Fault; answer: Answer; date: string },
): Promise<void> {
  const headers: Record<string, string> = { date, vary: "accept-encoding, accept", ...answer.headers };
  let { status } = answer;
  let body = Buffer.from(answer.body);

  if (fault.noEtag || status !== 200) delete headers["last-modified"];
  else {
    headers["etag"] = `"${createHash("sha1").update(body).digest("hex")}"`;
    if (unchanged(request, headers)) [status, body] = [304, Buffer.alloc(0)];
  }
  if (!answer.packed && !fault.noGzip && body.length > 0 && /\bgzip\b/.test(String(request.headers["accept-encoding"]))) {
    body = gzipSync(body);
    headers["content-encoding"] = "gzip";
  }
  if (fault.wrongBytes && body.length > 0) body.writeUInt8(body.readUInt8(body.length >> 1) ^ 1, body.length >> 1);
  if (fault.cut !== undefined) body = body.subarray(0, fault.cut);
  if (!fault.chunked && status !== 304) headers["content-length"] = String(body.length);
  Object.assign(headers, fault.headers);

  entry.status = status;
  response.sendDate = false;
  response.writeHead(status, Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== "")));
  if (request.method !== "HEAD") await sendBody(response, entry, body.subarray(0, fault.truncate), fault.drip);
  if (fault.truncate !== undefined) response.destroy();
  if (response.destroyed) return;
  response.end();
  entry.complete = true;
}

/** RFC 9110 §13.1.3: If-Modified-Since counts only without If-None-Match. */
function unchanged(request: IncomingMessage, headers: Record<string, string>): boolean {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) return tags.includes(headers["etag"]!);
  return headers["last-modified"] !== undefined && request.headers["if-modified-since"] === headers["last-modified"];
}

/** Waits for each piece to leave, so that a client that reads slowly is not answered from memory; ends early when it goes away. */
async function sendBody(response: ServerResponse, entry: Logged, body: Uint8Array, drip: Fault["drip"]): Promise<void> {
  const step = drip?.bytes ?? 65_536;
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    const piece = body.subarray(at, at + step);
    entry.bytes += piece.length;
    await new Promise((resolve) => response.write(piece, resolve));
    if (drip) await sleep(drip.ms);
  }
}
