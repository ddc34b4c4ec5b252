/** What a repository may do and what it may not: every document older, longer, other, unsigned or missing is refused by name. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  DELEGATE,
  document,
  ecdsaKey,
  ed25519Key,
  HOLDERS,
  REGISTRY_ROLE,
  tufRepository,
  type TufOptions,
} from "../../../../test/kit/fixture/tuf.ts";
import { Fault } from "../../base/fault.ts";
import { instant } from "../../base/time.ts";
import { refreshTuf, type TufRefreshed, type TufSeen } from "./refresh.ts";

const NOW = instant(Date.UTC(2026, 10, 22));
const FILES = { "trusted_root.json": '{"tlogs":[]}', "registry.test/keys.json": '{"keys":[]}' };
const OVER = "2026-11-21T00:00:00Z";

type Files = ReadonlyMap<string, Buffer>;
type Ended = {
  readonly refreshed?: TufRefreshed;
  readonly why?: string;
  readonly seen: TufSeen | undefined;
  readonly asked: readonly string[];
};

/** Converses with a repository that lies in memory. */
function play(
  files: Files,
  { seen, shipped = "1.root.json", targets = Object.keys(FILES) }: Partial<{ seen: TufSeen; shipped: string; targets: string[] }> = {},
): Ended {
  const asked: string[] = [];
  let memory = seen;
  const talk = refreshTuf({ shipped: files.get(shipped)!.toString("utf8"), seen, targets, now: NOW });
  try {
    for (let step = talk.next(); ;) {
      if (step.done) return { refreshed: step.value, seen: memory, asked };
      if (step.value.want === "memory") memory = step.value.seen;
      else asked.push(step.value.path);
      step = talk.next(step.value.want === "file" ? files.get(step.value.path) : undefined);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { why: error.message, seen: memory, asked };
  }
}

const made = (options: Omit<TufOptions, "files"> = {}, files: Readonly<Record<string, string>> = FILES) =>
  tufRepository({ files, ...options });
const first = made();
const without = (files: Files, path: string) => new Map([...files].filter(([name]) => name !== path));
const changed = (files: Files, path: string, bytes: Buffer) => new Map([...files, [path, bytes]]);

test("a whole repository gives its targets, and says what to remember", () => {
  const { refreshed, seen, asked } = play(first);
  expect(refreshed).toMatchObject({ before: 1, root: 1, until: Date.UTC(2199, 0, 1) });
  expect([...refreshed!.targets].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])).toEqual(Object.entries(FILES));
  expect(seen).toMatchObject({
    timestamp: { version: 1, snapshot: 1 },
    snapshot: { version: 1, files: { "targets.json": 1, [`${REGISTRY_ROLE}.json`]: 1 } },
  });
  expect(asked.slice(0, 5)).toEqual([
    "2.root.json",
    "timestamp.json",
    "1.snapshot.json",
    "1.targets.json",
    expect.stringMatching(/^targets\/[0-9a-f]{64}\.trusted_root\.json$/),
  ]);
});

test("roots are followed one by one, also over expired ones and to other holders", () => {
  const others = [ecdsaKey("six"), ecdsaKey("seven"), ed25519Key("eight")];
  const files = made({ roots: [{}, { expires: OVER }, { holders: others, threshold: 2 }] });
  const { refreshed, seen } = play(files);
  expect(refreshed).toMatchObject({ before: 1, root: 3 });
  expect(seen?.root).toBe(files.get("3.root.json")!.toString());
  // From then on it begins there, and the first root says nothing any more.
  expect(play(files, { seen: seen! })).toMatchObject({ refreshed: { before: 3, root: 3 } });
});

