/** Which keys and authorities are believed: `cordon feeds trust` shows and replaces them, `cordon feeds sync` takes newer ones. */
import type { TrustRefresh } from "../../core/attest/trust-refresh.ts";
import { iso } from "../../core/base/time.ts";
import type { CommandContext } from "./command.ts";
import { painter, printJson, safe } from "./io.ts";
import { typedAtTerminal } from "./owned.ts";

type Options = Readonly<Record<string, unknown>>;

/** Shows which keys are believed; with files, takes newer ones. Never what a checked registry says of itself: a person names the file. */
export async function trust(context: CommandContext, { root, keys }: Options): Promise<number> {
  const { io, world, flags } = context;
  const store = await world.trust(flags);
  const files = { ...(typeof root === "string" ? { root } : {}), ...(typeof keys === "string" ? { keys } : {}) };
  const from = Object.values(files).join(", ");
  if (from !== "") {
    const texts = Object.fromEntries(
      await Promise.all(Object.entries(files).map(async ([kind, file]) => [kind, await world.readText(file)])),
    );
    await typedAtTerminal(io, "trust", `signatures will be checked with what ${safe(from)} says\n`);
    await store.keep(texts, from);
  }
  const { source, digest, at, from: stored, ignored } = await store.load();
  if (flags.json)
    printJson(io, "cordon.feeds-trust/1", {
      source,
      digest,
      ...(stored === undefined ? {} : { from: stored }),
      ...(at === undefined ? {} : { at: iso(at) }),
      ...(ignored === undefined ? {} : { ignored }),
    });
  else {
    const whose = source === "shipped" ? "what this cordon was built with" : `${safe(stored ?? "")}, taken ${iso(at!)}`;
    io.stdout(`signatures are checked with ${whose} · ${digest.slice(0, 12)}\n`);
    if (ignored !== undefined) io.stdout(`  not used: ${safe(ignored)}\n`);
  }
  return 0;
}

/** What a gate does by itself asks nobody else: keys are refreshed when a person, or a schedule of theirs, says so. */
export async function refreshTrust({ world, flags }: CommandContext, { due }: Options): Promise<TrustRefresh | undefined> {
  return due === true ? undefined : (await world.trust(flags)).refresh();
}

export function tellTrust({ io }: CommandContext, refresh: TrustRefresh): void {
  const paint = painter(io, "stdout");
  if (refresh.result === "not-refreshed") {
    const said = refresh.asked ? paint("red", "not refreshed") : "not refreshed";
    io.stdout(`trust: ${said}: ${safe(refresh.why)}; ${stillUsed(refresh.used)}\n`);
    return;
  }
  const { result, before, root, until, gone } = refresh;
  const which = before === root ? `sigstore root ${root}` : `sigstore root ${before} → ${root}`;
  io.stdout(`trust: ${which}, ${result === "unchanged" ? "nothing new" : "newer keys taken"}, good until ${iso(until)}\n`);
  for (const one of gone) io.stdout(`  no longer believed: ${safe(one)}\n`);
}

function stillUsed(used: Extract<TrustRefresh, { result: "not-refreshed" }>["used"]): string {
  if (used === "nothing") return "no signature can be checked until that is put right";
  return used === "shipped" ? "the one cordon was built with is used" : `the one taken ${iso(used)} is used`;
}

export function trustAsJson(refresh: TrustRefresh): object {
  if (refresh.result !== "not-refreshed") return { ...refresh, until: iso(refresh.until) };
  const { asked: _asked, used, ...rest } = refresh;
  return { ...rest, used: typeof used === "number" ? iso(used) : used };
}
