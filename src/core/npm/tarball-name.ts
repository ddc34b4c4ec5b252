/** File names of tarballs, between the URL a packument claims, the path a client asks for, and the one version both must mean. */
import { LIMITS } from "../base/limits.ts";
import type { VersionSummary } from "./summary.ts";

// One plain path segment: no slash, no percent sign (so nothing is encoded), ASCII only, and not beginning with a dot or a dash.
const FILE = /^[A-Za-z0-9_~!'()*][A-Za-z0-9_~!'()*.+-]*$/;

/** Whether it can be the last segment of `<registry>/<name>/-/<file>`. */
function isTarballFile(file: string): boolean {
  return file.length <= LIMITS.nameChars + LIMITS.versionChars && FILE.test(file);
}

/** The file name of a `dist.tarball` URL; undefined when the URL is not http(s), carries credentials, or ends in no plain file name. */
export function tarballFile(url: string): string | undefined {
  // Checked as written: a URL parser would first resolve `..`, drop tabs and encode what we want to refuse.
  const match = /^https?:\/\/[^/?#@\s\\]+(?:\/[^?#\s\\]*)?\/([^/?#]+)(?:\?[^#\s]*)?$/.exec(url);
  const file = match?.[1];
  return file !== undefined && isTarballFile(file) && URL.canParse(url) ? file : undefined;
}

/**
 * The one listed version whose tarball has this file name; undefined when there is none or more than one. Versions are not guessed from the
 * name: `a-1.0.0-2.tgz` reads two ways, the packument only one.
 */
export function versionOfFile(versions: readonly VersionSummary[], file: string): VersionSummary | undefined {
  let found: VersionSummary | undefined;
  for (const version of versions) {
    // A cheap look first: parsing thousands of URLs for one tarball request is not.
    if (!version.tarball?.includes(file) || tarballFile(version.tarball) !== file) continue;
    if (found) return undefined;
    found = version;
  }
  return found;
}

/** Where a gate serves it; `base` ends in a slash, `file` came from `tarballFile`. */
export function tarballUrl(base: string, name: string, file: string): string {
  return `${base}${name}/-/${file}`;
}
