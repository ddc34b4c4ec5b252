/** An alert as it is handed to whoever is to be told. */
import { sha256 } from "../base/digest.ts";
import { type Instant, iso } from "../base/time.ts";

export type Alert = {
  readonly at: Instant;
  /** `wrong-bytes`, `version-withdrawn`, `served-now-withheld`, … */
  readonly what: string;
  readonly name: string;
  readonly version?: string;
  readonly detail: string;
};

/** `cordon.alert/1`. The same event has the same id wherever and however often it is told. */
export function alertDocument(alert: Alert): { readonly [key: string]: string } {
  const { at, what, name, version, detail } = alert;
  return {
    schema: "cordon.alert/1",
    id: sha256(eventKey(alert)).slice(0, 32),
    at: iso(at),
    what,
    name,
    ...(version === undefined ? {} : { version }),
    detail,
  };
}

/** What tells events apart. Behind ` · ` stand circumstances, which may differ when the same event is seen again. */
export function eventKey({ what, name, version, detail }: Omit<Alert, "at">): string {
  return [what, name, version ?? "", detail.split(" · ")[0]].join("\n");
}

/** One line for people: `cordon · axios@1.14.1: served, and now withheld · …`. */
export function alertLine({ what, name, version, detail }: Omit<Alert, "at">): string {
  return `cordon · ${version === undefined ? name : `${name}@${version}`} · ${what.replaceAll("-", " ")}: ${detail}`;
}
