/**
 * The whole estate: what stands in files, what git remembers, and what the real clients leave behind. Each of them installs the hijacked
 * package from the fixture registry, once by its name and once as an alias beside another package that is called axios there. One command
 * over everything gives exactly the planted answers.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openEstate, planted, type Row } from "../kit/estate/estate.ts";
import { HISTORY_ROWS } from "../kit/estate/history.ts";
import { lockfileRows } from "../kit/estate/lockfiles.ts";
import { placeRows } from "../kit/estate/places.ts";
import { writeFiles } from "../kit/temp.ts";
import { availableClients, missingClients, pointedAt, runClient, type TestClient } from "./clients.ts";
import { all } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

type Site = { readonly dependencies: object; readonly files?: Readonly<Record<string, unknown>>; readonly args?: readonly string[] };

const NAMED: Site = { dependencies: { axios: "1.14.1" } };
const ALIASED: Site = { dependencies: { http: "npm:axios@1.14.1", axios: "npm:follow-redirects@1.15.11" } };

async function install(
  client: TestClient,
  registry: string,
  folder: string,
  site: string,
  { dependencies, files, args = [] }: Site,
): Promise<void> {
  const [cwd, home] = [join(folder, site), join(folder, "home")];
  mkdirSync(home, { recursive: true });
  writeFiles(cwd, {
    "package.json": { name: site, version: "1.0.0", private: true, dependencies },
    ...(client.kind === "yarn-berry" && { ".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "" }),
    ...(client.kind === "deno" && { "deno.json": { nodeModulesDir: "auto" } }),
    ...files,
  });
  const ran = await runClient(client, ["install", ...args], { cwd, home, env: pointedAt(client.kind, registry) });
  expect(ran.code, all(ran)).toBe(0);
}

/** What is particular to one client: older formats, other layouts. */
const OTHER: Readonly<Record<string, Site>> = {
  "npm-10": { ...NAMED, args: ["--lockfile-version=1"] },
  "npm-11": { ...NAMED, args: ["--lockfile-version=2", "--install-strategy=linked"] },
  "pnpm-10": { ...NAMED, args: ["--config.node-linker=hoisted"] },
  "yarn-4": { ...NAMED, files: { ".yarnrc.yml": "nodeLinker: pnp\nenableGlobalCache: false\n" } },
  "bun-1": { ...NAMED, files: { "bunfig.toml": "[install]\nsaveTextLockfile = false\n" } },
};

// --- what that leaves ---------------------------------------------------------------------------------------------------------------------

const PACKAGES = [
  ["axios", "1.14.1"],
  ["plain-crypto-js", "4.2.1"],
] as const;
type Where = (name: string, version: string) => string;

const FLAT: Where = (name) => `node_modules/${name}`;
const isolated =
  (store: string): Where =>
  (name, version) =>
    `node_modules/${store}/${name}@${version}/node_modules/${name}`;

/** A lockfile that names the two on these lines, and a tree that has them; `alias`: what axios is called there. */
function site(lockfile: string, lines: readonly (number | undefined)[], where: Where, alias?: string): readonly string[] {
  return [
    "installed",
    ...PACKAGES.flatMap(([name, version], i) => {
      const line = lines[i] === undefined ? "" : `:${lines[i]}`;
      const renamed = alias !== undefined && name === "axios";
      const note = renamed ? ` (installed as ${alias})` : "";
      // Where folders are named by what they hold, an alias is only a link, and only the depending side's lockfile has it.
      const shared = where !== FLAT;
      return [
        `installed: ${name}@${version}: it lies in node_modules${shared ? "" : note}, ${where(renamed && !shared ? alias : name, version)}`,
        `resolved: ${name}@${version}: the lockfile names it${shared && lockfile !== "yarn.lock" ? "" : note}, ${lockfile}${line}`,
      ];
    }),
  ];
}

/** Both in a cache or store. */
const kept = (says: string, where: Where, now = ", now"): readonly string[] => [
  "fetched",
  ...PACKAGES.map(([name, version]) => `fetched: ${name}@${version}: ${says}, ${where(name, version)}${now}`),
];
const IN_STORE = "a client's store holds it";

