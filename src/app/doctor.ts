/**
 * `cordon doctor`: proves with each real client that a gate is on, and names what walks round it. Reading configuration is no proof:
 * the client installs a canary the gate must refuse and a control that must arrive, and the gate itself says whether the client came by.
 */
import { LIMITS } from "../core/base/limits.ts";
import { printable, redact } from "../core/base/text.ts";
import { type Instant, iso, span } from "../core/base/time.ts";
import type { ClientId } from "../core/client/client.ts";
import { type Finding, findings as settingsFindings, type SettingsFile } from "../core/client/findings.ts";
import type { GateDecision, GateHealth, GateLook } from "../core/client/gate-look.ts";
import { readGateUrl } from "../core/client/gate-url.ts";
import { type NamedRegistry, registriesNamed, whyElsewhere } from "../core/client/registries.ts";
import { CLIENTS } from "../core/client/table.ts";
import { lastWords, triedToFetch, type TrialEnd } from "../core/client/trial.ts";
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import { foreignSources } from "../core/lockfile/hosts.ts";
import { readLockfile } from "../core/lockfile/read.ts";
import { canaryName } from "./canary.ts";

/** A client's program on this machine. */
export type Program = {
  readonly client: ClientId;
  readonly binary: string;
  readonly version: string | undefined;
  readonly major: number | undefined;
};

/** Asks gates and upstreams from where the clients stand; see edge/upstream/gate-look.ts. */
export type Looker = {
  look(registry: string): Promise<GateLook>;
  decisions(base: string, since: Instant, project: string | undefined): Promise<readonly GateDecision[] | { readonly why: string }>;
  givesTime(base: string, name: string): Promise<boolean | undefined>;
  clockAt(base: string): Promise<{ readonly theirs: Instant; readonly ours: Instant } | { readonly why: string }>;
  close(): Promise<void>;
};

/** `root` is undefined outside a project, here and below. */
export type DoctorHost = {
  readonly env: Readonly<Record<string, string | undefined>>;
  looker(root: string | undefined): Promise<Looker>;
  /** Settings files of the project, the user and the machine. */
  settings(root: string | undefined): Promise<readonly SettingsFile[]>;
  find(command: string, root: string | undefined): Promise<Program | { readonly missing: string }>;
  tryClient(request: {
    readonly program: Program;
    readonly root: string | undefined;
    readonly dependency: string;
    readonly packageManager?: string;
  }): Promise<TrialEnd>;
  lockfiles(
    root: string,
  ): Promise<readonly { readonly client: ClientId; readonly name: string; readonly content: Uint8Array | { readonly why: string } }[]>;
  /** Names the project declares. */
  dependencies(root: string): Promise<readonly string[]>;
  warmCaches(client: ClientId): Promise<readonly string[]>;
  /** 16 random characters of [a-z0-9]. */
  nonce(): string;
};

export type DoctorRequest = {
  readonly root: string | undefined;
  /** The clients the project uses; all when there is no project. */
  readonly clients: readonly ClientId[];
  readonly packageManager?: string;
  /** URL of the gate that runs on this machine, if one does: used when no setting names one. */
  readonly live: string | undefined;
  /** Ask neither the upstream nor, through the gate, for a package. */
  readonly offline: boolean;
  readonly onProgress?: (text: string) => void;
};

export type ClientVerdict = {
  readonly client: ClientId;
  readonly command: string;
  readonly version?: string;
  readonly verdict: "active" | "not-active" | "cannot-tell";
  /** One sentence. */
  readonly why: string;
  readonly evidence: readonly string[];
};

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

export type DoctorGate = {
  readonly url: string;
  /** The setting that names it, or `running on this machine`. */
  readonly where: string;
  readonly answers: boolean;
  /** Why it cannot be asked. */
  readonly why?: string;
  readonly health?: GateHealth;
};

export type DoctorReport = {
  /** Undefined when no setting names a gate and none runs here. */
  readonly gate: DoctorGate | undefined;
  readonly clients: readonly ClientVerdict[];
  readonly findings: readonly DoctorFinding[];
  /** What was not looked at, and why. */
  readonly notChecked: readonly string[];
  /** 0 active and nothing round it · 1 a client is not active, or something walks round · 3 it cannot be told. */
  readonly exit: 0 | 1 | 3;
};

