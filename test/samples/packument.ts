/** Small packuments for tests, in the registry's shape: every digest is really the digest of something. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A manifest as the registry would list it; `extra` replaces or adds fields. */
export function manifest(name: string, version: string, extra: Record<string, Json> = {}): Record<string, Json> {
  return { name, version, dist: dist(name, version), ...extra };
}

/** `dist` of a tarball whose bytes are its own `name@version`. */
export function dist(name: string, version: string, extra: Record<string, Json> = {}): Record<string, Json> {
  const bytes = `${name}@${version}`;
  return {
    tarball: `https://registry.test/${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`,
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
    ...extra,
  };
}

/** A packument of these manifests; times go up by a day from 2020-01-01 in the order given. */
export function packument(
  name: string,
  manifests: readonly Record<string, Json>[],
  extra: Record<string, Json> = {},
): Record<string, Json> {
  const versions = Object.fromEntries(manifests.map((listed) => [String(listed["version"]), listed]));
  const time = Object.fromEntries(
    Object.keys(versions).map((version, day) => [version, new Date(Date.UTC(2020, 0, 1 + day)).toISOString()]),
  );
  const latest = Object.keys(versions).at(-1);
  return { name, "dist-tags": latest === undefined ? {} : { latest }, versions, time, ...extra };
}

/** UTF-8 JSON. */
export function bytes(value: Json): Buffer {
  return Buffer.from(JSON.stringify(value));
}
