/** `cordon respond --tokens` and `--revoke`: an account's publish tokens, told apart by their marks, revoked one by one after a typed word. */
import { chosenToken, noteRevoked, revokeToken, rotation, SHOWN_KEY, type TokenApi } from "../../app/respond-tokens.ts";
import type { ResponseVerbs, StoredResponse } from "../../app/respond.ts";
import { Fault } from "../../core/base/fault.ts";
import { iso } from "../../core/base/time.ts";
import type { AccountToken } from "../../core/response/tokens.ts";
import type { CommandContext } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";

export async function listTokens({ io, flags }: CommandContext, api: TokenApi, incident: string | undefined): Promise<number> {
  const tokens = await api.list();
  if (flags.json) {
    const told = tokens.map(({ created, expires, used, ...rest }) => ({
      ...rest,
      ...(created !== undefined && { created: iso(created) }),
      ...(expires !== undefined && { expires: iso(expires) }),
      ...(used !== undefined && { used: iso(used) }),
    }));
    printJson(io, "cordon.respond-tokens/1", { registry: api.registry, tokens: told });
    return 0;
  }
  const other = tokens.find(({ own }) => !own);
  const lines = [
    `${tokens.length} ${tokens.length === 1 ? "token" : "tokens"} of your account at ${safe(api.registry)}`,
    ...(tokens.length === 0 ? [] : [columns(tokens.map(row))]),
    "",
    other === undefined
      ? "None but the one you are logged in with."
      : `revoke one: ${command(incident)} --revoke ${safe(other.key.slice(0, SHOWN_KEY))}`,
  ];
  io.stdout(`${lines.join("\n")}\n`);
  return 0;
}

function row(token: AccountToken): readonly string[] {
  const { key, mark, name = "", created, used, expires } = token;
  const day = (what: string, at: AccountToken["created"]): string => (at === undefined ? "" : `${what} ${iso(at).slice(0, 10)}`);
  return [
    safe(key.slice(0, SHOWN_KEY)),
    safe(mark),
    safe(name),
    powerOf(token),
    day("made", created),
    day("used", used),
    token.own ? "your own login" : day("ends", expires),
  ];
}

function powerOf(token: AccountToken): string {
  if (token.readonly) return "reads";
  return token.bypass ? "publishes without a second factor" : "publishes";
}

function command(incident: string | undefined): string {
  return `cordon respond${incident === undefined ? "" : ` ${safe(incident)}`}`;
}

/** `begun`: the response it belongs to; absent on a machine that knows of none, as a clean one does. */
export async function revoke(
  { io, world }: CommandContext,
  api: TokenApi,
  wanted: string,
  {
    incident,
    begun,
    typed,
  }: {
    readonly incident: string | undefined;
    readonly begun: { readonly verbs: ResponseVerbs; readonly response: StoredResponse } | undefined;
    readonly typed: (word: string, shown: string) => Promise<void>;
  },
): Promise<number> {
  const step = begun && rotation(begun.response, world.user());
  const token = await chosenToken(api, wanted);
  const id = token.key.slice(0, SHOWN_KEY);
  const warning =
    begun === undefined
      ? "\nno response has begun here: be sure that every machine this token lay on is cut off and cleaned before it dies"
      : "";
  await typed(
    id,
    `${safe(`${token.mark} ${token.name ?? ""}`.trim())}: ${powerOf(token)}, at ${safe(api.registry)}\nthis cannot be taken back; what publishes with it stops${warning}\n`,
  );
  await revokeToken(api, token, async (notice) => {
    if (notice !== undefined) io.stderr(`${safe(notice)}\n`);
    return io.ask("one-time password: ");
  });
  if (begun && step) await noteRevoked(begun.verbs, begun.response.plan.id, step, token);
  if ((await api.list()).some(({ key }) => key === token.key))
    throw new Fault("UPSTREAM_REFUSED", `${token.mark} is still listed although the registry said that it was revoked`);
  io.stdout(`revoked ${safe(token.mark)}: the registry lists it no more\n\nthose that are left: ${command(incident)} --tokens\n`);
  return 0;
}
