/**
 * The policy's minimum age, script and source rules in each client's own settings, with each one's own unit: what is missing or weaker is
 * drift and becomes an edit, what is stricter stays, and what was let past the age for good is named as a hole. Units and names were measured
 * with the clients: npm counts days, pnpm, yarn and deno minutes, bun seconds.
 */
import { DAY, MINUTE, SECOND, span } from "../base/time.ts";
import { printable } from "../base/text.ts";
import { nameMatches } from "../npm/name.ts";
import { isVersion } from "../npm/ranges.ts";
import type { ClientId, FileEdit } from "./client.ts";
import type { JsonValue } from "./json-edit.ts";
import { fileProblem, type Found, itemsAt, keysEnding, put, SYNC_FILES, type SyncFile, valueAt } from "./policy-sync-files.ts";

export type SyncClient = {
  readonly id: ClientId;
  /** As far as the project says it (`4.9.1`, `10`); absent = any. */
  readonly version?: string;
};

export type SyncInput = {
  readonly clients: readonly SyncClient[];
  /** Milliseconds a new version waits. */
  readonly hold: number;
  /** Name globs of the policy that never come from the public registry: to let them past the age is no hole. */
  readonly private: readonly string[];
  /** Texts of `SYNC_FILES`; an absent file is undefined. */
  readonly files: Readonly<Partial<Record<SyncFile, string>>>;
  /** Whether a manifest of the project itself asks for a git repository, or for a URL. */
  readonly asksFor: { readonly git: boolean; readonly url: boolean };
  /** Versions in the project's lockfiles by name; undefined when there is none, or one that could not be read whole. */
  readonly locked: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** Whether the policy serves this version today; undefined = not known here. */
  readonly served: (name: string, version: string) => boolean | undefined;
};

export type SyncRule = "age" | "scripts" | "sources";

export type SyncFinding = {
  /**
   * `drift`: weaker than the policy. `stale-hole`: lets past the age what no longer needs it. `scope-wide-hole`: lets a whole scope or pattern
   * past it, releases of tomorrow's thief included. `open-hole`: lets every future version of one package past it. `cannot`: the client has
   * no such setting.
   */
  readonly kind: "drift" | "stale-hole" | "scope-wide-hole" | "open-hole" | "cannot";
  readonly client: ClientId;
  readonly rule: SyncRule;
  readonly path: SyncFile;
  /** 1-based; absent where nothing stands yet. */
  readonly line?: number;
  readonly setting: string;
  /** One clause, printable. */
  readonly message: string;
};

export type SyncPlan = {
  readonly edits: readonly FileEdit[];
  readonly findings: readonly SyncFinding[];
  /** Files or settings that could not be brought in step; nothing of theirs is edited. */
  readonly problems: readonly { readonly path: SyncFile; readonly why: string }[];
};

/** Kinds that `--check` fails for: the rest is worth knowing and nothing a person must mend. */
export const FAILING: ReadonlySet<SyncFinding["kind"]> = new Set(["drift", "stale-hole", "scope-wide-hole"]);

/** Running it on its own result finds no drift. */
export function planSync(input: SyncInput): SyncPlan {
  const texts = { ...input.files };
  const findings: SyncFinding[] = [];
  const problems: { path: SyncFile; why: string }[] = [];
  const broken = new Set<SyncFile>();
  for (const file of SYNC_FILES) {
    const text = texts[file];
    const why = text === undefined ? undefined : fileProblem(file, text);
    if (why === undefined || !input.clients.some(({ id }) => rowsOf(id, input).some((row) => row.file === file))) continue;
    broken.add(file);
    problems.push({ path: file, why });
  }
  for (const client of input.clients) {
    findings.push(...(CANNOT[client.id] ?? []).map(([rule, message]) => cannot(client.id, rule, ".npmrc", "", message)));
    for (const row of rowsOf(client.id, input)) {
      if (broken.has(row.file)) continue;
      const text = texts[row.file];
      const present = valueAt(row.file, text, row.key);
      if (row.isKept(present, text) || (present === undefined && row.absent === "fine")) continue;
      if (isBefore(client.version, row.from)) {
        if (present === undefined)
          findings.push(
            cannot(client.id, row.rule, row.file, row.key, `${client.id} ${client.version} does not read it; ${row.from} does`),
          );
        continue;
      }
      findings.push({
        kind: "drift",
        client: client.id,
        rule: row.rule,
        path: row.file,
        ...(present !== undefined && { line: present.line }),
        setting: row.key,
        message: `${present === undefined ? "not set" : stands(present, row)}; the policy says ${row.means}`,
      });
      const edited = row.wanted === undefined ? undefined : put(row.file, text, row.key, row.wanted);
      if (edited !== undefined) texts[row.file] = edited;
      else problems.push({ path: row.file, why: row.wanted === undefined ? row.byHand! : `${row.key} could not be written into it` });
    }
  }
  for (const { id } of input.clients) findings.push(...holes(id, input));
  const edits = SYNC_FILES.flatMap((path): FileEdit[] => {
    const [before, after] = [input.files[path], texts[path]];
    return after === undefined || after === before ? [] : [{ path, before, after }];
  });
  return { edits, findings, problems };
}

