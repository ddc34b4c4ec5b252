/** The pages of `docs/reference/`, generated from the tables the product itself reads. `npm run docs` writes them, a test compares them. */
import { FAULTS } from "../src/core/base/fault.ts";
import { RULES, ruleOf, type RuleId } from "../src/core/check/rules.ts";
import { SETTINGS, type Setting } from "../src/core/config/settings.ts";
import { COMMANDS as CLIENT_COMMANDS } from "../src/core/client/table.ts";
import { SIGNALS } from "../src/core/signals/table.ts";
import { COMMANDS } from "../src/surface/cli/cli.ts";
import { COMMON_FLAGS } from "../src/surface/cli/flags.ts";

/** File name in `docs/reference/` → its text. `limitsSource` is the text of `src/core/base/limits.ts`: its comments are the reasons. */
export function referencePages(limitsSource: string): Readonly<Record<string, string>> {
  return {
    "signals.md": signalsPage(),
    "rules.md": rulesPage(),
    "faults.md": faultsPage(),
    "limits.md": limitsPage(limitsSource),
    "settings.md": settingsPage(),
    "cli.md": cliPage(),
  };
}

function page(title: string, source: string, intro: string, body: string): string {
  return `# ${title}\n\n<!-- Generated from ${source} by \`npm run docs\`; do not edit. -->\n\n${intro}\n\n${body.trimEnd()}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableRow(head), `|${"---|".repeat(head.length)}`, ...rows.map(tableRow)].join("\n");
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function signalsPage(): string {
  const sections = Object.entries(SIGNALS).map(
    ([id, { means, why, effect, waivable }]) =>
      `## ${id}\n\n${means}\n\n- Effect under the default policy: **${effect}**${waivable ? "" : "; no waiver covers it"}.\n- Why it exists: ${why}`,
  );
  const intro =
    "A signal is a named opinion about one version, with evidence. The strictest effect wins: note (changes nothing) < hold (until a time) < review (until a person looked) < deny. " +
    "A check that could not run is itself a signal, `not-checked:` and the check's name: a hold for versions under 14 days old, a note for older ones.";
  return page("Signals", "src/core/signals/table.ts", intro, sections.join("\n\n"));
}

function rulesPage(): string {
  const sections = (Object.keys(RULES) as RuleId[]).map((id) => {
    const { means, why, severity, check, exceptable } = ruleOf(id);
    return `## ${id}\n\n${means}\n\n- Severity: **${severity}**, unless the evidence says otherwise; part of the check \`${check}\`${exceptable ? "" : "; nothing excepts it"}.\n- Why it exists: ${why}`;
  });
  const intro =
    "What `cordon check` may find in a lockfile and beside it. An advisory brings its own severity. A check that could not run is listed as not checked, and fails the run only where `check.require` names it.";
  return page("Rules", "src/core/check/rules.ts", intro, sections.join("\n\n"));
}

function faultsPage(): string {
  const rows = Object.entries(FAULTS).map(([code, { exit, http, fix }]) => [`\`${code}\``, String(exit), String(http), fix]);
  const intro =
    "Every way cordon can fail: the code it prints, the command line's exit status, the status the gate answers, and what to do. " +
    "A verdict is not a fault: a refused install is a successful run that ends with 1. Anything that is not in this table is a bug of ours: exit 70, or 500 for that one request with nothing served.";
  return page("Faults", "src/core/base/fault.ts", intro, table(["code", "exit", "HTTP", "what to do"], rows));
}

function limitsPage(source: string): string {
  const rows: string[][] = [];
  let why = "";
  for (const line of source.split("\n")) {
    const comment = /^ {2}\/\*\* (.+) \*\/$/.exec(line);
    const limit = /^ {2}(\w+): (.+),$/.exec(line);
    if (comment) why = comment[1]!;
    if (limit) rows.push([`\`${limit[1]}\``, readable(limit[1]!, limit[2]!), why]);
  }
  const intro =
    "Every ceiling on what comes from outside. They are constants, not settings: a ceiling that can be raised from outside is none.";
  return page("Limits", "src/core/base/limits.ts", intro, table(["limit", "value", "why"], rows));
}

