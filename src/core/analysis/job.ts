/** What is sent to a thread that reads tarballs, and what it answers. */
import type { TarballReport } from "./report.ts";

export type TarballJob = {
  readonly kind: "tarball";
  readonly bytes: Uint8Array;
  /** See `AnalysisOptions`. */
  readonly known?: TarballReport;
  readonly skip: readonly string[];
};

export type TarballNews =
  /** What ends the thread from here on is the tarball; before, it is the thread. */
  | { readonly kind: "started" }
  /** It begins to read a file large enough to end the thread; sent so that whoever survives knows which. */
  | { readonly kind: "reading"; readonly path: string }
  | { readonly kind: "report"; readonly report: TarballReport };
