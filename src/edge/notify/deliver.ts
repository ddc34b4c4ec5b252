/** Hands one alert to one target: a POST without redirects, or a line in a file. What went wrong is said without the URL: it may be a secret. */
import { appendFile } from "node:fs/promises";
import { request } from "undici";
import { LIMITS } from "../../core/base/limits.ts";
import { printable, redact } from "../../core/base/text.ts";
import { VERSION } from "../../core/config/constants.ts";
import type { NotifyTarget } from "../../core/config/values.ts";
import { type Alert, alertDocument, alertLine } from "../../core/ledger/alert.ts";
import { explainFailure } from "../upstream/failure.ts";
import { deadline } from "../upstream/line.ts";
import type { Transport } from "../upstream/transport.ts";

/** `retry`: trying again may help. */
export type Delivery = { readonly ok: true } | { readonly ok: false; readonly message: string; readonly retry: boolean };

export async function deliver({ url, file, format }: NotifyTarget, alert: Alert, transport: () => Promise<Transport>): Promise<Delivery> {
  if (file !== undefined) return append(file, alert);
  const target = new URL(url!);
  const time = deadline(LIMITS.notifyMs);
  try {
    const { statusCode, body } = await request(target, {
      method: "POST",
      dispatcher: (await transport()).route(target, { publicOnly: false }),
      headers: { "user-agent": `cordon/${VERSION}`, "content-type": "application/json" },
      body: JSON.stringify(format === "slack" ? { text: slackText(alert) } : safeDocument(alert)),
      signal: time.signal,
    });
    body.on("error", () => {});
    void body.dump({ limit: 65_536 }).catch(() => {});
    if (statusCode >= 200 && statusCode < 300) return { ok: true };
    return { ok: false, message: `${target.host} answered ${statusCode}`, retry: statusCode >= 500 || statusCode === 429 };
  } catch (error) {
    if (time.signal.aborted)
      return { ok: false, message: `${target.host} did not answer within ${LIMITS.notifyMs / 1_000} s`, retry: true };
    return { ok: false, message: explainFailure(error, target.host, LIMITS).message, retry: true };
  } finally {
    time.end();
  }
}

async function append(file: string, alert: Alert): Promise<Delivery> {
  try {
    await appendFile(file, `${JSON.stringify(safeDocument(alert))}\n`, { mode: 0o600 });
    return { ok: true };
  } catch (error) {
    return { ok: false, message: `${file} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, retry: true };
  }
}

function safeDocument(alert: Alert): unknown {
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return redact(printable(value));
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clean(one)]));
    return value;
  };
  return clean(alertDocument(alert));
}

/** Slack, "Formatting text for app surfaces": &, < and > are the only characters to escape; without it a name could become a link. */
function slackText(alert: Alert): string {
  return redact(printable(alertLine(alert)))
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
