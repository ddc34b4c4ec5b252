/**
 * Builds the packument a client gets. Manifests are spliced from the upstream's bytes, so integrity, signatures, attestations and publisher
 * pass through untouched; only the URLs that must lead back to this gate are replaced. Same input and plan, same bytes.
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import type { Span, WalkedVersion } from "./manifest.ts";
import { escapeName } from "./name.ts";
import { PASSED_FIELDS, type PackumentIndex } from "./packument.ts";
import type { RenderedPackument, RenderPlan } from "./summary.ts";
import { tarballUrl } from "./tarball-name.ts";

/** Where rewritten URLs lead. */
export type Bases = Pick<RenderPlan, "tarballBase" | "attestationsBase">;

/** The whole answer. A version is in it when it is servable, not withheld and has a time in the plan; a tag when its version is. */
export function renderPackument(index: PackumentIndex, plan: RenderPlan): RenderedPackument {
  const withheld = new Set(plan.withheld);
  const served = index.versions.filter(({ version }) => !withheld.has(version) && Object.hasOwn(plan.time, version));
  const times = served.map(({ version }): [string, string] => [version, plan.time[version]!]);
  const listed = new Set(served.map(({ version }) => version));
  const tags = Object.entries(plan.tags).filter(([, version]) => listed.has(version));
  const span = publishedSpan(times);

  const out = writer(index.bytes.length);
  const field = (key: string, json: string): void => out.text(`,${JSON.stringify(key)}:${json}`);
  out.text(`{"name":${JSON.stringify(index.name)}`);
  if (plan.form === "full")
    for (const key of PASSED_FIELDS) {
      const value = index.fields.get(key);
      if (value === undefined) continue;
      out.text(`,${JSON.stringify(key)}:`);
      out.bytes(index.bytes, value);
    }
  // pnpm takes an abbreviated `modified` older than its minimum release age as proof that every version is: so it is the newest time served.
  else if (span) field("modified", JSON.stringify(span.modified));
  field("dist-tags", JSON.stringify(Object.fromEntries(tags)));
  out.text(`,"versions":{`);
  served.forEach((walked, at) => {
    out.text(`${at > 0 ? "," : ""}${JSON.stringify(walked.version)}:`);
    if (plan.form === "full") writeManifest(out, index, walked, plan);
    else writeAbbreviated(out, index, walked, plan);
  });
  out.text("}");
  field("time", JSON.stringify(Object.fromEntries([...Object.entries(span ?? {}), ...times])));
  if (plan.restrictions) field("policyRestrictions", JSON.stringify(restrictions(index.name, plan.restrictions)));
  out.text("}");

  const body = out.done();
  return {
    gzip: compress(body),
    length: body.length,
    etag: `"${createHash("sha256").update(body).digest("base64url")}"`,
  };
}

/** Bodies up to this size are compressed fast, larger ones well: those are rendered off the main thread, and sent over and over. */
const FAST_UP_TO = 1_000_000;

function compress(body: Buffer): Uint8Array {
  const packed = gzipSync(body, { level: body.length <= FAST_UP_TO ? 1 : 6 });
  // zlib hands out a part of a larger buffer: kept in a cache, it would hold the whole.
  return packed.buffer.byteLength === packed.length ? packed : new Uint8Array(packed);
}

/** One version's full manifest as JSON; undefined when the document has no such servable version. */
export function renderManifest(index: PackumentIndex, version: string, bases: Bases): Uint8Array | undefined {
  const walked = index.versions.find((candidate) => candidate.version === version);
  if (walked === undefined) return undefined;
  const out = writer(walked.manifest[1] - walked.manifest[0]);
  writeManifest(out, index, walked, bases);
  return out.done();
}

/** `created` and `modified` of the answer: its oldest and newest served time, so that neither speaks of a withheld version. */
function publishedSpan(times: readonly (readonly [string, string])[]): { created: string; modified: string } | undefined {
  if (times.length === 0) return undefined;
  const parsed = times.map(([, time]) => ({ time, at: Date.parse(time) }));
  return {
    created: parsed.reduce((oldest, next) => (next.at < oldest.at ? next : oldest)).time,
    modified: parsed.reduce((newest, next) => (next.at > newest.at ? next : newest)).time,
  };
}

// npm-pick-manifest: a version found only under `policyRestrictions.versions` fails with E403 and `policyRestrictions.message`.
// It reads name, version, engines and deprecated; an entry without `dist` cannot be downloaded by anything.
function restrictions(name: string, { message, versions }: NonNullable<RenderPlan["restrictions"]>): object {
  return { message, versions: Object.fromEntries(versions.map((version) => [version, { name, version }])) };
}

function writeManifest(out: Writer, index: PackumentIndex, walked: WalkedVersion, bases: Bases): void {
  writeSpliced(out, index, walked.manifest, walked, bases);
}

function writeAbbreviated(out: Writer, index: PackumentIndex, walked: WalkedVersion, bases: Bases): void {
  out.text("{");
  for (let at = 0; at < walked.abbreviated.length; at += 2) {
    if (at > 0) out.text(",");
    writeSpliced(out, index, [walked.abbreviated[at]!, walked.abbreviated[at + 1]!], walked, bases);
  }
  // npm/registry docs/responses/package-metadata.md: only the abbreviated form carries hasInstallScript, and only when it is true.
  if (walked.scripts) out.text(`,"hasInstallScript":true`);
  out.text("}");
}

/** Copies a span, with whatever URL values lie inside it replaced. */
function writeSpliced(out: Writer, index: PackumentIndex, [start, end]: Span, walked: WalkedVersion, bases: Bases): void {
  const { tarballSpan, attestationsSpan, file, version } = walked;
  if (end <= tarballSpan[0] || start >= tarballSpan[1]) return out.bytes(index.bytes, [start, end]);
  const replaced: [Span, string][] = [[tarballSpan, tarballUrl(bases.tarballBase, index.name, file!)]];
  if (attestationsSpan)
    replaced.push([attestationsSpan, `${bases.attestationsBase}-/npm/v1/attestations/${escapeName(index.name)}@${version}`]);
  let from = start;
  for (const [value, url] of replaced.sort(([a], [b]) => a[0] - b[0])) {
    out.bytes(index.bytes, [from, value[0]]);
    out.text(JSON.stringify(url));
    from = value[1];
  }
  out.bytes(index.bytes, [from, end]);
}

type Writer = { text(text: string): void; bytes(source: Buffer, span: Span): void; done(): Buffer };

/** One growing buffer: tens of thousands of small pieces make a slow `concat`. */
function writer(expected: number): Writer {
  let buffer = Buffer.allocUnsafe(expected + 4_096);
  let length = 0;
  const reserve = (more: number): void => {
    if (length + more <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + more));
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  };
  return {
    text(text) {
      reserve(text.length * 3);
      length += buffer.write(text, length, "utf8");
    },
    bytes(source, [start, end]) {
      reserve(end - start);
      length += source.copy(buffer, length, start, end);
    },
    done: () => buffer.subarray(0, length),
  };
}
