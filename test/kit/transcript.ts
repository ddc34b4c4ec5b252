/**
 * Tests as transcripts: what is typed or requested, then what comes back, in a text that a person reviews and `UPDATE=1` rewrites.
 *
 *   # A release younger than the hold is withheld, with the reason and the end.
 *   at 2026-03-31T01:00:00Z
 *   $ cordon why axios@1.14.1
 *   > held axios@1.14.1 until 2026-04-03T00:21:00Z
 *   exit 1
 *
 *   advance 3d
 *   GET /axios  accept: application/json
 *   > 200 OK
 *   > versions 1.14.0 1.14.1
 *   -- package.json --
 *   { "name": "project" }
 *
 * `>` is standard output or the answer, `2>` standard error, `exit` a status that is not 0. Headers stand after two spaces, a request's
 * body on `<` lines. `show NAME…` names headers to print from there on. What follows `-- path --` are files of the folder the
 * transcript runs in. `{TMP}`, and every other name the stage gives, stands for its value on both sides.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import type { HttpAnswer, HttpRequest } from "./http.ts";
import { tempFolder } from "./temp.ts";
import { parseTxtar } from "./txtar.ts";

/** What a transcript plays on. Each function that a transcript uses must be there. */
export type Stage = {
  readonly clock?: { set(at: string): void; advance(duration: string): void };
  /** `$` lines. `argv[0]` is the program. */
  run?(argv: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Lines that begin with an HTTP method. */
  request?(request: HttpRequest): Promise<HttpAnswer>;
  /** Other lines, by their first word: `withdraw axios 1.14.1`. */
  readonly verbs?: Readonly<Record<string, (...words: string[]) => unknown>>;
  /** Names for what differs from run to run: `{ GATE: "http://127.0.0.1:4870/" }`. May grow while the transcript plays. */
  readonly names?: Readonly<Record<string, string>>;
  close?(): Promise<unknown>;
};

/** One vitest test for each `.txt` in `folder`. `open` gets the folder with the transcript's files. */
export function transcripts(folder: string, open: (work: { readonly folder: string }) => Promise<Stage>): void {
  const found = readdirSync(folder).filter((file) => file.endsWith(".txt"));
  if (found.length === 0) throw new Error(`no transcript in ${folder}`);
  for (const file of found.sort())
    test(basename(file, ".txt"), async () => {
      const path = join(folder, file);
      const expected = readFileSync(path, "utf8");
      const work = { folder: tempFolder(Object.fromEntries(parseTxtar(expected).files.map(({ path, text }) => [path, text]))) };
      const stage = await open(work);
      try {
        const actual = await replay(expected, { ...stage, names: Object.assign(stage.names ?? {}, { TMP: work.folder }) });
        if (process.env["UPDATE"] === "1") writeFileSync(path, actual);
        else expect(actual, `${file} differs; UPDATE=1 accepts what came`).toBe(expected);
      } finally {
        await stage.close?.();
      }
    });
}

/** Plays a transcript and returns it with what really came back. Throws on a line it cannot play. */
export async function replay(text: string, stage: Stage): Promise<string> {
  const { comment, files } = parseTxtar(text);
  const lines = comment.replace(/\n$/, "").split("\n");
  const played: string[] = [];
  const shown = new Set(["location", "npm-notice", "retry-after"]);

  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    if (isOutput(line)) continue;
    played.push(line);
    if (line.trim() === "" || line.startsWith("#")) continue;

    const [verb = "", ...rest] = split(named(line, stage));
    if (verb === "at") need(stage.clock, line).set(rest[0] ?? "");
    else if (verb === "advance") need(stage.clock, line).advance(rest[0] ?? "");
    else if (verb === "show") for (const name of rest) shown.add(name.toLowerCase());
    else if (verb === "$") played.push(...scrub(showRun(await need(stage.run, line)(rest)), stage));
    else if (/^[A-Z]{3,7}$/.test(verb)) {
      const body = bodyLines(lines, at + 1);
      at += body.length;
      const request = parseRequest(named(line, stage), named(body.map((part) => part.slice(2)).join("\n"), stage));
      played.push(...body, ...scrub(showAnswer(await need(stage.request, line)(request), shown), stage));
    } else await need(stage.verbs?.[verb], line)(...rest);
  }
  for (const { path, text } of files) played.push(`-- ${path} --`, ...text.replace(/\n$/, "").split("\n"));
  return `${played.join("\n")}\n`;
}

function isOutput(line: string): boolean {
  return /^(>|2>|exit\b)/.test(line);
}

