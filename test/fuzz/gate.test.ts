/**
 * A running gate and a registry gone mad: random documents, tarballs, requests, and a long random history. Whatever comes, the gate
 * stays up, answers in time, never serves a version it withholds, and never answers 200 with other bytes. The seed repeats a run.
 */
import { createCipheriv, createHash } from "node:crypto";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY, iso } from "../../src/core/base/time.ts";
import type { Fault } from "../kit/fixture/faults.ts";
import { send } from "../kit/http.ts";
import { releaseText } from "../kit/stage.ts";
import { openGate, type Opened, receive } from "../gate/open.ts";
import { mutated, random, type Random, SEED } from "./random.ts";

/** No answer may take longer, whatever came; a busy machine included. */
const PATIENCE_MS = 15_000;

const sha512 = (bytes: Uint8Array): string => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

let memory = 0;
beforeEach(() => {
  memory = process.memoryUsage().rss;
  console.log(`seed ${SEED}`);
});
afterEach(() => expect(process.memoryUsage().rss - memory, "memory grows with hostile input").toBeLessThan(700_000_000));

async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in time: ${what}`)), PATIENCE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** `count` cases, eight at a time: most of the time is waiting for connections to be given up. */
async function cases(count: number, one: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

function noise(dice: Random, bytes: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16, dice.int(256)), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** Every bug the gate met is in its log; none may be. */
async function stillUp({ get, product }: Opened): Promise<void> {
  expect((await get("/-/cordon/health")).status).toBe(200);
  expect(product.log.filter(({ what }) => what === "bug")).toEqual([]);
}

type Packument = {
  name: string;
  versions: Record<string, { dist: { integrity?: string; shasum?: string } }>;
  time: Record<string, string>;
  "dist-tags": Record<string, string>;
};

test("mutated packuments", async () => {
  const opened = await openGate();
  const { fixture, get } = opened;
  const seeds = await Promise.all(
    ["/axios", "/old-faithful", "/tag-prerelease", "/@acme%2fwidget"].map(async (path) =>
      (await send(fixture.url, { method: "GET", path })).body.toString(),
    ),
  );
  const statuses = new Map<number, number>();
  await cases(1_000, async (n) => {
    const dice = random(SEED + n);
    // An upstream that gave no answer several times is left alone for a while.
    fixture.clock.advance("15s");
    const seed = dice.pick(seeds);
    const own = JSON.parse(seed) as Packument;
    const name = `fuzz-${n}`;
    const text = mutated(seed.replaceAll(`"${own.name}"`, `"${name}"`), dice);
    const stop = fixture.faults.add(
      { route: "packument", name },
      { body: text, ...(dice.chance(0.2) ? { noEtag: true } : {}), ...(dice.chance(0.2) ? { chunked: true } : {}) },
    );
    const what = `seed ${SEED}, document ${n}`;
    const accept = dice.chance(0.5) ? { accept: "application/vnd.npm.install-v1+json" } : {};
    const answer = await inTime(what, get(`/${name}`, accept));
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    expect([200, 403, 503], `${what}: ${answer.reason}`).toContain(answer.status);
    if (answer.status === 200) {
      const { versions, time, "dist-tags": tags, ...rest } = JSON.parse(answer.body.toString()) as Packument;
      expect(rest.name, what).toBe(name);
      const listed = Object.keys(versions);
      expect(listed.length, what).toBeGreaterThan(0);
      for (const version of listed) {
        expect(Date.parse(time[version] ?? "") + 3 * DAY, `${what}: ${version}`).toBeLessThanOrEqual(fixture.clock.now());
        expect(versions[version]!.dist.integrity ?? versions[version]!.dist.shasum, `${what}: ${version}`).toBeTypeOf("string");
      }
      expect(
        Object.values(tags).every((version) => listed.includes(version)),
        what,
      ).toBe(true);
      // What the document names and the answer does not is not to be had by its tarball either.
      for (const version of Object.keys(own.versions)
        .filter((one) => !listed.includes(one))
        .slice(-2))
        expect(
          (await inTime(what, get(`/${name}/-/${own.name.replace(/^.*\//, "")}-${version}.tgz`))).status,
          `${what}: ${version}`,
        ).not.toBe(200);
    }
    stop();
  });
  console.log("packuments:", Object.fromEntries(statuses));
  expect(statuses.get(200)).toBeGreaterThan(100);
  expect(statuses.get(403)).toBeGreaterThan(100);
  await stillUp(opened);
});

