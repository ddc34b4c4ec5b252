/** The upstream of the kill tests: old packages, some small, some so large and slow that several are under way whenever a gate dies. */
import { createCipheriv } from "node:crypto";
import { type Fixture, startFixture } from "../kit/fixture.ts";

export type Tarball = { readonly name: string; readonly version: string };

/** More than `LIMITS.tarballBufferBytes` each, so that the gate passes them on while they come. */
const LARGE_BYTES = 8_500_000;
const SMALL = Array.from({ length: 30 }, (_, index) => versions(`@light/part-${index}`, 2)).flat();

export type KillRegistry = Fixture & { readonly large: readonly Tarball[]; readonly small: readonly Tarball[] };

/** With that many large tarballs; each takes half a second to make. */
export async function startRegistry({ large: count }: { readonly large: number }): Promise<KillRegistry> {
  const large = versions("heavy", count);
  const texts = [
    ...large.map((one, index) => packageText(one, index, LARGE_BYTES)),
    ...SMALL.map((one, index) => packageText(one, 1_000 + index, 2_000 * (1 + (index % 20)))),
  ];
  // Real processes live by the real clock.
  const fixture = await startFixture({ packages: texts, at: new Date().toISOString() });
  fixture.faults.add({ route: "tarball", name: "heavy" }, { drip: { bytes: 512 * 1_024, ms: 10 } });
  fixture.faults.add({ route: "tarball" }, { slow: 5 });
  return { ...fixture, large, small: SMALL };
}

function versions(name: string, count: number): Tarball[] {
  return Array.from({ length: count }, (_, minor) => ({ name, version: `1.${minor}.0` }));
}

/** A package whose tarball has about this many bytes: noise that does not compress, the same in every run. */
function packageText({ name, version }: Tarball, seed: number, bytes: number): string {
  const key = Buffer.alloc(16, 7);
  key.writeUInt32LE(seed);
  const noise = createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes)).toString("base64");
  return `published 2024-01-01T00:00:00Z by maker\n-- package.json --\n${JSON.stringify({ name, version, license: "MIT" })}\n-- noise.txt --\n${noise}\n`;
}
