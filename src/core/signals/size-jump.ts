/** It unpacks to much more than the releases before it did. */
import { lineOf } from "../npm/line.ts";
import { everSettled } from "./baseline.ts";
import type { Check } from "./check.ts";

/** Times the largest of those before it, and at least so many bytes more: what hijackers added measured from 11 KB up. */
const TIMES = 1.5;
const BYTES = 10_000;

export const sizeJump: Check = ({ facts }) => {
  const { release, version } = facts;
  const bytes = release?.own.bytes;
  if (!release || bytes === undefined) return undefined;
  // A new line may be built anew; only within one is a sudden growth odd.
  const line = everSettled(release).filter((one) => lineOf(one.version) === lineOf(version));
  const sizes = line.flatMap((one) => one.release.bytes ?? []);
  if (sizes.length === 0) return undefined;
  const largest = Math.max(...sizes);
  if (bytes < largest * TIMES || bytes - largest < BYTES) return undefined;
  return {
    id: "size-jump",
    effect: { kind: "note" },
    title: `it grew from ${kilobytes(largest)} to ${kilobytes(bytes)}`,
    evidence: [{ text: `unpacked ${bytes} bytes; the largest of ${line.length} before it ${largest}`, source: "registry" }],
  };
};

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000).toLocaleString("en-US")} KB`;
}
