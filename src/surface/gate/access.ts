/**
 * Who may ask, and under which public address: Host and Origin checks, client tokens, project labels.
 * The token decides what may be read; the path prefix only labels, and a mismatch is refused.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Token, TokenStore } from "../../app/ports.ts";
import { type Refusal, refusal } from "../../app/refusal.ts";
import type { Clock } from "../../core/base/time.ts";
import type { Request } from "./route.ts";

export type Access = {
  readonly clock: Clock;
  /** Public base URLs with trailing slash, by `host:port` in lower case. A request for another Host is answered 421. */
  readonly bases: () => ReadonlyMap<string, string>;
  /** Trust `x-forwarded-for` (the last hop's) because only our proxy reaches this port. */
  readonly behindProxy: boolean;
  /** Undefined: loopback, no token needed. */
  readonly tokens: TokenStore | undefined;
};

export type Admission =
  | { readonly kind: "admitted"; readonly base: string; readonly token?: Token; readonly from?: string }
  | { readonly kind: "refused"; readonly status: number; readonly refusal: Refusal; readonly headers: { readonly [name: string]: string } };

/** A promise only where a token has to be looked up: on loopback a warm answer needs none. */
export function admission(access: Access, parsed: Request, request: IncomingMessage): Admission | Promise<Admission> {
  const host = request.headers.host?.toLowerCase();
  const bases = access.bases();
  const root = host === undefined ? undefined : bases.get(host);
  // Health is asked by address, before anyone knows a name; it says nothing that needs guarding.
  const health = parsed.route.kind === "ours" && parsed.route.path === "/health";
  if (root === undefined && !health)
    return no(421, `cordon: this gate does not answer for the host ${host ?? "(none)"}; add it to publicUrls if it should`);
  const origin = request.headers.origin;
  // A web page must not drive a gate on its visitor's loopback; package managers send no Origin.
  if (origin !== undefined && ![...bases.values()].some((url) => new URL(url).origin === origin))
    return no(403, "cordon: requests from web pages of another origin are refused");
  const from = address(access, request);
  const base = `${root ?? ""}${parsed.prefix.slice(1)}`;
  const admitted = from === undefined ? { kind: "admitted" as const, base } : { kind: "admitted" as const, base, from };
  return access.tokens && !health ? withToken(access, access.tokens, parsed, request, admitted) : admitted;
}

async function withToken(
  access: Access,
  tokens: TokenStore,
  parsed: Request,
  request: IncomingMessage,
  admitted: Extract<Admission, { kind: "admitted" }>,
): Promise<Admission> {
  const secret = /^Bearer (cordon_[A-Za-z0-9_-]{20,100})$/.exec(request.headers.authorization ?? "")?.[1];
  if (secret === undefined)
    return no(401, "cordon: this gate needs a client token (`cordon token create`)", { "www-authenticate": "Bearer" });
  const token = await tokens.find(createHash("sha256").update(secret).digest("hex"));
  const now = access.clock.now();
  if (!token || token.revoked !== undefined || (token.expires !== undefined && token.expires <= now))
    return no(401, "cordon: this token is unknown, expired or revoked", { "www-authenticate": "Bearer" });
  if (parsed.project !== undefined && !mayAct(token, parsed.project))
    return no(403, `cordon: this token is not for the project ${parsed.project}`);
  return { ...admitted, token };
}

/** Whether a token covers a project. */
export function mayAct(token: Token, project: string): boolean {
  return token.projects.includes("*") || token.projects.includes(project);
}

function address(access: Access, request: IncomingMessage): string | undefined {
  const forwarded = access.behindProxy ? request.headers["x-forwarded-for"] : undefined;
  const last = (Array.isArray(forwarded) ? forwarded.at(-1) : forwarded)?.split(",").at(-1)?.trim();
  return last ?? request.socket.remoteAddress;
}

function no(status: number, line: string, headers: { readonly [name: string]: string } = {}): Admission {
  return { kind: "refused", status, refusal: refusal("", line), headers };
}
