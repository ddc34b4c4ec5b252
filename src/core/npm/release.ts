/**
 * What the registry's entry says about how one version was released: the part of a manifest that only young versions and those they
 * are compared with need. Everything in it is the upstream's claim; a field is absent when the entry does not say, or says it in a
 * shape npm's clients would not understand.
 */
import { LIMITS } from "../base/limits.ts";
import { present } from "../base/present.ts";
import { unscoped } from "./name.ts";

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
  /** `hasInstallScript`: an install runs something; all that an abbreviated document tells of it. */
  readonly installs?: boolean;
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

/** Reads what stands in one manifest. Never throws; what has the wrong type or is too large is left out. */
export function readRelease(manifest: unknown): Release {
  if (!isRecord(manifest)) return {};
  const dist = isRecord(manifest["dist"]) ? manifest["dist"] : {};
  return present({
    publisher: readPublisher(manifest["_npmUser"]),
    scripts: readScripts(manifest["scripts"]),
    gypfile: manifest["gypfile"] === true || undefined,
    installs: manifest["hasInstallScript"] === true || undefined,
    dependencies: readMap(manifest["dependencies"]),
    optionalDependencies: readMap(manifest["optionalDependencies"]),
    peerDependencies: readMap(manifest["peerDependencies"]),
    bundled: readNames(manifest["bundleDependencies"]) ?? readNames(manifest["bundledDependencies"]),
    bin: readBin(manifest["bin"], text(manifest["name"])),
    repository: readRepository(manifest["repository"]),
    engines: readMap(manifest["engines"]),
    files: count(dist["fileCount"]),
    bytes: count(dist["unpackedSize"]),
    shrinkwrap: manifest["_hasShrinkwrap"] === true || undefined,
    gitHead: text(manifest["gitHead"]),
    signatures: readSignatures(dist["signatures"]),
    attestations: readAttestations(dist["attestations"]),
  });
}

function readPublisher(user: unknown): Publisher | undefined {
  if (!isRecord(user)) return undefined;
  const { trustedPublisher, approver } = user;
  const id = isRecord(trustedPublisher) ? text(trustedPublisher["id"]) : undefined;
  const config = isRecord(trustedPublisher) ? text(trustedPublisher["oidcConfigId"]) : undefined;
  return present({
    name: text(user["name"]),
    email: text(user["email"]),
    trusted: id === undefined ? undefined : present({ id, config }),
    approver: isRecord(approver) ? text(approver["name"]) : text(approver),
  });
}

/** Those that npm runs for somebody who installs the package: from a registry the first three, from git the others too. */
const RUN_BY_INSTALL = ["preinstall", "install", "postinstall", "prepublish", "prepare"];

function readScripts(scripts: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(scripts)) return undefined;
  const kept = RUN_BY_INSTALL.flatMap((name) => {
    const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
    return typeof script === "string" && script !== "" ? [[name, script.slice(0, LIMITS.scriptChars)] as const] : [];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function readMap(map: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(map)) return undefined;
  const kept = Object.entries(map)
    .slice(0, LIMITS.releaseEntries)
    .flatMap(([key, value]) => (isSafe(key) && typeof value === "string" ? [[key, cut(value)] as const] : []));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function readNames(names: unknown): readonly string[] | undefined {
  if (!Array.isArray(names)) return undefined;
  const kept = names.slice(0, LIMITS.releaseEntries).filter((name): name is string => typeof name === "string" && isSafe(name));
  return kept.length === 0 ? undefined : kept;
}

/** package.json docs, bin: a string is the file of a command named after the package, without its scope. */
function readBin(bin: unknown, name: string | undefined): Readonly<Record<string, string>> | undefined {
  return typeof bin === "string" ? (name === undefined ? undefined : readMap({ [unscoped(name)]: bin })) : readMap(bin);
}

/** package.json docs, repository: an object with `url`, a URL, or `owner/name` on GitHub, or `host:owner/name`. */
function readRepository(repository: unknown): string | undefined {
  const url = text(isRecord(repository) ? repository["url"] : repository);
  if (url === undefined) return undefined;
  const short = /^(?:(github|gitlab|bitbucket):)?([\w.-]+\/[\w.-]+)$/i.exec(url);
  const long = /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([\w.-]+\.[a-z]+)(?::\d+)?[:/]+([^#?]+)/i.exec(url);
  const place = short ? `${HOSTS[short[1]?.toLowerCase() ?? "github"]}/${short[2]}` : long && `${long[1]}/${long[2]}`;
  return place
    ?.toLowerCase()
    .replace(/\/(?:tree|blob)\/.*$/, "")
    .replace(/(?:\.git)?\/*$/, "");
}

const HOSTS: Readonly<Record<string, string>> = { github: "github.com", gitlab: "gitlab.com", bitbucket: "bitbucket.org" };

function readSignatures(signatures: unknown): Release["signatures"] {
  if (!Array.isArray(signatures)) return undefined;
  const kept = signatures.slice(0, LIMITS.releaseSignatures).flatMap((one: unknown) => {
    const keyid = isRecord(one) ? text(one["keyid"]) : undefined;
    const sig = isRecord(one) ? text(one["sig"]) : undefined;
    return keyid === undefined || sig === undefined ? [] : [{ keyid, sig }];
  });
  return kept.length === 0 ? undefined : kept;
}

function readAttestations(attestations: unknown): Release["attestations"] {
  if (!isRecord(attestations)) return undefined;
  const { url, provenance } = attestations;
  return present({ url: text(url), provenance: isRecord(provenance) ? text(provenance["predicateType"]) : undefined });
}

/** Text that says something, cut where nobody would read on. */
function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? cut(value) : undefined;
}

function cut(value: string): string {
  return value.slice(0, LIMITS.releaseTextChars);
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function isSafe(key: string): boolean {
  return key !== "" && key !== "__proto__" && key.length <= LIMITS.nameChars;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
