/** `cordon incident list|show|verify|import|new|schema`: the packs that `cordon exposure` looks for. */
import { findIncident, type KnownPack, type PackOrigin } from "../../app/incidents.ts";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { iso } from "../../core/base/time.ts";
import { type IncidentPack, packJsonSchema, packText, poisonedText, readPack } from "../../core/incident/pack.ts";
import { signPack, verifyPack } from "../../core/incident/signature.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";

type Options = Readonly<Record<string, unknown>>;

export const run: Command = async (context, args, options) => {
  const [verb = "list", ...rest] = args;
  const action = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined;
  if (action === undefined) throw new Fault("USAGE", `cordon incident ${safe(verb)}: say list, show, verify, import, new or schema`);
  return action(context, rest, options);
};

type Action = (context: CommandContext, args: readonly string[], options: Options) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { list, show, verify, import: importPack, new: newPack, schema };

async function list({ io, world, flags }: CommandContext): Promise<number> {
  const { known, problems } = await (await world.incidents(flags)).packs();
  if (flags.json) {
    const packs = known.map(({ pack, origin }) => ({
      id: pack.id,
      revision: pack.revision,
      title: pack.title,
      window: pack.window,
      packages: pack.packages.length,
      versions: versionsOf(pack),
      coverage: pack.coverage.kind,
      origin,
    }));
    printJson(io, "cordon.incident-list/1", { packs, problems });
  } else {
    const rows = known.map(({ pack, origin }) => [
      safe(pack.id),
      pack.window.from?.slice(0, 10) ?? "",
      `${versionsOf(pack)} versions`,
      origin.kind === "shipped" ? "" : safe(originText(origin)),
      safe(pack.title),
    ]);
    io.stdout(
      `${columns(rows, "")}\n\n  one of them          cordon incident show axios-2026\n  were we hit          cordon exposure axios-2026\n`,
    );
    for (const problem of problems) io.stderr(`cordon: ${safe(problem)}\n`);
  }
  return problems.length > 0 ? 3 : 0;
}

async function show({ io, world, flags }: CommandContext, [id]: readonly string[]): Promise<number> {
  if (id === undefined) throw new Fault("USAGE", "say which: cordon incident show axios-2026");
  const { pack, origin } = await findIncident(await world.incidents(flags), id);
  if (flags.json) printJson(io, "cordon.incident/1", { pack, origin });
  else io.stdout(packAsText({ pack, origin }));
  return 0;
}

function packAsText({ pack, origin }: KnownPack): string {
  const { window, indicators = {}, ordering = [], sources, coverage } = pack;
  const rows = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? "" : `\n${title}\n${lines.map((line) => `  ${safe(line)}`).join("\n")}\n`;
  const shown = pack.packages.slice(0, 30);
  return [
    `${safe(pack.id)} revision ${pack.revision} · ${safe(pack.title)}\n${safe(pack.summary)}\n`,
    rows("When", [
      `${window.from ?? "not known"} to ${window.until ?? "not known"} (to the ${window.precision}), in caches until ${window.cachesUntil ?? "somebody purges them"}`,
      `runs at: ${pack.execution}`,
    ]),
    rows("Poisoned", [
      ...shown.map((one) => `${one.name} ${poisonedText(one)}`),
      ...(pack.packages.length > shown.length ? [`and ${pack.packages.length - shown.length} more packages (--json lists them)`] : []),
      ...(coverage.note === undefined ? [] : [coverage.note]),
    ]),
    rows(
      "Leaves behind",
      [...(indicators.paths ?? []), ...(indicators.files ?? [])].map(
        ({ path, generic }) => `${path}${generic ? " (others use this name too)" : ""}`,
      ),
    ),
    rows("Talks to (defanged)", [
      ...(indicators.domains ?? []),
      ...(indicators.addresses ?? []),
      ...(indicators.urls ?? []),
      ...(indicators.emails ?? []),
    ]),
    rows(
      "In this order",
      ordering.map(({ first, next, because }) => `${first}, only then ${next}: ${because}`),
    ),
    rows(
      "Sources",
      sources.map(({ title, url }) => (url === undefined ? title : `${title} · ${url}`)),
    ),
    rows("This pack", [originText(origin)]),
    `\n  were we hit   cordon exposure ${safe(pack.id)}\n`,
  ].join("");
}

async function schema({ io }: CommandContext): Promise<number> {
  io.stdout(`${JSON.stringify(packJsonSchema(), undefined, 2)}\n`);
  return 0;
}

