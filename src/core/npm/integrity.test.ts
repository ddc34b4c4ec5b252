import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  compareIntegrity,
  integrityOf,
  integrityOfVersion,
  integrityToShasum,
  integrityVerifier,
  parseIntegrity,
  shasumToIntegrity,
} from "./integrity.ts";

const one = Buffer.from("one");
const two = Buffer.from("two");
const sha512 = integrityOf(one);
const sha1 = integrityOf(one, "sha1");

test("the strongest of several algorithms counts; unknown ones are named", () => {
  expect(parseIntegrity(`${sha1} ${sha512} md5-AAAA`)).toMatchObject({ kind: "integrity", algorithm: "sha512", ignored: ["md5"] });
  expect(parseIntegrity("md5-AAAA")).toEqual({ kind: "none", ignored: ["md5"] });
  expect(parseIntegrity("")).toEqual({ kind: "none", ignored: [] });
  expect(parseIntegrity(`${sha512}?type=tgz`)).toMatchObject({ kind: "integrity" });
});

test("what is not algorithm-base64 of the right length is malformed", () => {
  const { length } = sha512;
  for (const bad of [
    "sha512",
    "sha512-",
    sha512.slice(0, length - 4),
    `${sha512}=`,
    sha512.replace("sha512", "sha256"),
    "sha512-é",
    sha1.replace("=", ""),
    `${sha512}, ${sha1}`,
  ])
    expect(parseIntegrity(bad).kind, bad).toBe("malformed");
  // Two spellings of the same last bits: only one is base64 of the bytes.
  const loose = sha1.replace(/.=$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=`);
  expect(parseIntegrity(loose).kind).toBe("malformed");
});

test("comparison never lets a weaker algorithm answer for a stronger one", () => {
  expect(compareIntegrity(sha512, sha512)).toBe("same");
  expect(compareIntegrity(`${sha1} ${sha512}`, sha512)).toBe("same");
  expect(compareIntegrity(sha512, integrityOf(two))).toBe("different");
  expect(compareIntegrity(sha512, sha1)).toBe("incomparable");
  expect(compareIntegrity(`${sha512} ${sha1}`, sha1)).toBe("incomparable");
  expect(compareIntegrity(`${sha512} ${sha1}`, integrityOf(two, "sha1"))).toBe("different");
  expect(compareIntegrity(sha512, "nonsense")).toBe("incomparable");
  // A second digest beside the known one would let other bytes pass.
  expect(compareIntegrity(sha512, `${sha512} ${integrityOf(two)}`)).toBe("different");
});

test("comparison is symmetric", () => {
  const word = fc.constantFrom(sha512, sha1, integrityOf(two), integrityOf(two, "sha1"), integrityOf(one, "sha384"), "md5-AAAA", "?");
  const text = fc.array(word, { maxLength: 3 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(compareIntegrity(a, b)).toBe(compareIntegrity(b, a));
    }),
  );
});

/** The verdict on bytes that arrive in pieces. */
function verified(bytes: Uint8Array, integrity: string) {
  const verifier = integrityVerifier(integrity);
  for (const byte of bytes) verifier.update(Uint8Array.of(byte));
  return verifier.result();
}

test("bytes match by the strongest algorithm only; their sha512 is told whatever was wanted", () => {
  expect(verified(one, `${sha1} ${sha512}`)).toEqual({ ok: true, sha512 });
  expect(verified(one, sha1)).toEqual({ ok: true, sha512 });
  expect(verified(one, `${sha1} ${integrityOf(two)}`)).toEqual({ ok: false, sha512 });
  expect(verified(one, "md5-AAAA")).toEqual({ ok: false, sha512 });
});

test("shasums and sha1 integrity are two spellings of one thing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (digest) => {
      const hex = Buffer.from(digest).toString("hex");
      expect(integrityToShasum(shasumToIntegrity(hex.toUpperCase())!)).toBe(hex);
    }),
  );
  expect(shasumToIntegrity("a")).toBeUndefined();
  expect(integrityToShasum(sha512)).toBeUndefined();
});

test("a version without usable integrity is held to its shasum", () => {
  expect(integrityOfVersion({ integrity: sha512, shasum: "00".repeat(20) })).toBe(sha512);
  expect(integrityOfVersion({ integrity: "md5-AAAA", shasum: integrityToShasum(sha1)! })).toBe(sha1);
  expect(integrityOfVersion({})).toBeUndefined();
});
