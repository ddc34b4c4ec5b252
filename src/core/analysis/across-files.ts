/**
 * Chains made of two files: one takes what the other sends, or carries what the other runs, and one of them imports the other. Only direct
 * imports count: in a whole package everything is reached from everything.
 */
import { LIMITS } from "../base/limits.ts";
import type { CapabilityId, ChainId } from "./capabilities.ts";
import { resolvePath } from "./reach.ts";
import type { FileEntry, FoundChain, Part } from "./report.ts";

type Halves = { readonly id: ChainId; readonly first: (part: Part) => boolean; readonly second: Part; readonly next: string };

const CHAINED: readonly Halves[] = [
  { id: "secrets-out", first: (part) => part.startsWith("takes "), second: "sends", next: "data is sent" },
  { id: "decode-run", first: (part) => part === "carries", second: "runs", next: "text is run" },
];

/** Each kind once. The key differs from that of a chain within one file: a package that has the one may still be given the other. */
export function chainsAcross(files: readonly FileEntry[]): readonly (FoundChain & { readonly path: string })[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const paths = new Set(byPath.keys());
  const chains = new Map<string, FoundChain & { readonly path: string }>();
  for (const file of byPath.values())
    for (const link of file.found?.parts ? file.found.links : []) {
      const target = resolvePath(link, file.path, paths);
      const other = target === undefined ? undefined : byPath.get(target);
      if (!other?.found?.parts || other === file) continue;
      for (const [one, two] of [
        [file, other],
        [other, file],
      ] as const)
        for (const halves of CHAINED) for (const chain of joined(halves, one, two)) chains.set(`${chain.id} ${chain.key}`, chain);
      if (chains.size >= LIMITS.chainsPerFile) return [...chains.values()];
    }
  return [...chains.values()];
}

function joined({ id, first, second, next }: Halves, one: FileEntry, two: FileEntry): readonly (FoundChain & { readonly path: string })[] {
  if (!two.found?.parts?.includes(second)) return [];
  return (one.found?.parts ?? []).filter(first).map((part) => {
    const { line = 1, code = "" } = placeOf(part, one) ?? {};
    const key = `${part.replace(/^takes /, "")} across files`;
    return { id, key, line, code: `${code} · ${next} in ${two.path}`, path: one.path };
  });
}

function placeOf(part: Part, { found }: FileEntry): { readonly line: number; readonly code: string } | undefined {
  const id: CapabilityId = part === "carries" ? "encoded-blob" : part === "takes environment" ? "env-harvest" : "credentials";
  return found?.capabilities.find((one) => one.id === id)?.where[0];
}