export async function doctor(host: DoctorHost, request: DoctorRequest): Promise<DoctorReport> {
  const looker = await host.looker(request.root);
  try {
    return await examine(host, looker, request);
  } finally {
    await looker.close();
  }
}

async function examine(host: DoctorHost, looker: Looker, request: DoctorRequest): Promise<DoctorReport> {
  const files = await host.settings(request.root);
  const named = registriesNamed(files, host.env);
  const chosen = await chooseGate(looker, named, request.live);
  const programs = await findPrograms(host, request);
  if (!chosen || chosen.look.kind !== "gate") {
    const why = chosen ? `the gate does not answer: ${whyNot(chosen.look)}` : "there is no gate to check against";
    const clients = programs.map((one): ClientVerdict => ({ ...labelOf(one), verdict: "cannot-tell", why, evidence: [] }));
    return {
      gate: chosen && { url: chosen.base, where: chosen.where, answers: false, why: whyNot(chosen.look) },
      clients,
      findings: [],
      notChecked: [],
      exit: 3,
    };
  }
  const gate: AnsweringGate = { ...chosen, look: chosen.look };
  const clients: ClientVerdict[] = [];
  for (const one of programs) clients.push(await check(host, looker, request, gate, one, named));
  const around = await lookRound(host, looker, request, gate, programs, clients, files);
  const verdicts = new Set(clients.map(({ verdict }) => verdict));
  const severities = new Set(around.findings.map(({ severity }) => severity));
  const open = clients.length === 0 || verdicts.has("cannot-tell") || severities.has("unknown");
  const exit = verdicts.has("not-active") || severities.has("bypass") ? 1 : open ? 3 : 0;
  return { gate: { url: gate.base, where: gate.where, answers: true, health: gate.look.health }, clients, ...around, exit };
}

// --- which gate ---

type ChosenGate = { readonly base: string; readonly project: string | undefined; readonly where: string; readonly look: GateLook };
type AnsweringGate = ChosenGate & { readonly look: Extract<GateLook, { kind: "gate" }> };

const PUBLIC: readonly string[] = [NPM_REGISTRY_HOST, YARN_REGISTRY_HOST];

/** The first setting that leads to a gate; else one that leads to where a gate should be; else the gate of this machine. */
async function chooseGate(looker: Looker, named: readonly NamedRegistry[], live: string | undefined): Promise<ChosenGate | undefined> {
  const tried = new Map<string, ChosenGate>();
  for (const { url, where } of named) {
    const read = readGateUrl(url);
    if (!read || tried.has(read.base) || PUBLIC.includes(new URL(read.base).hostname)) continue;
    const gate: ChosenGate = {
      base: read.base,
      project: read.project,
      where,
      look: await looker.look(url.endsWith("/") ? url : `${url}/`),
    };
    if (gate.look.kind === "gate") return gate;
    tried.set(read.base, gate);
  }
  const declared = [...tried.values()].find(({ project }) => project !== undefined);
  if (declared) return declared;
  return live === undefined
    ? undefined
    : { base: live, project: undefined, where: "running on this machine", look: await looker.look(live) };
}

function whyNot(look: GateLook): string {
  return look.kind === "gate" ? "" : look.why;
}

// --- the clients ---

type Candidate = { readonly client: ClientId; readonly command: string; readonly found: Program | { readonly missing: string } };

async function findPrograms(host: DoctorHost, { root, clients }: DoctorRequest): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const id of clients) {
    const command = CLIENTS[id].commands[0]!;
    const found = await host.find(command, root);
    // Outside a project only what is installed is of interest, and the two yarns are one program.
    if (root === undefined && ("missing" in found || found.client !== id)) continue;
    // One program that stands for both yarns is tried once, as the yarn it is.
    const client = "missing" in found ? id : found.client;
    if (!candidates.some((other) => other.client === client)) candidates.push({ client, command, found });
  }
  return candidates;
}

