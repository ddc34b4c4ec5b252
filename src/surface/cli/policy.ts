/** `cordon policy init|show|check|explain|schema|sync`: the policy as a file people write, as what is really in force, and in the clients' own files. */
import { Fault } from "../../core/base/fault.ts";
import { iso, span } from "../../core/base/time.ts";
import type { Origin } from "../../core/config/settings.ts";
import type { Command } from "./command.ts";
import { columns, painter, printJson, safe } from "./io.ts";

export const run: Command = async (context, args, options) => {
  const { io, world, flags } = context;
  if (args[0] !== "sync" && (options["check"] === true || options["write"] === true))
    throw new Fault("USAGE", "--check and --write belong to cordon policy sync");
  switch (args[0]) {
    case "sync": {
      const { runSync } = await import("./policy-sync.ts");
      return runSync(context, args.slice(1), options);
    }
    case "init": {
      const { policyTemplate } = await import("../../core/config/template.ts");
      const { policySchema } = await import("../../core/policy/document.ts");
      if (flags.json)
        printJson(io, "cordon.policy-template/1", { template: policyTemplate("./cordon.schema.json"), jsonSchema: policySchema() });
      else io.stdout(policyTemplate("./cordon.schema.json"));
      if (!flags.json && io.stdoutIsTerminal)
        io.stderr("  keep it           cordon policy init > cordon.yaml\n  for your editor   cordon policy schema > cordon.schema.json\n");
      return 0;
    }
    case "schema": {
      const { policySchema } = await import("../../core/policy/document.ts");
      io.stdout(`${JSON.stringify(policySchema(), undefined, 2)}\n`);
      return 0;
    }
    case "show":
    case "explain": {
      const resolved = await world.resolve(flags);
      const { policy, origins, warnings } = resolved;
      if (flags.json) {
        printJson(io, "cordon.policy/1", {
          digest: policy.digest,
          preset: policy.preset,
          mode: policy.mode.kind,
          ...(policy.mode.kind === "monitor" ? { monitor: { owner: policy.mode.owner, expires: iso(policy.mode.expires) } } : {}),
          holdMs: policy.hold,
          allow: policy.allow,
          private: policy.private,
          ...(policy.baseline === undefined ? {} : { baseline: { owner: policy.baseline.owner, accepted: iso(policy.baseline.accepted) } }),
          settings: origins,
          warnings,
        });
        return 0;
      }
      const paint = painter(io, "stdout");
      const mode =
        policy.mode.kind === "monitor"
          ? paint("yellow", `monitor until ${iso(policy.mode.expires)} (${safe(policy.mode.owner)}): only denied versions are withheld`)
          : "enforce";
      io.stdout(`policy ${policy.preset} · ${mode} · new versions wait ${span(policy.hold)} · ${policy.digest.slice(0, 12)}\n`);
      const rows = args[0] === "explain" ? origins : origins.filter((one) => one.from !== "default" || one.path.startsWith("policy."));
      io.stdout(`${columns(rows.map((one) => [one.path, safe(one.value), whence(one)]))}\n`);
      for (const warning of warnings) io.stdout(`  ${safe(warning)}\n`);
      if (args[0] === "show") io.stdout("  every setting   cordon policy explain\n");
      return 0;
    }
    case "check": {
      const { policy, origins } = await world.resolve(flags);
      const files = [...new Set(origins.filter((one) => one.from === "machine" || one.from === "project").map((one) => one.where))];
      if (flags.json) printJson(io, "cordon.policy-check/1", { ok: true, digest: policy.digest, files });
      else
        io.stdout(
          files.length === 0
            ? "no cordon.yaml sets anything here; the defaults are in force\n  write one   cordon policy init > cordon.yaml\n"
            : `${files.map((file) => safe(file ?? "")).join(", ")}: every key is known and every value fits\n`,
        );
      return 0;
    }
    default:
      throw new Fault("USAGE", `cordon policy ${safe(args[0] ?? "")}: say init, show, check, explain, schema or sync`);
  }
};

function whence(one: Origin): string {
  switch (one.from) {
    case "default":
      return "default";
    case "flag":
    case "environment":
      return `from ${one.where}`;
    case "machine":
    case "project":
      return `from ${safe(one.where ?? "")} (${one.from})`;
  }
}
