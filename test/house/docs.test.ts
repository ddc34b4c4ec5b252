/** What the documents point at exists: files, headings, scripts. */
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";
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

test("the pages a newcomer looks for are there", () => {
  const pages = ["README", "ARCHITECTURE", "THREAT_MODEL", "CONTRIBUTING", "SECURITY", "CHANGELOG", "DEPENDENCIES", "RUNBOOK"];
  const wanted = [...pages.map((page) => `${page}.md`), "LICENSE", "docs/glossary.md", "docs/guides/monitor-to-balanced.md"];
  expect(wanted.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("the README begins with the two commands that work in a checkout", () => {
  expect(/^```\w*\n([\s\S]*?)^```$/m.exec(text("README.md"))?.[1]).toBe("npm start\nnpm test\n");
});