test("tarballs that arrive wrong in every way", async () => {
  const opened = await openGate();
  const { fixture, base } = opened;
  let right = 0;
  let wrong = 0;
  await cases(400, async (n) => {
    const dice = random(SEED + 100_000 + n);
    fixture.clock.advance("15s");
    const name = `tar-${n}`;
    fixture.publish(releaseText(`${name}@1.0.0`, "2025-01-01T00:00:00Z", [`file:f${n}`]));
    const large = dice.chance(0.03);
    const body = large ? noise(dice, 8_100_000 + dice.int(500_000)) : undefined;
    if (body)
      fixture.faults.add(
        { route: "packument", name },
        {
          edit: (document) =>
            Object.assign((document["versions"] as Packument["versions"])["1.0.0"]!.dist, { integrity: sha512(body), shasum: undefined }),
        },
      );
    const integrity = body ? sha512(body) : fixture.integrity(name, "1.0.0");
    const accident = (): Fault => {
      const size = body?.byteLength ?? 200;
      switch (dice.int(9)) {
        case 0:
          return { truncate: dice.int(size) };
        case 1:
          return { cut: dice.int(size) };
        case 2:
          return { wrongBytes: true };
        case 3:
          return { body: noise(dice, dice.int(5_000)) };
        case 4:
          return { status: dice.pick([200, 204, 206, 301, 304, 400, 401, 403, 404, 410, 429, 500, 503]), headers: { "retry-after": "0" } };
        case 5:
          return { headers: { "content-encoding": dice.pick(["gzip", "br", "identity", "x"]) } };
        case 6:
          // More than there is would be waited for until the connection idles out, half a minute.
          return { headers: { "content-length": String(dice.int(size)) } };
        case 7:
          return { chunked: true };
        default:
          return { reset: true };
      }
    };
    const faults = [...(body ? [{ body }] : []), ...(dice.chance(0.8) ? [accident()] : [])];
    const stops = faults.map((fault) =>
      fixture.faults.add({ route: "tarball", name }, dice.chance(0.3) && !("body" in fault) ? { ...fault, times: 1 } : fault),
    );
    const what = `seed ${SEED}, tarball ${n}: ${JSON.stringify(faults.map(({ body: _body, ...rest }) => rest))}`;
    const asked = Array.from({ length: 1 + dice.small(4) }, () =>
      inTime(
        what,
        receive(base, `/${name}/-/${name}-1.0.0.tgz`).catch(() => undefined),
      ),
    );
    for (const got of await Promise.all(asked)) {
      if (got?.status !== 200 || !got.whole) {
        wrong += 1;
        continue;
      }
      right += 1;
      expect(sha512(got.body), what).toBe(integrity);
    }
    for (const stop of stops) stop();
  });
  console.log(`tarballs: ${right} right, ${wrong} refused or cut`);
  expect(right).toBeGreaterThan(50);
  expect(wrong).toBeGreaterThan(50);
  await stillUp(opened);
});

