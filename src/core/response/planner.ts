/**
 * From an incident and what was found of it to the plan. No step loosens anything; every place where it ran or was installed is cut off
 * before anything else is done there; nothing is revoked before what persists is gone. Tested as properties.
 */
import { canonical, sha256 } from "../base/digest.ts";
import type { Answer, Evidence } from "../exposure/judge.ts";
import type { IncidentPack } from "../incident/pack.ts";
import { cacheOf, formOf, isStanding } from "./cache-entry.ts";
import { hasGood, rangeBelow } from "./last-good.ts";
import { type Action, AFTER, type Phase, PHASES, type Plan, type PurgeAction, type RollbackAction, sealed, type Step } from "./plan.ts";
import { byReach, REACHES, rotationOf, type Secret } from "./secrets.ts";

export type Project = {
  /** Absolute. */
  readonly root: string;
  readonly client: "npm" | "pnpm" | "yarn" | "bun" | "deno";
  /** What its manifest asks for itself, and in which field. */
  readonly direct: Readonly<Record<string, string>>;
  /** What it and its workspaces publish; empty where all are private. */
  readonly publishes: readonly string[];
  /** Where a branch can be made of it without touching its working tree, or why that cannot be done. */
  readonly git: { readonly base: string } | { readonly why: string };
};

export type Estate = {
  /** As `process.platform`: what is looked for on this machine. */
  readonly platform: string;
  readonly secrets: readonly Secret[];
  readonly projects: readonly Project[];
  /** By poisoned `name@version` the version to go back to, where one is known. */
  readonly lastGood: ReadonlyMap<string, string>;
};

/** How long a freeze lasts when nobody lifts it. */
const FREEZE_DAYS = 3;

type Draft = {
  readonly warnings?: readonly string[];
  /** Only after the draft before it, which is of the same phase. */
  readonly follows?: true;
} & (
  | Omit<Step & { readonly who: "cordon" }, "id" | "needs" | "warnings">
  | Omit<Step & { readonly who: "you" }, "id" | "needs" | "warnings">
);

export function planResponse(pack: IncidentPack, answers: readonly Answer[], scope: Plan["scope"], estate: Estate): Plan {
  const exposures = answers.filter(({ level }) => level !== "not-exposed").toSorted((a, b) => compare(a.place, b.place));
  const secrets = byReach(estate.secrets);
  const drafts = [
    ...declaring(pack),
    ...isolating(exposures),
    ...preserving(exposures),
    ...persisting(pack, exposures, estate.platform),
    ...rotating(pack, exposures, secrets),
    ...purging(exposures),
    ...rollingBack(pack, exposures, estate),
    ...revalidating(pack, exposures, estate),
    ...closing(),
  ];
  return sealed({
    schema: "cordon.response-plan/1",
    incident: { id: pack.id, revision: pack.revision, title: pack.title, digest: sha256(canonical(pack)) },
    scope,
    exposuresDigest: sha256(canonical(exposures)),
    exposures,
    secrets: hit(exposures) ? secrets : [],
    steps: ordered(pack, drafts),
  });
}

// --- the steps of each phase ----------------------------------------------------------------------------------------------------------------

function declaring(pack: IncidentPack): readonly Draft[] {
  const denies = pack.packages.flatMap(({ name, versions, everyVersion }) => [
    ...(everyVersion ? [denying(`deny every version of ${name} at the gate`, { kind: "deny", name })] : []),
    ...versions.flatMap(({ version, integrity = everyVersion ? [] : [undefined] }) =>
      integrity.map((bytes) =>
        denying(
          `deny ${name}@${version} at the gate, by version and by its bytes${bytes === undefined ? " where they are known" : ` (${bytes.slice(0, 16)}…)`}`,
          { kind: "deny", name, version, ...(bytes !== undefined && { integrity: bytes }) },
        ),
      ),
    ),
  ]);
  const { from, until } = pack.window;
  // A closed window needs no freeze: nothing more comes out of it.
  if (from === undefined || (until !== undefined && pack.coverage.kind === "complete")) return denies;
  return [
    ...denies,
    {
      phase: "declare",
      who: "cordon",
      title: `freeze: admit nothing that appeared from ${from} on, for ${FREEZE_DAYS} days; more was poisoned than is listed`,
      action: { kind: "freeze", before: from, days: FREEZE_DAYS },
      evidence: "the freeze and the row of the ledger that records it",
      undo: "cordon freeze lift, typed by a person",
      done: "`cordon freeze` shows it",
    },
  ];
}

