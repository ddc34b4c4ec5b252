/** Alerts as a target that is a file has them. */
import { existsSync, readFileSync } from "node:fs";

export type Told = {
  readonly schema: string;
  readonly what: string;
  readonly name: string;
  readonly version?: string;
  readonly detail: string;
  readonly fetched?: { readonly times: number; readonly [key: string]: unknown };
  readonly next?: string;
};

/** Whole lines alone: the last one may be half written. */
export function alertsIn(file: string): readonly Told[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Told);
}