// --- settings -------------------------------------------------------------------------------------------------------------------------------

type Row = {
  readonly rule: SyncRule;
  readonly file: SyncFile;
  readonly key: string;
  /** First version of the client that knows it. */
  readonly from: string;
  /** What it is set to; undefined = a person must decide, `byHand` says what. */
  readonly wanted: JsonValue | undefined;
  readonly byHand?: string;
  /** What the policy says, in words and the setting's unit. */
  readonly means: string;
  /** `fine`: the client's own default is as strict. */
  readonly absent: "drift" | "fine";
  /** Whether what stands there is at least as strict. */
  readonly isKept: (present: Found | undefined, text: string | undefined) => boolean;
};

function rowsOf(client: ClientId, input: SyncInput): readonly Row[] {
  const { hold, asksFor, files } = input;
  const age = (file: SyncFile, key: string, from: string, unit: number, name: string, read: (text: string) => number | undefined): Row => {
    // Rounded up: a client that counts whole units must not be a moment laxer than the gate.
    const wanted = unit === DAY ? Math.ceil((hold / unit) * 100) / 100 : Math.ceil(hold / unit);
    const isKept = (present: Found | undefined) => present !== undefined && (read(present.value) ?? -1) >= hold;
    return {
      rule: "age",
      file,
      key,
      from,
      wanted,
      means: `${wanted} ${name} (${span(hold)})`,
      absent: hold > 0 ? "drift" : "fine",
      isKept,
    };
  };
  const flag = (file: SyncFile, key: string, from: string, wanted: boolean, means: string, absent: Row["absent"] = "drift"): Row => ({
    rule: "scripts",
    file,
    key,
    from,
    wanted,
    means: `${wanted}: ${means}`,
    absent,
    isKept: (present) => present !== undefined && present.value === String(wanted),
  });
  const npmAge = (from: string) => age(".npmrc", "min-release-age", from, DAY, "days", countOf(DAY));
  switch (client) {
    case "npm": {
      const strict = flag(
        ".npmrc",
        "strict-allow-scripts",
        "11.16.0",
        true,
        "install scripts run only when allowScripts names the package",
      );
      return [
        npmAge("11.10.0"),
        {
          ...strict,
          isKept: (present, text) => strict.isKept(present, text) || valueAt(".npmrc", text, "ignore-scripts")?.value === "true",
        },
        flag(".npmrc", "dangerously-allow-all-scripts", "11.16.0", false, "no script runs unreviewed", "fine"),
        source("allow-git", asksFor.git, "git repositories"),
        source("allow-remote", asksFor.url, "URLs"),
      ];
    }
    case "pnpm":
      return [
        age("pnpm-workspace.yaml", "minimumReleaseAge", "10.16.0", MINUTE, "minutes", countOf(MINUTE)),
        flag("pnpm-workspace.yaml", "strictDepBuilds", "10.3.0", true, "an unreviewed install script stops the install"),
        flag("pnpm-workspace.yaml", "dangerouslyAllowAllBuilds", "10.9.0", false, "no script runs unreviewed", "fine"),
        {
          ...flag("pnpm-workspace.yaml", "blockExoticSubdeps", "10.26.0", true, "only the project itself may ask for git or URLs"),
          rule: "sources",
        },
      ];
    case "yarn-classic":
      return [];
    case "yarn-berry":
      return [
        age(".yarnrc.yml", "npmMinimalAgeGate", "4.10.0", MINUTE, "minutes", yarnDuration),
        flag(".yarnrc.yml", "enableScripts", "2.0.0", false, "install scripts run only when dependenciesMeta names the package"),
        {
          rule: "sources",
          file: ".yarnrc.yml",
          key: "approvedGitRepositories",
          from: "4.14.0",
          wanted: asksFor.git ? undefined : [],
          byHand: "approvedGitRepositories lets every repository in; name the ones the project asks for",
          means: asksFor.git ? "only repositories that are named" : "none: the project asks for no git repository",
          absent: "fine",
          isKept: (_present, text) =>
            !itemsAt(".yarnrc.yml", text, "approvedGitRepositories").some(({ value }) => /^(?:[a-z+]+:\/\/)?\*+\/?\**$/.test(value)),
        },
      ];
    case "bun":
      return [
        age("bunfig.toml", "install.minimumReleaseAge", "1.3.0", SECOND, "seconds", countOf(SECOND)),
        {
          rule: "scripts",
          file: "package.json",
          key: "trustedDependencies",
          from: "1.0.0",
          wanted: [],
          means: "a list: without one bun runs the scripts of several hundred packages it names itself",
          absent: "drift",
          isKept: (present) => present !== undefined,
        },
      ];
    case "deno": {
      const file = files["deno.json"] !== undefined ? "deno.json" : files["deno.jsonc"] !== undefined ? "deno.jsonc" : undefined;
      // deno obeys npm's own setting too, and a project without deno.json need not get one.
      if (file === undefined) return [npmAge("2.9.0")];
      const key = valueAt(file, files[file], "minimumDependencyAge.age") ? "minimumDependencyAge.age" : "minimumDependencyAge";
      return [
        age(file, key, "2.6.0", MINUTE, "minutes", denoAge),
        {
          rule: "scripts",
          file,
          key: "allowScripts",
          from: "2.6.0",
          wanted: [],
          means: "a list of the packages whose scripts may run",
          absent: "fine",
          isKept: (present) => present?.value !== "true",
        },
      ];
    }
  }
}

