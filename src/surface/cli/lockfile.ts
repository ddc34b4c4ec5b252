/** `cordon lockfile normalize`: portable URLs in the project's lockfiles, or those that are named. Read again before it is written. */
import { Fault } from "../../core/base/fault.ts";
import { LOCKFILE_CLIENTS } from "../../core/client/table.ts";
import { readGateUrl } from "../../core/client/gate-url.ts";
import { registriesNamed, scopesNamed } from "../../core/client/registries.ts";
import { readNpmrc, setting } from "../../core/client/settings.ts";
import { firstDifference, makePortable, type Portable, type Registries } from "../../core/lockfile/portable.ts";
import { readLockfile } from "../../core/lockfile/read.ts";
import type { LockfileKind } from "../../core/lockfile/tree.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, painter, type Paint, printJson, safe } from "./io.ts";
import { count } from "./sizes.ts";

/** Changes of one file that are told one by one; the rest is counted. */
const TOLD = 12;

type Normalised = {
  readonly folder: string;
  /** As the person calls it. */
  readonly path: string;
  readonly name: string;
  readonly entries: number;
  readonly before: string;
  readonly portable: Portable;
};

export const run: Command = async (context, [verb, ...paths], options) => {
  const { io, world } = context;
  if (verb !== "normalize") throw new Fault("USAGE", `cordon lockfile ${safe(verb ?? "")}: say normalize`);
  const check = options["check"] === true;
  const host = await world.projectHost();
  const project = await host.project(io.cwd);
  const named = paths.length > 0 ? paths : (await host.lockfiles(project.root)).map(({ name }) => `${project.root}/${name}`);
  if (named.length === 0)
    throw new Fault("USAGE", `${safe(project.root)} has no lockfile; name one, such as cordon lockfile normalize package-lock.json`);

  const registriesFor = await openRegistries(context, project.root);
  const files: Normalised[] = [];
  // All are read before one is written: a run that must stop has changed nothing.
  for (const path of named) {
    const { folder, name, content } = await host.lockfileAt(path);
    files.push(normalised({ folder, name, path: paths.length > 0 ? path : name }, content, registriesFor));
  }
  if (!check)
    for (const { folder, name, before, portable } of files) if (portable.text !== before) await host.write(folder, name, portable.text);

  const changed = files.filter(({ portable }) => portable.changed.length > 0);
  const written = !check && changed.length > 0;
  if (context.flags.json)
    printJson(io, "cordon.lockfile/1", {
      files: files.map(({ path, entries, portable: { changed: changes, left } }) => ({
        path,
        entries,
        changed: changes.map((one) => ({ ...one, from: safe(one.from) })),
        left: left.map((one) => ({ ...one, url: safe(one.url) })),
      })),
      written,
    });
  else io.stdout(files.map((file) => textOf(file, written, painter(io, "stdout"))).join("") + nextOf(changed.length, check));
  return check && changed.length > 0 ? 1 : 0;
};

function normalised(
  at: Pick<Normalised, "folder" | "name" | "path">,
  content: Uint8Array | { readonly why: string },
  registriesFor: (kind: LockfileKind) => Registries,
): Normalised {
  if (!(content instanceof Uint8Array)) throw new Fault("INPUT_UNREADABLE", `${safe(at.path)}: ${content.why}`);
  const tree = readLockfile(at.name, content);
  if (tree.kind === "bun-binary")
    throw new Fault("INPUT_UNREADABLE", `${safe(at.path)} is binary; bun install --save-text-lockfile makes it a text that can be mended`);
  const problem = tree.problems.find(({ severity }) => severity === "error");
  if (!tree.complete) throw new Fault("INPUT_UNREADABLE", `${safe(at.path)} cannot be read whole: ${problem?.message ?? "it ends early"}`);
  const before = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
  const portable = makePortable(at.name, before, registriesFor(tree.kind));
  const differs = firstDifference(tree, readLockfile(at.name, portable.text));
  if (differs !== undefined)
    throw new Fault("INPUT_UNREADABLE", `${safe(at.path)}: without its URL ${safe(differs)} would say something else; nothing was written`);
  return { ...at, entries: tree.packages.length, before, portable };
}

/** The registries each client is configured with: by the project's own files, else this machine's. */
async function openRegistries({ world, flags }: CommandContext, root: string): Promise<(kind: LockfileKind) => Registries> {
  const settings = await (await world.projectHost()).settings(root);
  const app = await world.open(flags);
  const { base, scopes: routed, scoped } = await app.close().then(() => app.upstream);
  const scopes = new Map<string, string[]>();
  const add = (scope: string, url: string) => scopes.set(scope, [...(scopes.get(scope) ?? []), url]);
  for (const { scope, url } of scopesNamed(settings, {})) add(scope, slashed(url));
  for (const [index, url] of scoped.entries()) add(routed[index]!, url);
  const omit = settings.some(
    ({ path, text }) => path.endsWith("npmrc") && setting(readNpmrc(text).settings, "omit-lockfile-registry-resolved")?.value === "true",
  );
  const project = settings.filter(({ level }) => level === "project");
  // A gate is where packages come through, not where they come from: it has no place in a lockfile.
  const own = registriesNamed(project, {}).filter(({ url }) => readGateUrl(url)?.project === undefined);
  return (kind) => {
    const client = LOCKFILE_CLIENTS[kind];
    const named = client && own.find((one) => one.heededBy(client, undefined));
    return { base: named ? slashed(named.url) : base, scopes, omit };
  };
}

function slashed(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}

function textOf({ path, entries, portable: { changed, left } }: Normalised, written: boolean, paint: Paint): string {
  const finding =
    changed.length === 0
      ? `${paint("green", safe(path))} · ${left.length === 0 ? "every URL is portable" : "nothing to rewrite"} · ${count(entries, "package")}`
      : `${paint("yellow", safe(path))} · ${count(changed.length, "URL")} ${written ? "rewritten" : "to rewrite"} · name, version and integrity of ${count(entries, "package")} stay`;
  const rows = changed
    .slice(0, TOLD)
    .map(({ key, from, to, line }) => [`line ${line}`, safe(key), `${safe(from)} → ${to === null ? "no URL" : safe(to)}`]);
  const more = changed.length > TOLD ? [`  and ${changed.length - TOLD} more\n`] : [];
  const kept = left.map(({ key, url, line, why }) => [`line ${line}`, safe(key), `left ${safe(url)}: ${why}`]);
  return [
    `${finding}\n`,
    ...(rows.length > 0 ? [`${columns(rows)}\n`] : []),
    ...more,
    ...(kept.length > 0 ? [`${columns(kept)}\n`] : []),
  ].join("");
}

function nextOf(changed: number, check: boolean): string {
  return check && changed > 0 ? "  rewrite them   cordon lockfile normalize\n" : "";
}
