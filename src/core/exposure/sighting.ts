/** What was seen on a machine, as facts: where, in what form, which version. What it means is decided in `judge.ts`. */
import type { Instant } from "../base/time.ts";

/** From the surest to the weakest; the last two say that nothing was found, and that nobody could look. */
export const LEVELS = ["executed", "installed", "fetched", "resolved", "could-have", "not-exposed", "unknown"] as const;
export type Level = (typeof LEVELS)[number];
export type FoundLevel = Exclude<Level, "not-exposed" | "unknown">;

/** In what form a version was seen, what that is called, and what it proves. */
export const FORMS = {
  "script-log": { level: "executed", says: "its install script was run" },
  "hidden-lockfile": { level: "installed", says: "the client recorded it as installed" },
  folder: { level: "installed", says: "it lies in node_modules" },
  "install-log": { level: "installed", says: "a log says it was installed" },
  unpacked: { level: "fetched", says: "it lies unpacked outside node_modules" },
  "image-file": { level: "installed", says: "it lies in a layer of the image" },
  cache: { level: "fetched", says: "a client's cache holds it" },
  archive: { level: "fetched", says: "its archive lies here" },
  store: { level: "fetched", says: "a client's store holds it" },
  "fetch-log": { level: "fetched", says: "a log says it was fetched" },
  ledger: { level: "fetched", says: "the gate served it" },
  lockfile: { level: "resolved", says: "the lockfile names it" },
  history: { level: "resolved", says: "the lockfile named it" },
  "resolve-log": { level: "resolved", says: "a log says it was chosen" },
  sbom: { level: "resolved", says: "a bill of materials lists it" },
  launcher: { level: "could-have", says: "it is started by a range or a tag" },
  range: { level: "could-have", says: "a declared range allows it" },
} as const satisfies Record<string, { level: FoundLevel; says: string }>;
export type Form = keyof typeof FORMS;

type At = {
  /** Folder, cache or file that gets one answer; absolute. */
  readonly place: string;
};

/** One version of one package, seen. */
export type PackageSighting = At & {
  readonly kind: "package";
  readonly form: Form;
  /** Absolute. */
  readonly file: string;
  readonly line?: number;
  readonly name: string;
  readonly version: string;
  readonly integrity?: string;
  /** When it happened, as far as what was read says. */
  readonly at?: Instant;
  /** More that a reader needs: a branch, a command. */
  readonly note?: string;
};

export type Sighting =
  | PackageSighting
  /** Something the payload leaves behind. `indicator` is the pack's own text; `started`: the file is not it, but a command in it names it. */
  | (At & { readonly kind: "artefact"; readonly file: string; readonly indicator: string; readonly started?: true })
  /** A dependency that no lockfile pins. */
  | (At & {
      readonly kind: "range";
      readonly file: string;
      readonly name: string;
      readonly range: string;
      /** `unpinned`: there is a lockfile, and it does not have the name. */
      readonly by: "manifest" | "unpinned" | "launcher";
      /** By git: when it was committed, and when something else took its place. */
      readonly since?: Instant;
      readonly until?: Instant;
    })
  /** Looked at whole; `what` is the reason why nothing found there means something. */
  | (At & { readonly kind: "looked"; readonly what: string })
  /** Could not be looked at, or not whole. */
  | (At & { readonly kind: "missing"; readonly what: string });
