/**
 * One pass over a folder: every project, every cache and every log in it is told by its shape and handed to the reader that knows it. No
 * link is followed, nothing is run, and what may not be read is said. A copy of a machine's disk is read like the machine itself.
 */
import fs from "node:fs";
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { artefactsAt } from "../../core/exposure/watch.ts";
import { LOCKFILE_NAMES } from "../../core/lockfile/read.ts";
import { codeOf } from "../host/files.ts";
import { workspacesOf } from "../host/project.ts";
import { ARCHIVE_NAME, readLooseArchive } from "./archive.ts";
import { readLogArchive } from "./file.ts";
import { isBareRepository, readHistory } from "./git-history.ts";
import { isImageFolder, readImageFolder } from "./image.ts";
import { readProjectLaunchers, readRecipe, RECIPE } from "./launchers.ts";
import { readLockfileEvidence } from "./lockfile.ts";
import { readLogFile } from "./log.ts";
import { readDenoManifest, readManifestEvidence, type Since } from "./manifest.ts";
import { readModulesEvidence } from "./modules.ts";
import { isNpmCache, readNpmCache } from "./npm-cache.ts";
import { giveWay, type Reading } from "./reading.ts";
import { readSbomEvidence, SBOM_NAME } from "./sbom.ts";
import { STORES } from "./stores.ts";

type Step = {
  readonly folder: string;
  /** The project the folder belongs to; undefined above the first. */
  readonly project?: string;
  /** Names that the lockfile at or above the folder pins, of those that packs speak of; `all` where nobody can say, `none` without one. */
  readonly pinned: ReadonlySet<string> | "all" | "none";
  /** Folders whose manifest is the source of a package of the project's own, whatever it is called. */
  readonly own: ReadonlySet<string>;
  readonly since?: Since | undefined;
  readonly depth: number;
};

/** Names of lockfiles that stand in projects; the two others stand in `node_modules`. */
const PROJECT_LOCKS = new Set(Object.keys(LOCKFILE_NAMES).filter((name) => name !== ".package-lock.json" && name !== "lock.yaml"));
/** How GitHub names the logs of a job's steps; what clients leave beside a project that failed; a job's or an install's own name. */
const CI_LOG =
  /^\d{1,3}_.+\.txt$|-debug-\d+\.log$|^(?:npm|yarn|pnpm|lerna)-(?:debug|error)\.log$|^(?:.*[-_.])?(?:ci|build|install|job|pipeline|workflow|deploy|release|npm|pnpm|yarn|bun|deno)(?:[-_.].*)?\.log(?:\.gz)?$/i;
/** Outside of projects every log, and what Jenkins and others call theirs. */
const ANY_LOG = /\.log(?:\.\d+)?(?:\.gz)?$|^(?:log|consoleText)$|(?:^|[-_.])(?:log|logs|console|output|trace)\.txt(?:\.gz)?$/i;
/** Folders of a project that hold nothing but logs. */
const LOG_FOLDER = /^\.?(?:ci|build|job|install|workflow|actions)?[-_]?logs?$/i;
const CI_ARCHIVE = /(?:^|[-_.])logs?(?:[-_.]?\d+)?\.zip$/i;
const DENO = ["deno.json", "deno.jsonc"];
/** Not files of anybody, and endless. */
const SYSTEM = new Set(["/proc", "/sys", "/dev", "/run"]);

/** `skip`: folders that are read on their own. */
export async function walk(reading: Reading, root: string, skip: ReadonlySet<string>): Promise<void> {
  const pending: Step[] = [{ folder: root, pinned: "none", own: new Set(), depth: 0 }];
  for (let step = pending.pop(); step; step = pending.pop()) {
    await visit(reading, step, pending, skip);
    await giveWay();
  }
}

