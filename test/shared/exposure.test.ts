/**
 * Agreement with the cases of another scanner (Cobenian/shai-hulud-detect). Its grades are its own policy: it calls a lockfile's hit MEDIUM
 * and a manifest's exact pin HIGH, and a manifest without a lockfile clean. Ours differ on purpose, and each difference is argued here.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expose } from "../../src/app/expose.ts";
import type { Level } from "../../src/core/exposure/sighting.ts";
import { readPack } from "../../src/core/incident/pack.ts";
import { readEvidence } from "../../src/edge/evidence/read.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CASES = join(ROOT, "..", "shared", "data", "linter-cases");
const packs = readdirSync(join(ROOT, "packs"))
  .filter((file) => file.endsWith(".json"))
  .flatMap((file) => {
    const read = readPack(readFileSync(join(ROOT, "packs", file), "utf8"));
    return "pack" in read ? [read.pack] : [];
  });

type Case = {
  readonly name: string;
  readonly expected: { readonly exit: number; readonly high: boolean; readonly medium: boolean; readonly low: boolean };
};
const present = existsSync(join(CASES, "shai-hulud-detect.json"));
if (!present) console.error(`NOT RUN: no cases at ${CASES}; nothing is shown about another scanner`);
const { cases } = (present ? JSON.parse(readFileSync(join(CASES, "shai-hulud-detect.json"), "utf8")) : { cases: [] }) as {
  readonly cases: readonly Case[];
};
const known = cases.filter(({ name }) => existsSync(join(CASES, "shai-hulud-detect", name)));

async function levelOf(name: string): Promise<Level> {
  const exposure = await expose(
    {
      readEvidence: (request) =>
        readEvidence(request, { surroundings: { env: {}, home: "/nonexistent", temporary: "/nonexistent", platform: "linux" }, cwd: ROOT }),
      readLedger: async () => undefined,
      recorded: async () => new Map(),
    },
    { packs, paths: [join(CASES, "shai-hulud-detect", name)], machine: false, onExecuted: () => undefined, tell: () => undefined },
  );
  return exposure.overall;
}

/** What each grade of theirs is with us, and why. */
const OURS: Readonly<Record<string, readonly Level[]>> = {
  // A poisoned version in a lockfile was resolved; one pinned by a manifest alone could have been installed, and nothing says whether. What
  // lies unpacked, or only a payload leaves, proves more. Words in source code prove nothing to us, nor do packages of other languages: then
  // the answer is unknown, never that nothing was.
  high: ["executed", "installed", "fetched", "resolved", "could-have", "unknown"],
  // Code that looks like stealing is for the gate's analysis; without a lockfile it is unknown here, with one that names none it is not this.
  medium: ["installed", "resolved", "could-have", "unknown"],
  // A range that allows a poisoned version could have resolved to it. A safe version of a package that was once hit is no finding at all:
  // nothing pins what it brings in, so with no lockfile the answer is unknown.
  low: ["could-have", "unknown"],
  // With a lockfile that names none, nothing was resolved. Without one nobody knows what was.
  clean: ["not-exposed", "unknown"],
};

test.runIf(present)("the cases are there", () => expect(known.length).toBeGreaterThan(10));

test.each(known)("$name", async ({ name, expected }) => {
  const grade = expected.high ? "high" : expected.medium ? "medium" : expected.low ? "low" : "clean";
  const level = await levelOf(name);
  expect(OURS[grade]).toContain(level);
  const folder = join(CASES, "shai-hulud-detect", name);
  // Where a version of ours stands in what can be read it is found: "unknown" is for cases without one.
  if (expected.high && names(folder)) expect(level).not.toBe("unknown");
  // Never "clean" for want of looking: only a lockfile rules a project out, an installed tree, or a manifest that asks for nothing.
  if (level === "not-exposed") expect(LOCKS.some((lock) => existsSync(join(folder, lock))) || asksForNothing(folder)).toBe(true);
});

const LOCKS = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "node_modules"];

/** Whether a manifest or lockfile at the top has a poisoned version as text: name and version near each other. */
function names(folder: string): boolean {
  const texts = ["package.json", ...LOCKS]
    .map((file) => join(folder, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  const all = texts.map((file) => readFileSync(file, "utf8")).join("\n");
  return packs.some((pack) =>
    pack.packages.some(({ name, versions }) => versions.some(({ version }) => all.includes(`"${name}": "${version}"`))),
  );
}

function asksForNothing(folder: string): boolean {
  const file = join(folder, "package.json");
  return existsSync(file) && !/"(?:dev|peer|optional)?dependencies"/i.test(readFileSync(file, "utf8"));
}
