/**
 * Reads cordon.yaml, strictly: an unknown key, a value without its unit, an alias, a warning of the YAML parser each refuse the
 * file. Also the JSON schema for editors, made from the same table. The only file that loads zod and yaml: import it lazily.
 */
import { Buffer } from "node:buffer";
import { LineCounter, type Document, isMap, isNode, parseDocument } from "yaml";
import * as z from "zod/mini";
import { Fault, type FaultCode } from "../base/fault.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import type { Instant } from "../base/time.ts";
import { nearest } from "../config/nearest.ts";
import { type Layer, SETTING_PATHS, type Setting, type SettingPath, settingOf } from "../config/settings.ts";
import { CHECKS } from "../check/finding.ts";
import { FAILING, type Kind, KINDS, LOCKFILE_URLS, LOG_LEVELS, PRESETS } from "../config/values.ts";

export type DocumentSource = {
  readonly text: string;
  /** File name for messages. */
  readonly source: string;
  /** A project's file may tighten policy and set little else. */
  readonly level: "machine" | "project";
  readonly now: Instant;
};

export type DocumentProblem = {
  readonly code: Extract<FaultCode, "CONFIG_INVALID" | "CONFIG_UNKNOWN_KEY" | "PROJECT_LOOSENS" | "INPUT_TOO_LARGE">;
  readonly message: string;
  readonly line?: number;
};

/** Problems named in one message. */
const NAMED = 10;

/** Throws the Fault of the first problem, with the others named. */
export function readDocument(from: DocumentSource): Layer {
  const { layer, problems } = checkDocument(from);
  const [first] = problems;
  if (!first) return layer;
  const named = problems.slice(0, NAMED).map(({ line, message }) => `${from.source}${line === undefined ? "" : `:${line}`}: ${message}`);
  throw new Fault(first.code, named.join("\n"));
}

/** Never throws. The layer holds what could be read; do not use it while there are problems. */
export function checkDocument({ text, source, level, now }: DocumentSource): {
  readonly layer: Layer;
  readonly problems: readonly DocumentProblem[];
} {
  const values = new Map<SettingPath, unknown>();
  const layer: Layer = { source, values };
  if (Buffer.byteLength(text) > LIMITS.configBytes)
    return { layer, problems: [{ code: "INPUT_TOO_LARGE", message: `larger than ${LIMITS.configBytes} bytes` }] };
  const parsed = parse(text);
  if ("problems" in parsed) return { layer, problems: parsed.problems };
  const { root, lineOf } = parsed;
  const problems: DocumentProblem[] = [];
  const add = (code: DocumentProblem["code"], path: readonly PropertyKey[], message: string) => {
    const line = lineOf(path);
    problems.push({ code, message: printable(message), ...(line === undefined ? {} : { line }) });
  };

  const loosening = level === "project" ? looseningKeys(root) : [];
  for (const path of loosening) add("PROJECT_LOOSENS", path.split("."), `a project's cordon.yaml may not set ${path}`);
  const misspelt: string[] = [];
  for (const issue of SCHEMA.safeParse(root).error?.issues ?? []) {
    const parent = issue.path.join(".");
    for (const key of issue.code === "unrecognized_keys" ? issue.keys : []) {
      const path = parent === "" ? key : `${parent}.${key}`;
      misspelt.push(path);
      if (loosening.includes(path)) continue;
      const meant = nearest(key, keysBelow(parent));
      const hint = meant === undefined ? "" : `; did you mean ${parent === "" ? meant : `${parent}.${meant}`}?`;
      add("CONFIG_UNKNOWN_KEY", [...issue.path, key], `unknown key ${path}${hint}`);
    }
    // Wrong values of settings are named below, in their own words.
    const ofSetting = SETTING_PATHS.some((path) => isWithin(parent, path));
    if (issue.code !== "unrecognized_keys" && !ofSetting)
      add("CONFIG_INVALID", issue.path, `${parent === "" ? "the document" : parent} is not a map`);
  }
  for (const path of SETTING_PATHS) {
    const raw = at(root, path);
    if (raw === undefined || misspelt.some((key) => isWithin(key, path))) continue;
    const read = KINDS[settingOf(path).kind].read(raw, now);
    if ("value" in read) values.set(path, read.value);
    else add("CONFIG_INVALID", path.split("."), `${path}: ${read.problem}`);
  }
  return { layer, problems };
}

type Parsed =
  | { readonly root: unknown; readonly lineOf: (path: readonly PropertyKey[]) => number | undefined }
  | { readonly problems: readonly DocumentProblem[] };

function parse(text: string): Parsed {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      version: "1.2",
      schema: "core",
      strict: true,
      uniqueKeys: true,
      prettyErrors: false,
    });
    const trouble = [...document.errors, ...document.warnings].slice(0, NAMED);
    if (trouble.length > 0)
      return {
        problems: trouble.map(({ message, pos }) => ({
          code: "CONFIG_INVALID",
          message: printable(message),
          line: lines.linePos(pos[0]).line,
        })),
      };
    // Aliases are refused: nothing here needs them, and they are how a small file becomes a large one.
    const root: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
    return { root, lineOf: (path) => lineOf(document, path, lines) };
  } catch (error) {
    return {
      problems: [
        {
          code: "CONFIG_INVALID",
          message: `not YAML that can be read: ${printable(error instanceof Error ? error.message : String(error))}`,
        },
      ],
    };
  }
}

