/**
 * The axios compromise of 31 March 2026 rehearsed from the first install to the report: a real gate, real clients, inert packages, and the
 * clock of that day. Every command behind a `$` was really run and every line under it really printed; only long answers are shortened. What
 * does not come out as the story says is an error, so that a rehearsal that is printed to its end went well. The gate looks again when the
 * story's clock says so and not by its own timer: nobody waits a quarter of an hour.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";
import { iso } from "../../src/core/base/time.ts";
import type { Plan, Step } from "../../src/core/response/plan.ts";
import { clientEnv, type ClientRun, runClient, runProgram, type TestClient } from "../clients/clients.ts";
import { LOCKFILE, versionIn } from "../clients/stage.ts";
import { type Product, product } from "../kit/app.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { writeFiles } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

export type Rehearsal = {
  readonly npm: TestClient;
  /** Another client that one of the projects uses, where there is one. */
  readonly other?: TestClient | undefined;
  /** Whether the projects are repositories of git: then cordon prepares the way back on a branch. */
  readonly git: boolean;
  /** Takes the story as it goes on. */
  readonly say: (text: string) => void;
};

const FIRST_WEEK = `policy:
  mode: { monitor: { owner: mara, expires: 2026-04-05 } }
`;

/** 22 minutes after axios 1.14.1, before anybody knows. */
const BEGIN = "2026-03-31T00:43:00Z";
const BAD = "1.14.1";
const GOOD = "1.14.0";

/** For commits, without anybody's own configuration. */
const GIT_CONFIG = "[user]\n  name = mara\n  email = mara@example.test\n";
/** Within reach of what the payload would have run as. */
const SECRET = "npm_0123456789abcdefghijklmnopqrstuvwxyzAB";

type Env = Readonly<Record<string, string>>;
type Ran = Pick<ClientRun, "code" | "stdout" | "stderr">;

