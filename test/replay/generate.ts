/**
 * An incident as packages of the fixture registry: the good releases before it, and the bad ones with exactly what is on record. What is
 * not recorded stays as it was in the releases before: their publisher, their size, their provenance, no script, no new dependency.
 *
 * Nothing of it reaches the gate but through the registry: this file writes package texts, and that is all it can do.
 */
import { type Instant, DAY, HOUR, MINUTE, instant, iso, parseInstant } from "../../src/core/base/time.ts";
import { binaryText, obfuscatedCode, ordinaryCode, recordedCode } from "./code.ts";
import type { Incident, RecordedPackage } from "./incident.ts";
import { type Versions, invented, isNamed, namesOf, versionsIn, versionsOf } from "./versions.ts";

/** A bad release and its minute 0. */
export type Attack = {
  readonly name: string;
  readonly version: string;
  readonly at: Instant;
  /** The attacker's own package, as opposed to a known one with a bad version. */
  readonly own: boolean;
  /** What a client that resolves it asks for as well. */
  readonly requires: readonly string[];
};

export type Generated = { readonly texts: readonly string[]; readonly attacks: readonly Attack[] };

const ATTACKERS_OWN = new Set(["typosquat", "trojan_own_package"]);

/** Ordinary code of every release, and what a recorded payload adds to it where its size was, or was not, remarkable. */
const BYTES = { ordinary: 24_000, unremarkable: 7_000, remarkable: 70_000 };

export function generate(incident: Incident): Generated {
  const { signals } = incident;
  const known = ATTACKERS_OWN.has(incident.class) ? [] : incident.packages.filter((one) => !isOwn(one));
  const owned = incident.packages.filter((one) => !known.includes(one));
  // What an entry only speaks of is made up, and that only where nothing else is there to be replayed.
  const carriers = known.some(isNamed) ? known.filter(isNamed) : known;
  const at = momentOf(incident.at);
  if (carriers.length === 0 && (owned.length > 0 || ATTACKERS_OWN.has(incident.class))) {
    const subjects = (owned.length > 0 ? owned : [UNNAMED]).flatMap((one) => subjectsOf(one, incident, one.lastGood !== undefined));
    return released(incident, subjects, at, { own: true });
  }
  // A hijack of which no package is on record was one of a known package all the same.
  if (carriers.length === 0) return released(incident, subjectsOf(UNNAMED, incident, true), at, { own: false });
  const subjects = carriers.flatMap((one) => subjectsOf(one, incident, true));
  const added = signals["new_dependency"] === true && signals["git_dependency"] !== true ? dependencyOf(incident, owned, at) : undefined;
  const carried = released(incident, subjects, at, { own: false, ...(added === undefined ? {} : { requires: added.requires }) });
  return { texts: [...(added?.texts ?? []), ...carried.texts], attacks: [...(added?.attacks ?? []), ...carried.attacks] };
}

const UNNAMED: RecordedPackage = { name: "", malicious: [], role: "payload" };

function isOwn({ role }: RecordedPackage): boolean {
  return role.startsWith("payload") || role.startsWith("decoy");
}

type Subject = Versions & { readonly name: string; readonly established: boolean };

function subjectsOf(recorded: RecordedPackage, incident: Incident, established: boolean): readonly Subject[] {
  const odd = incident.signals["version_jump_or_odd"] === true;
  return namesOf(recorded, incident.id).map((name) => ({ name, established, ...versionsOf(recorded, { established, odd }) }));
}

/** `2018-03` → noon of its first day. */
function momentOf(text: string): Instant {
  const [, year, month = "01", day = "01"] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$/.exec(text) ?? [];
  return parseInstant(year === undefined ? text : `${year}-${month}-${day}T12:00:00Z`) ?? parseInstant("2025-01-01T12:00:00Z")!;
}

// --- the releases -----------------------------------------------------------------------------------------------------------------------

type Options = { readonly own: boolean; readonly requires?: Readonly<Record<string, string>> };

