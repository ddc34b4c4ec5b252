/**
 * Tokens of an account as its registry lists them: enough to know one from another and never one that could be used. The answer is hostile
 * like any other: what is too long to be a mark of a token is cut to one.
 */
import * as z from "zod/mini";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { type Instant, parseInstant } from "../base/time.ts";

export type AccountToken = {
  /** What the registry revokes it by: an id or a digest, never the token. */
  readonly key: string;
  /** Its first and last characters. */
  readonly mark: string;
  readonly name?: string;
  readonly readonly: boolean;
  /** May publish without a second factor. */
  readonly bypass: boolean;
  readonly created?: Instant;
  readonly expires?: Instant;
  readonly used?: Instant;
  /** The one this was asked with. */
  readonly own: boolean;
};

export type TokenPage = { readonly tokens: readonly AccountToken[]; readonly next?: string };

const text = z.string().check(z.maxLength(LIMITS.nameChars));
const maybe = z.optional(z.nullable(text));
const pageSchema = z.object({
  objects: z
    .array(
      z.object({
        // Ids, and digests in hex or base64; never dots, which would lead to another path.
        key: text.check(z.regex(/^[\w:=+/-]{4,}$/)),
        token: z.optional(z.nullable(z.string())),
        name: maybe,
        readonly: z.optional(z.nullable(z.boolean())),
        // Older registries say `automation`.
        automation: z.optional(z.nullable(z.boolean())),
        bypass_2fa: z.optional(z.nullable(z.boolean())),
        created: maybe,
        expiry: maybe,
        accessed: maybe,
        revoked: maybe,
      }),
    )
    .check(z.maxLength(LIMITS.accountTokens)),
  urls: z.optional(z.object({ next: z.optional(z.nullable(z.string())) })),
});

/** `own`: the token that was asked with, to find it in the list; it is compared and not kept. Undefined when it is no such answer. */
export function readTokenPage(body: string, own: string | undefined): TokenPage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const page = pageSchema.safeParse(value);
  if (!page.success) return undefined;
  const next = page.data.urls?.next;
  const tokens = page.data.objects.flatMap((one): readonly AccountToken[] => {
    if (typeof one.revoked === "string") return [];
    const mark = markOf(one.token ?? "");
    const times = { created: at(one.created), expires: at(one.expiry), used: at(one.accessed) };
    return [
      {
        key: one.key,
        mark: `${mark.start}…${mark.end}`,
        ...(typeof one.name === "string" && one.name !== "" && { name: printable(one.name) }),
        readonly: one.readonly === true,
        bypass: one.bypass_2fa === true || one.automation === true,
        ...(times.created !== undefined && { created: times.created }),
        ...(times.expires !== undefined && { expires: times.expires }),
        ...(times.used !== undefined && { used: times.used }),
        own: own !== undefined && mark.start.length >= OWN_CHARS && own.startsWith(mark.start) && own.endsWith(mark.end),
      },
    ];
  });
  return { tokens, ...(typeof next === "string" && next !== "" && { next }) };
}

/** Fewer than these of a start, `npm_` and two more, would be everybody's. */
const OWN_CHARS = 6;

/** npm answers `npm_aBcD...7890`, others only a start, some the whole token. */
function markOf(said: string): { readonly start: string; readonly end: string } {
  const [, start = "", end = ""] = /^(\S{1,8})(?:\.\.\.|…)(\S{0,4})$/.exec(said) ?? [];
  return start === "" ? { start: printable(said.slice(0, 8)), end: "" } : { start: printable(start), end: printable(end) };
}

function at(text: string | null | undefined): Instant | undefined {
  return typeof text === "string" ? parseInstant(text) : undefined;
}

/** The token a person means by the start of its key, as in npm's own list; several or none give why. */
export function tokenOf(tokens: readonly AccountToken[], wanted: string): AccountToken | string {
  const fitting = wanted.length < 4 ? [] : tokens.filter(({ key }) => key.startsWith(wanted));
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length > 1) return `${fitting.length} tokens have an id that begins with ${wanted}: give more of it`;
  return `no token has an id that begins with ${wanted}; give at least four characters of one that --tokens lists`;
}
