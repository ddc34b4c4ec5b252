/** Each rule on a small lockfile: what is said, how heavily, where, and what is not said. */
import { expect, test } from "vitest";
import { time } from "../../../test/kit/packages.ts";
import type { Claim } from "../advisory/claim.ts";
import { readLockfile } from "../lockfile/read.ts";
import type { Verdict } from "../policy/verdict.ts";
import { checkLockfile } from "./check-lockfile.ts";
import type { Finding } from "./finding.ts";
import { readManifest } from "./manifest.ts";
import type { CheckSubject } from "./subject.ts";

const NOW = time("2026-04-01T00:00:00Z");
const HOST = "registry.example.test";
const SRI = (byte: number): string => `sha512-${Buffer.alloc(64, byte).toString("base64")}`;

type Fields = Readonly<Record<string, unknown>>;

/** An entry as npm writes it. */
function entry(name: string, version: string, more: Fields = {}): Fields {
  const file = name.slice(name.indexOf("/") + 1);
  return { version, resolved: `https://${HOST}/${name}/-/${file}-${version}.tgz`, integrity: SRI(1), ...more };
}

/** package.json and package-lock.json of a project that asks for `dependencies` and got `packages`. */
function project(
  dependencies: Fields,
  packages: Readonly<Record<string, Fields>>,
  more: Partial<CheckSubject> = {},
  root: Fields = {},
): CheckSubject {
  const lock = { name: "site", lockfileVersion: 3, packages: { "": { name: "site", dependencies }, ...packages } };
  return {
    tree: readLockfile("package-lock.json", JSON.stringify(lock, null, 1)),
    manifests: [readManifest("package.json", ".", JSON.stringify({ name: "site", dependencies, ...root }))],
    sources: { registries: [HOST], scopes: {}, hosts: [] },
    policy: { failOn: "medium", require: [], exceptions: [] },
    now: NOW,
    ...more,
  };
}

function findings(subject: CheckSubject): readonly Finding[] {
  return checkLockfile(subject).findings;
}

/** `severity rule name: message` of each. */
function said(subject: CheckSubject): readonly string[] {
  return findings(subject).map(({ severity, rule, name, message }) => `${severity} ${rule} ${name ?? "-"}: ${message}`);
}

const LEFT = { "node_modules/left": entry("left", "1.2.0") };

test("a lockfile with nothing wrong: nothing is said, and what was not checked is", () => {
  const check = checkLockfile(project({ left: "^1.0.0" }, LEFT));
  expect(check.findings).toEqual([]);
  expect(check.lockfile).toEqual({ path: "package-lock.json", kind: "package-lock", format: "3", packages: 1 });
  expect(check.notChecked.map(({ check: id, packages, required }) => `${id} ${packages} ${required}`)).toEqual([
    "recorded-integrity 1 false",
    "advisories 1 false",
    "age 1 false",
    "signatures 1 false",
  ]);
});

test("integrity: missing, weak, malformed, contradictory", () => {
  const sha1 = `sha1-${Buffer.alloc(20, 1).toString("base64")}`;
  expect(
    said(
      project(
        { none: "1", weak: "1", bad: "1", left: "1" },
        {
          "node_modules/none": entry("none", "1.0.0", { integrity: undefined }),
          "node_modules/weak": entry("weak", "1.0.0", { integrity: sha1 }),
          "node_modules/bad": entry("bad", "1.0.0", { integrity: "sha512-short" }),
          "node_modules/left": entry("left", "1.0.0"),
          "node_modules/weak/node_modules/left": entry("left", "1.0.0", { integrity: SRI(2) }),
        },
      ),
    ),
  ).toEqual([
    'high integrity-malformed bad: "sha512-short" is not a digest any client checks',
    "medium integrity-missing none: nothing says which bytes are right",
    "low integrity-weak weak: its bytes are held to by sha1 alone",
    "high lockfile-contradiction left: another entry of the same version (line 28) has another integrity",
  ]);
});