function denying(title: string, action: Action): Draft {
  return {
    phase: "declare",
    who: "cordon",
    title,
    action,
    evidence: "the deny and the row of the ledger that records it",
    undo: "cordon deny remove, typed by a person",
    done: "`cordon deny list` shows it",
  };
}

function isolating(exposures: readonly Answer[]): readonly Draft[] {
  return [...machines(exposures)].map(([machine, places]) => ({
    phase: "isolate" as const,
    who: "you" as const,
    title: `${machine}: cut it off the network; leave it running. ${counted(places.length, "place")}: ${listed(places)}`,
    commands: [],
    evidence: "who cut it off, and when",
    undo: "connect it again",
    done: "nothing on it reaches the network",
  }));
}

function preserving(exposures: readonly Answer[]): readonly Draft[] {
  const files = [...new Set(exposures.flatMap(({ evidence }) => evidence.map(({ file }) => file)))].toSorted(compare);
  if (files.length === 0) return [];
  return [
    {
      phase: "preserve",
      who: "cordon",
      title: `copy ${counted(files.length, "file or folder", "files and folders")} that prove it, with their sha256, signed`,
      action: { kind: "preserve", files },
      evidence: "the copies, a manifest of sha256, an Ed25519 signature that anybody can check",
      done: "the bundle verifies: cordon respond --verify-bundle",
    },
  ];
}

function persisting(pack: IncidentPack, exposures: readonly Answer[], platform: Estate["platform"]): readonly Draft[] {
  return [...machines(exposures)].map(([machine, places]) => {
    // Of another machine nobody here knows what it runs.
    const mine = [...(pack.indicators?.paths ?? [])].filter(
      (one) => one.means === "executed" && (machine !== HERE || one.platform === undefined || one.platform === platform),
    );
    const found = exposures
      .filter(({ place }) => places.includes(place))
      .flatMap(({ evidence }) => evidence.filter((one) => one.level === "executed" && one.name === undefined).map(({ file }) => file));
    const paths = unique([...mine.map(({ path }) => path), ...found]);
    const names = unique((pack.indicators?.files ?? []).map(({ path }) => path));
    return {
      phase: "persistence" as const,
      who: "you" as const,
      title: `${machine}: stop and remove what was installed to stay${paths.length === 0 ? "" : `: ${listed(paths)}`}`,
      commands: [
        ...paths.map(removal),
        ...(names.length > 0 && machine === HERE
          ? [`find ${places.map(quoted).join(" ")} ${names.map((name) => `-name ${quoted(name)}`).join(" -o ")}`]
          : []),
        "crontab -l; systemctl --user list-unit-files --state=enabled; launchctl list   (whichever exists: what is new since the window?)",
        "git diff --stat HEAD -- .claude .vscode .github   (in each project: hooks of editors and workflows nobody wrote?)",
      ],
      ...(machine === HERE && paths.length > 0 && { test: { kind: "gone" as const, paths } }),
      evidence: "what was found and removed, and by whom",
      done: "after a restart none of it is there and nothing unknown runs",
    };
  });
}

/**
 * Stops a unit before its file goes; any other file is only removed, after a question: a pack may come from anybody. What is not deep
 * enough to be one program's own gets no command at all.
 */
