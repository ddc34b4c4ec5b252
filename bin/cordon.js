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
 * V8 optimises what has run for a while, on other threads. From here on the while is longer. Not earlier than what is about to run was
 * loaded, because V8 takes no code it kept, Node's own included, under other flags.
 *
 * A check is mostly over before it pays: of one of 5,000 packages it was a quarter of the CPU time. Not so a gate, which answers a tenth
 * fewer requests then. On Node 20 alone, because later V8 waits longer by itself and does not know the flag.
 *
 * The HTTP client's parser is one function of WebAssembly. Optimised after the first answer it took a tenth of a second and left ten
 * megabytes behind, and no install was measured to be quicker for it.
 */
function compileLater(what) {
  const { setFlagsFromString } = require("v8");
  if (what === "upstream") setFlagsFromString("--wasm-tiering-budget=2147483647");
  else if (major === 20) setFlagsFromString("--interrupt-budget=600000");
}

function stop(status, message) {
  process.stderr.write(message + "\n");
  process.exitCode = status;
}
