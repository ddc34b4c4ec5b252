/** The order of versions in advisories: SemVer 2.0 precedence, for texts that need not be SemVer. Never throws. */

/** A version as it is compared. Components are digits without leading zeros: as text they have any size and no rounding. */
export type Ordered = {
  readonly components: readonly [string, string, string];
  /** Dot-separated identifiers behind the components; empty = a release. */
  readonly prerelease: readonly string[];
};

/** Undefined for a text that does not begin with a number (after `v` or `=`): there is no place for it in the order. */
export function placed(text: string): Ordered | undefined {
  // reference A.3.5: "leading v/= on the package version tolerated" · "Build metadata ignored"
  const version = text
    .trim()
    .replace(/^[v=\s]+/, "")
    .split("+", 1)[0]!;
  // reference A.3.5: "≤3 numeric components, rest is a prerelease string; no separator needed; missing components = 0"
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?([^]*)$/.exec(version);
  if (!match) return undefined;
  const [, major, minor, patch, rest] = match;
  const prerelease = rest!.replace(/^[-.]/, "");
  return { components: [digits(major), digits(minor), digits(patch)], prerelease: prerelease === "" ? [] : prerelease.split(".") };
}

function digits(text = "0"): string {
  return text.replace(/^0+(?=\d)/, "");
}

/** Negative when `a` comes first. reference A.3.4: "SemVer 2.0 precedence, not npm range semantics: prereleases count". */
export function comparePlaced(a: Ordered, b: Ordered): number {
  for (let index = 0; index < 3; index++) {
    const order = compareDigits(a.components[index]!, b.components[index]!);
    if (order !== 0) return order;
  }
  // SemVer 2.0 §11.3: "a pre-release version has lower precedence than a normal version"
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (const [index, ours] of a.prerelease.entries()) {
    const theirs = b.prerelease[index];
    // §11.4.4: "A larger set of pre-release fields has a higher precedence than a smaller set, if all of the preceding identifiers are equal"
    if (theirs === undefined) return 1;
    const order = compareIdentifiers(ours, theirs);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
}

/** §11.4: numeric identifiers by number and below the others, which compare in ASCII order. */
function compareIdentifiers(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [isNumber(a), isNumber(b)];
  if (aIsNumber && bIsNumber) return compareDigits(digits(a), digits(b));
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

/** Without leading zeros the longer number is the larger one. */
function compareDigits(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