function labelOf({ client, command, found }: Candidate): Pick<ClientVerdict, "client" | "command" | "version"> {
  return { client, command, ...("version" in found && found.version !== undefined ? { version: found.version } : {}) };
}

async function check(
  host: DoctorHost,
  looker: Looker,
  request: DoctorRequest,
  gate: AnsweringGate,
  candidate: Candidate,
  named: readonly NamedRegistry[],
): Promise<ClientVerdict> {
  const { found, command } = candidate;
  const label = labelOf(candidate);
  if ("missing" in found) return { ...label, verdict: "cannot-tell", why: found.missing, evidence: [] };
  request.onProgress?.(`${command}: installing a canary and a control`);
  const nonce = host.nonce();
  const project = {
    program: found,
    root: request.root,
    ...(request.packageManager === undefined ? {} : { packageManager: request.packageManager }),
  };
  const control = await host.tryClient({ ...project, dependency: canaryName("control", nonce) });
  const canary = await host.tryClient({ ...project, dependency: canaryName("refused", nonce) });
  const seen = await looker.decisions(gate.base, gate.look.health.now, gate.project);
  if ("why" in seen) return { ...label, verdict: "cannot-tell", why: `the gate does not say who came by: ${seen.why}`, evidence: [] };
  const judged = judge({ nonce, control, canary, seen });
  if (judged.verdict !== "not-active") return { ...label, ...judged };
  const isGate = (url: string) => readGateUrl(url)?.base === gate.base;
  return {
    ...label,
    ...judged,
    evidence: [...whyElsewhere(named, { client: found.client, major: found.major, command }, isGate), ...judged.evidence],
  };
}

/** The verdict on one client, from its two trials and what the gate saw. */
export function judge(facts: {
  readonly nonce: string;
  readonly control: TrialEnd;
  readonly canary: TrialEnd;
  readonly seen: readonly GateDecision[];
}): Pick<ClientVerdict, "verdict" | "why" | "evidence"> {
  const { nonce, control, canary, seen } = facts;
  const refused = seen.find(({ kind, name }) => kind === "refused" && name === canaryName("refused", nonce));
  const served = seen.find(({ kind, name }) => kind === "served" && name === canaryName("control", nonce));
  const said = (end: TrialEnd) => {
    const words = printable(redact(lastWords(end.output)));
    return words === "" ? [] : [`it said: ${words}`];
  };
  if (canary.arrived) return { verdict: "not-active", why: "it installed the canary, which every gate refuses", evidence: said(canary) };
  if (refused && served && control.arrived)
    return {
      verdict: "active",
      why: "the gate refused the canary and served the control",
      evidence: [`the gate saw ${refused.client ?? "it"}${refused.project === undefined ? "" : ` for ${refused.project}`}`],
    };
  const failure = control.failure ?? canary.failure;
  if (failure !== undefined) return { verdict: "cannot-tell", why: `it could not be started (${failure})`, evidence: [] };
  if (refused || served) {
    const why = refused
      ? "the gate refused the canary, but the control did not arrive"
      : "the gate served the control, but the canary was never asked of it";
    return {
      verdict: "cannot-tell",
      why: control.timedOut || canary.timedOut ? `${why} within ${span(LIMITS.trialMs)}` : why,
      evidence: said(refused ? control : canary),
    };
  }
  if (control.arrived) return { verdict: "not-active", why: "it never came by, and got the control all the same", evidence: [] };
  if (triedToFetch(control, nonce) || triedToFetch(canary, nonce))
    return { verdict: "not-active", why: "it never came by: it asked somebody else", evidence: said(control) };
  if (control.timedOut || canary.timedOut)
    return { verdict: "cannot-tell", why: `it did not end within ${span(LIMITS.trialMs)}, and never came by`, evidence: said(control) };
  return { verdict: "cannot-tell", why: "it ended before it asked anybody", evidence: said(control) };
}

// --- what walks round ---

