/** What is measured beside: a tarball unpacked, and each of its files to acorn's tree; as functions, and as a thread that answers each tarball. */
import { parentPort } from "node:worker_threads";
import { gunzipSync } from "node:zlib";
import { parse } from "acorn";

/** The least a reader can do: hop from header to header. */
export function untar(bytes) {
  const tar = gunzipSync(bytes, { chunkSize: 65_536 });
  const entries = [];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = parseInt(tar.toString("latin1", at + 124, at + 135), 8) || 0;
    const name = tar.toString("utf8", at, tar.indexOf(0, at));
    if (/\.[cm]?jsx?$/.test(name)) entries.push(tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

export function acorn(bytes) {
  const text = bytes.toString("utf8");
  const options = { ecmaVersion: "latest", allowHashBang: true, allowReturnOutsideFunction: true };
  try {
    parse(text, { ...options, sourceType: /^\s*(?:import|export)\b/m.test(text) ? "module" : "script" });
  } catch (error) {
    // The same few files that no parser reads; they are counted below.
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
  }
}

parentPort?.on("message", (tarball) => {
  untar(Buffer.from(tarball)).forEach(acorn);
  parentPort.postMessage(undefined, []);
});