const NPM_HOME = {
  "home/.npm/_cacache": kept("a client's cache holds it", () => "index-v5/<entry>"),
  "home/.npm/_logs": [
    "fetched",
    ...PACKAGES.flatMap(([name, version]) => [
      `fetched: ${name}@${version}: a log says it was fetched, <log>, now`,
      `resolved: ${name}@${version}: a log says it was chosen, <log>, now`,
    ]),
  ],
};
const PNPM_SITES = {
  named: site("pnpm-lock.yaml", [17, 26], isolated(".pnpm")),
  aliased: site("pnpm-lock.yaml", [20, 29], isolated(".pnpm"), "http"),
};
const NPM_SITES = { named: site("package-lock.json", [14, 38], FLAT), aliased: site("package-lock.json", [34, 47], FLAT, "http") };
const PNPM_DATABASE = { "home/.pnpm-store/v11": kept(IN_STORE, () => "index.db", "") };

const LEFT: Readonly<Record<string, Row["says"]>> = {
  "npm-10": { ...NPM_HOME, ...NPM_SITES, other: site("package-lock.json", [7, 28], FLAT) },
  "npm-11": {
    ...NPM_HOME,
    ...NPM_SITES,
    other: site("package-lock.json", [14, 38], (name, version) => `node_modules/.store/${name}@${version}-<hash>/node_modules/${name}`),
  },
  "npm-12": { ...NPM_HOME, ...NPM_SITES },
  "pnpm-9": { "home/.pnpm-store/v3": kept(IN_STORE, () => "files/<digest>-index.json"), ...PNPM_SITES },
  "pnpm-10": {
    "home/.pnpm-store/v10": kept(IN_STORE, (name, version) => `index/<digest>-${name}@${version}.json`),
    ...PNPM_SITES,
    other: site("pnpm-lock.yaml", [17, 26], FLAT),
  },
  "pnpm-11": { ...PNPM_DATABASE, ...PNPM_SITES },
  "pnpm-12": { ...PNPM_DATABASE, ...PNPM_SITES },
  "yarn-1": {
    "home/.yarn-cache/v6": [
      ...kept(IN_STORE, (name, version) => `npm-${name}-${version}-<digest>-integrity`),
      // It keeps an alias apart, under the alias's name: only the digest tells.
      `fetched: http@1.14.1: ${IN_STORE}, the bytes of axios@1.14.1 under another name, npm-http-1.14.1-<digest>-integrity, now`,
    ],
    named: site("yarn.lock", [5, 25], FLAT),
    aliased: site("yarn.lock", [20, 30], FLAT, "http"),
  },
  "yarn-4": {
    "home/.yarn/berry/cache": kept(IN_STORE, (name, version) => `${name}-npm-${version}-<hash>.zip`),
    "other/.yarn/cache": kept(IN_STORE, (name, version) => `${name}-npm-${version}-<hash>.zip`),
    named: site("yarn.lock", [8, 42], FLAT),
    aliased: site("yarn.lock", [31, 43], FLAT, "http"),
    other: site("yarn.lock", [8, 42], (name, version) => `.yarn/cache/${name}-npm-${version}-<hash>.zip/node_modules/${name}`),
  },
  "bun-1": {
    "home/.bun/install/cache": kept(IN_STORE, (name, version) => `${name}@${version}@@<registry>`),
    named: site("bun.lock", [13, 19], FLAT),
    aliased: site("bun.lock", [20, 22], FLAT, "http"),
    other: site("bun.lockb", [], FLAT),
  },
  "deno-2": {
    "home/.deno/npm": kept(IN_STORE, (name, version) => `<registry>/${name}/${version}`),
    named: site("deno.lock", [7, 25], isolated(".deno")),
    aliased: site("deno.lock", [8, 26], isolated(".deno"), "http"),
  },
};

