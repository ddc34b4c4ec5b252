/** Publish tokens during a response: listed and revoked at the fixture registry's own account, by a person at a terminal. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Fault as FixtureFault } from "../kit/fixture/faults.ts";
import type { AccountText } from "../kit/fixture/tokens.ts";
import { type Product, product, type Ran } from "../kit/app.ts";
import { type Fixture, startFixture } from "../kit/fixture.ts";
import { tempFolder, writeFiles } from "../kit/temp.ts";

const ACCOUNT = JSON.parse(readFileSync(new URL("../registry/account/tokens.json", import.meta.url), "utf8")) as AccountText;
const [LOGIN, LAPTOP, CI] = ACCOUNT.tokens as readonly [Token, Token, Token];
type Token = AccountText["tokens"][number];

const LOCK = {
  name: "site",
  version: "1.0.0",
  lockfileVersion: 3,
  packages: {
    "": { name: "site", version: "1.0.0", dependencies: { axios: "^1.13.0" } },
    "node_modules/axios": { version: "1.14.1", resolved: "https://registry.test/axios/-/axios-1.14.1.tgz" },
  },
};

type Place = {
  readonly fixture: Fixture;
  readonly made: Product;
  respond(args: readonly string[], ...answers: readonly string[]): Promise<Ran>;
};

async function place(login: Token | undefined = LOGIN): Promise<Place> {
  const fixture = await startFixture({ packages: ["axios", "account"], at: "2026-04-01T09:00:00Z" });
  onTestFinished(() => fixture.stop());
  const cwd = tempFolder({
    "package.json": '{"name":"site"}',
    "package-lock.json": LOCK,
    "node_modules/axios/package.json": '{"name":"axios","version":"1.14.1"}',
  });
  const made = await product({ fixture, cwd });
  onTestFinished(() => made.stop());
  if (login) writeFiles(made.home, { ".npmrc": `${fixture.url.replace("http:", "")}:_authToken=${login.token}\n` });
  return {
    fixture,
    made,
    respond: (args, ...answers) => made.cordon(["respond", ...args], { cwd, ...(answers.length > 0 && { terminal: true, answers }) }),
  };
}

/** Nothing that was said or kept holds a token. */
function expectNoToken(here: Place, ...said: readonly Ran[]): void {
  const entries = existsSync(here.made.data) ? readdirSync(here.made.data, { recursive: true, withFileTypes: true }) : [];
  const files = entries.filter((entry) => entry.isFile());
  const kept = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  for (const { token } of ACCOUNT.tokens)
    for (const text of [...kept, ...said.flatMap(({ stdout, stderr }) => [stdout, stderr])]) expect(text).not.toContain(token);
}

test("every page is listed; tokens are told apart by their marks, and one's own is named", async () => {
  const here = await place();
  const listed = await here.respond(["--tokens"]);
  expect(listed.stdout.replace(here.fixture.url, "{URL}")).toBe(`4 tokens of your account at {URL}
  0a11ce00-000   npm_cLea…0000   login of 2026-04-01   publishes                           made 2026-04-01   used 2026-04-01   your own login
  1b22df11-000   npm_oLdL…1111   laptop                publishes                           made 2025-11-20   used 2026-03-31
  2c33e022-000   npm_ciPu…2222   ci                    publishes without a second factor   made 2025-12-01                     ends 2026-06-01
  3d44f133-000   npm_read…3333                         reads                               made 2026-01-05

revoke one: cordon respond --revoke 1b22df11-000
`);
  const json = await here.respond(["--tokens", "--json"]);
  const { schema, tokens } = JSON.parse(json.stdout) as { schema: string; tokens: { key: string; mark: string; own: boolean }[] };
  expect([schema, tokens.map(({ key }) => key), tokens.filter(({ own }) => own).length]).toEqual([
    "cordon.respond-tokens/1",
    ACCOUNT.tokens.map(({ key }) => key),
    1,
  ]);
  expectNoToken(here, listed, json);
});

test("a token dies after a typed word and a one-time password, and only that one", async () => {
  const here = await place();
  const wrong = await here.respond(["--revoke", "1b22"], "yes");
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("nothing was done") });
  expect(here.fixture.tokens()).toHaveLength(4);
  const never = await here.respond(["--revoke", "1b22"], "1b22df11-000", "000000", "111111", "222222");
  expect(never).toMatchObject({ code: 2, stderr: expect.stringContaining("the registry wants a one-time password") });
  expect(here.fixture.tokens()).toHaveLength(4);
  const done = await here.respond(["--revoke", "1b22"], "1b22df11-000", "000000", "123456");
  expect(done, done.stderr).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("revoked npm_oLdL…1111: the registry lists it no more"),
  });
  expect(done.stderr).toContain("no response has begun here");
  expect(done.stderr).toContain("security key");
  expect(here.fixture.tokens()).not.toContain(LAPTOP.key);
  expect(here.fixture.tokens()).toHaveLength(3);
  expectNoToken(here, wrong, never, done);
});

