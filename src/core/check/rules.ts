/** Every rule of `cordon check`, in one table: the reference page, `--help`, SARIF and JUnit are generated from it. */
import type { CheckId, Severity } from "./finding.ts";

export type RuleRow = {
  /** What it means, for the person reading the finding. */
  readonly means: string;
  /** Why it exists. */
  readonly why: string;
  /** What it weighs unless the evidence says otherwise (an advisory brings its own severity). */
  readonly severity: Severity;
  /** The check it belongs to. */
  readonly check: CheckId;
  /** Whether a person may except it; malware never. */
  readonly exceptable: boolean;
};

export const RULES = {
  "malware-report": {
    means: "A feed says that this version, or these bytes, are malware.",
    why: "Somebody has already looked; every install of this lockfile fetches it again.",
    severity: "critical",
    check: "advisories",
    exceptable: false,
  },
  "malware-possible": {
    means: "A feed knows malware of this name; whether the entry is that package cannot be told.",
    why: "An archive, a git commit or an entry without a version may be another thing of the same name.",
    severity: "medium",
    check: "advisories",
    exceptable: true,
  },
  "vulnerability-report": {
    means: "A feed knows a vulnerability of this version.",
    why: "Whoever ships it should know, and know which version mends it.",
    severity: "high",
    check: "advisories",
    exceptable: true,
  },
  "integrity-missing": {
    means: "Nothing in the lockfile says which bytes are right.",
    why: "Whoever answers the download decides what is installed.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "integrity-weak": {
    means: "The bytes are held to by sha1 alone.",
    why: "Two archives with one sha1 can be made; npm itself has not relied on it since 2017.",
    severity: "low",
    check: "lockfile",
    exceptable: true,
  },
  "integrity-malformed": {
    means: "The digest cannot be read.",
    why: "Clients skip what they cannot read and check nothing.",
    severity: "high",
    check: "lockfile",
    exceptable: true,
  },
  "integrity-differs": {
    means: "The lockfile's digest is not the one that was noted for this version before.",
    why: "A published version never changes: either the lockfile was edited, or somebody serves something else.",
    severity: "critical",
    check: "recorded-integrity",
    exceptable: true,
  },
  "source-host": {
    means: "The entry is fetched from a host that is none of the policy's.",
    why: "Clients go to the host a lockfile names and pass by the registry, its rules and the gate.",
    severity: "high",
    check: "lockfile",
    exceptable: true,
  },
  "source-protocol": {
    means: "The entry is fetched over a line anybody can write to.",
    why: "Without TLS, whoever stands between can send something else.",
    severity: "high",
    check: "lockfile",
    exceptable: true,
  },
  "source-url": {
    means: "The URL carries credentials or a query.",
    why: "A secret in a lockfile is everybody's, and a query can ask for something else tomorrow.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "source-identity": {
    means: "The URL fetches another package or version than the entry says.",
    why: "Clients fetch the URL without asking whose it is: this is how a lockfile installs what nobody asked for.",
    severity: "critical",
    check: "lockfile",
    exceptable: false,
  },
  "git-dependency": {
    means: "The entry is a git commit, not a release of a registry.",
    why: "No signature, no release age and no advisory speaks of it, and its prepare script runs.",
    severity: "low",
    check: "lockfile",
    exceptable: true,
  },
  "git-unpinned": {
    means: "A git dependency is not pinned to a full commit.",
    why: "What is installed changes whenever somebody pushes.",
    severity: "high",
    check: "lockfile",
    exceptable: true,
  },
  "url-dependency": {
    means: "The entry is an archive at a URL that is no registry's.",
    why: "No signature, no release age and no advisory speaks of it.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "name-invalid": {
    means: "A name or a path could not be a package's.",
    why: "Names become paths on the disk: this one could be any place of it.",
    severity: "critical",
    check: "lockfile",
    exceptable: false,
  },
  "version-missing": {
    means: "A registry package without a usable version.",
    why: "Nothing can be said about a version nobody knows.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "lockfile-missing": {
    means: "A project with dependencies has no lockfile.",
    why: "Every install may fetch something else, and nothing here can be checked.",
    severity: "high",
    check: "lockfile",
    exceptable: true,
  },
  "lockfile-ignored": {
    means: "The lockfile is not under version control, or the client does not read it.",
    why: "What was checked here is not what others install.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "lockfile-malformed": {
    means: "The lockfile does not follow the rules of its format.",
    why: "Readers that disagree about a file are how a check is walked round.",
    severity: "high",
    check: "lockfile",
    exceptable: false,
  },
  "lockfile-contradiction": {
    means: "Two places of the lockfile disagree about one package.",
    why: "One client installs the one and another client the other; a check sees only one of them.",
    severity: "high",
    check: "lockfile",
    exceptable: true,
  },
  "lockfile-dangling": {
    means: "The lockfile refers to an entry it does not have.",
    why: "It was cut, merged wrongly or edited; the client fills the gap with whatever is newest.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "lockfile-partial": {
    means: "Only part of the lockfile could be read.",
    why: "What was not read was not checked.",
    severity: "medium",
    check: "lockfile",
    exceptable: true,
  },
  "lockfile-stale": {
    means: "The lockfile does not answer what the manifest, or a package in it, asks for.",
    why: "It was edited by hand or not written again: a frozen install fails, any other installs something else.",
    severity: "high",
    check: "manifest",
    exceptable: true,
  },
  "alias-undeclared": {
    means: "The entry is another package than everything that needs it asks for.",
    why: "An alias nobody declared puts a package under a trusted name.",
    severity: "critical",
    check: "manifest",
    exceptable: true,
  },
  "manifest-malformed": {
    means: "The manifest cannot be read, or a part of it has the wrong type.",
    why: "What it asks for cannot be compared with the lockfile.",
    severity: "medium",
    check: "manifest",
    exceptable: true,
  },
  "install-script-unapproved": {
    means: "It runs a script while it is installed, and nobody approved it.",
    why: "An install script runs as you, before anybody looked at the code.",
    severity: "low",
    check: "scripts",
    exceptable: true,
  },
  held: {
    means: "The policy holds the version for now.",
    why: "Hijacked releases are found within hours; time is the cheapest check there is.",
    severity: "high",
    check: "age",
    exceptable: true,
  },
  review: {
    means: "The policy wants a person to look at the version.",
    why: "Something about the release is unlike those before it.",
    severity: "high",
    check: "age",
    exceptable: true,
  },
  denied: {
    means: "The policy denies the version.",
    why: "Somebody here, a feed or a rule has decided that it may not be installed.",
    severity: "critical",
    check: "age",
    exceptable: false,
  },
  withdrawn: {
    means: "The registry took the version back.",
    why: "Malware is removed within hours; lockfiles and caches go on naming it.",
    severity: "critical",
    check: "age",
    exceptable: true,
  },
  deprecated: {
    means: "Its maintainers ask not to use the version any more.",
    why: "It gets no more fixes, or something is wrong with it.",
    severity: "note",
    check: "age",
    exceptable: true,
  },
  "signature-invalid": {
    means: "The registry's signature does not fit the version.",
    why: "The bytes or the document were changed after the registry signed them.",
    severity: "critical",
    check: "signatures",
    exceptable: false,
  },
  "signature-missing": {
    means: "The registry signs its packages, and this version has no signature.",
    why: "A version that was slipped in beside the registry has none.",
    severity: "medium",
    check: "signatures",
    exceptable: true,
  },
  "provenance-invalid": {
    means: "The version's attestation does not hold.",
    why: "It claims to come from a build that did not make it.",
    severity: "high",
    check: "signatures",
    exceptable: true,
  },
  "provenance-dropped": {
    means: "Releases before it proved where they were built; this one does not.",
    why: "A stolen token publishes from anywhere; the project's own workflow leaves a proof.",
    severity: "high",
    check: "signatures",
    exceptable: true,
  },
  "name-lookalike": {
    means: "The name could be taken for a package in wide use.",
    why: "Packages are named after a slip of the finger on purpose.",
    severity: "low",
    check: "lockfile",
    exceptable: true,
  },
  "exception-expired": {
    means: "An exception has run out.",
    why: "Its reason was good until a day; what it covered counts again.",
    severity: "low",
    check: "lockfile",
    exceptable: false,
  },
  "exception-unused": {
    means: "An exception covers nothing any more.",
    why: "What nobody needs covers what nobody expects.",
    severity: "note",
    check: "lockfile",
    exceptable: false,
  },
} as const satisfies Record<string, RuleRow>;

export type RuleId = keyof typeof RULES;

/** The row of a rule, with every column as wide as the type. */
export function ruleOf(id: RuleId): RuleRow {
  return RULES[id];
}
