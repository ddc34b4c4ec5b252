/** Compares a tarball's report with its predecessor's and with the packument: what is new is what counts. */
import { LIMITS } from "../base/limits.ts";
import type { Release } from "../npm/release.ts";
import type { CodeDone, Reached } from "./code-facts.ts";
import { manifestMismatches } from "./mismatch.ts";
import type { Capability, FileEntry, Place, TarballReport } from "./report.ts";

/** What the packument says of the version; without `release` (an abbreviated document) nothing of it is compared. */
export type Listed = { readonly name: string; readonly version: string; readonly release?: Release };

export function codeFacts(
  report: TarballReport,
  compared: { readonly version: string; readonly report: TarballReport } | undefined,
  listed: Listed,
): CodeDone {
  // One of which nothing could be read says nothing about what is new.
  const predecessor = compared && compared.report.files.length > 0 ? compared : undefined;
  const before = predecessor?.report;
  const install = new Set(report.reach.install);
  const entry = new Set(report.reach.entry);
  const reached = (path: string): Reached => ({ install: install.has(path), entry: entry.has(path) });

  const oldChains = new Set(before?.chains.map(({ id, key }) => `${id} ${key}`));
  const chains = report.chains.filter(({ id, key }) => !oldChains.has(`${id} ${key}`));
  const oldCapabilities = new Set(before?.capabilities.map(({ id }) => id));
  const oldHosts = new Set(before?.hosts);
  const oldNative = new Set(before?.files.flatMap(({ kind, path }) => (kind === "native" ? [path] : [])));
  const oldNames = before?.manifest && new Set(namesIn(before.manifest));
  return {
    state: "done",
    ...(predecessor ? { predecessor: predecessor.version } : {}),
    archive: report.archive.flatMap(({ grave, problem, path }) => (grave ? [{ problem, ...(path === undefined ? {} : { path }) }] : [])),
    chains: chains.map((chain) => ({ ...chain, ...reached(chain.path) })),
    added: report.capabilities.filter(({ id }) => !oldCapabilities.has(id)).map(({ id, where }) => ({ id, where })),
    install: installAdditions(report, before),
    hosts: report.hosts.filter((host) => !oldHosts.has(host)).slice(0, LIMITS.differencesShown),
    binaries: report.files
      .flatMap(({ kind, path }) => (kind === "native" && !oldNative.has(path) ? [path] : []))
      .slice(0, LIMITS.differencesShown),
    mismatches: mismatches(report, listed),
    unimported: oldNames ? report.unmentioned.filter((name) => !oldNames.has(name)) : [],
    unread: unreadAdditions(report, before).map((one) => ({ ...one, ...reached(one.path) })),
    shrinkwrap: report.shrinkwrap ?? [],
  };
}

function mismatches({ manifest, files }: TarballReport, listed: Listed): readonly string[] {
  if (manifest) return manifestMismatches(manifest, listed);
  return files.length > 0 ? ["package.json: the tarball has none"] : [];
}

function namesIn(manifest: NonNullable<TarballReport["manifest"]>): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies, bundled } = manifest;
  return [dependencies, optionalDependencies, peerDependencies].flatMap((map) => Object.keys(map ?? {})).concat(bundled ?? []);
}

/** What install scripts can do now, from files that were not the same before, and could not do before. */
function installAdditions(
  report: TarballReport,
  before: TarballReport | undefined,
): readonly { id: Capability["id"]; where: readonly Place[] }[] {
  const old = new Set(
    before ? filesOf(before, before.reach.install).flatMap(({ found }) => (found?.capabilities ?? []).map(({ id }) => id)) : [],
  );
  const equal = new Set(before?.files.map(({ path, digest }) => `${digest} ${path}`));
  const added = new Map<Capability["id"], Place[]>();
  for (const { path, digest, found } of filesOf(report, report.reach.install))
    for (const { id, where } of found?.capabilities ?? []) {
      if (old.has(id) || (before && path !== "package.json" && equal.has(`${digest} ${path}`))) continue;
      const places = added.get(id) ?? [];
      for (const place of where) if (places.length < LIMITS.placesPerCapability) places.push({ path, ...place });
      added.set(id, places);
    }
  return [...added].map(([id, where]) => ({ id, where }));
}

function filesOf(report: TarballReport, paths: readonly string[]): readonly FileEntry[] {
  const wanted = new Set(paths);
  return report.files.filter(({ path }) => wanted.has(path));
}

/** A file that could not be read before either is no news, whatever it holds now; nor is a further one of a package that has such files. */
function unreadAdditions(report: TarballReport, before: TarballReport | undefined): TarballReport["unread"] {
  const old = new Set(before?.unread.flatMap(({ path, kind }) => [kind, `${kind} ${path}`]));
  return report.unread.filter(({ path, kind }) => !old.has(kind === "syntax" ? kind : `${kind} ${path}`));
}
