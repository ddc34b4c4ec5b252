/** How early V8 compiles what runs often: in the workshop as `bin/chunks.js` has it for everything else, and says why. */
import { setFlagsFromString } from "node:v8";

/** Only the V8 of Node 20 knows the flag; later ones wait by themselves. */
export function compileLater(): void {
  if (process.versions.node.startsWith("20.")) setFlagsFromString("--interrupt-budget=600000");
}
