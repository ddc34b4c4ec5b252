#!/usr/bin/env node
/** The executable: checks Node and the build, calls `main`, sets the exit status. Written so that an old Node can still parse it and say what is wrong. */
const { existsSync } = require("fs");
const { dirname, join } = require("path");

const [major, minor] = process.versions.node.split(".").map(Number);
const dist = join(dirname(__dirname), "dist");

if (major < 20 || (major === 20 && minor < 19)) {
  stop(2, "cordon needs Node 20.19 or newer; this is " + process.version + " (" + process.execPath + ").");
} else if (!existsSync(join(dist, "main.js"))) {
  stop(2, "cordon is not built yet. Run this once: npm run build --prefix " + dirname(__dirname));
} else {
  start()
    .then((status) => {
      process.exitCode = status;
    })
    .catch((error) => stop(70, "cordon stopped on a bug of its own; please report it.\n" + ((error && error.stack) || error)));
}

async function start() {
  const { openChunks } = require("./chunks.js");
  return openChunks(dist).load("main.js").main(process.argv.slice(2), compileLater);
}

/**
 * V8 optimises what has run for a while, on other threads. Here the while is made longer for work that is mostly over before it pays: a
 * check of 5,000 packages spent a quarter of its CPU time on it, an install through an empty gate a seventh. A gate that has come to rest
 * after one is done with it: with the longer while it answers a tenth fewer requests from memory. On Node 20 alone, because later V8 waits
 * longer by itself and does not know the flag. Not before what is about to run was loaded: V8 takes no code it kept, Node's own included,
 * under other flags.
 *
 * The HTTP client's parser is one function of WebAssembly. Optimised after the first answer it took a tenth of a second and left ten
 * megabytes behind, and no install was measured to be quicker for it.
 */
function compileLater(phase) {
  const { setFlagsFromString } = require("v8");
  if (phase === "upstream") setFlagsFromString("--wasm-tiering-budget=2147483647");
  if (major === 20) setFlagsFromString(phase === "rest" ? "--interrupt-budget=67584" : "--interrupt-budget=600000");
}

function stop(status, message) {
  process.stderr.write(message + "\n");
  process.exitCode = status;
}
