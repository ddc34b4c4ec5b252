/** What the documents point at exists: files, headings, scripts. */
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { instant } from "../../src/core/base/time.ts";
import { COMMANDS as CLIENT_COMMANDS } from "../../src/core/client/table.ts";
import { checkDocument } from "../../src/core/policy/document.ts";
import { COMMANDS } from "../../src/surface/cli/cli.ts";
import { COMMON_FLAGS } from "../../src/surface/cli/flags.ts";
import { files, ROOT, text } from "./tree.ts";

const documents = files().filter((path) => path.endsWith(".md"));

/** The text without fenced blocks: what stands in them is output, not a reference. */
function prose(path: string): string {
  return text(path).replace(/^(`{3,}|~{3,})[\s\S]*?^\1`*$/gm, "");
}

/** Anchors GitHub gives the headings of a document: lower case, no punctuation, spaces to hyphens, `-1` for the second of a name. */
function anchors(markdown: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading] of markdown.matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)) {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let again = 1; found.has(anchor); again += 1) anchor = `${slug}-${again}`;
    found.add(anchor);
  }
  return found;
}

/** What is wrong with the relative links of a document. */
function brokenLinks(path: string, markdown: string): readonly string[] {
  const inline = [...markdown.matchAll(/\]\(<?([^)\s>]+)>?(?: +"[^"]*")?\)/g)];
  const referenced = [...markdown.matchAll(/^\[[^\]]+\]: +<?(\S+?)>?(?: .*)?$/gm)];
  return [...inline, ...referenced].flatMap(([, link]) => {
    if (/^[a-z][a-z+.-]*:/i.test(link!)) return [];
    const [file = "", anchor] = link!.split("#");
    const target = file === "" ? path : posix.normalize(posix.join(posix.dirname(path), decodeURIComponent(file)));
    if (target.startsWith("..") || !existsSync(join(ROOT, target))) return [`${link}: no such file`];
    if (anchor === undefined || !target.endsWith(".md")) return [];
    const headings = target === path ? markdown : prose(target);
    return anchors(headings).has(anchor) ? [] : [`${link}: no such heading`];
  });
}

test.each(documents)("%s: every relative link and anchor leads somewhere", (path) => expect(brokenLinks(path, prose(path))).toEqual([]));

test("a broken link, anchor or reference is seen", () => {
  const page = "# One `two`\n[a](LICENSE) [b](#one-two) [c](absent.md) [d](#three) [e](../outside.md)\n\n[f]: also-absent.md\n";
  expect(brokenLinks("README.md", page)).toEqual([
    "absent.md: no such file",
    "#three: no such heading",
    "../outside.md: no such file",
    "also-absent.md: no such file",
  ]);
});

test.each(documents)("%s: every repository path in code type exists", (path) => {
  const spans = [...prose(path).matchAll(/`((?:src|test|tools|bench|bin|docs|deploy|\.ci)\/[A-Za-z0-9_./-]*)`/g)].map(([, span]) => span!);
  const absent = spans.filter((span) => {
    const target = join(ROOT, span);
    return !existsSync(target) || (span.endsWith("/") && !statSync(target).isDirectory());
  });
  expect(absent).toEqual([]);
});

test.each(documents)("%s: every npm script it names exists", (path) => {
  const scripts: Record<string, string> = JSON.parse(text("package.json")).scripts;
  const named = [...text(path).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map(([, name]) => name!);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

function flagsOf(options: readonly (readonly [string, string])[]): readonly string[] {
  return options.map(([flag]) => flag.split(/[ ,]/)[0]!);
}

/** What is wrong with one command line as a document spells it: a command or a flag cordon does not have. */
function wrongCommand(line: string): readonly string[] {
  const words = line.split(/\s+/).slice(1);
  const common = flagsOf(COMMON_FLAGS);
  // cordon's own flags stand before a client's name, and behind the name of a command of ours.
  const at = words.findIndex((word, i) => !word.startsWith("-") && !/^--(?:data|config|upstream)$/.test(words[i - 1] ?? ""));
  const command = words[at] ?? "";
  const before = (at < 0 ? words : words.slice(0, at)).filter((word) => word.startsWith("--"));
  if (CLIENT_COMMANDS.includes(command)) return before.filter((flag) => !common.includes(flag));
  if (command === "") return before.filter((flag) => !["--help", "--version"].includes(flag));
  const row = COMMANDS[command];
  if (!row) return [`no command ${command}`];
  const known = new Set([...common, "--help", ...flagsOf(row.options ?? [])]);
  const flags = words.slice(at).filter((word) => /^--[a-z]/.test(word));
  return [...before, ...flags.filter((flag) => !known.has(flag.split("=")[0]!))];
}

test.each(documents)("%s: every cordon command and flag it names exists", (path) => {
  const fenced = [...text(path).matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block]) => block!.split("\n"));
  const spans = [...prose(path).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  const lines = [...fenced.map((line) => line.replace(/^\$ /, "")), ...spans].filter((line) => /^cordon [-a-z]/.test(line));
  const wrong = lines.flatMap((line) => wrongCommand(line.split(/ [|>#·] /)[0]!).map((what) => `${line}: ${what}`));
  expect(wrong).toEqual([]);
});

test.each(documents)("%s: every cordon.yaml it shows is one cordon reads", (path) => {
  const shown = [...text(path).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
  // Dates in the examples are near this one.
  const now = instant(Date.UTC(2026, 10, 21));
  expect(shown.flatMap((block) => checkDocument({ text: block, source: path, level: "machine", now }).problems)).toEqual([]);
});

test("a command or flag that does not exist is seen", () => {
  expect(wrongCommand("cordon --data /tmp/x npm ci --whatever")).toEqual([]);
  expect(wrongCommand("cordon --nope npm ci")).toEqual(["--nope"]);
  expect(wrongCommand("cordon --json why axios")).toEqual(["--json"]);
  expect(wrongCommand("cordon expose axios")).toEqual(["no command expose"]);
  expect(wrongCommand("cordon admit a@1.0.0 --forever --json")).toEqual(["--forever"]);
});

test("the pages a newcomer looks for are there", () => {
  const pages = ["README", "ARCHITECTURE", "THREAT_MODEL", "CONTRIBUTING", "SECURITY", "CHANGELOG", "DEPENDENCIES", "RUNBOOK"];
  const wanted = [...pages.map((page) => `${page}.md`), "LICENSE", "docs/glossary.md", "docs/guides/monitor-to-balanced.md"];
  expect(wanted.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("the README begins with the two commands that work in a checkout", () => {
  expect(/^```\w*\n([\s\S]*?)^```$/m.exec(text("README.md"))?.[1]).toBe("npm start\nnpm test\n");
});
