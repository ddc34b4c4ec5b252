/**
 * OpenVEX 0.2.0, out and in: what somebody has said about a vulnerability of a product. Read strictly: a statement that is not
 * understood to the last word lifts nothing, and none lifts malware.
 */
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { iso, parseInstant, type Instant } from "../base/time.ts";
import type { CheckedPackage, CheckReport, Finding, FindingAdvisory } from "../check/finding.ts";
import { RULES } from "../check/rules.ts";
import { inventoryOf, uuidOf } from "./inventory.ts";
import { readPurl, type NpmPurl } from "./purl.ts";
import { exceptionText, fixText, uriText } from "./words.ts";

const CONTEXT = "https://openvex.dev/ns/v0.2.0";

const STATUSES = ["not_affected", "affected", "fixed", "under_investigation"] as const;
export type VexStatus = (typeof STATUSES)[number];

/** OpenVEX specification, "Status Justifications". */
const JUSTIFICATIONS = [
  "component_not_present",
  "vulnerable_code_not_present",
  "vulnerable_code_not_in_execute_path",
  "vulnerable_code_cannot_be_controlled_by_adversary",
  "inline_mitigations_already_exist",
] as const;
export type VexJustification = (typeof JUSTIFICATIONS)[number];

export type VexOptions = {
  /** Who says it. */
  readonly author: string;
  /** The format demands when. */
  readonly at: Instant;
};

/**
 * What the report says of every advisory it found, for `JSON.stringify`; undefined where there is none, for a document must say something.
 * The product is the project, and the package its part: a claim about this use of it, not about the package. Without a project
 * name the package itself stands there.
 */
export function vexOf(report: CheckReport, packages: readonly CheckedPackage[], { author, at }: VexOptions): unknown {
  const inventory = inventoryOf(report, packages);
  const groups = new Map<string, { readonly said: Said; readonly advisory: FindingAdvisory; readonly purls: Set<string> }>();
  for (const finding of report.findings) {
    const { advisory } = finding;
    if (advisory === undefined) continue;
    const said = saidOf(finding, advisory);
    const id = JSON.stringify([advisory.id, said]);
    const group = groups.get(id) ?? { said, advisory, purls: new Set() };
    for (const { purl } of inventory.about(finding)) if (purl !== undefined) group.purls.add(purl);
    groups.set(id, group);
  }
  const statements = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { said, advisory, purls }]) => ({
      vulnerability: vulnerabilityOf(advisory),
      products: productsOf([...purls].toSorted(), inventory.project.purl),
      ...said,
    }))
    .filter(({ products }) => products.length > 0);
  if (statements.length === 0) return undefined;
  return {
    "@context": CONTEXT,
    "@id": `urn:uuid:${uuidOf({ author, statements })}`,
    author: printable(author),
    timestamp: iso(at),
    version: 1,
    tooling: "cordon check",
    statements,
  };
}

type Said = {
  readonly status: VexStatus;
  readonly justification?: string;
  readonly impact_statement?: string;
  readonly action_statement?: string;
  readonly status_notes?: string;
};

function saidOf({ excepted, fix }: Finding, { fixed, match }: FindingAdvisory): Said {
  if (excepted !== undefined && "vex" in excepted) {
    const { status = "not_affected", justification, reason } = excepted;
    if (status === "fixed") return { status, status_notes: printable(reason) };
    return { status, ...(justification === undefined ? {} : { justification }), impact_statement: printable(reason) };
  }
  // "Affected: actions are recommended": that somebody lives with it for a while makes nobody unaffected.
  if (excepted !== undefined) return { status: "affected", action_statement: `Excepted by ${exceptionText(excepted)}` };
  const action = [...(fix ? [fixText(fix)] : []), ...(fixed.length > 0 ? [`Fixed in ${fixed.join(", ")}`] : [])].join("; ");
  if (match === "possible" || action === "") return { status: "under_investigation" };
  return { status: "affected", action_statement: printable(action) };
}

function vulnerabilityOf({ id, aliases }: FindingAdvisory): unknown {
  const others = [...new Set(aliases)].filter((alias) => alias !== id).toSorted();
  return { name: id, ...(others.length === 0 ? {} : { aliases: others }) };
}

function productsOf(purls: readonly string[], project: string | undefined): readonly unknown[] {
  const components = purls.map((purl) => ({ "@id": uriText(purl), identifiers: { purl } }));
  if (project === undefined || components.length === 0) return components;
  return [{ "@id": uriText(project), identifiers: { purl: project }, subcomponents: components }];
}

export type VexProduct = {
  readonly purl: NpmPurl;
  /** Parts of the product the statement is about; empty: the product itself. */
  readonly parts: readonly NpmPurl[];
};

export type VexStatement = {
  /** The document's id. */
  readonly document: string;
  readonly author: string;
  /** The latest of what the statement and the document say. */
  readonly at: Instant;
  /** Every id it gives the vulnerability. */
  readonly ids: readonly string[];
  readonly products: readonly VexProduct[];
  readonly status: VexStatus;
  readonly justification?: VexJustification;
  /** Its own words, printable. */
  readonly text?: string;
};

