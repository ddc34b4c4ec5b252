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

const FOUND: readonly Level[] = ["executed", "installed", "fetched", "resolved", "could-have"];

/** What each grade of theirs is with us, and why. */
const OURS: Readonly<Record<string, readonly Level[]>> = {
  // A poisoned version in a lockfile was resolved; one pinned by a manifest alone could have been installed, and nothing says whether. What
  // lies unpacked, or only a payload leaves, proves more. Words in source code prove nothing to us, nor do packages of other languages: where
  // no version of ours is named, the answer is unknown, or that nothing of npm's was asked for.
  high: [...FOUND, "unknown", "not-exposed"],
  // Code that looks like stealing is for the gate's analysis; without a lockfile it is unknown here, with one that names none it is not this.
  medium: [...FOUND, "unknown", "not-exposed"],
  // A range that allows a poisoned version could have resolved to it. A safe version of a package that was once hit is no finding at all:
  // nothing pins what it brings in, so with no lockfile the answer is unknown.
  low: ["could-have", "unknown"],
  // With a lockfile that names none, nothing was resolved. Without one nobody knows what was, and a range that allows a poisoned version is
  // said even where they let it pass.
  clean: ["not-exposed", "unknown", "could-have"],
};

test.runIf(present)("the cases are there", () => expect(known.length).toBeGreaterThan(10));

test.each(known)("$name", async ({ name, expected }) => {
  const grade = expected.high ? "high" : expected.medium ? "medium" : expected.low ? "low" : "clean";
  const level = await levelOf(name);
  expect(OURS[grade]).toContain(level);
  const folder = join(CASES, "shai-hulud-detect", name);
  // Where a poisoned version stands in what can be read it is found, and nothing is found in what they call clean.
  if (grade === "high" || grade === "medium") expect(!pins(folder) || FOUND.includes(level)).toBe(true);
  if (grade === "clean") expect(pins(folder)).toBe(false);
  // Never "clean" for want of looking: only a lockfile rules a project out, an installed tree, or a manifest that asks for nothing.
  if (level === "not-exposed") expect(LOCKS.some((lock) => existsSync(join(folder, lock))) || asksForNothing(folder)).toBe(true);
});

const LOCKS = ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "node_modules"];

/** Whether a manifest or lockfile at the top says a poisoned version in so many words. */
function pins(folder: string): boolean {
  const texts = ["package.json", ...LOCKS]
    .map((file) => join(folder, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .map((file) => ({ isLock: !file.endsWith("package.json"), text: readFileSync(file, "utf8") }));
  return packs.some((pack) =>
    pack.packages.some(({ name, versions }) =>
      versions.some(({ version }) =>
        texts.some(({ isLock, text }) => text.includes(`"${name}": "${version}"`) || (isLock && text.includes(`${name}@${version}`))),
      ),
    ),
  );
}

function asksForNothing(folder: string): boolean {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return false;
  const fields = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, object | undefined>>;
  return ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"].every(
    (one) => Object.keys(fields[one] ?? {}).length === 0,
  );
}
