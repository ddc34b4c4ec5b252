/**
 * An estate: places with something planted in each, and the answer `cordon exposure` owes for every one of them. A row is a place, how it was
 * hit (or why it was not), and its answers to the word; together they are everything that may be said of the whole estate.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type IncidentPack, PACK_SCHEMA } from "../../../src/core/incident/pack.ts";
import { type Product, product, type Ran } from "../app.ts";
import { type Fixture, startFixture } from "../fixture.ts";
import { grow, tree, type Tree } from "../tree.ts";

export type Row = {
  /** Folder of the estate. */
  readonly at: string;
  /** How it was hit, or why not. */
  readonly how: string;
  readonly files?: Tree;
  /** What files alone cannot say: a repository, permissions. */
  readonly make?: (folder: string) => void;
  /** By place below the folder, "" for itself: the rung, then each piece of evidence, what is missing, the reasons. */
  readonly says: Readonly<Record<string, readonly string[]>>;
};

/** The poisoned bytes, as the registry of the test serves them. */
export type Bytes = {
  /** SRI of `axios@1.14.1`, of its sha1, and of `plain-crypto-js@4.2.1`. */
  readonly axios: string;
  readonly axiosSha1: string;
  readonly payload: string;
};

/** axios 2026 with the digests of the fixture's harmless tarballs. */
function drillPack({ axios, axiosSha1, payload }: Bytes): IncidentPack {
  const removed = "2026-03-31T03:15:00Z";
  return {
    schema: PACK_SCHEMA,
    id: "axios-drill",
    revision: 1,
    title: "axios 1.14.1 and 0.30.4 bring in plain-crypto-js 4.2.1",
    summary: "The incident of March 2026, with the bytes of the fixture registry.",
    aliases: [],
    coverage: { kind: "complete" },
    packages: [
      {
        name: "axios",
        role: "carrier",
        versions: [
          { version: "0.30.4", published: "2026-03-31T01:00:00Z", removed },
          { version: "1.14.1", integrity: [axios, axiosSha1], published: "2026-03-31T00:21:00Z", removed },
        ],
      },
      {
        name: "plain-crypto-js",
        role: "payload",
        versions: [{ version: "4.2.1", integrity: [payload], published: "2026-03-30T23:59:12Z", removed: "2026-03-31T03:29:00Z" }],
      },
    ],
    decoys: [{ name: "plain-crypto-js", version: "4.2.0", note: "which the payload leaves behind" }],
    window: { from: "2026-03-30T23:59:12Z", until: "2026-03-31T03:29:00Z", precision: "minute" },
    execution: "install",
    tells: [{ kind: "folder-differs", name: "plain-crypto-js", locked: "4.2.1", folder: "4.2.0", says: "it ran and covered its tracks" }],
    indicators: { files: [{ path: "ld.py", means: "executed", generic: true }] },
    sources: [{ title: "a drill", url: "https://drill.test/axios" }],
  };
}

export type Estate = {
  readonly registry: Fixture;
  readonly product: Product;
  /** Real path of the folder that the rows are built in. */
  readonly root: string;
  /** Builds rows and gives them back. */
  build(rows: (bytes: Bytes) => readonly Row[]): readonly Row[];
  /** One `cordon exposure` over everything: its answers in the form of `planted`, its exit status, and what a person is told. */
  ask(): Promise<{
    readonly answers: readonly string[];
    readonly code: number;
    readonly text: (...args: readonly string[]) => Promise<string>;
  }>;
};

/** Before the hijack, between the two releases, and after both: what the registry answered then is on the product's record. */
const RECORDED = ["2026-03-31T00:20:00Z", "2026-03-31T00:43:00Z", "2026-03-31T01:05:00Z"];

/** An empty estate, with a registry and a product that was asked for axios at each of these moments. */
export async function openEstate(packages: readonly string[] = ["axios"]): Promise<Estate> {
  const started = Date.now();
  const registry = await startFixture({ packages, at: RECORDED[0]! });
  onTestFinished(() => registry.stop());
  const folder = tree();
  const made = await product({ fixture: registry, cwd: folder });
  onTestFinished(made.stop);
  const { url } = await made.gate();
  for (const moment of RECORDED) {
    registry.clock.set(moment);
    await (await fetch(`${url}axios`)).arrayBuffer();
  }
  const bytes = await bytesOf(registry.url);
  const root = join(folder, "estate");
  grow(folder, { "pack.json": drillPack(bytes), "estate/.keep": "" });
  await made.cordon(["incident", "import", "pack.json"]);
  return {
    registry,
    product: made,
    root,
    build(rows) {
      const all = rows(bytes);
      for (const { at, files = {}, make } of all) {
        mkdirSync(join(root, at), { recursive: true });
        grow(join(root, at), files);
        make?.(join(root, at));
      }
      return all;
    },
    async ask() {
      const ask = (...args: readonly string[]): Promise<Ran> => made.cordon(["exposure", "axios-drill", ...args, "--no-machine"]);
      const { code, stdout, stderr } = await ask("estate", "--json");
      if (!stdout.includes('"cordon.exposure/1"')) throw new Error(stdout + stderr);
      return {
        answers: answered(stdout, root, started),
        code,
        text: async (...args) => shortened((await ask(...args)).stdout, `${root}/`),
      };
    },
  };
}