const SOURCES = ["all", "root", "none"];

/** npm 12 lets nothing in by default, so `root` is written only where the project itself asks. */
function source(key: string, asked: boolean, what: string): Row {
  const wanted = asked ? "root" : "none";
  return {
    rule: "sources",
    file: ".npmrc",
    key,
    from: "11.10.0",
    wanted,
    means: asked ? `root: only the project itself may ask for ${what}` : `none: the project asks for no ${what}`,
    absent: "drift",
    isKept: (present) => present !== undefined && SOURCES.indexOf(present.value) >= SOURCES.indexOf(wanted),
  };
}

const CANNOT: Readonly<Partial<Record<ClientId, readonly (readonly [SyncRule, string])[]>>> = {
  "yarn-classic": [
    ["age", "yarn 1 has no minimum age; only the gate holds young versions back"],
    ["scripts", "yarn 1 runs every install script or, with ignore-scripts, none of anybody's; choose that yourself"],
  ],
};

function cannot(client: ClientId, rule: SyncRule, path: SyncFile, key: string, message: string): SyncFinding {
  return { kind: "cannot", client, rule, path, setting: key, message };
}

function stands({ value }: Found, { wanted }: Row): string {
  const shown = printable(value.replace(/\s+/g, " ").slice(0, 60));
  return shown || (Array.isArray(wanted) || wanted === undefined ? "everything" : "empty");
}

/** True when the project says it uses a version before `from`. What is not said counts as new enough. */
function isBefore(version: string | undefined, from: string): boolean {
  if (version === undefined) return false;
  const [have, need] = [version, from].map((text) => text.split(/[.+-]/).map(Number)) as [number[], number[]];
  for (const [index, part] of have.entries()) if (part !== need[index]) return part < (need[index] ?? 0);
  return false;
}

// --- units ----------------------------------------------------------------------------------------------------------------------------------

function countOf(unit: number): (text: string) => number | undefined {
  return (text) => (/^\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) * unit : undefined);
}

const YARN_UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: 60 * MINUTE, d: DAY, w: 7 * DAY };

/** `3d`, `72h`; a bare number is minutes. */
function yarnDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?$/.exec(text.trim());
  return match ? Number(match[1]) * YARN_UNITS[match[2] ?? "m"]! : undefined;
}

