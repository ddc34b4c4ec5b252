/**
 * The command line: which command, which flags, which exit status. Each command lives in its own file and is loaded when it runs.
 * A client's name (`cordon npm ci`) is looked for before anything else: what follows it is the client's, untouched.
 */
import { Command, CommanderError } from "commander";
import { FAULTS, Fault } from "../../core/base/fault.ts";
import { redact } from "../../core/base/text.ts";
import { VERSION } from "../../core/config/constants.ts";
import { commandFirst, COMMON_FLAGS, splitWrapped } from "./flags.ts";
import { type CommonFlags, type Io, printJson, safe } from "./io.ts";
import type { World } from "./world.ts";

/** Exit status of a bug; see docs/reference/faults.md. */
const BUG = 70;

type Run = (
  context: { readonly io: Io; readonly world: World; readonly flags: CommonFlags },
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<number>;

type Row = {
  readonly usage: string;
  readonly summary: string;
  readonly group: string;
  readonly example: string;
  readonly options?: readonly (readonly [string, string])[];
  readonly load: () => Promise<{ readonly run: Run }>;
};

/** Every command but the wrapped clients. The reference page is generated from this table. */
export const COMMANDS: Readonly<Record<string, Row>> = {
  gate: {
    usage: "gate",
    summary: "serve the registry to everyone here, through one policy",
    group: "Consume",
    example: "cordon gate --listen 127.0.0.1:4870",
    options: [
      ["--listen <host:port>", "address to listen on (default 127.0.0.1:4870)"],
      ["--log-level <level>", "error, warn, info or debug (default info)"],
      ["--preset <name>", "balanced or strict; only ever tightens what cordon.yaml says"],
      ["--hold <duration>", "how long a new version waits, e.g. 7d; only ever tightens"],
    ],
    load: () => import("./gate.ts"),
  },
  why: {
    usage: "why <spec>",
    summary: "why a version is held or served, until when, and what to install instead",
    group: "Consume",
    example: "cordon why axios@1.14.1",
    options: [["--all", "also what was checked and found in order"]],
    load: () => import("./why.ts"),
  },
  inspect: {
    usage: "inspect <spec-or-tarball>",
    summary: "look at a release or a tarball now: what changed, what its code can do, what to decide",
    group: "Consume",
    example: "cordon inspect chalk@5.6.1",
    options: [
      ["--all", "everything that was found"],
      ["--sarif", "SARIF 2.1.0 on stdout, for code scanning"],
      ["--against <spec-or-tarball>", "compare with this instead of the release before it"],
    ],
    load: () => import("./inspect.ts"),
  },
  diff: {
    usage: "diff <from> <to>",
    summary: "what changed between two releases or tarballs: manifest, files, what the code can do, hosts",
    group: "Consume",
    example: "cordon diff chalk@5.6.0 chalk@5.6.1 --text",
    options: [
      ["--all", "every change"],
      ["--text [path]", "also the changed lines, of one file or of all small texts"],
    ],
    load: () => import("./diff.ts"),
  },
  check: {
    usage: "check [paths...]",
    summary: "the truth about lockfiles: sources, integrity, advisories, holds, scripts; offline unless --online",
    group: "Audit",
    example: "cordon check --since origin/main",
    options: [
      ["--online", "also ask the registry about every version: age, holds, signatures"],
      ["--since <ref>", "only what changed since the branch left this git ref; asks the registry about new versions"],
      ["--fix", "make URLs portable and replace versions with findings, by the smallest change that clears them"],
      ["--dry-run", "with --fix: only say what would be changed"],
      ["--recursive", "every lockfile below the paths"],
      ["--list <file>", "also the folders and lockfiles this file names, a line each"],
      ["--preset <name>", "balanced or strict; only ever tightens what cordon.yaml says"],
      ["--format <name>", "text, json, sarif, cyclonedx, spdx, openvex, junit or markdown (default text)"],
      ["--write <format=file...>", "also write a format to a file, e.g. sarif=cordon.sarif"],
      ["--vex <file...>", "OpenVEX documents whose statements lift vulnerabilities, never malware"],
      ["--all", "every finding with all its evidence"],
    ],
    load: () => import("./check.ts"),
  },
  held: {
    usage: "held",
    summary: "what is withheld here: since when, who asked, until when",
    group: "Policy",
    example: "cordon held",
    load: () => import("./held.ts"),
  },
  admit: {
    usage: "admit <spec>",
    summary: "let one held version through: a waiver with owner, reason and expiry",
    group: "Policy",
    example: 'cordon admit left-pad@1.3.1 --reason "fixes our login" --expires 7d',
    options: [
      ["--reason <text>", "why, for whoever reads it next"],
      ["--expires <duration>", "when it ends by itself, e.g. 7d; at most 90d"],
      ["--owner <name>", "who answers for it (default: you)"],
    ],
    load: () => import("./admit.ts"),
  },
  waiver: {
    usage: "waiver <list|revoke|prune> [id]",
    summary: "waivers in force: list them, revoke one, drop the dead ones",
    group: "Policy",
    example: "cordon waiver list",
    load: () => import("./waiver.ts"),
  },
  deny: {
    usage: "deny <add|list|remove> [spec-or-id]",
    summary: "deny a version, by name and by its bytes, at once",
    group: "Policy",
    example: 'cordon deny add axios@1.14.1 --reason "incident 12"',
    options: [
      ["--reason <text>", "why"],
      ["--integrity <sri>", "deny these bytes under any name"],
      ["--owner <name>", "who answers for it (default: you)"],
    ],
    load: () => import("./deny.ts"),
  },
  freeze: {
    usage: "freeze [lift] [id]",
    summary: "admit nothing newer than a moment, until it is lifted or ends",
    group: "Policy",
    example: 'cordon freeze --before 2026-03-30T23:00Z --expires 3d --reason "worm"',
    options: [
      ["--before <time>", "the moment, e.g. 2026-03-30T23:00Z"],
      ["--expires <duration>", "when the freeze ends by itself, e.g. 3d"],
      ["--reason <text>", "why"],
      ["--owner <name>", "who answers for it (default: you)"],
    ],
    load: () => import("./freeze.ts"),
  },
  policy: {
    usage: "policy <init|show|check|explain|schema|sync>",
    summary: "write a commented cordon.yaml, show or test the policy in force, write it into the clients' own settings",
    group: "Policy",
    example: "cordon policy init > cordon.yaml",
    options: [
      ["--check", "exit 1 while a client's settings are weaker than the policy (sync)"],
      ["--write", "write what is shown; cordon setup undo takes it back (sync)"],
    ],
    load: () => import("./policy.ts"),
  },
  lockfile: {
    usage: "lockfile <normalize> [files...]",
    summary: "write URLs into lockfiles that work for everybody, whichever registry they ask; shows each",
    group: "Policy",
    example: "cordon lockfile normalize --check",
    options: [["--check", "change nothing, exit 1 when something would be"]],
    load: () => import("./lockfile.ts"),
  },
  feeds: {
    usage: "feeds <sync|list|query|check|add|remove|trust> [what] [from]",
    summary: "read advisories and newer keys, say how old they are, and what was known of a version when",
    group: "Policy",
    example: "cordon feeds query axios@1.14.1 --at 2026-03-31T04:00Z",
    options: [
      ["--at <time>", "the moment, e.g. 2026-03-31T00:21Z (query; default now)"],
      ["--kind <kind>", "osv, or list: a list of your own (add)"],
      ["--yes", "do not ask (add, remove)"],
      ["--due", "only feeds whose time has come, as a gate that stays does by itself (sync)"],
      ["--accept <feed>", "believe a feed that went back or denies many names at once (sync)"],
      ["--reason <text>", "why, with --accept"],
      ["--root <file>", "a newer trusted_root.json of Sigstore (trust)"],
      ["--keys <file>", "a newer keys.json of the registry (trust)"],
    ],
    load: () => import("./feeds.ts"),
  },
  notify: {
    usage: "notify <test>",
    summary: "send a test alert to everyone who is to be told, and say what came of it",
    group: "Audit",
    example: "cordon notify test",
    load: () => import("./notify.ts"),
  },
  ledger: {
    usage: "ledger <tail|verify|export|head>",
    summary: "what was served and refused, and proof that the record is whole",
    group: "Audit",
    example: "cordon ledger verify --head head.json",
    options: [
      ["--limit <n>", "rows to show (tail; default 20)"],
      ["--since <time>", "only rows from then on"],
      ["--kind <kinds>", "only these: serve, refuse, verdict, count, tree, mismatch, change, alert"],
      ["--project <name>", "only rows of one project"],
      ["--head <file>", "heads exported earlier, to detect a rolled-back disk (verify)"],
    ],
    load: () => import("./ledger.ts"),
  },
  token: {
    usage: "token <create|list|revoke> [id]",
    summary: "client tokens for a gate that listens beyond this machine",
    group: "Consume",
    example: "cordon token create --label ci --project site",
    options: [
      ["--label <text>", "what it is for"],
      ["--project <name...>", "projects it may act for; * = all"],
      ["--expires <duration>", "when it ends, e.g. 90d (default: never)"],
    ],
    load: () => import("./token.ts"),
  },
  exposure: {
    usage: "exposure [incident-or-path] [paths...]",
    summary: "were we hit: where, by which path, did it run; and what could not be looked at",
    group: "Respond",
    example: "cordon exposure axios-2026 ~/code",
    options: [
      ["--all", "every piece of evidence, and each place's reason"],
      ["--no-machine", "only the paths named, not this machine's caches, logs and global installs"],
      ["--merge <file...>", "look at nothing here; one answer for many machines from what --json wrote on each, called by file name"],
    ],
    load: () => import("./exposure.ts"),
  },
  watch: {
    usage: "watch [folders...]",
    summary: "say when something that came through here is withdrawn, reported as malware or denied; a gate does so by itself",
    group: "Respond",
    example: "cordon watch --once ~/code",
    options: [["--once", "look once and end: 0 nothing, 1 something should not have come through, 3 something could not be asked"]],
    load: () => import("./watch.ts"),
  },
  incident: {
    usage: "incident <list|show|verify|import|new|sign|trust|schema> [id-or-file]",
    summary: "known compromises as signed, versioned data: what to look for, and in which order to act",
    group: "Respond",
    example: "cordon incident show axios-2026",
    options: [
      ["--key <file>", "Ed25519 key, PEM: the private one (sign), or a public one in place of those trusted here (verify, import)"],
      ["--name <name>", "whose key it is (trust; default: the file's name)"],
      ["--remove <name>", "believe that key no longer (trust)"],
    ],
    load: () => import("./incident.ts"),
  },
  respond: {
    usage: "respond [incident] [paths...]",
    summary: "what to do about a compromise, in the order that makes nothing worse; shows the plan, then carries it out with you",
    group: "Respond",
    example: "cordon respond axios-2026 ~/code",
    options: [
      ["--execute <plan>", "do cordon's own steps of this plan, as far as they go"],
      ["--confirm <step>", "say that a step of yours is done"],
      ["--skip <step>", "leave a step out; needs --reason"],
      ["--undo <step>", "take a step back, where that is possible"],
      ["--plan <id>", "which response, where several were begun"],
      ["--reason <text>", "what is to be remembered of it"],
      ["--report [where]", "timeline, evidence, decisions, what remains unknown; - prints it as Markdown"],
      ["--tokens", "publish tokens of your account at the registry, told apart and never shown; asked with npm's own login"],
      ["--revoke <id>", "revoke one of them, after a typed word; only once what persists is gone"],
      ["--verify-bundle <folder>", "whether kept evidence is what was signed; a plan's id means its own"],
      ["--no-machine", "only the paths named, not this machine's caches, logs and global installs"],
    ],
    load: () => import("./respond.ts"),
  },
  setup: {
    usage: "setup [undo]",
    summary: "point every client of this project at a gate; shows the change first",
    group: "Consume",
    example: "cordon setup --gate http://localhost:4870/ --project site",
    options: [
      ["--gate <url>", "the gate (default: the one on this machine)"],
      ["--project <name>", "label in the gate's records (default: the project's name)"],
      ["--user", "your own settings files instead of a project's, as for a CI image"],
      ["--yes", "do not ask"],
    ],
    load: () => import("./setup.ts"),
  },
  doctor: {
    usage: "doctor",
    summary: "prove, with each real client, that the gate is on; name what walks round it",
    group: "Consume",
    example: "cordon doctor",
    load: () => import("./doctor.ts"),
  },
};

/** Runs one command line. Never throws; returns the exit status. */
export async function run(argv: readonly string[], io: Io, world: World): Promise<number> {
  try {
    const wrapped = splitWrapped(argv);
    if (wrapped) {
      const { wrap } = await import("./wrap.ts");
      return await wrap({ io, world, flags: wrapped.flags }, wrapped.client, wrapped.args);
    }
    return await dispatch(argv, io, world);
  } catch (error) {
    return report(error, argv.includes("--json"), io);
  }
}

async function dispatch(argv: readonly string[], io: Io, world: World): Promise<number> {
  let status = 0;
  const program = new Command("cordon");
  program
    .description("A supply-chain firewall for npm.")
    .version(VERSION, "-V, --version")
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError("(cordon --help lists the commands)")
    .addHelpText(
      "after",
      `\nClients: cordon <npm|npx|pnpm|pnpx|yarn|bun|bunx|deno> …   cordon's own flags stand before the client's name.\nExample: cordon npm install\n`,
    );
  const args = commandFirst(argv);
  // Help and mistakes need every command; whoever names one needs that one.
  const names = args[0] !== undefined && Object.hasOwn(COMMANDS, args[0]) ? [args[0]] : Object.keys(COMMANDS);
  for (const name of names) {
    const row = COMMANDS[name]!;
    const command = program
      .command(row.usage)
      .description(row.summary)
      .helpGroup(`${row.group}:`)
      .addHelpText("after", `\nExample: ${row.example}\n`);
    for (const [flag, text] of row.options ?? []) command.option(flag, text);
    for (const [flag, text] of COMMON_FLAGS) command.option(flag, text);
    command.action(async (...given: unknown[]) => {
      const operands = (given.slice(0, -2).flat() as (string | undefined)[]).filter((one): one is string => one !== undefined);
      const options = command.opts();
      const { run: runCommand } = await row.load();
      status = await runCommand({ io, world, flags: options as CommonFlags }, operands, options);
    });
  }
  if (argv.length === 0) {
    io.stdout(welcome());
    return 0;
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return status;
}

/** What `cordon` alone prints: the commands that matter most. */
function welcome(): string {
  const lines: readonly (readonly [string, string])[] = [
    ["cordon npm install", "your own command, through the gate; also npx, pnpm, yarn, bun, deno"],
    ["cordon why axios@1.14.1", COMMANDS["why"]!.summary],
    ["cordon check", COMMANDS["check"]!.summary],
    ["cordon exposure", COMMANDS["exposure"]!.summary],
    ["cordon gate", COMMANDS["gate"]!.summary],
  ];
  return `cordon ${VERSION} · a supply-chain firewall for npm\n\n${lines.map(([command, text]) => `  ${command.padEnd(26)}${text}`).join("\n")}\n\n  cordon --help             everything else\n`;
}

/** One error, told once: what happened, and what to do. Exit status from the table of faults; anything else is a bug. */
function report(error: unknown, json: boolean, io: Io): number {
  if (error instanceof Fault) {
    const { exit, fix } = FAULTS[error.code];
    if (json) printJson(io, "cordon.error/1", { code: error.code, message: redact(error.message), fix });
    else io.stderr(`cordon: ${error.message.split("\n").map(safe).join("\n")}\n  ${fix}\n`);
    return exit;
  }
  const text = redact(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (json) printJson(io, "cordon.error/1", { code: "BUG", message: text, fix: "Please report it." });
  else io.stderr(`cordon: this is a bug, and nothing was decided from it. Please report it.\n${text}\n`);
  return BUG;
}
