/** The trust cordon was built with: Sigstore's root and npm's keys. Imported only when something is to be verified, so that no start pays for it. */

/** Put in place when cordon is built, from Sigstore's own package (`tools/build-constants.ts`). */
declare const __SHIPPED_TRUST__: { readonly root: string; readonly keys: string };

/** Texts of `trusted_root.json` and of npm's `keys.json`. */
export const SHIPPED_TRUST: { readonly root: string; readonly keys: string } = __SHIPPED_TRUST__;