/** Minutes, or a duration of ISO 8601 in weeks, days and below. A fixed date says nothing of tomorrow and counts as none. */
function denoAge(text: string): number | undefined {
  const minutes = countOf(MINUTE)(text);
  const match = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text.trim());
  if (minutes !== undefined || !match) return minutes;
  const [weeks = 0, days = 0, hours = 0, mins = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (weeks * 7 + days) * DAY + (hours * 60 + mins) * MINUTE + seconds * SECOND;
}

// --- holes ----------------------------------------------------------------------------------------------------------------------------------

/** Where each client lists what it lets past the age. deno reads no versions there, npm and bun only names. */
const EXCLUDES: Readonly<Record<ClientId, readonly { readonly file: SyncFile; readonly key: string; readonly versions: boolean }[]>> = {
  npm: [{ file: ".npmrc", key: "min-release-age-exclude", versions: false }],
  pnpm: [{ file: "pnpm-workspace.yaml", key: "minimumReleaseAgeExclude", versions: true }],
  "yarn-classic": [],
  "yarn-berry": [{ file: ".yarnrc.yml", key: "npmPreapprovedPackages", versions: true }],
  bun: [{ file: "bunfig.toml", key: "install.minimumReleaseAgeExcludes", versions: false }],
  deno: (["deno.json", "deno.jsonc"] as const).map((file) => ({ file, key: "minimumDependencyAge.exclude", versions: false })),
};

function holes(client: ClientId, input: SyncInput): readonly SyncFinding[] {
  const listed = EXCLUDES[client].flatMap(({ file, key, versions }) =>
    itemsAt(file, input.files[file], key).flatMap((item): SyncFinding[] => {
      const judged = judge(item.value, versions, input);
      if (!judged) return [];
      const message = `${printable(item.value)}: ${judged.message}`;
      return [{ kind: judged.kind, client, rule: "age", path: file, line: item.line, setting: key, message }];
    }),
  );
  if (client !== "yarn-berry") return listed;
  const scoped = keysEnding(".yarnrc.yml", input.files[".yarnrc.yml"], ".npmMinimalAgeGate").flatMap(
    ({ key, value, line }): SyncFinding[] => {
      const scope = `@${/^npmScopes\.(.+)\.npmMinimalAgeGate$/.exec(key)?.[1] ?? "?"}`;
      if ((yarnDuration(value) ?? -1) >= input.hold || isPrivate(`${scope}/*`, input)) return [];
      const message = `everything of ${scope} waits ${printable(value)} (minutes) only`;
      return [{ kind: "scope-wide-hole", client, rule: "age", path: ".yarnrc.yml", line, setting: key, message }];
    },
  );
  return [...listed, ...scoped];
}

function judge(
  written: string,
  takesVersions: boolean,
  input: SyncInput,
): { readonly kind: SyncFinding["kind"]; readonly message: string } | undefined {
  // A pattern with `!` takes something out of the list again.
  if (written.startsWith("!")) return undefined;
  const entry = written.replace(/^npm:/, "");
  const at = entry.indexOf("@", 1);
  const name = at < 0 ? entry : entry.slice(0, at);
  if (isPrivate(name, input)) return undefined;
  if (/[*?{[]/.test(name))
    return { kind: "scope-wide-hole", message: "whoever can publish one name that fits is served at once; name packages and versions" };
  const known = input.locked?.get(name);
  if (input.locked !== undefined && known === undefined) return { kind: "stale-hole", message: `${name} is in no lockfile any more` };
  const versions =
    at < 0
      ? []
      : entry
          .slice(at + 1)
          .split("||")
          .map((part) => part.trim().replace(/^npm:/, ""));
  if (versions.length === 0 || !versions.every(isVersion))
    return takesVersions ? { kind: "open-hole", message: "every future version is let past the age; name the version" } : undefined;
  const gone = versions.filter((version) => input.locked !== undefined && known?.has(version) !== true);
  if (gone.length > 0) return { kind: "stale-hole", message: `${gone.join(" and ")} is in no lockfile any more` };
  const grown = versions.filter((version) => input.served(name, version) === true);
  if (grown.length === versions.length) return { kind: "stale-hole", message: "old enough by now, and served without it" };
  return undefined;
}

function isPrivate(name: string, input: SyncInput): boolean {
  return input.private.some((glob) => glob === name || nameMatches(glob, name));
}
