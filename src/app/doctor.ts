/**
 * `cordon doctor`: proves with each real client that a gate is on. Reading configuration is no proof: the client installs a canary the
 * gate must refuse and a control that must arrive, and the gate itself says whether the client came by.
 */
import { LIMITS } from "../core/base/limits.ts";
import { printable, redact } from "../core/base/text.ts";
import { span } from "../core/base/time.ts";
import type { ClientId } from "../core/client/client.ts";
import type { GateDecision, GateHealth, GateLook } from "../core/client/gate-look.ts";
import { readGateUrl } from "../core/client/gate-url.ts";
import { type NamedRegistry, registriesNamed, whyElsewhere } from "../core/client/registries.ts";
import { CLIENTS } from "../core/client/table.ts";
import { lastWords, triedToFetch, type TrialEnd } from "../core/client/trial.ts";
import { NPM_REGISTRY_HOST, YARN_REGISTRY_HOST } from "../core/config/constants.ts";
import { canaryName } from "./canary.ts";
import type { AnsweringGate, Candidate, DoctorHost, DoctorRequest, Looker, Visit } from "./doctor-host.ts";
import { type DoctorFinding, lookRound } from "./walk-round.ts";

export type ClientVerdict = {
  readonly client: ClientId;
  readonly command: string;
  readonly version?: string;
  readonly verdict: "active" | "not-active" | "cannot-tell";
  /** One sentence. */
  readonly why: string;
  readonly evidence: readonly string[];
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
      notChecked: ["what walks round the gate: there is none to compare with"],
      exit: 3,
    };
  }
  const gate: AnsweringGate = { ...chosen, look: chosen.look };
  const visit: Visit = { host, looker, request, gate, files };
  const clients: ClientVerdict[] = [];
  for (const one of programs) clients.push(await check(visit, one, named));
  const proven = new Set(clients.filter(({ verdict }) => verdict === "active").map(({ client }) => client));
  const around = await lookRound(visit, programs, proven);
  const verdicts = new Set(clients.map(({ verdict }) => verdict));
  const severities = new Set(around.findings.map(({ severity }) => severity));
  const open = clients.length === 0 || verdicts.has("cannot-tell") || severities.has("unknown");
  const exit = verdicts.has("not-active") || severities.has("bypass") ? 1 : open ? 3 : 0;
  return { gate: { url: gate.base, where: gate.where, answers: true, health: gate.look.health }, clients, ...around, exit };
}

// --- which gate ---

type ChosenGate = Omit<AnsweringGate, "look"> & { readonly look: GateLook };

const PUBLIC: ReadonlySet<string> = new Set([NPM_REGISTRY_HOST, YARN_REGISTRY_HOST]);

/** The first setting that leads to a gate; else one that leads to where a gate should be; else the gate of this machine. */
async function chooseGate(looker: Looker, named: readonly NamedRegistry[], live: string | undefined): Promise<ChosenGate | undefined> {
  const tried = new Map<string, ChosenGate>();
  for (const { url, where } of named) {
    const read = readGateUrl(url);
    if (!read || tried.has(read.base) || PUBLIC.has(new URL(read.base).hostname)) continue;
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
  { host, looker, request, gate }: Visit,
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

function said({ output }: TrialEnd): readonly string[] {
  const words = printable(redact(lastWords(output)));
  return words === "" ? [] : [`it said: ${words}`];
}