async function lookRound(
  host: DoctorHost,
  looker: Looker,
  request: DoctorRequest,
  gate: AnsweringGate,
  candidates: readonly Candidate[],
  verdicts: readonly ClientVerdict[],
  files: readonly SettingsFile[],
): Promise<Pick<DoctorReport, "findings" | "notChecked">> {
  const notChecked: string[] = [];
  const found: DoctorFinding[] = [];
  for (const { client, command, found: program } of candidates) {
    const proven = verdicts.some((one) => one.client === client && one.verdict === "active");
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
        .filter((one) => counts(one, proven, host.env))
        .map(ofSettings),
    );
    for (const folder of await host.warmCaches(client)) found.push(warmCache(folder, command));
  }
  if (request.root !== undefined) found.push(...foreign(await host.lockfiles(request.root), gate.base));
  found.push(...monitored(gate.look.health));
  const time = await upstreamTime(host, looker, request, gate);
  const clocks = await clockSkew(looker, request, gate);
  return {
    findings: unique([...found, ...time.findings, ...clocks.findings]),
    notChecked: [...notChecked, ...time.notChecked, ...clocks.notChecked],
  };
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
  pnpm: "pnpm store prune",
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
    why: "what lies in it is installed without asking any gate, withheld since or not; `cordon " + command + "` checks what was installed",
    fix: `${CLEANING[command] ?? "Remove it"}`,
  };
}

/** Entries a client fetches from their recorded URL, whatever registry it is configured for; one finding for each host of a file. */
function foreign(lockfiles: Awaited<ReturnType<DoctorHost["lockfiles"]>>, gate: string): readonly DoctorFinding[] {
  return lockfiles.flatMap(({ client, name, content }): DoctorFinding[] => {
    if ("why" in content) return [unreadable(name, content.why)];
    const tree = readLockfile(name, content);
    const hosts = new Map<string, { line: number; entries: string[]; remote: boolean }>();
    // npm and deno ask their configured registry for what is recorded at npm's own host; the others go there.
    const allowed = [...hostsOf(gate), ...(client === "npm" || client === "deno" ? [NPM_REGISTRY_HOST] : [])];
    for (const source of foreignSources(tree, allowed)) {
      const remote = source.kind === "registry" || source.kind === "tarball";
      const known = hosts.get(`${source.host} ${remote}`);
      const entry = `${source.package.name}${source.package.version === "" ? "" : `@${source.package.version}`}`;
      if (known) known.entries.push(entry);
      else hosts.set(`${source.host} ${remote}`, { line: source.package.line, entries: [entry], remote });
    }
    const found = [...hosts].map(([key, { line, entries, remote }]): DoctorFinding => {
      const host = key.slice(0, key.lastIndexOf(" ")) || "a host nobody can read";
      const many = entries.length === 1 ? entries[0]! : `${entries[0]} and ${entries.length - 1} more`;
      return {
        rule: "foreign-source",
        severity: remote ? "bypass" : "note",
        where: line === 0 ? name : `${name}:${line}`,
        what: printable(many),
        why: `${remote ? "fetched" : "cloned or loaded"} from ${printable(host)}, not from the gate`,
        fix: remote
          ? `Run ${CLIENTS[client].commands[0]} through cordon, or record the entries anew.`
          : "Look at it; no registry gate sees it.",
      };
    });
    return tree.complete
      ? found
      : [...found, unreadable(name, tree.problems.find(({ severity }) => severity === "error")?.message ?? "it could not be read whole")];
  });
}

/** A gate on this machine answers by every name of it. */
function hostsOf(gate: string): readonly string[] {
  const { host, hostname, port } = new URL(gate);
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
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

async function upstreamTime(
  host: DoctorHost,
  looker: Looker,
  { root, offline }: DoctorRequest,
  gate: AnsweringGate,
): Promise<Pick<DoctorReport, "findings" | "notChecked">> {
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

async function clockSkew(
  looker: Looker,
  { offline }: DoctorRequest,
  gate: AnsweringGate,
): Promise<Pick<DoctorReport, "findings" | "notChecked">> {
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
  if (offline) return { findings, notChecked: ["the upstream's clock: --offline"] };
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
