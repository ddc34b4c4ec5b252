/**
 * The small endpoints (client-contract §6): dist-tags, one manifest, attestations, search, keys, ping, audit. What an upstream
 * lacks is passed on as lacking, not as an outage; what names versions goes through the same decision as everything else.
 */
import { gunzipSync } from "node:zlib";
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { sha256 } from "../core/base/digest.ts";
import { type Clock, iso } from "../core/base/time.ts";
import type { PackageRecord } from "../core/facts/history.ts";
import type { Asker } from "../core/ledger/entry.ts";
import { escapeName, isPackageName } from "../core/npm/name.ts";
import { type Verdict, withheld } from "../core/policy/verdict.ts";
import type { Judgements, PackageJudgement } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";
import { look, type Looked } from "./look.ts";
import type { Ledger, PackumentWork, Upstream } from "./ports.ts";
import { leftOutOf } from "./left-out.ts";
import type { Recorder } from "./recorder.ts";
import { type Refusal, refusal, refusalOfName, refusalOfPackage, refusalOfVersion } from "./refusal.ts";

/** A small answer as the surface sends it. */
export type SmallAnswer =
  | { readonly kind: "json"; readonly status: number; readonly body: Uint8Array; readonly notice?: string; readonly stale?: string }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "failed"; readonly status: 400 | 502 | 503; readonly message: string };

export type SmallPorts = {
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly judgements: Judgements;
  readonly work: PackumentWork;
  readonly upstream: Upstream;
  readonly recorder: Recorder;
  readonly ledger: Ledger;
};

/** Who asks, and how many gates the request had passed when it came to us. */
type From = { readonly asker: Asker; readonly hops: number };

type Bases = { readonly tarballBase: string; readonly attestationsBase: string };

export type ServeSmall = {
  tags(request: From & { readonly name: string }): Promise<SmallAnswer>;
  /** `selector` is a version or a tag. */
  manifest(request: From & Bases & { readonly name: string; readonly selector: string }): Promise<SmallAnswer>;
  attestations(request: From & { readonly name: string; readonly version: string }): Promise<SmallAnswer>;
  search(request: From & { readonly query: string }): Promise<SmallAnswer>;
  /** Keys: passed through unmodified. */
  pass(request: From & { readonly path: string }): Promise<SmallAnswer>;
  /** npm's audit request: recorded as the tree a client claims to have, forwarded without private names, own denials merged in. */
  audit(request: From & { readonly body: Uint8Array; readonly gzip: boolean; readonly quick: boolean }): Promise<SmallAnswer>;
};

type Judged = Extract<Looked, { kind: "judged" }>;
type JsonObject = Record<string, unknown>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const json = (status: number, value: unknown): Extract<SmallAnswer, { kind: "json" }> => ({
  kind: "json",
  status,
  body: encoder.encode(JSON.stringify(value)),
});
const lacking = () => json(404, { error: "not found: the upstream registry does not have it" });