/** The digests of what a registry serves. */
async function bytesOf(registry: string): Promise<Bytes> {
  const of = async (name: string, version: string): Promise<{ readonly integrity: string; readonly shasum: string }> => {
    const packument = (await (await fetch(registry + name)).json()) as {
      versions: Record<string, { dist: { integrity: string; shasum: string } }>;
    };
    return packument.versions[version]!.dist;
  };
  const { integrity, shasum } = await of("axios", "1.14.1");
  return {
    axios: integrity,
    axiosSha1: `sha1-${Buffer.from(shasum, "hex").toString("base64")}`,
    payload: (await of("plain-crypto-js", "4.2.1")).integrity,
  };
}

/** One line for a place, as in `says`: `resolved code/x`, then what is said of it, indented. */
export function planted(rows: readonly Row[]): readonly string[] {
  return rows
    .flatMap(({ at, says }) => Object.entries(says).map(([below, [level = "", ...lines]]) => written(join(at, below), level, lines)))
    .toSorted();
}

type Report = {
  readonly places: readonly {
    readonly place: string;
    readonly level: string;
    readonly evidence: readonly {
      readonly level: string;
      readonly text: string;
      readonly file: string;
      readonly line?: number;
      readonly at?: string;
    }[];
    readonly missing: readonly string[];
    readonly reasons: readonly string[];
  }[];
};

/** What `cordon exposure --json` said, in the same form. Commits are `<commit>`; a time after `started` is `now`, as clients write it. */
function answered(report: string, root: string, started: number): readonly string[] {
  const { places } = JSON.parse(report) as Report;
  return places
    .map(({ place, level, evidence, missing, reasons }) => {
      const lines = [
        ...evidence.map(
          (one) =>
            `${one.level}: ${one.text}, ${one.file === place ? "itself" : one.file}${one.line === undefined ? "" : `:${one.line}`}${momentOf(one.at, started)}`,
        ),
        ...missing.map((what) => `missing: ${what}`),
        ...reasons.map((what) => `because: ${what}`),
      ];
      return written(
        place === root ? "." : place.slice(root.length + 1),
        level,
        lines.map((line) => shortened(line, `${place}/`, `${root}/`)),
      );
    })
    .toSorted();
}

function shortened(text: string, ...folders: readonly string[]): string {
  const short = folders.reduce((left, folder) => left.replaceAll(folder, ""), text);
  return short.replaceAll(/\b(from|to) [0-9a-f]{7}\b/g, "$1 <commit>").replaceAll(/\([0-9a-f]{12}\)/g, "(<object>)");
}

function momentOf(at: string | undefined, started: number): string {
  if (at === undefined) return "";
  // Files are dated by the kernel's coarser clock.
  return Date.parse(at) > started - 60_000 ? ", now" : `, ${at}`;
}

function written(place: string, level: string, lines: readonly string[]): string {
  return [`${place}: ${level}`, ...lines.toSorted()].join("\n  ");
}

/** git in a folder, at a moment, as nobody in particular: the same calls give the same commits everywhere. */
export function git(folder: string, at: string, ...args: readonly string[]): string {
  const who = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@mail.test", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@mail.test" };
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_COMMITTER_DATE: at,
    GIT_AUTHOR_DATE: at,
    ...who,
  };
  return execFileSync("git", ["-C", folder, "-c", "protocol.file.allow=always", ...args], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

/** A repository on `main` that holds what lies in the folder. */
export function repository(folder: string, at = "2026-03-28T10:00:00Z"): void {
  git(folder, at, "init", "-q", "-b", "main");
  commit(folder, at, "one");
}

export function commit(folder: string, at: string, message: string): void {
  git(folder, at, "add", "-A");
  git(folder, at, "commit", "-qm", message);
}
