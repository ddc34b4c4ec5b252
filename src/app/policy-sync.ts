/** `cordon policy sync`: what a project's own files say, held against the policy in force. Writing and taking back are `setup.ts`'s. */
import type { ClientUse } from "../core/client/uses.ts";
import { clientsInUse } from "../core/client/uses.ts";
import type { ClientId } from "../core/client/client.ts";
import { planSync, type SyncClient, type SyncInput, type SyncPlan } from "../core/client/policy-sync.ts";
import { SYNC_FILES, valueAt } from "../core/client/policy-sync-files.ts";
import { jsonAt } from "../core/client/json-edit.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import type { ResolvedTree } from "../core/lockfile/tree.ts";
import { classifySpec } from "../core/npm/ranges.ts";
import type { Policy } from "../core/policy/policy.ts";
import type { SetupHost, SetupProject } from "./setup.ts";

export type SyncHost = Pick<SetupHost, "read"> & {
  lockfiles(root: string): Promise<readonly { readonly name: string; readonly content: Uint8Array | { readonly why: string } }[]>;
  /** A client's program on this machine. */
  find(command: string, root: string): Promise<{ readonly version: string | undefined } | { readonly missing: string }>;
};

export type SyncChange = SyncPlan & { readonly clients: readonly (ClientUse & SyncClient)[] };

/** What would be written; nothing is. `served` says whether the policy serves a version today, undefined where that is not known. */
export async function considerSync(
  host: SyncHost,
  project: SetupProject,
  policy: Pick<Policy, "hold" | "private">,
  served: (name: string, version: string) => Promise<boolean | undefined>,
): Promise<SyncChange> {
  const read = await Promise.all(SYNC_FILES.map(async (file) => [file, await host.read(project.root, file)] as const));
  const files: SyncInput["files"] = Object.fromEntries(read.flatMap(([file, at]) => (at.kind === "text" ? [[file, at.text]] : [])));
  const trees = (await host.lockfiles(project.root)).map(({ name, content }) =>
    content instanceof Uint8Array ? readLockfile(name, content) : undefined,
  );
  const clients = await Promise.all(
    clientsInUse(project.marks).map(async (use) => ({ ...use, id: use.client, ...(await versionOf(host, use.client, project, files)) })),
  );
  const input = {
    clients,
    hold: policy.hold,
    private: policy.private,
    files,
    asksFor: asksFor(files["package.json"], trees),
    locked: lockedVersions(trees),
  };

  // Only versions that a file names are looked up, and which those are the plan itself knows.
  const named: (readonly [string, string])[] = [];
  planSync({ ...input, served: (...one) => void named.push(one) });
  const answers = new Map<string, boolean | undefined>();
  for (const [name, version] of named) answers.set(`${name}@${version}`, await served(name, version));
  const plan = planSync({ ...input, served: (name, version) => answers.get(`${name}@${version}`) });

  const unusable = read.flatMap(([path, at]) => (at.kind === "unusable" ? [{ path, why: at.why }] : []));
  return {
    clients,
    findings: plan.findings,
    // A file that is there and cannot be read must not be taken for one that is not there yet.
    edits: plan.edits.filter(({ path }) => !unusable.some((one) => one.path === path)),
    problems: [...unusable, ...plan.problems],
  };
}

/** The version `packageManager` names; for yarn also the release that `yarnPath` names, which is what runs. */
async function versionOf(
  host: SyncHost,
  client: ClientId,
  { root, marks }: SetupProject,
  files: SyncInput["files"],
): Promise<{ readonly version?: string }> {
  const declared = /^([a-z]+)@(\d+(?:\.\d+)*)/.exec(marks.packageManager ?? "");
  const path = client === "yarn-berry" ? valueAt(".yarnrc.yml", files[".yarnrc.yml"], "yarnPath")?.value : undefined;
  const version = /yarn-(\d+(?:\.\d+)*)/.exec(path ?? "")?.[1] ?? (declared?.[1] === client.replace(/-.*/, "") ? declared[2] : undefined);
  if (version !== undefined) return { version };
  // pnpm 9 and before stop at a pnpm-workspace.yaml that names no packages, so none is begun for whoever runs one.
  const found = client === "pnpm" && files["pnpm-workspace.yaml"] === undefined ? await host.find("pnpm", root) : undefined;
  return found !== undefined && "version" in found && found.version !== undefined ? { version: found.version } : {};
}

const KINDS = ["dependencies", "devDependencies", "optionalDependencies"];

/** Manifests of workspaces are known as far as the lockfile repeats them. */
function asksFor(manifest: string | undefined, trees: readonly (ResolvedTree | undefined)[]): SyncInput["asksFor"] {
  const own = manifest === undefined ? [] : KINDS.flatMap((kind) => jsonAt(manifest, [kind])?.members ?? []).map(({ value }) => value);
  const remembered = trees
    .flatMap((tree) => tree?.importers ?? [])
    .flatMap(({ dependencies }) => dependencies.flatMap(({ range }) => range ?? []));
  const kinds = new Set([...own, ...remembered].map((spec) => classifySpec(spec).kind));
  return { git: kinds.has("git"), url: kinds.has("url") };
}

function lockedVersions(trees: readonly (ResolvedTree | undefined)[]): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  if (trees.length === 0 || trees.some((tree) => tree?.complete !== true)) return undefined;
  const locked = new Map<string, Set<string>>();
  for (const { name, version } of trees.flatMap((tree) => tree?.packages ?? []))
    locked.set(name, (locked.get(name) ?? new Set()).add(version));
  return locked;
}
