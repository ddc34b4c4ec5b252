/** What the tests of judging share about versions that are served without judging their package. */
import { expect } from "vitest";
import { LIMITS } from "../../src/core/base/limits.ts";
import type { PackageRecord } from "../../src/core/facts/history.ts";
import { awaitsInspection, type JudgeInput, judgeVersion, plainIntegrity } from "../../src/core/policy/judge.ts";

/**
 * Holds the cheap look to the close one: whatever version it lets pass is allowed by itself, with the digest it is judged by, is
 * mature, and waits for no look at its bytes. Returns how many it let pass.
 */
export function expectPlainAllowed(record: PackageRecord, given: JudgeInput): number {
  const { lookup: _lookup, ...pinned } = given;
  let plain = 0;
  for (const { version } of record.summary.versions) {
    const integrity = plainIntegrity(record, version, given);
    if (integrity === undefined) continue;
    plain += 1;
    const { facts, verdict } = judgeVersion(record, version, pinned)!;
    expect({ ...verdict, integrity: facts.integrity }).toMatchObject({
      action: "allow",
      reasons: [],
      waived: [],
      monitored: false,
      integrity,
    });
    expect(awaitsInspection(facts, given.now)).toBe(false);
    expect(given.now - facts.start).toBeGreaterThanOrEqual(LIMITS.matureMs);
  }
  return plain;
}