export type VexDocument = {
  readonly statements: readonly VexStatement[];
  /** What was left out and why, one line each; a document that cannot be read at all has no statements. */
  readonly problems: readonly string[];
  /** Statements about no npm package: nothing is wrong with them. */
  readonly others: number;
};

type Json = Readonly<Record<string, unknown>>;

/** Never throws on content. */
export function readVex(text: string): VexDocument {
  const refused = (problem: string): VexDocument => ({ statements: [], problems: [problem], others: 0 });
  if (text.length > LIMITS.vexChars) return refused(`more than ${LIMITS.vexChars} characters`);
  const document = parsed(text);
  if (!isRecord(document)) return refused("not a JSON object");
  const { "@context": context, "@id": id, author, timestamp, statements } = document;
  if (typeof context !== "string" || !/^https:\/\/openvex\.dev\/ns(?:\/v0\.2\.\d+)?$/.test(context))
    return refused("not an OpenVEX 0.2 document: its @context says so");
  if (!isText(id)) return refused("the document has no @id");
  if (!isText(author)) return refused("the document has no author");
  const issued = parseInstant(timestamp);
  if (issued === undefined) return refused("the document has no readable timestamp");
  if (!Array.isArray(statements)) return refused("the document has no statements");
  if (statements.length > LIMITS.vexStatements) return refused(`more than ${LIMITS.vexStatements} statements`);

  const head = { document: line(id), author: line(author), at: latest(issued, parseInstant(document["last_updated"])) };
  const read = statements.map((statement: unknown) => readStatement(statement, head));
  return {
    statements: read.flatMap((one) => (one === undefined || typeof one === "string" ? [] : [one])),
    problems: read.flatMap((one, index) => (typeof one === "string" ? [`statement ${index + 1} is left out: ${one}`] : [])),
    others: read.filter((one) => one === undefined).length,
  };
}

// The schema's `additionalProperties: false`: a word nobody here knows may be the one that matters.
const STATEMENT = new Set(
  "@id version vulnerability timestamp last_updated products status supplier status_notes justification impact_statement action_statement action_statement_timestamp".split(
    " ",
  ),
);
const COMPONENT = new Set(["@id", "identifiers", "hashes", "subcomponents"]);

function unknownKey(value: Json, known: ReadonlySet<string>): string | undefined {
  return Object.keys(value).find((key) => !known.has(key));
}

type Head = Pick<VexStatement, "document" | "author" | "at">;

/** A statement, or why it is left out; undefined when it is about no npm package. */
function readStatement(value: unknown, head: Head): VexStatement | string | undefined {
  if (!isRecord(value)) return "not an object";
  const unknown = unknownKey(value, STATEMENT);
  if (unknown !== undefined) return `"${line(unknown)}" is no part of a statement`;
  const { vulnerability, products, status, justification, impact_statement, action_statement, status_notes } = value;
  const ids = idsOf(vulnerability);
  if (ids === undefined) return "its vulnerability has no name, or too many";
  if (!isOneOf(status, STATUSES)) return "its status is none of OpenVEX's four";
  if (justification !== undefined && !isOneOf(justification, JUSTIFICATIONS)) return "its justification is none of OpenVEX's five";
  // OpenVEX specification, not_affected: "a VEX statement MUST include either a status justification or an impact_statement".
  if (status === "not_affected" && justification === undefined && !isText(impact_statement)) return "not_affected without a reason";
  for (const field of ["timestamp", "last_updated"])
    if (value[field] !== undefined && parseInstant(value[field]) === undefined) return `its ${field} cannot be read`;
  // The specification lets a product be told from the outside; nothing here tells it.
  if (!Array.isArray(products) || products.length === 0) return "it names no product";
  if (products.length > LIMITS.vexProducts) return `more than ${LIMITS.vexProducts} products`;
  const read = products.map(readProduct);
  const problem = read.find((one) => typeof one === "string");
  if (typeof problem === "string") return problem;
  const npm = read.filter((one): one is VexProduct => typeof one === "object");
  if (npm.length === 0) return undefined;
  const said = [impact_statement, action_statement, status_notes].find(isText);
  return {
    ...head,
    at: [parseInstant(value["timestamp"]), parseInstant(value["last_updated"])].reduce<Instant>(latest, head.at),
    ids,
    products: npm,
    status,
    ...(justification === undefined ? {} : { justification }),
    ...(said === undefined ? {} : { text: line(said) }),
  };
}

function idsOf(vulnerability: unknown): readonly string[] | undefined {
  if (!isRecord(vulnerability) || !isText(vulnerability["name"])) return undefined;
  const { name, aliases = [] } = vulnerability;
  if (!Array.isArray(aliases) || !aliases.every(isText) || aliases.length > LIMITS.advisoryAliases) return undefined;
  return [...new Set([name as string, ...(aliases as readonly string[])])];
}

