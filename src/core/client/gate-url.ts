/** The registry URL a project gives its clients: `<gate>p/<project>/npm/`. The label only says whose requests they are; it is no secret. */

export type GateUrl = {
  /** Base URL of the gate with trailing slash. */
  readonly base: string;
  readonly project?: string;
};

/** The label's grammar is the gate's own (surface/gate/route.ts). */
const LABEL = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}";

export function registryUrl(base: string, project: string): string {
  return `${base}p/${project}/npm/`;
}

/** Takes a gate's or a registry's URL apart; undefined when it is no http(s) URL, or carries credentials, a query or a fragment. */
export function readGateUrl(text: string): GateUrl | undefined {
  // A reference that was not filled in would parse as a host name.
  if (text.includes("${") || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  const href = url.href.endsWith("/") ? url.href : `${url.href}/`;
  const match = new RegExp(`^(.*/)p/(${LABEL})/npm/$`).exec(href);
  return match ? { base: match[1]!, project: match[2]! } : { base: href };
}

/** A label made of any name: `@acme/ui` → `acme-ui`; undefined when nothing of it is left. */
export function projectLabel(name: string): string | undefined {
  const label = name
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+|-+$/g, "")
    .slice(0, 100);
  return label === "" ? undefined : label;
}

export function isProjectLabel(text: string): boolean {
  return new RegExp(`^${LABEL}$`).test(text);
}