test("requests no client would make", async () => {
  const opened = await openGate({ config: 'policy:\n  private: ["@secret/*", "secret-*"]\n' });
  const { fixture, gate, get } = opened;
  const host = `${gate.at.host}:${gate.at.port}`;
  const body = '{"axios":["1.14.1"],"@secret/thing":["1.0.0"],"leaky":["1.0.0"]}';
  const lines = [
    "GET /axios HTTP/1.1",
    "GET /axios/-/axios-1.14.1.tgz HTTP/1.1",
    "GET /axios/-/axios-1.14.0.tgz HTTP/1.1",
    "HEAD /@acme%2fwidget HTTP/1.1",
    "GET /@acme/widget/-/widget-2.0.0.tgz HTTP/1.1",
    "GET /axios/1.14.1 HTTP/1.1",
    "GET /-/package/axios/dist-tags HTTP/1.1",
    "GET /-/npm/v1/attestations/axios@1.14.1 HTTP/1.1",
    "GET /-/v1/search?text=secret-thing&size=5 HTTP/1.1",
    "GET /p/site/npm/axios HTTP/1.1",
    "GET /-/cordon/why/axios@1.14.1 HTTP/1.1",
    "GET /-/cordon/decisions?since=2026-03-31T00:00:00Z HTTP/1.1",
    "GET /-/cordon/health HTTP/1.1",
    "GET /@secret/thing HTTP/1.1",
    "POST /-/npm/v1/security/advisories/bulk HTTP/1.1",
    "POST /-/npm/v1/security/audits/quick HTTP/1.1",
    "POST /-/cordon/decide HTTP/1.1",
    "PUT /axios HTTP/1.1",
    "DELETE /-/user/token/abc HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "CONNECT axios:443 HTTP/1.1",
    "TRACE /axios HTTP/1.1",
  ];
  const headers = [
    "accept: application/vnd.npm.install-v1+json",
    "accept-encoding: gzip",
    "user-agent: npm/11.19.1 node/v20.20.2",
    "pacote-integrity: sha512-AAAA",
    'if-none-match: "x"',
    "x-cordon-hop: 1",
    "authorization: Bearer cordon_x",
    "range: bytes=0-10",
    "expect: 100-continue",
    "upgrade: websocket",
    "transfer-encoding: chunked",
    "content-encoding: gzip",
    "x-forwarded-for: 1.2.3.4",
    "origin: https://evil.test",
    `cookie: ${"a=b; ".repeat(500)}`,
  ];
  const admitted = new Set(
    ["1.7.9", "1.8.4", "1.9.0", "0.30.0", "1.12.2", "0.30.2", "1.13.0", "1.13.5", "1.13.6", "0.30.3", "1.14.0"].map((version) =>
      fixture.integrity("axios", version),
    ),
  );
  for (const version of ["1.0.0", "1.1.0"]) admitted.add(fixture.integrity("@acme/widget", version));
  const statuses = new Map<string, number>();
  await cases(1_500, async (n) => {
    const dice = random(SEED + 200_000 + n);
    const line = dice.pick(lines);
    const chosen = Array.from({ length: dice.int(4) }, () => dice.pick(headers));
    const sent = line.startsWith("POST") || dice.chance(0.1) ? mutated(body, dice) : "";
    const length = dice.chance(0.9) ? Buffer.byteLength(sent) : dice.int(10_000);
    const whole = `${line}\r\nhost: ${host}\r\n${chosen.map((one) => `${one}\r\n`).join("")}${sent === "" ? "" : `content-length: ${length}\r\n`}connection: close\r\n\r\n${sent}`;
    const text = dice.chance(0.7) ? mutated(whole, dice) : whole;
    const what = `seed ${SEED}, request ${n}: ${JSON.stringify(text.slice(0, 120))}`;
    const heard = await inTime(what, exchange(gate.at, text));
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(heard.toString("latin1"))?.[1] ?? "closed";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    expect(status, what).not.toBe("500");
    const head = heard.indexOf("\r\n\r\n");
    if (status !== "200" || !heard.toString("latin1", 0, head).includes("application/octet-stream")) return;
    const bytes = heard.subarray(head + 4);
    if (bytes.byteLength > 0 && !text.startsWith("HEAD ")) expect(admitted.has(sha512(bytes)), what).toBe(true);
  });
  console.log("requests:", Object.fromEntries(statuses));
  // Whatever was asked, the registry heard only of package names and of endpoints, and never of what is private.
  const odd = fixture.log.entries.filter(
    ({ url }) =>
      !/^\/(?:(?:@[\w.~!'()*-]+%2f)?[\w.~!'()*-]+|(?:@[\w.~!'()*-]+\/)?[\w.~!'()*-]+\/-\/[\w.~!'()*+-]+|-\/npm\/v1\/(?:keys|attestations\/[^/]+(?:%2f[^/]+)?|security\/\S+)|-\/v1\/search\?\S*)$/.test(
        url,
      ),
  );
  expect(odd.map(({ url }) => url)).toEqual([]);
  expect(
    fixture.log.entries.filter(({ url, body: said }) => /(?<![\w-])(?:secret-|@secret\/)[a-z]/i.test(`${decodeURIComponent(url)} ${said}`)),
  ).toEqual([]);
  expect((await get("/axios/-/axios-1.14.0.tgz")).status).toBe(200);
  await stillUp(opened);
});

/** Sends the bytes and gives what came back until the other side closed, or nothing came for a while. */
function exchange({ host, port }: { readonly host: string; readonly port: number }, text: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    // A request that never ends is ours to end.
    socket.setTimeout(400, () => socket.destroy());
    socket.on("close", () => resolve(Buffer.concat(chunks)));
    socket.write(Buffer.from(text, "utf8"));
  });
}

test("a long history: publishing, vanishing, lying, freezing, and every answer agrees with every other", async () => {
  const opened = await openGate({ fixture: { packages: [] } });
  const { fixture, gate, get, product } = opened;
  const { exceptions } = gate.app;
  const dice = random(SEED + 3);
  const names = ["alpha", "beta", "@corp/gamma"];
  /** What really happened: when each version appeared, and its first bytes. */
  const truth = new Map<string, { readonly at: number; readonly integrity: string }>();
  const denied = new Set<string>();
  const lying: (() => void)[] = [];
  const versionsOf = (name: string): string[] =>
    [...truth.keys()].filter((spec) => spec.startsWith(`${name}@`)).map((spec) => spec.slice(name.length + 1));
  const publish = (name: string, version: string, when = fixture.clock.now() as number): void => {
    const dependency = dice.chance(0.3) ? [`dep:${dice.pick(names.filter((one) => one !== name))}@^1.0.0`] : [];
    const tag = dice.chance(0.2) ? ["tag:next"] : [];
    fixture.publish(releaseText(`${name}@${version}`, new Date(when).toISOString(), [`file:v${truth.size}`, ...dependency, ...tag]));
    truth.set(`${name}@${version}`, { at: when, integrity: fixture.integrity(name, version) });
  };
  for (const name of names) {
    publish(name, "1.0.0", Date.parse("2025-06-01T00:00:00Z"));
    publish(name, "1.1.0", Date.parse("2025-12-01T00:00:00Z"));
    await get(`/${name.replace("/", "%2f")}`);
  }

  const steps: readonly (readonly [weight: number, step: () => unknown])[] = [
    [8, () => void fixture.clock.advance(dice.pick(["5m", "11m", "1h", "5h", "1d", "2d"]))],
    [
      3,
      () => {
        const name = dice.pick(names);
        const versions = versionsOf(name);
        publish(name, `${1 + dice.small(3)}.${versions.length}.${dice.int(3)}${dice.chance(0.2) ? `-rc.${dice.int(3)}` : ""}`);
      },
    ],
    [1, () => withOne((name, version) => fixture.withdraw(name, version))],
    [1, () => withOne((name, version) => fixture.restore(name, version))],
    [1, () => withOne((name, version) => fixture.tag(name, dice.pick(["latest", "next", "legacy"]), version))],
    [1, () => withOne((name, version) => fixture.deprecate(name, version, dice.chance(0.5) ? "use another" : ""))],
    [
      0.3,
      () =>
        withOne(async (name, version) => {
          // Bytes that were swapped before anybody here looked cannot be told from the first ones.
          if (!Object.hasOwn((await gate.app.knowledge.recall(name))?.versions ?? {}, version)) return;
          const text = releaseText(`${name}@${version}`, iso(fixture.clock.now()), [`file:swapped${dice.int(1_000)}`]);
          fixture.publish(text, { replace: true });
        }),
    ],
    [
      1,
      () => {
        const name = dice.pick(names);
        const fault = dice.pick<Fault>([
          { noTime: true },
          { status: dice.pick([404, 500, 503]) },
          { html: true },
          { truncate: 50 },
          // Of what it knows already the gate believes no older date.
          {
            edit: ({ time, versions }) =>
              versionsOf(name).forEach(
                (version) =>
                  versions && Object.hasOwn(versions, version) && ((time as Record<string, string>)[version] = "2020-01-01T00:00:00.000Z"),
              ),
          },
        ]);
        lying.push(fixture.faults.add({ route: "packument", name }, fault));
      },
    ],
    [1, () => lying.splice(0).forEach((stop) => stop())],
    [0.3, () => (dice.chance(0.5) ? fixture.down() : undefined)],
    [1, () => fixture.down().then(() => fixture.up())],
    [
      0.5,
      () =>
        withOne(async (name, version) => {
          await exceptions.deny({ spec: `${name}@${version}` }, { owner: "mara", reason: "fuzz" });
          denied.add(`${name}@${version}`);
        }),
    ],
    [
      0.2,
      () =>
        exceptions.freeze(
          { before: fixture.clock.now(), expires: (fixture.clock.now() + DAY) as never },
          { owner: "mara", reason: "fuzz" },
        ),
    ],
    [20, look],
  ];
  const total = steps.reduce((sum, [weight]) => sum + weight, 0);

  async function withOne(act: (name: string, version: string) => unknown): Promise<void> {
    const name = dice.pick(names);
    await act(name, dice.pick(versionsOf(name)));
  }

  let served = 0;
  let refused = 0;
  async function look(): Promise<void> {
    const name = dice.pick(names);
    const now = fixture.clock.now();
    const what = `seed ${SEED}, ${name} at ${iso(now)}`;
    const packument = await inTime(what, get(`/${name.replace("/", "%2f")}`));
    expect([200, 403, 404, 503], `${what}: ${packument.reason}`).toContain(packument.status);
    const {
      versions = {},
      time = {},
      "dist-tags": tags = {},
    } = (packument.status === 200 ? JSON.parse(packument.body.toString()) : {}) as Partial<Packument>;
    const listed = Object.keys(versions);
    expect(
      Object.values(tags).every((version) => listed.includes(version)),
      what,
    ).toBe(true);
    if (listed.some((version) => !version.includes("-"))) expect(tags, what).toHaveProperty("latest");
    expect(
      Object.keys(time)
        .filter((key) => key !== "created" && key !== "modified")
        .sort(),
      what,
    ).toEqual([...listed].sort());
    const record = await gate.app.knowledge.recall(name);
    // A registry that lies can make a version as old as our last look without it, and no older.
    const age = (version: string): number =>
      now - Math.min(truth.get(`${name}@${version}`)!.at, record?.versions[version]?.absentBefore ?? Infinity);
    for (const version of listed) {
      const { integrity } = truth.get(`${name}@${version}`)!;
      expect(age(version), `${what}: ${version} is young`).toBeGreaterThanOrEqual(3 * DAY);
      expect(denied.has(`${name}@${version}`), `${what}: ${version} is denied`).toBe(false);
      expect(versions[version]!.dist.integrity, `${what}: ${version} changed`).toBe(integrity);
    }
    const version = dice.pick(versionsOf(name));
    const { integrity } = truth.get(`${name}@${version}`)!;
    const file = `${name.replace(/^.*\//, "")}-${version}.tgz`;
    const tarball = await inTime(what, get(`/${name}/-/${file}`));
    expect([200, 403, 404, 502, 503], `${what}: ${tarball.reason}`).toContain(tarball.status);
    if (tarball.status === 200) {
      served += 1;
      expect(sha512(tarball.body), `${what}: ${version} has other bytes`).toBe(integrity);
      expect(age(version), `${what}: the tarball of ${version} is young`).toBeGreaterThanOrEqual(3 * DAY);
      expect(denied.has(`${name}@${version}`), `${what}: the tarball of ${version} is denied`).toBe(false);
    } else if (tarball.status === 403) {
      refused += 1;
      // Packuments do not wait for a look at the bytes: of a young version that cannot be looked at now, only the tarball is refused.
      if (!tarball.reason.includes("not-checked:"))
        expect(listed, `${what}: ${version} is listed, but its tarball is refused: ${tarball.reason}`).not.toContain(version);
    }
  }

  for (let n = 0; n < 1_000; n += 1) {
    let at = (dice.int(1_000_000) / 1_000_000) * total;
    const [, step] = steps.find(([weight]) => (at -= weight) < 0) ?? steps.at(-1)!;
    try {
      await step();
    } catch (error) {
      // The fixture refuses what cannot happen twice (a version published again, a port opened again); the gate's answers are judged in `look`.
      if (step === look) throw error;
    }
    if (dice.chance(0.05)) await fixture.up().catch(() => undefined);
  }
  console.log(`history: ${truth.size} versions, ${served} tarballs served, ${refused} refused, ${denied.size} denied`);
  expect(served).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
  await fixture.up().catch(() => undefined);
  expect((await product.cordon(["ledger", "verify"])).code).toBe(0);
  await stillUp(opened);
});
