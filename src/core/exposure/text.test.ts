/** Lines of logs and settings of editors: what they say, and what they only mention. */
import { expect, test } from "vitest";
import { time } from "../../../test/kit/packages.ts";
import { launchedBy } from "./launcher.ts";
import { readLogLine, timeOfLine } from "./log-line.ts";

test.each([
  ["19 info run plain-crypto-js@4.2.1 postinstall node_modules/plain-crypto-js node setup.js", "script-log plain-crypto-js@4.2.1"],
  ["> plain-crypto-js@4.2.1 postinstall", "script-log plain-crypto-js@4.2.1"],
  ["2026-03-31T01:40:12.1234567Z > @acme/x@1.0.0 install /home/runner/x", "script-log @acme/x@1.0.0"],
  ["node_modules/.pnpm/plain-crypto-js@4.2.1/node_modules/plain-crypto-js postinstall$ node setup.js", "script-log plain-crypto-js@4.2.1"],
  ["node_modules/.pnpm/@acme+x@1.0.0_react@18.0.0/node_modules/@acme/x postinstall: done", "script-log @acme/x@1.0.0"],
  ["➤ YN0007: │ plain-crypto-js@npm:4.2.1 must be built because it never has been before", "script-log plain-crypto-js@4.2.1"],
  ["➤ YN0013: │ axios@npm:1.14.1 can't be found in the cache and will be fetched", "fetch-log axios@1.14.1"],
  ["12 http fetch GET 200 https://registry.test/axios/-/axios-1.14.1.tgz 231ms (cache miss)", "fetch-log axios@1.14.1"],
  ["+ axios@1.14.1", "install-log axios@1.14.1"],
  ["+ axios 1.14.1", "install-log axios@1.14.1"],
  ["\u001b[32m+\u001b[39m axios \u001b[90m1.14.1\u001b[39m", "install-log axios@1.14.1"],
  ["├─┬ wait-on@8.0.0", "install-log wait-on@8.0.0"],
  ["31 silly placeDep ROOT axios@1.14.1 OK for: site@ want: ^1.13.0", "resolve-log axios@1.14.1"],
])("%s", (line, said) => expect(readLogLine(line).map(({ form, name, version }) => `${form} ${name}@${version}`)).toEqual([said]));

test.each([
  "axios@1.14.1 is compromised, do not install it",
  "12 http fetch GET 403 https://registry.test/axios/-/axios-1.14.1.tgz 3ms",
  "see https://github.com/axios/axios/releases/tag/v1.14.1",
  "$ npm run test",
  "",
])("says nothing of an install: %s", (line) => expect(readLogLine(line)).toEqual([]));

test("a line without end is no trap", () => {
  // A pattern that tries again from every place would not end within the time a test has.
  for (const piece of ["@a/", "> a@1.0.0 ", "├─", "silly reify ", "https://x.tgz"])
    expect(readLogLine(`1.1 ${piece.repeat(200_000)}`).length).toBeLessThanOrEqual(200_000);
});

test("the moment a CI system writes before its line", () => {
  expect(timeOfLine("2026-03-31T01:40:12.1234567Z + axios@1.14.1")).toBe(time("2026-03-31T01:40:12.123Z"));
  expect(timeOfLine("+ axios@1.14.1 2026-03-31T01:40:12Z")).toBeUndefined();
});

test("commands in settings: packages that are started by name", () => {
  const settings = {
    mcpServers: {
      docs: { command: "npx", args: ["-y", "@acme/docs@latest"] },
      old: { command: "/usr/local/bin/bunx", args: ["docs-server"] },
      named: { command: "npm", args: ["exec", "--package", "kit@^2", "--", "run-it"] },
      own: { command: "node", args: ["server.js"] },
    },
    hooks: { SessionStart: [{ hooks: [{ type: "command", command: "cd x && pnpm dlx nx@21 lint; echo npx" }] }] },
  };
  expect(launchedBy(settings)).toEqual([
    { name: "@acme/docs", range: "latest" },
    { name: "docs-server", range: "latest" },
    { name: "kit", range: "^2" },
    { name: "nx", range: "21" },
  ]);
});

test("settings that are too deep, or of any other shape, launch nothing", () => {
  let deep: unknown = { command: "npx", args: ["x"] };
  for (let i = 0; i < 1_000; i += 1) deep = { deep };
  for (const value of [deep, null, 7, "npx", [], { command: 7, args: ["x"] }]) expect(launchedBy(value)).toEqual([]);
});
