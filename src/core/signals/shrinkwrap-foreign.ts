/** An npm-shrinkwrap.json in the package sends clients to another host; a packument says nothing of it, so old tarballs count too. */
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../config/constants.ts";
import type { Check } from "./check.ts";

export const shrinkwrapForeign: Check = ({ facts: { code }, ownHosts = [] }) => {
  if (code?.state !== "done") return undefined;
  const own = new Set([NPM_REGISTRY_HOST, YARN_REGISTRY_HOST, ...ownHosts]);
  const foreign = code.shrinkwrap.filter(({ host }) => !own.has(host));
  if (foreign.length === 0) return undefined;
  return {
    id: "shrinkwrap-foreign",
    effect: { kind: "review" },
    title: `its npm-shrinkwrap.json sends installs to ${foreign.map(({ host }) => host || "an address without a host").join(", ")}`,
    evidence: foreign.map(({ host, line }) => ({
      text: `resolved from ${host || "an address without a host"}`,
      source: `npm-shrinkwrap.json${line === undefined ? "" : `:${line}`}`,
    })),
  };
};
