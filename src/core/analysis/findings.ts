/** Collects what a scan of one file sees, and turns it into findings with lines, and into chains of what stands close together. */
import { LIMITS } from "../base/limits.ts";
import { printable, redact } from "../base/text.ts";
import type { CapabilityId, ChainId } from "./capabilities.ts";
import { ADDRESSES, ADDRESS_TABLE } from "./patterns.ts";
import type { FileFindings, FoundCapability, FoundChain, Part, Unread } from "./report.ts";

type Sight = { readonly at: number; readonly what: string };

export type Sights = {
  /** Addresses of coins, by kind; `ADDRESS_TABLE` says when they are one. */
  readonly addresses: number[];
  readonly source: string;
  readonly seen: Map<CapabilityId, { count: number; first: Sight[] }>;
  readonly links: Set<string>;
  readonly imports: Set<string>;
  readonly hosts: Set<string>;
};

export function openSights(source: string): Sights {
  return { source, addresses: [], seen: new Map(), links: new Set(), imports: new Set(), hosts: new Set() };
}

/** `what` tells apart sights of one capability: which credentials, which kind of call. */
export function see(sights: Sights, id: CapabilityId, at: number, what = ""): void {
  let all = sights.seen.get(id);
  if (!all) sights.seen.set(id, (all = { count: 0, first: [] }));
  all.count++;
  if (all.first.length < LIMITS.sightsPerCapability) all.first.push({ at, what });
}

/** A string that is an address of some coin counts; a table of them is what a thief replaces addresses with. */
export function countAddress(sights: Sights, text: string, at: number): void {
  const { addresses, kinds } = ADDRESS_TABLE;
  if (text.length < 26 || text.length > 105 || sights.addresses.length > addresses * 20) return;
  const kind = ADDRESSES.findIndex((pattern) => pattern.test(text));
  // Letters and digits of one case are some other number.
  if (kind < 0 || (kind > 1 && !/^(?=.*[a-z])(?=.*[A-Z]).*\d/.test(text))) return;
  sights.addresses.push(kind);
  if (sights.addresses.length >= addresses && new Set(sights.addresses).size >= kinds && !seesTable(sights))
    see(sights, "wallet", at, "table");
}

function seesTable({ seen }: Sights): boolean {
  return seen.get("wallet")?.first.some(({ what }) => what === "table") ?? false;
}

/** A module or file that is imported; relative ones lead on, others are names. */
export function seeImport(sights: Sights, specifier: string): void {
  if (specifier.length > LIMITS.archivePathChars) return;
  if (/^\.{1,2}(?:\/|$)|^\//.test(specifier)) {
    if (sights.links.size < LIMITS.linksPerFile) sights.links.add(specifier);
  } else if (sights.imports.size < LIMITS.linksPerFile) {
    // `#x` is an import map's own; of a package only the name counts, of a built-in module the whole.
    const bare = specifier.replace(/^node:/, "");
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(bare)?.[0];
    if (name !== undefined && !name.startsWith("#") && /^[\w@./~-]+$/.test(bare)) sights.imports.add(bare === "dns/promises" ? bare : name);
  }
}

