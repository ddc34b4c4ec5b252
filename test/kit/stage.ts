/**
 * Where transcripts of the gate and of the command line play: a fixture registry, the whole product over it, one running gate.
 * The words a transcript may begin a line with, besides the runner's own (`transcript.ts`):
 *
 *   release NAME@VERSION TIME [tag:T] [dep:NAME@RANGE] [optional:NAME@RANGE] [no-time] [deprecated:TEXT]
 *   withdraw NAME VERSION · restore NAME VERSION · holding NAME · tag NAME TAG [VERSION] · deprecate NAME VERSION TEXT
 *   republish NAME@VERSION              other bytes under a version that exists
 *   times NAME VERSION=TEXT…            what the packument's `time` says of these versions
 *   fault ROUTE NAME key=value…         see `fixture/faults.ts`; ROUTE or NAME may be `*` · mend takes all faults away
 *   upstream down|up
 *   machine FILE                        the machine's cordon.yaml becomes this file of the transcript
 *   pack FILE FOLDER                    makes a tarball of the transcript's files below FOLDER
 *   soon                                waits until the running gate heard of what another process changed
 *   $ upstream                          what the registry was asked since the last time, fetching ahead included, in alphabetical order
 *   $ typed WORD cordon …               as a person at a terminal who types WORD when asked
 *   $ env NAME=VALUE cordon …           at a terminal, with one more variable
 *
 * `{ID}` is the id of the waiver, deny, freeze or token that a command named last, `{SECRET}` the token it made, `{PLAN}` the plan of response
 * it printed, `{KEY}` the key that signed its evidence, `{HEAD}` the head of its journal.
 *
 * The machine's cordon.yaml is the transcript's `-- machine.yaml --`; commands run in the folder of the transcript's files.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Product, product } from "./app.ts";
import { type Fixture, type FixtureOptions, startFixture } from "./fixture.ts";
import type { Fault } from "./fixture/faults.ts";
import type { Route } from "./fixture/target.ts";
import { send } from "./http.ts";
import { iso } from "../../src/core/base/time.ts";
import { NPM_REGISTRY } from "../../src/core/config/constants.ts";
import { packPackage } from "./tarball.ts";
import type { Stage } from "./transcript.ts";
import { until } from "./until.ts";

export type GateStage = Stage & { readonly fixture: Fixture; readonly product: Product };

export type StageOptions = Partial<FixtureOptions> & {
  /** Folder with the transcript's files. */
  readonly folder: string;
};

/** An hour after the young packages of `cases` and 22 minutes after axios 1.14.1. */
export const MOMENT = "2026-03-31T00:43:00Z";

