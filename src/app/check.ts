/** `cordon check`: what folders hold and what is known of it, brought together for the rules; then one report over all of them. */
import type { AdvisoryIndex } from "../core/advisory/index-file.ts";
import type { FeedState, StaleFeed } from "../core/advisory/feeds.ts";
import { type Clock, iso } from "../core/base/time.ts";
import { checkLockfile, type LockfileCheck } from "../core/check/check-lockfile.ts";
import type { CheckReport, Finding, NotChecked } from "../core/check/finding.ts";
import { type Manifest, readManifest, readWorkspaceSettings, withSettings } from "../core/check/manifest.ts";
import { lockfileIgnored, lockfileMissing, makeReport } from "../core/check/report.ts";
import type { AllowedSources, CheckPolicy, CheckSubject, Records, VersionState } from "../core/check/subject.ts";
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import type { ResolvedTree } from "../core/lockfile/tree.ts";
import type { VexStatement } from "../core/interchange/openvex.ts";
import type { DecidedEntry, DecideEntries, Entry } from "./decide-entries.ts";

type TextOrWhy = string | { readonly why: string };

/** What stands in a folder; paths are relative to it, with forward slashes. */
export type CheckedFiles = {
  readonly lockfiles: readonly { readonly path: string; readonly content: Uint8Array | { readonly why: string } }[];
  readonly manifests: readonly {
    readonly path: string;
    readonly importer: string;
    readonly text: TextOrWhy;
    readonly ownLockfile?: boolean;
  }[];
  readonly settings: readonly { readonly path: string; readonly text: TextOrWhy }[];
  readonly ignored: readonly string[];
};

export type CheckPorts = {
  readonly clock: Clock;
  readonly policy: CheckPolicy;
  /** Hosts of `check.hosts`. */
  readonly hosts: readonly string[];
  /** Base URLs of the registries this machine is configured with. */
  readonly registries: { readonly base: string; readonly scopes: ReadonlyMap<string, string> };
  readonly hasFeeds: boolean;
  /** Whether the registry may be asked. */
  readonly online: boolean;
  /** Absent where no feed is configured or none was ever read. */
  readonly advisories?: {
    readonly index: Pick<AdvisoryIndex, "claims">;
    readonly states: readonly FeedState[];
    /** Feeds that were never read, or too long ago. */
    readonly stale: readonly StaleFeed[];
  };
  /** Absent where nothing is stored and nobody may be asked. */
  readonly decide?: DecideEntries;
};

export type CheckRequest = {
  /** As it was given, for the report. */
  readonly root: string;
  /** Folders with their path below the root: empty for the root itself. */
  readonly folders: readonly { readonly at: string; readonly files: CheckedFiles }[];
  /** Folders below the root that could not be read. */
  readonly unread?: readonly { readonly path: string; readonly why: string }[];
  /** What VEX documents lift. */
  readonly vex?: readonly VexStatement[];
  /** Versions asked about; the state of others is left out, also from what was not checked. Absent: all. */
  readonly only?: (name: string, version: string) => boolean;
  readonly onProgress?: (text: string) => void;
};

export type Checked = {
  readonly report: CheckReport;
  readonly trees: readonly ResolvedTree[];
  /** What is known of each version, by `name@version`; empty when nobody was asked. */
  readonly states: ReadonlyMap<string, DecidedEntry>;
};

export async function check(ports: CheckPorts, request: CheckRequest): Promise<Checked> {
  const now = ports.clock.now();
  const checks: LockfileCheck[] = [];
  const findings: Finding[] = [];
  const notChecked: NotChecked[] = [...(request.unread ?? []).map(notRead), ...staleFeeds(ports)];
  const trees: ResolvedTree[] = [];
  const known = new Map<string, DecidedEntry>();
  const lift = request.vex && (await import("../core/interchange/openvex.ts")).applyVex;
  let project: CheckReport["project"] = {};
  for (const [index, { at, files }] of request.folders.entries()) {
    if (request.folders.length > 1) request.onProgress?.(`${index + 1} of ${request.folders.length} · ${at || "."}`);
    const manifests = manifestsOf(at, files);
    const root = manifests.find(({ importer }) => importer === ".");
    if (index === 0 && root) project = { ...named("name", root.name), ...named("version", root.version) };
    findings.push(...(await ofFolder(at, files, root)));
    notChecked.push(...unreadIn(at, files).map(notRead));
    const sources = await allowedSources(ports, files);
    for (const { path, content } of files.lockfiles) {
      if ("why" in content) continue;
      const tree = readLockfile(joined(at, path), content);
      const states = ports.decide && (await statesOf(ports.decide, tree, request));
      for (const [key, state] of states?.known ?? []) known.set(key, state);
      const checked = checkLockfile(subjectOf(ports, { tree, manifests, sources, states, now }));
      checks.push({
        ...checked,
        findings: lift ? lift(checked.findings, request.vex!, project) : checked.findings,
        notChecked: checked.notChecked.filter(({ reason }) => reason !== NOT_ASKED),
      });
      trees.push(tree);
    }
  }
  const feeds = (ports.advisories?.states ?? []).flatMap(({ name, checked }) =>
    checked === undefined ? [] : [{ name, checked: iso(checked) }],
  );
  const report = makeReport({ root: request.root, project, checks, findings, notChecked, feeds, policy: ports.policy, now });
  return { report, trees, states: known };
}

