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
  return openChunks(dist).load("main.js").main(process.argv.slice(2));
}

function stop(status, message) {
  process.stderr.write(message + "\n");
  process.exitCode = status;
}
