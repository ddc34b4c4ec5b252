/**
 * What the signed text of an attestation says, held against the version it was asked for. The signature over it is somebody else's
 * business (`attestations.ts`); everything here is what a Sigstore verifier leaves open.
 */
import { Buffer } from "node:buffer";
import { parseIntegrity } from "../npm/integrity.ts";
import { purl } from "../npm/name.ts";
import { fieldOf } from "./keys.ts";

export type Subject = {
  readonly name: string;
  readonly version: string;
  /** SRI of the bytes that are served under it, or were listed. */
  readonly integrity: string;
};

/** The two kinds npm makes; every other one is left alone. */
export type StatementKind = "publish" | "provenance";

export type Statement = { readonly type: unknown; readonly predicateType: string; readonly subject: unknown; readonly predicate: unknown };

const PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";
const PROVENANCES: ReadonlySet<string> = new Set(["https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"]);
const STATEMENTS: ReadonlySet<unknown> = new Set(["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"]);

export function kindOf(predicateType: unknown): StatementKind | undefined {
  if (predicateType === PUBLISH) return "publish";
  return typeof predicateType === "string" && PROVENANCES.has(predicateType) ? "provenance" : undefined;
}

/** Undefined when the bytes are no statement at all. */
export function readStatement(payload: Uint8Array): Statement | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    const predicateType = fieldOf(value, "predicateType");
    if (typeof predicateType !== "string") return undefined;
    return { type: fieldOf(value, "_type"), predicateType, subject: fieldOf(value, "subject"), predicate: fieldOf(value, "predicate") };
  } catch {
    return undefined;
  }
}

export type Objection = { readonly state: "invalid" | "unverifiable"; readonly reason: string };

/** Why a signed statement says nothing about these bytes under this name and version; undefined when it speaks of exactly them. */
export function objectionTo({ type, subject, predicate, predicateType }: Statement, asked: Subject): Objection | undefined {
  if (!STATEMENTS.has(type)) return { state: "unverifiable", reason: "it is a statement of a form this cordon does not know" };
  if (!Array.isArray(subject) || subject.length !== 1)
    return invalid(`it speaks of ${Array.isArray(subject) ? subject.length : "no"} subjects, not of one`);

  const name = fieldOf(subject[0], "name");
  const wanted = purl(asked.name, asked.version);
  if (name !== wanted) return invalid(`it speaks of ${typeof name === "string" ? name : "nothing named"}, not of ${wanted}`);

  const integrity = parseIntegrity(asked.integrity);
  const known = integrity.kind === "integrity" ? integrity.digests.sha512 : undefined;
  if (known?.length !== 1) return { state: "unverifiable", reason: "there is no single sha512 of the version to hold it against" };
  const digest = fieldOf(fieldOf(subject[0], "digest"), "sha512");
  if (digest !== Buffer.from(known[0]!, "base64").toString("hex")) return invalid("it speaks of other bytes, or names no sha512");

  // npm's publish attestation, v0.1: predicate = {name, version, registry}.
  if (predicateType === PUBLISH && (fieldOf(predicate, "name") !== asked.name || fieldOf(predicate, "version") !== asked.version))
    return invalid("it attests that another version was published");
  return undefined;
}

/**
 * The repository a build says it built, as `https://host/owner/name`; undefined when it does not say. A claim of the build: only good for
 * contradicting the certificate, which is the authority.
 */
export function claimedRepository({ predicate }: Statement): string | undefined {
  // SLSA v1, GitHub's workflow build type: buildDefinition.externalParameters.workflow.repository.
  const workflow = fieldOf(fieldOf(fieldOf(predicate, "buildDefinition"), "externalParameters"), "workflow");
  // SLSA v0.2: invocation.configSource.uri, e.g. `git+https://github.com/owner/name@refs/heads/main`.
  const source = fieldOf(fieldOf(fieldOf(predicate, "invocation"), "configSource"), "uri");
  const text = fieldOf(workflow, "repository") ?? source;
  // Any other way of naming a repository contradicts nothing.
  return typeof text === "string" ? /^(?:git\+)?(https:\/\/[^/@]+\/[^@]+?)(?:\.git)?\/?(?:@.*)?$/s.exec(text)?.[1] : undefined;
}

function invalid(reason: string): Objection {
  return { state: "invalid", reason };
}
