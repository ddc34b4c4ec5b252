/**
 * Every ceiling on what comes from outside: sizes in bytes, counts, depths, and waits in milliseconds.
 * One place, so that a reviewer can see them all. Each line says why the figure is what it is.
 */
import { DAY, HOUR, MINUTE, SECOND } from "./time.ts";

export const LIMITS = {
  /** Decoded packument. The largest real one measured is 21 MB; ten times that is an attack or a mistake. */
  packumentBytes: 200_000_000,
  /** Versions in one packument. The largest real one measured has 3,478. */
  packumentVersions: 50_000,
  /** Dist-tags in one packument; some projects tag every canary. */
  packumentTags: 5_000,
  /** One version's manifest inside a packument. */
  manifestBytes: 2_000_000,
  /** Nesting of any JSON from outside; a manifest that is deeper is withheld, a document that is deeper is refused. */
  jsonDepth: 200,
  /** Compressed tarball; the registry's own ceiling is not published, the largest well-known one is about 200 MB. */
  tarballBytes: 1_000_000_000,
  /** Up to this size the digest is verified before the first byte of the answer; above it the tail is held back. */
  tarballBufferBytes: 8_000_000,
  /** Bytes held back at the end of a larger tarball until its digest is known. */
  tarballTailBytes: 256_000,
  /** Body a client may send us: the bulk audit list of a very large project is under 2 MB. */
  requestBytes: 20_000_000,
  /** A small upstream answer (keys, attestations, audit, search). */
  upstreamAnswerBytes: 50_000_000,
  /** Wait for an upstream's response headers. */
  upstreamHeadersMs: 30 * SECOND,
  /** Wait between two chunks of an upstream body. */
  upstreamIdleMs: 30 * SECOND,
  /** Whole transfer of one packument. */
  upstreamPackumentMs: 2 * MINUTE,
  /** Whole transfer of one tarball. */
  upstreamTarballMs: 15 * MINUTE,
  /** Tries of one upstream request, the first included. */
  upstreamTries: 3,
  /** First pause before a retry; doubled each time. */
  upstreamBackoffMs: 200,
  /** Redirects followed for a tarball; none are followed for packuments. */
  tarballRedirects: 3,
  /** Upstream requests in flight from one gate. */
  upstreamInFlight: 64,
  /** Names fetched ahead for one answered packument, and how deep. */
  fetchAheadNames: 64,
  fetchAheadDepth: 2,
  /** Tag values remembered for one tag. */
  tagHistory: 50,
  /** Bytes of finished packuments held in memory. */
  hotCacheBytes: 48_000_000,
  /** Wait for in-flight answers after SIGTERM. */
  drainMs: 30 * SECOND,
  /** Ledger rows are committed together at most this long after the first. */
  groupCommitMs: 10,
  /** A lockfile; the largest real one measured is 10.6 MB. */
  lockfileBytes: 100_000_000,
  /** A configuration file: npmrc, cordon.yaml, bunfig. */
  configBytes: 1_000_000,
  /** Files looked at while reading an installed tree. */
  installedEntries: 500_000,
  /** Text of one reason phrase, header or notice. */
  phraseChars: 200,
  /** The longest a waiver, freeze or monitor mode may last. */
  waiverMs: 90 * DAY,
  /** Two absences at least this far apart count as gone. */
  absenceMs: 10 * MINUTE,
  /** A version first seen at least this long ago may be served before its tarball was analysed. */
  matureMs: 14 * DAY,
  /** A connection through the guard that carries nothing. */
  guardIdleMs: HOUR,
} as const;
