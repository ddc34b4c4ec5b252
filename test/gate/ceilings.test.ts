/** What one request may ask for, and what a request nobody waits for may hold. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import { sendTarball } from "../../src/surface/gate/answers.ts";
import { send } from "../kit/http.ts";
import { serve } from "../kit/loopback.ts";
import { openGate } from "./open.ts";

test("a question or an audit with too many entries is refused as too large, one at the ceiling is not", async () => {
  const { base } = await openGate();
  const post = (path: string, value: unknown) =>
    send(base, { method: "POST", path, headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
  const entry = { name: "host", version: "1.0.0" };
  const decide = await post("/-/cordon/decide", { entries: Array.from({ length: LIMITS.decideEntries + 1 }, () => entry) });
  expect(decide.status).toBe(413);
  expect(JSON.parse(decide.body.toString())).toMatchObject({ code: "REQUEST_TOO_LARGE" });
  expect((await post("/-/cordon/decide", { entries: [entry] })).status).toBe(200);
  const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, ["1.0.0"]]));
  expect((await post("/-/npm/v1/security/advisories/bulk", names(LIMITS.auditNames + 1))).status).toBe(413);
  expect(
    (await post("/-/npm/v1/security/advisories/bulk", { host: Array.from({ length: LIMITS.auditNames + 1 }, (_, at) => `1.0.${at}`) }))
      .status,
  ).toBe(413);
  expect((await post("/-/npm/v1/security/advisories/bulk", names(10))).status).toBe(200);
});

test("a client that is gone before the first chunk leaves no transfer behind", async () => {
  let aborted = 0;
  let over: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (over = resolve));
  const { url } = await serve((_request, response) => {
    response.once("close", () => {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        await pause(0);
        yield new Uint8Array(1);
      }
      const answer = { kind: "held-tail", chunks: chunks(), integrity: "sha512-x", abort: () => void (aborted += 1) } as const;
      void sendTarball(response, answer, () => undefined).finally(over);
    });
    response.destroy();
  });
  await send(url, { method: "GET", path: "/" }).catch(() => undefined);
  await finished;
  expect(aborted).toBeGreaterThan(0);
});
