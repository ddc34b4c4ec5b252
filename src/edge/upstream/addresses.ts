/** Addresses a stranger's redirect must not lead to: this machine, its networks, and whatever is not on the public internet. */
import { lookup as resolve, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

const INSIDE = new BlockList();
// IANA special-purpose registries: what "Globally Reachable" denies, plus multicast.
for (const range of [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
]) {
  const [address, bits] = range.split("/") as [string, string];
  INSIDE.addSubnet(address, Number(bits), "ipv4");
}

/** Only 2000::/3 is handed out to the internet; of it 6to4, Teredo and the documentation ranges are not plain hosts. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet("2000::", 3, "ipv6");
for (const [address, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  INSIDE.addSubnet(address, bits, "ipv6");

/** Whether an IP address is a host of the public internet. Text that is no address is not. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (isIP(bare) === 4) return !INSIDE.check(bare, "ipv4");
  if (isIP(bare) !== 6) return false;
  const embedded = embeddedIPv4(bare);
  return embedded !== undefined ? !INSIDE.check(embedded, "ipv4") : GLOBAL.check(bare, "ipv6") && !INSIDE.check(bare, "ipv6");
}

/** The IPv4 address inside an IPv4-mapped (::ffff:0:0/96) or NAT64 (64:ff9b::/96) one: there it is the real destination. */
function embeddedIPv4(address: string): string | undefined {
  // The URL parser writes the shortest form in hexadecimal: `::ffff:7f00:1`.
  const short = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [, high, low] = /^(?:::ffff|64:ff9b:):([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [h, l] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [h >> 8, h & 255, l >> 8, l & 255].join(".");
}

/** Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or ::1. */
export function isLoopbackHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare.endsWith(".localhost") || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}

export const PRIVATE_ADDRESS = "ERR_PRIVATE_ADDRESS";

/** A DNS lookup that fails when any answer is not public. Checked where the socket connects, so a name cannot change its answer in between. */
export function publicOnly(lookup: LookupFunction = resolve as LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, answer, family) => {
      if (error) return callback(error, "", 0);
      const addresses: LookupAddress[] = Array.isArray(answer) ? answer : [{ address: answer, family: family ?? 0 }];
      const first = addresses[0];
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address)))
        return callback(Object.assign(new Error(`${hostname} is not a public address`), { code: PRIVATE_ADDRESS }), "", 0);
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
}
