/** What one line of a client's or a CI system's log says was run, fetched, installed or resolved. A line that only mentions a version says nothing. */
import { type Instant, parseInstant } from "../base/time.ts";
import { isVersion, registryIdentity } from "../lockfile/identity.ts";
import type { Form } from "./sighting.ts";

export type LogFinding = { readonly form: Form; readonly name: string; readonly version: string };

const NAME = "((?:@[\\w.~-]+/)?[\\w.~-]+)";
const VERSION = "v?(\\d+\\.\\d+\\.\\d+[\\w.+-]*)";

/** Surest first; the first that fits decides. */
const SHAPES: readonly (readonly [Form, RegExp])[] = [
  // npm: `> a@1.0.0 postinstall`, `npm info run a@1.0.0 postinstall node_modules/a …`
  ["script-log", new RegExp(`(?:^|> |run |lifecycle )${NAME}@${VERSION}[ ~]+(?:pre|post)?install(?:[ :]|$)`)],
  // pnpm: `node_modules/.pnpm/a@1.0.0/node_modules/a postinstall$ node x`
  [
    "script-log",
    new RegExp(`\\.pnpm/${NAME.replace("/)", "\\+)")}@${VERSION}(?:[(_][^/]*)?/node_modules/\\S+ (?:pre|post)?install(?:\\$|:)`),
  ],
  // yarn 2 and later: `YN0007: │ a@npm:1.0.0 must be built because …`, only said when it is then built
  ["script-log", new RegExp(`YN0007:.*?${NAME}@npm:${VERSION}.* must be (?:re)?built`)],
  // yarn 2 and later: `YN0013: │ a@npm:1.0.0 can't be found in the cache and will be fetched`
  ["fetch-log", new RegExp(`YN00(?:13|19):.*?${NAME}@npm:${VERSION}`)],
  // `+ a@1.0.0`, `├── a@1.0.0`, `installed a@1.0.0`, and pnpm's `+ a 1.0.0`
  ["install-log", new RegExp(`(?:^|\\s)(?:\\+|[├└]─[─┬]*|installed|added) ${NAME}(?:@| )${VERSION}(?:\\s|$)`)],
  // npm's own steps: `silly placeDep ROOT a@1.0.0 OK for: …`, `silly reify …`
  ["resolve-log", new RegExp(`silly (?:placeDep|reify|idealTree|tarball)\\b.*? ${NAME}@${VERSION}(?:\\s|$)`)],
];

/** `line` without its line end. */
export function readLogLine(line: string): readonly LogFinding[] {
  // eslint-disable-next-line no-control-regex
  const text = line.includes("\u001b") ? line.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "") : line;
  if (!/\d\.\d/.test(text)) return [];
  const found: LogFinding[] = [];
  const archive = /https?:\/\/[^\s"'<>]+\.tgz/.exec(text);
  // npm writes the status before the address; what was refused was not fetched.
  if (archive !== null && !/\b(?:GET|fetch)\s+(?:\w+\s+)?[45]\d\d\b/.test(text)) {
    const identity = registryIdentity(archive[0]);
    if (identity !== undefined && isVersion(identity.version)) found.push({ form: "fetch-log", ...identity });
  }
  for (const [form, shape] of SHAPES) {
    const match = shape.exec(text);
    if (match === null) continue;
    found.push({ form, name: match[1]!.replace(/^(@[^+/]+)\+/, "$1/"), version: match[2]! });
    break;
  }
  return found;
}

/** The time a line begins with, as CI systems write it. */
export function timeOfLine(line: string): Instant | undefined {
  const match = /^\W{0,3}(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/.exec(line.slice(0, 60));
  return match === null ? undefined : parseInstant(match[1]!.replace(/(\.\d{3})\d*Z$/, "$1Z"));
}