test("what cannot be meant is refused: two at once, none, too little of an id, one's own login, a script, CI", async () => {
  const here = await place();
  const said = async (wanted: string): Promise<string> => (await here.respond(["--revoke", wanted], wanted)).stderr;
  expect(await said("ffff")).toContain("no token has an id that begins with ffff");
  expect(await said("1b2")).toContain("give at least four characters");
  expect(await said("0a11")).toContain("this is the token of your own login");
  expect((await here.respond(["--revoke", "1b22"])).stderr).toContain("by a person at a terminal");
  const ci = await here.made.cordon(["respond", "--revoke", "1b22"], { env: { CI: "true" }, terminal: true, answers: ["1b22df11-000"] });
  expect(ci).toMatchObject({ code: 2, stderr: expect.stringContaining("not in CI") });
  expect((await here.respond(["--tokens", "--offline"])).code).toBe(3);
  expect(here.fixture.tokens()).toHaveLength(4);
});

test("within a response nothing is revoked before what persists is gone; then it stands in the journal", async () => {
  const here = await place();
  const dry = await here.respond(["axios-2026", ".", "--no-machine", "--json"]);
  const { plan } = JSON.parse(dry.stdout) as { plan: { id: string; steps: { id: string; phase: string }[] } };
  await here.respond(["axios-2026", ".", "--no-machine", "--execute", plan.id], "axios-2026");
  const early = await here.respond(["axios-2026", "--revoke", "1b22"], "1b22df11-000", "123456");
  expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining("rotate-1: it waits for isolate-1") });
  expect(here.fixture.tokens()).toHaveLength(4);
  for (const { id, phase } of plan.steps) {
    if (phase === "isolate" || phase === "persistence")
      expect(await here.respond(["axios-2026", "--confirm", id], id)).toMatchObject({ code: 0 });
    if (phase === "preserve") await here.respond(["axios-2026", "--execute", plan.id], "axios-2026");
  }
  const revoked = await here.respond(["axios-2026", "--revoke", "1b22"], "1b22df11-000", "123456");
  expect(revoked, revoked.stderr).toMatchObject({ code: 0 });
  const report = await here.respond(["axios-2026", "--report", "-"]);
  expect(report.stdout).toContain("rotate-1 noted: revoked npm\\_oLdL…1111 (1b22df11-000, made 2025-11-20T10:00:00.000Z) | mara");
  expectNoToken(here, early, revoked, report);
});

test("a login that is none, or works without a second factor, is told what to do", async () => {
  const nobody = await place({ ...LOGIN, token: "npm_unknown" });
  expect(await nobody.respond(["--tokens"])).toMatchObject({ code: 3, stderr: expect.stringContaining("npm login, on a clean machine") });
  const bot = await place(CI);
  const refused = await bot.respond(["--revoke", "1b22"], "1b22df11-000");
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("does not let this login revoke tokens") });
  expect(bot.fixture.tokens()).toHaveLength(4);
});

test("the login goes to its own registry alone: no redirect, no foreign page, no odd id is followed", async () => {
  const here = await place();
  const foreign = await startFixture({ packages: "account", at: "2026-04-01T09:00:00Z" });
  onTestFinished(() => foreign.stop());
  const told = async (fault: FixtureFault): Promise<string> => {
    here.fixture.faults.add({ route: "tokens" }, fault);
    const ran = await here.respond(["--tokens"]);
    here.fixture.faults.clear();
    expect(ran.code, ran.stdout).toBe(3);
    return ran.stderr;
  };
  expect(await told({ redirect: foreign.url })).toContain("leads elsewhere with its tokens");
  const edited = (change: (answer: Listing) => void): FixtureFault => ({ edit: (answer) => change(answer as unknown as Listing) });
  expect(await told(edited((answer) => (answer.urls.next = `${foreign.url}-/npm/v1/tokens`)))).toContain("that is not its own");
  expect(await told(edited((answer) => (answer.objects[0]!.key = "../../axios")))).toContain("lists no tokens");
  expect(await told({ html: true })).toContain("name the registry itself with --upstream");
  expect(foreign.log.entries).toEqual([]);
});

test("a registry that lists whole tokens does not make cordon show them", async () => {
  const here = await place();
  here.fixture.faults.add(
    { route: "tokens" },
    { edit: (answer) => void ((answer as unknown as Listing).objects[0]!.token = LAPTOP.token) },
  );
  const listed = await here.respond(["--tokens"]);
  expect(listed.stdout).toContain("npm_oLdL…");
  expectNoToken(here, listed, await here.respond(["--tokens", "--json"]));
});

type Listing = { objects: { key: string; token: string }[]; urls: { next?: string } };