export function serveSmall(ports: SmallPorts): ServeSmall {
  /** A package with its judgement, or the answer where there is none. */
  async function lookedUp(
    name: string,
    { asker, hops }: From,
    route: "manifest" | "other",
  ): Promise<Judged | { readonly answer: SmallAnswer }> {
    const looked = await look(ports, name, { hops });
    if (looked.kind === "judged") return looked;
    if (looked.kind === "absent") return { answer: json(looked.status, { error: "Not found" }) };
    if (looked.kind === "down") return { answer: { kind: "failed", status: 503, message: looked.message } };
    await ports.recorder.refused({ name, route, asker, signals: [looked.signal] });
    return { answer: { kind: "refused", refusal: refusalOfName(name, looked.message) } };
  }

  async function refuse(refusal: Refusal, { asker }: From, route: "manifest" | "other"): Promise<SmallAnswer> {
    const { name, version, verdict } = refusal;
    await ports.recorder.refused({ name, route, verdict, asker, ...(version === undefined ? {} : { version, asked: true }) });
    return { kind: "refused", refusal };
  }

  /** Must not be named to the registry that answers searches and audits. */
  function isSecret(name: string): boolean {
    return isPackageName(name) && ports.upstream.baseFor(name).private;
  }

  return {
    async tags({ name, ...from }) {
      const found = await lookedUp(name, from, "other");
      if ("answer" in found) return found.answer;
      const { known, judgement } = found;
      if (judgement.served.size === 0) return refuse(nothingOf(known.record, judgement, from), from, "other");
      return { ...json(200, judgement.tags), ...staleOf(known) };
    },

    async manifest({ name, selector, tarballBase, attestationsBase, ...from }) {
      const found = await lookedUp(name, from, "manifest");
      if ("answer" in found) return found.answer;
      const { known, judgement } = found;
      const { record } = known;
      if (judgement.served.size === 0) return refuse(nothingOf(record, judgement, from), from, "manifest");
      // A tag that had to be removed still says which version was meant, and why it is not to be had.
      const version = tagged(judgement.tags, selector) ?? tagged(record.summary.tags, selector) ?? selector;
      if (!judgement.served.has(version)) {
        const verdict = judgement.withheld.get(version) ?? (await verdictOfPast(record, version));
        if (!verdict || !withheld(verdict)) return json(404, { error: `version not found: ${selector}` });
        return refuse(refusalOfVersion(name, version, verdict), from, "manifest");
      }
      const body = await ports.work.manifest(record.summary.digest, known.document, version, { tarballBase, attestationsBase });
      return body ? { kind: "json", status: 200, body, ...staleOf(known) } : json(404, { error: `version not found: ${selector}` });
    },

    async attestations({ name, version, ...from }) {
      const found = await lookedUp(name, from, "other");
      if ("answer" in found) return found.answer;
      const judged = await ports.judgements.ofVersion(found.known.record, version, { pin: true });
      // A withheld version's attestation answers 404: pnpm 11 and later read its presence as the version being there.
      if (withheld(judged.verdict) || !judged.facts.listed) {
        await ports.recorder.refused({ name, version, route: "other", verdict: judged.verdict, asker: from.asker });
        return json(404, { error: `no attestations for ${name}@${version}` });
      }
      const path = `-/npm/v1/attestations/${escapeName(name)}@${version}`;
      return passed(await ports.upstream.pass({ method: "GET", path, name, hops: from.hops }));
    },

    async search({ query, hops }) {
      const asked = new URLSearchParams(query);
      const text = asked.get("text") ?? "";
      if (wordsOf(text).some(isSecret))
        return { kind: "refused", refusal: refusal("", "cordon: this search names something private, so it was sent to nobody") };
      const outward = new URLSearchParams({ text });
      for (const key of ["from", "quality", "popularity", "maintenance"]) if (asked.has(key)) outward.set(key, asked.get(key)!);
      // Each result is judged, so there are not many of them.
      const size = Number(asked.get("size") ?? LIMITS.searchResults);
      outward.set("size", String(size >= 0 && size < LIMITS.searchResults ? Math.floor(size) : LIMITS.searchResults));
      const answer = await ports.upstream.pass({ method: "GET", path: `-/v1/search?${outward.toString()}`, hops });
      if (answer.kind !== "answer" || answer.status !== 200) return passed(answer);
      return { kind: "json", status: 200, body: await admittedOnly(answer.body, hops) };
    },

    async pass({ path, hops }) {
      return passed(await ports.upstream.pass({ method: "GET", path, hops }));
    },

    async audit({ body, gzip, quick, asker, hops }) {
      let value: unknown;
      let tree: Tree;
      try {
        value = JSON.parse(decoder.decode(gzip ? gunzipSync(body, { maxOutputLength: LIMITS.requestBytes }) : body));
        tree = readTree(value, quick);
      } catch {
        return { kind: "failed", status: 400, message: "the audit request is not the JSON npm sends" };
      }
      const packages = [...tree.values()].reduce((sum, versions) => sum + versions.size, 0);
      if (packages > LIMITS.auditNames) throw new Fault("REQUEST_TOO_LARGE", `one audit may name ${LIMITS.auditNames} packages`);
      const sorted = [...tree]
        .map(([name, versions]) => [name, [...versions].toSorted()] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
      await ports.ledger.append([
        {
          kind: "tree",
          at: ports.clock.now(),
          digest: sha256(encoder.encode(JSON.stringify(sorted))),
          packages,
          asker,
        },
      ]);
      const own = await ownAdvisories(tree);
      const notice = own.lines.length > 0 ? { notice: own.lines.slice(0, 3).join(" - ") } : {};
      const theirs = await upstreamAudit(quick ? value : Object.fromEntries(sorted.filter(([name]) => !isSecret(name))), quick, hops);
      // "No vulnerabilities" is never made up: without an answer of the upstream there is one only where there are denials of our own.
      const merged = quick ? theirs : merge(theirs, own.advisories);
      return { ...(merged ? json(200, merged) : lacking()), ...notice };
    },
  };

  /**
   * The upstream's advisories, undefined when it gives none. A 5xx would cost npm 143 s of retries at the end of every install
   * (client-contract §3), so that an outage is no more than that.
   */
  async function upstreamAudit(value: unknown, quick: boolean, hops: number): Promise<JsonObject | undefined> {
    // The retired quick form tells a whole project and hides names in any text (aliases, paths, URLs), so with secrets it is not sent at all.
    if (quick && ports.upstream.keepsSecrets) return undefined;
    const answer = await ports.upstream.pass({
      method: "POST",
      path: quick ? "-/npm/v1/security/audits/quick" : "-/npm/v1/security/advisories/bulk",
      headers: { "content-type": "application/json" },
      body: encoder.encode(JSON.stringify(value)),
      hops,
    });
    if (answer.kind === "down" || answer.status !== 200) return undefined;
    try {
      return asObject(answer.body);
    } catch (error) {
      ports.recorder.trouble("the upstream's audit cannot be read", error);
      return undefined;
    }
  }

  async function verdictOfPast(record: PackageRecord, version: string): Promise<Verdict | undefined> {
    if (!Object.hasOwn(record.versions, version)) return undefined;
    return (await ports.judgements.ofVersion(record, version, { pin: false })).verdict;
  }

  function nothingOf(record: PackageRecord, judgement: PackageJudgement, { asker }: From): Refusal {
    ports.recorder.leftOut(record.name, leftOutOf(judgement), asker);
    const { version: _version, ...refusal } = refusalOfPackage(record, judgement);
    return refusal;
  }

  /** Search results show what an install would get: the repaired `latest`, and no name that is private or withheld whole. */
  async function admittedOnly(body: Uint8Array, hops: number): Promise<Uint8Array> {
    const answer = asObject(body);
    if (!Array.isArray(answer["objects"])) throw new Fault("UPSTREAM_REFUSED", "the upstream's search answer has no `objects`");
    const objects = answer["objects"] as unknown[];
    const judged = await Promise.all(objects.slice(0, LIMITS.searchResults).map((object) => admittedResult(object, hops)));
    const kept = judged.filter((one) => one !== undefined);
    const total =
      typeof answer["total"] === "number" ? { total: Math.max(kept.length, answer["total"] - (objects.length - kept.length)) } : {};
    return encoder.encode(JSON.stringify({ ...answer, objects: kept, ...total }));
  }

  async function admittedResult(object: unknown, hops: number): Promise<unknown> {
    const found = object as { package?: { name?: unknown } } | null;
    const name = found?.package?.name;
    if (typeof name !== "string" || !isPackageName(name) || isSecret(name)) return undefined;
    const looked = await look(ports, name, { hops });
    const latest = looked.kind === "judged" ? tagged(looked.judgement.tags, "latest") : undefined;
    if (looked.kind !== "judged" || latest === undefined) return undefined;
    return { ...found, package: { ...found!.package, version: latest, date: iso(looked.judgement.start(latest)) } };
  }

  async function ownAdvisories(
    tree: Tree,
  ): Promise<{ readonly advisories: ReadonlyMap<string, readonly unknown[]>; readonly lines: readonly string[] }> {
    const advisories = new Map<string, unknown[]>();
    const lines: string[] = [];
    for (const [name, versions] of tree) {
      const record = await ports.knowledge.recall(name);
      const judgement = record && (await ports.judgements.ofPackage(record));
      for (const version of versions) {
        if (!record || judgement!.served.has(version) || !Object.hasOwn(record.versions, version)) continue;
        const { verdict } = await ports.judgements.ofVersion(record, version, { pin: true });
        if (!withheld(verdict)) continue;
        const told = refusalOfVersion(name, version, verdict);
        lines.push(told.phrase);
        // A hold is no advisory: that would say more than is known.
        if (verdict.action === "deny") advisories.set(name, [...(advisories.get(name) ?? []), advisory(told, name, version)]);
      }
    }
    return { advisories, lines };
  }
}

function passed(answer: Awaited<ReturnType<Upstream["pass"]>>): SmallAnswer {
  if (answer.kind === "down") return { kind: "failed", status: 503, message: answer.message };
  // 405, 410, 501: ways of saying that the endpoint does not exist. Clients handle 404 everywhere.
  if (LACKING.has(answer.status)) return lacking();
  // 508 is another gate's word that requests go round in a circle: as a 502 each gate would try it again.
  if (answer.status < 500 || answer.status === 508) return { kind: "json", status: answer.status, body: answer.body };
  return { kind: "failed", status: 502, message: `the upstream answered ${answer.status}` };
}

const LACKING: ReadonlySet<number> = new Set([404, 405, 410, 501]);

/** In the form of the bulk endpoint. */
function advisory({ line }: Refusal, name: string, version: string): JsonObject {
  return {
    id: Number.parseInt(sha256(encoder.encode(`${name}@${version}`)).slice(0, 8), 16),
    url: `urn:cordon:why:${name}@${version}`,
    title: line,
    severity: "critical",
    vulnerable_versions: version,
    cwe: ["CWE-506"],
    cvss: { score: 0, vectorString: null },
  };
}

/** Undefined when there is neither. */
function merge(theirs: JsonObject | undefined, own: ReadonlyMap<string, readonly unknown[]>): JsonObject | undefined {
  if (!theirs && own.size === 0) return undefined;
  const merged = new Map(Object.entries(theirs ?? {}));
  for (const [name, advisories] of own) {
    const listed = merged.get(name);
    merged.set(name, [...(Array.isArray(listed) ? listed : []), ...advisories]);
  }
  return Object.fromEntries(merged);
}

function tagged(tags: Readonly<Record<string, string>>, tag: string): string | undefined {
  return Object.hasOwn(tags, tag) ? tags[tag] : undefined;
}

function staleOf(known: { readonly stale?: string }): { readonly stale?: string } {
  return known.stale === undefined ? {} : { stale: known.stale };
}

/** Characters no name in use has, the colon of a qualifier aside: a name may hide between any of them. */
const NO_NAME = /[^\w@/.~*:-]+/;

/** Names a search may mean: its words without qualifiers and quotes; a scope stands for any name in it. */
function wordsOf(text: string): readonly string[] {
  return text.split(NO_NAME).flatMap((word) => {
    const [, qualifier, value] = /^(?:([a-z-]+):)?(.*)$/i.exec(word)!;
    const bare = value!.replace(/^[^@A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
    if (qualifier?.toLowerCase() === "scope") return [`@${bare.replace(/^@/, "")}/any`];
    return /^@[^/]+$/.test(bare) ? [`${bare}/any`] : [bare];
  });
}

type Tree = Map<string, Set<string>>;

/** `{name: [versions]}`, or the retired quick form `{dependencies: {name: {version, dependencies}}}`. */
function readTree(value: unknown, quick: boolean): Tree {
  const tree: Tree = new Map();
  const add = (name: string, version: unknown) => {
    if (typeof version !== "string" || version.length > LIMITS.versionChars || !isPackageName(name)) return;
    const versions = tree.get(name) ?? new Set<string>();
    versions.add(version);
    tree.set(name, versions);
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Fault("USAGE", "not an audit request");
  if (!quick) {
    for (const [name, versions] of Object.entries(value)) if (Array.isArray(versions)) for (const version of versions) add(name, version);
    return tree;
  }
  const pending: unknown[] = [value];
  while (pending.length > 0 && tree.size <= LIMITS.auditNames) {
    const node = pending.pop() as { dependencies?: unknown };
    if (typeof node?.dependencies !== "object" || node.dependencies === null) continue;
    for (const [name, child] of Object.entries(node.dependencies)) {
      add(name, (child as { version?: unknown })?.version);
      pending.push(child);
    }
  }
  return tree;
}

function asObject(body: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch (error) {
    throw new Fault("UPSTREAM_REFUSED", "the upstream's answer is not JSON", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Fault("UPSTREAM_REFUSED", "the upstream's answer is not an object");
  return value as JsonObject;
}