function removal(path: string): string {
  const parts = path.split(/[/\\]/).filter((part) => part !== "");
  if (parts.length < 2 || parts.includes("..")) return `look at ${path} yourself; it is too much to remove by a command`;
  const base = parts.at(-1)!;
  if (/\/systemd\/.*\.(?:service|timer)$/.test(path)) return `systemctl --user disable --now ${quoted(base)}; rm -i -- ${quoted(path)}`;
  if (/\/Launch(?:Agents|Daemons)\/.*\.plist$/.test(path))
    return `launchctl bootout gui/$(id -u) ${quoted(path)}; rm -i -- ${quoted(path)}`;
  if (path.startsWith("%")) return `del /p "${path.replaceAll('"', "")}"`;
  return `rm -ri -- ${quoted(path)}`;
}

/** For a shell; a leading `~/` stays outside the quotes, or it would be a folder's name. */
function quoted(path: string): string {
  const [home, rest] = path.startsWith("~/") ? ["~/", path.slice(2)] : ["", path];
  return `${home}${/^[\w@%+=:,./-]+$/.test(rest) ? rest : `'${rest.replaceAll("'", "'\\''")}'`}`;
}

/** Where nobody could read the names, all are meant. */
function rotating(pack: IncidentPack, exposures: readonly Answer[], secrets: readonly Secret[]): readonly Draft[] {
  const unread = [...machines(exposures).keys()].filter((machine) => machine !== HERE || secrets.length === 0);
  const known = hit(exposures) ? REACHES.map((reach) => ({ reach, those: secrets.filter((one) => one.reach === reach) })) : [];
  return [
    ...known
      .filter(({ those }) => those.length > 0)
      .map(({ reach, those }): Draft => {
        const { title, commands, done } = rotationOf(reach, those, pack.id);
        return {
          phase: "rotate",
          who: "you",
          title: `from a clean machine: ${title}`,
          commands,
          evidence: `names: ${unique(those.map(({ name }) => name)).join(", ")}; found in ${unique(those.map(({ file }) => file)).join(", ")}`,
          done,
        };
      }),
    ...unread.map((machine): Draft => ({
      phase: "rotate",
      who: "you",
      title: `from a clean machine: every secret within reach of ${machine}; cordon knows none of their names`,
      commands: [],
      evidence: "the list of names, and who replaced each",
      done: "each issuer says the old one is no longer valid",
    })),
  ];
}

function purging(exposures: readonly Answer[]): readonly Draft[] {
  const actions = new Map<string, PurgeAction>();
  const byHand = new Map<string, Draft>();
  for (const { place, evidence } of exposures)
    for (const one of evidence) {
      const { name, version, file } = one;
      if (name === undefined || version === undefined) continue;
      const cache = cacheOf(one);
      const form = formOf(one);
      if (cache !== undefined) actions.set(`${file} ${name}@${version}`, { kind: "purge", cache, folder: place, file, name, version });
      else if (form === "store" || form === "cache" || form === "image-file")
        byHand.set(file, {
          phase: "purge",
          who: "you",
          title: `${file}: take ${name}@${version} out of it; cordon does not write there`,
          commands:
            form === "image-file"
              ? [`build the image again without ${name}@${version}`]
              : ["pnpm store prune   (after node_modules of every project that used it are gone)"],
          evidence: "who did it, and when",
          done: "cordon exposure no longer finds it there",
        });
    }
  const purges = [...actions].toSorted(([a], [b]) => compare(a, b));
  return [
    ...purges.map(([, action]): Draft => ({
      phase: "purge",
      who: "cordon",
      title: `${action.cache}'s cache ${action.folder}: take out ${action.name}@${action.version}, nothing else`,
      action,
      evidence: "which files were removed, with their sizes",
      done: "the client's cache no longer serves it",
    })),
    ...[...byHand].toSorted(([a], [b]) => compare(a, b)).map(([, draft]) => draft),
  ];
}