export async function openStage({ folder, ...options }: StageOptions): Promise<GateStage> {
  const fixture = await startFixture({ packages: ["axios", "cases"], at: MOMENT, ...options });
  const machine = join(folder, "machine.yaml");
  const app = await product({ fixture, cwd: folder, ...(existsSync(machine) ? { config: readFileSync(machine, "utf8") } : {}) });
  const names: Record<string, string> = { UPSTREAM: fixture.url, PUBLIC: NPM_REGISTRY };
  let running: ReturnType<typeof startGate> | undefined;
  let heard = "";

  /** Started when it is first asked something. */
  async function startGate() {
    const { lockfileUrls, publicUrls, behindProxy } = (await app.world.resolve({})).settings;
    const gate = await app.gate({ lockfileUrls, publicUrls, start: { behindProxy } });
    heard = state(gate.app);
    return Object.assign(names, { GATE: `http://${gate.at.host}:${gate.at.port}/`, INSTANCE: gate.instance }) && gate;
  }
  const gate = () => (running ??= startGate());

  async function run(argv: readonly string[]): ReturnType<NonNullable<Stage["run"]>> {
    const ran = await play(argv);
    const [, id] = /\b((?:d|w|f|tok)-[0-9a-f]{8,10})\b/.exec(ran.stdout) ?? [];
    const [secret] = /\bcordon_[\w-]{43}/.exec(ran.stdout) ?? [];
    const [, plan] = /^plan ([0-9a-f]{12}) /.exec(ran.stdout) ?? [];
    if (id !== undefined) names["ID"] = id;
    const [, key] = /\bsigned by key ([0-9a-f]{16})\b/.exec(ran.stdout) ?? [];
    if (plan !== undefined) names["PLAN"] = plan;
    if (key !== undefined) names["KEY"] = key;
    const [, head] = /^Journal: .* up to ([0-9a-f]{64})$/m.exec(ran.stdout) ?? [];
    if (head !== undefined) names["HEAD"] = head;
    if (secret !== undefined) names["SECRET"] = secret;
    return ran;
  }

  async function play([program = "", ...rest]: readonly string[]): ReturnType<NonNullable<Stage["run"]>> {
    if (program === "cordon") {
      // Alerts are raised beside the answers: what is asked for next must not depend on how quick that was.
      await (await running)?.app.flush();
      return app.cordon(rest);
    }
    if (program === "upstream") {
      await (await running)?.app.ahead?.idle();
      const stdout = fixture.log.lines().sort();
      fixture.log.clear();
      return { code: 0, stdout: stdout.join("\n"), stderr: "" };
    }
    if (program === "typed") return app.cordon(rest.slice(2), { terminal: true, answers: [rest[0]!] });
    if (program === "env")
      return app.cordon(rest.slice(2), { terminal: true, answers: [""], env: Object.fromEntries([rest[0]!.split("=")]) });
    throw new Error(`nothing is called ${program} here`);
  }

  return {
    fixture,
    product: app,
    clock: fixture.clock,
    run,
    async request(request) {
      const { app: served } = await gate();
      const answer = await send(names["GATE"]!, request);
      // What is fetched ahead decides what is known of dependencies: a transcript must not depend on how quick that was.
      await served.ahead?.idle();
      return answer;
    },
    verbs: {
      release: (spec = "", when = "", ...words) => fixture.publish(releaseText(spec, when, words)),
      republish: (spec = "") => fixture.publish(releaseText(spec, iso(fixture.clock.now()), ["file:other"]), { replace: true }),
      withdraw: fixture.withdraw,
      restore: fixture.restore,
      holding: fixture.securityHolding,
      tag: fixture.tag,
      deprecate: (name = "", version = "", ...words) => fixture.deprecate(name, version, words.join(" ")),
      fault(route = "*", name = "*", ...words) {
        const fault = Object.fromEntries(words.map((word) => word.split("=", 2)).map(([key, value]) => [key, valueOf(value)])) as Fault;
        fixture.faults.add({ ...(route === "*" ? {} : { route: route as Route }), ...(name === "*" ? {} : { name }) }, fault);
      },
      times(name = "", ...words) {
        const said = Object.fromEntries(words.map((word) => word.split("=", 2)));
        fixture.faults.add({ route: "packument", name }, { edit: (document) => void Object.assign(document["time"] as object, said) });
      },
      mend: fixture.faults.clear,
      upstream: (how) => (how === "down" ? fixture.down() : fixture.up()),
      pack(file = "", from = "") {
        const paths = readdirSync(join(folder, from), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        const files = paths.map((entry) => join(entry.parentPath, entry.name)).toSorted();
        const text = (path: string) => ({ path: relative(join(folder, from), path), text: readFileSync(path, "utf8") });
        writeFileSync(join(folder, file), packPackage(files.map(text)));
      },
      machine(file = "") {
        const target = join(app.home, ".config/cordon/cordon.yaml");
        mkdirSync(dirname(target), { recursive: true });
        copyFileSync(join(folder, file), target);
      },
      async soon() {
        const { app: served } = await gate();
        const now = await until(
          () => state(served),
          (one) => one !== heard,
        );
        if (now === heard) throw new Error("the gate heard of nothing");
        heard = now;
      },
    },
    names,
    async close() {
      await app.stop();
      await fixture.stop();
    },
  };
}

/** What the gate judges by. */
function state(app: Awaited<ReturnType<Product["gate"]>>["app"]): string {
  return `${app.judgements.exceptions().epoch} ${app.policy().digest}`;
}

function valueOf(text: string | undefined): unknown {
  if (text === undefined || text === "true") return true;
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** The package text (`fixture/package-text.ts`) of one version in a few words. */
export function releaseText(spec: string, when: string, words: readonly string[] = []): string {
  const at = spec.lastIndexOf("@");
  const manifest: Record<string, unknown> = { name: spec.slice(0, at), version: spec.slice(at + 1), license: "MIT" };
  const header = [`published ${when} by maker`];
  let file = "exports.here = true;";
  for (const word of words) {
    const mark = word.indexOf(":");
    const [kind, value] = mark < 0 ? [word, ""] : [word.slice(0, mark), word.slice(mark + 1)];
    const [, name = "", range = ""] = /^(.+)@(.*)$/.exec(value) ?? [];
    if (kind === "tag") header.push(`tag ${value}`);
    else if (kind === "no-time") header.push("no-time");
    else if (kind === "deprecated") header.push(`deprecated ${value}`);
    else if (kind === "file") file = `exports.${value} = true;`;
    else if (kind === "dep" || kind === "optional") {
      const field = kind === "dep" ? "dependencies" : "optionalDependencies";
      manifest[field] = { ...(manifest[field] as object | undefined), [name]: range };
    } else throw new Error(`a release has no ${kind}`);
  }
  return `${header.join("\n")}\n-- package.json --\n${JSON.stringify(manifest)}\n-- index.js --\n${file}\n`;
}
