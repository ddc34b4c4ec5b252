/**
 * A report's packages and what is known against them as CycloneDX JSON 1.6 or 1.7. Loads the CycloneDX library (80 ms, 279 kB in the
 * bundle), so it is imported only where an SBOM is asked for. The same report gives the same bytes: nothing here sorts by locale, and
 * every reference has a name, for the library would make up a random one.
 */
import {
  ComponentScope,
  ComponentType,
  ExternalReferenceType,
  HashAlgorithm,
  Vulnerability as Words,
} from "@cyclonedx/cyclonedx-library/Enums";
import {
  Bom,
  Component,
  ExternalReference,
  ExternalReferenceRepository,
  HashDictionary,
  Metadata,
  Property,
} from "@cyclonedx/cyclonedx-library/Models";
import { ComponentRepository, PropertyRepository, Tools, Vulnerability as Model } from "@cyclonedx/cyclonedx-library/Models";
import { JSON as CycloneJson } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6, Spec1dot7 } from "@cyclonedx/cyclonedx-library/Spec";
import { printable } from "../base/text.ts";
import type { Instant } from "../base/time.ts";
import { VERSION } from "../config/constants.ts";
import type { CheckedPackage, CheckReport, Finding, FindingAdvisory, Severity } from "../check/finding.ts";
import type { Algorithm } from "../npm/integrity.ts";
import { scopeOf, unscoped } from "../npm/name.ts";
import { inventoryOf, uuidOf, type Inventory, type InventoryItem } from "./inventory.ts";
import { exceptionText, fixText } from "./words.ts";

export type CycloneDxOptions = {
  /** 1.6 unless said: it is the one most tools read. */
  readonly version?: "1.6" | "1.7";
  /** The format does not ask for a time, and without one the same report gives the same bytes. */
  readonly at?: Instant;
};

/** A CycloneDX BOM, for `JSON.stringify`. Its serial number stands for its content. */
export function cyclonedxOf(
  report: CheckReport,
  packages: readonly CheckedPackage[],
  { version = "1.6", at }: CycloneDxOptions = {},
): unknown {
  const inventory = inventoryOf(report, packages);
  const components = new Map(inventory.items.map((item) => [item.ref, componentOf(item)]));
  for (const { ref, dependsOn } of inventory.items) link(components.get(ref)!, dependsOn, components);
  const project = projectComponent(inventory.project);
  link(project, inventory.direct, components);

  const bom = new Bom({
    metadata: new Metadata({
      component: project,
      tools: new Tools({
        components: new ComponentRepository([new Component(ComponentType.Application, "cordon", { bomRef: "cordon", version: VERSION })]),
      }),
      ...(at === undefined ? {} : { timestamp: new Date(at) }),
    }),
    components: new ComponentRepository(components.values()),
    vulnerabilities: new Model.VulnerabilityRepository(vulnerabilitiesOf(report.findings, inventory, components)),
  });
  const { project: named, direct, items } = inventory;
  const known = report.findings.filter(({ advisory }) => advisory !== undefined);
  bom.serialNumber = `urn:uuid:${uuidOf({ version, named, direct, items, known })}`;
  return new CycloneJson.Normalize.Factory(version === "1.7" ? Spec1dot7 : Spec1dot6).makeForBom().normalize(bom, {});
}

function link(from: Component, refs: readonly string[], components: ReadonlyMap<string, Component>): void {
  for (const ref of refs) from.dependencies.add(components.get(ref)!.bomRef);
}

function projectComponent({ ref, name, version, purl }: Inventory["project"]): Component {
  return new Component(ComponentType.Application, name, { bomRef: ref, version, purl });
}

/** "The component is not required for the runtime": what is for development alone is `excluded`. */
const SCOPES = { required: ComponentScope.Required, optional: ComponentScope.Optional, excluded: ComponentScope.Excluded } as const;

const ALGORITHMS: Readonly<Record<Algorithm, HashAlgorithm>> = {
  sha512: HashAlgorithm["SHA-512"],
  sha384: HashAlgorithm["SHA-384"],
  sha256: HashAlgorithm["SHA-256"],
  sha1: HashAlgorithm["SHA-1"],
};

