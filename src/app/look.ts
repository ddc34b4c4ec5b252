/**
 * Looks a package up and judges it. When a hold has ended and only the registry's confirmation is missing, the registry is asked
 * once more, however fresh its last answer: nobody waits for a cache to run out.
 */
import type { Judgements, PackageJudgement } from "./judgements.ts";
import type { Knowledge, Known, KnowOptions } from "./knowledge.ts";

export type Looked =
  | { readonly kind: "judged"; readonly known: Extract<Known, { kind: "known" }>; readonly judgement: PackageJudgement }
  | Exclude<Known, { kind: "known" }>;

/** `first`: what is known, where somebody asked already. */
export async function look(
  ports: { readonly knowledge: Knowledge; readonly judgements: Judgements },
  name: string,
  options: KnowOptions = {},
  first?: Known,
): Promise<Looked> {
  const known = first ?? (await ports.knowledge.know(name, options));
  if (known.kind !== "known") return known;
  const judgement = await ports.judgements.ofPackage(known.record);
  if (judgement.unconfirmed === undefined || known.stale !== undefined) return { kind: "judged", known, judgement };
  const again = await ports.knowledge.know(name, { ...options, since: judgement.unconfirmed });
  return again.kind === "known" ? { kind: "judged", known: again, judgement: await ports.judgements.ofPackage(again.record) } : again;
}
