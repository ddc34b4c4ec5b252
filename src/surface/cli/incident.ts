/** `cordon incident list|show|verify|import|new|sign|trust|schema`: the packs that `cordon exposure` looks for. */
import { basename } from "node:path";
import { findIncident, type IncidentPorts, type KnownPack, type PackOrigin } from "../../app/incidents.ts";
import { sha256 } from "../../core/base/digest.ts";
import { Fault } from "../../core/base/fault.ts";
import { iso } from "../../core/base/time.ts";
import { type IncidentPack, packJsonSchema, packText, poisonedText, readPack } from "../../core/incident/pack.ts";
import { packKey, type Signed, signPack, whoSigned } from "../../core/incident/signature.ts";
import type { Command, CommandContext } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";
import { typedAtTerminal } from "./owned.ts";

type Options = Readonly<Record<string, unknown>>;

export const run: Command = async (context, args, options) => {
  const [verb = "list", ...rest] = args;
  const action = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined;
  if (action === undefined)
    throw new Fault("USAGE", `cordon incident ${safe(verb)}: say list, show, verify, import, new, sign, trust or schema`);
  return action(context, rest, options);
};

type Action = (context: CommandContext, args: readonly string[], options: Options) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { list, show, verify, import: importPack, new: newPack, sign: signFile, trust, schema };

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

/**
 * Without a file every known pack: a shipped one must still have the digest it was pinned by, an imported one its bytes and signature. With
 * one: whose it is. Exit 0 only for a pack that somebody answers for.
 */
