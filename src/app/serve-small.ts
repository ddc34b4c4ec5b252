/**
 * The small endpoints (client-contract §6): dist-tags, one manifest, attestations, search, keys, ping, audit. What an upstream
 * lacks is passed on as lacking, not as an outage; what names versions goes through the same decision as everything else.
 */
import { gunzipSync } from "node:zlib";
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import type { Clock } from "../core/base/time.ts";
import type { Asker } from "../core/ledger/entry.ts";
import { sha256 } from "../core/base/digest.ts";
import { escapeName, nameMatches } from "../core/npm/name.ts";
import { withheld } from "../core/policy/verdict.ts";
import type { Judgements } from "./judgements.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Ledger, PackumentWork, Upstream } from "./ports.ts";
import type { Recorder } from "./recorder.ts";
import { type Refusal, refusalOfPackage, refusalOfVersion } from "./refusal.ts";

/** A small answer as the surface sends it. */
export type SmallAnswer =
  | { readonly kind: "json"; readonly status: number; readonly body: Uint8Array; readonly notice?: string }
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
  readonly privateNames: () => readonly string[];
};

export type ServeSmall = {
  tags(name: string): Promise<SmallAnswer>;
  /** `selector` is a version or a tag. */
  manifest(request: { name: string; selector: string; tarballBase: string; attestationsBase: string; asker: Asker }): Promise<SmallAnswer>;
  attestations(request: { name: string; version: string; asker: Asker }): Promise<SmallAnswer>;
  search(query: string): Promise<SmallAnswer>;
  /** Keys and ping: passed through unmodified. */
  pass(path: string): Promise<SmallAnswer>;
  /** npm's audit request: recorded as the tree a client claims to have, forwarded without private names, own denials merged in. */
  audit(request: { body: Uint8Array; gzip: boolean; quick: boolean; asker: Asker }): Promise<SmallAnswer>;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const json = (status: number, value: unknown): SmallAnswer => ({ kind: "json", status, body: encoder.encode(JSON.stringify(value)) });
const lacking = (): SmallAnswer => json(404, { error: "not found: the upstream registry does not have it" });

export function serveSmall(ports: SmallPorts): ServeSmall {
  async function knownOr(
    name: string,
  ): Promise<{ known: Extract<Awaited<ReturnType<Knowledge["know"]>>, { kind: "known" }> } | { answer: SmallAnswer }> {
    const known = await ports.knowledge.know(name);
    if (known.kind === "known") return { known };
    if (known.kind === "absent") return { answer: json(known.status, { error: "Not found" }) };
    return { answer: { kind: "failed", status: known.kind === "down" ? 503 : 502, message: known.message } };
  }

  return {
    async tags(name) {
      const found = await knownOr(name);
      if ("answer" in found) return found.answer;
      const judgement = await ports.judgements.ofPackage(found.known.record);
      if (judgement.served.size === 0) return { kind: "refused", refusal: refusalOfPackage(found.known.record, judgement) };
      return json(200, judgement.tags);
    },

    async manifest({ name, selector, tarballBase, attestationsBase, asker }) {
      const found = await knownOr(name);
      if ("answer" in found) return found.answer;
      const { record } = found.known;
      const judgement = await ports.judgements.ofPackage(record);
      const version = Object.hasOwn(judgement.tags, selector) ? judgement.tags[selector]! : selector;
      const verdict = judgement.withheld.get(version);
      if (verdict) {
        await ports.recorder.refused({ name, version, route: "manifest", verdict, asker, asked: true });
        return { kind: "refused", refusal: refusalOfVersion(name, version, verdict) };
      }
      if (!judgement.served.has(version)) return json(404, { error: `version not found: ${selector}` });
      const body = await ports.work.manifest(record.summary.digest, found.known.document, version, { tarballBase, attestationsBase });
      return body ? { kind: "json", status: 200, body } : json(404, { error: `version not found: ${selector}` });
    },

    async attestations({ name, version, asker }) {
      const found = await knownOr(name);
      if ("answer" in found) return found.answer;
      const judged = await ports.judgements.ofVersion(found.known.record, version, { pin: true });
      // A withheld version's attestation answers 404: pnpm 11 and later read its presence as the version being there.
      if (withheld(judged.verdict) || !judged.facts.listed) {
        await ports.recorder.refused({ name, version, route: "other", verdict: judged.verdict, asker });
        return json(404, { error: `no attestations for ${name}@${version}` });
      }
      return passed(await ports.upstream.pass({ method: "GET", path: `-/npm/v1/attestations/${escapeName(name)}@${version}`, name }));
    },

    async search(query) {
      const answer = await ports.upstream.pass({ method: "GET", path: `-/v1/search${query && `?${query}`}` });
      if (answer.kind !== "answer" || answer.status !== 200) return passed(answer);
      return { kind: "json", status: 200, body: await admittedOnly(answer.body) };
    },

    async pass(path) {
      return passed(await ports.upstream.pass({ method: "GET", path }));
    },

    async audit({ body, gzip, quick, asker }) {
      let tree: Tree;
      let plain: Uint8Array;
      try {
        plain = gzip ? gunzipSync(body, { maxOutputLength: LIMITS.requestBytes }) : body;
        tree = readTree(JSON.parse(decoder.decode(plain)), quick);
      } catch {
        return { kind: "failed", status: 400, message: "the audit request is not the JSON npm sends" };
      }
      const names = [...tree.keys()];
      const sorted = names.toSorted().map((name) => [name, [...tree.get(name)!].toSorted()] as const);
      await ports.ledger.append([
        {
          kind: "tree",
          at: ports.clock.now(),
          digest: sha256(encoder.encode(JSON.stringify(sorted))),
          packages: sorted.reduce((sum, [, versions]) => sum + versions.length, 0),
          asker,
        },
      ]);
      const own = await ownAdvisories(tree);
      const secret = ports.privateNames();
      const outward = Object.fromEntries(
        sorted.filter(([name]) => !secret.some((glob) => nameMatches(glob, name)) && !ports.upstream.baseFor(name).private),
      );
      // The retired quick form is passed as it came, unless it names something private.
      if (quick && names.some((name) => !(name in outward))) return lacking();
      const answer = await ports.upstream.pass({
        method: "POST",
        path: quick ? "-/npm/v1/security/audits/quick" : "-/npm/v1/security/advisories/bulk",
        headers: { "content-type": "application/json" },
        body: quick ? plain : encoder.encode(JSON.stringify(outward)),
      });
      const notice = own.lines.length > 0 ? { notice: own.lines.slice(0, 3).join(" - ") } : {};
      // A 5xx would cost npm 143 s of retries at the end of every install (client-contract §3); 404 it takes as "no audit here".
      const theirsOrLacking =
        answer.kind === "down" || answer.status >= 500 ? json(404, { error: "the upstream's audit cannot be reached" }) : passed(answer);
      if (quick || own.lines.length === 0) return { ...theirsOrLacking, ...notice } as SmallAnswer;
      // Own denials are shown even where the upstream has no audit; "no vulnerabilities" is never made up.
      const theirs = answer.kind === "answer" && answer.status === 200 ? asObject(answer.body) : {};
      for (const [name, advisories] of Object.entries(own.advisories))
        theirs[name] = [...(Array.isArray(theirs[name]) ? (theirs[name] as unknown[]) : []), ...advisories];
      return { ...json(200, theirs), ...notice } as SmallAnswer;
    },
  };

  function passed(answer: Awaited<ReturnType<Upstream["pass"]>>): SmallAnswer {
    if (answer.kind === "down") return { kind: "failed", status: 503, message: answer.message };
    if (answer.status >= 500) return { kind: "failed", status: 502, message: `the upstream answered ${answer.status}` };
    // 405, 410, 501: ways of saying that the endpoint does not exist. Clients handle 404 everywhere.
    if (answer.status === 404 || answer.status === 405 || answer.status === 410 || answer.status === 501) return lacking();
    return { kind: "json", status: answer.status, body: answer.body };
  }

  /** Search results show what an install would get: the repaired `latest`, and no name that is withheld whole. */
  async function admittedOnly(body: Uint8Array): Promise<Uint8Array> {
    const answer = asObject(body);
    if (!Array.isArray(answer["objects"])) throw new Fault("UPSTREAM_REFUSED", "the upstream's search answer has no `objects`");
    const kept: unknown[] = [];
    for (const object of answer["objects"] as unknown[]) {
      const found = object as { package?: { name?: unknown; version?: unknown } };
      const name = found.package?.name;
      if (typeof name !== "string") continue;
      const record = await ports.knowledge.recall(name);
      if (!record) {
        kept.push(object);
        continue;
      }
      const judgement = await ports.judgements.ofPackage(record);
      const latest = judgement.tags["latest"];
      if (latest !== undefined) kept.push({ ...found, package: { ...found.package, version: latest } });
    }
    return encoder.encode(JSON.stringify({ ...answer, objects: kept }));
  }

  async function ownAdvisories(tree: Tree): Promise<{ advisories: { [name: string]: unknown[] }; lines: string[] }> {
    const advisories: { [name: string]: unknown[] } = {};
    const lines: string[] = [];
    for (const [name, versions] of tree) {
      const record = await ports.knowledge.recall(name);
      if (!record) continue;
      for (const version of versions) {
        if (!Object.hasOwn(record.versions, version)) continue;
        const { verdict } = await ports.judgements.ofVersion(record, version, { pin: true });
        if (!withheld(verdict)) continue;
        const line = refusalOfVersion(name, version, verdict);
        lines.push(line.phrase);
        if (verdict.action !== "deny") continue;
        (advisories[name] ??= []).push({
          id: Number.parseInt(sha256(encoder.encode(`${name}@${version}`)).slice(0, 8), 16),
          url: `urn:cordon:why:${name}@${version}`,
          title: line.line,
          severity: "critical",
          vulnerable_versions: version,
          cwe: ["CWE-506"],
          cvss: { score: 0, vectorString: null },
        });
      }
    }
    return { advisories, lines };
  }
}

type Tree = Map<string, Set<string>>;

/** `{name: [versions]}`, or the retired quick form `{dependencies: {name: {version, dependencies}}}`. */
function readTree(value: unknown, quick: boolean): Tree {
  const tree: Tree = new Map();
  const add = (name: string, version: unknown) => {
    if (typeof version !== "string" || version.length > 256 || name.length > 214) return;
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
  while (pending.length > 0 && tree.size < LIMITS.packumentVersions) {
    const node = pending.pop() as { dependencies?: unknown };
    if (typeof node?.dependencies !== "object" || node.dependencies === null) continue;
    for (const [name, child] of Object.entries(node.dependencies)) {
      add(name, (child as { version?: unknown })?.version);
      pending.push(child);
    }
  }
  return tree;
}

function asObject(body: Uint8Array): { [key: string]: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch (error) {
    throw new Fault("UPSTREAM_REFUSED", "the upstream's answer is not JSON", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Fault("UPSTREAM_REFUSED", "the upstream's answer is not an object");
  return value as { [key: string]: unknown };
}
