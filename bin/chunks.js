/**
 * Loads what is built: the chunks of `dist/`, each with what V8 compiled of it when it was built (`tools/code-cache.mjs`), which takes a
 * start half the time. V8 itself refuses a cache another version wrote, but believes one that is damaged or that belongs to another text
 * of the same length: hence a sum over both. What does not fit is left aside, and V8 compiles the text.
 */
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");
const { crc32 } = require("node:zlib");

/** What Node wraps a CommonJS module in. */
const HEAD = "(function (exports, require, module, __filename, __dirname) {";
const TAIL = "\n})";
const SUM_BYTES = 4;

/** Modules of Node that much of cordon imports and most commands never call: each would cost every start a millisecond or two. */
const WHEN_USED = new Set(["node:child_process", "node:dns", "node:tty"]);

/** Stands for the module, and loads it when anything of it is asked for. */
function whenUsed(id) {
  let module;
  const real = () => (module ??= require(id));
  return new Proxy(Object.create(null), {
    get: (_, name) => real()[name],
    has: (_, name) => name in real(),
    ownKeys: () => Reflect.ownKeys(real()),
    getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(real(), name),
  });
}

exports.openChunks = (folder) => {
  const modules = new Map();
  const scripts = new Map();

  function load(name) {
    const known = modules.get(name);
    if (known) return known.exports;
    const filename = join(folder, name);
    const text = readFileSync(filename);
    const script = new Script(HEAD + text + TAIL, { filename, cachedData: cacheOf(filename, text) });
    const module = { exports: {} };
    modules.set(name, module);
    scripts.set(filename, { name, script });
    script.runInThisContext()(module.exports, requireFrom, module, filename, folder);
    return module.exports;
  }

  function requireFrom(id) {
    if (id.startsWith("./")) return load(id.slice(2));
    return WHEN_USED.has(id) ? whenUsed(id) : require(id);
  }

  /** Keeps what is compiled by now, functions that ran included, for the starts to come. */
  function keep() {
    for (const [filename, { script }] of scripts) {
      const text = readFileSync(filename);
      const data = script.createCachedData();
      const sum = Buffer.alloc(SUM_BYTES);
      sum.writeUInt32LE(sumOf(text, data));
      writeFileSync(`${filename}.cache`, Buffer.concat([sum, data]));
    }
  }

  /** Whose cache V8 took. */
  const cached = () => [...scripts.values()].filter(({ script }) => script.cachedDataRejected === false).map(({ name }) => name);

  return { load, keep, cached };
};

function cacheOf(filename, text) {
  let bytes;
  try {
    bytes = readFileSync(`${filename}.cache`);
  } catch {
    return undefined;
  }
  const data = bytes.subarray(SUM_BYTES);
  return bytes.length > SUM_BYTES && bytes.readUInt32LE(0) === sumOf(text, data) ? data : undefined;
}

function sumOf(text, data) {
  return crc32(data, crc32(text));
}