function released(incident: Incident, subjects: readonly Subject[], at: Instant, options: Options): Generated {
  const { signals } = incident;
  // Subjects of one name are recorded in several entries, one for each line: node-ipc 9.1.6, 9.2.3 and 12.0.1.
  const byName = new Map<string, Subject>();
  for (const one of subjects) {
    const other = byName.get(one.name);
    const bad = [...new Set([...(other?.bad ?? []), ...one.bad])];
    byName.set(one.name, {
      ...one,
      bad,
      good: [...new Set([...(other?.good ?? []), ...one.good])].filter((version) => !bad.includes(version)),
    });
  }
  const merged = [...byName.values()].map((one) => ({ ...one, good: versionsIn(one.good), bad: versionsIn(one.bad) }));
  const count = merged.reduce((sum, { bad }) => sum + bad.length, 0);
  // A recorded burst fits into an hour; what is not recorded as one does not look like one.
  const step = signals["publish_burst"] === true ? Math.min(2 * MINUTE, (50 * MINUTE) / count) : 3 * HOUR;
  const texts: string[] = [];
  const attacks: Attack[] = [];
  for (const subject of merged) {
    texts.push(goodReleases(incident, subject, at, options).join("====\n"));
    for (const version of subject.bad) {
      const published = instant(at + Math.round(attacks.length * step));
      texts.push(badRelease(incident, subject, version, published, options));
      const requires = Object.keys(options.requires ?? {});
      attacks.push({ name: subject.name, version, at: published, own: options.own, requires });
    }
  }
  return { texts: texts.filter((text) => text !== ""), attacks };
}

/** Six weeks apart, the last one three weeks before the attack, or as long before as was recorded. */
function goodReleases({ signals }: Incident, { name, good }: Subject, at: Instant, { own }: Options): readonly string[] {
  const dormant = signals["dormant_revived_days"];
  const longest = Math.max(21 * DAY, at - NPM_BEGAN - good.length * 46 * DAY);
  const quiet = typeof dormant === "number" && dormant > 0 ? Math.min(dormant * DAY, longest) : 21 * DAY;
  return good.map((version, index) => {
    const published = instant(at - quiet - (good.length - 1 - index) * 45 * DAY - (index % 3) * 5 * HOUR);
    const header = [
      `published ${iso(published)} by ${own ? OWNER : MAINTAINER}`,
      ...(signals["trusted_publisher_bypassed"] === true ? [TRUSTED] : []),
      ...(signals["provenance"] === "lost" || signals["provenance"] === "valid" ? [provenanceOf(name)] : []),
    ];
    return packageText(header, { name, version }, ordinaryFiles(name, version));
  });
}

const NPM_BEGAN = parseInstant("2010-01-12T00:00:00Z")!;
const MAINTAINER = "maintainer <maintainer@example.test>";
const OWNER = "owner <owner@elsewhere.test>";
const TRUSTED = "trusted-publisher github oidc:b0a3a3a6-0000-4000-8000-000000000000";

type Files = Readonly<Record<string, string>>;

function ordinaryFiles(name: string, version: string): Files {
  return {
    "README.md": `# ${name}\n\nA stand-in with the name of a real package. It holds plain functions and does nothing.\n`,
    "index.js": `exports.version = "${version}";\nObject.assign(exports, require("./lib/main.js"));\n`,
    "lib/main.js": ordinaryCode(name, BYTES.ordinary),
  };
}

function badRelease({ id, signals, execution }: Incident, { name }: Subject, version: string, at: Instant, options: Options): string {
  const is = (signal: string): boolean => signals[signal] === true;
  const manifest: Record<string, unknown> = { name, version };
  const files: Record<string, string> = { ...ordinaryFiles(name, version) };
  const payload = payloadOf({ id, signals });

  const runsOnInstall = is("new_install_script") || is("implicit_gyp");
  if (is("new_install_script")) manifest["scripts"] = { postinstall: "node setup.js" };
  if (is("implicit_gyp"))
    files["binding.gyp"] = `{ "targets": [{ "target_name": "addon", "type": "none", "sources": ["<!(node setup.js)"] }] }\n`;
  if (runsOnInstall) files["setup.js"] = payload === "" ? "// Nothing is recorded of what it did.\n" : payload;
  // What ran on import stood in the package's own code; so does what came with a script that ran on both occasions.
  else if (payload !== "" && !brings(options, { signals }))
    files["index.js"] += execution === "browser" || payload.length < 4_000 ? payload : "";
  if (!runsOnInstall && payload !== "" && !files["index.js"]!.includes(payload) && !brings(options, { signals })) {
    files["lib/runtime.js"] = payload;
    files["index.js"] += `require("./lib/runtime.js");\n`;
  }
  if (runsOnInstall && execution.includes("runtime")) files["index.js"] += `require("./setup.js");\n`;
  if (is("added_binary")) files["build/addon.node"] = binaryText(is("size_jump") ? BYTES.remarkable : 4_000);
  else if (is("size_jump") && !is("added_obfuscated_or_large_file"))
    files["lib/bundle.js"] = ordinaryCode(`${name} bundle`, BYTES.remarkable);

  if (is("git_dependency"))
    manifest["optionalDependencies"] = {
      [`${invented(id)}-setup`]: `github:example-fork/${invented(id)}#${"0123456789abcdef".repeat(3).slice(0, 40)}`,
    };
  if (options.requires) {
    manifest["dependencies"] = options.requires;
    if (!is("new_dep_unimported"))
      for (const one of Object.keys(options.requires)) files["index.js"] += `exports.helper = require("${one}");\n`;
  }
  return packageText([`published ${iso(at)} by ${publisherOf(signals, options)}`, ...headersOf(signals, name)], manifest, files);
}

