/**
 * The environment that points every client at one registry. All variables are set for every client: a script may start another
 * package manager than the one that was wrapped. Client versions in the comments are those it was measured with.
 */

export type EnvironmentRequest = {
  /** Base URL with trailing slash. */
  readonly registry: string;
  /** Scopes (`@acme`) whose registry the gate fronts; a project's `@acme:registry=` otherwise goes round it. */
  readonly scopes?: readonly string[];
  /** What `YARN_UNSAFE_HTTP_WHITELIST` already holds. */
  readonly httpAllowed?: string;
};

/** `Client.environment`: what one registry needs, without scopes. */
export function environment(registry: string, _version: string): Readonly<Record<string, string>> {
  return registryEnvironment({ registry });
}

export function registryEnvironment(request: EnvironmentRequest): Readonly<Record<string, string>> {
  const { registry, scopes = [] } = request;
  const url = new URL(registry);
  const variables: Record<string, string> = {
    // npm 8–12, pnpm 9/10, yarn 1, bun.
    npm_config_registry: registry,
    // deno reads only this spelling.
    NPM_CONFIG_REGISTRY: registry,
    // pnpm 11/12 read only their own prefix and would silently use the public registry.
    pnpm_config_registry: registry,
    YARN_REGISTRY: registry,
    // yarn 4 reads nothing else.
    YARN_NPM_REGISTRY_SERVER: registry,
    BUN_CONFIG_REGISTRY: registry,
    // corepack appends `/name`, so a trailing slash would be doubled.
    COREPACK_NPM_REGISTRY: registry.replace(/\/$/, ""),
    // A project's `replace-registry-host=never` is a full bypass on npm ≤ 11.
    npm_config_replace_registry_host: "npmjs",
  };
  if (url.protocol === "http:") {
    // yarn 4 refuses plain http except to the hosts listed here.
    const allowed = new Set([...(request.httpAllowed ?? "").split(","), "localhost", "127.0.0.1", url.hostname]);
    variables["YARN_UNSAFE_HTTP_WHITELIST"] = [...allowed]
      .map((host) => host.trim())
      .filter(Boolean)
      .join(",");
  }
  // Obeyed by npm, pnpm 9/10 and yarn 1; pnpm 11/12, bun, deno and yarn 4 take scopes from their files only, see findings.ts. A client
  // that is started through a script of dash never sees them: it drops variables with such names.
  for (const scope of scopes) variables[`npm_config_${scope}:registry`] = registry;
  return variables;
}

/**
 * `inherited` with `ours` on top. A variable of the same meaning in another spelling (`Npm_Config_Registry`, `npm_config_@acme:registry`
 * written with dashes) is dropped: npm and pnpm read their prefix in any case, and which spelling wins would be the order of the environment.
 */
export function withEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  ours: Readonly<Record<string, string>>,
): Record<string, string> {
  const meanings = new Set(Object.keys(ours).map(meaning));
  const kept = Object.entries(inherited).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !meanings.has(meaning(entry[0])),
  );
  return { ...Object.fromEntries(kept), ...ours };
}

function meaning(variable: string): string {
  return variable.toLowerCase().replace(/(?!^)-/g, "_");
}