test("integrity against what was noted before: of this version, and of these bytes", () => {
  const records: CheckSubject["records"] = {
    ofVersion: (name, version) => (name === "left" && version === "1.2.0" ? [{ integrity: SRI(2), by: "the ledger" }] : []),
    ofBytes: (integrity) => (integrity === SRI(3) ? { name: "right", version: "9.0.0", by: "the ledger" } : undefined),
  };
  const packages = {
    ...LEFT,
    "node_modules/other": entry("other", "1.0.0", { integrity: SRI(3) }),
    "node_modules/new": entry("new", "1.0.0"),
  };
  const check = checkLockfile(project({ left: "1", other: "1", new: "1" }, packages, { records }));
  expect(check.findings.map(({ severity, rule, message }) => `${severity} ${rule} ${message}`)).toEqual([
    "critical integrity-differs its integrity is not the one the ledger has for this version",
    "critical integrity-differs its integrity is that of right@9.0.0",
  ]);
  expect(check.notChecked.find(({ check: id }) => id === "recorded-integrity")).toMatchObject({ packages: 2 });
});

test("sources: strange hosts, open lines, secrets, archives and git", () => {
  const commit = "0123456789012345678901234567890123456789";
  const all = said(
    project(
      { a: "1", b: "1", c: "1", d: "https://cdn.example.test/d.tgz", e: "git+ssh://git@code.example.test/e.git#main", "@acme/f": "1" },
      {
        "node_modules/a": entry("a", "1.0.0", { resolved: "https://elsewhere.example.test/a/-/a-1.0.0.tgz" }),
        "node_modules/b": entry("b", "1.0.0", { resolved: `http://${HOST}/b/-/b-1.0.0.tgz` }),
        "node_modules/c": entry("c", "1.0.0", { resolved: `https://me:secret@${HOST}/c/-/c-1.0.0.tgz` }),
        "node_modules/d": entry("d", "1.0.0", { resolved: "https://cdn.example.test/d.tgz" }),
        "node_modules/e": { version: "1.0.0", resolved: "git+ssh://git@code.example.test/e.git#main" },
        "node_modules/g": { version: "1.0.0", resolved: `git+ssh://git@github.com/a/g.git#${commit}` },
        "node_modules/@acme/f": entry("@acme/f", "1.0.0"),
      },
      { sources: { registries: [HOST], scopes: { "@acme": ["npm.acme.test"] }, hosts: ["code.example.test"] } },
    ),
  );
  expect(all).toEqual([
    "high source-host a: resolved from elsewhere.example.test, not from your registry",
    "high source-protocol b: fetched over http",
    "medium source-url c: its URL carries credentials or a query",
    "high source-host d: fetched from cdn.example.test, which is none of the policy's hosts",
    "low url-dependency d: an archive at a URL that is no registry's, as the project asks",
    "high git-unpinned e: a git dependency without a full commit",
    "low git-dependency e: comes from git, as the project asks",
    "medium git-dependency g: comes from git, through another package",
    `high source-host @acme/f: resolved from ${HOST}, not from the registry of @acme`,
  ]);
  const subject = project({ c: "1" }, { "node_modules/c": entry("c", "1.0.0", { resolved: `https://me:secret@${HOST}/c/-/c-1.0.0.tgz` }) });
  expect(JSON.stringify(findings(subject))).not.toContain("me:secret");
});

test("a URL that fetches another package, a name that is a path, a reference to nothing", () => {
  expect(
    said(
      project(
        { left: "1" },
        {
          "node_modules/left": entry("left", "1.2.0", {
            resolved: `https://${HOST}/evil/-/evil-6.6.6.tgz`,
            dependencies: { gone: "^1.0.0" },
          }),
        },
      ),
    ),
  ).toEqual([
    "critical source-identity evil: the entry says left@1.2.0, its URL fetches evil@6.6.6",
    "medium lockfile-dangling evil: needs gone (^1.0.0), which is not in the file",
    "critical alias-undeclared evil: the project asks for left 1, the file has evil@6.6.6",
  ]);
});

test("ranges: a stale version, an alias nobody declared, and overrides that explain them", () => {
  const packages = {
    "node_modules/left": entry("left", "2.0.0"),
    "node_modules/mid": entry("mid", "1.0.0", { dependencies: { deep: "^1.0.0", named: "npm:real@^1" } }),
    "node_modules/deep": { name: "impostor", ...entry("impostor", "1.1.0") },
    "node_modules/named": { name: "real", ...entry("real", "1.4.0") },
  };
  const asks = { left: "^1.0.0", mid: "*" };
  expect(said(project(asks, packages))).toEqual([
    "critical alias-undeclared impostor: mid@1.0.0 asks for deep ^1.0.0, the file has impostor@1.1.0",
    "high lockfile-stale left: the project asks for left ^1.0.0, the file has 2.0.0",
  ]);
  expect(said(project(asks, packages, {}, { overrides: { left: "2.0.0", mid: { deep: "npm:impostor@1" } } }))).toEqual([]);
  // An override explains what it says, and nothing else.
  expect(said(project(asks, packages, {}, { overrides: { left: "3.0.0", deep: "npm:impostor@1" } }))).toHaveLength(1);
});

