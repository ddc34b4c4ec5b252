#!/usr/bin/env node
/** The executable: checks Node and the build, calls `main`, sets the exit status. Written so that an old Node can still parse it and say what is wrong. */
import { existsSync } from "fs";
import { fileURLToPath } from "url";

const [major, minor] = process.versions.node.split(".").map(Number);
const built = new URL("../dist/main.js", import.meta.url);

if (major < 20 || (major === 20 && minor < 19)) {
  stop(2, "cordon needs Node 20.19 or newer; this is " + process.version + " (" + process.execPath + ").");
} else if (!existsSync(built)) {
  stop(2, "cordon is not built yet. Run this once: npm run build --prefix " + fileURLToPath(new URL("..", import.meta.url)));
} else {
  import(built.href)
    .then((cordon) => cordon.main(process.argv.slice(2)))
    .then((status) => {
      process.exitCode = status;
    })
    .catch((error) => stop(70, "cordon stopped on a bug of its own; please report it.\n" + ((error && error.stack) || error)));
}

function stop(status, message) {
  process.stderr.write(message + "\n");
  process.exitCode = status;
}
