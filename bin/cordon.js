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
 * V8 optimises what has run for a while, on other threads, and a check is mostly over before that pays: of one of 5,000 packages it was a
 * quarter of the CPU time. From here on the while is nine times as long. Not earlier than at the end of a start, because V8 takes no code it
 * kept, Node's own included, under other flags; not for a gate, which answers a tenth fewer requests so; on Node 20 alone, because later V8
 * waits longer by itself and does not know the flag.
 */
function compileLater() {
  if (major === 20) require("v8").setFlagsFromString("--interrupt-budget=600000");
}

function stop(status, message) {
  process.stderr.write(message + "\n");
  process.exitCode = status;
}
