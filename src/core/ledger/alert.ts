/** An alert as it is handed to whoever is to be told. */
import { sha256 } from "../base/digest.ts";
import { type Instant, iso, isoMinute } from "../base/time.ts";

export type Alert = {
  readonly at: Instant;
  /** `wrong-bytes`, `version-withdrawn`, `served-now-withheld`, … */
  readonly what: string;
  readonly name: string;
  readonly version?: string;
  readonly detail: string;
  /** Who had fetched the version, where that is what the alert is about. */
  readonly fetched?: Fetched;
  /** The command to type now. */
  readonly next?: string;
};

/** Who fetched a version, as the ledger has it. All but the tokens is what clients said of themselves. */
export type Fetched = {
  /** At least: of very many only the newest are counted. */
  readonly times: number;
  readonly first: Instant;
  readonly last: Instant;
  readonly projects: readonly string[];
  /** Labels of tokens. */
  readonly tokens: readonly string[];
  /** `npm/11.19.1` */
  readonly clients: readonly string[];
  /** Remote addresses. */
  readonly machines: readonly string[];
};

/** `cordon.alert/1`. The same event has the same id wherever and however often it is told. */
export function alertDocument(alert: Alert): { readonly id: string; readonly [key: string]: unknown } {
  const { at, what, name, version, detail, fetched, next } = alert;
  return {
    schema: "cordon.alert/1",
    id: sha256(eventKey(alert)).slice(0, 32),
    at: iso(at),
    what,
    name,
    ...(version === undefined ? {} : { version }),
    detail,
    ...(fetched === undefined ? {} : { fetched: { ...fetched, first: iso(fetched.first), last: iso(fetched.last) } }),
    ...(next === undefined ? {} : { next }),
  };
}

/** What tells events apart. Behind ` · ` stand circumstances, which may differ when the same event is seen again. */
export function eventKey({ what, name, version, detail }: Pick<Alert, "what" | "name" | "version" | "detail">): string {
  return [what, name, version ?? "", detail.split(" · ")[0]].join("\n");
}

/** One line for people: `cordon · axios@1.14.1 · served now withheld: reported as malware · … · cordon exposure axios-2026`. */
export function alertLine({ what, name, version, detail, next }: Omit<Alert, "at">): string {
  const line = `cordon · ${version === undefined ? name : `${name}@${version}`} · ${what.replaceAll("-", " ")}: ${detail}`;
  return next === undefined ? line : `${line} · ${next}`;
}

/** Names told of each kind of asker. */
const NAMED = 5;

/** `fetched 3 times by site, shop; npm/11.19.1, 2026-03-31T00:45Z to 2026-03-31T01:10Z`. */
export function fetchedText({ times, first, last, projects, tokens, clients, machines }: Fetched): string {
  const who = [projects, tokens.map((label) => `token ${label}`), clients].filter((names) => names.length > 0);
  const by = (who.length > 0 ? who : [machines.length > 0 ? machines : ["somebody"]]).map(few).join("; ");
  const [from, to] = [isoMinute(first), isoMinute(last)];
  const when = from === to ? from : `${from} to ${to}`;
  return `fetched ${times === 1 ? "once" : `${times} times`} by ${by}, ${when}`;
}

function few(names: readonly string[]): string {
  return `${names.slice(0, NAMED).join(", ")}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ""}`;
}