function rollingBack(pack: IncidentPack, exposures: readonly Answer[], estate: Estate): readonly Draft[] {
  const roots = new Set(estate.projects.map(({ root }) => root));
  const others = exposures.filter(({ place, level }) => !roots.has(place) && level !== "unknown" && level !== "could-have");
  return [...inProjects(pack, exposures, estate), ...others.flatMap(outsideProjects)];
}

/** A global install, a folder of npx, a lockfile by itself. */
function outsideProjects({ place, evidence }: Answer): readonly Draft[] {
  const standing = evidence.filter((one) => isStanding(one) && !["cache", "store", "image-file"].includes(formOf(one)!));
  if (standing.length === 0) return [];
  return [
    {
      phase: "rollback",
      who: "you",
      title: `${place}: take ${listed(unique(standing.map(({ name, version }) => `${name}@${version}`)))} out of it; it is no project of its own`,
      commands: [],
      test: { kind: "clean", folder: place },
      evidence: `what was removed: ${unique(standing.map(({ file }) => file)).join(", ")}`,
      done: "cordon exposure no longer finds it there",
    },
  ];
}

function inProjects(pack: IncidentPack, exposures: readonly Answer[], { projects, lastGood }: Estate): readonly Draft[] {
  const branches = new Set<string>();
  return projectsHit(exposures, projects).flatMap(({ project, answer }): readonly Draft[] => {
    const branch = branchOf(pack, project, branches);
    const bad = answer.evidence.flatMap((one) => (one.name !== undefined && one.version !== undefined && isStanding(one) ? [one] : []));
    if (bad.length === 0) return [];
    const specs = unique(bad.map(({ name, version }) => `${name}@${version}`));
    // What only the attack ever asked for goes with what brought it in.
    const carriers = specs.filter((spec) => hasGood(pack, nameOf(spec)));
    const said = listed(carriers.length > 0 ? carriers : specs);
    const warnings = carriers
      .filter((spec) => !lastGood.has(spec))
      .map((spec) => `no good version before ${spec} is recorded here; the newest below the poisoned ones is taken`);
    const lockfiles = unique(bad.flatMap((one) => (formOf(one) === "lockfile" ? [one.file] : [])));
    const why =
      noBranch(project, lockfiles) ?? (carriers.length === 0 ? "it has no good version: take it out, or what asks for it" : undefined);
    if (why !== undefined) return [byHand(pack, project, { branch, carriers, said, why, lastGood, warnings })];
    const action: RollbackAction = {
      kind: "rollback",
      root: project.root,
      lockfile: lockfiles[0]!.slice(project.root.length + 1),
      base: (project.git as { readonly base: string }).base,
      branch,
      replace: carriers.map((spec) => {
        const to = lastGood.get(spec);
        return { name: nameOf(spec), version: spec.slice(nameOf(spec).length + 1), ...(to !== undefined && { to }) };
      }),
    };
    return [onBranch(action, said, warnings), takingOver(project, action)];
  });
}

/** Why cordon cannot make the branch itself; undefined when it can. */
function noBranch({ root, client, git }: Project, lockfiles: readonly string[]): string | undefined {
  if (client === "deno") return "deno has no overrides, and what a deno.json imports is for you to write";
  if ("why" in git) return git.why;
  if (lockfiles.length === 0) return "no lockfile of it names a poisoned version; only what is installed has to go";
  const inRoot = lockfiles.every((file) => file.startsWith(root) && /^[/\\][^/\\]+$/.test(file.slice(root.length)));
  return lockfiles.length === 1 && inRoot ? undefined : `more than one lockfile names them: ${listed(lockfiles)}`;
}

/** Several projects may lie in one repository: no two have the same. */
function branchOf({ id }: IncidentPack, { root }: Project, taken: Set<string>): string {
  const plain = `cordon/respond-${slug(id)}-${slug(root.slice(Math.max(root.lastIndexOf("/"), root.lastIndexOf("\\")) + 1))}`;
  let branch = plain;
  for (let n = 2; taken.has(branch); n += 1) branch = `${plain}-${n}`;
  taken.add(branch);
  return branch;
}

