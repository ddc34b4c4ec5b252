/** Which registry may be asked for a name. Dependency confusion ends here: a private name with no registry of its own is asked of nobody. */
import { isPackageName, nameMatches, scopeOf } from "../../core/npm/name.ts";
import type { Base, UpstreamConfig } from "./config.ts";

/** Stands where a base URL is expected for names that nobody is asked for. */
export const NOBODY: Base = { url: "none:", private: true, source: "private names" };

export type Asked = { readonly base: Base } | { readonly nobody: string };

export function whoServes(name: string, config: UpstreamConfig): Asked {
  if (!isPackageName(name)) return { nobody: "this is not a package name" };
  // Registries fold case in scopes; a private name must not leak by its spelling.
  const folded = name.toLowerCase();
  const own = config.scopes.get(scopeOf(folded) ?? "");
  if (own) return { base: own };
  const isPrivate = config.privateNames.some((glob) => nameMatches(glob.toLowerCase(), folded));
  if (!isPrivate || config.base.private) return { base: config.base };
  return { nobody: `${name} is a private name and no private registry is configured for it; nobody was asked` };
}
