/**
 * What the registry's entry says about how one version was released: the part of a manifest that only young versions and those they
 * are compared with need. Everything in it is the upstream's claim; a field is absent when the entry does not say.
 */
export type Publisher = {
  readonly name?: string;
  readonly email?: string;
  /** `_npmUser.trustedPublisher`: published by a CI job without a token. `config` is its `oidcConfigId`. */
  readonly trusted?: { readonly id: string; readonly config?: string };
  /** `_npmUser.approver`: a person let a staged release go with a second factor. */
  readonly approver?: string;
};

export type Release = {
  readonly publisher?: Publisher;
  /** preinstall, install, postinstall, prepare and prepublish as written, cut at `LIMITS.scriptChars`. */
  readonly scripts?: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
  /** Name → spec. */
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly bundled?: readonly string[];
  /** Command → file. */
  readonly bin?: Readonly<Record<string, string>>;
  /** `host/owner/name`, normalised: lower case, no scheme, no `.git`. */
  readonly repository?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly files?: number;
  /** `dist.unpackedSize`. */
  readonly bytes?: number;
  readonly shrinkwrap?: boolean;
  readonly gitHead?: string;
  /** `dist.signatures`, over `name@version:integrity`. */
  readonly signatures?: readonly { readonly keyid: string; readonly sig: string }[];
  /** `dist.attestations`. */
  readonly attestations?: { readonly url?: string; readonly provenance?: string };
};
