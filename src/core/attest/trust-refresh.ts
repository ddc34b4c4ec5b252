/** What a refresh of the trust begins with, and what came of it. */
import type { Instant } from "../base/time.ts";

/** A TUF repository that holds a Sigstore trusted root and a registry's keys. */
export type TufSource = {
  /** Its base URL. */
  readonly mirror: string;
  /** Text of the `root.json` that its signatures are followed from. */
  readonly root: string;
  /** The two targets, by their paths in it. */
  readonly paths: { readonly root: string; readonly keys: string };
};

export type TrustRefresh =
  /** `before`, `root`: versions of the repository's root; `until`: when that ends; `gone`: keys and authorities that it took back. */
  | {
      readonly result: "refreshed" | "unchanged";
      readonly before: number;
      readonly root: number;
      readonly until: Instant;
      readonly gone: readonly string[];
    }
  /** `used`: what is believed instead, and when it was taken; nothing, where the stored trust is damaged. `asked`: whether a refresh was wanted. */
  | { readonly result: "not-refreshed"; readonly why: string; readonly used: "shipped" | "nothing" | Instant; readonly asked: boolean };
