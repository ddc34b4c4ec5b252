/**
 * Thousands of random edits of real lockfiles: each is reported, or changes nothing that an independent reader sees. The collection is not
 * part of this repository: without it this says so and passes nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { edited, newlySaid, numbersFrom, original, readByOthers } from "../kit/lockfile-edits.ts";

const SHARED = fileURLToPath(new URL("../../../shared/samples/lockfiles/", import.meta.url));
const present = existsSync(`${SHARED}MANIFEST.json`);
if (!present) console.error(`NOT RUN: no lockfiles at ${SHARED}; nothing is shown about real ones`);

/** Edits of each file; larger files take longer for each. */
const FILES: readonly (readonly [file: string, name: string, edits: number])[] = [
  ["package-lock/v2-two-bundled-deps.json", "package-lock.json", 300],
  ["package-lock/v3-lavamoat-git-deps.json", "package-lock.json", 300],
  ["package-lock/v3-npm-cli-bundled-workspaces.json", "package-lock.json", 100],
  ["package-lock/v1-npm-cli-2020.json", "package-lock.json", 150],
  ["npm-shrinkwrap/v3-aikido-safe-chain.json", "npm-shrinkwrap.json", 400],
  ["hidden/workspaces.package-lock.json", ".package-lock.json", 100],
  ["pnpm-lock/v9-time-block.yaml", "pnpm-lock.yaml", 300],
  ["pnpm-lock/v9-git-tarball-patched-nointegrity.yaml", "pnpm-lock.yaml", 100],
  ["pnpm-lock/v9-mermaid-2026-patched.yaml", "pnpm-lock.yaml", 100],
  ["pnpm-lock/v6.0-pnpm-2024.yaml", "pnpm-lock.yaml", 100],
  ["yarn-classic/no-integrity-only-sha1-fragment.lock", "yarn.lock", 300],
  ["yarn-classic/pkg-tests-partial-integrity.lock", "yarn.lock", 300],
  ["yarn-berry/v9-home-assistant-2026.lock", "yarn.lock", 200],
  ["yarn-berry/v4-jest-2021.lock", "yarn.lock", 100],
  ["bun/v1-kysely-git.lock", "bun.lock", 300],
  ["bun/v1-elysia.lock", "bun.lock", 200],
  ["deno/v5-kysely.lock", "deno.lock", 200],
  ["deno/v4-fresh-2024.lock", "deno.lock", 100],
];

describe.runIf(present)("every edit is reported, or changes nothing", () => {
  test.each(FILES)("%s", async (file, name, edits) => {
    const was = original(name, readFileSync(`${SHARED}${file}`, "utf8"));
    const before = await readByOthers(was.tree.kind, was.text, name);
    const next = numbersFrom(20_260_401);
    const silent: string[] = [];
    let reported = 0;
    let made = 0;
    while (made < edits) {
      const edit = edited(was.text, was.tree, next);
      if (edit === undefined) continue;
      made++;
      if (newlySaid(was, edit.text).length > 0) {
        reported++;
        continue;
      }
      const after = await readByOthers(was.tree.kind, edit.text, name);
      if (after.join("\n") === before.join("\n")) continue;
      silent.push(`${edit.kind}: ${differing(before, after)}`);
    }
    expect(silent).toEqual([]);
    expect(reported).toBeGreaterThan(edits / 4);
  });
});

function differing(before: readonly string[], after: readonly string[]): string {
  const [gone, come] = [before.filter((line) => !after.includes(line)), after.filter((line) => !before.includes(line))];
  return `- ${(gone[0] ?? "").slice(0, 300)}\n    + ${(come[0] ?? "").slice(0, 300)}`;
}