function slug(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]+/g, "-").replaceAll(/^-+|-+$/g, "") || "project";
}

function onBranch(action: RollbackAction, said: string, warnings: readonly string[]): Draft {
  const { root, branch, base, lockfile } = action;
  return {
    phase: "rollback",
    who: "cordon",
    title: `${root}: back to the last good version in place of ${said}, on the new branch ${branch}; your working tree is not touched`,
    action,
    evidence: `the branch, one commit on ${base.slice(0, 12)}, and what the lockfile is checked against`,
    undo: `git branch -D ${branch}`,
    done: `${lockfile} on ${branch} names none of the poisoned versions, transitive ones included`,
    warnings,
  };
}

/** The branch changes nothing until somebody takes it: what is installed has to go too. */
function takingOver({ root, client }: Project, { branch, base }: RollbackAction): Draft {
  return {
    phase: "rollback",
    who: "you",
    follows: true,
    title: `${root}: take the branch over, and install anew from it`,
    commands: [
      `cd ${quoted(root)} && git diff HEAD...${branch}`,
      `git merge ${branch}`,
      "rm -rf node_modules",
      FROZEN[client],
      "cordon check",
    ],
    test: { kind: "clean", folder: root },
    evidence: "the merge, and what `cordon check` says of it",
    undo: `git reset --keep ${base.slice(0, 12)}   (while nothing else was committed since)`,
    done: "neither the lockfile nor node_modules holds any of the poisoned versions",
  };
}

function byHand(
  pack: IncidentPack,
  project: Project,
  {
    branch,
    carriers,
    said,
    why,
    lastGood,
    warnings,
  }: {
    readonly branch: string;
    readonly carriers: readonly string[];
    readonly said: string;
    readonly why: string;
    readonly lastGood: Estate["lastGood"];
    readonly warnings: readonly string[];
  },
): Draft {
  return {
    phase: "rollback",
    who: "you",
    title: `${project.root}: back to the last good version in place of ${said}, on a branch; cordon cannot make it: ${why}`,
    commands: [
      `cd ${quoted(project.root)} && git switch -c ${branch}`,
      "cordon check --fix   (where it clears everything, go on with the install)",
      ...carriers.flatMap((spec) => pins(project, nameOf(spec), lastGood.get(spec) ?? belowPoison(pack, spec))),
      "rm -rf node_modules",
      INSTALL[project.client],
      "cordon check",
    ],
    test: { kind: "clean", folder: project.root },
    evidence: "the branch, its diff and what `cordon check` says of it",
    undo: `git switch - && git branch -D ${branch}`,
    done: "the lockfile names none of the poisoned versions, transitive ones included",
    warnings,
  };
}

/** Where no history is known. */
function belowPoison(pack: IncidentPack, spec: string): string {
  return rangeBelow(pack, nameOf(spec), spec.slice(nameOf(spec).length + 1));
}

function nameOf(spec: string): string {
  return spec.slice(0, spec.indexOf("@", 1));
}

const INSTALL: Readonly<Record<Project["client"], string>> = {
  npm: "cordon npm install --ignore-scripts",
  pnpm: "cordon pnpm install --ignore-scripts --no-frozen-lockfile",
  yarn: "cordon yarn install",
  bun: "cordon bun install --ignore-scripts",
  deno: "cordon deno install",
};

/** Installs what the lockfile says; the gate keeps scripts of what is held out, and the flag all of them. */
const FROZEN: Readonly<Record<Project["client"], string>> = {
  npm: "cordon npm ci --ignore-scripts",
  pnpm: "cordon pnpm install --frozen-lockfile --ignore-scripts",
  yarn: "cordon yarn install",
  bun: "cordon bun install --frozen-lockfile --ignore-scripts",
  deno: "cordon deno install --frozen",
};

