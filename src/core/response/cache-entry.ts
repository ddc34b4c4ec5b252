/** Which client's cache a piece of evidence lies in, told by its path alone: that decides how one version is taken out of it. */
import type { Evidence } from "../exposure/judge.ts";
import { type Form, FORMS } from "../exposure/sighting.ts";
import type { CacheKind } from "./plan.ts";

/** In what form it was seen; undefined for artefacts and tells, which are no version's own. */
export function formOf({ text, name, version }: Evidence): Form | undefined {
  if (name === undefined || version === undefined) return undefined;
  const said = text.startsWith(`${name}@${version}: `) ? text.slice(name.length + version.length + 3) : text;
  return (Object.keys(FORMS) as Form[]).find((form) => said.startsWith(FORMS[form].says));
}

/** Seen in this form, the version is still there; in any other form only a record of it is. */
const STANDING: ReadonlySet<Form> = new Set(["hidden-lockfile", "folder", "image-file", "cache", "store", "lockfile"]);

export function isStanding(evidence: Evidence): boolean {
  const form = formOf(evidence);
  return form !== undefined && STANDING.has(form);
}

const SHAPES: readonly (readonly [CacheKind, RegExp])[] = [
  ["npm", /\/index-v5\/[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]+$/],
  ["pnpm", /\/v\d+\/index\/[0-9a-f]{2}\/[^/]+\.json$/],
  ["pnpm", /\/v\d+\/files\/[0-9a-f]{2}\/[0-9a-f]{126}-index\.json$/],
  ["yarn", /\/v\d+\/npm-[^/]+-\d[^/]*$/],
  ["yarn-berry", /\/[^/]+-npm-\d[^/]*\.zip$/],
  ["bun", /\/[^/]+@\d[^/]*@@[^/]*$/],
  ["deno", /\/npm\/[^/]+\/(?:@[^/]+\/)?[^/]+\/\d[^/]*$/],
];

/** Undefined where cordon knows no way to take one version out: pnpm's database, a layer of an image. */
export function cacheOf(evidence: Evidence): CacheKind | undefined {
  const form = formOf(evidence);
  if (form !== "cache" && form !== "store") return undefined;
  const file = evidence.file.replaceAll("\\", "/");
  return SHAPES.find(([, shape]) => shape.test(file))?.[0];
}
