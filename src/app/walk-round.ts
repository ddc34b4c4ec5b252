/**
 * What lets packages come past a gate that is on: settings, lockfiles, caches, clocks, an upstream without publish times, monitor mode.
 * One finding for each, with its place and its remedy.
 */
import { LIMITS } from "../core/base/limits.ts";
import { printable } from "../core/base/text.ts";
import { iso, span } from "../core/base/time.ts";
import type { ClientId } from "../core/client/client.ts";
import { type Finding, findings as settingsFindings } from "../core/client/findings.ts";
import type { GateHealth } from "../core/client/gate-look.ts";
import { CLIENTS } from "../core/client/table.ts";
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import { type ForeignSource, foreignSources } from "../core/lockfile/hosts.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import type { AnsweringGate, Candidate, DoctorHost, LockfileBytes, Visit } from "./doctor-host.ts";

export type DoctorFinding = {
  readonly rule:
    | Finding["rule"]
    | "foreign-source"
    | "unreadable-lockfile"
    | "warm-cache"
    | "clock-skew"
    | "upstream-without-time"
    | "monitor-mode";
  /** `bypass`: packages can come past the gate. `unknown`: whether they can is not known. `note`: worth knowing. */
  readonly severity: "bypass" | "unknown" | "note";
  /** `.npmrc:3`, a folder, or what it is about. */
  readonly where: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
};

type Round = { readonly findings: readonly DoctorFinding[]; readonly notChecked: readonly string[] };

/** `proven`: clients whose trial reached the gate. */
export async function lookRound(visit: Visit, candidates: readonly Candidate[], proven: ReadonlySet<ClientId>): Promise<Round> {
  const { host, request, gate, files } = visit;
  const found: DoctorFinding[] = [];
  for (const { client, command, found: program } of candidates) {
    const major = "missing" in program ? undefined : program.major;
    const input = {
      client: CLIENTS[client],
      major,
      command,
      argv: ["install"],
      env: host.env,
      files,
      gate: gate.base,
      wrapped: false,
      scopes: [],
    };
    found.push(
      ...settingsFindings(input)
        .filter((one) => counts(one, proven.has(client), host.env))
        .map(ofSettings),
    );
    for (const folder of await host.warmCaches(client)) found.push(warmCache(folder, command));
  }
  for (const lockfile of request.root === undefined ? [] : await host.lockfiles(request.root)) found.push(...foreign(lockfile, gate));
  found.push(...monitored(gate.look.health));
  const time = await upstreamTime(visit);
  const clocks = await clockSkew(visit);
  return { findings: unique([...found, ...time.findings, ...clocks.findings]), notChecked: [...time.notChecked, ...clocks.notChecked] };
}

/** A trial that reached the gate outweighs what a file says of the base registry; the environment outweighs `replace-registry-host` in one. */
function counts({ rule }: Finding, proven: boolean, env: DoctorHost["env"]): boolean {
  if (rule === "registry") return !proven;
  if (rule === "registry-host-kept")
    return !Object.entries(env).some(
      ([name, value]) => /^npm_config_replace_registry_host$/i.test(name) && /^(?:npmjs|always)$/.test(value ?? ""),
    );
  return true;
}

function ofSettings({ rule, severity, file, line, what, why, fix }: Finding): DoctorFinding {
  return { rule, severity, where: line === 0 ? file : `${file}:${line}`, what, why, fix };
}

const CLEANING: Readonly<Record<string, string>> = {
  npm: "npm cache clean --force",
  yarn: "yarn cache clean",
  bun: "bun pm cache rm",
  deno: "deno clean",
};

function warmCache(folder: string, command: string): DoctorFinding {
  return {
    rule: "warm-cache",
    severity: "note",
    where: folder,
    what: `${command}'s cache is not empty`,
    why: `what lies in it is installed without asking any gate; cordon ${command} checks what was installed`,
    fix: CLEANING[command] ?? "Remove the folder.",
  };
}

/** Entries a client fetches from their recorded URL, whatever registry it is configured for; one finding for each host of a file. */
function foreign({ client, name, content }: LockfileBytes, gate: AnsweringGate): readonly DoctorFinding[] {
  if ("why" in content) return [unreadable(name, content.why)];
  const tree = readLockfile(name, content);
  // npm and deno ask their configured registry for what is recorded at npm's own host; the others go there.
  const allowed = [...hostsOf(gate.base), ...(client === "npm" || client === "deno" ? [NPM_REGISTRY_HOST] : [])];
  const groups = new Map<string, ForeignSource[]>();
  for (const source of foreignSources(tree, allowed)) {
    const key = `${isFetched(source)} ${source.host}`;
    const group = groups.get(key);
    if (group) group.push(source);
    else groups.set(key, [source]);
  }
  const found = [...groups.values()].map((group) => foreignHost(group, client, name, gate));
  if (tree.complete) return found;
  const problem = tree.problems.find(({ severity }) => severity === "error")?.message ?? "it could not be read whole";
  return [...found, unreadable(name, problem)];
}

/** From a registry or as an archive, in a registry's place; git and single modules never come through one. */
function isFetched({ kind }: ForeignSource): boolean {
  return kind === "registry" || kind === "tarball";
}