/** Where a new dependency holds the payload, the carrier's own code is as it was. */
function brings({ requires }: Options, { signals }: Pick<Incident, "signals">): boolean {
  return requires !== undefined && signals["new_install_script"] !== true;
}

function payloadOf({ id, signals }: Pick<Incident, "id" | "signals">): string {
  const code = recordedCode({ id, signals });
  if (signals["added_obfuscated_or_large_file"] !== true) return code;
  return obfuscatedCode(id, signals["size_jump"] === true ? BYTES.remarkable : BYTES.unremarkable) + code;
}

/** Another person where that is on record, another address of the same person where only that is; else whoever published before. */
function publisherOf(signals: Incident["signals"], { own }: Options): string {
  if (own) return OWNER;
  if (signals["publisher_email_changed"] === true) return "maintainer <maintainer@mail.elsewhere.test>";
  return signals["publisher_changed"] === true ? "newcomer <newcomer@elsewhere.test>" : MAINTAINER;
}

function headersOf(signals: Incident["signals"], name: string): readonly string[] {
  return [
    // A pipeline that was broken into publishes as it always did.
    ...(signals["provenance"] === "valid" ? [provenanceOf(name)] : []),
    ...(signals["never_latest"] === true ? ["tag next"] : []),
  ];
}

/** The workflow that built the good releases. */
function provenanceOf(name: string): string {
  return `provenance github:example/${name.replace(/^@.*\//, "")}:release.yml`;
}

// --- a new dependency -------------------------------------------------------------------------------------------------------------------

type Added = Generated & { readonly requires: Readonly<Record<string, string>> };

/** What the bad release requires for the first time; as old as recorded, of an ordinary age where that is unknown. */
function dependencyOf(incident: Incident, owned: readonly RecordedPackage[], at: Instant): Added {
  const { id, signals } = incident;
  const recorded = owned.find(({ role }) => role.startsWith("payload"));
  const name = recorded ? namesOf(recorded, id)[0]! : `${invented(id)}-helper`;
  const decoys = owned
    .filter((one) => one.role.startsWith("decoy") && namesOf(one, id)[0] === name)
    .flatMap((one) => versionsIn(one.malicious));
  const { good, bad } = versionsOf(recorded ?? UNNAMED, { established: false, odd: false });
  const version = bad.at(-1)!;
  const age = signals["new_dep_age_hours"];
  const published = instant(typeof age === "number" ? at - Math.max(age * HOUR, MINUTE) : at - 400 * DAY);
  const by = signals["new_dep_publisher_unknown"] === true ? "stranger <stranger@elsewhere.test>" : MAINTAINER;
  const before = [...new Set([...good, ...decoys])].filter((one) => one !== version);
  const clean = before.map((one, index) =>
    packageText(
      [`published ${iso(instant(published - (before.length - index) * 18 * HOUR))} by ${by}`],
      { name: name, version: one },
      ordinaryFiles(name, one),
    ),
  );
  const payload = signals["new_install_script"] === true ? "" : payloadOf(incident);
  const files: Record<string, string> = { ...ordinaryFiles(name, version) };
  const manifest: Record<string, unknown> = { name, version };
  if (signals["dep_install_script"] === true) {
    manifest["scripts"] = { postinstall: "node setup.js" };
    files["setup.js"] = payload === "" ? "// Nothing is recorded of what it did.\n" : payload;
  } else if (payload !== "") files["index.js"] += payload;
  const text = packageText([`published ${iso(published)} by ${by}`], manifest, files);
  return {
    texts: [...clean, text],
    attacks: [{ name, version, at: published, own: true, requires: [] }],
    requires: { [name]: `^${version}` },
  };
}

// --- text -------------------------------------------------------------------------------------------------------------------------------

function packageText(header: readonly string[], manifest: Readonly<Record<string, unknown>>, files: Files): string {
  const whole = {
    main: "index.js",
    license: "MIT",
    repository: { type: "git", url: `git+https://git.example.test/${String(manifest["name"]).replace("@", "")}.git` },
    ...manifest,
  };
  const all = { "package.json": `${JSON.stringify(whole, null, 2)}\n`, ...files };
  const parts = Object.entries(all).map(([path, text]) => `-- ${path} --\n${text}`);
  return `${header.join("\n")}\n${parts.join("")}`;
}
