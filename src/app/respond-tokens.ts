/**
 * Revoking a publish token, within a response or from a machine that knows of none. Where a response has begun here, its order counts: a
 * payload that sees its stolen token die may destroy files, so nothing is revoked before what persists is gone.
 */
import { Fault } from "../core/base/fault.ts";
import { iso } from "../core/base/time.ts";
import type { Step } from "../core/response/plan.ts";
import { progressOf, whyNot } from "../core/response/progress.ts";
import { type AccountToken, tokenOf } from "../core/response/tokens.ts";
import type { ResponseVerbs, StoredResponse } from "./respond.ts";

export type TokenApi = {
  /** Base URL, without credentials. */
  readonly registry: string;
  list(): Promise<readonly AccountToken[]>;
  /** `otp`: the registry wants a one-time password, or another than the one given. */
  revoke(key: string, otp?: string): Promise<{ readonly kind: "revoked" } | { readonly kind: "otp"; readonly notice?: string }>;
  close(): Promise<void>;
};

/** The step of a response within which tokens are revoked. Fault USAGE while it has to wait. */
export function rotation({ plan, events }: StoredResponse, by: string): Step | undefined {
  const step = plan.steps.find(({ phase }) => phase === "rotate");
  if (step === undefined) return undefined;
  const progress = progressOf(plan, events);
  const { state } = progress.get(step.id)!;
  const why = state === "pending" || state === "undone" || state === "failed" ? whyNot(step, progress, by) : undefined;
  if (why !== undefined) throw new Fault("USAGE", `${step.id}: ${why}; what persists could see its token die, and destroy what it can`);
  return step;
}

/** The token meant. Fault USAGE when it is not one, or the one this is asked with: then nobody could revoke the others. */
export async function chosenToken(api: Pick<TokenApi, "list">, wanted: string): Promise<AccountToken> {
  const tokens = await api.list();
  const token = tokenOf(tokens, wanted);
  if (typeof token === "string") throw new Fault("USAGE", token);
  if (token.own && tokens.length > 1)
    throw new Fault("USAGE", "this is the token of your own login: revoke the others first, and end this one with npm logout");
  return token;
}

/** `askOtp`: undefined when nobody gives one. */
export async function revokeToken(
  api: Pick<TokenApi, "revoke">,
  token: AccountToken,
  askOtp: (notice: string | undefined) => Promise<string | undefined>,
): Promise<void> {
  let answer = await api.revoke(token.key);
  for (let tries = 0; answer.kind === "otp"; tries += 1) {
    const otp = tries < OTP_TRIES ? (await askOtp(answer.notice))?.trim() : undefined;
    if (otp === undefined || otp === "") throw new Fault("USAGE", `${token.mark} was not revoked: the registry wants a one-time password`);
    answer = await api.revoke(token.key, otp);
  }
}

/** A mistyped one, and one that ran out. */
const OTP_TRIES = 3;

/** Into the journal of the response: a mark, never the token. */
export async function noteRevoked(verbs: Pick<ResponseVerbs, "note">, plan: string, step: Step, token: AccountToken): Promise<void> {
  const made = token.created === undefined ? "" : `, made ${iso(token.created)}`;
  await verbs.note(plan, step, `revoked ${token.mark} (${token.key.slice(0, SHOWN_KEY)}${made})`);
}

/** Characters of a key that are shown: enough to tell tokens of one account from each other. */
export const SHOWN_KEY = 12;
