/** Which incident is meant: a shipped or imported pack by its id or alias, an advisory of the feeds, or a bare name@version. */
import type { HeldAdvisory } from "../core/advisory/advisory.ts";
import { Fault } from "../core/base/fault.ts";
import type { Instant } from "../core/base/time.ts";
import { packOfAdvisory, packOfSpec } from "../core/incident/made.ts";
import type { IncidentPack } from "../core/incident/pack.ts";
import type { PackKey } from "../core/incident/signature.ts";
import { isVersion } from "../core/lockfile/identity.ts";
import { parseSpec } from "../core/npm/name.ts";

export type PackOrigin =
  | { readonly kind: "shipped"; readonly sha256: string }
  | {
      readonly kind: "imported";
      readonly sha256: string;
      readonly by: string;
      readonly at: Instant;
      /** By whom, when that key is trusted here; absent: nobody signed it. */
      readonly signed?: { readonly by?: string; readonly key: string };
    }
  | { readonly kind: "made"; readonly from: string };

export type KnownPack = { readonly pack: IncidentPack; readonly origin: PackOrigin };

export type IncidentPorts = {
  /** Shipped and imported; an imported one of the same id and a higher revision replaces the shipped one. */
  packs(): Promise<{ readonly known: readonly KnownPack[]; readonly problems: readonly string[] }>;
  /** Advisories of the feeds by id or alias. */
  advisory(id: string): Promise<HeldAdvisory | undefined>;
  /** Whether a path names something on this machine. */
  exists(path: string): Promise<boolean>;
  /** Keeps an imported pack, with the text of its signature. */
  keep(pack: IncidentPack, bytes: string, from: { readonly by: string; readonly signature?: string }): Promise<void>;
  /** Keys whose packs are believed here. */
  keys(): readonly PackKey[];
  trust(key: PackKey, by: string): void;
  /** False when no key has that name. */
  distrust(name: string): boolean;
};

/** Fault NOT_FOUND when nothing is known by that name. */
export async function findIncident(ports: Pick<IncidentPorts, "packs" | "advisory">, wanted: string): Promise<KnownPack> {
  const found = await lookUp(ports, wanted);
  if (found) return found;
  throw new Fault(
    "USAGE",
    `no incident is called ${wanted}: \`cordon incident list\` shows those that are known; name@version and ids of your feeds work too`,
  );
}

/** The pack that speaks of a version; undefined when none does. */
export async function incidentNaming(
  { packs }: Pick<IncidentPorts, "packs">,
  name: string,
  version: string,
): Promise<IncidentPack | undefined> {
  const { known } = await packs();
  return known.find(({ pack }) => pack.packages.some((one) => one.name === name && one.versions.some((bad) => bad.version === version)))
    ?.pack;
}

/** As `findIncident`; undefined when nothing is known by that name. */
export async function lookUp(
  { packs, advisory }: Pick<IncidentPorts, "packs" | "advisory">,
  wanted: string,
): Promise<KnownPack | undefined> {
  const { known } = await packs();
  const named = known.find(({ pack }) => pack.id === wanted) ?? known.find(({ pack }) => pack.aliases.includes(wanted));
  if (named) return named;
  const spec = parseSpec(wanted);
  if (spec?.spec !== undefined && isVersion(spec.spec))
    return { pack: packOfSpec(spec.name, spec.spec), origin: { kind: "made", from: "the command line" } };
  if (!/^[A-Z]+-/.test(wanted)) return undefined;
  const held = await advisory(wanted);
  const made = held && packOfAdvisory(held.advisory);
  return made && { pack: made, origin: { kind: "made", from: `advisory ${held.advisory.id} of feed ${held.feed}` } };
}