async function verify({ io, world, flags }: CommandContext, [file]: readonly string[], options: Options): Promise<number> {
  const ports = await world.incidents(flags);
  if (file === undefined) {
    const { known, problems } = await ports.packs();
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
  const whose = await whoseIs({ world }, ports, file, bytes, options);
  const result = { id: pack.id, revision: pack.revision, sha256: sha256(bytes), ...whose };
  if (flags.json) printJson(io, "cordon.incident-verify/1", { results: [result] });
  else io.stdout(`${safe(pack.id)} revision ${pack.revision}: ${safe(whoseText(whose))}\n  sha256 ${result.sha256}\n`);
  return whose.kind === "shipped" || whose.kind === "signed" ? 0 : 1;
}

async function importPack({ io, world, flags }: CommandContext, [file]: readonly string[], options: Options): Promise<number> {
  if (file === undefined) throw new Fault("USAGE", "say which file: cordon incident import pack.json");
  const { bytes, pack } = await readPackFile({ world }, file);
  const ports = await world.incidents(flags);
  const whose = await whoseIs({ world }, ports, file, bytes, options);
  if (whose.kind === "unfit") throw new Fault("INPUT_UNREADABLE", `${file}: ${whoseText(whose)}; it was not imported`);
  const before = (await ports.packs()).known.find((one) => one.pack.id === pack.id);
  // An old pack under the name of a newer one would take versions off the list again.
  if (before !== undefined && before.pack.revision >= pack.revision)
    throw new Fault("USAGE", `${pack.id} is known here in revision ${before.pack.revision}; revision ${pack.revision} does not replace it`);
  // Nor may just anybody's newer one: it could acquit. A key given for this once checks the bytes, and makes nobody trusted.
  const isTrusted = whose.kind === "signed" && ports.keys().some(({ key }) => key === whose.key);
  if (before !== undefined && !isTrusted && isVouchedFor(before.origin))
    throw new Fault(
      "USAGE",
      `${pack.id} is known here, ${originText(before.origin)}; what is ${whoseText(whose)} does not replace it: give it another id, or trust who signed it`,
    );
  const signature = whose.kind === "signed" || whose.kind === "stranger" ? { signature: await world.readText(`${file}.sig`) } : {};
  await ports.keep(pack, bytes, { by: world.user(), ...signature });
  if (flags.json) printJson(io, "cordon.incident-import/1", { id: pack.id, revision: pack.revision, ...whose });
  else
    io.stdout(
      `${safe(pack.id)} revision ${pack.revision}: imported, ${safe(whoseText(whose))}\n  were we hit   cordon exposure ${safe(pack.id)}\n`,
    );
  return 0;
}

/** A pack to fill in, or to use as it is, from a name@version, an advisory or a known pack. */
async function newPack({ io, world, flags }: CommandContext, [from]: readonly string[]): Promise<number> {
  if (from === undefined) throw new Fault("USAGE", "say of what: cordon incident new left-pad@1.3.1 > pack.json");
  const { pack, origin } = await findIncident(await world.incidents(flags), from);
  io.stdout(packText(origin.kind === "made" ? pack : { ...pack, revision: pack.revision + 1 }));
  return 0;
}

/** Prints the signature, for a file of its own beside the pack. */
async function signFile({ io, world }: CommandContext, [file]: readonly string[], { key }: Options): Promise<number> {
  if (file === undefined || typeof key !== "string")
    throw new Fault("USAGE", "say what and with which key: cordon incident sign pack.json --key publisher.key > pack.json.sig");
  const { bytes } = await readPackFile({ world }, file);
  io.stdout(`${JSON.stringify(signPack(Buffer.from(bytes), await world.readText(key)))}\n`);
  return 0;
}

/** Whose packs are believed here; with a file one more, with `--remove` one less. */
async function trust({ io, world, flags }: CommandContext, [file]: readonly string[], options: Options): Promise<number> {
  const ports = await world.incidents(flags);
  const { remove } = options;
  if (typeof remove === "string") {
    if (!ports.distrust(remove))
      throw new Fault("USAGE", `no key is called ${JSON.stringify(remove)}: \`cordon incident trust\` lists them`);
  } else if (file !== undefined) {
    const named = typeof options["name"] === "string" ? options["name"] : basename(file).replace(/\.(?:pem|pub)$/, "");
    if (!/^[\w.@-]{1,50}$/.test(named)) throw new Fault("USAGE", "a name is of letters, digits, dots, dashes and @: --name security-team");
    const added = packKey(named, await world.readText(file));
    const clash = ports.keys().find(({ name, key }) => (name === named) !== (key === added.key));
    if (clash)
      throw new Fault("USAGE", `${clash.name} is key ${clash.key} already; cordon incident trust --remove ${clash.name} takes it away`);
    await typedAtTerminal(
      io,
      named,
      `packs signed by key ${added.key} will be believed, as those of ${named}; ask its owner for these 16 digits\n`,
    );
    ports.trust(added, world.user());
  }
  const keys = ports.keys().map(({ name, key }) => ({ name, key }));
  if (flags.json) printJson(io, "cordon.incident-trust/1", { keys });
  else if (keys.length === 0)
    io.stdout("nobody's packs are believed but those of this cordon\n  trust a key   cordon incident trust publisher.pem\n");
  else
    io.stdout(
      `${columns(
        keys.map(({ name, key }) => [safe(name), `key ${key}`]),
        "",
      )}\n`,
    );
  return 0;
}

/** Who answers for a pack in a file. */
type Whose = { readonly kind: "shipped" } | { readonly kind: "unsigned" } | Signed;

async function whoseIs(
  { world }: Pick<CommandContext, "world">,
  ports: Pick<IncidentPorts, "packs" | "exists" | "keys">,
  file: string,
  bytes: string,
  { key }: Options,
): Promise<Whose> {
  if (typeof key === "string") {
    const given = packKey("the key given", await world.readText(key));
    const signed = whoSigned(Buffer.from(bytes), await world.readText(`${file}.sig`), [given]);
    return signed.kind === "stranger" ? { kind: "unfit", why: `it is signed by key ${signed.key}, not by ${given.key}` } : signed;
  }
  const digest = sha256(bytes);
  if ((await ports.packs()).known.some(({ origin }) => origin.kind === "shipped" && origin.sha256 === digest)) return { kind: "shipped" };
  if (!(await ports.exists(`${file}.sig`))) return { kind: "unsigned" };
  return whoSigned(Buffer.from(bytes), await world.readText(`${file}.sig`), ports.keys());
}

function whoseText(whose: Whose): string {
  switch (whose.kind) {
    case "shipped":
      return "shipped with this cordon";
    case "signed":
      return `signed by ${whose.by} (key ${whose.key})`;
    case "stranger":
      return `unsigned by anybody trusted here: its signature is by key ${whose.key}`;
    case "unsigned":
      return "unsigned";
    case "unfit":
      return `signature does not fit: ${whose.why}`;
  }
}

function isVouchedFor(origin: PackOrigin): boolean {
  return origin.kind === "shipped" || (origin.kind === "imported" && origin.signed?.by !== undefined);
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

function versionsOf({ packages }: IncidentPack): number {
  return packages.reduce((sum, { versions }) => sum + versions.length, 0);
}

function originText(origin: PackOrigin): string {
  if (origin.kind === "shipped") return `shipped with this cordon, pinned by sha256 ${origin.sha256}`;
  if (origin.kind === "made") return `made from ${origin.from}`;
  const { by, at, sha256, signed } = origin;
  return `imported by ${by} ${iso(at)}, ${whoseText(signerOf(signed))}, sha256 ${sha256}`;
}

function signerOf(signed: { readonly by?: string; readonly key: string } | undefined): Whose {
  if (signed === undefined) return { kind: "unsigned" };
  const { by, key } = signed;
  return by === undefined ? { kind: "stranger", key } : { kind: "signed", by, key };
}
