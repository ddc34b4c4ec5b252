/** JSON that we stored ourselves: trusted in shape, but a disk can damage it, and a damaged record must not pass for an absent one. */
import { Fault } from "../../core/base/fault.ts";

/** Raises STORE_BROKEN naming `where` when the text is no JSON. */
export function parseStored<T>(text: string, where: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Fault("STORE_BROKEN", `${where} is damaged`, error);
  }
}