/** The line a key stands on. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number | undefined {
  const parent = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(path.at(-1))) : undefined;
  const node = isNode(pair?.key) ? pair.key : document.getIn(path, true);
  return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
}

/** Design §5: "a project's `cordon.yaml` sets no upstream, data, feeds, notify, mode, listen or waiver", some of which are no keys yet. */
const NEVER_IN_PROJECTS = ["mode", "waiver", "waivers", "deny", "freeze", "policy.waiver", "policy.waivers"];

function looseningKeys(root: unknown): readonly string[] {
  const kept = SETTING_PATHS.filter((path) => settingOf(path).projectMay === "never");
  return [...kept, ...NEVER_IN_PROJECTS].filter((path) => at(root, path) !== undefined);
}

function at(root: unknown, path: string): unknown {
  let value = root;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function isWithin(path: string, setting: string): boolean {
  return path === setting || path.startsWith(`${setting}.`);
}

/** Keys that may stand below a path. */
function keysBelow(parent: string): readonly string[] {
  const below = parent === "" ? "" : `${parent}.`;
  return [...new Set(SETTING_PATHS.filter((path) => path.startsWith(below)).map((path) => path.slice(below.length).split(".")[0]!))];
}

const TEXT = z.string().check(z.minLength(1));
const NAME = z.string().check(z.regex(/^(?:@[^/\s]+\/)?[^/\s@]+$/));
const URL_TEXT = z.string().check(z.regex(/^https?:\/\/[^\s@?#]+$/));
const DAY_TEXT = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}/));

/** The shapes of values, for editors and unknown keys; what a value means is read by `KINDS`. */
const SHAPES: Readonly<Record<Kind, z.ZodMiniType>> = {
  url: URL_TEXT,
  urls: z.array(URL_TEXT),
  hosts: z.array(TEXT),
  names: z.array(NAME),
  scopes: z.record(z.string().check(z.regex(/^@[^/\s]+$/)), z.strictObject({ url: URL_TEXT, private: z.optional(z.boolean()) })),
  duration: z.string().check(z.regex(/^\d{1,6}[smhd]$/)),
  listen: z.string().check(z.regex(/^\S+:\d{1,5}$/)),
  boolean: z.boolean(),
  mirror: z.union([z.literal("off"), URL_TEXT]),
  text: TEXT,
  feeds: z.array(
    z.strictObject({
      name: TEXT,
      url: z.optional(TEXT),
      path: z.optional(TEXT),
      kind: z.optional(z.enum(["osv", "list"])),
      claims: z.optional(z.enum(["malware", "vulnerability"])),
      maxAge: z.optional(z.string().check(z.regex(/^\d{1,6}[smhd]$/))),
      refresh: z.optional(z.string().check(z.regex(/^\d{1,6}[smhd]$/))),
    }),
  ),
  notify: z.array(
    z.strictObject({ name: TEXT, url: z.optional(TEXT), file: z.optional(TEXT), format: z.optional(z.enum(["json", "slack"])) }),
  ),
  severity: z.enum(FAILING),
  checks: z.array(z.enum(CHECKS)),
  exceptions: z.array(
    z.strictObject({
      rule: z.optional(TEXT),
      advisory: z.optional(TEXT),
      package: z.optional(TEXT),
      path: z.optional(TEXT),
      owner: TEXT,
      reason: TEXT,
      expires: DAY_TEXT,
    }),
  ),
  logLevel: z.enum(LOG_LEVELS),
  lockfileUrls: z.enum(LOCKFILE_URLS),
  preset: z.enum(PRESETS),
  mode: z.union([z.literal("enforce"), z.strictObject({ monitor: z.strictObject({ owner: TEXT, expires: DAY_TEXT }) })]),
  baseline: z.strictObject({ accept: z.strictObject({ owner: TEXT, date: DAY_TEXT }) }),
};

function described(schema: z.ZodMiniType, { doc }: Setting): z.ZodMiniType {
  // A copy: rows of one kind share a shape, and each has its own description.
  const copy = z.clone(schema);
  z.globalRegistry.add(copy, { description: doc });
  return copy;
}

/** The table as nested maps of optional keys. */
function nested(prefix: string): z.ZodMiniType {
  const shape = keysBelow(prefix).map((key) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const row = (SETTING_PATHS as readonly string[]).includes(path) ? settingOf(path as SettingPath) : undefined;
    return [key, z.optional(row ? described(SHAPES[row.kind], row) : nested(path))] as const;
  });
  return z.strictObject(Object.fromEntries(shape));
}

const SCHEMA = nested("");

/** JSON schema of cordon.yaml, for editors. */
export function policySchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(SCHEMA, { target: "draft-7", io: "input" }), title: "cordon.yaml" };
}
