/**
 * An incident pack: one compromise as data, so that every machine is asked the same questions. Versions and bytes, when they could be had,
 * what they leave behind, and what must be done in which order. Indicators are written so that nothing resolves or links them by accident.
 */
import { Buffer } from "node:buffer";
import * as z from "zod/mini";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { parseInstant } from "../base/time.ts";
import { parseIntegrity } from "../npm/integrity.ts";
import { isPackageName } from "../npm/name.ts";
import { isVersion } from "../lockfile/identity.ts";

export const PACK_SCHEMA = "cordon.incident-pack/1";

const text = z.string().check(
  z.minLength(1),
  z.maxLength(2_000),
  z.refine((value) => printable(value) === value, "holds control characters"),
);
const time = z.string().check(z.refine((value) => parseInstant(value) !== undefined, "is not an ISO 8601 time with a zone"));
const name = z.string().check(z.refine(isPackageName, "is not a package name"));
const version = z.string().check(z.refine(isVersion, "is not a version"));
const sri = z.string().check(z.refine((value) => parseIntegrity(value).kind === "integrity", "is not an integrity string"));
/** `example[.]com`: a dot that could be clicked is refused. */
const defanged = z.string().check(
  z.maxLength(500),
  z.refine(
    (value) => !/[a-z0-9]\.[a-z0-9]/i.test(value.replaceAll("[.]", "")) && !/^https?:/i.test(value),
    "is not defanged: write [.] and hxxp",
  ),
);
const list = <T extends z.core.$ZodType>(item: T, most: number) => z.array(item).check(z.maxLength(most));

const poisonedVersion = z.strictObject({
  version,
  /** SRI of the bytes, of any algorithm. */
  integrity: z.optional(list(sri, 10)),
  published: z.optional(time),
  removed: z.optional(time),
});

const packageOf = z.strictObject({
  name,
  /** `carrier`: a known name with a bad version. `payload`: the attacker's own package. `worm`: a later victim. */
  role: z.enum(["carrier", "payload", "worm"]),
  versions: list(poisonedVersion, LIMITS.advisoryVersions),
  /** Nothing honest was ever published under this name: each version counts, also one that nobody listed. */
  everyVersion: z.optional(z.literal(true)),
});

/** Left on disk by the payload. `generic`: others use this name too, so it counts only beside something that is certain. */
const artefact = z.strictObject({
  /** Absolute, or beginning with `~/` or `%NAME%\`; for `files` a file's name, or the end of its path: `.claude/setup.mjs`. */
  path: text,
  platform: z.optional(z.enum(["linux", "darwin", "win32"])),
  generic: z.optional(z.boolean()),
  /** What finding it means: the payload ran, or only that it is here. */
  means: z.enum(["executed", "installed"]),
});

const tell = z.strictObject({
  /** The lockfile or the client's record names `locked`, but the folder says `folder`. */
  kind: z.literal("folder-differs"),
  name,
  locked: version,
  folder: version,
  says: text,
});

const source = z.strictObject({ title: text, url: z.optional(z.string().check(z.maxLength(500))) });

export const packSchema = z.strictObject({
  schema: z.literal(PACK_SCHEMA),
  id: z.string().check(z.regex(/^[a-z0-9@][a-z0-9.@/_+-]{0,299}$/i)),
  /** Raised with every change. */
  revision: z.int().check(z.minimum(1)),
  title: text,
  summary: text,
  aliases: list(z.string().check(z.regex(/^[\x21-\x7e]{1,100}$/)), LIMITS.advisoryAliases),
  /** `partial`: more was poisoned than is listed, so nothing can be ruled out by it. */
  coverage: z.strictObject({ kind: z.enum(["complete", "partial"]), note: z.optional(text) }),
  packages: list(packageOf, LIMITS.advisoryAffected).check(z.minLength(1)),
  /** Harmless by themselves, but only ever published to prepare the attack. */
  decoys: z.optional(list(z.strictObject({ name, version, note: text }), 100)),
  /** The first poisoned version could be had from `from` on and the last was gone at `until`, both excluded where unknown. */
  window: z.strictObject({
    from: z.optional(time),
    until: z.optional(time),
    /** How long a cache may have gone on serving it. Absent: until somebody purged it. */
    cachesUntil: z.optional(time),
    precision: z.enum(["minute", "hour", "day"]),
  }),
  /** When the payload runs. */
  execution: z.enum(["install", "import", "browser", "none", "unknown"]),
  tells: z.optional(list(tell, 100)),
  indicators: z.optional(
    z.strictObject({
      domains: z.optional(list(defanged, 1_000)),
      addresses: z.optional(list(defanged, 1_000)),
      urls: z.optional(list(defanged, 1_000)),
      emails: z.optional(list(defanged, 1_000)),
      markers: z.optional(list(text, 1_000)),
      /** On the machine. */
      paths: z.optional(list(artefact, 1_000)),
      /** In a project, by name or by the end of the path. */
      files: z.optional(list(artefact, 1_000)),
    }),
  ),
  /** Steps of the response that must not be swapped. */
  ordering: z.optional(list(z.strictObject({ first: text, next: text, because: text }), 100)),
  sources: list(source, 200),
});

export type IncidentPack = z.infer<typeof packSchema>;
export type PackArtefact = z.infer<typeof artefact>;

/** A pack or every reason why it is none. */
export function readPack(content: string): { readonly pack: IncidentPack } | { readonly problems: readonly string[] } {
  if (Buffer.byteLength(content) > LIMITS.advisoryBytes) return { problems: [`larger than ${LIMITS.advisoryBytes} bytes`] };
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return { problems: ["it is not JSON"] };
  }
  const read = packSchema.safeParse(value);
  if (read.success) return { pack: read.data };
  return {
    problems: read.error.issues.slice(0, 10).map((issue) => {
      const where = issue.path.length === 0 ? "the pack" : issue.path.join(".");
      const known: Readonly<Record<string, string>> = {
        unrecognized_keys: `unknown key ${"keys" in issue ? String(issue.keys) : ""}`,
        invalid_type: `must be ${"expected" in issue ? String(issue.expected) : "another type"}`,
      };
      return printable(`${where}: ${known[issue.code ?? ""] ?? issue.message}`);
    }),
  };
}

/** `1.0.1, 1.0.2`, for a person; of many versions the first ones. */
export function poisonedText({ versions, everyVersion }: IncidentPack["packages"][number], most = Infinity): string {
  if (everyVersion) return "(every version)";
  const first = versions.slice(0, most).map(({ version }) => version);
  return `${first.join(", ")}${versions.length > most ? ` and ${versions.length - most} more` : ""}`;
}

/** How a pack is written down: two spaces, a line end, fields as they stand. Digests and signatures are of these bytes. */
export function packText(pack: IncidentPack): string {
  return `${JSON.stringify(pack, undefined, 2)}\n`;
}

/** The JSON Schema of a pack, for whoever writes one by hand. */
export function packJsonSchema(): object {
  return { ...z.toJSONSchema(packSchema, { target: "draft-2020-12", io: "input" }), title: PACK_SCHEMA };
}