/** What a feed did not say of late is no evidence that there is nothing to say. */
function staleFeeds({ advisories, policy }: CheckPorts): readonly NotChecked[] {
  return (advisories?.stale ?? []).map(({ name, why }) => ({
    check: "advisories",
    reason: `the feed ${name}: ${why}`,
    packages: 0,
    required: policy.require.includes("advisories"),
    command: "cordon feeds sync",
  }));
}

/** What cannot be read is no evidence that nothing is in it: such a run is never a clean one. */
function notRead({ path, why }: { readonly path: string; readonly why: string }): NotChecked {
  return { check: "lockfile", reason: `${path} cannot be read: ${why}`, packages: 0, required: true };
}

function unreadIn(
  at: string,
  { lockfiles, manifests, settings }: CheckedFiles,
): readonly { readonly path: string; readonly why: string }[] {
  const unread = (path: string, read: unknown) =>
    typeof read === "object" && read !== null && "why" in read ? [{ path: joined(at, path), why: String(read.why) }] : [];
  return [
    ...lockfiles.flatMap(({ path, content }) => unread(path, content)),
    ...[...manifests, ...settings].flatMap(({ path, text }) => unread(path, text)),
  ];
}

/** A lockfile that is not there, or that nobody else gets. */
async function ofFolder(at: string, files: CheckedFiles, root: Manifest | undefined): Promise<readonly Finding[]> {
  const { lockfiles, ignored, settings } = files;
  const count = root?.dependencies.filter(({ kind }) => kind !== "peer").length ?? 0;
  const npmrc = settings.find(({ path }) => path === ".npmrc")?.text;
  const off = typeof npmrc === "string" ? await lockfileTurnedOff(npmrc) : undefined;
  return [
    ...(root && count > 0 && lockfiles.length === 0 ? [lockfileMissing(root.path, count)] : []),
    ...ignored.map((path) => lockfileIgnored(joined(at, path), "git is told to ignore it: nobody else installs what it says")),
    ...lockfiles
      .filter(({ path }) => off !== undefined && path === "package-lock.json")
      .map(({ path }) => lockfileIgnored(joined(at, path), `npm neither reads nor writes it: .npmrc:${off} says package-lock=false`)),
  ];
}

/** The line of an npmrc that tells npm to do without a lockfile. */
async function lockfileTurnedOff(npmrc: string): Promise<number | undefined> {
  const { readNpmrc, setting } = await import("../core/client/settings.ts");
  const found = setting(readNpmrc(npmrc).settings, "package-lock");
  return found?.value === "false" ? found.line : undefined;
}

function joined(folder: string, file: string): string {
  return folder === "" ? file : `${folder}/${file}`;
}

function named<K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: string });
}

function manifestsOf(at: string, { manifests, settings }: CheckedFiles): readonly Manifest[] {
  const workspace = settings.find(({ path }) => path === "pnpm-workspace.yaml");
  const shared =
    workspace && typeof workspace.text === "string" ? readWorkspaceSettings(joined(at, workspace.path), workspace.text) : undefined;
  return manifests.flatMap(({ path, importer, text, ownLockfile = false }) => {
    if (typeof text !== "string") return [];
    const manifest = { ...readManifest(joined(at, path), importer, text), ownLockfile };
    if (!shared) return [manifest];
    return [withSettings(manifest, importer === "." ? shared : { ...shared, overrides: [], problems: [] })];
  });
}

