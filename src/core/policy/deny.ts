/** Deny entries: a version, a whole name, or bytes under any name. In force until removed. */
import { canonical, sha256 } from "../base/digest.ts";
import { Fault } from "../base/fault.ts";
import type { Instant } from "../base/time.ts";
import { digestsOf } from "../facts/digests.ts";
import { isPackageName } from "../npm/name.ts";
import { isVersion } from "../npm/ranges.ts";
import type { Deny } from "./policy.ts";
import { ownedText } from "./owned.ts";

export type DenyRequest = {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly owner: string;
  readonly reason: string;
  readonly now: Instant;
};

/** Throws Fault USAGE when it names nothing, or something that cannot exist. */
export function makeDeny({ name, version, integrity, owner, reason, now }: DenyRequest): Deny {
  if (name === undefined && integrity === undefined) throw new Fault("USAGE", "a deny names a package, its bytes, or both");
  if (name !== undefined && !isPackageName(name)) throw new Fault("NAME_INVALID", `no package can be called ${JSON.stringify(name)}`);
  if (version !== undefined && (name === undefined || !isVersion(version)))
    throw new Fault("USAGE", `a deny names an exact version of a package, not ${JSON.stringify(version)}`);
  if (integrity !== undefined && digestsOf(integrity).length === 0)
    throw new Fault("USAGE", `${JSON.stringify(integrity)} is not an integrity such as sha512-…`);
  const deny = {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(integrity === undefined ? {} : { integrity }),
    owner: ownedText("owner", owner),
    reason: ownedText("reason", reason),
    created: now,
  };
  return { id: `d-${sha256(canonical(deny)).slice(0, 10)}`, ...deny };
}

export function activeDenies(denies: readonly Deny[]): readonly Deny[] {
  return denies.filter((deny) => deny.removed === undefined);
}

/** By name (and version, where it names one), or by any digest known for the bytes. */
export function isDenied(
  deny: Deny,
  subject: { readonly name: string; readonly version: string; readonly digests: readonly string[] },
): boolean {
  if (deny.name === subject.name && (deny.version === undefined || deny.version === subject.version)) return true;
  return deny.integrity !== undefined && digestsOf(deny.integrity).some((digest) => subject.digests.includes(digest));
}