test("the manifest: asked for and not there, there and not asked for, asked for differently", () => {
  const lock = project({ left: "^1.0.0", extra: "1" }, { ...LEFT, "node_modules/extra": entry("extra", "1.0.0") });
  const manifests = [readManifest("package.json", ".", '{\n "dependencies": {\n  "left": "^1.2.0",\n  "fresh": "^3.0.0"\n }\n}')];
  const all = findings({ ...lock, manifests });
  expect(all.map(({ severity, rule, message, path, line }) => `${severity} ${rule} ${path}:${line} ${message}`)).toEqual([
    "high lockfile-stale package.json:3 package.json asks for left ^1.2.0, the lockfile was written for ^1.0.0",
    "high lockfile-stale package.json:4 package.json asks for fresh ^3.0.0, the lockfile does not answer it",
    "medium lockfile-stale package-lock.json:9 the lockfile has extra 1 for package.json, which does not ask for it",
  ]);
});

test("yarn: the key says what is asked for; a manifest finds its descriptors", () => {
  const lock = (version: string, name = "left") =>
    `# yarn lockfile v1\n\n\nleft@^1.0.0:\n  version "${version}"\n  resolved "https://${HOST}/${name}/-/${name}-${version}.tgz#0000000000000000000000000000000000000000"\n  integrity ${SRI(1)}\n`;
  const check = (text: string, asks: Fields) =>
    said({
      ...project({}, {}),
      tree: readLockfile("yarn.lock", text),
      manifests: [readManifest("package.json", ".", JSON.stringify({ dependencies: asks }))],
    });
  expect(check(lock("1.2.0"), { left: "^1.0.0" })).toEqual([]);
  expect(check(lock("2.0.0"), { left: "^1.0.0" })).toEqual(["high lockfile-stale left: stands for left ^1.0.0, the file has 2.0.0"]);
  expect(check(lock("1.2.0"), { left: "^1.1.0" })).toEqual([
    "high lockfile-stale left: package.json asks for left ^1.1.0, the lockfile does not answer it",
  ]);
  expect(check(lock("1.2.0", "evil"), { left: "^1.0.0" })).toEqual([
    "critical source-identity evil: the entry says left@1.2.0, its URL fetches evil@1.2.0",
    "critical alias-undeclared evil: stands for left ^1.0.0, the file has evil@1.2.0",
  ]);
});

function claim(more: Partial<Claim>): Claim {
  return {
    id: "GHSA-1",
    aliases: ["CVE-1", "GHSA-1"],
    kind: "vulnerability",
    feed: "osv",
    origins: ["ghsa"],
    firstSeen: NOW,
    match: "range",
    fixed: ["1.3.0", "2.0.1"],
    severity: "moderate",
    ...more,
  };
}

test("a directory asked for by path is no member of a workspace; one that nobody asks for is", () => {
  const packages = { loc: { version: "0.1.0", dependencies: {} }, "node_modules/loc": { resolved: "loc", link: true } };
  expect(said(project({ loc: "file:./loc" }, packages))).toEqual([]);
  expect(said(project({}, packages))).toEqual(["low lockfile-stale -: the workspace loc has no manifest here"]);
});

test("a directory outside the project is not installed into; a member with a lockfile of its own is checked there", () => {
  const packages = { "../out": { version: "1.0.0", dependencies: { gone: "1" } }, "node_modules/out": { resolved: "../out", link: true } };
  expect(said(project({ out: "file:../out" }, packages))).toEqual([]);
  const member = { ...readManifest("a/package.json", "a", JSON.stringify({ name: "a", dependencies: { left: "1" } })), ownLockfile: true };
  const subject = project({}, {});
  expect(said({ ...subject, manifests: [...subject.manifests, member] })).toEqual([
    "low lockfile-stale -: the workspace a has a lockfile of its own, which is not read here: cordon check a",
  ]);
});

/** A check of another client's file beside this manifest. */
function beside(file: string, lock: string, dependencies: Fields): readonly string[] {
  const manifests = [readManifest("package.json", ".", JSON.stringify({ name: "site", dependencies }))];
  return said(project({}, {}, { tree: readLockfile(file, lock), manifests }));
}

