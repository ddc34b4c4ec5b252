/** A line of evidence from a tarball: what is there, in which file and line. */
import type { Place } from "../analysis/report.ts";
import { printable } from "../base/text.ts";
import type { Evidence } from "../policy/verdict.ts";

export function codeEvidence({ path, line, code }: Place, means: string): Evidence {
  return {
    text: code === undefined || code === "" ? means : `${means}: ${code}`,
    source: printable(line === undefined ? path : `${path}:${line}`),
  };
}
