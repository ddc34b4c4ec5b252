/** `bin/chunks.js`: what V8 compiled at the build is used for the text it belongs to, and for no other. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { ROOT } from "./tree.ts";

const folder = mkdtempSync(join(tmpdir(), "cordon-chunks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MAIN = join(folder, "main.cjs");
const CACHE = `${MAIN}.cache`;
/** A chunk that asks another for a number; every text is as long as every other. */
const textOf = (digit: number) => `"use strict";const other=require("./other.cjs");exports.answer=()=>other.ten()+${digit};`;

/** In a process of its own, as V8 remembers texts within one: the answer, and whose cache was taken. */
function answer(then = ""): string {
  const script = `const chunks = require(${JSON.stringify(join(ROOT, "bin", "chunks.js"))}).openChunks(${JSON.stringify(folder)});
    process.stdout.write([chunks.load("main.cjs").answer(), ...chunks.cached()].join(" ")); ${then}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
  return status === 0 ? stdout : stderr;
}

beforeEach(() => {
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  writeFileSync(MAIN, textOf(1));
  writeFileSync(join(folder, "other.cjs"), "exports.ten=()=>10;");
});

test("without a cache the text is compiled, and the cache is written when it is asked for", () => {
  expect(answer()).toBe("11");
  expect(existsSync(CACHE)).toBe(false);
  expect(answer("chunks.keep();")).toBe("11");
  expect(answer()).toBe("11 main.cjs other.cjs");
});

test("the cache of another text is left aside, though V8 looks only at the length", () => {
  answer("chunks.keep();");
  writeFileSync(MAIN, textOf(2));
  expect(answer()).toBe("12 other.cjs");
});

test("a damaged cache is left aside", () => {
  answer("chunks.keep();");
  const whole = readFileSync(CACHE);
  const damaged = [0, 4, whole.length >> 1].map((at) => {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1;
    return bytes;
  });
  for (const bytes of [...damaged, whole.subarray(0, -1), Buffer.alloc(0)]) {
    writeFileSync(CACHE, bytes);
    expect(answer()).toBe("11 other.cjs");
  }
});

test("what is built has no character beyond Latin-1 and no part of undici that is never called", () => {
  const dist = join(ROOT, "dist");
  const texts = readdirSync(dist)
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name, readFileSync(join(dist, name), "utf8")] as const);
  expect(texts.length).toBeGreaterThan(10);
  expect(texts.filter(([, text]) => /[^\0-\xff]/.test(text)).map(([name]) => name)).toEqual([]);
  expect(texts.filter(([, text]) => /class (?:MockAgent|CacheStorage|EventSource) /.test(text)).map(([name]) => name)).toEqual([]);
});
