/** Lines as clients, CI systems and registries really write them, and lines that only look like those. */
import { expect, test } from "vitest";
import { readLogLine } from "./log-line.ts";

const said = (line: string): readonly string[] => readLogLine(line).map(({ form, name, version }) => `${form} ${name}@${version}`);
const URL = "https://registry.test/axios/-/axios-1.14.1.tgz";

test.each([
  [".../plain-crypto-js@4.2.1/node_modules/plain-crypto-js postinstall$ node setup.js", "script-log plain-crypto-js@4.2.1"],
  ["node_modules/.pnpm/@acme+x@1.0.0/node_modules/@acme/x: Running postinstall script...", "script-log @acme/x@1.0.0"],
  ["#8 3.210 > plain-crypto-js@4.2.1 postinstall", "script-log plain-crypto-js@4.2.1"],
  ["web:build: > plain-crypto-js@4.2.1 postinstall", "script-log plain-crypto-js@4.2.1"],
  [
    "[2026-03-31T00:52:09.123Z] > plain-crypto-js@4.2.1 postinstall /home/ci/node_modules/plain-crypto-js",
    "script-log plain-crypto-js@4.2.1",
  ],
  ["\u001b_bk;t=1774918329000\u0007+ axios@1.14.1", "install-log axios@1.14.1"],
  ["\u001b]8;;https://x.test\u0007+ axios@1.14.1\u001b]8;;\u0007", "install-log axios@1.14.1"],
  ["\u001b[0K└─ axios@1.14.1", "install-log axios@1.14.1"],
  ["31 silly placeDep ROOT http@npm:axios@1.14.1 OK for: site@1.0.0 want: npm:axios@1.14.1", "resolve-log axios@1.14.1"],
  ["web  | + axios@1.14.1", "install-log axios@1.14.1"],
  ["00:52:09 INFO [build] + axios@1.14.1", "install-log axios@1.14.1"],
  ["2026-03-31T00:52:09.123456Z 01O + axios 1.14.1", "install-log axios@1.14.1"],
  ["npm info lifecycle plain-crypto-js@4.2.1~postinstall: plain-crypto-js@4.2.1", "script-log plain-crypto-js@4.2.1"],
  [`Download ${URL}`, "fetch-log axios@1.14.1"],
  [`verbose 0.512 Performing "GET" request to "${URL}".`, "fetch-log axios@1.14.1"],
  [`npm http fetch GET 200 ${URL} 404ms (cache miss)`, "fetch-log axios@1.14.1"],
  ['10.0.0.7 - - [31/Mar/2026:00:52:09 +0000] "GET /axios/-/axios-1.14.1.tgz HTTP/1.1" 200 512', "fetch-log axios@1.14.1"],
  ["info <-- 200, user: null(10.0.0.7), req: 'GET /axios/-/axios-1.14.1.tgz', bytes: 0/512", "fetch-log axios@1.14.1"],
  [`  resolved "${URL}#2553649f2322049666871cea80a5d0d6adc700ca"`, "resolve-log axios@1.14.1"],
  [`+      "resolved": "${URL}",`, "resolve-log axios@1.14.1"],
])("%s", (line, what) => expect(said(line)).toEqual([what]));

test("yarn 4 names what it chose, several in a line", () => {
  expect(said("➤ YN0085: │ + axios@npm:1.14.1, @acme/x@npm:2.0.0, and 3 more.")).toEqual([
    "resolve-log axios@1.14.1",
    "resolve-log @acme/x@2.0.0",
  ]);
  expect(said("➤ YN0085: │ - axios@npm:1.14.1")).toEqual([]);
});

test.each([
  `npm error 404 Not Found - GET ${URL}`,
  ` ERR_PNPM_FETCH_404  GET ${URL}: Not Found - 404`,
  `error An unexpected error occurred: "${URL}: Request failed \\"404 Not Found\\"".`,
  `error: GET ${URL} - 403`,
  `Download failed ${URL}`,
  '10.0.0.7 - - [31/Mar/2026:00:52:09 +0000] "GET /axios/-/axios-1.14.1.tgz HTTP/1.1" 403 512',
  "info <-- 404, user: null(10.0.0.7), req: 'GET /axios/-/axios-1.14.1.tgz', error: no such package",
  `-      "resolved": "${URL}",`,
  `see ${URL} for what was in it`,
  "npm ERR! notarget No matching version found for axios@1.14.1.",
  "- axios 1.14.1",
  "Updated axios from 1.14.1 to 1.15.0",
  "removed axios@1.14.1",
  "commit message: bump + axios@1.14.1",
  "we installed axios@1.14.1 on Monday",
  "it would run plain-crypto-js@4.2.1 postinstall",
  "as in > plain-crypto-js@4.2.1 postinstall",
])("says nothing was installed: %s", (line) => expect(said(line)).toEqual([]));
