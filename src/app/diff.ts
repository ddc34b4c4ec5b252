/** What changed between two releases, or two tarballs: for a person who reads before deciding. Held versions can be compared too. */
import { mapChanges, type ManifestChange, compareTarballs, type TarballDiff } from "../core/analysis/release-diff.ts";
import { unifiedDiff } from "../core/base/diff.ts";
import { Fault } from "../core/base/fault.ts";
import { LIMITS } from "../core/base/limits.ts";
import { readArchive } from "../core/tarball/archive.ts";
import { type InspectPorts, type Side, sideOf, type Subject } from "./inspect.ts";

/** `cordon.diff/1`. */
export type ReleaseDiff = TarballDiff & {
  readonly schema: "cordon.diff/1";
  readonly from: string;
  readonly to: string;
  /** Set when it was asked for: unified diffs of changed small texts. */
  readonly text?: readonly TextDiff[];
};

/** `lines` of a unified diff, or why there are none. */
export type TextDiff = { readonly path: string; readonly lines: readonly string[] } | { readonly path: string; readonly left: string };

/** `text`: also the changed texts; of one file alone when it names one. */
export type DiffOptions = { readonly text?: true | string; readonly onStep?: (text: string) => void };

export type Diff = (from: Subject, to: Subject, options?: DiffOptions) => Promise<ReleaseDiff>;

export function openDiff(ports: Pick<InspectPorts, "knowledge" | "inspector" | "tarballs">): Diff {
  return async (from, to, { text, onStep = () => undefined } = {}) => {
    const before = await sideOf(ports, from, onStep);
    const after = await sideOf(ports, to, onStep);
    const found = compareTarballs(before.report, after.report);
    return {
      schema: "cordon.diff/1",
      from: before.name,
      to: after.name,
      ...found,
      manifest: [...found.manifest, ...listed(before, after)],
      ...(text === undefined ? {} : { text: await texts(before, after, found, text) }),
    };
  };
}

/** What only the registry's entry says; old releases are not kept in such detail. */
function listed({ release: before }: Side, { release: after }: Side): readonly ManifestChange[] {
  return before && after ? mapChanges("engines", before.engines, after.engines) : [];
}

async function texts(before: Side, after: Side, { files }: TarballDiff, wanted: true | string): Promise<readonly TextDiff[]> {
  const [old, own] = [contents(await before.bytes()), contents(await after.bytes())];
  if (typeof wanted === "string" && !old.has(wanted) && !own.has(wanted)) throw new Fault("USAGE", `neither of them has a file ${wanted}`);
  const changed = [...files.changed.first, ...files.added.first, ...files.removed.first].map(({ path }) => path);
  return (typeof wanted === "string" ? [wanted] : changed.toSorted()).map((path) => textDiff(path, old.get(path), own.get(path)));
}

function contents(tarball: Uint8Array): ReadonlyMap<string, Uint8Array> {
  return new Map(readArchive(tarball).entries.map(({ path, bytes }) => [path, bytes]));
}

function textDiff(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): TextDiff {
  const [old, own] = [before, after].map((bytes) => bytes && asText(bytes));
  if (old === null || own === null) return { path, left: "not a text, or larger than what is compared line by line" };
  const lines = unifiedDiff(path, old, own);
  if (lines.length <= LIMITS.textDiffLines) return { path, lines };
  return { path, lines: [...lines.slice(0, LIMITS.textDiffLines), `… ${lines.length - LIMITS.textDiffLines} lines more`] };
}

/** Null for what a line-by-line comparison says nothing about. */
function asText(bytes: Uint8Array): string | null {
  if (bytes.length > LIMITS.textDiffBytes || bytes.includes(0)) return null;
  return new TextDecoder("utf8").decode(bytes);
}
