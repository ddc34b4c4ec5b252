import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { DAY, instant } from "../../core/base/time.ts";
import type { NotifyTarget } from "../../core/config/values.ts";
import type { Alert } from "../../core/ledger/alert.ts";
import { tempFolder } from "../../../test/kit/temp.ts";
import { openNotify } from "./notify.ts";

const ALERT: Alert = {
  at: instant(Date.UTC(2026, 2, 31, 1)),
  what: "wrong-bytes",
  name: "axios",
  version: "1.14.1",
  detail: "got <other> bytes · twice",
};

const open: Server[] = [];
afterEach(() => void open.splice(0).forEach((server) => server.close()));

/** A target on this machine that answers with these statuses in turn, then with 200. */
async function webhook(statuses: readonly number[] = []): Promise<{ readonly url: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const left = [...statuses];
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      bodies.push(body);
      response.writeHead(left.shift() ?? 200, { location: "/elsewhere" }).end();
    });
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/T0/secret`, bodies };
}

function notifier(targets: readonly NotifyTarget[], folder = tempFolder({}), now = ALERT.at) {
  const lines: string[] = [];
  const notify = openNotify({
    targets,
    folder,
    clock: { now: () => now },
    line: async () => ({ proxies: { http: undefined, https: undefined, bypass: { entries: [], matches: () => true } }, ca: [] }),
    log: (level, what, fields) => void lines.push(`${level} ${what} ${JSON.stringify(fields)}`),
    pauses: [1, 1],
  });
  return { notify, lines };
}

test("a webhook gets the document, Slack a text in which nothing is a link, a file a line", async () => {
  const [plain, slack] = [await webhook(), await webhook()];
  const file = join(tempFolder({ "kept.txt": "" }), "alerts.jsonl");
  const { notify, lines } = notifier([
    { name: "plain", url: plain.url, format: "json" },
    { name: "chat", url: slack.url, format: "slack" },
    { name: "log", file, format: "json" },
  ]);
  notify.tell(ALERT);
  notify.tell({ ...ALERT, what: "version-withdrawn" });
  await notify.idle();
  await notify.close();
  expect(plain.bodies.map((body) => JSON.parse(body))).toMatchObject([
    { schema: "cordon.alert/1", at: "2026-03-31T01:00:00.000Z", what: "wrong-bytes", name: "axios", version: "1.14.1" },
    { what: "version-withdrawn" },
  ]);
  expect(slack.bodies[0]).toBe('{"text":"cordon · axios@1.14.1 · wrong bytes: got &lt;other&gt; bytes · twice"}');
  expect(readFileSync(file, "utf8").trimEnd().split("\n")).toEqual(plain.bodies);
  expect(lines).toEqual([]);
});

test("a target that fails is tried again, logged once and without its secret", async () => {
  const { url, bodies } = await webhook([503, 503]);
  const { notify, lines } = notifier([{ name: "chat", url, format: "json" }]);
  notify.tell(ALERT);
  await notify.idle();
  await notify.close();
  expect(bodies).toHaveLength(3);
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["error", "info"]);
  expect(lines.join()).not.toContain("secret");
});

test("redirects are not followed, and what the target refuses is not tried again", async () => {
  const { url, bodies } = await webhook([302, 404]);
  const { notify, lines } = notifier([{ name: "chat", url, format: "json" }]);
  expect(await notify.test(ALERT)).toMatchObject([
    { target: "chat", result: { ok: false, message: expect.stringContaining("answered 302") } },
  ]);
  notify.tell(ALERT);
  await notify.idle();
  await notify.close();
  expect(bodies).toHaveLength(2);
  expect(lines).toHaveLength(1);
});

/** What a process that has ended left in its outbox. By its number: no process has this one, it is above what any system gives. */
function abandon(folder: string, left: string = "4194999-00000000"): void {
  for (const file of readdirSync(folder)) renameSync(join(folder, file), join(folder, file.replace(/^\d+-[0-9a-f]{8}/, left)));
}

test("what could not be delivered is told once by the next process that stays", async () => {
  const { url, bodies } = await webhook([404, 404]);
  const folder = tempFolder({});
  const target = { name: "chat", url, format: "json" } as const;
  const first = notifier([target], folder);
  first.notify.tell(ALERT);
  first.notify.tell({ ...ALERT, what: "version-withdrawn" });
  await first.notify.idle();
  await first.notify.close();
  expect(readdirSync(folder)).toHaveLength(2);
  // As in a container, where the process before had the same number.
  abandon(folder, `${process.pid}-00000000`);

  const [second, third] = [notifier([target], folder), notifier([target], folder)];
  second.notify.resume();
  third.notify.resume();
  await Promise.all([second.notify.idle(), third.notify.idle()]);
  expect(bodies.slice(2).map((body) => (JSON.parse(body) as { what: string }).what)).toEqual(["wrong-bytes", "version-withdrawn"]);
  expect(readdirSync(folder)).toEqual([]);
  await second.notify.close();
  await third.notify.close();
});

test("what is a week old, for a target that is gone, or cut short is told to nobody", async () => {
  const { url, bodies } = await webhook([404, 404]);
  const folder = tempFolder({});
  const first = notifier(
    [
      { name: "chat", url, format: "json" },
      { name: "old", url, format: "json" },
    ],
    folder,
  );
  first.notify.tell(ALERT);
  await first.notify.idle();
  await first.notify.close();
  abandon(folder);
  writeFileSync(join(folder, `4194999-00000000.chat.${"0".repeat(32)}.json`), "{");
  const later = notifier([{ name: "chat", url, format: "json" }], folder, instant(ALERT.at + 8 * DAY));
  later.notify.resume();
  await later.notify.idle();
  await later.notify.close();
  expect(bodies).toHaveLength(2);
  expect(readdirSync(folder)).toEqual([]);
});
