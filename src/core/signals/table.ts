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
  "time-contradicted": {
    means: "The registry's publish time contradicts what this gate saw.",
    why: "Publish times are unsigned; age is earned, not claimed.",
    effect: "note",
    waivable: false,
  },
} as const satisfies Record<string, SignalRow>;

export type SignalId = keyof typeof SIGNALS;