function settingsPage(): string {
  const sections = Object.entries(SETTINGS).map(([path, row]) => {
    const { env, flag, level, projectMay, fallback, example, doc }: Setting = row;
    const lines = [
      `- Default: ${fallback === undefined ? "none" : `\`${fallback}\``}.`,
      ...(example === undefined ? [] : [`- Example: \`${example}\``]),
      ...(env === undefined ? [] : [`- Environment: \`${env}\`.`]),
      ...(flag === undefined ? [] : [`- Flag: \`--${flag}\`.`]),
      `- ${level === "policy" ? "Policy: the strictest level wins" : "The strongest level wins"}; a project's own file ${{ set: "may set it", tighten: "may only tighten it", never: "may not name it" }[projectMay]}.`,
    ];
    return `## ${path}\n\n${doc}\n\n${lines.join("\n")}`;
  });
  const intro =
    "What may stand in cordon.yaml, by its dotted path; `cordon policy init` writes all of it with comments. Levels, strongest first: flag, environment, the project's cordon.yaml, the machine's, default. " +
    "An unknown key refuses to start. Durations carry their unit: `90m`, `72h`, `3d`.";
  return page("Settings", "src/core/config/settings.ts", intro, sections.join("\n\n"));
}

function cliPage(): string {
  const sections: string[] = [
    `## cordon in front of a client\n\n\`cordon <${CLIENT_COMMANDS.join("|")}> …\`: your own command, through the gate. cordon's flags stand before the client's name; everything after it is the client's, untouched. stdout is the client's alone.\n\n` +
      "Exit status: the client's own if it is not 0; else 1 if something withheld is installed, the client got round the gate, or an optional dependency for this platform dropped out; 3 if what is installed cannot be read; 0 for a range that fell back.\n\n" +
      block("cordon npm install"),
  ];
  for (const group of new Set(Object.values(COMMANDS).map((row) => row.group))) {
    sections.push(`## ${group}`);
    for (const [name, row] of Object.entries(COMMANDS).filter(([, each]) => each.group === group)) {
      const options = row.options?.length
        ? `${table(
            ["option", ""],
            row.options.map(([flag, what]) => [`\`${flag}\``, what]),
          )}\n\n`
        : "";
      sections.push(`### ${name}\n\n\`cordon ${row.usage}\`: ${row.summary}.\n\n${options}${block(row.example)}`);
    }
  }
  const intro =
    "Every command takes:\n\n" +
    table(
      ["flag", ""],
      [...COMMON_FLAGS, ["--help", "the command's options, with an example"]].map(([flag, what]) => [`\`${flag}\``, what!]),
    ) +
    "\n\nExit status: **0** nothing to act on · **1** findings, or something was withheld that the command needed · **2** usage or configuration · **3** could not check something the policy requires · **70** a bug of ours. A verdict is not an error.";
  return page("Command line", "src/surface/cli/cli.ts", intro, sections.join("\n\n"));
}

function block(command: string): string {
  return `\`\`\`\n${command}\n\`\`\``;
}

/** `2 * MINUTE` → `2 min`, `200_000_000` bytes → `200 MB`. */
function readable(name: string, value: string): string {
  const time = /^(?:(\d+) \* )?(SECOND|MINUTE|HOUR|DAY)$/.exec(value);
  if (time) return `${time[1] ?? 1} ${{ SECOND: "s", MINUTE: "min", HOUR: "h", DAY: "d" }[time[2] as "SECOND"]}`;
  const number = Number(value.replaceAll("_", ""));
  if (name.endsWith("Ms")) return `${number} ms`;
  if (!name.endsWith("Bytes")) return number.toLocaleString("en-US");
  return number >= 1_000_000 ? `${number / 1_000_000} MB` : `${number / 1_000} kB`;
}
