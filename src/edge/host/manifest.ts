/** The few fields of an installed `package.json` that say what it is. */
import semver from "semver";

export type Manifest = {
  readonly name?: string;
  /** Normalised: registries list `1.2.3` where an old package's own file says `v1.2.3`, and build metadata is no part of it. */
  readonly version?: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  /** Names of the packages it says came inside its tarball; `all` when it says so for every dependency. */
  readonly bundled: ReadonlySet<string> | "all";
};

export function parseManifest(text: string): Manifest | { readonly why: string } {
  const fields = parseObject(text);
  if (!fields) return { why: "package.json is not a JSON object" };
  const { name, version, dependencies, optionalDependencies } = fields;
  const bundled = fields["bundleDependencies"] ?? fields["bundledDependencies"];
  return {
    ...(typeof name === "string" && name !== "" && { name }),
    ...(typeof version === "string" && version !== "" && { version: normalVersion(version) }),
    dependencies: ranges(dependencies),
    optionalDependencies: ranges(optionalDependencies),
    bundled:
      bundled === true ? "all" : new Set(Array.isArray(bundled) ? bundled.filter((item): item is string => typeof item === "string") : []),
  };
}

export function normalVersion(version: string): string {
  return semver.valid(version, { loose: true }) ?? version.trim();
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function ranges(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