/** Without a file every known pack: a shipped one must still have the digest it was pinned by. With one, that file and its signature. */
async function verify({ io, world, flags }: CommandContext, [file]: readonly string[], options: Options): Promise<number> {
  if (file === undefined) {
    const { known, problems } = await (await world.incidents(flags)).packs();
    const changed = known.filter(({ pack, origin }) => origin.kind === "shipped" && sha256(packText(pack)) !== origin.sha256);
    const bad = [...problems, ...changed.map(({ pack }) => `${pack.id} is not the pack this cordon was built with`)];
    const results = known.map(({ pack, origin }) => ({ id: pack.id, revision: pack.revision, origin: originText(origin) }));
    if (flags.json) printJson(io, "cordon.incident-verify/1", { results, problems: bad });
    else
      io.stdout(
        `${columns(
          results.map(({ id, origin }) => [safe(id), safe(origin)]),
          "",
        )}\n${bad.map((one) => `${safe(one)}\n`).join("")}`,
      );
    return bad.length > 0 ? 1 : 0;
  }
  const { bytes, pack } = await readPackFile({ world }, file);
  const signed = await signatureOf({ world }, file, bytes, options);
  const good = signed !== undefined && "key" in signed;
  const result = {
    id: pack.id,
    revision: pack.revision,
    sha256: sha256(bytes),
    ...(signed ?? { problem: "no --key was given, so no signature was checked" }),
  };
  if (flags.json) printJson(io, "cordon.incident-verify/1", { results: [result] });
  else
    io.stdout(
      good
        ? `${safe(pack.id)} revision ${pack.revision}: signed by ${signed.key}\n`
        : `${safe(pack.id)} revision ${pack.revision}: well formed, sha256 ${result.sha256}\n  ${safe("problem" in result ? result.problem : "")}\n`,
    );
  return good || signed === undefined ? 0 : 1;
}

async function importPack({ io, world, flags }: CommandContext, [file]: readonly string[], options: Options): Promise<number> {
  if (file === undefined) throw new Fault("USAGE", "say which file: cordon incident import pack.json --key publisher.pem");
  const { bytes, pack } = await readPackFile({ world }, file);
  const signed = await signatureOf({ world }, file, bytes, options);
  if (signed !== undefined && "problem" in signed) throw new Fault("INPUT_UNREADABLE", `${file}: ${signed.problem}; it was not imported`);
  const ports = await world.incidents(flags);
  const before = (await ports.packs()).known.find((one) => one.pack.id === pack.id);
  // An old pack under the name of a newer one would take versions off the list again.
  if (before !== undefined && before.pack.revision >= pack.revision)
    throw new Fault("USAGE", `${pack.id} is known here in revision ${before.pack.revision}; revision ${pack.revision} does not replace it`);
  await ports.keep(pack, bytes, { by: world.user(), ...(signed !== undefined && { key: signed.key }) });
  if (flags.json) printJson(io, "cordon.incident-import/1", { id: pack.id, revision: pack.revision, ...signed });
  else
    io.stdout(
      `${safe(pack.id)} revision ${pack.revision}: imported, ${signed ? `signed by ${signed.key}` : "not signed"}\n  were we hit   cordon exposure ${safe(pack.id)}\n`,
    );
  return 0;
}

/** A pack to fill in, or to use as it is, from a name@version, an advisory or a known pack; signed with `--sign`. */
async function newPack({ io, world, flags }: CommandContext, [from]: readonly string[], options: Options): Promise<number> {
  if (from === undefined) throw new Fault("USAGE", "say of what: cordon incident new left-pad@1.3.1 > pack.json");
  if (typeof options["sign"] === "string") {
    const { bytes } = await readPackFile({ world }, from);
    io.stdout(`${JSON.stringify(signPack(Buffer.from(bytes), await world.readText(options["sign"])))}\n`);
    return 0;
  }
  const { pack, origin } = await findIncident(await world.incidents(flags), from);
  io.stdout(packText(origin.kind === "made" ? pack : { ...pack, revision: pack.revision + 1 }));
  return 0;
}

async function readPackFile(
  { world }: Pick<CommandContext, "world">,
  file: string,
): Promise<{ readonly bytes: string; readonly pack: IncidentPack }> {
  const bytes = await world.readText(file);
  const read = readPack(bytes);
  if ("problems" in read) throw new Fault("INPUT_UNREADABLE", `${file} is no incident pack:\n${read.problems.join("\n")}`);
  return { bytes, pack: read.pack };
}

/** Undefined when nobody asked for a signature: no `--key`. */
async function signatureOf(
  { world }: Pick<CommandContext, "world">,
  file: string,
  bytes: string,
  options: Options,
): Promise<{ readonly key: string } | { readonly problem: string } | undefined> {
  if (typeof options["key"] !== "string") return undefined;
  return verifyPack(Buffer.from(bytes), await world.readText(`${file}.sig`), await world.readText(options["key"]));
}

function versionsOf({ packages }: IncidentPack): number {
  return packages.reduce((sum, { versions }) => sum + versions.length, 0);
}

function originText(origin: PackOrigin): string {
  if (origin.kind === "shipped") return `shipped with this cordon, pinned by sha256 ${origin.sha256}`;
  if (origin.kind === "made") return `made from ${origin.from}`;
  return `imported${origin.by === undefined ? "" : ` by ${origin.by}`}${origin.at === undefined ? "" : ` ${iso(origin.at)}`}, ${origin.key === undefined ? "not signed" : `signed by ${origin.key}`}, sha256 ${origin.sha256}`;
}