function foreignHost(group: readonly ForeignSource[], client: ClientId, lockfile: string, { look }: AnsweringGate): DoctorFinding {
  const source = group[0]!;
  const { name, version, line } = source.package;
  const more = group.length === 1 ? "" : ` and ${group.length - 1} more`;
  const fetched = isFetched(source);
  return {
    rule: "foreign-source",
    severity: fetched ? "bypass" : "note",
    where: line === 0 ? lockfile : `${lockfile}:${line}`,
    what: printable(`${name}${version === "" ? "" : `@${version}`}${more}`),
    why: `${fetched ? "fetched" : "cloned or loaded"} from ${source.host === "" ? "a host nobody can read" : printable(source.host)}, not from the gate`,
    fix: fetched ? remedy(source.host, CLIENTS[client].commands[0]!, look.health.upstream) : "Look at it; no registry gate sees it.",
  };
}

/** The wrapper points at the gate what stands at a registry the gate fronts. */
function remedy(host: string, command: string, upstream: string): string {
  const fronted = host === NPM_REGISTRY_HOST || host === YARN_REGISTRY_HOST || (URL.canParse(upstream) && host === new URL(upstream).host);
  if (fronted) return `Install with cordon ${command}: it points these at the gate for the run.`;
  return "Record it anew from your own registry, or know why it is there.";
}

/** A gate on this machine answers by every name of it. */
function hostsOf(gate: string): readonly string[] {
  const { host, hostname, port } = new URL(gate);
  const loopback = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  return loopback ? ["localhost", "127.0.0.1", "[::1]"].map((name) => (port === "" ? name : `${name}:${port}`)) : [host];
}

function unreadable(name: string, why: string): DoctorFinding {
  return {
    rule: "unreadable-lockfile",
    severity: "unknown",
    where: name,
    what: printable(why),
    why: "what it names outside the gate is not known",
    fix: "Repair or renew the lockfile.",
  };
}

function monitored({ mode, monitorOwner, monitorUntil }: GateHealth): readonly DoctorFinding[] {
  if (mode !== "monitor") return [];
  return [
    {
      rule: "monitor-mode",
      severity: "note",
      where: "gate",
      what: `monitor mode${monitorUntil === undefined ? "" : ` until ${iso(monitorUntil)}`}${monitorOwner === undefined ? "" : `, by ${monitorOwner}`}`,
      why: "only denied versions are withheld; everything else is told and served",
      fix: "Set mode: enforce in the gate's cordon.yaml.",
    },
  ];
}

/** Names asked before "no publish times" is believed: one package may be an exception. */
const ASKED = 3;

async function upstreamTime({ host, looker, request, gate }: Visit): Promise<Round> {
  const { root, offline } = request;
  const what = "whether the upstream gives publish times";
  if (offline) return { findings: [], notChecked: [`${what}: --offline`] };
  const names = root === undefined ? [] : (await host.dependencies(root)).slice(0, ASKED);
  const answers = await Promise.all(names.map((name) => looker.givesTime(gate.base, name)));
  if (answers.includes(true)) return { findings: [], notChecked: [] };
  if (!answers.includes(false))
    return {
      findings: [],
      notChecked: [
        `${what}: ${names.length === 0 ? "the project names no package to ask for" : `the gate knows nothing of ${names.join(", ")}`}`,
      ],
    };
  const finding: DoctorFinding = {
    rule: "upstream-without-time",
    severity: "note",
    where: gate.look.health.upstream,
    what: "the upstream gives no publish times",
    why: "a version's age counts from when this gate first saw it, so everything is new until a baseline is accepted",
    fix: "Set baseline: { accept: { owner, date } } in the gate's cordon.yaml.",
  };
  return { findings: [finding], notChecked: [] };
}

async function clockSkew({ looker, request, gate }: Visit): Promise<Round> {
  const { health, asked } = gate.look;
  const ahead = health.now - asked;
  const findings: DoctorFinding[] = [];
  if (Math.abs(ahead) > LIMITS.clockSkewMs)
    findings.push(
      skew(
        "gate",
        `the gate's clock is ${span(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} this machine's`,
        "ages and ends of holds are counted by the gate's clock",
      ),
    );
  if (request.offline) return { findings, notChecked: ["the upstream's clock: --offline"] };
  const upstream = await looker.clockAt(health.upstream);
  if ("why" in upstream) return { findings, notChecked: [`the upstream's clock: ${upstream.why}`] };
  const gap = ahead - (upstream.theirs - upstream.ours);
  if (Math.abs(gap) > LIMITS.clockSkewMs)
    findings.push(
      skew(
        "upstream",
        `the gate's clock is ${span(Math.abs(gap))} ${gap > 0 ? "ahead of" : "behind"} its upstream's`,
        gap > 0 ? "holds end that much too early" : "holds end that much too late",
      ),
    );
  return { findings, notChecked: [] };
}

function skew(where: string, what: string, why: string): DoctorFinding {
  return { rule: "clock-skew", severity: "note", where, what, why, fix: "Set the clock that is wrong." };
}

/** Clients that share a file share its findings. */
function unique(found: readonly DoctorFinding[]): readonly DoctorFinding[] {
  return [...new Map(found.map((one) => [`${one.rule} ${one.where} ${one.what}`, one])).values()];
}
