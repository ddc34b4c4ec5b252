/** What of a lockfile entry advisories may be asked about. Reference A.3.10: identity before name. */
import type { ResolvedPackage } from "../lockfile/tree.ts";

export type AdvisorySubject = {
  readonly name: string;
  /** Undefined: the file does not say. */
  readonly version: string | undefined;
  /** sha512 SRI the file promises, one digest each. */
  readonly integrities: readonly string[];
  /** False: it may be another thing of that name, so that a match by name is `possible` at most. */
  readonly sure: boolean;
};

/**
 * Undefined: no advisory can be about it. "Resolve npm aliases; never match link:true, workspace:, file:, portal:, patched-local;
 * git/tarball URL deps → possible only." The readers of lockfiles have resolved aliases: `name` is what the bytes are.
 */
export function advisorySubject({ name, version, source, integrity, patched }: ResolvedPackage): AdvisorySubject | undefined {
  switch (source.kind) {
    case "registry":
    case "bundled":
    case "tarball":
    case "git":
      break;
    case "file":
    case "link":
    case "workspace":
    case "jsr":
    case "module":
      return undefined;
  }
  // Patched after fetching: the reported bytes still arrive, but what runs is no longer only theirs.
  const sure = (source.kind === "registry" || source.kind === "bundled") && patched === undefined;
  return { name, version: version === "" ? undefined : version, integrities: digestsOf(integrity), sure };
}

const NONE: readonly string[] = [];

function digestsOf(integrity: ResolvedPackage["integrity"]): readonly string[] {
  if (integrity?.kind !== "sri") return NONE;
  if (!integrity.value.includes(" ")) return integrity.value.startsWith("sha512-") ? [integrity.value] : NONE;
  return integrity.value.split(/\s+/).filter((digest) => digest.startsWith("sha512-"));
}
