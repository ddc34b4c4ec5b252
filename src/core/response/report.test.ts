import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "../base/digest.ts";
import { instant } from "../base/time.ts";
import { BUNDLE_SCHEMA, checkBundle, manifestText, signManifest } from "./bundle.ts";
import { sealed } from "./plan.ts";
import { reportHtml, reportJson, reportMarkdown, reportOf } from "./report.ts";

const EVIL = "<script>alert(1)</script> | [x](javascript:y) npm_0123456789abcdefghijklmnopqrstuvwxyzAB \u001b[2J";

const PLAN = sealed({
  schema: "cordon.response-plan/1",
  incident: { id: "left-2026", revision: 1, title: "left 1.0.1", digest: "0" },
  scope: { paths: ["."], machine: true },
  exposuresDigest: "0",
  exposures: [
    {
      place: "/p",
      level: "installed",
      evidence: [{ level: "installed", text: EVIL, file: "/p/x", at: instant(Date.parse("2026-01-01T12:00:00Z")) }],
      missing: ["its git history"],
      reasons: [],
    },
  ],
  secrets: [],
  steps: [
    { id: "isolate-1", phase: "isolate", who: "you", title: "cut it off", commands: [], needs: [], evidence: "", done: "", warnings: [] },
    {
      id: "rotate-1",
      phase: "rotate",
      who: "you",
      title: "rotate",
      commands: [],
      needs: ["isolate-1"],
      evidence: "",
      done: "",
      warnings: [],
    },
  ],
});
const PACK = { window: { from: "2026-01-01T00:00:00Z", precision: "hour" as const }, coverage: { kind: "complete" as const } };
const at = instant(Date.parse("2026-01-02T00:00:00Z"));
const EVENTS = [
  { at, by: "mara", step: "isolate-1", what: "claimed" as const, detail: "" },
  { at, by: "mara", step: "isolate-1", what: "done" as const, detail: "cable pulled" },
];

const JOURNAL = { events: EVENTS, damaged: 0, head: "ab12" };

test("the report tells what happened in the order of time, who decided, and what nobody knows", () => {
  const report = reportOf(PLAN, PACK, { ...JOURNAL, damaged: 1 });
  expect(report.timeline.map((row) => row.at.slice(0, 13))).toEqual(["2026-01-01T00", "2026-01-01T12", "2026-01-02T00"]);
  expect(report.decisions[0]).toMatchObject({ step: "isolate-1", state: "done", by: "mara", detail: "cable pulled" });
  expect(report.finished).toBe(false);
  expect(report.unknown).toContain("/p: its git history");
  expect(report.unknown).toContain("rotate-1 is pending: rotate");
  expect(report.unknown.some((one) => one.startsWith("1 lines of the journal"))).toBe(true);
});

test("what comes from outside is text in every form, and no secret is in any", () => {
  const report = reportOf(PLAN, PACK, JOURNAL);
  const html = reportHtml(report);
  expect(html).not.toContain("<script");
  expect(html).toContain("&lt;script&gt;");
  expect(reportMarkdown(report)).toContain("\\<script\\>");
  expect(reportMarkdown(report)).not.toMatch(/[^\\]\[x\]/);
  for (const text of [html, reportMarkdown(report), reportJson(report)]) {
    expect(text).not.toContain("npm_0123456789");
    expect(text).not.toContain("\u001b");
  }
});

test("a bundle holds with what was signed and with nothing else", () => {
  const bytes = "what was there";
  const text = manifestText({
    schema: BUNDLE_SCHEMA,
    plan: PLAN.id,
    incident: "left-2026",
    at: "2026-01-02T00:00:00.000Z",
    by: "mara",
    files: [{ path: "/p/x", copy: "files/0a", bytes: bytes.length, sha256: sha256(bytes), modified: "" }],
    missing: [],
  });
  const { privateKey } = generateKeyPairSync("ed25519");
  const signature = signManifest(text, privateKey);
  const digest = (content: string | undefined) => () => content && sha256(content);
  expect(checkBundle(text, signature, digest(bytes), ["files/0a"]).problems).toEqual([]);
  expect(checkBundle(text, signature, digest("other"), ["files/0a"]).problems).toEqual(["files/0a is not what was copied"]);
  expect(checkBundle(text, signature, digest(undefined), []).problems).toEqual(["files/0a is missing"]);
  expect(checkBundle(text, signature, digest(bytes), ["files/0a", "files/0b"]).problems).toEqual(["files/0b was added"]);
  expect(checkBundle(text.replace("mara", "jo"), signature, digest(bytes), []).problems).toHaveLength(1);
  expect(checkBundle(text, "{}", digest(bytes), []).problems).toHaveLength(1);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  expect(checkBundle(text, signManifest(text, generateKeyPairSync("ed25519").privateKey), digest(bytes), ["files/0a"])).toMatchObject({
    problems: [],
  });
  const spki = rsa.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  expect(checkBundle(text, JSON.stringify({ ...JSON.parse(signature), key: spki }), digest(bytes), []).problems).toHaveLength(1);
});