/** A pin where the manifest asks for it itself, an override for whoever else brings it in. */
function pins({ client, direct }: Project, name: string, version: string): readonly string[] {
  const set = (key: string): string => `npm pkg set ${quoted(`${key}=${version}`)}`;
  const pin = Object.hasOwn(direct, name) ? [set(`${direct[name]}[${name}]`)] : [];
  if (client === "deno") return [`write npm:${name}@${version} into deno.json`];
  const field = { npm: "overrides", pnpm: "pnpm.overrides", yarn: "resolutions", bun: "overrides" }[client];
  // pnpm 11 reads nothing but pnpm-workspace.yaml, earlier ones also the manifest.
  const workspace =
    client === "pnpm" ? [`write overrides: { "${name}": "${version}" } into pnpm-workspace.yaml   (pnpm 11 and later)`] : [];
  return [...pin, set(`${field}[${name}]`), ...workspace];
}

function revalidating(pack: IncidentPack, exposures: readonly Answer[], { projects }: Estate): readonly Draft[] {
  const { from = "the first poisoned release", until = "now" } = pack.window;
  const hitProjects = projectsHit(exposures, projects).map(({ project }) => project);
  if (hitProjects.length === 0 && !hit(exposures)) return [];
  return [
    ...hitProjects.map(({ root }): Draft => ({
      phase: "revalidate",
      who: "cordon",
      title: `${root}: everything its lockfiles name, against the registry: bytes, signatures, provenance, reports of malware`,
      action: { kind: "revalidate-lock", root },
      evidence: "how many have the registry's own bytes, whose signatures and provenance hold, and every one that does not",
      done: "none has other bytes than the registry says, a proof that does not hold, or a report of malware",
    })),
    {
      phase: "revalidate",
      who: "you",
      title: `everything built or published between ${from} and ${until}: build it again and compare`,
      commands: hitProjects.length === 0 ? [] : ["sha256sum <artefact>   (of each: the one that was shipped, and the one built again)"],
      evidence: "digests before and after",
      done: "each artefact has the same digest as before, or was replaced",
    },
    ...hitProjects.flatMap(({ root, publishes }) => publishes.flatMap((name) => ownVersions(pack, root, name))),
  ];
}

function ownVersions({ window: { from } }: IncidentPack, root: string, name: string): readonly Draft[] {
  const title = `${name}: was a version published that none of you published? A worm publishes with what it stole`;
  const done = "somebody answers for every version since the window began";
  if (from === undefined)
    return [
      {
        phase: "revalidate",
        who: "you",
        title: `${title}; since when is not known`,
        commands: [`npm view ${quoted(name)} time --json`],
        evidence: "the list of versions with their times, and who published each",
        done,
      },
    ];
  return [
    {
      phase: "revalidate",
      who: "cordon",
      title,
      action: { kind: "revalidate-own", root, name, from },
      evidence: "every version that appeared since, when, with which tag of git, signature and provenance",
      done: `${done}: each has a tag in git, or you leave the step out and say why`,
    },
  ];
}

function closing(): readonly Draft[] {
  return [
    {
      phase: "verify",
      who: "cordon",
      title: "look again at everything that was looked at, and say what is still there",
      action: { kind: "recheck" },
      evidence: "what the second look found",
      done: "no lockfile, folder or cache holds a poisoned version; records of the past remain",
    },
    {
      phase: "report",
      who: "cordon",
      title: "write the report: timeline, evidence, decisions, what remains unknown",
      action: { kind: "report" },
      evidence: "report.md, report.html, report.json",
      done: "the three files are there",
    },
  ];
}

// --- order ----------------------------------------------------------------------------------------------------------------------------------

/** Words of a pack's ordering and the phase each means. */
const MEANS: readonly (readonly [RegExp, Phase])[] = [
  [/isolat|disconnect|network/i, "isolate"],
  [/preserv|snapshot|image the|copy|evidence/i, "preserve"],
  [/persist|hook|dead.?man|implant is removed/i, "persistence"],
  [/revok|rotat|credential|token/i, "rotate"],
  [/purg|cache/i, "purge"],
  [/roll|downgrad|pin\b/i, "rollback"],
];

