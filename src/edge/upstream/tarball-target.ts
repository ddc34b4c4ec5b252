/** Where a tarball may be fetched from. Pure: the upstream's `dist.tarball` and every redirect are claims, and this judges them. */
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../../core/config/constants.ts";
import { isLoopbackHost } from "./addresses.ts";

export type Target =
  | {
      readonly url: URL;
      /** Named by a pattern, so its address must be a public one; an exact host in the configuration may be inside. */
      readonly publicOnly: boolean;
    }
  | { readonly refused: string };

/** `claimed` is the upstream's own `dist.tarball`, `base` the registry that served the packument. */
export function firstTarget(claimed: string, base: URL, redirects: readonly string[]): Target {
  if (!URL.canParse(claimed)) return { refused: "its tarball address is no URL" };
  const url = new URL(claimed);
  // npm's replace-registry-host=npmjs: a mirror's packument names the public host, its tarballs lie on the mirror.
  if ((url.hostname === NPM_REGISTRY_HOST || url.hostname === YARN_REGISTRY_HOST) && url.hostname !== base.hostname)
    return judgeTarget(new URL(url.pathname.slice(1) + url.search, base), base, redirects);
  // Old packuments name the registry itself with http.
  if (url.protocol === "http:" && base.protocol === "https:" && url.host === base.host) url.protocol = "https:";
  return judgeTarget(url, base, redirects);
}

/** Whether a URL may be fetched at all: the registry's own origin, or a host the configuration names, over https. */
export function judgeTarget(url: URL, base: URL, redirects: readonly string[]): Target {
  if (url.protocol !== "https:" && url.protocol !== "http:") return { refused: `${url.protocol} addresses are not fetched` };
  if (url.username !== "" || url.password !== "") return { refused: `the address on ${url.host} holds credentials of its own` };
  if (url.origin === base.origin) return { url, publicOnly: false };
  const named = redirects.find((entry) => covers(entry, url));
  if (named === undefined) return { refused: `the tarball lies on ${url.host}, which is neither the upstream nor in upstream.redirects` };
  const loopback = base.protocol === "http:" && isLoopbackHost(base.hostname) && isLoopbackHost(url.hostname);
  if (url.protocol !== "https:" && !loopback) return { refused: `the tarball lies on ${url.host} without https` };
  return { url, publicOnly: named.startsWith("*.") };
}

function covers(entry: string, url: URL): boolean {
  const wanted = entry.toLowerCase();
  if (wanted.startsWith("*.")) return url.hostname.endsWith(wanted.slice(1)) && url.port === "";
  // `host` means its default port; any other is written out.
  return url.host === wanted;
}
