/** A report's packages as SPDX 2.3 JSON. */
import type { Instant } from "../base/time.ts";
import { VERSION } from "../config/constants.ts";
import type { CheckedPackage, CheckReport } from "../check/finding.ts";
import type { Algorithm } from "../npm/integrity.ts";
import { inventoryOf, uuidOf, type Inventory, type InventoryItem } from "./inventory.ts";
import { vcsUrl } from "./purl.ts";
import { percent, uriText } from "./words.ts";

const DOCUMENT = "SPDXRef-DOCUMENT";

/** SPDX 2.3 §7.10: the algorithms' names. */
const ALGORITHMS: Readonly<Record<Algorithm, string>> = { sha512: "SHA512", sha384: "SHA384", sha256: "SHA256", sha1: "SHA1" };

/** An SPDX document, for `JSON.stringify`. `at`: §6.9 demands when it was made. */
export function spdxOf(report: CheckReport, packages: readonly CheckedPackage[], at: Instant): unknown {
  const inventory = inventoryOf(report, packages);
  const ids = new Map(
    [inventory.project.ref, ...inventory.items.map(({ ref }) => ref)].map((ref, index) => [ref, `SPDXRef-Package-${index}`]),
  );
  const id = (ref: string): string => ids.get(ref)!;
  const content = {
    name: inventory.project.name,
    packages: [projectOf(inventory.project, id), ...inventory.items.map((item) => packageOf(item, id(item.ref)))],
    relationships: relationshipsOf(inventory, id),
  };
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: DOCUMENT,
    name: content.name,
    // §6.5: unique for the document, and nothing need be found there.
    documentNamespace: `https://spdx.org/spdxdocs/${percent(content.name)}-${uuidOf(content)}`,
    // §6.9: to the second.
    creationInfo: { created: `${new Date(at).toISOString().slice(0, 19)}Z`, creators: [`Tool: cordon-${VERSION}`] },
    packages: content.packages,
    relationships: content.relationships,
  };
}

function projectOf({ ref, name, version, purl }: Inventory["project"], id: (ref: string) => string): unknown {
  return {
    SPDXID: id(ref),
    name,
    ...(version === undefined ? {} : { versionInfo: version }),
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    primaryPackagePurpose: "APPLICATION",
    ...(purl === undefined ? {} : { externalRefs: [purlReference(purl)] }),
  };
}

function packageOf(item: InventoryItem, id: string): unknown {
  return {
    SPDXID: id,
    name: item.name,
    ...(item.version === "" ? {} : { versionInfo: item.version }),
    downloadLocation: downloadLocation(item),
    filesAnalyzed: false,
    primaryPackagePurpose: "LIBRARY",
    ...(item.hashes.length === 0
      ? {}
      : { checksums: item.hashes.map(({ algorithm, hex }) => ({ algorithm: ALGORITHMS[algorithm], checksumValue: hex })) }),
    ...(item.purl === undefined ? {} : { externalRefs: [purlReference(item.purl)] }),
    comment: item.places.join("\n"),
  };
}

/** §7.7: a URL, a version-control location with `@commit`, or that nobody says. */
function downloadLocation({ source, url }: InventoryItem): string {
  if (url === undefined || !url.includes("://")) return "NOASSERTION";
  return uriText(source === "git" ? vcsUrl(url) : url);
}

function purlReference(purl: string): unknown {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl };
}

/** §11.1: what is for development alone, or optional, points at the project that has it; everything else is a plain dependency. */
function relationshipsOf({ project, direct, items }: Inventory, id: (ref: string) => string): unknown[] {
  const scopes = new Map(items.map(({ ref, scope }) => [ref, scope]));
  const relation = (from: string, type: string, to: string): unknown => ({
    spdxElementId: from,
    relationshipType: type,
    relatedSpdxElement: to,
  });
  return [
    relation(DOCUMENT, "DESCRIBES", id(project.ref)),
    ...direct.map((ref) => {
      const scope = scopes.get(ref);
      if (scope === "excluded") return relation(id(ref), "DEV_DEPENDENCY_OF", id(project.ref));
      if (scope === "optional") return relation(id(ref), "OPTIONAL_DEPENDENCY_OF", id(project.ref));
      return relation(id(project.ref), "DEPENDS_ON", id(ref));
    }),
    ...items.flatMap(({ ref, dependsOn }) => dependsOn.map((other) => relation(id(ref), "DEPENDS_ON", id(other)))),
  ];
}
