/**
 * What is installed, as data: one entry for each copy of a package on disk, and what the client itself wrote down about it. The folder and
 * the record are kept apart, because an implant can rewrite the folder's `package.json` after it ran.
 */

export type InstalledPackage = {
  /** From the folder's own `package.json`; for a zip, from the client's record. */
  readonly name: string;
  readonly version: string;
  /** Absolute. */
  readonly path: string;
  /**
   * Where the bytes came from, as far as the client's record tells. `registry` unless something says otherwise; `bundled` came inside
   * another package's tarball; `file` is a local folder or archive.
   */
  readonly source: "registry" | "bundled" | "git" | "url" | "file";
  /** The name it is installed under, when that is not its own (`npm:` aliases). */
  readonly alias?: string;
  /** SRI the client recorded; a claim. */
  readonly integrity?: string;
  /** Only optional dependencies lead to it, by the client's record. */
  readonly optional?: true;
  /** It lies in the client's store folder but nothing links to it: left behind by an earlier install. */
  readonly orphan?: true;
  /** Declared ranges by name. */
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

/** The client wrote down one thing and the folder says another, or is gone. */
export type Disagreement = {
  readonly path: string;
  /** `name@version` of the folder; absent when the folder is. */
  readonly folder?: string;
  /** `name@version` the client recorded. */
  readonly record: string;
  /** The file or folder name that holds the record. */
  readonly source: string;
};

export type Installed = {
  readonly packages: readonly InstalledPackage[];
  readonly disagreements: readonly Disagreement[];
  /** What should have been read and could not be: the report cannot claim to be complete. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
  /** Links that leave the project and were not followed (`npm link`, `file:../x`). */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** What no folder can tell, in plain words. */
  readonly notes: readonly string[];
};

/** What a client recorded for one folder or one name@version. */
export type InstallRecord = {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly source?: InstalledPackage["source"];
  readonly optional?: true;
};

/** npm's `node_modules/.package-lock.json`: records by folder relative to the project. Undefined when it is no such file. */
export function readHiddenLockfile(text: string): ReadonlyMap<string, InstallRecord> | undefined {
  const packages = object(object(parseJson(text))?.["packages"]);
  if (!packages) return undefined;
  const records = new Map<string, InstallRecord>();
  for (const [path, value] of Object.entries(packages)) {
    const entry = object(value);
    if (!entry || entry["link"] === true || !path.includes("node_modules/")) continue;
    const version = string(entry["version"]);
    const integrity = string(entry["integrity"]);
    records.set(path, {
      name: string(entry["name"]) ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
      // A project that bundles its own dependencies has `inBundle` on every one of them; only what came inside a tarball has neither digest nor URL.
      source:
        entry["inBundle"] === true && integrity === undefined && entry["resolved"] === undefined
          ? "bundled"
          : sourceOf(string(entry["resolved"])),
      ...(version !== undefined && { version }),
      ...(integrity !== undefined && { integrity }),
      ...(entry["optional"] === true && { optional: true }),
    });
  }
  return records;
}

/** Where npm fetched it from. A registry's tarballs lie under `/-/`; any other URL was named by someone. */
function sourceOf(resolved: string | undefined): InstalledPackage["source"] {
  if (resolved === undefined || /^https?:.*\/-\//.test(resolved)) return "registry";
  return sourceOfRange(resolved);
}

/** Where a dependency declared as `range` comes from: `^1.0.0` and `npm:x@1` from the registry, `file:../x`, `user/repo`, a URL. */
export function sourceOfRange(range: string): InstalledPackage["source"] {
  if (/^(file:|link:|portal:|workspace:|\.{1,2}(\/|$)|~?\/)/.test(range)) return "file";
  if (/^(git[+:@]|github:|gitlab:|bitbucket:|gist:)|\.git(#|$)|^[^@/:\s]+\/[^@/:\s]+$/.test(range)) return "git";
  return /^https?:/.test(range) ? "url" : "registry";
}

/**
 * pnpm's record of its install, `lock.yaml` in its virtual store: integrity by `name@version`, and by name what does not come from a
 * registry. Read by shape, not by a YAML parser: pnpm writes each key on a line and its resolution below, and a tree of thousands is read
 * at the end of every install.
 */
export function readPnpmLock(text: string): {
  readonly integrities: ReadonlyMap<string, string>;
  readonly sources: ReadonlyMap<string, InstalledPackage["source"]>;
} {
  const integrities = new Map<string, string>();
  const sources = new Map<string, InstalledPackage["source"]>();
  for (const match of text.matchAll(/^ {2}'?\/?((?:@[^/\s]+\/)?[^@/\s']+)[@/]([^\s(']+)[^\n]*:\n {4}resolution: \{([^\n]*)\}/gm)) {
    const [, name, reference, resolution] = match as unknown as [string, string, string, string];
    const integrity = /\bintegrity: ([^,}\s]+)/.exec(resolution)?.[1];
    const version = /^\d+\.\d+\.\d+[^_]*/.exec(reference)?.[0];
    if (version === undefined) sources.set(name, sourceOfRange(reference));
    else if (integrity !== undefined) integrities.set(`${name}@${version}`, integrity);
  }
  return { integrities, sources };
}

/** yarn 4's `node_modules/.yarn-state.yml`: locators by folder relative to the project. */
export function readYarnState(text: string): ReadonlyMap<string, InstallRecord> {
  const records = new Map<string, InstallRecord>();
  let locator: InstallRecord | undefined;
  for (const line of text.split("\n")) {
    const key = /^"?((?:@[^@/\s]+\/)?[^@/\s"]+)@([^"]+?)"?:\s*$/.exec(line);
    if (key) locator = recordOf(key[1]!, key[2]!);
    const location = /^ {4}- "([^"]+)"/.exec(line)?.[1];
    if (location !== undefined && locator) records.set(location, locator);
  }
  return records;
}

/** A yarn reference: `npm:1.0.0`, `virtual:…#npm:1.0.0`, `patch:axios@npm%3A1.0.0#…`, `workspace:…`, `file:…`, a URL. */
function recordOf(name: string, reference: string): InstallRecord | undefined {
  const plain = reference.replace(/^virtual:[^#]*#/, "");
  const patched = /^patch:[^#]*?@npm(?:%3A|:)([^#:]+)/i.exec(plain)?.[1];
  const version = /^npm:([^:]+)/.exec(plain)?.[1] ?? patched;
  // `npm:name@1.0.0` names another package than the folder.
  const alias = version === undefined ? undefined : /^((?:@[^/]+\/)?[^@]+)@(.+)$/.exec(version);
  if (version !== undefined) return { name: alias?.[1] ?? name, version: alias?.[2] ?? version, source: "registry" };
  if (plain.startsWith("workspace:") || plain.startsWith("link:") || plain.startsWith("portal:")) return undefined;
  if (plain.startsWith("file:")) return { name, source: "file" };
  return { name, source: /^git|\.git(#|$)/.test(plain) ? "git" : "url" };
}

/**
 * What the name of a store folder says about its package: `axios@1.14.0`, `@scope+kit@1.0.0_react@18.0.0`, `loc@file+loc` (pnpm, bun, deno),
 * `axios-npm-1.14.0-<hash>` (yarn's pnpm linker), and in npm's linked strategy (`npmStore`) `@scope/kit@1.0.0-<hash>`.
 */
export function readStoreFolder(folder: string, npmStore = false): InstallRecord {
  const yarn = /^.+-npm-(\d+\.\d+\.\d+.*)-[0-9a-f]{10}$/.exec(folder)?.[1];
  if (yarn !== undefined) return { version: yarn };
  if (/-(file|workspace)-[0-9a-f]{10}$/.test(folder)) return { source: "file" };
  const match = /^((?:@[^+/]+[+/])?[^@]+)@(.+)$/.exec(folder);
  if (!match) return {};
  const name = match[1]!.replace("+", "/");
  const rest = match[2]!;
  if (/^(file|link|workspace)[+:@]/.test(rest)) return { name, source: "file" };
  if (/^git[+@:]|^github\+|^gitlab\+|^bitbucket\+/.test(rest)) return { name, source: "git" };
  if (/^https?[+:]/.test(rest)) return { name, source: "url" };
  // Folder names are cut at 120 bytes (60 on some systems) and end in a hash then: what is left of the version may be half of it.
  if (folder.length >= 60 && /[_-]([0-9a-f]{32}|[a-z2-7]{26})$/.test(folder)) return { name };
  const version = npmStore ? rest.replace(/-[A-Za-z0-9_-]{22}$/, "") : rest.replace(/[_(].*$/, "").replace(/\+[0-9a-f]{16}$/, "");
  return /^\d+\.\d+\.\d+/.test(version) ? { name, version } : { name };
}

/** A package of a Plug'n'Play install. `location` is as written, relative to the project unless absolute. */
export type PnpPackage = {
  readonly name: string;
  readonly location: string;
  readonly record: InstallRecord;
};

/**
 * yarn's `.pnp.cjs` (the state is a JSON text inside one string literal) or `.pnp.data.json`. Read as data, never run.
 * Workspaces are not among the packages; a package with several virtual copies is there once.
 */
export function readPnp(text: string): { readonly packages: readonly PnpPackage[] } | { readonly problem: string } {
  const json = text.trimStart().startsWith("{") ? text : pnpLiteral(text);
  const data = json === undefined ? undefined : object(parseJson(json));
  const registry = data?.["packageRegistryData"];
  if (!Array.isArray(registry)) return { problem: "no package data found in it" };
  const packages = new Map<string, PnpPackage>();
  for (const entry of registry) {
    if (!Array.isArray(entry) || !Array.isArray(entry[1])) return { problem: "its package data has an unknown shape" };
    const name = string(entry[0]);
    // The top level of the project has neither name nor reference.
    if (name === undefined) continue;
    for (const pair of entry[1]) {
      const reference = Array.isArray(pair) ? string(pair[0]) : undefined;
      const info = Array.isArray(pair) ? object(pair[1]) : undefined;
      const location = string(info?.["packageLocation"]);
      if (reference === undefined || location === undefined) return { problem: `its entry for ${name} has an unknown shape` };
      const plain = reference.replace(/^virtual:[^#]*#/, "");
      const record = recordOf(name, plain);
      if (!record || packages.has(`${name} ${plain}`)) continue;
      packages.set(`${name} ${plain}`, {
        name,
        location: location.replace(
          /(^|\/)\.yarn\/__virtual__\/[^/]+\/(\d+)\//,
          (_all, head: string, up: string) => head + "../".repeat(Math.min(Number(up), 64)),
        ),
        record,
      });
    }
  }
  return { packages: [...packages.values()] };
}

/** The JSON text inside `const RAW_RUNTIME_STATE = '…';`. */
function pnpLiteral(text: string): string | undefined {
  const start = /RAW_RUNTIME_STATE\s*=\s*'/.exec(text);
  if (!start) return undefined;
  const from = start.index + start[0].length;
  let at = from;
  while (at < text.length && text[at] !== "'") at += text[at] === "\\" ? 2 : 1;
  if (at >= text.length) return undefined;
  return text
    .slice(from, at)
    .replace(/\\(\r?\n|[\s\S])/g, (_all, escaped: string) => (/^\r?\n$/.test(escaped) ? "" : (ESCAPES[escaped] ?? escaped)));
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

function string(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
