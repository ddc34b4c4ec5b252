/** The machine as the wrapper needs it: real clients, projects on disk, lockfiles in a journal, the guard. Puts this folder's parts together. */
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import type { Clock, Instant } from "../../core/base/time.ts";
import type { Client, Intent } from "../../core/client/client.ts";
import type { SettingsFile } from "../../core/client/findings.ts";
import { projectLabel } from "../../core/client/gate-url.ts";
import type { Installed } from "../../core/client/installed.ts";
import { registriesNamed } from "../../core/client/registries.ts";
import { CLIENTS } from "../../core/client/table.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import type { ResolvedTree } from "../../core/lockfile/tree.ts";
import { openGuard } from "../guard/connect-proxy.ts";
import { guardEnvironment } from "../guard/environment.ts";
import { refusedHosts } from "../guard/refused-hosts.ts";
import { type NpmPlace, readNpmSettings } from "../upstream/npm-files.ts";
import { readProxies } from "../upstream/proxies.ts";
import { findClient, globalRoot, readManifest } from "./find.ts";
import { readBytes } from "./files.ts";
import { readInstalled } from "./installed.ts";
import { openJournal } from "./journal.ts";
import { beginRun, finishRun, type LockfileOutcome, lockfilesInHand, type Normalise, readLockfiles, repairRuns } from "./lockfiles.ts";
import type { Surroundings } from "./places.ts";

import { findProject, projectRanges, settingsFiles, workingFolder } from "./project.ts";
import { exitStatus, runClient } from "./run.ts";

export type Machine = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly surroundings: Surroundings;
  readonly place: NpmPlace;
  /** cordon's own folders on PATH. */
  readonly own: readonly string[];
};

type Found = {
  readonly client: Client;
  readonly path: string;
  readonly version: string;
  readonly major: number | undefined;
  readonly throughShell: boolean;
};
type OnDisk = { readonly root: string; readonly workspaces: readonly string[]; readonly directory: string };
type LockfileOnDisk = { readonly path: string; readonly name: string; readonly tree: ResolvedTree; readonly text?: string };