test.each<[string, Files, RegExp]>([
  [
    "a root that the one before did not sign",
    made({ roots: [{}, { signers: [], holders: HOLDERS }] }),
    /2\.root\.json is signed by 0 of the 3 keys that root 1/,
  ],
  [
    "a root signed only by its own new keys",
    made({
      roots: [{}, { holders: [ecdsaKey("x"), ecdsaKey("y"), ecdsaKey("z")], signers: [ecdsaKey("x"), ecdsaKey("y"), ecdsaKey("z")] }],
    }),
    /2\.root\.json is signed by 0 of the 3 keys that root 1/,
  ],
  [
    "a root signed only by the old keys",
    made({ roots: [{}, { holders: [ecdsaKey("x"), ecdsaKey("y"), ecdsaKey("z")], signers: HOLDERS }] }),
    /2\.root\.json is signed by 0 of the 3 keys that it/,
  ],
  ["a root that skips a version", made({ roots: [{}, { version: 3 }] }), /2\.root\.json says that it is root 3/],
  ["a root that goes back", made({ roots: [{}, { version: 1 }] }), /2\.root\.json says that it is root 1/],
  ["a last root that ended", made({ roots: [{}, { expires: OVER }] }), /root 2 ended 2026-11-21/],
  ["a root with a threshold of none", made({ roots: [{}, { threshold: 0, signers: [] }] }), /2\.root\.json: roles\.root\.threshold/],
  ["too few holders", made({ targets: { signers: HOLDERS.slice(0, 2) } }), /1\.targets\.json is signed by 2 of the 3/],
  ["one holder three times", made({ targets: { signers: [HOLDERS[0]!, HOLDERS[0]!, HOLDERS[0]!] } }), /signed by 1 of the 3/],
  [
    "one key under three ids",
    made({ roots: [{ holders: HOLDERS }, { holders: ["a", "b", "c"].map((keyid) => ({ ...HOLDERS[0]!, keyid })) }] }),
    /2\.root\.json is signed by 1 of the 3 keys that (?:root 1|it)/,
  ],
  ["a timestamp of a foreign key", made({ timestamp: { signers: [DELEGATE] } }), /timestamp\.json is signed by 0 of the 1/],
  ["a timestamp that ended (somebody holds back newer ones)", made({ timestamp: { expires: OVER } }), /timestamp\.json ended/],
  ["a snapshot that ended", made({ snapshot: { expires: OVER } }), /1\.snapshot\.json ended/],
  ["targets that ended", made({ targets: { expires: OVER } }), /1\.targets\.json ended/],
  ["delegated targets that ended", made({ delegated: { expires: OVER } }), /1\.registry\.test\.json ended/],
  ["delegated targets of a foreign key", made({ delegated: { signers: HOLDERS } }), /registry\.test\.json is signed by 0 of the 1/],
  ["another specification", made({ timestamp: { more: { spec_version: "2.0" } } }), /timestamp\.json: spec_version/],
  ["one kind of document for another", made({ timestamp: { more: { _type: "snapshot" } } }), /timestamp\.json: _type/],
  ["a date that is none", made({ timestamp: { expires: "2199-13-45T00:00:00Z" } }), /timestamp\.json: expires/],
  ["no timestamp", without(first, "timestamp.json"), /no timestamp\.json/],
  ["no targets", without(first, "1.targets.json"), /no 1\.targets\.json/],
  [
    "a snapshot of another length",
    changed(first, "1.snapshot.json", Buffer.concat([first.get("1.snapshot.json")!, Buffer.from(" ")])),
    /1\.snapshot\.json has more than/,
  ],
  ["a shorter snapshot", changed(first, "1.snapshot.json", first.get("1.snapshot.json")!.subarray(1)), /bytes, not the/],
  ["a snapshot with another byte", changed(first, "1.snapshot.json", flipped(first.get("1.snapshot.json")!)), /its sha256 differs/],
  ["targets that somebody wrote into", changed(first, "1.targets.json", edited(first.get("1.targets.json")!)), /signed by 0 of the 3/],
  ["HTML", changed(first, "timestamp.json", Buffer.from("<html>")), /timestamp\.json is not JSON/],
  ["a document too deep to be signed", changed(first, "timestamp.json", deep()), /cannot be signed/],
  ["a float", changed(first, "timestamp.json", Buffer.from('{"signatures":[],"signed":{"version":1.5}}')), /cannot be signed/],
  [
    "a timestamp that is too large",
    changed(first, "timestamp.json", Buffer.alloc(16_385, 32)),
    /timestamp\.json has more than 16384 bytes/,
  ],
  ["without the target", made({}, { "registry.test/keys.json": "{}" }), /names no target trusted_root\.json/],
])("refused: %s", (_what, files, why) => {
  const { refreshed, why: said } = play(files);
  expect(refreshed).toBeUndefined();
  expect(said).toMatch(why);
});

