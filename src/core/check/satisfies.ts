/**
 * Whether a version answers what is asked for, as npm decides it (`semver`, loose). The usual spellings are decided here: a lockfile of
 * 20,000 entries asks 50,000 times, and semver takes a hundred times longer for each.
 */
import semver from "semver";
import type { Spec } from "../npm/ranges.ts";
import { classifySpec } from "../npm/ranges.ts";

/** Where the last number read ended; -1 when there was none. */
let end = 0;

/** The number at an offset; digits without leading zeros, few enough to be exact. */
function numberAt(text: string, at: number): number {
  let value = 0;
  let i = at;
  for (; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  end = i === at || i - at > 9 || (i - at > 1 && text.charCodeAt(at) === 0x30) ? -1 : i;
  return value;
}

const DOT = 0x2e;

/** True or false for a plain `1.2.3` against `1.2.3`, `^1.2.3`, `~1.2.3`, `>=1.2.3` and `*`; undefined for anything else. */
export function quickly(range: string, version: string): boolean | undefined {
  const major = numberAt(version, 0);
  if (end < 0 || version.charCodeAt(end) !== DOT) return undefined;
  const minor = numberAt(version, end + 1);
  if (end < 0 || version.charCodeAt(end) !== DOT) return undefined;
  const patch = numberAt(version, end + 1);
  if (end !== version.length) return undefined;

  const first = range.charCodeAt(0);
  if (first === 0x2a && range.length === 1) return true;
  const from = first === 0x5e || first === 0x7e ? 1 : first === 0x3e && range.charCodeAt(1) === 0x3d ? 2 : 0;
  const wantedMajor = numberAt(range, from);
  if (end < 0 || range.charCodeAt(end) !== DOT) return undefined;
  const wantedMinor = numberAt(range, end + 1);
  if (end < 0 || range.charCodeAt(end) !== DOT) return undefined;
  const wantedPatch = numberAt(range, end + 1);
  if (end !== range.length) return undefined;

  if (from === 0) return major === wantedMajor && minor === wantedMinor && patch === wantedPatch;
  const order = major - wantedMajor || minor - wantedMinor || patch - wantedPatch;
  if (order < 0) return false;
  if (from === 2) return true;
  if (major !== wantedMajor) return false;
  // `^0.2.3` keeps the minor, `^0.0.3` the patch.
  if (first === 0x7e || wantedMajor === 0) {
    if (minor !== wantedMinor) return false;
    return first === 0x7e || wantedMinor > 0 || patch === wantedPatch;
  }
  return true;
}

const LOOSE = { loose: true } as const;

/** `1.2.3`, `^1.2.3` and `~1.2.3` for 1.2.3: every other question of a lockfile that is up to date. */
function isItself(range: string, version: string): boolean {
  const sign = range.length - version.length;
  return (sign === 0 || (sign === 1 && (range.startsWith("^") || range.startsWith("~")))) && range.endsWith(version);
}

/** With its memory: what is asked for is asked for again and again. */
export type Asked = {
  /** Whether the version is in the range; true for what is no range. */
  holds(range: string, version: string): boolean;
  /** What a spec asks for. */
  spec(text: string): Spec;
};

export function openAsked(): Asked {
  const held = new Map<string, boolean>();
  const specs = new Map<string, Spec>();
  return {
    holds(range, version) {
      if (isItself(range, version)) return true;
      const quick = quickly(range, version);
      if (quick !== undefined) return quick;
      const key = `${version} ${range}`;
      let known = held.get(key);
      if (known === undefined) {
        known = semver.validRange(range, LOOSE) === null || semver.valid(version, LOOSE) === null || isIn(range, version);
        held.set(key, known);
      }
      return known;
    },
    spec(text) {
      let known = specs.get(text);
      if (known === undefined) specs.set(text, (known = classifySpec(text)));
      return known;
    },
  };
}

/** `*` and the empty range are answered by prereleases too. npm (dep-valid): "if the range is *, anything goes". */
function isIn(range: string, version: string): boolean {
  return /^(?:\s*|\s*[*xX]\s*)$/.test(range) || semver.satisfies(version, range, LOOSE);
}
