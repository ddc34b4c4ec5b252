/** How early V8 compiles what runs often. */
import { setFlagsFromString } from "node:v8";

/** Bytes of bytecode a function runs before it is considered; nine times what that V8 begins with. */
const BUDGET = 600_000;

/**
 * The V8 of Node 20 compiles anew, on other threads, what may run only a few hundred times more: of a gate's work for a cold install that
 * was a sixth (10.9 to 9.3 s of CPU over 1,027 tarballs). Later ones wait by themselves, and do not know the flag. To be called once what a
 * start needs is loaded: V8 takes no code it kept (`bin/chunks.js`) under other flags.
 */
export function compileLater(): void {
  if (process.versions.v8.startsWith("11.")) setFlagsFromString(`--interrupt-budget=${BUDGET}`);
}