test("a target with other bytes, or more of them, is not taken", () => {
  const path = [...first.keys()].find((name) => /targets\/[0-9a-f]{64}\.trusted_root/.test(name))!;
  expect(play(changed(first, path, flipped(first.get(path)!))).why).toMatch(/its sha256 differs/);
  expect(play(changed(first, path, Buffer.concat([first.get(path)!, Buffer.from(" ")]))).why).toMatch(/has more than 12 bytes/);
  expect(play(without(first, path)).why).toMatch(/the repository has no targets\//);
});

test.each<[string, Omit<TufOptions, "files">, Omit<TufOptions, "files">, RegExp]>([
  ["timestamp", { timestamp: { version: 5 } }, { timestamp: { version: 4 } }, /timestamp\.json is version 4, and 5 was seen before/],
  [
    "snapshot",
    { timestamp: { version: 5 }, snapshot: { version: 7 } },
    { timestamp: { version: 6 }, snapshot: { version: 6 } },
    /the snapshot that timestamp\.json names is version 6, and 7/,
  ],
  [
    "targets",
    { targets: { version: 3 } },
    { timestamp: { version: 2 }, snapshot: { version: 2 }, targets: { version: 2 } },
    /targets\.json in 2\.snapshot\.json is version 2, and 3/,
  ],
  [
    "delegated targets",
    { delegated: { version: 3 } },
    { snapshot: { version: 2 }, delegated: { version: 2 } },
    /registry\.test\.json in 2\.snapshot\.json is version 2, and 3/,
  ],
])("what was seen in a newer version is not taken in an older one: %s", (_what, before, after, why) => {
  const { seen } = play(made(before));
  const { why: said, seen: still } = play(made(after), { seen: seen! });
  expect(said).toMatch(why);
  expect(still?.snapshot ?? seen?.snapshot).toEqual(seen?.snapshot);
});

test("a file that a snapshot no longer lists was taken away, not forgotten", () => {
  const { seen } = play(first);
  const files = { ...seen!.snapshot!.files, "other.json": 1 };
  expect(play(first, { seen: { ...seen!, snapshot: { version: 1, files } } }).why).toMatch(/no longer lists other\.json/);
});

test("a newer timestamp is remembered although its snapshot cannot be had", () => {
  const { seen } = play(without(made({ timestamp: { version: 9 } }), "1.snapshot.json"));
  expect(seen).toMatchObject({ timestamp: { version: 9, snapshot: 1 } });
  expect(play(made({ timestamp: { version: 8 } }), { seen: seen! }).why).toMatch(/version 8, and 9 was seen/);
});

test("when the online key is replaced, versions that its thief ran up do not count any more", () => {
  const { seen } = play(made({ timestamp: { version: 2 ** 40 }, snapshot: { version: 2 ** 40 } }));
  expect(play(first, { seen: seen! }).why).toMatch(/was seen before/);
  const replaced = made({ roots: [{}, { online: ecdsaKey("another online key") }] });
  expect(play(replaced, { seen: seen! })).toMatchObject({ refreshed: { root: 2 }, seen: { timestamp: { version: 1 } } });
});

test("the newer of the shipped root and the one seen last begins", () => {
  const files = made({ roots: [{}, {}, {}] });
  const { seen } = play(without(files, "3.root.json"));
  expect(play(files, { shipped: "3.root.json", seen: seen! })).toMatchObject({ refreshed: { before: 3, root: 3 } });
  expect(play(files, { shipped: "1.root.json", seen: seen! })).toMatchObject({ refreshed: { before: 2, root: 3 } });
});

test("whatever byte is changed wherever, the targets are those that were signed or none are taken", () => {
  const files = made({ roots: [{}, {}] });
  const paths = [...files.keys()].filter((path) => path !== "1.root.json");
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.nat(), fc.integer({ min: 1, max: 255 }), (path, at, change) => {
      const bytes = Buffer.from(files.get(path)!);
      bytes[at % bytes.length]! ^= change;
      const { refreshed } = play(changed(files, path, bytes));
      if (refreshed)
        expect([...refreshed.targets].map(([name, text]) => [name, Buffer.from(text).toString()])).toEqual(Object.entries(FILES));
    }),
  );
});

