/**
 * The variables that send a client's connections to the guard, and the gate's past it. Variables of all clients are set, because scripts
 * start other clients. Measured with npm 10–12, pnpm 9–12, yarn 1 and 4, bun 1 and deno 2 against projects that set proxies of their own:
 * only pnpm 10 still follows `httpsProxy` and `noProxy` of its pnpm-workspace.yaml, which the wrapper reports.
 */
import type { ClientId } from "../../core/client/client.ts";
import { readBypass, variable } from "../upstream/proxies.ts";
import { parseAuthority } from "./target.ts";

export type GuardEnvironment = {
  readonly variables: Readonly<Record<string, string>>;
  /** NO_PROXY entries of the user that would have let a registry past the guard. The guard itself still goes round his proxy for them. */
  readonly withheld: readonly string[];
};

export function guardEnvironment(options: {
  /** The client that is started; absent = any. */
  readonly client?: ClientId | undefined;
  /** The guard's URL. */
  readonly guard: string;
  /** The gate's base URL. */
  readonly gate: string;
  /** What the guard refuses: `host` or `host:port`. */
  readonly refuse: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}): GuardEnvironment {
  const { guard, env } = options;
  const said = [variable(env, "no_proxy"), env["NO_PROXY"], env["npm_config_noproxy"]].filter((text) => text !== undefined);
  const entries = [...new Set(readBypass(said.join(",")).entries)];
  const withheld = entries.filter((entry) => letsPast(entry, options.refuse));
  const gate = new URL(options.gate).hostname.replace(/^\[|\]$/g, "");
  const direct = [...new Set([...entries.filter((entry) => !withheld.includes(entry)), gate])].join(",");
  return {
    variables: {
      // All but yarn 4 read these; npm and pnpm put a project's own settings above them.
      HTTPS_PROXY: guard,
      https_proxy: guard,
      HTTP_PROXY: guard,
      http_proxy: guard,
      NO_PROXY: direct,
      no_proxy: direct,
      // npm, pnpm ≤ 10 and yarn 1: stronger than a project's .npmrc.
      npm_config_https_proxy: guard,
      npm_config_proxy: guard,
      npm_config_noproxy: direct,
      // pnpm ≥ 11 reads only its own prefix; stronger than pnpm-workspace.yaml.
      pnpm_config_https_proxy: guard,
      pnpm_config_http_proxy: guard,
      pnpm_config_noproxy: direct,
      // pnpm knows the setting by two names, and a project's `no-proxy` beats `noproxy`. npm warns of the second name.
      pnpm_config_no_proxy: direct,
      ...(options.client === "pnpm" && { npm_config_no_proxy: direct }),
      // yarn 4 reads only these, and has no list of exceptions: the guard lets the gate through.
      YARN_HTTPS_PROXY: guard,
      YARN_HTTP_PROXY: guard,
    },
    withheld,
  };
}

function letsPast(entry: string, refuse: readonly string[]): boolean {
  const bypass = readBypass(entry);
  return refuse.some((each) => {
    const target = parseAuthority(each);
    return target ? bypass.matches(target.host, target.port) : bypass.matches(each, 443) || bypass.matches(each, 80);
  });
}