export async function rehearse({ npm, other, git, say }: Rehearsal): Promise<void> {
  const chat = await openChat();
  const registry = await startFixture({ packages: "axios", at: BEGIN });
  onTestFinished(() => registry.stop());
  for (const version of [BAD, "0.30.4"])
    registry.publish(readFileSync(new URL(`../registry/axios-hijack/${version}.txt`, import.meta.url), "utf8"), { replace: true });
  const made = await product({
    fixture: registry,
    config: `${FIRST_WEEK}notify:\n  - { name: chat, url: "${chat.url}", format: slack }\n`,
    env: { CORDON_DATA: undefined, XDG_DATA_HOME: undefined },
  });
  onTestFinished(() => made.stop());
  const gate = await made.gate({ announce: true });
  const base = `http://127.0.0.1:${gate.at.port}/`;
  const tell = narrator(say, made.home);
  const env = { ...(other && clientEnv(other, made.home)), ...clientEnv(npm, made.home), PATH: pathOf(npm, other) };
  writeFiles(made.home, { ".gitconfig": GIT_CONFIG, "code/checkout/.env": `NPM_TOKEN=${SECRET}\n` });
  const estate = openEstate(made, base, npm, other, env);
  const typed = async (folder: string, line: string, keep: Keep, word?: string): Promise<Ran> => {
    const [, ...argv] = line.split(" ");
    const cwd = join(made.home, folder);
    const ran = await made.cordon(argv, { cwd, env, ...(word === undefined ? {} : { terminal: true, answers: [word] }) });
    tell.ran(folder, line, ran, keep);
    return ran;
  };

  /** What a person types for a step, of what stands in the plan, in the project it is about. */
  const byHand = async ({ id, title, commands }: PersonStep): Promise<void> => {
    const place = estate.places.find(({ shown, client }) => title.includes(`${shown}:`) || (id.startsWith("purge") && client === other))!;
    for (const command of commands) {
      const [line = ""] = command.split("   (");
      // Looked at only: the branch's diff, and what cordon itself checks again two steps later.
      if (line.startsWith("cordon check") || line.startsWith("cd ")) continue;
      if (id.startsWith("purge")) rmSync(join(place.folder, "node_modules"), { recursive: true, force: true });
      const ran = line.startsWith("cordon ") ? await typed(place.shown, line, INSTALLED) : await place.type(line);
      if (!line.startsWith("cordon ")) tell.ran(place.shown, line, ran, { lines: 1, only: /./ });
      expectThat(ran.code === 0, `${line}: ${ran.stdout}${ran.stderr}`);
    }
    if (id.startsWith("rollback"))
      expectThat(versionIn(place.folder, "axios") === GOOD, `${place.shown} has axios ${versionIn(place.folder, "axios")}`);
  };

  // --- before anybody knows
  tell.scene(registry, "axios 1.14.1 is 22 minutes old, and nobody knows");
  tell.prose(
    `A gate runs at ${base} for everybody here. It is its first week, so it is in monitor mode: it judges and tells, and withholds only what is denied. That is why the poisoned release gets in at all: in balanced mode nobody would have got it before a person had looked.`,
  );
  tell.file("cordon.yaml", FIRST_WEEK);
  await typed("code", "cordon why axios@1.14.1", { lines: 4 });

  tell.scene(registry, "Everybody installs, the build machine too");
  for (const place of estate.places) {
    const ran = await place.run(place.install);
    tell.ran(place.shown, place.line(place.install), ran, INSTALLED);
    expectThat(ran.code === 0, `${place.shown}: the install failed\n${ran.stdout}\n${ran.stderr}`);
    expectThat(versionIn(place.folder, "axios") === BAD, `${place.shown} did not get axios ${BAD}`);
    if (git && !place.remote) await commit(place);
  }
  const poisoned = readFileSync(join(estate.places[0]!.folder, LOCKFILE.npm), "utf8");
  tell.prose("All of them have axios 1.14.1, and plain-crypto-js 4.2.1 with it. Nobody was told of anything.");

  // --- the registry takes it back
  registry.clock.set("2026-03-31T03:15:00Z");
  registry.withdraw("axios", BAD);
  registry.withdraw("axios", "0.30.4");
  registry.tag("axios", "latest", GOOD);
  tell.scene(registry, "The registry takes it back, and nobody here asks for it");
  tell.prose(
    "The gate asks again by itself about what it served lately, young releases every quarter of an hour. It believes that a version is gone when it has missed it twice, ten minutes apart.",
  );
  await gate.app.servedWatch.round();
  registry.clock.advance("11m");
  await gate.app.servedWatch.round();
  registry.clock.set("2026-03-31T03:29:00Z");
  registry.securityHolding("plain-crypto-js");
  registry.clock.advance("2m");
  await gate.app.servedWatch.round();
  const told = (await until(chat.lines, (lines) => lines.length >= 4)).toSorted();
  const ours = told.filter((line) => line.includes(" · fetched "));
  tell.scene(registry, "The gate says so in the team's channel");
  for (const line of [...ours, ...told.filter((one) => !ours.includes(one))]) tell.quote(line);
  expectThat(told.length === 4 && ours.length === 2, `the gate told something else: ${told.join("\n")}`);

  // --- were we hit
  tell.scene(registry, "Were we hit: where, and did it run?");
  const exposure = await typed("", "cordon exposure axios-2026 code", { lines: 24 });
  expectThat(exposure.code === 1, "an exposure was not found");
  for (const place of estate.places.filter(({ remote }) => !remote))
    expectThat(exposure.stdout.includes(place.shown), `${place.shown} is not among the exposed places`);

  // --- the plan
  tell.scene(registry, "What to do, before anything is done");
  const plan = (
    JSON.parse((await made.cordon(["respond", "axios-2026", "code", "--json"], { cwd: made.home, env })).stdout) as { readonly plan: Plan }
  ).plan;
  await typed("", "cordon respond axios-2026 code", { lines: 40, only: /^plan |^ +\d+ |^run it/ });

  tell.scene(registry, "The plan is carried out: cordon's steps by cordon, people's by people");
  tell.prose("Each time mara types the incident's or the step's name at a terminal first; that is left out here.");
  const execute = async () => {
    const ran = await typed(
      "",
      `cordon respond axios-2026 code --execute ${plan.id}`,
      { lines: 60, only: /^ {2}(done|failed) |nothing poisoned|^\d+ of |^It is over/ },
      "axios-2026",
    );
    expectThat(ran.code === 0, `a step failed: ${ran.stdout}${ran.stderr}`);
    return turns(plan, ran);
  };
  for (let yours = await execute(); yours.length > 0; yours = await execute())
    for (const step of yours) {
      registry.clock.advance("5m");
      tell.quote(`your turn: ${step.title}`);
      if (step.phase === "purge" || step.phase === "rollback") await byHand(step);
      const confirmed = await typed(
        "",
        `cordon respond axios-2026 --plan ${plan.id} --confirm ${step.id}`,
        { lines: 1, only: / is done, / },
        step.id,
      );
      expectThat(confirmed.code === 0, `${step.id} could not be confirmed: ${confirmed.stderr}`);
    }

  const later = (await until(chat.lines, (lines) => lines.length >= 6)).slice(4).toSorted();
  tell.prose("In the team's channel meanwhile: a colleague's deny of what was served is news, too.");
  for (const line of later) tell.quote(line);
  expectThat(
    later.length === 2 && later.every((line) => line.includes("denied here by mara")),
    `the gate told something else: ${later.join("\n")}`,
  );

  // --- afterwards
  tell.scene(registry, "Somebody checks out the commit of last night");
  const again = estate.another("again");
  writeFiles(again.folder, { [LOCKFILE.npm]: poisoned });
  const pinned = await again.run(["ci"]);
  tell.ran(again.shown, "npm ci", pinned, { lines: 2, only: /403/ });
  expectThat(
    pinned.code !== 0 && /cordon denies (axios@1\.14\.1|plain-crypto-js@4\.2\.1)/.test(pinned.stderr),
    `the pin was not refused: ${pinned.stderr}`,
  );
  const clean = estate.another("clean");
  const ranged = await clean.run(["install"]);
  tell.ran(clean.shown, "npm install", ranged, INSTALLED);
  expectThat(ranged.code === 0 && versionIn(clean.folder, "axios") === GOOD, `a range did not fall back to ${GOOD}`);
  tell.prose(`It has axios ${GOOD}: a range falls back, a pin of what is denied is refused.`);

  tell.scene(registry, "The report");
  const report = await typed("", `cordon respond axios-2026 --plan ${plan.id} --report -`, { lines: 14 });
  expectThat(report.code === 0, "the report says that it is not over");
  expectThat(!report.stdout.includes(SECRET), "the value of a secret is in the report");
  const bundle = await typed("", `cordon respond --verify-bundle ${plan.id}`, { lines: 1 });
  expectThat(bundle.code === 0, "the evidence does not hold");
  say("\n");
}

