/** Bills of materials: what somebody says an artefact was built from. */
import { LIMITS } from "../../core/base/limits.ts";
import { readSbom } from "../../core/interchange/sbom.ts";
import { tryReadText } from "../host/files.ts";
import type { Reading } from "./reading.ts";

/** Names under which they are usually kept: `bom.json`, `sbom-app.json`, `app.cdx.json`, `app.spdx.json`. */
export const SBOM_NAME = /^(?:s?bom\b.*|.*\.(?:cdx|spdx|s?bom))\.json$|^(?:cyclonedx|spdx)\b.*\.json$/i;

export function readSbomEvidence({ see, watch, counts }: Reading, place: string, file: string): void {
  const text = tryReadText(file, LIMITS.lockfileBytes);
  if (typeof text !== "string") {
    see({ kind: "missing", place, what: `${file}: ${text?.why ?? "gone while it was read"}` });
    return;
  }
  counts.files += 1;
  const { packages, problems } = readSbom(text);
  counts.entries += packages.length;
  for (const { name, version, integrity } of packages)
    if (watch.hits(name, version ?? "", integrity))
      see({ kind: "package", place, form: "sbom", file, name, version: version ?? "", ...(integrity !== undefined && { integrity }) });
  for (const problem of problems.slice(0, 3)) see({ kind: "missing", place, what: `${file}: ${problem}` });
  if (packages.length > 0)
    see({ kind: "looked", place, what: `the bill of materials lists none of them (${packages.length} npm packages)` });
}
