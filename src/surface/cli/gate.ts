/** `cordon gate`: serves until told to stop. */
import { homedir } from "node:os";
import { Fault } from "../../core/base/fault.ts";
import type { Command } from "./command.ts";
import { isLoopback, parseListen } from "../gate/listen.ts";
import { startGate } from "../gate/start.ts";
import { printJson, safe } from "./io.ts";

export const run: Command = async ({ io, world, flags }, _args, options) => {
  const more: Record<string, string> = {};
  if (typeof options["listen"] === "string") more["listen"] = options["listen"];
  for (const [option, flag] of [
    ["logLevel", "log-level"],
    ["preset", "preset"],
    ["hold", "hold"],
  ] as const) {
    const value = options[option];
    if (typeof value === "string") more[flag] = value;
  }
  const app = await world.open(flags, more);
  const { settings } = app;
  const at = parseListen(settings.listen);
  const log = world.log(settings.log.level);
  // From here on, not from when it has said so: whoever finds the port open may stop it at once.
  const told = world.stopped();
  const gate = await startGate({
    app,
    at,
    publicUrls: settings.publicUrls,
    behindProxy: settings.behindProxy,
    ...(settings.tls === undefined
      ? {}
      : { tls: { cert: await world.readText(settings.tls.cert), key: await world.readText(settings.tls.key) } }),
    lockfileUrls: settings.lockfileUrls,
    requireTokens: false,
    role: "gate",
    upstream: app.upstream.base,
    hopHeader: world.hopHeader,
    maxHops: world.maxHops,
    logRequests: settings.log.level === "debug",
    log,
    whose: world.whose,
  }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  if (settings.inspectAhead) app.inspectAhead();
  app.stays();
  const instance = { url: gate.url, pid: process.pid, instance: gate.instance };
  await world.announceGate(app.dataDir, instance);
  const policy = app.policy();
  if (flags.json)
    printJson(io, "cordon.gate/1", {
      url: gate.url,
      data: app.dataDir,
      policy: policy.preset,
      mode: policy.mode.kind,
      upstream: app.upstream.base,
    });
  else {
    const monitor =
      policy.mode.kind === "monitor" ? ` in monitor mode (${safe(policy.mode.owner)}): only denied versions are withheld` : "";
    io.stdout(
      `cordon gate · ${gate.url.replace(/\/$/, "")} · policy ${policy.preset}${monitor} · data ${short(app.dataDir)} · upstream from ${safe(app.upstream.source)}\n`,
    );
    const bin = world.binDirectory();
    if (bin !== undefined && !(io.env["PATH"] ?? "").split(":").includes(bin))
      io.stdout(`  put cordon on PATH    export PATH="${bin}:$PATH"\n`);
    io.stdout("  one command           cordon npm install\n  a whole project       cordon setup\n  is it on?             cordon doctor\n");
    if (!isLoopback(at.host)) io.stdout("  clients need a token  cordon token create --label ci --project NAME\n");
  }
  // Asked once the gate answers, since only then it can recognise itself; nobody waits for it.
  const loop = app.identifyUpstream(gate.instance).then(({ kind }) => {
    if (kind === "gate") io.stderr("  the upstream is another cordon gate: its policy comes first, then this one's\n");
    return kind === "loop" ? kind : new Promise<never>(() => {});
  });
  const why = await Promise.race([told, loop]);
  log("info", "stopping", { why });
  await world.withdrawGate(app.dataDir, instance);
  await gate.close();
  await app.close();
  if (why === "loop") throw new Fault("UPSTREAM_LOOP", `${safe(app.upstream.base)} is this gate itself: it would ask itself for ever`);
  return 0;
};

function short(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
