/** Every signal, in one table: the reference page, `--help` and the dashboard are generated from it. */

export type SignalRow = {
  /** What it means, for the person reading a refusal. */
  readonly means: string;
  /** Why it exists. */
  readonly why: string;
  /** Its effect under the default policy. */
  readonly effect: "note" | "hold" | "review" | "deny";
  /** Whether a waiver may cover it. */
  readonly waivable: boolean;
  /** How many different owners must waive it; 1 when absent. */
  readonly people?: number;
};

export const SIGNALS = {
  "young-release": {
    means: "The version is younger than the hold the policy sets.",
    why: "72 hours stops 24 of 28 recent hijacks of existing packages; axios 1.14.1 was live for under three.",
    effect: "hold",
    waivable: true,
  },
  "not-reconfirmed": {
    means: "The hold is over, but no upstream answer newer than its end still lists the same bytes.",
    why: "A version withdrawn while it waited must not be served because a cache still remembers it.",
    effect: "hold",
    waivable: true,
  },
  "dependency-withheld": {
    means: "It requires a package of which every matching version is withheld.",
    why: "Serving it would break every install of it; ranges fall back to a release that can be installed.",
    effect: "hold",
    waivable: true,
  },
  "integrity-changed": {
    means: "The bytes or their digest differ from what this gate saw before under the same name and version.",
    why: "A published version never changes; when it does, somebody is serving something else.",
    effect: "deny",
    waivable: false,
  },
  "withdrawn-upstream": {
    means: "The registry took the version back.",
    why: "Malware is removed within hours; caches go on serving it.",
    effect: "deny",
    waivable: true,
  },
  "malware-report": {
    means: "A feed says that the version is malware.",
    why: "Somebody has already looked, and the version may be on your disk. A lone or sweeping claim on an old version is contested: ranges skip it, pins of bytes served before pass with an alert.",
    effect: "deny",
    waivable: true,
    people: 2,
  },
  "vulnerability-report": {
    means: "A feed knows a vulnerability of the version.",
    why: "Whoever installs it should know; holding it would only leave an older version in place.",
    effect: "note",
    waivable: false,
  },
  "name-not-allowed": {
    means: "The policy lists allowed names and this is not one of them.",
    why: "A new name is a decision somebody should make.",
    effect: "review",
    waivable: true,
  },
  "denied-by-policy": {
    means: "Somebody here denied this version or these bytes.",
    why: "During an incident the deny list reaches every client within a second.",
    effect: "deny",
    waivable: false,
  },
  frozen: {
    means: "A freeze admits nothing newer than a given moment.",
    why: "While a worm spreads, nothing new is worth the risk.",
    effect: "hold",
    waivable: true,
  },
  "malformed-version": {
    means: "The registry's entry for this version cannot be read safely.",
    why: "Parsers that disagree about a document are how a filter is walked round.",
    effect: "deny",
    waivable: false,
  },
  "private-name-collision": {
    means: "A private name also exists on the public registry; the private one is served.",
    why: "Dependency confusion.",
    effect: "note",
    waivable: false,
  },
  "install-execution-added": {
    means: "An install of it runs a script or a build that the release before it did not have.",
    why: "20 of 28 recent hijacks of existing packages ran from a script or a binding.gyp that was new.",
    effect: "review",
    waivable: true,
  },
  "exotic-dependency": {
    means: "It requires code from a git repository, a URL or a file that earlier releases did not require.",
    why: "TanStack 2026: an optional dependency on a full commit of a fork brought the malware; no registry holds or checks such code.",
    effect: "review",
    waivable: true,
  },
  "trusted-publisher-dropped": {
    means: "Earlier releases came from a trusted publisher, a CI job without a token; this one did not.",
    why: "axios 1.14.1 was published from a person's stolen session, 1.14.0 by the project's workflow.",
    effect: "review",
    waivable: true,
  },
  "new-young-dependency": {
    means: "It requires, for the first time, a package or a version that hardly existed when it was published.",
    why: "axios 1.14.1 was published to bring in plain-crypto-js, 18 hours old; mastra was attacked the same way. Alone it is a note.",
    effect: "review",
    waivable: true,
  },
  "name-lookalike": {
    means: "It is a new package whose name could be taken for a well-known one, or for one it requires.",
    why: "Typing slips and confused scopes are how throw-away packages get installed; most are taken down within a week.",
    effect: "hold",
    waivable: true,
  },
  "odd-release": {
    means: "Several things about its release are unusual at once.",
    why: "40 of 43 hijacks of existing packages were odd in their packument; one oddity alone would hold one ordinary release in six.",
    effect: "hold",
    waivable: true,
  },
  "publisher-changed": {
    means: "Nobody who published the releases before it, by name and e-mail address, published this one.",
    why: "11 of 43 hijacks came from a changed publisher; the thief of axios changed the account's address.",
    effect: "note",
    waivable: false,
  },
  "publish-burst": {
    means: "It is one of many versions, or of many packages of its publisher, within an hour: over three times what is usual.",
    why: "32 of 43 hijacks came in bursts. Of other packages the gate knows only those that were asked for since it was started, and of CI jobs, which share a name, nothing.",
    effect: "note",
    waivable: false,
  },
  "dormant-revived": {
    means: "It is the first release in a year or more.",
    why: "11 of 43 hijacks revived a package that had been quiet.",
    effect: "note",
    waivable: false,
  },
  "old-line-publish": {
    means: "It belongs to a line that a newer one had long replaced.",
    why: "15 of 43 hijacks also published into old lines, for those who never upgrade.",
    effect: "note",
    waivable: false,
  },
  "size-jump": {
    means: "It unpacks to much more than the releases of its line before it.",
    why: "17 of 43 hijacks added their payload as one large file.",
    effect: "note",
    waivable: false,
  },
  "repository-changed": {
    means: "It names a source repository of another owner and another name than the releases before it.",
    why: "A package that changed hands is another package.",
    effect: "note",
    waivable: false,
  },
  "version-odd": {
    means: "Its number skips a major version, starts one late, or is below one that stood already.",
    why: "11 of 43 hijacks were numbered oddly; faker was wiped as 6.6.6. Ordinary projects skip numbers too.",
    effect: "note",
    waivable: false,
  },
  "bin-changed": {
    means: "A command it installs is new, or runs another file than before.",
    why: "npx and everybody's scripts run a command by its name.",
    effect: "note",
    waivable: false,
  },
  "engines-changed": {
    means: "It asks for another runtime than the release before it.",
    why: "Whoever reads a release should see it; installs may fail or fall back for it.",
    effect: "note",
    waivable: false,
  },
  "dependency-removed": {
    means: "It no longer requires a package that the release before it required.",
    why: "What was required before may have been taken over, or swapped for something else.",
    effect: "note",
    waivable: false,
  },
  "deprecation-text-new": {
    means: "Its deprecation text was first seen less than 72 hours ago, and no feed says anything of it.",
    why: "A thief can deprecate the good versions; a text that is new on a version you may install is an alert.",
    effect: "note",
    waivable: false,
  },
  "tag-moved-back": {
    means: "Less than 72 hours ago a tag was moved to it from a higher version that is still there.",
    why: "Whoever can move tags chooses which old version everybody gets; it is an alert.",
    effect: "note",
    waivable: false,
  },
  "time-contradicted": {
    means: "The registry's publish time contradicts what this gate saw.",
    why: "Publish times are unsigned; age is earned, not claimed.",
    effect: "note",
    waivable: false,
  },
  "capability-added": {
    means: "Its code gained an attacker's combination of capabilities, or a new one in what an install runs; a single one is a note.",
    why: "Hijacked releases take credentials and send them, decode and run, hook wallets; 37 of 43 recorded hijacks show in the difference.",
    effect: "review",
    waivable: true,
  },
  "manifest-mismatch": {
    means: "package.json in the tarball contradicts the packument in name, version, dependencies, install scripts or commands.",
    why: "Clients resolve by one and run the other; of 1,291 ordinary releases compared none differs.",
    effect: "review",
    waivable: true,
  },
  "dependency-unimported": {
    means: "This release adds a young dependency that its code never names.",
    why: "axios 1.14.1 added plain-crypto-js for its install script alone and never imported it.",
    effect: "review",
    waivable: true,
  },
  "shrinkwrap-foreign": {
    means: "An npm-shrinkwrap.json in the package sends installs to another host.",
    why: "Packuments do not show it, and npm follows it for everything below the package.",
    effect: "review",
    waivable: true,
  },
  "archive-malformed": {
    means: "The tarball is made as no packer makes one: second copies, paths outside, links, data after its end.",
    why: "Where readers disagree about an archive, a scanner sees one package and a client installs another.",
    effect: "review",
    waivable: true,
  },
  "analysis-incomplete": {
    means: "Part of its code could not be read, and before it could.",
    why: "Code that ends a parser is how an analysis is walked round; a week gives others time to look.",
    effect: "hold",
    waivable: true,
  },
  "signature-invalid": {
    means: "The registry's signature, under a key cordon knows, is not over this name, version and integrity.",
    why: "A mirror or a proxy can change a document; without the registry's key it cannot sign it.",
    effect: "deny",
    waivable: false,
  },
  "attestation-invalid": {
    means: "An attestation served for it is forged, relabelled, or speaks of another version or other bytes.",
    why: "A proof of another release, or one under a wrong label, passes a verifier that looks at signatures alone.",
    effect: "deny",
    waivable: true,
  },
  "signature-dropped": {
    means: "The registry signed earlier releases, but not this one.",
    why: "The public registry signs everything, old versions too; what lacks it did not come from there.",
    effect: "review",
    waivable: true,
  },
  "provenance-dropped": {
    means: "One of the last releases came with build provenance; this one without.",
    why: "axios 1.14.0 was built by its workflow, 1.14.1 was published from a thief's machine: the registry showed it at once.",
    effect: "review",
    waivable: true,
  },
  "provenance-identity-changed": {
    means: "It was built in another repository, by another workflow, from another kind of ref or on another kind of runner.",
    why: "A stolen CI job signs what it builds: TanStack's poisoned releases came with valid provenance.",
    effect: "review",
    waivable: true,
  },
  unverifiable: {
    means: "Its signature or attestation is by a key, log or authority, or in a format, that this cordon does not know.",
    why: "New keys are rare and can be fetched; a proof nobody can check is what a forger offers.",
    effect: "hold",
    waivable: true,
  },
} as const satisfies Record<string, SignalRow>;

export type SignalId = keyof typeof SIGNALS;
