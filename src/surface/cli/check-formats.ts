/** A check's report in the formats other tools read; each is loaded when it is asked for. */
import type { Checked } from "../../app/check.ts";
import type { CheckedSince } from "../../app/check-since.ts";
import { Fault } from "../../core/base/fault.ts";
import type { Instant } from "../../core/base/time.ts";
import type { CheckedPackage } from "../../core/check/finding.ts";

export const FORMATS = ["text", "json", "sarif", "cyclonedx", "spdx", "openvex", "junit", "markdown"] as const;
export type Format = (typeof FORMATS)[number];

/** `at` and `author` are written where a format demands a time and a name. */
export async function written(
  format: Exclude<Format, "text">,
  result: Checked | CheckedSince,
  { at, author }: { readonly at: Instant; readonly author: string },
): Promise<string> {
  const { report } = result;
  switch (format) {
    case "json":
      return json({ schema: "cordon.check/1", ...report, ...("changes" in result ? { changes: result.changes } : {}) });
    case "sarif":
      return json((await import("../../core/interchange/sarif.ts")).sarifOfCheck(report));
    case "cyclonedx":
      return json((await import("../../core/interchange/cyclonedx.ts")).cyclonedxOf(report, await inventory(result)));
    case "spdx":
      return json((await import("../../core/interchange/spdx.ts")).spdxOf(report, await inventory(result), at));
    case "openvex":
      return vex((await import("../../core/interchange/openvex.ts")).vexOf(report, await inventory(result), { author, at }));
    case "junit":
      return (await import("../../core/interchange/junit.ts")).junitOf(report);
    case "markdown":
      return "changes" in result
        ? (await import("../../core/interchange/change-markdown.ts")).changeMarkdown(result.changes, report)
        : (await import("../../core/interchange/markdown.ts")).markdownOf(report);
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** OpenVEX demands at least one statement. */
function vex(document: unknown): string {
  if (document === undefined)
    throw new Fault("USAGE", "no advisory speaks of these packages, and an OpenVEX document must say something: nothing is written");
  return json(document);
}

/** Of all lockfiles; the indexes in `dependsOn` are within one, and moved to where it begins. */
async function inventory({ trees }: Checked): Promise<readonly CheckedPackage[]> {
  const { packagesOf } = await import("../../core/check/packages.ts");
  const all: CheckedPackage[] = [];
  for (const tree of trees) {
    const from = all.length;
    for (const one of packagesOf(tree)) all.push({ ...one, dependsOn: one.dependsOn.map((to) => to + from) });
  }
  return all;
}