async function visit(reading: Reading, step: Step, pending: Step[], skip: ReadonlySet<string>): Promise<void> {
  const { see, counts } = reading;
  const { folder } = step;
  counts.folders += 1;
  if (counts.folders > LIMITS.exposureFolders || step.depth > LIMITS.exposureDepth) {
    see({ kind: "missing", place: step.project ?? folder, what: `${folder}: the walk ended here, at its ceiling` });
    return;
  }
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    see({ kind: "missing", place: step.project ?? folder, what: `${folder}: ${codeOf(error)}` });
    return;
  }
  // A link is nothing that lies here; those that stand for evidence are said below.
  const names = new Set(entries.flatMap((entry) => (entry.isSymbolicLink() ? [] : [entry.name])));
  if (await readStore(reading, folder, names)) {
    for (const entry of entries)
      if (entry.isSymbolicLink()) see({ kind: "missing", place: folder, what: `${path.join(folder, entry.name)}: a link, not followed` });
    // bun keeps the folders bunx ran from in its cache: projects like any other.
    for (const name of names)
      if (name.startsWith(".bunx-"))
        pending.push({ folder: path.join(folder, name), pinned: "none", own: new Set(), depth: step.depth + 1 });
    return;
  }

  const locks = [...names].filter((name) => PROJECT_LOCKS.has(name));
  const begins =
    locks.length > 0 ||
    names.has(".git") ||
    (step.project === undefined && ["package.json", "node_modules", ...DENO].some((name) => names.has(name)));
  const project = begins ? folder : step.project;
  let { pinned, own, since } = step;
  if (begins) {
    reading.tell(folder);
    if (names.has(".git")) since = await readHistory(reading, folder, locks.length > 0 || pinned !== "none");
    const read = locks.map((name) => readLockfileEvidence(reading, folder, path.join(folder, name)));
    own = new Set([...own, ...workspacesOf(folder), ...read.flatMap(({ folders }) => folders)]);
    if (read.length > 0) pinned = read.some((one) => one.names === undefined) ? "all" : new Set(read.flatMap((one) => [...one.names!]));
    // Rush keeps its lockfile in a folder of its own, which speaks for all packages of the repository.
    else if (names.has("rush.json")) pinned = "all";
    if (names.has(".pnp.cjs") || names.has(".pnp.data.json")) await readModulesEvidence(reading, folder, folder);
  }
  if (project !== undefined) {
    if (names.has("package.json"))
      readManifestEvidence(reading, project, path.join(folder, "package.json"), {
        own: own.has(folder),
        ...(since && { since }),
        pinned: pinned === "none" || pinned === "all" || locks.length > 0 || own.has(folder) ? pinned : new Set(),
      });
  }
  if (pinned === "none")
    for (const name of DENO) if (names.has(name)) readDenoManifest(reading, project ?? folder, path.join(folder, name));
  readProjectLaunchers(reading, project ?? folder, folder, names);
  const place = project ?? folder;
  for (const entry of entries) {
    const inner = path.join(folder, entry.name);
    if (entry.isFile()) await readLooseFile(reading, place, inner, project !== undefined);
    else if (entry.isSymbolicLink()) {
      if (entry.name === "node_modules" || PROJECT_LOCKS.has(entry.name))
        see({ kind: "missing", place, what: `${inner}: a link, not followed` });
    } else if (!entry.isDirectory() || skip.has(inner) || SYSTEM.has(inner)) continue;
    else if (entry.name === "node_modules") await readModulesEvidence(reading, place, folder);
    else if (entry.name !== ".git")
      pending.push({ folder: inner, pinned, own, since, depth: step.depth + 1, ...(project !== undefined && { project }) });
  }
}

/** Files that are evidence by their name alone. Within a project logs are anybody's, unless they, or their folder, have a CI system's name. */
async function readLooseFile(reading: Reading, place: string, file: string, inProject: boolean): Promise<void> {
  const name = path.basename(file);
  for (const indicator of artefactsAt(reading.watch, file)) reading.see({ kind: "artefact", place, file, indicator });
  if (SBOM_NAME.test(name)) readSbomEvidence(reading, place, file);
  else if (CI_LOG.test(name) || (ANY_LOG.test(name) && (!inProject || LOG_FOLDER.test(path.basename(path.dirname(file))))))
    await readLogFile(reading, place, file);
  else if (CI_ARCHIVE.test(name)) await readLogArchive(reading, place, file);
  else if (RECIPE.test(file)) readRecipe(reading, place, file);
  else if (ARCHIVE_NAME.test(name)) await readLooseArchive(reading, place, file);
}

/** Caches, stores and logs of clients, known by what lies in them. True when the folder was one. */
async function readStore(reading: Reading, folder: string, names: ReadonlySet<string>): Promise<boolean> {
  if (isNpmCache(names)) {
    await readNpmCache(reading, folder);
    return true;
  }
  if (path.basename(folder) === "_logs") {
    for (const name of names) if (name.endsWith(".log")) await readLogFile(reading, folder, path.join(folder, name));
    return true;
  }
  if (isImageFolder(names)) {
    reading.tell(folder);
    await readImageFolder(reading, folder);
    return true;
  }
  if (isBareRepository(names)) {
    await readHistory(reading, folder, false);
    return true;
  }
  const store = STORES.find(({ is }) => is(folder, names));
  if (store) {
    reading.tell(folder);
    await store.read(reading, folder, names);
    return true;
  }
  return false;
}