function bodyLines(lines: readonly string[], from: number): string[] {
  const rest = lines.slice(from);
  const end = rest.findIndex((line) => !line.startsWith("<"));
  return end < 0 ? rest : rest.slice(0, end);
}

function need<T>(part: T | undefined, line: string): T {
  if (part === undefined) throw new Error(`this stage cannot play "${line}"`);
  return part;
}

/** Words, with 'single' and "double" quotes around those that hold spaces. */
function split(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? "");
}

/** `GET /path  name: value  name: value`. */
function parseRequest(line: string, body: string): HttpRequest {
  const [target = "", ...headers] = line.split(/\s{2,}/);
  const [method = "", path = ""] = target.split(" ");
  return {
    method,
    path,
    headers: Object.fromEntries(
      headers.map((header) => [header.slice(0, header.indexOf(":")), header.slice(header.indexOf(":") + 1).trim()]),
    ),
    ...(body !== "" && { body }),
  };
}

function showRun({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): string[] {
  return [...marked(">", textLines(stdout)), ...marked("2>", textLines(stderr)), ...(code === 0 ? [] : [`exit ${code ?? "killed"}`])];
}

/** Status, the headers asked for, and the body: a packument as a summary, other JSON and text as they are, bytes as their count. */
function showAnswer({ status, reason, headers, body }: HttpAnswer, shown: ReadonlySet<string>): string[] {
  const head = [
    `${status} ${reason}`,
    ...Object.entries(headers).flatMap(([name, value]) => (shown.has(name) ? [`${name}: ${value === reason ? "the same" : value}`] : [])),
  ];
  return marked(">", [...head, ...showBody(headers["content-type"] ?? "", body)]);
}

function marked(mark: string, lines: readonly string[]): string[] {
  return lines.map((line) => `${mark} ${line}`.trimEnd());
}

function textLines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function showBody(type: string, body: Buffer): string[] {
  if (body.length === 0) return [];
  if (type.startsWith("text/")) return textLines(body.toString());
  if (!type.includes("json")) return [`${body.length} bytes`];
  const document = JSON.parse(body.toString()) as Partial<PackumentLike>;
  if (document?.versions && document["dist-tags"]) return showPackument(document as PackumentLike);
  const short = JSON.stringify(document);
  return short.length <= 120 ? [short] : JSON.stringify(document, null, 2).split("\n");
}

type PackumentLike = {
  "dist-tags": Record<string, string>;
  versions: Record<string, { dist?: { tarball?: string } }>;
  time?: Record<string, string>;
  policyRestrictions?: { message?: string; versions?: object };
};

function showPackument({ versions, "dist-tags": tags, time, policyRestrictions }: PackumentLike): string[] {
  const names = Object.keys(versions);
  const untimed = names.filter((version) => time?.[version] === undefined);
  const timedOnly = Object.keys(time ?? {}).filter((version) => !(version in versions) && version !== "created" && version !== "modified");
  const bases = new Set(Object.values(versions).map(({ dist }) => dist?.tarball?.replace(/[^/]+\/-\/[^/]+$/, "") ?? "none"));
  return [
    `versions ${names.join(" ")}`,
    ...Object.entries(tags).map(([tag, version]) => `dist-tag ${tag} ${version}`),
    ...(time === undefined ? ["no time"] : untimed.map((version) => `no time for ${version}`)),
    ...timedOnly.map((version) => `time of ${version}, which is not listed`),
    ...[...bases].map((base) => `tarballs at ${base}`),
    ...(policyRestrictions
      ? [`restricted ${Object.keys(policyRestrictions.versions ?? {}).join(" ")}: ${policyRestrictions.message ?? ""}`]
      : []),
  ];
}

/** Puts values where names stand. */
function named(text: string, { names = {} }: Stage): string {
  return text.replace(/\{([A-Z]+)\}/g, (whole, name: string) => names[name] ?? whole);
}

/** Puts names where values stand, longest first, and takes out what no run repeats: ports, scratch folders, milliseconds. */
function scrub(lines: readonly string[], { names = {} }: Stage): string[] {
  const values = Object.entries(names).sort(([, a], [, b]) => b.length - a.length);
  return lines.map((line) =>
    values
      .reduce((text, [name, value]) => text.replaceAll(value, `{${name}}`), line)
      .replace(/(127\.0\.0\.1|localhost|\[::1\]):\d{2,5}\b/g, "$1:PORT")
      .replaceAll(SCRATCH, "{TMP}")
      .replace(/\b\d+(\.\d+)? ?ms\b/g, "N ms")
      .replace(/\bin \d+(\.\d+)? ?s\b/g, "in N s"),
  );
}
const SCRATCH = new RegExp(`${tmpdir().replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}/[\\w.-]+`, "g");
