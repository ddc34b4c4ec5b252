/** Who built it, read from the extensions Fulcio puts into the certificate of a CI job. */
import type { Buffer } from "node:buffer";
import { present } from "../base/present.ts";
import type { BuildIdentity } from "./attested.ts";

/** Number below 1.3.6.1.4.1.57264.1 → value. */
export type Extensions = ReadonlyMap<number, Buffer>;

const GITHUB = "https://token.actions.githubusercontent.com";

/**
 * fulcio, docs/oid-info.md: 8 and up are DER UTF8Strings, 1 to 6 raw text and deprecated. The certificate's SAN is never asked: with a
 * reusable workflow it names the workflow's repository, not the one that was built. Undefined when no repository is named at all.
 */
export function identityOf(extensions: Extensions): BuildIdentity | undefined {
  const text = (number: number) => {
    const value = extensions.get(number);
    return value && utf8String(value);
  };
  const raw = (number: number) => extensions.get(number)?.toString("utf8");

  const issuer = text(8) ?? raw(1);
  // Certificates from before April 2023 name the repository as owner/name alone.
  const short = raw(5);
  const repository = text(12) ?? (issuer === GITHUB && short !== undefined ? `https://github.com/${short}` : undefined);
  if (issuer === undefined || repository === undefined) return undefined;
  return present({
    issuer,
    repository,
    repositoryId: text(15),
    ownerId: text(17),
    workflow: text(18)?.replace(/@[^@]*$/, ""),
    ref: text(14) ?? raw(6),
    commit: text(13) ?? raw(3),
    runner: text(11),
    trigger: text(20) ?? raw(2),
  });
}

/** X.690 §8.23: tag 12, a definite length of up to two bytes, and nothing behind it. */
function utf8String(value: Buffer): string | undefined {
  if (value[0] !== 0x0c || value.length < 2) return undefined;
  const first = value[1]!;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 2 || value.length < 2 + lengthBytes) return undefined;
  const length = lengthBytes === 0 ? first : value.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  return value.length === start + length ? value.toString("utf8", start) : undefined;
}
