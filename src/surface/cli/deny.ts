/** `cordon deny add|list|remove`: tightening needs no terminal, loosening (remove) does. */
import { Fault } from "../../core/base/fault.ts";
import { iso } from "../../core/base/time.ts";
import type { Deny } from "../../core/policy/policy.ts";
import type { Command } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";
import { ownerOf, reasonOf, typedAtTerminal } from "./owned.ts";

export const run: Command = async (context, args, options) => {
  const { io, world, flags } = context;
  const app = await world.open(flags);
  try {
    switch (args[0]) {
      case "add": {
        const integrity = typeof options["integrity"] === "string" ? options["integrity"] : undefined;
        if (args[1] === undefined && integrity === undefined)
          throw new Fault("USAGE", 'say what: cordon deny add axios@1.14.1 --reason "…"');
        const deny = await app.exceptions.deny(
          { ...(args[1] === undefined ? {} : { spec: args[1] }), ...(integrity === undefined ? {} : { integrity }) },
          { owner: ownerOf(context, options), reason: reasonOf(options) },
        );
        if (flags.json) printJson(io, "cordon.deny/1", { ...deny, created: iso(deny.created) });
        else
          io.stdout(
            `denied ${how(deny)} · ${deny.id} · a running gate knows within a second\n  take it back   cordon deny remove ${deny.id}\n`,
          );
        return 0;
      }
      case "list": {
        const denies = await app.exceptions.denies();
        if (flags.json) printJson(io, "cordon.deny-list/1", { denies: denies.map((one) => ({ ...one, created: iso(one.created) })) });
        else if (denies.length === 0) io.stdout("nothing is denied by hand\n");
        else
          io.stdout(
            `${columns(
              denies.map((one) => [
                one.id,
                safe(
                  one.name === undefined ? "any name" : `${one.name}${one.version === undefined ? " (every version)" : `@${one.version}`}`,
                ),
                one.integrity === undefined ? "by name" : `${safe(one.integrity).slice(0, 24)}…`,
                iso(one.created),
                `${safe(one.owner)}: ${safe(one.reason)}`,
              ]),
              "",
            )}\n`,
          );
        return 0;
      }
      case "remove": {
        const id = args[1];
        if (id === undefined) throw new Fault("USAGE", "say which: cordon deny remove <id> (cordon deny list shows them)");
        const deny = (await app.exceptions.denies()).find((one) => one.id === id);
        if (!deny) throw new Fault("USAGE", `there is no deny ${safe(id)}`);
        const what = deny.name === undefined ? id : deny.version === undefined ? deny.name : `${deny.name}@${deny.version}`;
        await typedAtTerminal(io, what, `denied ${iso(deny.created)} by ${safe(deny.owner)}: ${safe(deny.reason)}\n`);
        await app.exceptions.removeDeny(id, world.user());
        if (flags.json) printJson(io, "cordon.deny/1", { id, removed: true });
        else io.stdout(`${safe(what)} is no longer denied\n`);
        return 0;
      }
      default:
        throw new Fault("USAGE", `cordon deny ${safe(args[0] ?? "")}: say add, list or remove`);
    }
  } finally {
    await app.close();
  }
};

/** What is denied, and what it does not cover. */
function how({ name, version, integrity }: Deny): string {
  const bytes = integrity === undefined ? "" : `${safe(integrity).slice(0, 24)}…`;
  if (name === undefined) return `these bytes under any name (${bytes})`;
  if (version === undefined) return `every version of ${safe(name)}`;
  const spec = safe(`${name}@${version}`);
  if (integrity !== undefined) return `${spec} by name and by bytes (${bytes})`;
  return `${spec} by name; its bytes are not known here, so another name could still bring them in`;
}
