/** `cordon check --since`: the change, not the pile. What a branch adds, moves and removes, and the findings that were not there before. */
import { instant, iso } from "../core/base/time.ts";
import { type CheckedChange, changeOf, type VersionDetails } from "../core/check/change.ts";
import { makeSummary } from "../core/check/report.ts";
import { diffTrees } from "../core/lockfile/diff.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import type { ResolvedTree } from "../core/lockfile/tree.ts";
import { check, type Checked, type CheckedFiles, type CheckPorts, type CheckRequest } from "./check.ts";
import type { DecidedEntry } from "./decide-entries.ts";

export type SinceRequest = Omit<CheckRequest, "folders" | "only"> & {
  /** The git ref, as it was given. */
  readonly since: string;
  readonly folders: readonly { readonly at: string; readonly files: CheckedFiles; readonly before: CheckedFiles }[];
};

export type CheckedSince = Checked & { readonly changes: readonly CheckedChange[] };

export async function checkSince(ports: CheckPorts, request: SinceRequest): Promise<CheckedSince> {
  const { since, folders, ...rest } = request;
  const compared = folders.flatMap(({ at, files, before }) => differences(at, files, before));
  const fresh = new Set(compared.flatMap(({ diff }) => [...diff.added, ...diff.moved.flatMap(({ to }) => to)].map(keyOf)));
  const isFresh = (name: string, version: string): boolean => fresh.has(keyOf({ name, version }));
  const after = await check(ports, { ...rest, folders, only: isFresh });
  // The same rules over what was there before, by what is known now: what they said then too is not this change's.
  const { decide: _decide, ...offline } = ports;
  const old = await check(offline, { root: rest.root, folders: folders.map(({ at, before }) => ({ at, files: before })) });
  const known = new Set(old.report.findings.map(({ fingerprint }) => fingerprint));
  const findings = after.report.findings.filter(({ fingerprint }) => !known.has(fingerprint));
  const details = new Map(
    [...fresh].map((key) => [key, detailsOf(after.states.get(key), ports.clock.now(), advisoriesOf(after, key))] as const),
  );
  return {
    ...after,
    report: {
      ...after.report,
      findings,
      summary: { ...after.report.summary, ...makeSummary(findings, after.report.notChecked, ports.policy) },
    },
    changes: compared.map(({ path, diff }) => changeOf(diff, details, { path, since })),
  };
}

function keyOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}@${version}`;
}

/** Lockfiles of both states by name; one that is new is compared with nothing. */
function differences(at: string, files: CheckedFiles, before: CheckedFiles) {
  const read = (from: CheckedFiles, path: string): ResolvedTree | undefined => {
    const content = from.lockfiles.find((one) => one.path === path)?.content;
    return content === undefined || "why" in content ? undefined : readLockfile(path, content);
  };
  return files.lockfiles.flatMap(({ path }) => {
    const now = read(files, path);
    if (!now) return [];
    const then = read(before, path) ?? { ...now, packages: [], importers: [], problems: [] };
    return [{ path: at === "" ? path : `${at}/${path}`, diff: diffTrees(then, now) }];
  });
}

function advisoriesOf({ report }: Checked, key: string): readonly string[] {
  const about = report.findings.filter(({ name, version, advisory }) => advisory && name !== undefined && `${name}@${version}` === key);
  return [...new Set(about.map(({ advisory }) => advisory!.id))];
}

function detailsOf(state: DecidedEntry | undefined, now: number, advisories: readonly string[]): VersionDetails {
  if (!state) return { advisories, notChecked: "nobody was asked; without --offline the registry is" };
  const { verdict, facts } = state;
  const release = facts?.release;
  const told = new Set([...verdict.reasons, ...verdict.notes].map(({ id }) => id));
  const publisher = release?.own.publisher;
  const proof = facts?.attested?.own.provenance;
  return {
    published: iso(instant(state.start)),
    ageMs: now - state.start,
    action: verdict.action,
    ...(release === undefined ? {} : { nameAgeMs: now - release.packageSince }),
    ...(verdict.until === undefined ? {} : { until: iso(verdict.until) }),
    ...(publisher === undefined
      ? {}
      : {
          publisher: {
            name: publisher.trusted?.id ?? publisher.name ?? "somebody",
            trusted: publisher.trusted !== undefined,
            changed: told.has("publisher-changed"),
          },
        }),
    ...(release === undefined ? {} : { scripts: Object.keys(release.own.scripts ?? {}) }),
    ...(proof === undefined
      ? {}
      : {
          provenance: {
            state: proof.state,
            ...(proof.state === "valid" ? { repository: proof.identity.repository } : {}),
            changed: told.has("provenance-dropped") || told.has("provenance-identity-changed"),
          },
        }),
    signals: [...verdict.reasons, ...verdict.notes].map(({ id, effect, title }) => ({ id, effect: effect.kind, title })),
    advisories,
  };
}
