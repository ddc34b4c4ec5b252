/** The registries a client must not reach but through the gate. */
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../../core/config/constants.ts";
import { isLoopbackHost } from "../upstream/addresses.ts";

/** `registries`: base URLs the gate asks, or that a project or client names. Public ones are always in. */
export function refusedHosts(registries: readonly string[]): readonly string[] {
  const named = registries.filter((url) => URL.canParse(url)).map((url) => new URL(url));
  return [
    ...new Set([
      NPM_REGISTRY_HOST,
      YARN_REGISTRY_HOST,
      "npm.jsr.io",
      // On this machine other ports are other services, the gate's among them.
      ...named.map((url) =>
        isLoopbackHost(url.hostname) ? `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}` : url.hostname,
      ),
    ]),
  ];
}
