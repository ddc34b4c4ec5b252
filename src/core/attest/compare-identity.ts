/** Whether two builds come from the same place: ids decide where both have them, names where not. */
import type { BuildIdentity } from "./attested.ts";

export type IdentityChange = { readonly what: string; readonly from: string; readonly to: string };

export type IdentityComparison = {
  readonly changes: readonly IdentityChange[];
  /** The same repository and owner by their ids, under another name. */
  readonly renamed?: IdentityChange;
};

/**
 * Repository, workflow, kind of ref and runner (design §4). The branch, the commit and the trigger differ from release to release. What
 * one of the two does not say is not compared: certificates from before 2023 name less.
 */
export function compareIdentity(before: BuildIdentity, own: BuildIdentity): IdentityComparison {
  const changes: IdentityChange[] = [];
  const differ = (what: string, from: string | undefined, to: string | undefined) => {
    if (from !== undefined && to !== undefined && from !== to) changes.push({ what, from, to });
  };
  differ("CI service", before.issuer, own.issuer);

  const named = { what: "repository", from: before.repository, to: own.repository };
  const otherName = before.repository.toLowerCase() !== own.repository.toLowerCase();
  // Ids are given by the CI service: those of two services say nothing of each other.
  const comparable = before.issuer === own.issuer && before.repositoryId !== undefined && own.repositoryId !== undefined;
  const sameId = comparable && before.repositoryId === own.repositoryId;
  if (comparable && !sameId) {
    // registry.md §2.3: ids "survive renames and defeat repo-name resurrection".
    const id = (identity: BuildIdentity) => `${identity.repository} (id ${identity.repositoryId})`;
    changes.push({ what: "repository", from: id(before), to: id(own) });
  } else if (otherName && !sameId) changes.push(named);
  if (before.issuer === own.issuer) differ("repository's owner id", before.ownerId, own.ownerId);

  differ("workflow", pathOf(before), pathOf(own));
  differ("kind of ref", kindOfRef(before.ref), kindOfRef(own.ref));
  differ("runner", before.runner, own.runner);
  return { changes, ...(sameId && otherName ? { renamed: named } : {}) };
}

/** The workflow's file inside its repository, so that a rename of the repository changes nothing; whole, when it lies in another one. */
function pathOf({ workflow, repository }: BuildIdentity): string | undefined {
  const inside = workflow?.toLowerCase().startsWith(`${repository.toLowerCase()}/`) === true;
  return inside ? workflow!.slice(repository.length + 1).replace(/^\/+/, "") : workflow;
}

/** `refs/heads/main` → `branch`. */
function kindOfRef(ref: string | undefined): string | undefined {
  if (ref === undefined) return undefined;
  const kind = /^refs\/([a-z]+)\//.exec(ref)?.[1];
  return kind === undefined ? "no ref" : (REF_KINDS[kind] ?? `refs/${kind}`);
}

const REF_KINDS: Readonly<Record<string, string>> = { heads: "branch", tags: "tag", pull: "pull request" };