test("yarn's catalogs stand in its settings: the entry is under what they say", () => {
  const lock = (name: string): string =>
    [
      "__metadata:\n  version: 10\n  cacheKey: 10c0\n",
      `"${name}@npm:1.2.0":\n  version: 1.2.0\n  resolution: "${name}@npm:1.2.0"\n  checksum: 10c0/${"a".repeat(128)}\n  languageName: node\n  linkType: hard\n`,
      '"site@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "site@workspace:."\n  dependencies:\n    left: "catalog:"\n  languageName: unknown\n  linkType: soft\n',
    ].join("\n");
  expect(beside("yarn.lock", lock("left"), { left: "catalog:" })).toEqual([]);
  expect(beside("yarn.lock", lock("right"), { left: "catalog:" })).toContain(
    "medium lockfile-dangling site: needs left (catalog:), which is not in the file",
  );
});

test("an archive asked for by its address is what the address says, under a name of one's own", () => {
  const url = `https://${HOST}/left/-/left-1.2.0.tgz`;
  const berry = `__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"mine@${url}":\n  version: 1.2.0\n  resolution: "mine@${url}"\n  checksum: 10c0/${"a".repeat(128)}\n\n"site@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "site@workspace:."\n  dependencies:\n    mine: "${url}"\n`;
  const classic = `# yarn lockfile v1\n\n\n"mine@${url}":\n  version "1.2.0"\n  resolved "${url}#${"a".repeat(40)}"\n  integrity ${SRI(1)}\n`;
  const bun = JSON.stringify({
    lockfileVersion: 1,
    workspaces: { "": { name: "site", dependencies: { mine: url } } },
    packages: { mine: [`left@${url}`, {}, SRI(1)] },
  });
  for (const [file, lock] of [
    ["yarn.lock", berry],
    ["yarn.lock", classic],
    ["bun.lock", bun],
  ] as const) {
    expect(beside(file, lock, { mine: url }), lock).toEqual([]);
    expect(readLockfile(file, lock).packages.find(({ source }) => source.kind === "registry")).toMatchObject({
      name: "left",
      version: "1.2.0",
    });
  }
  const lying = classic.replace('version "1.2.0"', 'version "1.3.0"');
  expect(beside("yarn.lock", lying, { mine: url })).toContainEqual(expect.stringMatching(/^critical source-identity left: /));
});

test("what the project replaces needs an entry too: one that was cut off is missed", () => {
  const entry = (key: string, more = "") =>
    `"${key}":\n  version "1.2.0"\n  resolved "https://${HOST}/${key.replace(/@.*/, "")}/-/${key.replace(/@.*/, "")}-1.2.0.tgz"\n  integrity ${SRI(1)}\n${more}`;
  const first = `# yarn lockfile v1\n\n\n${entry("left@^1.0.0", '  dependencies:\n    right "0.9.0"\n')}`;
  const ask = (lock: string, to = "1.2.0") =>
    said(
      project(
        {},
        {},
        {
          tree: readLockfile("yarn.lock", lock),
          manifests: [
            readManifest(
              "package.json",
              ".",
              JSON.stringify({ name: "site", dependencies: { left: "^1.0.0" }, resolutions: { right: to } }),
            ),
          ],
        },
      ),
    );
  expect(ask(`${first}\n${entry("right@1.2.0")}`)).toEqual([]);
  expect(ask(first)).toEqual(["medium lockfile-dangling left: needs right (0.9.0), which is not in the file"]);
  expect(ask(first, "link:./right")).toEqual([]);
});

test("yarn 1 does not list members of a workspace, and fetches one whose version does not fit", () => {
  const lock = "# yarn lockfile v1\n\n\n";
  const manifests = (range: string) => [
    readManifest("package.json", ".", JSON.stringify({ name: "site", workspaces: ["a", "b"] })),
    readManifest("a/package.json", "a", JSON.stringify({ name: "a", version: "1.0.0", dependencies: { b: range } })),
    readManifest("b/package.json", "b", JSON.stringify({ name: "b", version: "1.2.0" })),
  ];
  const ask = (range: string) => said(project({}, {}, { tree: readLockfile("yarn.lock", lock), manifests: manifests(range) }));
  expect(ask("^1.0.0")).toEqual([]);
  expect(ask("^2.0.0")).toEqual(["high lockfile-stale b: a/package.json asks for b ^2.0.0, the lockfile does not answer it"]);
});

