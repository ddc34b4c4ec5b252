/** The trust cordon was built with: Sigstore's root and npm's keys. Imported only when something is to be verified, so that no start pays for it. */
import type { TufSource } from "../../core/attest/trust-refresh.ts";

/** Put in place when cordon is built, from Sigstore's own package (`tools/build-constants.ts`). */
declare const __SHIPPED_TRUST__: { readonly root: string; readonly keys: string; readonly tuf: TufSource };

/** Texts of `trusted_root.json` and of npm's `keys.json`. */
export const SHIPPED_TRUST: { readonly root: string; readonly keys: string } = {
  root: __SHIPPED_TRUST__.root,
  keys: __SHIPPED_TRUST__.keys,
};

/** Where newer ones come from, and the root of the signatures over them. */
export const SHIPPED_TUF: TufSource = __SHIPPED_TRUST__.tuf;