// --- the estate -----------------------------------------------------------------------------------------------------------------------------

type Place = {
  readonly shown: string;
  readonly folder: string;
  /** On another machine: this one's exposure does not see its files. */
  readonly remote: boolean;
  readonly client: TestClient;
  readonly install: readonly string[];
  /** A command line of a shell, with both clients and git on its path. */
  type(line: string): Promise<Ran>;
  line(args: readonly string[]): string;
  run(args: readonly string[]): Promise<Ran>;
};

/** Projects that are pointed at the gate as `cordon setup` would: by their own npm configuration. */
function openEstate({ home }: Product, gate: string, npm: TestClient, other: TestClient | undefined, env: Env) {
  function place(shown: string, client: TestClient, machine: string = home): Place {
    const folder = join(machine, shown);
    const project = shown.split("/").at(-1)!;
    mkdirSync(folder, { recursive: true });
    writeFiles(folder, {
      "package.json": { name: project, version: "1.0.0", private: true, dependencies: { axios: "^1.13.0" } },
      ".npmrc": `registry=${gate}p/${project}/npm/\n`,
    });
    return {
      shown,
      folder,
      remote: machine !== home,
      client,
      install: ["install"],
      type: (line) => runProgram("sh", ["-c", line], { cwd: folder, env: { ...env, HOME: machine } }),
      line: (args) => [client.kind, ...args].join(" "),
      run: (args) => runClient(client, args, { cwd: folder, home: machine, env: { npm_config_audit: "false", npm_config_fund: "false" } }),
    };
  }
  const places = [place("code/checkout", npm), ...(other ? [place("code/shop", other)] : []), place("ci", npm, `${home}-build`)];
  return { places, another: (name: string) => place(`code/${name}`, npm, `${home}-${name}`) };
}

