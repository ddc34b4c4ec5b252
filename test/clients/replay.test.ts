/**
 * The axios incident of 31 March 2026 with real clients. 1.14.1 is `latest`, 0.30.4 is `legacy`, both require a package that was 22 minutes
 * old when the first appeared. What is installed is read from the packages' own manifests, what left the registry from its log.
 */
import { expect, test } from "vitest";
import type { ClientId } from "../../src/core/client/client.ts";
import { availableClients, missingClients, pointedAt } from "./clients.ts";
import { all, BOTH, FROZEN, LOCKFILE, pastTheGate, stage } from "./stage.ts";

for (const id of missingClients()) test.skipIf(true)(`${id} is not here: node test/clients/fetch.mjs ${id}`, () => {});

const WITHHELD = [
  ["axios", "1.14.1"],
  ["axios", "0.30.4"],
  ["plain-crypto-js", "4.2.1"],
] as const;

/** Both are fetched at once and a client may stop at the first refusal: either is the right one. */
const HELD = String.raw`(axios@1\.14\.1: young-release.+until 2026-04-03T00:21Z|plain-crypto-js@4\.2\.1: young-release.+until 2026-04-02T23:59Z)`;

/** How each client shows a refusal of its own gate, without the wrapper (client-contract.md §3, "What the human sees for 403"). */
const OWN_WORDS: Record<ClientId, (version: string) => readonly RegExp[]> = {
  npm: () => [
    /npm notice cordon holds (axios@1\.14\.1|plain-crypto-js@4\.2\.1): young-release/,
    /npm error 403 403 cordon holds .+ until 2026-04-0\dT/,
  ],
  pnpm: (version) =>
    // From 11 on the packument is asked first, and plain-crypto-js has no version to offer at all.
    Number.parseInt(version) < 11
      ? [/ERR_PNPM_FETCH_403/, new RegExp(String.raw`(axios-1\.14\.1|plain-crypto-js-4\.2\.1)\.tgz: cordon holds ${HELD}`)]
      : [/ERR_PNPM_(FETCH_403|META_FETCH_FAIL|TARBALL)|MINIMUM_RELEASE_AGE_VIOLATION/],
  "yarn-classic": () => [/Request failed "403 Forbidden"/],
  "yarn-berry": () => [/YN0035/, new RegExp(String.raw`403 \(cordon holds ${HELD}`)],
  bun: () => [/(axios-1\.14\.1|plain-crypto-js-4\.2\.1)\.tgz - 403/],
  deno: () => [/Bad response: 403/, new RegExp(`"error":"cordon holds ${HELD}`)],
};

for (const client of availableClients())
  test(`${client.id}: ranges fall back, pins are refused and explained, and 72 hours later it is served`, async () => {
    const project = await stage(client, {
      at: BOTH,
      dependencies: { axios: "^1.13.0", "axios-legacy": "npm:axios@legacy", "axios-old": "npm:axios@^0.30.0" },
    });
    const { registry } = project;
    const lockfile = LOCKFILE[client.kind];
    const versions = () => ["axios", "axios-legacy", "axios-old"].map(project.installed);
    const leaked = () => WITHHELD.map(([name, version]) => registry.log.tarballBytes(name, version));
    // One gate, up all the time.
    const gate = await project.product.gate({ announce: true });

    const range = await project.cordon(["install"]);
    expect(range, all(range)).toMatchObject({ code: 0 });
    expect(versions()).toEqual(["1.14.0", "0.30.3", "0.30.3"]);
    expect(range.report).toContain("held back 2 versions, installed the last admitted one");
    expect(range.report).toMatch(/axios 1\.14\.1 → got 1\.14\.0\n +young-release +published 44 min ago · opens 3 Apr 00:21 UTC/);
    expect(range.report).toMatch(/axios 0\.30\.4 → got 0\.30\.3\n +young-release +published 5 min ago · opens 3 Apr 01:00 UTC/);
    expect(project.read(lockfile)).not.toContain(gate.url);

    project.remove("node_modules", lockfile);
    project.depend({ axios: "1.14.1" });
    const exact = await project.cordon(["install"]);
    expect(exact.code, all(exact)).not.toBe(0);
    expect(project.installed("axios")).toBeUndefined();
    expect(exact.report).toMatch(/refused 1 version that the project asks for\n  axios 1\.14\.1\n +young-release .+ opens 3 Apr 00:21 UTC/);
    expect(exact.report).toContain("instead         1.14.0");
    expect(leaked()).toEqual([0, 0, 0]);
    expect(pastTheGate(registry)).toEqual([]);

    // A lockfile from before cordon, when nobody was there to hold it back.
    const careless = await project.bare(["install"], { home: `${project.home}-careless` });
    expect(careless, all(careless)).toMatchObject({ code: 0 });
    const pinned = project.read(lockfile)!;
    expect(pinned).toContain("1.14.1");
    registry.log.clear();

    project.remove("node_modules");
    const locked = await project.cordon(FROZEN[client.kind]);
    expect(locked, all(locked)).toMatchObject({ code: 1, stdout: "" });
    expect(locked.report).toMatch(
      new RegExp(`refused 2 versions that ${lockfile} pins\n  axios 1\\.14\\.1 \\(line \\d+\\)\n +young-release .+ opens 3 Apr 00:21 UTC`),
    );
    expect(locked.report).toMatch(/plain-crypto-js 4\.2\.1 \(line \d+\)\n +young-release .+ opens 2 Apr 23:59 UTC/);
    expect(project.read(lockfile)).toBe(pinned);

    // The same without the wrapper, as a lockfile that was written through this gate.
    project.write({ [lockfile]: pinned.replaceAll(registry.url, gate.url) });
    const direct = await project.bare(FROZEN[client.kind], { env: pointedAt(client.kind, gate.url) });
    expect(direct.code, all(direct)).toBeGreaterThan(0);
    for (const words of OWN_WORDS[client.kind](client.version)) expect(all(direct)).toMatch(words);
    expect(project.installed("axios")).toBeUndefined();
    expect(leaked()).toEqual([0, 0, 0]);
    expect(pastTheGate(registry)).toEqual([]);

    project.write({ [lockfile]: pinned });
    project.remove("node_modules");
    registry.clock.advance("72h");
    const later = await project.cordon(FROZEN[client.kind]);
    expect(later, all(later)).toMatchObject({ code: 0, report: "cordon · 5 versions checked, none withheld\n" });
    expect(project.installed("axios")).toBe("1.14.1");
    expect(project.read(lockfile)).toBe(pinned);

    project.remove("node_modules", lockfile);
    project.depend({ axios: "^1.13.0" });
    // pnpm 12 and deno would take the versions their cache remembers (client-contract.md P7).
    project.emptyCaches();
    const anew = await project.cordon(["install"]);
    expect(anew, all(anew)).toMatchObject({ code: 0 });
    expect(project.installed("axios")).toBe("1.14.1");
    expect(leaked()[0]).toBeGreaterThan(0);
    expect(pastTheGate(registry)).toEqual([]);
  });