test("deno lists what an alias stands for, and runs no script that nobody allowed, unless all are", () => {
  const lock = (asked: string): string =>
    JSON.stringify({
      version: "5",
      specifiers: { [asked]: "1.2.0" },
      npm: { "left@1.2.0": { integrity: SRI(1), scripts: true } },
      workspace: { packageJson: { dependencies: [asked] } },
    });
  expect(beside("deno.lock", lock("npm:left@1.2.0"), { old: "npm:left@1.2.0" })).toEqual([]);
  expect(beside("deno.lock", lock("npm:left@1"), { left: "^1" })).toEqual([]);
  expect(beside("deno.lock", lock("npm:left@>=1.0.0 <4.0.0"), { left: ">=1 <4" })).toEqual([]);
  expect(beside("deno.lock", lock("npm:left@1.2.0"), { old: "npm:left@^2.0.0" })).toEqual([
    "high lockfile-stale left: package.json asks for left ^2.0.0, the lockfile was written for 1.2.0",
  ]);
  const tree = readLockfile("deno.lock", lock("npm:left@1.2.0"));
  for (const [allowScripts, runs] of [
    [true, true],
    [{ allow: true, deny: ["npm:right"] }, true],
    [["npm:left"], false],
    [{ allow: ["npm:left"] }, false],
  ] as const) {
    const settings = readManifest("deno.json", ".", JSON.stringify({ imports: { left: "npm:left@1.2.0" }, allowScripts }));
    const rules = findings(project({}, {}, { tree, manifests: [settings] })).map(({ rule }) => rule);
    expect(rules.includes("install-script-unapproved"), JSON.stringify(allowScripts)).toBe(runs);
  }
});

test("advisories: one finding for one thing, under all its ids, with the way in and the fix", () => {
  const packages = {
    "node_modules/a": entry("a", "1.0.0", { dependencies: { left: "^1.0.0" } }),
    "node_modules/b": entry("b", "1.0.0", { dependencies: { a: "1" } }),
    ...LEFT,
  };
  const claims: CheckSubject["claims"] = (name) =>
    name === "left"
      ? [
          claim({ summary: "a hole" }),
          claim({ id: "CVE-1", feed: "own" }),
          claim({ id: "GHSA-old", aliases: ["GHSA-old"], withdrawn: NOW }),
        ]
      : [];
  const [finding, ...others] = findings(project({ a: "1", b: "1" }, packages, { claims }));
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    rule: "vulnerability-report",
    severity: "medium",
    name: "left",
    version: "1.2.0",
    key: "node_modules/left",
    message: "GHSA-1: a known vulnerability (a hole), fixed in 1.3.0, 2.0.1",
    via: [["a", "left"]],
    advisory: { id: "GHSA-1", aliases: ["CVE-1", "GHSA-1"], feed: "osv", fixed: ["1.3.0", "2.0.1"], match: "range" },
    fix: { summary: "to 1.3.0, the lowest version with a fix" },
  });
  expect(finding!.evidence).toEqual(["GHSA-1 in osv names a range with this version", "CVE-1 in own names a range with this version"]);
});

test("malware by name is critical; where the name says little it is only possible, unless the bytes say so", () => {
  const malware: CheckSubject["claims"] = (name, _version, integrities) =>
    integrities?.includes(SRI(9)) === true
      ? [claim({ id: "MAL-2", kind: "malware", match: "integrity", aliases: ["MAL-2"] })]
      : name === "left"
        ? [claim({ id: "MAL-1", kind: "malware", match: "version", aliases: ["MAL-1"], fixed: [] })]
        : [];
  const at = (left: Fields) =>
    said(project({ left: "*" }, { "node_modules/left": left }, { claims: malware })).filter((line) => /MAL/.test(line));
  expect(at(entry("left", "1.0.0"))).toEqual(["critical malware-report left: MAL-1: malware"]);
  expect(at(entry("left", "1.0.0", { resolved: "https://cdn.example.test/left.tgz" }))).toEqual([
    "medium malware-possible left: MAL-1: may be malware",
  ]);
  expect(at(entry("left", "1.0.0", { resolved: "https://cdn.example.test/left.tgz", integrity: SRI(9) }))).toEqual([
    "critical malware-report left: MAL-2: these bytes are malware",
  ]);
  expect(at({ resolved: "packages/left", link: true })).toEqual([]);
  expect(at({ name: "fine", ...entry("fine", "1.0.0") })).toEqual([]);
});

function verdict(action: Verdict["action"], ids: readonly string[]): Verdict {
  const reasons = ids.map((id) => ({ id, effect: { kind: "hold" }, title: `${id}!`, evidence: [] })) as unknown as Verdict["reasons"];
  return {
    action,
    review: false,
    reasons,
    notes: [],
    waived: [],
    monitored: false,
    policy: "p",
    ...(action === "hold" ? { until: NOW } : {}),
  };
}

