/** The incident packs cordon was built with. Imported only when incidents are asked about, so that no start pays for them. */
import type { IncidentPack } from "../../core/incident/pack.ts";

/** Put in place when cordon is built (`tools/build-constants.ts`), each with the sha256 of its file. */
declare const __SHIPPED_PACKS__: readonly { readonly sha256: string; readonly pack: IncidentPack }[];

export const SHIPPED_PACKS: readonly { readonly sha256: string; readonly pack: IncidentPack }[] = __SHIPPED_PACKS__;
