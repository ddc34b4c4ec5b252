/** `cordon admit <spec>`: lets one held version through, by a waiver with owner, reason and expiry. */
import { iso } from "../../core/base/time.ts";
import type { Command } from "./command.ts";
import { columns, painter, printJson, safe } from "./io.ts";
import { expiryOf, ownerOf, reasonOf, typedAtTerminal } from "./owned.ts";

export const run: Command = async (context, args, options) => {
  const { io, world, flags } = context;
  const owned = { owner: ownerOf(context, options), reason: reasonOf(options), expires: expiryOf(context, options) };
  const app = await world.open(flags);
  try {
    const what = await app.exceptions.consider(args[0]!, owned);
    const { waiver, missing } = what;
    const spec = `${waiver.name}@${waiver.version}`;
    const paint = painter(io, "stderr");
    const rows = what.judged.verdict.reasons.flatMap((signal) => [
      [signal.id, safe(signal.title)],
      ...signal.evidence.slice(0, 3).map((one) => ["", safe(one.text)]),
    ]);
    await typedAtTerminal(
      io,
      spec,
      `${paint("yellow", "held")} ${safe(spec)}\n${columns(rows)}\n  this covers these findings for these bytes only, until ${iso(owned.expires)}; anything new holds it again\n`,
    );
    await app.exceptions.admit(what);
    if (flags.json)
      printJson(io, "cordon.waiver/1", {
        ...waiver,
        created: iso(waiver.created),
        expires: iso(waiver.expires),
        ...(missing > 0 ? { missing } : {}),
      });
    else if (missing > 0)
      io.stdout(
        `${safe(spec)} is still held: a malware report is waived by two people, and another must admit it too · waiver ${waiver.id} · ${safe(waiver.owner)}: ${safe(waiver.reason)}\n  the other one   cordon admit ${safe(spec)} --reason "…" --expires 7d\n`,
      );
    else
      io.stdout(
        `${safe(spec)} is let through until ${iso(waiver.expires)} · waiver ${waiver.id} · ${safe(waiver.owner)}: ${safe(waiver.reason)}\n  take it back   cordon waiver revoke ${waiver.id}\n`,
      );
    return 0;
  } finally {
    await app.close();
  }
};