type States = { readonly known: ReadonlyMap<string, DecidedEntry>; readonly unknown: ReadonlyMap<string, string> };

function subjectOf(
  { policy, advisories, hasFeeds, online }: CheckPorts,
  {
    tree,
    manifests,
    sources,
    states,
    now,
  }: Pick<CheckSubject, "tree" | "manifests" | "sources" | "now"> & { readonly states: States | undefined },
): CheckSubject {
  return {
    tree,
    manifests,
    sources,
    policy,
    now,
    ...(advisories ? { claims: (name, version, integrities) => advisories.index.claims(name, version, integrities) } : {}),
    ...(states ? { decided: (name, version) => stateOf(states, `${name}@${version}`), records: recordsOf(states) } : {}),
    unavailable: {
      ...(advisories ? {} : { advisories: hasFeeds ? NOT_READ : NO_FEED }),
      ...(online ? {} : { age: KNOWS_TOO_LITTLE, signatures: KNOWS_TOO_LITTLE, "recorded-integrity": KNOWS_TOO_LITTLE }),
    },
  };
}

/** No history at all, or, of signatures, nobody has looked: a version that was installed when it was old is known, and was never looked at. */
const KNOWS_TOO_LITTLE = { reason: "this machine knows too little of them", command: "cordon check --online" };
const NO_FEED = { reason: "no feed is configured", command: "cordon feeds add" };
const NOT_READ = { reason: "no feed was ever read on this machine", command: "cordon feeds sync" };

/** What this machine saw of a version before, or the registry says of it now. */
function recordsOf({ known }: States): Records {
  return {
    ofVersion(name, version) {
      const integrity = known.get(`${name}@${version}`)?.facts?.integrity;
      return integrity === undefined ? [] : [{ integrity, by: "this machine's history" }];
    },
  };
}

function stateOf({ known, unknown }: States, key: string): VersionState | string {
  const found = known.get(key);
  if (!found) return unknown.get(key) ?? NOT_ASKED;
  const { verdict, withheld, instead, start, facts } = found;
  return {
    verdict,
    withheld,
    instead,
    start,
    ...named("deprecated", facts?.deprecated?.text),
    ...(facts?.attested === undefined ? {} : { attested: facts.attested.own }),
  };
}

/** Why a version has no state when only some were asked about. */
const NOT_ASKED = "it was not asked about";

/** Asks once for each version of the registry's that the lockfile names. */
async function statesOf(decide: DecideEntries, tree: ResolvedTree, { only, onProgress }: CheckRequest): Promise<States> {
  const entries = new Map<string, Entry>();
  for (const { name, version, source, integrity } of tree.packages) {
    if (source.kind !== "registry" || version === "" || only?.(name, version) === false) continue;
    const comparable = integrity?.kind === "sri" || integrity?.kind === "sha1" ? { integrity: integrity.value } : {};
    entries.set(`${name}@${version}`, { name, version, ...comparable });
  }
  const { decided, unknown } = await decide([...entries.values()], {
    facts: true,
    onProgress: (done, total) => onProgress?.(`${tree.path}: ${done} of ${total} versions`),
  });
  return {
    known: new Map(decided.map((one) => [`${one.name}@${one.version}`, one])),
    unknown: new Map(unknown.map(({ name, version, why }) => [`${name}@${version}`, why])),
  };
}

/** The registries of the machine, those the project's own files name, and the hosts that stand for the public registry. */
async function allowedSources({ registries, hosts }: CheckPorts, { settings }: CheckedFiles): Promise<AllowedSources> {
  const scopes: Record<string, string[]> = {};
  for (const [scope, url] of registries.scopes) (scopes[scope] ??= []).push(hostOf(url));
  const own: string[] = [];
  if (settings.length > 0) {
    const { scopesNamed, registriesNamed } = await import("../core/client/registries.ts");
    const files = settings.flatMap(({ path, text }) => (typeof text === "string" ? [{ path, text, level: "project" as const }] : []));
    own.push(...registriesNamed(files, {}).map(({ url }) => hostOf(url)));
    for (const { scope, url } of scopesNamed(files, {})) (scopes[scope] ??= []).push(hostOf(url));
  }
  const base = [hostOf(registries.base), NPM_REGISTRY_HOST, YARN_REGISTRY_HOST, ...own];
  return { registries: [...new Set(base)].filter((host) => host !== ""), scopes, hosts };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host.toLowerCase() : "";
}
