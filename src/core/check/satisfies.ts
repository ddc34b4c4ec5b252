/**
 * Whether a version answers what is asked for, as npm decides it (`semver`, loose). The usual spellings are decided here: a lockfile of
 * 20,000 entries asks 50,000 times, and semver takes a hundred times longer for each.
 */
import semver from "semver";
import type { Spec } from "../npm/ranges.ts";
import { classifySpec } from "../npm/ranges.ts";

/** Where what was read last ended; -1 when there was no number. */
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
const SPACE = 0x20;
const [CARET, TILDE, LESS, EQUAL, MORE] = [0x5e, 0x7e, 0x3c, 0x3d, 0x3e];
const BAR = 0x7c;

const PRERELEASE = /^([~^]?)(\d{1,9}\.\d{1,9}\.\d{1,9}-[a-z]+\.)(0|[1-9]\d{0,8})$/;

/** `^1.2.3-rc.1`, `~1.2.3-rc.1` and `1.2.3-rc.1` for another release candidate of 1.2.3: where there is a prerelease, it mostly is this. */
function amongPrereleases(range: string, version: string): boolean | undefined {
  const [wanted, own] = [PRERELEASE.exec(range), PRERELEASE.exec(version)];
  if (wanted === null || own === null || own[1] !== "" || wanted[2] !== own[2]) return undefined;
  return wanted[1] === "" ? wanted[3] === own[3] : Number(own[3]) >= Number(wanted[3]);
}

/**
 * True or false for a plain `1.2.3` against what is made of `1.2.3`, `1.2`, `1` and `1.x`, alone or after `^ ~ < <= > >= =`, side by side
 * and between `||`, and against `*`, and for prereleases that are numbered; undefined for anything else.
 */
export function quickly(range: string, version: string): boolean | undefined {
  const major = numberAt(version, 0);
  if (end < 0 || version.charCodeAt(end) !== DOT) return undefined;
  const minor = numberAt(version, end + 1);
  if (end < 0 || version.charCodeAt(end) !== DOT) return undefined;
  const patch = numberAt(version, end + 1);
  if (end !== version.length) return amongPrereleases(range, version);
  if (range === "*") return true;

  let any = false;
  let all: boolean | undefined;
  for (let at = afterSpaces(range, 0); ; at = afterSpaces(range, end)) {
    if (at === range.length || range.charCodeAt(at) === BAR) {
      if (all === undefined) return undefined;
      any ||= all;
      if (at === range.length) return any;
      if (range.charCodeAt(at + 1) !== BAR) return undefined;
      all = undefined;
      end = at + 2;
      continue;
    }
    const one = isWithin(range, at, major, minor, patch);
    if (one === undefined) return undefined;
    all = one && all !== false;
  }
}

function afterSpaces(text: string, at: number): number {
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** The number after a dot; -1 where there is none, or an `x`. Undefined for what is neither; `end` is where it ended. */
function partAt(range: string, at: number): number | undefined {
  if (range.charCodeAt(at) !== DOT) {
    end = at;
    return -1;
  }
  const sign = range.charAt(at + 1);
  if (sign === "x" || sign === "X" || sign === "*") {
    end = at + 2;
    return -1;
  }
  const part = numberAt(range, at + 1);
  return end < 0 ? undefined : part;
}

/** Whether a version fits the one comparison that begins at an offset; `end` is where that ended. */
function isWithin(range: string, at: number, major: number, minor: number, patch: number): boolean | undefined {
  const sign = range.charCodeAt(at);
  const signed = sign === CARET || sign === TILDE || sign === LESS || sign === EQUAL || sign === MORE;
  const orEqual = (sign === LESS || sign === MORE) && range.charCodeAt(at + 1) === EQUAL;
  const wantedMajor = numberAt(range, signed ? afterSpaces(range, at + (orEqual ? 2 : 1)) : at);
  if (end < 0) return undefined;
  const wantedMinor = partAt(range, end);
  if (wantedMinor === undefined) return undefined;
  const wantedPatch = partAt(range, end);
  // `1.x.3` is too odd, and so is whatever stands right behind it.
  if (wantedPatch === undefined || (wantedMinor < 0 && wantedPatch >= 0)) return undefined;
  const next = range.charCodeAt(end);
  if (end < range.length && next !== SPACE && next !== BAR) return undefined;

  const order = major - wantedMajor || minor - Math.max(0, wantedMinor) || patch - Math.max(0, wantedPatch);
  const same = major === wantedMajor && (wantedMinor < 0 || (minor === wantedMinor && (wantedPatch < 0 || patch === wantedPatch)));
  switch (sign) {
    case LESS:
      return order < 0 || (orEqual && same);
    case MORE:
      return orEqual ? order >= 0 : order > 0 && !same;
    case TILDE:
      return order >= 0 && major === wantedMajor && (wantedMinor < 0 || minor === wantedMinor);
    case CARET:
      // `^0.2.3` keeps the minor, `^0.0.3` the patch.
      if (order < 0 || major !== wantedMajor) return false;
      if (wantedMajor > 0 || wantedMinor < 0) return true;
      return minor === wantedMinor && (wantedMinor > 0 || wantedPatch < 0 || patch === wantedPatch);
    default:
      return same;
  }
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
