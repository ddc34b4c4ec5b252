/**
 * The load of the kill tests, a process of its own: asks a gate for tarballs without end and tells its parent each one whose last byte it
 * got, with the digest it found. Told the gate's process, it is also the one who kills it, because only here is known what is in flight.
 *
 * Every request has a project label of its own, so that a row of the ledger can be told from every other.
 */
import { createHash } from "node:crypto";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** `{ url, label, lanes: [{ tarballs: [{ name, version }], pause }] }`; a lane asks one by one, and reads with `pause` ms between chunks. */
const { url, label, lanes } = JSON.parse(process.argv[2]);

/** Transfers of which some but not all bytes have come. */
const flowing = new Set();
let count = 0;
/** `{ pid, atLeast, ms }`: kill it when that many transfers are in flight, `ms` after that was first so. */
let target;

process.on("message", (message) => (target = message));
process.on("disconnect", () => process.exit());

function killIfTime() {
  if (!target || flowing.size < target.atLeast) return;
  target.after ??= performance.now() + target.ms;
  if (performance.now() < target.after) return;
  process.kill(target.pid, "SIGKILL");
  target = undefined;
  process.send({ killed: true, flowing: flowing.size });
}

function fetchOne({ name, version }, pause) {
  const project = `${label}${(count += 1)}`;
  const bare = name.replace(/^@.*\//, "");
  return new Promise((resolve) => {
    const request = get(`${url}p/${project}/npm/${name}/-/${bare}-${version}.tgz`, { agent: false }, (response) => {
      const hash = createHash("sha512");
      const whole = Number(response.headers["content-length"]);
      let bytes = 0;
      const over = (what) => {
        flowing.delete(project);
        if (what) process.send(what);
        resolve(what !== undefined);
      };
      response.on("data", (chunk) => {
        hash.update(chunk);
        bytes += chunk.length;
        if (bytes < whole) flowing.add(project);
        else flowing.delete(project);
        killIfTime();
        if (pause === 0 || bytes === whole) return;
        response.pause();
        setTimeout(() => response.resume(), pause);
      });
      response.on("end", () => {
        if (!response.complete) return over();
        const integrity = `sha512-${hash.digest("base64")}`;
        over(
          response.statusCode === 200
            ? { got: { project, name, version, bytes, integrity } }
            : { odd: `${response.statusCode} ${response.statusMessage}` },
        );
      });
      // Cut in the middle: not noted, whatever came.
      response.on("error", () => over());
    });
    request.on("error", () => resolve(false));
  });
}

async function lane({ tarballs, pause }, number) {
  for (let turn = number; ; turn += 1) {
    const whole = await fetchOne(tarballs[turn % tarballs.length], pause);
    if (!whole) await sleep(20);
  }
}

lanes.forEach((one, number) => void lane(one, number));
