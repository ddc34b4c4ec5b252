/**
 * The two packages `cordon doctor` installs to prove that a client really goes through this gate: a canary that must be refused and
 * a control that must arrive. Their names end in a random nonce, so nobody can have published them anywhere, and they are answered
 * here and never asked of an upstream.
 */
import { gzipSync } from "node:zlib";
import { integrityOf, integrityToShasum } from "../core/npm/integrity.ts";
import { type Instant, iso } from "../core/base/time.ts";

const CANARY_SCOPE = "@cordon-doctor";

export type Canary = { readonly kind: "refused" | "control"; readonly nonce: string };

/** `@cordon-doctor/refused-<nonce>` or `@cordon-doctor/control-<nonce>`; undefined for every other name. */
export function canaryOf(name: string): Canary | undefined {
  const match = /^@cordon-doctor\/(refused|control)-([a-z0-9]{8,40})$/.exec(name);
  return match ? { kind: match[1] as Canary["kind"], nonce: match[2]! } : undefined;
}

export function canaryName(kind: Canary["kind"], nonce: string): string {
  return `${CANARY_SCOPE}/${kind}-${nonce}`;
}

/** What the gate serves for the control: one version, published long ago, one file. */
export function control(
  nonce: string,
  tarballBase: string,
  now: Instant,
): { readonly packument: Uint8Array; readonly tarball: Uint8Array; readonly file: string } {
  const name = canaryName("control", nonce);
  const tarball = controlTarball(nonce);
  const file = `control-${nonce}-1.0.0.tgz`;
  const published = iso((now - 400 * 86_400_000) as Instant);
  const integrity = integrityOf(tarball);
  const manifest = {
    name,
    version: "1.0.0",
    dist: { integrity, shasum: integrityToShasum(integrityOf(tarball, "sha1")), tarball: `${tarballBase}${name}/-/${file}` },
  };
  const packument = {
    _id: name,
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": manifest },
    time: { created: published, modified: published, "1.0.0": published },
    modified: published,
  };
  return { packument: new TextEncoder().encode(JSON.stringify(packument)), tarball, file };
}

/** A ustar archive of one file, the same bytes every time. */
function controlTarball(nonce: string): Uint8Array {
  const content = Buffer.from(
    `${JSON.stringify({ name: canaryName("control", nonce), version: "1.0.0", description: "proves that this client goes through cordon", license: "Apache-2.0" })}\n`,
  );
  const header = Buffer.alloc(512);
  header.write("package/package.json", 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512), Buffer.alloc(1024)]);
  return gzipSync(body, { level: 9 });
}
