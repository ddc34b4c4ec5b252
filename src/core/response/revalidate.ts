/**
 * Whether what is left after a rollback, and what was published in our name, is what it should be: told in lines for the report, each with
 * its evidence. What nobody could be asked about is never taken for good.
 */
import semver from "semver";
import type { Proof } from "../attest/attested.ts";
import { type Instant, parseInstant } from "../base/time.ts";
import type { Facts } from "../facts/facts.ts";
import type { ResolvedTree } from "../lockfile/tree.ts";
import type { Publisher } from "../npm/release.ts";
import type { Verdict } from "../policy/verdict.ts";

/** One version as it was looked at. */
export type Looked = {
  readonly name: string;
  readonly version: string;
  /** What the lockfile says of its bytes. */
  readonly integrity?: string;
  /** The registry's integrity, when it differs. */
  readonly differs?: string;
  readonly verdict: Pick<Verdict, "action" | "reasons">;
  readonly facts?: Pick<Facts, "integrity" | "attested">;
};

export type LookedAt = {
  readonly decided: readonly Looked[];
  readonly unknown: readonly { readonly name: string; readonly version: string; readonly why: string }[];
};

export type Revalidated = { readonly detail: string; readonly found: readonly string[]; readonly problem?: string };

/** Everything the lockfiles of one project name. */
export function judgeEntries(
  trees: readonly Pick<ResolvedTree, "path" | "packages" | "problems">[],
  { decided, unknown }: LookedAt,
): Revalidated {
  const elsewhere = trees
    .flatMap(({ packages }) => packages)
    .filter(({ source: { kind } }) => kind !== "registry" && kind !== "workspace" && kind !== "link" && kind !== "bundled");
  const problems = trees.flatMap(({ path, problems: all }) => all.map((one) => ({ ...one, text: `${path}:${one.line}: ${one.message}` })));
  const wrong = [...problems.filter(({ severity }) => severity === "error").map(({ text }) => text), ...decided.flatMap(wrongOf)];
  const unsaid = unknown.map(({ name, version, why }) => `${name}@${version}: not checked: ${why}`);
  const same = decided.filter(
    ({ integrity, differs, facts }) => integrity !== undefined && facts?.integrity !== undefined && differs === undefined,
  );
  const counts = [
    `${trees.map(({ path }) => path).join(", ")}: ${same.length} of ${decided.length + unknown.length} versions have the registry's own bytes`,
    `signatures of the registry: ${states(decided.map(({ facts }) => facts?.attested?.own.signature))}`,
    `provenance: ${states(decided.map(({ facts }) => facts?.attested?.own.provenance))}`,
    ...(elsewhere.length === 0
      ? []
      : [`from no registry, so nobody vouches for their bytes: ${elsewhere.map(({ name, version }) => `${name}@${version}`).join(", ")}`]),
  ];
  const bad = [...wrong, ...unsaid];
  return {
    detail: counts[0]!,
    found: [...bad, ...counts, ...problems.filter(({ severity }) => severity === "warning").map(({ text }) => text)],
    ...(bad.length > 0 && { problem: bad.length === 1 ? bad[0]! : `${bad[0]}; and ${bad.length - 1} more` }),
  };
}

function wrongOf(looked: Looked): readonly string[] {
  const { name, version, integrity, differs, verdict, facts } = looked;
  const said = (text: string): string => `${name}@${version}: ${text}`;
  const { signature, provenance, publish } = facts?.attested?.own ?? {};
  const invalid = (what: string, proof: Proof | undefined): readonly string[] =>
    proof?.state === "invalid" ? [said(`${what} does not hold: ${proof.reason}`)] : [];
  return [
    ...(differs === undefined ? [] : [said(`the lockfile has ${integrity}, the registry ${differs}`)]),
    ...(verdict.action === "deny" ? [said(`denied: ${verdict.reasons.map(({ title }) => title).join("; ")}`)] : []),
    ...invalid("the registry's signature", signature),
    ...invalid("the attestation of its build", provenance),
    ...invalid("the attestation of its publish", publish),
  ];
}

const SAID: Readonly<Record<Proof["state"], string>> = {
  valid: "hold",
  invalid: "do not hold",
  absent: "absent",
  unverifiable: "cannot be verified here",
  "not-checked": "could not be fetched",
};

function states(proofs: readonly (Proof | undefined)[]): string {
  const counts = new Map<string, number>();
  for (const proof of proofs) {
    const word = proof === undefined ? "not looked at" : SAID[proof.state];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ") || "none to look at";
}

export type OwnVersion = {
  readonly version: string;
  /** ISO. */
  readonly at: string;
  readonly publisher: Publisher | undefined;
  /** It is listed no more: somebody took it away. */
  readonly gone?: true;
};

/**
 * When versions of a package appeared, by its packument: also of those that were taken away since, which is what happens to what a worm
 * published. Nothing where the document does not say.
 */
export function timesIn(document: Uint8Array): ReadonlyMap<string, Instant> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(document));
  } catch {
    return new Map(); // whoever read the packument has told so
  }
  const times = (value as { readonly time?: unknown } | null)?.time;
  if (typeof times !== "object" || times === null) return new Map();
  return new Map(
    Object.entries(times).flatMap(([version, at]) => {
      const instant = typeof at === "string" && semver.valid(version) !== null ? parseInstant(at) : undefined;
      return instant === undefined ? [] : [[version, instant] as const];
    }),
  );
}

/** Versions of a package of ours that appeared since an incident began. `tags`: all of the repository's. */
export function judgeOwn(
  name: string,
  versions: readonly OwnVersion[],
  { decided }: LookedAt,
  tags: readonly string[] | { readonly why: string },
): Revalidated {
  if (versions.length === 0) return { detail: `no version of ${name} appeared since`, found: [`no version of ${name} appeared since`] };
  const known = new Set("why" in tags ? [] : tags);
  const told = versions.map(({ version, at, publisher, gone }) => {
    const tag = tagNames(name, version).find((one) => known.has(one));
    const proofs = decided.find((one) => one.version === version)?.facts?.attested?.own;
    if (gone)
      return {
        tag,
        line: `${name}@${version} appeared ${at} and is listed no more; ${tag === undefined ? "no tag of git names it" : `tag ${tag}`}`,
      };
    const by = publisher?.trusted ? `a build (${publisher.trusted.id})` : (publisher?.name ?? "nobody the registry names");
    const named = tag === undefined ? ("why" in tags ? `git's tags cannot be read: ${tags.why}` : "no tag of git names it") : `tag ${tag}`;
    const signed = `signature: ${states([proofs?.signature])}; provenance: ${states([proofs?.provenance])}`;
    return { tag, line: `${name}@${version} appeared ${at}, by ${by}; ${named}; ${signed}` };
  });
  const open = told.filter(({ tag }) => tag === undefined);
  return {
    detail: `${versions.length} since, each with a tag of git`,
    found: told.map(({ line }) => line),
    ...(open.length > 0 && {
      problem: `${open.length} of ${versions.length} that appeared since, nobody tagged; first ${open[0]!.line}`,
    }),
  };
}

/** How repositories name the tag of a release. A tag that merely ends in the number could be another package's. */
function tagNames(name: string, version: string): readonly string[] {
  const short = name.slice(name.indexOf("/") + 1);
  return [
    `v${version}`,
    version,
    ...[name, short].flatMap((one) => [`${one}@${version}`, `${one}@v${version}`, `${one}-v${version}`, `${one}-${version}`]),
  ];
}
