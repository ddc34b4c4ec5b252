/** What a client asks a proxy for, in one spelling; and which of it the guard refuses. Pure. */
import { isLoopbackHost } from "../upstream/addresses.ts";

export type Target = { readonly host: string; readonly port: number };

/** Reads `host:port`, the only form CONNECT has. The host comes back as the URL parser spells it, and that spelling is what is dialled. */
export function parseAuthority(text: string): Target | undefined {
  const [, name, digits] = /^([^\s/?#@\\]{1,300}):(\d{1,5})$/.exec(text) ?? [];
  const host = name === undefined ? undefined : normalHost(name);
  const port = Number(digits);
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : undefined;
}

/** Lower case, ASCII, without brackets and trailing dots; addresses in their usual form, IPv4 inside IPv6 as IPv4. Undefined when it is no host. */
function normalHost(text: string): string | undefined {
  if (/[\s/?#@\\]/.test(text) || !URL.canParse(`http://${text}`)) return undefined;
  const url = new URL(`http://${text}`);
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.+$/, "");
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host === "" ? undefined : host;
  const [h, l] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [h >> 8, h & 255, l >> 8, l & 255].join(".");
}

/** Whether a target is refused: by host on every port, or by `host:port`. `allow` (`host:port`, the gate itself) comes first. */
export function refusal(refuse: readonly string[], allow: readonly string[]): (target: Target) => boolean {
  const allowed = new Set(allow.map(key));
  const refused = new Set(refuse.map(key));
  return ({ host, port }) => !allowed.has(pair(host, port)) && (refused.has(spoken(host)) || refused.has(pair(host, port)));
}

function key(entry: string): string {
  const target = parseAuthority(entry);
  return target ? pair(target.host, target.port) : spoken(normalHost(entry) ?? entry);
}

function pair(host: string, port: number): string {
  return `${spoken(host)}:${port}`;
}

/** `localhost`, 127.0.0.1 and ::1 are one place. */
function spoken(host: string): string {
  return isLoopbackHost(host) ? "localhost" : host;
}
