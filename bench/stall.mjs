/**
 * How long others wait while the largest packument of the corpus is fetched, judged and rendered for the first time: small warm requests
 * on a few connections, one at a time each, from before the large request until after its answer. The bare server shows what the machine adds.
 */
import path from "node:path";
import { pathToFileURL } from "node:url";

const PACKUMENT = "/typescript";
const SMALL = ["/ms", "/semver", "/debug", "/chalk", "/glob", "/minimatch"];
const CONNECTIONS = 4;
/** Requests before, to leave the cold paths of the program itself behind, and time measured around the large one. */
const WARM_UP = 2_000;
const AROUND_MS = 300;

export async function stall({ harness, corpus, command, rounds }) {
  const from = (file) => import(pathToFileURL(path.join(harness, file)).href);
  const [{ origin, peers }, { get, median, sleep }] = await Promise.all([from("peers.mjs"), from("lib.mjs")]);
  const http = await import("node:http");
  const source = await origin({ corpus });
  const set = peers({ peers: "bare", "peer-cmd": `cordon=${command}` }, { corpus, originProc: source });
  const found = {};
  try {
    for (let round = 0; round < rounds; round++)
      for (const peer of set.peers) {
        await peer.stop();
        peer.wipe();
        await peer.start();
        const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS + 1 });
        const ask = async (name) => {
          const start = performance.now();
          const answer = await get(
            peer.base.slice(0, -1) + name,
            { accept: "application/vnd.npm.install-v1+json", "accept-encoding": "gzip" },
            agent,
          );
          if (answer.status !== 200) throw new Error(`${peer.name} answered ${answer.status} for ${name}`);
          return performance.now() - start;
        };
        for (let at = 0; at < WARM_UP; at++) await ask(SMALL[at % SMALL.length]);
        // Whatever the warm-up named is fetched ahead: only the large one is measured.
        await sleep(3_000);
        const waits = [];
        const measured = new AbortController();
        const others = Array.from({ length: CONNECTIONS }, async () => {
          for (let at = 0; !measured.signal.aborted; at++) {
            waits.push(await ask(SMALL[at % SMALL.length]));
            await sleep(1);
          }
        });
        await sleep(AROUND_MS);
        const large = await ask(PACKUMENT);
        await sleep(AROUND_MS);
        measured.abort();
        await Promise.all(others);
        agent.destroy();
        waits.sort((a, b) => a - b);
        (found[peer.name] ??= []).push({ p99: waits[Math.floor(waits.length * 0.99)], max: waits.at(-1), requests: waits.length, large });
      }
  } finally {
    for (const peer of set.peers) await peer.stop();
    await source.stop();
  }
  const of = (rows, key) => median(rows.map((row) => row[key]));
  return Object.entries(found).map(([peer, rows]) => ({
    peer,
    "p99 ms": of(rows, "p99"),
    "max ms": of(rows, "max"),
    requests: of(rows, "requests"),
    "large one ms": of(rows, "large"),
  }));
}
