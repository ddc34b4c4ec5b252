/** Bills of materials, read: CycloneDX JSON 1.4 and later, SPDX 2.3 JSON. Of each npm package its name, version and digest; all else is left. */
import { Buffer } from "node:buffer";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { readPurl } from "./purl.ts";

export type SbomPackage = {
  readonly name: string;
  readonly version?: string;
  /** As written. */
  readonly purl: string;
  /** SRI of every digest given. */
  readonly integrity?: string;
};

export type Sbom = {
  /** `CycloneDX 1.6`, `SPDX-2.3`; absent when it is neither. */
  readonly format?: string;
  /** What it is about, where it says so. */
  readonly subject?: string;
  readonly packages: readonly SbomPackage[];
  /** One line each. A document that cannot be read has one, and no packages. */
  readonly problems: readonly string[];
  /** How many of its packages are of other ecosystems, or say nothing of one. */
  readonly others: number;
};

type Json = Readonly<Record<string, unknown>>;
type Digest = { readonly algorithm: string; readonly hex: string };
/** `named`: for problems. */
type Entry = { readonly named: string; readonly purls: readonly string[]; readonly digests: readonly Digest[] };

/** Never throws on content. */
export function readSbom(text: string): Sbom {
  const refused = (problem: string): Sbom => ({ packages: [], problems: [problem], others: 0 });
  if (text.length > LIMITS.sbomChars) return refused(`more than ${LIMITS.sbomChars} characters`);
  const document = parsed(text);
  if (!isRecord(document)) return refused("not a JSON object");
  if (document["bomFormat"] === "CycloneDX") {
    const { specVersion } = document;
    if (typeof specVersion !== "string" || !/^1\.(?:[4-9]|[1-9]\d)$/.test(specVersion))
      return refused("CycloneDX of a version before 1.4, or none");
    const metadata = isRecord(document["metadata"]) ? document["metadata"] : {};
    const subject = isRecord(metadata["component"]) ? metadata["component"] : {};
    return collected(`CycloneDX ${specVersion}`, cycloneName(subject), componentsOf(document["components"]));
  }
  if (document["spdxVersion"] === "SPDX-2.3" || document["spdxVersion"] === "SPDX-2.2") {
    const packages = listOf(document["packages"]).map(spdxEntry);
    return collected(document["spdxVersion"], textOf(document["name"]), packages);
  }
  return refused("neither CycloneDX JSON nor SPDX 2.3 JSON");
}

function collected(format: string, subject: string | undefined, entries: readonly Entry[]): Sbom {
  const packages: SbomPackage[] = [];
  const problems: string[] = [];
  let others = 0;
  for (const { named, purls, digests } of entries.slice(0, LIMITS.sbomPackages)) {
    const npm = purls.find((purl) => /^pkg:\/*npm\//i.test(purl));
    if (npm === undefined) {
      others++;
      continue;
    }
    const read = readPurl(npm);
    if (read === undefined) {
      problems.push(`${named}: its purl is no npm package's`);
      continue;
    }
    const usable = digests.map(sriOf);
    if (usable.includes(undefined)) problems.push(`${named}: a digest cannot be read`);
    const integrity = usable.filter((one) => one !== undefined && one !== "").join(" ");
    packages.push({
      name: read.name,
      ...(read.version === undefined ? {} : { version: read.version }),
      purl: npm,
      ...(integrity === "" ? {} : { integrity }),
    });
  }
  if (entries.length > LIMITS.sbomPackages) problems.push(`only the first ${LIMITS.sbomPackages} packages were read`);
  return {
    format,
    ...(subject === undefined ? {} : { subject }),
    packages,
    problems:
      problems.length > LIMITS.sbomProblems
        ? [...problems.slice(0, LIMITS.sbomProblems), `and ${problems.length - LIMITS.sbomProblems} more`]
        : problems,
    others,
  };
}

/** Components hold components; the list of those still to be looked at stands in for recursion, which a hostile file would exhaust. */
function componentsOf(components: unknown): readonly Entry[] {
  const entries: Entry[] = [];
  const waiting = listOf(components).toReversed();
  while (waiting.length > 0 && entries.length <= LIMITS.sbomPackages) {
    const component = waiting.pop()!;
    entries.push({
      named: cycloneName(component) ?? "a component without a name",
      purls: textsOf([component["purl"]]),
      digests: listOf(component["hashes"]).map(({ alg, content }) => ({ algorithm: textOf(alg) ?? "", hex: textOf(content) ?? "" })),
    });
    // Not spread into `push`: a list from outside may be longer than a call has room for.
    for (const inner of listOf(component["components"]).toReversed()) waiting.push(inner);
  }
  return entries;
}

function cycloneName({ group, name }: Json): string | undefined {
  const parts = textsOf([group, name]);
  return parts.length === 0 ? undefined : line(parts.join("/"));
}

function spdxEntry({ name, externalRefs, checksums }: Json): Entry {
  return {
    named: line(textOf(name) ?? "a package without a name"),
    purls: listOf(externalRefs).flatMap(({ referenceType, referenceLocator }) =>
      referenceType === "purl" ? textsOf([referenceLocator]) : [],
    ),
    digests: listOf(checksums).map(({ algorithm, checksumValue }) => ({
      algorithm: textOf(algorithm) ?? "",
      hex: textOf(checksumValue) ?? "",
    })),
  };
}

const BYTES: Readonly<Record<string, number>> = { sha512: 64, sha384: 48, sha256: 32, sha1: 20 };

/** `SHA-512` (CycloneDX) or `SHA512` (SPDX) and hex as an SRI part; undefined when it has not that many bytes, empty for an algorithm npm has not. */
function sriOf({ algorithm, hex }: Digest): string | undefined {
  const name = algorithm.toLowerCase().replace(/^sha-/, "sha");
  const bytes = Object.hasOwn(BYTES, name) ? BYTES[name]! : undefined;
  if (bytes === undefined) return "";
  if (hex.length !== bytes * 2 || !/^[0-9a-f]+$/i.test(hex)) return undefined;
  return `${name}-${Buffer.from(hex, "hex").toString("base64")}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller: it is no object either.
    return undefined;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textsOf(values: readonly unknown[]): readonly string[] {
  return values.flatMap((value) => textOf(value) ?? []);
}

function line(text: string): string {
  return printable(text).slice(0, LIMITS.policyTextChars);
}
