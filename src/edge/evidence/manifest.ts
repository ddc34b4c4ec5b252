/** Manifests that no lockfile pins: their ranges may have resolved to anything a registry had, and nobody wrote down to what. */
import path from "node:path";
import { LIMITS } from "../../core/base/limits.ts";
import { tryReadText } from "../host/files.ts";
import type { Reading } from "./reading.ts";

const FIELDS = ["dependencies", "devDependencies", "optionalDependencies"];

/** `locked`: a lockfile at or above the manifest decides instead. */
export function readManifestEvidence({ see, watch, counts }: Reading, place: string, file: string, locked: boolean): void {
  if (locked) return;
  const text = tryReadText(file, LIMITS.manifestBytes);
  if (text === undefined) return;
  counts.files += 1;
  let value: unknown;
  try {
    if (typeof text !== "string") throw new Error(text.why);
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    see({ kind: "missing", place, what: `${file}: ${typeof text === "string" ? "not JSON" : (error as Error).message}` });
    return;
  }
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const declared = FIELDS.flatMap((field) => {
    const entries = fields[field];
    return typeof entries === "object" && entries !== null ? Object.entries(entries) : [];
  });
  if (declared.length === 0) {
    see({ kind: "looked", place, what: "it declares no dependencies" });
    return;
  }
  for (const [key, range] of declared) {
    if (typeof range !== "string") continue;
    const alias = /^npm:((?:@[^/@]+\/)?[^@]+)@?(.*)$/.exec(range);
    const name = alias?.[1] ?? key;
    if (watch.knows(name)) see({ kind: "range", place, file, name, range: alias === null ? range : (alias[2] ?? ""), by: "manifest" });
  }
  see({
    kind: "missing",
    place,
    what: `${path.relative(place, file) || path.basename(file)} has no lockfile: what its dependencies (${declared.length}) resolved to is not recorded`,
  });
}