test("what the gate says of a version, and what it cannot say", () => {
  const proofs = {
    signature: { state: "invalid", reason: "other bytes" },
    publish: { state: "absent" },
    provenance: { state: "absent" },
  } as const;
  const decided: NonNullable<CheckSubject["decided"]> = (name) => {
    if (name === "held") return { verdict: verdict("hold", ["young-release"]), withheld: true, instead: ["0.9.0"] };
    if (name === "gone") return { verdict: verdict("deny", ["withdrawn-upstream"]), withheld: true, instead: [] };
    if (name === "changed") return { verdict: verdict("deny", ["integrity-changed"]), withheld: true, instead: [], differs: SRI(4) };
    if (name === "forged") return { verdict: verdict("allow", []), withheld: false, instead: [], attested: proofs };
    if (name === "old") return { verdict: verdict("allow", []), withheld: false, instead: [], deprecated: "use new" };
    return "the registry does not know the package";
  };
  const names = ["held", "gone", "changed", "forged", "old", "strange"];
  const packages = Object.fromEntries(
    names.map((name, index) => [`node_modules/${name}`, entry(name, "1.0.0", { integrity: SRI(index) })]),
  );
  const asks = Object.fromEntries(names.map((name) => [name, "1"]));
  const check = checkLockfile(project(asks, packages, { decided, policy: { failOn: "medium", require: ["age"], exceptions: [] } }));
  expect(check.findings.map(({ severity, rule, name, message }) => `${severity} ${rule} ${name}: ${message}`)).toEqual([
    "high held held: held until 2026-04-01T00:00Z: young-release!",
    "critical withdrawn gone: withdrawn-upstream!",
    "critical denied changed: denied: integrity-changed!",
    "critical integrity-differs changed: its integrity is not the registry's",
    "critical signature-invalid forged: the registry's signature does not hold",
    "note deprecated old: deprecated: use new",
  ]);
  expect(check.findings[0]!.fix).toEqual({ summary: "to 0.9.0, which is admitted" });
  expect(check.notChecked.filter(({ check: id }) => id === "age" || id === "signatures")).toEqual([
    { check: "age", reason: "the registry does not know the package", packages: 1, required: true },
    { check: "signatures", reason: "their signatures were not looked at", packages: 5, required: false },
  ]);
});

test("install scripts: approved by version, denied, or neither", () => {
  const packages = Object.fromEntries(
    ["a", "b", "c"].map((name) => [`node_modules/${name}`, entry(name, "1.0.0", { hasInstallScript: true })]),
  );
  const asks = { a: "1", b: "1", c: "1" };
  const of = (root: Fields) => said(project(asks, packages, {}, root)).map((line) => line.replace("low install-script-unapproved ", ""));
  expect(of({})).toHaveLength(3);
  expect(of({ allowScripts: { "a@1.0.0": true, "b@2.0.0": true, c: false } })).toEqual([
    "b: runs a script while it is installed; it is not in the project's list",
  ]);
});

test("names: a slip of the finger in the manifest; what is deeper down somebody else chose", () => {
  const popular = new Set(["left-pad"]);
  const packages = { "node_modules/leftpad": entry("leftpad", "1.0.0"), "node_modules/lef-pad": entry("lef-pad", "1.0.0") };
  expect(said(project({ leftpad: "1" }, packages, { popular }))).toEqual([
    "low name-lookalike leftpad: looks like left-pad: separators apart",
  ]);
});

test("a fingerprint outlives lines and counts, and tells two copies apart", () => {
  const bad = { integrity: undefined };
  const packages = {
    "node_modules/a": entry("a", "1.0.0", { dependencies: { left: "1" } }),
    "node_modules/left": entry("left", "1.0.0", bad),
    "node_modules/a/node_modules/left": entry("left", "1.0.0", bad),
  };
  const prints = (subject: CheckSubject) => findings(subject).map(({ fingerprint }) => fingerprint);
  const first = prints(project({ a: "1", left: "1" }, packages));
  expect(new Set(first).size).toBe(2);
  const moved = prints(project({ a: "1", left: "1", b: "1" }, { "node_modules/b": entry("b", "1.0.0"), ...packages }));
  expect(moved).toEqual(first);
  expect(first[0]).toMatch(/^[0-9a-f]{32}$/);
});
