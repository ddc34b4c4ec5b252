/** The bytes, or the digest listed for them, differ from what this gate saw before under the same name and version. */
import { isoMinute } from "../base/time.ts";
import type { Check } from "./check.ts";

export const integrityChanged: Check = ({ facts: { changed } }) =>
  changed && {
    id: "integrity-changed",
    effect: { kind: "deny" },
    title: "its bytes or their digest changed",
    evidence: [
      { text: `first seen with ${changed.from}`, source: "history" },
      { text: `${isoMinute(changed.at)} with ${changed.to}`, source: "registry", at: changed.at },
    ],
  };