/** `PATH` with both clients. */
function pathOf(npm: TestClient, other: TestClient | undefined): string {
  return [...(other?.env["PATH"]?.split(delimiter) ?? []), ...(npm.env["PATH"]?.split(delimiter) ?? [])]
    .filter((one, at, all) => all.indexOf(one) === at)
    .join(delimiter);
}

/** What was installed is committed. */
async function commit({ folder, type }: Place): Promise<void> {
  writeFiles(folder, { ".gitignore": "node_modules\n.env\n" });
  const { code, stderr } = await type("git init -q -b main && git add -A && git commit -q -m 'axios ^1.13.0'");
  expectThat(code === 0, `git: ${stderr}`);
}

/** Steps of people whose turn it is, as a run says. */
function turns(plan: Plan, { stdout }: Ran): readonly PersonStep[] {
  const ids = new Set([...stdout.matchAll(/^ {2}your turn {2}(\S+)/gm)].map(([, id]) => id));
  return plan.steps.filter((step): step is PersonStep => step.who === "you" && ids.has(step.id));
}

type PersonStep = Step & { readonly who: "you" };

/** A chat's incoming webhook. */
async function openChat() {
  const lines: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      lines.push((JSON.parse(body) as { text: string }).text);
      response.end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, lines: () => lines };
}

// --- telling --------------------------------------------------------------------------------------------------------------------------------

/** How much of an answer is shown: the first lines, of those that match where some are picked; then nobody counts the rest. */
type Keep = { readonly lines: number; readonly only?: RegExp };

/** What a client says when it is done; npm and pnpm. */
const INSTALLED: Keep = { lines: 4, only: /^added \d+|^\+ |^Done in|^cordon · / };

const WIDTH = 100;
/** Where a line of an answer is cut off. */
const LONG = 180;

function narrator(say: (text: string) => void, home: string) {
  const homed = (text: string) => text.replaceAll(`${home}/`, "~/").replaceAll(home, "~");
  return {
    scene({ clock }: Fixture, title: string): void {
      const head = `── ${iso(clock.now()).slice(0, 16).replace("T", " ")} UTC · ${title} `;
      say(`\n${head}${"─".repeat(Math.max(0, WIDTH - head.length))}\n\n`);
    },
    prose: (text: string) => say(`${wrapped(text)}\n\n`),
    quote: (text: string) => say(`  | ${homed(text)}\n`),
    file(name: string, text: string): void {
      say(`  ${name}\n${text.replaceAll(/^/gm, "    ").trimEnd()}\n\n`);
    },
    ran(folder: string, line: string, { code, stdout, stderr }: Ran, { lines: most, only }: Keep): void {
      const all = homed(`${stdout}\n${stderr}`)
        .split("\n")
        .map((one) => one.trimEnd())
        .filter((one) => one !== "" && (only === undefined || only.test(one)));
      const left = all.length - most;
      say(`  ~${folder === "" ? "" : `/${folder}`} $ ${homed(line)}\n`);
      for (const one of all.slice(0, most)) say(`    ${one.length > LONG ? `${one.slice(0, LONG)}…` : one}\n`);
      if (left > 0 && only === undefined) say(`    … ${left} more ${left === 1 ? "line" : "lines"}\n`);
      if (code !== 0) say(`    exit ${code}\n`);
      say("\n");
    },
  };
}

function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`the rehearsal went wrong: ${otherwise}`);
}