test("no document, however it is broken, is anything but refused", () => {
  fc.assert(
    fc.property(fc.constantFrom("timestamp.json", "1.snapshot.json", "2.root.json"), fc.jsonValue(), (path, value) => {
      for (const broken of [value, { signed: value, signatures: [] }, { signatures: value, signed: {} }])
        expect(play(changed(first, path, Buffer.from(JSON.stringify(broken)))).refreshed).toBeUndefined();
    }),
  );
});

test("a delegation holds for the paths it names and no others; a star does not pass a slash", () => {
  const elsewhere = { ...FILES, "registry.test/sub/keys.json": "{}" };
  const files = made({}, elsewhere);
  expect(play(files, { targets: ["registry.test/sub/keys.json"] }).refreshed).toBeDefined();
  const narrow = (paths: readonly string[]) =>
    made({
      targets: {
        more: {
          delegations: {
            keys: { [DELEGATE.keyid]: DELEGATE.key },
            roles: [{ name: REGISTRY_ROLE, keyids: [DELEGATE.keyid], threshold: 1, terminating: false, paths }],
          },
        },
      },
    });
  const found = (pattern: string) => play(narrow([pattern]), { targets: ["registry.test/keys.json"] }).refreshed !== undefined;
  expect(["registry.test/*", "*/keys.json", "registry.????/k*s.json", "registry.test/keys.json*"].filter((one) => !found(one))).toEqual([]);
  expect(["*", "registry.test", "registry.test/*/*", "registry.test/?", "r*", "registry.test/keys.jso"].filter(found)).toEqual([]);
  // Sixty stars against a long name must end at once.
  expect(found(`registry.test/${"*a".repeat(60)}`)).toBe(false);
});

test("delegations that lead to one another end", () => {
  const loop = { name: REGISTRY_ROLE, keyids: [DELEGATE.keyid], threshold: 1, terminating: false, paths: ["*/*"] };
  const delegations = { keys: { [DELEGATE.keyid]: DELEGATE.key }, roles: [loop] };
  expect(play(made({ delegated: { more: { delegations } } }), { targets: ["registry.test/none"] }).why).toMatch(/names no target/);
});

test("of a terminating delegation that fits, no later one is asked", () => {
  const other = { name: "other", keyids: [DELEGATE.keyid], threshold: 1, paths: ["registry.test/*"] };
  const roles = (terminating: boolean) => [
    { ...other, terminating },
    { ...other, name: REGISTRY_ROLE, terminating: true },
  ];
  const meta = { "targets.json": { version: 1 }, [`${REGISTRY_ROLE}.json`]: { version: 1 }, "other.json": { version: 1 } };
  const files = (terminating: boolean) => {
    const delegations = { keys: { [DELEGATE.keyid]: DELEGATE.key }, roles: roles(terminating) };
    return new Map([
      ...made({ targets: { more: { delegations } }, snapshot: { more: { meta } } }),
      ["1.other.json", document("targets", { targets: {} }, { signers: [DELEGATE] })],
    ]);
  };
  expect(play(files(false), { targets: ["registry.test/keys.json"] }).refreshed).toBeDefined();
  expect(play(files(true), { targets: ["registry.test/keys.json"] }).why).toMatch(/names no target/);
});

test("without consistent snapshots the plain names are asked for", () => {
  const plain = new Map<string, Buffer>();
  for (const [path, bytes] of made({ roots: [{ more: { consistent_snapshot: false } }] }))
    plain.set(path.endsWith(".root.json") ? path : path.replace(/(^|\/)[0-9a-f]+\./, "$1"), bytes);
  const { refreshed, asked } = play(plain);
  expect(refreshed?.targets.size).toBe(2);
  expect(asked.slice(1)).toEqual([
    "timestamp.json",
    "snapshot.json",
    "targets.json",
    "targets/trusted_root.json",
    "registry.test.json",
    "targets/registry.test/keys.json",
  ]);
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[10]! ^= 1;
  return copy;
}

function edited(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString().replace('"length": 12', '"length": 13'));
}

function deep(): Buffer {
  return Buffer.from(`{"signatures":[],"signed":{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}}`);
}