/**
 * Numbers the steps and ties them together. A pack's own order is kept as ties; where its words are not understood, or contradict the order
 * that holds for every incident, it is a step that a person must read and confirm before anything else is done on a machine.
 */
function ordered(pack: IncidentPack, drafts: readonly Draft[]): readonly Step[] {
  const warnings = new Map<Phase, string[]>();
  const unread: Draft[] = [];
  for (const { first, next, because } of pack.ordering ?? []) {
    const before = phasesIn(first);
    const after = phasesIn(next).filter((phase) => !before.includes(phase));
    const text = `${first}, only then ${next}: ${because}`;
    if (before.length > 0 && after.length > 0 && after.every((phase) => before.every((one) => waitsFor(phase, one))))
      for (const phase of after) warnings.set(phase, [...(warnings.get(phase) ?? []), text]);
    else
      unread.push({
        phase: "isolate",
        who: "you",
        title: `read before you go on: ${text}`,
        commands: [],
        evidence: "who read it",
        done: "everybody who takes part knows it",
      });
  }
  const counts = new Map<Phase, number>();
  const numbered = [...unread, ...drafts]
    .toSorted((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase))
    .map((draft) => {
      const count = (counts.get(draft.phase) ?? 0) + 1;
      counts.set(draft.phase, count);
      return { id: `${draft.phase}-${count}`, draft };
    });
  return numbered.map(({ id, draft: { follows, ...draft } }, index) => ({
    ...draft,
    id,
    needs: numbered
      .filter((one, other) => waitsFor(draft.phase, one.draft.phase) || (follows === true && other === index - 1))
      .map((one) => one.id),
    warnings: [...(draft.warnings ?? []), ...(warnings.get(draft.phase) ?? [])],
  }));
}

function phasesIn(text: string): readonly Phase[] {
  return [...new Set(MEANS.flatMap(([shape, phase]) => (shape.test(text) ? [phase] : [])))];
}

/** Whether a phase comes only after another, directly or by way of others. */
export function waitsFor(phase: Phase, other: Phase): boolean {
  return AFTER[phase].includes(other) || AFTER[phase].some((one) => waitsFor(one, other));
}

// --- what was hit ---------------------------------------------------------------------------------------------------------------------------

function isHit({ level }: Answer): boolean {
  return level === "executed" || level === "installed";
}

function hit(exposures: readonly Answer[]): boolean {
  return exposures.some(isHit);
}

const HERE = "this machine";

/** Places where it ran or was installed, by the machine they are of. */
function machines(exposures: readonly Answer[]): ReadonlyMap<string, readonly string[]> {
  const machines = new Map<string, string[]>();
  for (const answer of exposures.filter(isHit)) {
    const machine = tellsOfAnother(answer) ? `the machine that ${answer.place} tells of` : HERE;
    machines.set(machine, [...(machines.get(machine) ?? []), answer.place]);
  }
  return machines;
}

/** A log, an image or a list is its own place: what it names was on another machine, for all that is known. */
export function tellsOfAnother({ place, evidence }: Answer): boolean {
  return evidence.length > 0 && evidence.every(({ file, name }: Evidence) => file === place && name !== undefined);
}

function projectsHit(
  exposures: readonly Answer[],
  projects: readonly Project[],
): readonly { readonly project: Project; readonly answer: Answer }[] {
  return projects
    .toSorted((a, b) => compare(a.root, b.root))
    .flatMap((project) => {
      const answer = exposures.find(({ place, level }) => place === project.root && level !== "unknown" && level !== "could-have");
      return answer ? [{ project, answer }] : [];
    });
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function listed(values: readonly string[]): string {
  return values.length > 3 ? `${values.slice(0, 3).join(", ")} and ${values.length - 3} more` : values.join(", ");
}

function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
