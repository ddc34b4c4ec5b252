/** Where packages come from: an explicit setting, else npm's user and global configuration, else npm's public registry. Says which, and what it did not follow. */
import { X509Certificate } from "node:crypto";
import { Fault } from "../../core/base/fault.ts";
import { printable, redact } from "../../core/base/text.ts";
import { NPM_REGISTRY } from "../../core/config/constants.ts";
import { nerfDart, readBase, type Credential } from "../../core/npm/npmrc.ts";
import { isLoopbackHost } from "./addresses.ts";
import { readNpmSettings, readSmall, type NpmPlace } from "./npm-files.ts";
import { readProxies, type Proxies } from "./proxies.ts";
import type { ClientCertificate } from "./transport.ts";

/** What flags, environment and cordon.yaml say of the upstream; all optional. */
export type UpstreamSettings = {
  readonly url?: string | undefined;
  /** What `url` came from, for people: `--upstream`, `CORDON_UPSTREAM`, a path. */
  readonly from?: string | undefined;
  /** The default upstream is the company's own: private names may be asked of it. */
  readonly private?: boolean | undefined;
  /** By scope, `@acme`. Without `url` the scope's registry is the one npm's configuration names. */
  readonly scopes?: Readonly<Record<string, { readonly url?: string | undefined; readonly private?: boolean | undefined }>> | undefined;
  /** Name globs that are never asked of an upstream not declared private. */
  readonly privateNames?: readonly string[] | undefined;
  /** Hosts a tarball may lie on or be redirected to: `host`, `host:port`, `*.host`. */
  readonly redirects?: readonly string[] | undefined;
};

/** One registry. `url` ends in a slash and carries no credentials. */
export type Base = { readonly url: string; readonly private: boolean; readonly source: string };

export type UpstreamCredential = Pick<Credential, "at" | "authorization"> & { readonly certificate?: ClientCertificate };

export type UpstreamConfig = {
  readonly base: Base;
  readonly scopes: ReadonlyMap<string, Base>;
  readonly privateNames: readonly string[];
  readonly redirects: readonly string[];
  readonly credentials: readonly UpstreamCredential[];
  readonly proxies: Proxies;
  /** PEM texts that replace Node's own authorities; empty = none. */
  readonly ca: readonly string[];
  /** What was read and not followed, or is weak: one sentence each, without secrets. */
  readonly notes: readonly string[];
};

/** Throws CONFIG_INVALID when a registry, proxy or certificate cannot be used as written: another one must not be guessed in its place. */
export async function resolveUpstream(settings: UpstreamSettings, place: NpmPlace): Promise<UpstreamConfig> {
  const npm = await readNpmSettings(place);
  const notes: string[] = [];
  for (const problem of npm.problems) {
    const line = redact(printable(`${problem.source}: ${problem.key} ${problem.message}`));
    // An explicit upstream takes the place of a broken `registry`, never of a broken scope.
    if (problem.blocking && !(problem.key === "registry" && settings.url !== undefined)) throw new Fault("CONFIG_INVALID", line);
    notes.push(line);
  }

  const written: UpstreamCredential[] = [];
  function explicit(text: string, source: string, isPrivate: boolean): Base {
    const read = readBase(text);
    if (read === undefined) throw new Fault("CONFIG_INVALID", `${source}: the upstream is not an http(s) address`);
    // npm's own rule for credentials in a URL: they count under that URL.
    if (read.authorization) written.push({ at: nerfDart(read.url), authorization: read.authorization });
    return { url: read.url, private: isPrivate, source };
  }

  const from = settings.from ?? "the upstream setting";
  const isPrivate = settings.private ?? false;
  const base: Base =
    settings.url !== undefined
      ? explicit(settings.url, from, isPrivate)
      : npm.registry !== undefined
        ? { ...npm.registry, private: isPrivate }
        : { url: NPM_REGISTRY, private: isPrivate, source: "npm's default" };

  const scopes = new Map<string, Base>();
  const privateNames = [...(settings.privateNames ?? [])];
  for (const [scope, { url, source }] of npm.scopes) scopes.set(scope, { url, source, private: false });
  for (const [name, own] of Object.entries(settings.scopes ?? {})) {
    const scope = name.toLowerCase();
    if (!/^@[^/]+$/.test(scope)) throw new Fault("CONFIG_INVALID", `${printable(name)} is not a scope; write @name`);
    const fromNpm = scopes.get(scope);
    if (own.url !== undefined) scopes.set(scope, explicit(own.url, `scopes ${scope}`, own.private ?? false));
    else if (fromNpm) scopes.set(scope, { ...fromNpm, private: own.private ?? false });
    else if (own.private) privateNames.push(`${scope}/*`);
    else throw new Fault("CONFIG_INVALID", `scopes ${scope}: names neither a url nor private`);
  }

  for (const each of [base, ...scopes.values()])
    if (each.url.startsWith("http:") && !isLoopbackHost(new URL(each.url).hostname))
      notes.push(`${each.source}: ${each.url} is plain http; anyone on the way can read and change what it sends`);

  return {
    base,
    scopes,
    privateNames,
    redirects: settings.redirects ?? [],
    credentials: [...written, ...(await Promise.all(npm.credentials.map((each) => withCertificate(each, notes))))],
    proxies: readProxies(place.env, npm),
    ca: usable("cafile", npm.cafile === undefined ? npm.ca : await pem(npm.cafile, "cafile", notes), (texts) =>
      texts.map((text) => new X509Certificate(text)),
    ),
    notes,
  };
}

async function withCertificate({ at, authorization, certificate }: Credential, notes: string[]): Promise<UpstreamCredential> {
  const [cert] = certificate ? await pem(certificate.certfile, `${at}:certfile`, notes) : [];
  const [key] = certificate ? await pem(certificate.keyfile, `${at}:keyfile`, notes) : [];
  if (cert === undefined || key === undefined) return { at, ...(authorization && { authorization }) };
  const { createSecureContext } = await import("node:tls");
  const pair = usable(`${at}:certfile`, { cert, key }, createSecureContext);
  return { at, certificate: pair, ...(authorization && { authorization }) };
}

/** `value`, once `check` accepts it: a broken file is said when it is read, not at the first request. */
function usable<T>(key: string, value: T, check: (value: T) => unknown): T {
  try {
    check(value);
    return value;
  } catch (error) {
    throw new Fault(
      "CONFIG_INVALID",
      `${key} holds no certificate that can be used (${(error as NodeJS.ErrnoException).code ?? "not PEM"})`,
    );
  }
}

/** A PEM file's text, or nothing when it is not there: npm goes on without it too, and without it nothing more is trusted. */
async function pem(path: string, key: string, notes: string[]): Promise<readonly string[]> {
  const text = await readSmall(path, key);
  if (text === undefined) notes.push(`${key}: there is no file ${path}`);
  return text === undefined ? [] : [text];
}
