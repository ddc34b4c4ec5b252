import { expect, test } from "vitest";
import { diffTrees } from "../lockfile/diff.ts";
import { readLockfile } from "../lockfile/read.ts";
import { changeOf, type CheckedChange, type VersionDetails } from "./change.ts";

type Entry = Readonly<Record<string, unknown>>;

const tree = (packages: Readonly<Record<string, Entry>>) =>
  readLockfile(
    "package-lock.json",
    JSON.stringify(
      {
        lockfileVersion: 3,
        packages: { "": {}, ...Object.fromEntries(Object.entries(packages).map(([path, entry]) => [`node_modules/${path}`, entry])) },
      },
      undefined,
      1,
    ),
  );

function change(
  before: Parameters<typeof tree>[0],
  after: Parameters<typeof tree>[0],
  details: Readonly<Record<string, VersionDetails>> = {},
): CheckedChange {
  return changeOf(diffTrees(tree(before), tree(after)), new Map(Object.entries(details)), {
    path: "package-lock.json",
    since: "origin/main",
  });
}

test("what comes, what moves, what goes; each new version with its line and what is known of it", () => {
  const known: VersionDetails = { ageMs: 1_000, action: "hold", until: "2026-11-24T09:10:00.000Z" };
  const found = change(
    { same: { version: "1.0.0" }, up: { version: "5.5.4" }, down: { version: "2.0.0" }, gone: { version: "1.0.0" } },
    { same: { version: "1.0.0" }, up: { version: "5.6.0" }, down: { version: "1.9.9" }, come: { version: "0.0.3", dev: true } },
    { "up@5.6.0": known },
  );
  expect(found.moved.map(({ name, from, to, direction }) => [name, from, to.map(({ version }) => version), direction])).toEqual([
    ["up", ["5.5.4"], ["5.6.0"], "up"],
    ["down", ["2.0.0"], ["1.9.9"], "down"],
  ]);
  expect(found.moved[0]!.to[0]).toMatchObject({ line: 8, source: "registry", dev: false, details: known });
  expect(found.added).toEqual([
    { name: "come", version: "0.0.3", line: 14, source: "registry", dev: true, details: { notChecked: "nobody looked" } },
  ]);
  expect(found.removed).toEqual([{ name: "gone", version: "1.0.0" }]);
  expect(found.summary).toEqual({ fresh: 3, withheld: 1, known: 0, notChecked: 2 });
  expect(found.unchanged).toBe(1);
});

test("the same version from elsewhere says from where to where, without what may be a password", () => {
  const found = change(
    { a: { version: "1.0.0", resolved: "https://r.test/a/-/a-1.0.0.tgz" } },
    { a: { version: "1.0.0", resolved: "https://mara:hunter2@cdn.test/a/-/a-1.0.0.tgz" } },
  );
  expect(found.changed).toEqual([
    {
      name: "a",
      version: "1.0.0",
      line: 5,
      source: { from: "https://r.test/a/-/a-1.0.0.tgz", to: "https://[secret]@cdn.test/a/-/a-1.0.0.tgz" },
    },
  ]);
});

test("a version nobody can order has no direction", () => {
  expect(change({ a: { version: "1.0.0" } }, { a: { version: "https://cdn.test/a.tgz" } }).moved[0]?.direction ?? "same").toBe("same");
});