export function openMachine(machine: Machine) {
  const env = defined(machine.env);

  function lockfilesOf(root: string, client: Client): readonly LockfileOnDisk[] {
    return client.lockfiles.flatMap((name): LockfileOnDisk[] => {
      const file = path.join(root, name);
      const bytes = readBytes(file, LIMITS.lockfileBytes);
      // An empty one locks nothing; with an empty yarn.lock people tell yarn 4 where their project begins.
      if (bytes === undefined || bytes.length === 0) return [];
      const tree = readLockfile(name, bytes);
      return [{ path: file, name, tree, ...(tree.kind !== "bun-binary" && { text: bytes.toString("utf8") }) }];
    });
  }

  return {
    async find(command: string, cwd: string): Promise<Found> {
      const found = await findClient({
        command,
        root: findProject(cwd).root,
        directory: cwd,
        env,
        own: machine.own,
        platform: machine.surroundings.platform,
      });
      const { binary, version = "", major, throughShell } = found;
      return { client: CLIENTS[found.client], path: binary, version, major, throughShell };
    },

    async project(found: Found, command: string, args: readonly string[], cwd: string) {
      const sentTo = found.client.directory(command, args);
      const directory = workingFolder(cwd, sentTo);
      const { root, workspaces } = findProject(directory, sentTo === undefined ? "inside" : found.client.directoryIs);
      const settings: readonly SettingsFile[] = settingsFiles(root, machine.surroundings);
      const namedIn = (files: readonly SettingsFile[], variables: Machine["env"]) =>
        registriesNamed(files, variables).flatMap(({ url, heededBy }) => (heededBy(found.client.id, found.major) ? [url] : []));
      return {
        root,
        workspaces,
        directory,
        label: labelOf(root),
        lockfiles: lockfilesOf(root, found.client),
        ranges: [root, ...workspaces].flatMap((folder) => [...projectRanges(folder)]),
        settings,
        registries: [
          ...namedIn(
            settings.filter(({ level }) => level === "project"),
            {},
          ).map((url) => ({ url, byProject: true })),
          ...namedIn(
            settings.filter(({ level }) => level !== "project"),
            machine.env,
          ).map((url) => ({ url, byProject: false })),
        ],
        platform: { os: process.platform, cpu: process.arch, ...(process.platform === "linux" ? { libc: libcOf() } : {}) },
      };
    },

    lockfiles: (project: OnDisk, client: Client) => lockfilesOf(project.root, client),

    async run(
      binary: string,
      argv: readonly string[],
      how: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>>; readonly toStderr?: boolean },
    ): Promise<number> {
      return exitStatus(await runClient({ binary, argv, directory: how.cwd, env: defined(how.env), toStderr: how.toStderr === true }));
    },

    async installed(request: {
      readonly found: Found;
      readonly intent: Intent;
      readonly project: OnDisk;
      readonly args: readonly string[];
      readonly since: Instant;
    }): Promise<Installed> {
      const { found, intent, project } = request;
      const runsFromGlobal = found.client.id === "yarn-classic" && intent.kind === "exec";
      const global =
        intent.kind === "global" || runsFromGlobal
          ? await globalRoot({ client: found.client.id, binary: found.path }, project.directory, env, request.args)
          : undefined;
      return readInstalled({
        client: found.client.id,
        intent,
        root: project.root,
        workspaces: project.workspaces,
        surroundings: global === undefined ? machine.surroundings : { ...machine.surroundings, globalRoot: global },
        since: request.since,
      });
    },

    async guard(request: { readonly client: Client; readonly gate: string; readonly registries: readonly string[] }) {
      const gate = new URL(request.gate);
      const port = gate.port || (gate.protocol === "https:" ? "443" : "80");
      const refuse = refusedHosts(request.registries.filter((url) => !url.startsWith(request.gate)));
      const guard = await openGuard({
        refuse,
        allow: [`${gate.hostname}:${port}`, `localhost:${port}`, `127.0.0.1:${port}`],
        // Whatever the user's own npm configuration sends through a proxy still goes through it.
        proxies: readProxies(machine.env, await readNpmSettings(machine.place)),
        clock: machine.clock,
      });
      return {
        variables: guardEnvironment({ client: request.client.id, guard: guard.url, gate: request.gate, refuse, env: machine.env })
          .variables,
        attempts: () => guard.attempts(),
        close: () => guard.close(),
      };
    },

    busy: (dataDir: string, project: OnDisk, client: Client) =>
      lockfilesInHand(
        openJournal(dataDir),
        client.lockfiles.map((name) => path.join(project.root, name)),
      ),

    /** `edits`: texts to use while the client runs, by path. */
    begin(
      dataDir: string,
      request: {
        readonly project: OnDisk;
        readonly client: Client;
        readonly gate: string;
        readonly upstream: string;
        readonly edits: ReadonlyMap<string, string>;
      },
    ) {
      const journal = openJournal(dataDir);
      // A binary lockfile cannot be put back entry by entry; the wrapper does not let a run write one.
      const names = request.client.lockfiles.filter((name) => name !== "bun.lockb");
      const lockfiles = readLockfiles(names.map((name) => path.join(request.project.root, name)));
      const begun = beginRun(journal, {
        root: request.project.root,
        gate: request.gate,
        upstream: request.upstream,
        lockfiles,
        edits: request.edits,
        now: machine.clock.now(),
      });
      if ("busy" in begun) return begun;
      return { finish: (normalise: Normalise): readonly LockfileOutcome[] => finishRun(journal, begun.entry, normalise) };
    },

    repair: (dataDir: string, normalise: Normalise) => repairRuns(openJournal(dataDir), normalise),
  };
}

function labelOf(root: string): string {
  const { name } = readManifest(root);
  return (typeof name === "string" ? projectLabel(name) : undefined) ?? projectLabel(path.basename(root)) ?? "project";
}

function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function libcOf(): string {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime === undefined ? "musl" : "glibc";
}
