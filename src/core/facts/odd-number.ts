/** What the number of a version says beside those published before it: facts of order, no opinions. */
import { HOUR, type Instant } from "../base/time.ts";

export type OddNumber =
  /** It leaves out at least one major number. */
  | { readonly kind: "skips"; readonly from: string }
  /** The first of its major number, and not its x.0.0. */
  | { readonly kind: "begins-late"; readonly from: string }
  /** A higher one of the same major and minor number stood already. */
  | { readonly kind: "below"; readonly from: string };

/** One listed version; `numbers`: major, minor, patch. */
export type Numbered = {
  readonly version: string;
  readonly start: Instant;
  readonly stable: boolean;
  readonly numbers: readonly [number, number, number];
};

/** From here on the major number is a year or a day. */
const CALENDAR = 1_000;

/** `before`: everything published earlier, in any order. Prereleases are numbered by what they lead to, so nothing is said of them. */
export function oddNumber(own: Numbered, before: readonly Numbered[]): OddNumber | undefined {
  if (!own.stable) return undefined;
  const [major, minor, patch] = own.numbers;
  let highest: Numbered | undefined;
  let above: Numbered | undefined;
  let begun = false;
  for (const one of before) {
    if (!one.stable) continue;
    begun ||= one.numbers[0] === major;
    if (!highest || isAbove(one, highest)) highest = one;
    const [itsMajor, itsMinor, itsPatch] = one.numbers;
    const stood = itsMajor === major && itsMinor === minor && itsPatch > patch && one.start <= own.start - HOUR;
    if (stood && (!above || itsPatch > above.numbers[2])) above = one;
  }
  if (!highest) return undefined;
  if (above) return { kind: "below", from: above.version };
  const last = highest.numbers[0];
  if (begun || major < last || major >= CALENDAR) return undefined;
  if (major > last + 1) return { kind: "skips", from: highest.version };
  return minor + patch > 0 ? { kind: "begins-late", from: highest.version } : undefined;
}

function isAbove({ numbers: a }: Numbered, { numbers: b }: Numbered): boolean {
  return (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) > 0;
}

/** Zeroes where the text is no version. */
export function numbersOf(version: string): Numbered["numbers"] {
  const [, major = 0, minor = 0, patch = 0] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}