/** Without what a port, a moment or a digest makes different each time; what then says the same is one line. */
function steady(answer: string): string {
  const plain = answer
    .replaceAll(/index-v5\/[0-9a-f/]+/g, "index-v5/<entry>")
    .replaceAll(/\S+-debug-0\.log:\d+/g, "<log>")
    .replaceAll(/(index|files)\/[0-9a-f]{2}\/[0-9a-f]{62,126}-/g, "$1/<digest>-")
    .replaceAll(/-[0-9a-f]{40}-integrity/g, "-<digest>-integrity")
    .replaceAll(/(-npm-[\d.]+)-[0-9a-f]{10}-[0-9a-z]+\.zip/g, "$1-<hash>.zip")
    .replaceAll(/(\.store\/[a-z-]+@[\d.]+)-[\w-]{22}/g, "$1-<hash>")
    .replaceAll(/@@127\.0\.0\.1__[0-9a-f]{16}@@@1/g, "@@<registry>")
    .replaceAll(/, \d{4,5}\//g, ", <registry>/");
  const [place, ...lines] = plain.split("\n");
  return [place, ...[...new Set(lines)].toSorted()].join("\n");
}

/** The same for a person, of some places. */
const TOLD = `axios-drill · axios 0.30.4, 1.14.1, plain-crypto-js 4.2.1 · live 30 Mar 2026 23:59 – 31 Mar 2026 03:29 UTC, in caches until purged

  EXECUTED     ci-zip
               plain-crypto-js@4.2.1: its install script was run, logs_4711.zip!build/3_Install.txt:4, 31 Mar 2026 01:40:13 UTC (+1)
  EXECUTED     executed
               lockfile says plain-crypto-js 4.2.1, folder says 4.2.0: it ran and covered its tracks, node_modules/plain-crypto-js (+5)
  RESOLVED     alias-hit
               axios@1.14.1: the lockfile names it (installed as http), package-lock.json:5
  RESOLVED     git-reverted
               axios@1.14.1: the lockfile named it (main, from <commit> to <commit> (2026-03-31 00:52 – 2026-03-31 09:10)), package-lock.json, 31 Mar 2026 00:52:00 UTC
  COULD-HAVE   range-inside
               axios@1.14.1: "axios": "^1.13.0", with no lockfile, resolved to it in the window, by what is recorded of the registry, package.json
               missing: package.json has no lockfile: what its dependencies (1) resolved to is not recorded

  unknown      git-shallow
               shallow clone: nothing before 2026-03-31 to look at
  not exposed  1 place              --all gives each one's reason

2 places need isolating now.   cordon respond axios-drill
`;

test("every place gets its planted answer, and nothing else is said", { timeout: 180_000 }, async () => {
  const { registry, root, build, ask } = await openEstate();
  const clients = availableClients();
  const rows = build((bytes) => [
    ...lockfileRows(bytes),
    ...HISTORY_ROWS,
    ...placeRows(bytes),
    ...clients.map(({ id }) => ({ at: `clients/${id}`, how: "what it leaves itself", says: LEFT[id]! })),
  ]);
  await Promise.all(
    clients.map(async (client) => {
      const sites = { named: NAMED, aliased: ALIASED, ...(OTHER[client.id] && { other: OTHER[client.id]! }) };
      for (const [name, what] of Object.entries(sites)) await install(client, registry.url, join(root, "clients", client.id), name, what);
    }),
  );

  const { answers, code, text } = await ask();
  const compared = (all: readonly string[]): readonly string[] =>
    all.map((answer) => (answer.startsWith("clients/") ? steady(answer) : answer)).toSorted();
  expect(compared(answers)).toEqual(compared(planted(rows)));
  expect(code).toBe(1);
  expect(existsSync(join(root, "git-partial/trap-was-sprung.tgz"))).toBe(false);

  const some = ["executed", "ci-zip", "git-reverted", "alias-hit", "range-inside", "git-shallow", "decoy-workspace"];
  expect(await text(...some.map((place) => `estate/${place}`))).toBe(TOLD);
});