/** The statement holds for each product by itself, so that one of another ecosystem (undefined) takes nothing from the others. */
function readProduct(value: unknown): VexProduct | string | undefined {
  const purl = readComponent(value);
  if (purl === undefined || typeof purl === "string") return purl;
  const { subcomponents = [] } = value as Json;
  if (!Array.isArray(subcomponents) || subcomponents.length > LIMITS.vexProducts) return "its subcomponents cannot be read";
  const read = subcomponents.map(readComponent);
  const problem = read.find((part) => typeof part === "string");
  if (typeof problem === "string") return problem;
  const parts = read.filter((part): part is NpmPurl => typeof part === "object");
  // About parts that are no npm packages: not about the product itself.
  return subcomponents.length > 0 && parts.length === 0 ? undefined : { purl, parts };
}

/** By its purl, which may stand under `identifiers` or be its `@id`; both must then name the same. Undefined for what is no npm package. */
function readComponent(value: unknown): NpmPurl | string | undefined {
  if (!isRecord(value)) return "a product is not an object";
  const unknown = unknownKey(value, COMPONENT);
  if (unknown !== undefined) return `"${line(unknown)}" is no part of a product`;
  const { "@id": id, identifiers, hashes } = value;
  const given = isRecord(identifiers) ? identifiers["purl"] : undefined;
  const named = [given, id].filter((one): one is string => typeof one === "string" && /^pkg:/i.test(one));
  if (!named.some((one) => /^pkg:\/*npm\//i.test(one))) return undefined;
  const purls = named.map(readPurl);
  const [purl, other] = purls;
  if (purl === undefined || purls.includes(undefined)) return "a product's purl is no npm package's";
  if (other !== undefined && JSON.stringify(other) !== JSON.stringify(purl)) return "a product has two purls that differ";
  if (purl.qualifiers.length > 0) return "a product's purl has qualifiers: it speaks of bytes from elsewhere";
  if (hashes !== undefined) return "a product is told by its hashes too, which a lockfile does not know";
  return purl;
}

/**
 * Findings with what VEX lifts marked as excepted. Of several statements about one thing the newest counts, and of the newest
 * one that lifts nothing. Malware, and whatever else may not be excepted, stays as it is, and so does what is excepted already.
 */
export function applyVex(
  findings: readonly Finding[],
  statements: readonly VexStatement[],
  project: CheckReport["project"] = {},
): readonly Finding[] {
  const byId = new Map<string, VexStatement[]>();
  for (const statement of statements)
    for (const id of statement.ids) {
      const known = byId.get(id);
      if (known === undefined) byId.set(id, [statement]);
      else known.push(statement);
    }
  return findings.map((finding) => {
    const excepted = exceptionOf(finding, byId, project);
    return excepted === undefined ? finding : { ...finding, excepted };
  });
}

function exceptionOf(
  { rule, advisory, name, version, excepted }: Finding,
  byId: ReadonlyMap<string, readonly VexStatement[]>,
  project: CheckReport["project"],
): Finding["excepted"] {
  if (!RULES[rule].exceptable || advisory === undefined || name === undefined || excepted !== undefined) return undefined;
  const about = [advisory.id, ...advisory.aliases]
    .flatMap((id) => byId.get(id) ?? [])
    .filter(({ products }) => products.some((product) => speaksOf(product, { name, version }, project)));
  const newest = Math.max(...about.map(({ at }) => at));
  const last = about.filter(({ at }) => at === newest);
  const first = last[0];
  if (first === undefined || last.some(({ status }) => status !== "not_affected" && status !== "fixed")) return undefined;
  const { document, author, status, justification, text } = first;
  return {
    vex: document,
    reason: [justification ?? status, ...(text === undefined ? [] : [text]), `says ${author}`].join(", "),
    status: status === "fixed" ? "fixed" : "not_affected",
    ...(justification === undefined ? {} : { justification }),
  };
}

type Named = { readonly name?: string | undefined; readonly version?: string | undefined };

/** The product is the package; or it is this project, and the package one of its parts. */
function speaksOf({ purl, parts }: VexProduct, subject: Named, project: Named): boolean {
  return parts.length === 0 ? covers(purl, subject) : covers(purl, project) && parts.some((part) => covers(part, subject));
}

/** A purl without a version is every version. */
function covers(purl: NpmPurl, { name, version }: Named): boolean {
  return purl.name === name && (purl.version === undefined || purl.version === version);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller: it is no object either.
    return undefined;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function isOneOf<const T extends string>(value: unknown, words: readonly T[]): value is T {
  return typeof value === "string" && (words as readonly string[]).includes(value);
}

function latest(one: Instant, other: Instant | undefined): Instant {
  return other !== undefined && other > one ? other : one;
}

function line(text: string): string {
  return printable(text).slice(0, LIMITS.policyTextChars);
}
