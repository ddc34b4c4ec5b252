/**
 * The line a version belongs to: those an upgrade within a caret range leads through, or the prereleases of one kind. Reads the text
 * alone, because it is asked of every version of packages that have thousands.
 */

/** `1` for 1.14.1, `0.30` for 0.30.4, `-canary` for 15.0.0-canary.3: prereleases of one kind follow each other across numbers. */
export function lineOf(version: string): string {
  const parts = VERSION.exec(version);
  if (!parts) return "";
  const [, major, minor, prerelease] = parts;
  if (prerelease !== undefined) return `-${/[a-z]+/i.exec(prerelease)?.[0].toLowerCase() ?? ""}`;
  return major === "0" ? `0.${minor}` : major!;
}

export function isPrerelease(version: string): boolean {
  return isPrereleaseLine(lineOf(version));
}

export function isPrereleaseLine(line: string): boolean {
  return line.startsWith("-");
}

const VERSION = /^(\d+)\.(\d+)\.\d+(?:-([^+]+))?/;
