/**
 * Tokens of the account at a registry: lists them, revokes one. Asked with the credential of npm's own configuration, at the registry it is
 * for and nowhere else; no redirect is followed. Nothing of a token but its mark is kept, shown or logged.
 */
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import { printable, redact } from "../../core/base/text.ts";
import type { Clock } from "../../core/base/time.ts";
import { credentialFor } from "../../core/npm/npmrc.ts";
import { type AccountToken, readTokenPage } from "../../core/response/tokens.ts";
import type { UpstreamConfig } from "../upstream/config.ts";
import { type Answer, deadline, discard, type Line, openLine, persist, readBody, send, type Try } from "../upstream/line.ts";

/** npm-registry-fetch check-response.js: `www-authenticate` names OTP, or the body speaks of a one-time pass. */
const WANTS_OTP = /\botp\b|one[- ]time pass/i;

export type Revoked = { readonly kind: "revoked" } | { readonly kind: "otp"; readonly notice?: string };

export function openTokens(config: UpstreamConfig, clock: Clock) {
  const { base } = config;
  const host = new URL(base.url).host;
  const line: Line = openLine(config, { clock, jitter: Math.random, limits: LIMITS });

  type Said = { readonly status: number; readonly body: string; readonly header: Answer["header"] };

  async function ask(url: URL, method: "GET" | "DELETE", headers: Readonly<Record<string, string>> = {}): Promise<Said> {
    const time = deadline(LIMITS.upstreamPackumentMs);
    // Whether a DELETE did something is not known after a broken connection: it is asked once.
    const place = { host, withinMs: LIMITS.upstreamPackumentMs, tries: method === "GET" ? LIMITS.upstreamTries : 1, signal: time.signal };
    try {
      const outcome = await persist(line, place, async (): Promise<Try<Said>> => {
        const answer = await send(line, { url, base, method, headers: { accept: "application/json", ...headers }, hops: 0 }, time.signal);
        if (answer.status >= 300 && answer.status < 400) {
          discard(answer);
          throw new Fault("UPSTREAM_REFUSED", `${host} leads elsewhere with its tokens; that is not followed`);
        }
        const body = Buffer.from(await readBody(answer, LIMITS.upstreamAnswerBytes, `the answer of ${host}`)).toString("utf8");
        return { done: { status: answer.status, body, header: answer.header } };
      });
      if ("down" in outcome) throw new Fault("UPSTREAM_DOWN", outcome.down);
      return outcome.done;
    } finally {
      time.end();
    }
  }

  /** A page the registry names must be its own: the credential goes with the question. */
  function pageUrl(next: string): URL {
    const url = URL.canParse(next, base.url) ? new URL(next, base.url) : undefined;
    if (!url?.href.startsWith(`${base.url}-/npm/v1/tokens`))
      throw new Fault("UPSTREAM_REFUSED", `${host} names a further page of tokens that is not its own`);
    return url;
  }

  /** What was asked with, for finding it in the list. */
  function ownToken(): string | undefined {
    return /^Bearer (.+)$/i.exec(credentialFor(new URL(base.url), config.credentials)?.authorization?.() ?? "")?.[1];
  }

  return {
    registry: base.url,

    /** Fault UPSTREAM_REFUSED without a login, or where the registry has no such list. */
    async list(): Promise<readonly AccountToken[]> {
      const own = ownToken();
      const tokens: AccountToken[] = [];
      let url: URL | undefined = new URL("-/npm/v1/tokens", base.url);
      for (let pages = 0; url !== undefined; pages += 1) {
        if (pages >= LIMITS.tokenPages || tokens.length > LIMITS.accountTokens)
          throw new Fault("INPUT_TOO_LARGE", `${host} lists more than ${LIMITS.accountTokens} tokens`);
        const said = await ask(url, "GET");
        if (said.status === 401 || said.status === 403)
          throw new Fault("UPSTREAM_REFUSED", `${host} asks who you are: npm login, on a clean machine`);
        const page = said.status === 200 ? readTokenPage(said.body, own) : undefined;
        if (page === undefined)
          throw new Fault(
            "UPSTREAM_REFUSED",
            `${host} lists no tokens (it answered ${said.status}); name the registry itself with --upstream`,
          );
        tokens.push(...page.tokens);
        url = page.next === undefined ? undefined : pageUrl(page.next);
      }
      return tokens;
    },

    /** `otp`: a one-time password, where the registry asked for one. Fault UPSTREAM_REFUSED when it will not. */
    async revoke(key: string, otp?: string): Promise<Revoked> {
      const url = new URL(`-/npm/v1/tokens/token/${encodeURIComponent(key)}`, base.url);
      const said = await ask(url, "DELETE", { "npm-command": "token", ...(otp !== undefined && { "npm-otp": otp }) });
      const { status, body, header } = said;
      if (status >= 200 && status < 300) return { kind: "revoked" };
      if (status === 401 && (WANTS_OTP.test(header("www-authenticate") ?? "") || WANTS_OTP.test(body))) {
        const notice = header("npm-notice");
        return { kind: "otp", ...(notice !== undefined && { notice: printable(redact(notice)).slice(0, LIMITS.phraseChars) }) };
      }
      if (status === 403)
        throw new Fault(
          "UPSTREAM_REFUSED",
          `${host} does not let this login revoke tokens; one that works without a second factor may not: npm login, and again`,
        );
      throw new Fault("UPSTREAM_REFUSED", `${host} answered ${status}; whether the token still works, --tokens shows`);
    },

    close: (): Promise<void> => line.transport.close(),
  };
}
