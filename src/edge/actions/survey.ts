/**
 * What was within reach of an exposed place: names of secrets in its files and in the user's, and the projects hit. Values are never kept:
 * a file's text is handed to the reader of names and let go.
 */
import fs from "node:fs";
import path from "node:path";
import * as yaml from "yaml";
import { Fault } from "../../core/base/fault.ts";
import { LIMITS } from "../../core/base/limits.ts";
import type { Answer } from "../../core/exposure/judge.ts";
import { isPackageName } from "../../core/npm/name.ts";
import { type Project, tellsOfAnother } from "../../core/response/planner.ts";
import { type Secret, secretFile, secretsIn, secretVariables } from "../../core/response/secrets.ts";
import { tryReadText } from "../host/files.ts";
import { located } from "../evidence/artefacts.ts";
import { findBinary } from "../host/find.ts";
import { membersOf, patternsIn } from "../host/workspaces.ts";
import { branchBase } from "./branch.ts";

type At = { readonly home: string; readonly env: Readonly<Record<string, string | undefined>> };

/** Of the user, beside what the project holds. */
const OF_USER = [
  ".npmrc",
  ".yarnrc.yml",
  ".pypirc",
  ".netrc",
  ".git-credentials",
  ".config/gh/hosts.yml",
  ".aws/credentials",
  ".docker/config.json",
];
/** Secret whole: only that they are there is told. */
const WHOLE = [".kube/config", ".config/gcloud/application_default_credentials.json", ".azure/msal_token_cache.json", ".config/gh/token"];

export function readSecretNames(answers: readonly Answer[], { home, env }: At): readonly Secret[] {
  const ran = answers.some((answer) => (answer.level === "executed" || answer.level === "installed") && !tellsOfAnother(answer));
  if (!ran) return [];
  const user = [...OF_USER.map((file) => path.join(home, file)), ...(env["NPM_CONFIG_USERCONFIG"] ? [env["NPM_CONFIG_USERCONFIG"]] : [])];
  const whole = [...WHOLE.map((file) => path.join(home, file)), ...sshKeys(path.join(home, ".ssh"))];
  return [
    // What ran as the user could read every project of the user, not only the one it came with.
    ...answers.filter(({ place }) => path.isAbsolute(place) && isFolder(place)).flatMap(({ place }) => projectFiles(place).flatMap(named)),
    ...user.flatMap(named),
    ...whole.filter((file) => fs.existsSync(file)).map(secretFile),
    ...secretVariables(Object.keys(env).filter((name) => env[name] !== undefined && env[name] !== "")),
  ];
}

function named(file: string): readonly Secret[] {
  const text = tryReadText(file, LIMITS.configBytes);
  if (text === undefined) return [];
  // What may not be read could still have been stolen by who could: the whole file counts.
  return typeof text === "string" ? secretsIn(file, text) : [secretFile(file)];
}

function projectFiles(place: string): readonly string[] {
  const workflows = path.join(place, ".github", "workflows");
  return [
    ...names(place)
      .filter((name) => /^\.env(?:\..+)?$/.test(name) || name === ".npmrc" || name === ".yarnrc.yml")
      .map((name) => path.join(place, name)),
    ...names(workflows)
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => path.join(workflows, name)),
  ];
}

/** Private keys by the name of their public half, and by the usual names. */
function sshKeys(folder: string): readonly string[] {
  const all = names(folder);
  return all.filter((name) => /^id_[a-z0-9_]+$/.test(name) || all.includes(`${name}.pub`)).map((name) => path.join(folder, name));
}

/** The client of a project by the lockfile that lies there; where there are several, npm is left for last. */
const CLIENTS: readonly (readonly [string, Project["client"]])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["deno.lock", "deno"],
];

/** `own`: cordon's own folders on PATH. */
export async function readProjects(answers: readonly Answer[], env: At["env"], own: readonly string[] = []): Promise<readonly Project[]> {
  const projects: Project[] = [];
  for (const { place, level } of answers) {
    if (level === "not-exposed" || !isFolder(place)) continue;
    const text = tryReadText(path.join(place, "package.json"), LIMITS.manifestBytes);
    const locks = names(place);
    const client = CLIENTS.find(([lock]) => locks.includes(lock))?.[1] ?? "npm";
    if (text === undefined && !locks.some((name) => /^(?:package-lock|npm-shrinkwrap|deno)\b/.test(name)) && client === "npm") continue;
    const manifest = typeof text === "string" ? manifestOf(text) : {};
    const direct = Object.fromEntries(
      ["optionalDependencies", "devDependencies", "dependencies"].flatMap((field) =>
        Object.keys(objectOf(manifest[field])).map((name) => [name, field]),
      ),
    );
    projects.push({ root: place, client, direct, publishes: published(place, manifest), git: await branchable(place, client, env, own) });
  }
  return projects;
}

/** Names of the project and its workspaces that are not private. */
function published(root: string, manifest: Readonly<Record<string, unknown>>): readonly string[] {
  const workspace = tryReadText(path.join(root, "pnpm-workspace.yaml"), LIMITS.configBytes);
  const members = membersOf(root, patternsIn(manifest["workspaces"], typeof workspace === "string" ? packagesOf(workspace) : undefined));
  const manifests = members.map((folder) => tryReadText(path.join(folder, "package.json"), LIMITS.manifestBytes));
  const all = [manifest, ...manifests.map((text) => (typeof text === "string" ? manifestOf(text) : {}))];
  return all.flatMap(({ name, private: isPrivate, version }) =>
    typeof name === "string" && isPrivate !== true && typeof version === "string" && isPackageName(name) ? [name] : [],
  );
}

function packagesOf(text: string): unknown {
  try {
    return objectOf(yaml.parse(text, { maxAliasCount: 0 }))["packages"];
  } catch {
    return undefined; // then no members are known; its lockfile tells its own trouble
  }
}

async function branchable(root: string, client: Project["client"], env: At["env"], own: readonly string[]): Promise<Project["git"]> {
  try {
    findBinary(client, env["PATH"] ?? "", own, process.platform);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { why: `${client} is not here, and only ${client} itself writes its lockfile` };
  }
  return branchBase(root, env);
}

/** Which of these places of the machine hold something, as a pack writes them (`~/x`, `%NAME%\\x`); what may not be looked at counts. */
export function leftAt(paths: readonly string[], at: At): readonly string[] {
  return paths.flatMap((one) => {
    const file = located(one, at);
    try {
      return file !== undefined && fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined ? [file] : [];
    } catch {
      return [file!];
    }
  });
}

function manifestOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {}; // then nothing is known of it, and every pin is written as an override
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function isFolder(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A folder that is not there or may not be read has no names for us. */
function names(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