function componentOf(item: InventoryItem): Component {
  const scope = scopeOf(item.name);
  const grouped = scope !== undefined && item.name.includes("/");
  return new Component(ComponentType.Library, grouped ? unscoped(item.name) : item.name, {
    bomRef: item.ref,
    ...(grouped ? { group: scope } : {}),
    version: item.version,
    purl: item.purl,
    scope: SCOPES[item.scope],
    hashes: new HashDictionary(item.hashes.map(({ algorithm, hex }) => [ALGORITHMS[algorithm], hex])),
    externalReferences: new ExternalReferenceRepository(
      item.url === undefined
        ? []
        : [new ExternalReference(item.url, item.source === "git" ? ExternalReferenceType.VCS : ExternalReferenceType.Distribution)],
    ),
    properties: new PropertyRepository([
      new Property("cordon:source", item.source),
      ...item.places.map((place) => new Property("cordon:lockfile", place)),
      // Of CycloneDX's own list of property names for npm.
      ...(item.scope === "excluded" ? [new Property("cdx:npm:package:development", "true")] : []),
    ]),
  });
}

const SEVERITIES: Readonly<Record<Severity, Words.Severity>> = {
  critical: Words.Severity.Critical,
  high: Words.Severity.High,
  medium: Words.Severity.Medium,
  low: Words.Severity.Low,
  note: Words.Severity.Info,
};

/** One for each advisory and each answer to it: what is excepted for one copy may stand for another. */
function vulnerabilitiesOf(
  findings: readonly Finding[],
  inventory: Inventory,
  components: ReadonlyMap<string, Component>,
): readonly Model.Vulnerability[] {
  const groups = new Map<string, { readonly first: Finding; readonly advisory: FindingAdvisory; readonly items: Set<InventoryItem> }>();
  for (const finding of findings) {
    const { advisory } = finding;
    if (advisory === undefined) continue;
    const id = JSON.stringify([advisory.id, finding.severity, finding.excepted ?? null]);
    const group = groups.get(id) ?? { first: finding, advisory, items: new Set() };
    for (const item of inventory.about(finding)) group.items.add(item);
    groups.set(id, group);
  }
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { first, advisory, items }], index) => {
      const affected = [...items].toSorted((a, b) => (a.ref < b.ref ? -1 : 1));
      return vulnerabilityOf(first, advisory, affected, `vulnerability:${index + 1}`, components);
    });
}

function vulnerabilityOf(
  { severity, message, fix, excepted }: Finding,
  { id, aliases, feed, summary, fixed, match }: FindingAdvisory,
  items: readonly InventoryItem[],
  ref: string,
  components: ReadonlyMap<string, Component>,
): Model.Vulnerability {
  const source = new Model.Source({ name: feed });
  const advice = [...(fix ? [fixText(fix)] : []), ...(fixed.length > 0 ? [`fixed in ${fixed.join(", ")}`] : [])];
  return new Model.Vulnerability({
    bomRef: ref,
    id,
    source,
    references: new Model.ReferenceRepository(aliases.filter((alias) => alias !== id).map((alias) => new Model.Reference(alias, source))),
    ratings: new Model.RatingRepository([new Model.Rating({ severity: SEVERITIES[severity] })]),
    description: printable(summary ?? message),
    ...(advice.length === 0 ? {} : { recommendation: printable(advice.join("; ")) }),
    ...(excepted === undefined ? {} : { analysis: analysisOf(excepted) }),
    affects: new Model.AffectRepository(
      items.map(
        (item) =>
          new Model.Affect(components.get(item.ref)!.bomRef, {
            versions: new Model.AffectedVersionRepository(
              item.version === ""
                ? []
                : [
                    new Model.AffectedSingleVersion(item.version, {
                      status: match === "possible" ? Words.AffectStatus.Unknown : Words.AffectStatus.Affected,
                    }),
                  ],
            ),
          }),
      ),
    ),
  });
}

/** OpenVEX's five justifications in CycloneDX's words, where it has the same. */
const JUSTIFICATIONS: Readonly<Record<string, Words.AnalysisJustification>> = {
  component_not_present: Words.AnalysisJustification.CodeNotPresent,
  vulnerable_code_not_present: Words.AnalysisJustification.CodeNotPresent,
  vulnerable_code_not_in_execute_path: Words.AnalysisJustification.CodeNotReachable,
  inline_mitigations_already_exist: Words.AnalysisJustification.ProtectedByMitigatingControl,
};

/** A person's exception says that somebody has taken it on, not that nothing is wrong. */
function analysisOf(excepted: NonNullable<Finding["excepted"]>): Model.Analysis {
  const detail = exceptionText(excepted);
  if ("by" in excepted) return new Model.Analysis({ state: Words.AnalysisState.InTriage, detail });
  if (excepted.status === "fixed") return new Model.Analysis({ state: Words.AnalysisState.Resolved, detail });
  const justification = Object.hasOwn(JUSTIFICATIONS, excepted.justification ?? "") ? JUSTIFICATIONS[excepted.justification!] : undefined;
  return new Model.Analysis({ state: Words.AnalysisState.NotAffected, justification, detail });
}
