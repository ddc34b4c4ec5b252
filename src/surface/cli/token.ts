/** `cordon token create|list|revoke`: the secret is shown once and never stored. */
import { createHash, randomBytes } from "node:crypto";
import { Fault } from "../../core/base/fault.ts";
import { type Instant, iso, parseDuration } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, printJson, safe } from "./io.ts";

export const run: Command = async ({ io, world, flags }, args, options) => {
  const now = world.clock.now();
  const app = await world.open(flags);
  try {
    switch (args[0]) {
      case "create": {
        const projects = Array.isArray(options["project"]) ? options["project"].map(String) : [];
        if (projects.length === 0) throw new Fault("USAGE", "name at least one --project (or '*' for all)");
        const lasts = typeof options["expires"] === "string" ? parseDuration(options["expires"]) : undefined;
        if (options["expires"] !== undefined && lasts === undefined) throw new Fault("USAGE", "--expires is a duration such as 90d");
        const secret = `cordon_${randomBytes(32).toString("base64url")}`;
        const token = {
          id: `tok-${randomBytes(4).toString("hex")}`,
          label: String(options["label"] ?? projects.join(", ")),
          projects,
          created: now,
          ...(lasts === undefined ? {} : { expires: (now + lasts) as Instant }),
        };
        await app.tokens.add(token, createHash("sha256").update(secret).digest("hex"));
        await app.ledger.append([
          {
            kind: "change",
            at: now,
            what: "token-created",
            id: token.id,
            by: world.user(),
            detail: `${token.label} for ${projects.join(", ")}`,
          },
        ]);
        if (flags.json) printJson(io, "cordon.token/1", { ...token, secret });
        else
          io.stdout(
            `${secret}\n  shown once; only its hash is kept. id ${token.id}, for ${safe(projects.join(", "))}\n  in .npmrc     //HOST:PORT/:_authToken=\${CORDON_TOKEN}\n  take it back  cordon token revoke ${token.id}\n`,
          );
        return 0;
      }
      case "list": {
        const tokens = await app.tokens.list();
        if (flags.json) printJson(io, "cordon.token-list/1", { tokens });
        else if (tokens.length === 0)
          io.stdout(
            "there are no client tokens; a loopback gate needs none\n  make one      cordon token create --label ci --project site\n",
          );
        else
          io.stdout(
            `${columns(
              tokens.map((token) => [
                token.id,
                safe(token.label),
                safe(token.projects.join(", ")),
                token.revoked !== undefined
                  ? `revoked ${iso(token.revoked)}`
                  : token.expires === undefined
                    ? "no end"
                    : token.expires <= now
                      ? `expired ${iso(token.expires)}`
                      : `ends ${iso(token.expires)}`,
              ]),
              "",
            )}\n`,
          );
        return 0;
      }
      case "revoke": {
        const id = args[1];
        if (id === undefined) throw new Fault("USAGE", "say which: cordon token revoke <id> (cordon token list shows them)");
        if (!(await app.tokens.revoke(id, now))) throw new Fault("USAGE", `there is no live token ${safe(id)}`);
        await app.ledger.append([{ kind: "change", at: now, what: "token-revoked", id, by: world.user(), detail: "" }]);
        if (flags.json) printJson(io, "cordon.token/1", { id, revoked: iso(now) });
        else io.stdout(`${safe(id)} is revoked; a running gate refuses it from now on\n`);
        return 0;
      }
      default:
        throw new Fault("USAGE", `cordon token ${safe(args[0] ?? "")}: say create, list or revoke`);
    }
  } finally {
    await app.close();
  }
};
