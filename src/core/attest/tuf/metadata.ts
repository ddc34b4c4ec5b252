/**
 * The four kinds of documents of a TUF repository (specification 1.0, §4), read strictly and within ceilings. Of what is signed, members that
 * are not known here are left alone: they are part of the signed bytes, not of any decision.
 */
import { Buffer } from "node:buffer";
import * as z from "zod/mini";
import { Fault } from "../../base/fault.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { type Instant, parseInstant } from "../../base/time.ts";
import { tufCanonical } from "./canonical.ts";

const list = <T extends z.core.$ZodType>(item: T, most: number) => z.array(item).check(z.maxLength(most));
const table = <T extends z.core.$ZodType>(item: T, most: number) =>
  z.record(z.string(), item).check(z.refine((value) => Object.keys(value).length <= most, `has more than ${most} members`));
const text = z.string().check(z.maxLength(LIMITS.tufTextChars));
const count = z.int().check(z.minimum(1));

const keys = table(z.looseObject({ keytype: text, scheme: text, keyval: z.looseObject({ public: text }) }), LIMITS.tufKeys);
const keyids = list(text, LIMITS.tufKeys);
const role = z.looseObject({ keyids, threshold: count });
const length = z.int().check(z.minimum(0));
const hashes = table(z.string().check(z.regex(/^[0-9a-f]{1,200}$/)), LIMITS.tufKeys);
const fileMeta = z.looseObject({ version: count, length: z.optional(length), hashes: z.optional(hashes) });

/** §4.2: `expires` is ISO 8601 in UTC, without fractions. */
const expires = z.string().check(
  z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  z.refine((value) => parseInstant(value) !== undefined),
);
const common = { spec_version: z.string().check(z.regex(/^1\./, "is of another specification than 1")), version: count, expires };

const delegated = z.looseObject({
  name: z.string().check(
    z.regex(/^[\w.@/-]{1,200}$/),
    z.refine((value) => !value.includes("..")),
  ),
  keyids,
  threshold: count,
  paths: z.optional(list(text, LIMITS.tufPaths)),
  path_hash_prefixes: z.optional(list(z.string().check(z.regex(/^[0-9a-f]{1,64}$/)), LIMITS.tufPaths)),
  terminating: z.boolean(),
});

const SCHEMAS = {
  root: z.looseObject({
    ...common,
    _type: z.literal("root"),
    consistent_snapshot: z.optional(z.boolean()),
    keys,
    roles: z.looseObject({ root: role, timestamp: role, snapshot: role, targets: role }),
  }),
  timestamp: z.looseObject({ ...common, _type: z.literal("timestamp"), meta: z.looseObject({ "snapshot.json": fileMeta }) }),
  snapshot: z.looseObject({ ...common, _type: z.literal("snapshot"), meta: table(fileMeta, LIMITS.tufFiles) }),
  targets: z.looseObject({
    ...common,
    _type: z.literal("targets"),
    targets: table(z.looseObject({ length, hashes }), LIMITS.tufFiles),
    delegations: z.optional(z.looseObject({ keys, roles: list(delegated, LIMITS.tufRoles) })),
  }),
};

const envelope = z.looseObject({
  signatures: list(z.looseObject({ keyid: text, sig: text }), LIMITS.tufKeys),
  signed: z.looseObject({}),
});

export type TufKind = keyof typeof SCHEMAS;
export type TufSigned<K extends TufKind> = z.infer<(typeof SCHEMAS)[K]>;
export type TufKeys = z.infer<typeof keys>;
export type TufRole = z.infer<typeof role>;
export type TufFile = { readonly length?: number | undefined; readonly hashes?: Readonly<Record<string, string>> | undefined };
export type TufDelegated = z.infer<typeof delegated>;

export type TufDocument<K extends TufKind> = {
  /** The file it is, for messages. */
  readonly file: string;
  readonly signed: TufSigned<K>;
  readonly expires: Instant;
  /** What the signatures are of. */
  readonly bytes: Uint8Array;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
};

/** Proves nothing of who wrote it. Fault INPUT_UNREADABLE naming the file when it is no document of that kind. */
export function readTuf<K extends TufKind>(kind: K, file: string, content: Uint8Array | string): TufDocument<K> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(content).toString("utf8"));
  } catch {
    throw new Fault("INPUT_UNREADABLE", `${file} is not JSON`);
  }
  const { signatures, signed } = fitting(file, envelope, value);
  const bytes = tufCanonical(signed);
  if (bytes === undefined)
    throw new Fault("INPUT_UNREADABLE", `${file} holds what cannot be signed: floats, halves of characters, or depth`);
  const read = fitting(file, SCHEMAS[kind], signed) as TufSigned<K>;
  return { file, signed: read, expires: parseInstant(read.expires)!, bytes: Buffer.from(bytes), signatures };
}

function fitting<T extends z.core.$ZodType>(file: string, schema: T, value: unknown): z.output<T> {
  const read = z.safeParse(schema, value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Fault("INPUT_UNREADABLE", printable(`${file}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "of another shape"}`));
}
