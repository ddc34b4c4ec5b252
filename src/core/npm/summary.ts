/**
 * The shape of what one packument says, small enough to cross a thread and to be stored: no manifests, only what decisions need.
 * Built by `readPackument` (`packument.ts`) from the raw bytes; everything in it is the upstream's claim.
 */
import type { Release } from "./release.ts";

/** One listed version, as claimed. Fields are absent when the document does not say. */
export type VersionSummary = {
  readonly version: string;
  /** SRI string exactly as published; absent on very old versions. */
  readonly integrity?: string;
  /** Hex sha1. */
  readonly shasum?: string;
  /** Absolute URL exactly as published. */
  readonly tarball?: string;
  /** The registry's publish time, exactly as written. */
  readonly time?: string;
  /** Present and non-empty when the version is deprecated. */
  readonly deprecated?: string;
  /**
   * What an install of this version must also fetch: name → spec. `dependencies` + exact-pinned `optionalDependencies` +
   * peers not marked optional in `peerDependenciesMeta`, less `bundleDependencies`. Absent when empty.
   */
  readonly requires?: Readonly<Record<string, string>>;
  /** True when the manifest has preinstall, install or postinstall, or says `gypfile`/`hasInstallScript`. */
  readonly scripts?: boolean;
};

/** A version that cannot be served as it stands, named, while its siblings are served. */
export type VersionProblem = { readonly version: string; readonly reason: string };

export type PackumentSummary = {
  readonly name: string;
  /** sha256 of the decoded upstream bytes, base64url. */
  readonly digest: string;
  /** Size of the decoded upstream bytes. */
  readonly bytes: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: readonly VersionSummary[];
  readonly problems: readonly VersionProblem[];
  /** False when the document carries no usable `time` map at all (many mirrors). */
  readonly timed: boolean;
  /** Set when the registry says the whole package was unpublished. */
  readonly unpublished?: string;
  /** By version: how the young ones were released, and those they are compared with (`release-choice.ts`). Absent when there are none. */
  readonly releases?: Readonly<Record<string, Release>>;
};

export type PackumentReading =
  | { readonly kind: "packument"; readonly summary: PackumentSummary }
  | { readonly kind: "unreadable"; readonly reason: string; readonly offset?: number };

/** Which document a client asked for. `manifest` is one version's full manifest (`GET /name/version`). */
export type PackumentForm = "full" | "abbreviated";

/** How the answer is to differ from what the upstream sent. Everything not named here passes through byte for byte. */
export type RenderPlan = {
  readonly form: PackumentForm;
  /** Versions left out; problem versions are always left out. */
  readonly withheld: readonly string[];
  /** The complete dist-tags of the answer. */
  readonly tags: Readonly<Record<string, string>>;
  /** Start of age of every served version, ISO; a version missing here keeps no entry and must not be served. */
  readonly time: Readonly<Record<string, string>>;
  /** Tarball URLs become `${tarballBase}${name}/-/${file}`, e.g. base `http://localhost:4870/p/site/npm/`. */
  readonly tarballBase: string;
  /** `dist.attestations.url` becomes `${attestationsBase}-/npm/v1/attestations/…`. */
  readonly attestationsBase: string;
  /** npm's own channel for policy refusals: message, and the withheld versions it applies to. Absent = field absent. */
  readonly restrictions?: { readonly message: string; readonly versions: readonly string[] };
};

/** A finished answer. */
export type RenderedPackument = {
  /** gzip of the body. */
  readonly gzip: Uint8Array;
  /** Length of the body before compression. */
  readonly length: number;
  /** Strong entity tag with quotes: over the body and nothing else. */
  readonly etag: string;
};
