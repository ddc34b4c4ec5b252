/** Rules about the text of our files that no linter knows. */
import { expect, test } from "vitest";
import { buildConstants } from "../../tools/build-constants.ts";
import { files, ROOT, sources, text } from "./tree.ts";

const BINARY = /\.(?:tgz|gz|png|ico|woff2)$/;
const all = files().filter((path) => !BINARY.test(path));
const code = all.filter((path) => /\.(?:ts|mts|js|mjs)$/.test(path) && /^(?:src|test|tools|bench|bin)\//.test(path));

/** `path:line` of each match, so that a failure can be clicked. */
function matches(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap((path) =>
    text(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim().slice(0, 100)}`] : [])),
  );
}

/** Joined at run time, so that this file is not its own finding. */
const spelled = (...parts: readonly string[]): string => parts.join("");

test("every file says at its top what it is for", () => {
  const silent = code
    .filter((path) => !path.endsWith(".test.ts") || path.startsWith("test/"))
    .filter((path) => !/^(?:#!.*\n)?\/\*\*/.test(text(path)));
  expect(silent).toEqual([]);
});

test("no file spells the host of a public registry", () => {
  // npm's default and yarn 1's alias are read from npm's own packages when cordon is built; the rest follows from them.
  const known = buildConstants(ROOT);
  const npm = new URL(JSON.parse(known["__NPM_REGISTRY__"]!)).hostname;
  const yarn: string = JSON.parse(known["__YARN_REGISTRY_HOST__"]!);
  const hosts = [npm, yarn, npm.replace(/^[a-z]+/, "replicate"), spelled("deb.", "debian.org")];
  expect(matches(all, new RegExp(hosts.map((host) => host.replaceAll(".", "\\\\?\\.")).join("|")))).toEqual([]);
});

test("nobody is told to fetch cordon by a name we do not own", () => {
  expect(
    matches(all, new RegExp(spelled("np", "x (?:--yes |-y )?cordon\\b|(?:-g|--global) cordon\\b|npm (?:i|install) cordon\\b"))),
  ).toEqual([]);
});

test("nothing is left for later and no test is switched off", () => {
  const left = [spelled("TO", "DO"), spelled("FIX", "ME"), "X{3}"].join("|");
  const off = ["only", "skip", "todo"].map((word) => `\\.${word}\\(`).join("|");
  expect(matches(code, new RegExp(`\\b(?:${left})\\b|${off}`))).toEqual([]);
});

test("every limit says why it is what it is", () => {
  const lines = text("src/core/base/limits.ts").split("\n");
  // Two limits of one subject may share a comment: `fetchAheadNames` and `fetchAheadDepth`.
  const first = /^ {2}([a-z]+)[A-Za-z]*:/;
  const bare = lines.flatMap((line, index) => {
    const subject = first.exec(line)?.[1];
    const above = lines[index - 1] ?? "";
    return subject && !above.trim().endsWith("*/") && first.exec(above)?.[1] !== subject ? [line.trim()] : [];
  });
  expect(bare).toEqual([]);
});

test("what is exported has a name", () => expect(matches(sources(), /^export default /)).toEqual([]));
