/** What one line of a client's or a CI system's log says was run, fetched, installed or resolved. A line that only mentions a version says nothing. */
import { type Instant, parseInstant } from "../base/time.ts";
import { isVersion, registryIdentity } from "../lockfile/identity.ts";
import type { Form } from "./sighting.ts";

export type LogFinding = { readonly form: Form; readonly name: string; readonly version: string };

// Every repetition has an end: a line may be long, and each is tried from each of its places.
const NAME = "((?:@[\\w.~-]{1,214}/)?[\\w.~-]{1,214})";
const VERSION = "v?(\\d{1,9}\\.\\d{1,9}\\.\\d{1,9}[\\w.+-]{0,230})";
/** A folder of pnpm's: a scope's slash is a plus there, and peers follow the version. */
const FOLDER = `((?:@[\\w.~-]{1,214}\\+)?[\\w.~-]{1,214})@${VERSION}(?:[(_][^/]{0,300})?/node_modules/\\S{1,214}?`;

/** Surest first; the first that fits decides. */
const SHAPES: readonly (readonly [Form, RegExp])[] = [
  // npm: `> a@1.0.0 postinstall`, `npm info run a@1.0.0 postinstall node_modules/a …`
  [
    "script-log",
    new RegExp(`(?:^|> |(?:info|verb|verbose|silly) (?:run|lifecycle) )${NAME}@${VERSION}[ ~]+(?:pre|post)?install(?:[ :]|$)`),
  ],
  // pnpm: `.../a@1.0.0/node_modules/a postinstall$ node x`, `node_modules/.pnpm/a@1.0.0/node_modules/a: Running postinstall script…`
  ["script-log", new RegExp(`/${FOLDER}(?: (?:pre|post)?install(?:\\$|:)|: Running (?:pre|post)?install script)`)],
  // yarn 2 and later: `YN0007: │ a@npm:1.0.0 must be built because …`, only said when it is then built
  ["script-log", new RegExp(`YN0007:\\W{0,20}${NAME}@npm:${VERSION} must be (?:re)?built`)],
  // yarn 2 and later: `YN0013: │ a@npm:1.0.0 can't be found in the cache and will be fetched`
  ["fetch-log", new RegExp(`YN00(?:13|19):\\W{0,20}${NAME}@npm:${VERSION}`)],
  // `+ a@1.0.0`, `├── a@1.0.0`, `installed a@1.0.0`, and pnpm's `+ a 1.0.0`
  ["install-log", new RegExp(`(?:^|\\s)(?:\\+|[├└]─[─┬]*|installed|added) ${NAME}(?:@| )${VERSION}(?:\\s|$)`)],
  // npm's own steps: `silly placeDep ROOT a@1.0.0 OK for: …`, `silly reify …`
  ["resolve-log", new RegExp(`silly (?:placeDep|reify|idealTree|tarball)\\b.{0,500}?(?: |@npm:)${NAME}@${VERSION}(?:\\s|$)`)],
];

/** yarn 4: `YN0085: │ + a@npm:1.0.0, b@npm:2.0.0, and 3 more.` */
const CHOSEN = new RegExp(`${NAME}@npm:${VERSION}`, "g");

// eslint-disable-next-line no-control-regex
const COLOURS = /\u001b(?:\[[0-9;?]*[A-Za-z]|[_\]][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

/** `line` without its line end. */
export function readLogLine(line: string): readonly LogFinding[] {
  const text = line.includes("\u001b") ? line.replace(COLOURS, "") : line;
  if (!/\d\.\d/.test(text)) return [];
  const found: LogFinding[] = [];
  const archive = archiveIn(text);
  if (archive !== undefined) found.push(archive);
  if (/YN0085: \W*\+ /.test(text))
    for (const [, name, version] of text.matchAll(CHOSEN)) found.push({ form: "resolve-log", name: name!, version: version! });
  for (const [form, shape] of SHAPES) {
    const match = shape.exec(text);
    if (match === null || !isPrefix(text.slice(0, match.index))) continue;
    found.push({ form, name: match[1]!.replace(/^(@[^+/]+)\+/, "$1/"), version: match[2]! });
    break;
  }
  return found;
}

/** Words that loggers and clients put before what was printed. */
const LABELS = /^(?:npm|pnpm|yarn|bun|deno|info|log|debug|verbose|verb|silly|notice|stdout|stderr|out|err|warn|trace)$/i;

/** Whether this is what a CI system writes before a line (a moment, a step, a container) and not the beginning of a sentence. */
function isPrefix(text: string): boolean {
  const words = text.slice(-300).split(/\s+/).filter(Boolean);
  return words.every((word, i) => /[\d[\]()|:>#$=/]|^\P{L}+$/u.test(word) || LABELS.test(word) || words[i + 1] === "|");
}

/**
 * What a line with an archive's address says: that it was fetched, of a client or of a registry that was asked for it; that it was chosen, as
 * a lockfile printed into a log does. An address by itself says nothing.
 */
function archiveIn(text: string): LogFinding | undefined {
  const end = text.indexOf(".tgz") + 4;
  if (end < 4) return undefined;
  const address = text
    .slice(Math.max(0, end - 2_000), end)
    .split(/[\s"'<>,]/)
    .at(-1)!;
  const identity = registryIdentity(address);
  if (identity === undefined || !isVersion(identity.version)) return undefined;
  const around = `${text.slice(0, end - address.length)} ${text.slice(end)}`;
  if (/^\W*resolved\W/.test(around) && !/^\s*-/.test(around)) return { form: "resolve-log", ...identity };
  if (!/\b(?:GET|fetch|fetched|download|downloaded|downloading|request)\b/i.test(around) || wasRefused(around)) return undefined;
  return { form: "fetch-log", ...identity };
}

/** `GET 404`, `HTTP/1.1" 403`, `<-- 404,`, `status code 500`; without a status, the words for it. */
function wasRefused(text: string): boolean {
  const status = /(?:\b(?:GET|fetch|status(?: code)?)\W{1,5}(?:GET\W{1,5})?|HTTP\/[\d.]+"? |<-- )([1-5]\d\d)\b/i.exec(text)?.[1];
  return status === undefined
    ? /\b(?:err|error|fail(?:ed|ure)|refused|denied|forbidden|not found|(?<![.\d])[45]\d\d)\b(?! ?ms)|ERR_/i.test(text)
    : status >= "400";
}

/** The time a line begins with, as CI systems write it. */
export function timeOfLine(line: string): Instant | undefined {
  const match = /^\W{0,3}(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/.exec(line.slice(0, 60));
  return match === null ? undefined : parseInstant(match[1]!.replace(/(\.\d{3})\d*Z$/, "$1Z"));
}
