/** `cordon doctor`: which clients really go through the gate, what walks round it, and what to do next. */
import { type ClientVerdict, doctor, type DoctorReport } from "../../app/doctor.ts";
import type { DoctorFinding } from "../../app/walk-round.ts";
import { iso } from "../../core/base/time.ts";
import { CLIENTS } from "../../core/client/table.ts";
import { clientsInUse } from "../../core/client/uses.ts";
import { isLoopback } from "../gate/listen.ts";
import type { Command } from "./command.ts";
import { columns, type Paint, painter, printJson, progress, safe } from "./io.ts";

export const run: Command = async ({ io, world, flags }) => {
  const host = await world.projectHost();
  const { root, marks } = await host.project(io.cwd);
  const uses = clientsInUse(marks);
  const inProject = uses.length > 0;
  const shown = progress(io);
  const live = await world.liveGate(await world.dataDir(flags));
  const report = await doctor(host, {
    root: inProject ? root : undefined,
    clients: inProject ? uses.map(({ client }) => client) : Object.values(CLIENTS).map(({ id }) => id),
    ...(inProject && marks.packageManager !== undefined ? { packageManager: marks.packageManager } : {}),
    live: live?.url,
    offline: flags.offline === true,
    onProgress: (text) => shown.show(text),
  }).finally(() => shown.clear());
  if (flags.json) printJson(io, "cordon.doctor/1", toJson(report));
  else io.stdout(render(report, painter(io, "stdout")));
  return report.exit;
};

const HEADLINE = { active: ["green", "ACTIVE"], "not-active": ["red", "NOT ACTIVE"], "cannot-tell": ["yellow", "CANNOT TELL"] } as const;

export function render(report: DoctorReport, paint: Paint): string {
  return [clientsText(report, paint), findingsText(report, paint), gateText(report), nextText(report)]
    .filter((part) => part !== "")
    .join("\n");
}

function clientsText({ clients }: DoctorReport, paint: Paint): string {
  if (clients.length === 0) return `${paint("yellow", "CANNOT TELL")}   no package manager is on PATH\n`;
  const names = clients.map(({ command, version }) => `${command}${version === undefined ? "" : ` ${version}`}`);
  const width = Math.max(...names.map((name) => name.length));
  return clients.map((one, at) => clientText(one, names[at]!.padEnd(width), paint)).join("");
}

function clientText({ verdict, why, evidence }: ClientVerdict, name: string, paint: Paint): string {
  const [colour, word] = HEADLINE[verdict];
  const indent = " ".repeat(13 + name.length + 3);
  const lines = [
    `${paint(colour, word.padEnd(13))}${paint("bold", safe(name))}   ${safe(why)}`,
    ...evidence.map((line) => `${indent}${paint("dim", safe(line))}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

const SECTIONS: readonly (readonly [DoctorFinding["severity"], string])[] = [
  ["bypass", "walks round the gate"],
  ["unknown", "could not be looked into"],
  ["note", "worth knowing"],
];

function findingsText({ findings, notChecked }: DoctorReport, paint: Paint): string {
  const sections = SECTIONS.flatMap(([severity, title]) => {
    const rows = findings
      .filter((one) => one.severity === severity)
      .map(
        (one) => `  ${paint("bold", safe(one.where))}   ${safe(one.what)}\n      ${safe(one.why)}\n      ${paint("dim", safe(one.fix))}\n`,
      );
    return rows.length === 0 ? [] : [`${title}\n${rows.join("")}`];
  });
  if (notChecked.length > 0) sections.push(`not looked at\n${notChecked.map((line) => `  ${safe(line)}\n`).join("")}`);
  return sections.join("\n");
}

function gateText({ gate }: DoctorReport): string {
  if (!gate) return "no gate: no setting here names one, and none runs on this data directory\n";
  if (!gate.health) return `gate ${safe(gate.url)} (${safe(gate.where)}) · does not answer: ${safe(gate.why ?? "")}\n`;
  const { cordon, policy, mode, upstream } = gate.health;
  return `gate ${safe(gate.url)} (${safe(gate.where)}) · cordon ${safe(cordon)} · policy ${safe(policy)}${mode === "monitor" ? ", monitor mode" : ""} · upstream ${safe(upstream)}\n`;
}

function nextText({ gate, clients, findings }: DoctorReport): string {
  if (!gate)
    return `${columns([
      ["start one", "cordon gate"],
      ["use it here", "cordon setup"],
    ])}\n`;
  if (!gate.answers) return isLoopback(new URL(gate.url).hostname) ? "  start it   cordon gate\n" : "";
  if (clients.some(({ verdict }) => verdict === "not-active")) return "  point them at it   cordon setup\n";
  return findings.length === 0 && clients.every(({ verdict }) => verdict === "active") ? "nothing was found that walks round it\n" : "";
}

function toJson({ gate, clients, findings, notChecked, exit }: DoctorReport) {
  const health = gate?.health;
  return {
    gate: gate && {
      url: gate.url,
      where: gate.where,
      answers: gate.answers,
      ...(gate.why === undefined ? {} : { why: gate.why }),
      ...(health && {
        cordon: health.cordon,
        policy: health.policy,
        mode: health.mode,
        ...(health.monitorUntil === undefined ? {} : { monitorUntil: iso(health.monitorUntil) }),
        ...(health.monitorOwner === undefined ? {} : { monitorOwner: health.monitorOwner }),
        upstream: health.upstream,
        now: iso(health.now),
      }),
    },
    clients,
    findings,
    notChecked,
    exit,
  };
}