export function finish(sights: Sights, as: FileFindings["as"], unread?: Unread): FileFindings | undefined {
  const chains = chainsIn(sights);
  const capabilities: FoundCapability[] = [...sights.seen]
    .map(([id, { count, first }]) => {
      const where = first.toSorted((a, b) => a.at - b.at).slice(0, LIMITS.placesPerCapability);
      return { id, count, where: where.map(({ at }) => place(sights.source, at)) };
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const { links, imports, hosts } = sights;
  const parts = partsIn(sights);
  if (!unread && capabilities.length + links.size + imports.size + hosts.size === 0) return undefined;
  return {
    as,
    capabilities,
    chains,
    ...(parts.length === 0 ? {} : { parts }),
    links: [...links].toSorted(),
    imports: [...imports].toSorted(),
    hosts: [...hosts].toSorted(),
    ...(unread ? { unread } : {}),
  };
}

/** Kinds of secrets whose names in one file mean nothing for another: naming them is fetching them, or they are everywhere. */
const ALONE: ReadonlySet<string> = new Set(["metadata", "system", "scanner"]);

/** For credentials it must be able to read files or start programs itself: many files only name them. */
function partsIn({ seen, imports }: Sights): readonly Part[] {
  const reads = imports.has("fs") || imports.has("fs-extra") || seen.has("process");
  const named = reads ? (seen.get("credentials")?.first ?? []) : [];
  const takes = [...new Set(named.map(({ what }) => what))].filter((what) => !ALONE.has(what));
  return [
    ...takes.map((what): Part => `takes ${what}`),
    ...(seen.has("env-harvest") ? (["takes environment"] as const) : []),
    ...(seen.get("network")?.first.some(({ what }) => what === "call") ? (["sends"] as const) : []),
    ...(seen.has("encoded-blob") ? (["carries"] as const) : []),
    ...(seen.has("dynamic-code") ? (["runs"] as const) : []),
  ].toSorted();
}

/** Line and a short piece of code, safe to print. */
function place(source: string, at: number): { readonly line: number; readonly code: string } {
  let line = 1;
  for (let next = source.indexOf("\n"); next >= 0 && next < at; next = source.indexOf("\n", next + 1)) line++;
  const begin = Math.max(source.lastIndexOf("\n", Math.max(0, at - 1)) + 1, at - 40);
  const end = source.indexOf("\n", at);
  const code = source.slice(begin, Math.min(end < 0 ? source.length : end, begin + LIMITS.placeChars));
  return { line, code: redact(printable(code)).trim() };
}

/**
 * Two capabilities act together when they stand within this many characters: a payload is compact, also when it is appended to a bundle
 * of megabytes in which everything occurs somewhere.
 */
const NEAR = { near: 2_000, block: 5_000, payload: 20_000 };

function chainsIn(sights: Sights): FoundChain[] {
  const chains = new Map<string, FoundChain>();
  const add = (id: ChainId, key: string, at: number): void => {
    if (chains.size < LIMITS.chainsPerFile && !chains.has(`${id} ${key}`))
      chains.set(`${id} ${key}`, { id, key, ...place(sights.source, at) });
  };
  const of = (id: CapabilityId, what?: string): readonly Sight[] => {
    const first = sights.seen.get(id)?.first ?? [];
    return what === undefined ? first : first.filter((one) => one.what === what);
  };
  const near = (from: Sight, to: readonly Sight[], distance: number): boolean => to.some(({ at }) => Math.abs(at - from.at) <= distance);

  const out = [...of("network"), ...of("process")];
  const code = of("dynamic-code");
  for (const secret of of("credentials")) {
    if (near(secret, out, NEAR.payload)) add("secrets-out", secret.what, secret.at);
    // npm's own settings by themselves are read by many; beside two other kinds they are one of a list.
    const listed = [...of("credentials"), ...of("npm-config")];
    const kinds = new Set(listed.flatMap(({ at, what }) => (Math.abs(at - secret.at) <= NEAR.payload ? [what] : [])));
    if (kinds.size >= 3) add("secret-list", "", secret.at);
  }
  for (const harvest of of("env-harvest")) if (near(harvest, of("network"), NEAR.payload)) add("secrets-out", "environment", harvest.at);
  for (const one of of("npm-config"))
    if (near(one, of("network"), NEAR.block) && near(one, of("self-publish"), NEAR.payload)) add("secrets-out", one.what, one.at);
  for (const one of of("decoder")) if (near(one, code, NEAR.near)) add("decode-run", "", one.at);
  for (const one of code) {
    if (near(one, of("encoded-blob"), NEAR.near)) add("decode-run", "", one.at);
    if (near(one, of("network", "call"), NEAR.near)) add("fetch-run", "", one.at);
  }
  // AppleScript alone is how programs open a browser.
  for (const one of of("alien-runtime")) {
    const started = one.what !== "applescript" && near(one, of("process"), NEAR.block);
    if (started || near(one, of("network"), NEAR.block)) add("alien-run", one.what, one.at);
  }
  for (const one of of("self-publish")) if (near(one, out, NEAR.payload)) add("publish-self", one.what, one.at);
  for (const one of of("browser-hook")) if (near(one, of("wallet"), NEAR.payload * 2)) add("wallet-hook", "", one.at);
  for (const one of of("clipboard")) if (near(one, of("wallet"), NEAR.payload)) add("clipboard-swap", "", one.at);
  for (const one of of("self-delete", "file")) if (near(one, out, NEAR.block)) add("cover-up", "", one.at);
  const beside = [...of("network", "call"), ...of("decoder"), ...of("alien-runtime"), ...of("credentials"), ...of("env-harvest")];
  for (const one of of("persistence")) {
    // Shells and editors are named by many who start programs, to say what to put there; what an agent runs is seldom anybody else's.
    const also = one.what === "agent" ? of("process") : [];
    if (near(one, [...beside, ...also], NEAR.block)) add("persist", one.what, one.at);
  }
  for (const one of of("destructive")) add("wipe", one.what, one.at);
  for (const one of of("invisible-text")) add("hidden-text", one.what, one.at);
  for (const one of of("obfuscated")) add("unreadable", one.what, one.at);
  for (const one of of("hook-file")) add("editor-hook", one.what, one.at);
  return [...chains.values()];
}
