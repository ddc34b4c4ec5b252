/** Fetches one packument: the full form, revalidated where the upstream offers it, never redirected, and only if it is one. */
import { headerText, printable, redact } from "../../core/base/text.ts";
import { escapeName } from "../../core/npm/name.ts";
import { NOBODY, whoServes } from "./bases.ts";
import { deadline, discard, passing, persist, readBody, readEncoded, send, type Answer, type Body, type Line, type Try } from "./line.ts";

type Packument =
  | {
      readonly kind: "document";
      readonly bytes: Uint8Array;
      readonly gzip?: Uint8Array;
      readonly etag?: string;
      readonly lastModified?: string;
      readonly upstream: string;
    }
  | { readonly kind: "unchanged"; readonly upstream: string }
  | { readonly kind: "absent"; readonly upstream: string; readonly status: 404 | 410 }
  | { readonly kind: "refused"; readonly upstream: string; readonly status: number; readonly message: string }
  | { readonly kind: "down"; readonly upstream: string; readonly message: string };

export type Validators = { readonly etag?: string; readonly lastModified?: string };

export async function fetchPackument(line: Line, name: string, validators: Validators, hops: number): Promise<Packument> {
  const asked = whoServes(name, line.config);
  if ("nobody" in asked) return { kind: "refused", upstream: NOBODY.url, status: 403, message: asked.nobody };
  const { base } = asked;
  const url = new URL(escapeName(name), base.url);
  const headers = {
    // The full form has `time` and `_npmUser`; the abbreviated one is made here when a client asks for it.
    accept: "application/json",
    "accept-encoding": "gzip",
    ...(validators.etag !== undefined && { "if-none-match": validators.etag }),
    ...(validators.lastModified !== undefined && { "if-modified-since": validators.lastModified }),
  };
  const conditional = validators.etag !== undefined || validators.lastModified !== undefined;
  const { signal, end } = deadline(line.limits.upstreamPackumentMs);
  try {
    const outcome = await persist(line, { host: url.host, withinMs: line.limits.upstreamPackumentMs, signal }, async () => {
      const leave = await line.turnstile.enter("packument", signal);
      try {
        return await judge(line, await send(line, { url, base, headers, hops }, signal), { name, url, upstream: base.url, conditional });
      } finally {
        leave();
      }
    });
    return "done" in outcome ? outcome.done : { kind: "down", upstream: base.url, message: outcome.down };
  } finally {
    end();
  }
}

type Question = { readonly name: string; readonly url: URL; readonly upstream: string; readonly conditional: boolean };

async function judge(line: Line, answer: Answer, { name, url, upstream, conditional }: Question): Promise<Try<Packument>> {
  const { status } = answer;
  const refused = (message: string): Try<Packument> => ({ done: { kind: "refused", upstream, status, message } });
  const later = passing(line, answer, url.host);
  if (status !== 200 && !EXPLAINED.has(status)) discard(answer);
  if (later) return later;
  if (status === 304)
    return conditional ? { done: { kind: "unchanged", upstream } } : refused(`${url.host} answered 304 to a question without validators`);
  if (status === 404 || status === 410) return { done: { kind: "absent", upstream, status } };
  if (status >= 300 && status < 400)
    return refused(`${url.host} redirects the packument of ${name}${whereTo(answer, url)}; packuments are not followed`);
  if (EXPLAINED.has(status)) return refused(`${url.host} answered ${status} for ${name}${await reason(answer)}`);
  if (status !== 200) return refused(`${url.host} answered ${status} for ${name}`);

  let body: Body;
  try {
    body = await readEncoded(answer, line.limits.packumentBytes, `the packument of ${name}`);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "INPUT_TOO_LARGE" || code === "INPUT_UNREADABLE") return refused((error as Error).message);
    throw error;
  }
  const { bytes } = body;
  const first = edge(bytes, 1);
  if (first === LESS_THAN || /^(?:text\/html|application\/xhtml)/i.test(answer.header("content-type") ?? ""))
    return refused(`${url.host} answered ${name} with a web page: a login page or captive portal stands before the registry`);
  if (first !== OPEN_BRACE) return refused(`${url.host} answered ${name} with something that is no JSON object`);
  if (edge(bytes, -1) !== CLOSE_BRACE) return { again: `${url.host} cut the packument of ${name} off` };
  const etag = validator(answer.header("etag"));
  const lastModified = validator(answer.header("last-modified"));
  return {
    done: { kind: "document", ...body, upstream, ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) },
  };
}

/** Refusals that say why; 508 is another gate's, when the request went round in a circle. */
const EXPLAINED: ReadonlySet<number> = new Set([401, 403, 508]);

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LESS_THAN = 0x3c;

/** The first (1) or last (-1) byte that is no white space. */
function edge(bytes: Uint8Array, step: 1 | -1): number | undefined {
  let at = step === 1 ? 0 : bytes.length - 1;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += step;
  return bytes[at];
}

/** Kept and sent back later, so of a size a header may have. */
function validator(text: string | undefined): string | undefined {
  return text !== undefined && text !== "" && text.length <= 512 ? text : undefined;
}

export function whereTo(answer: Answer, from: URL): string {
  const location = answer.header("location") ?? "";
  return URL.canParse(location, from.href) ? ` to ${new URL(location, from).host}` : "";
}

/** What the registry says of its refusal, if it says it in the usual form. */
async function reason(answer: Answer): Promise<string> {
  try {
    const text = Buffer.from(await readBody(answer, 10_000, "an answer")).toString("utf8");
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? `: ${headerText(redact(printable(error)))}` : "";
  } catch {
    // The status alone says enough; its page may be anything.
    return "";
  }
}
