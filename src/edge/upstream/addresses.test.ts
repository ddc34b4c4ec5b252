import { assert, ipV4, property } from "fast-check";
import { expect, test } from "vitest";
import { isLoopbackHost, isPublicAddress, publicOnly } from "./addresses.ts";

test.each(["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "[2606:4700::1111]"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "10.0.0.1",
  "100.64.0.1",
  "169.254.169.254",
  "172.31.255.255",
  "192.168.1.1",
  "198.19.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:a9fe:a9fe",
  "64:ff9b::10.0.0.1",
  "64:ff9b:1::1",
  "fe80::1%eth0",
  "fc00::1",
  "fd12::1",
  "ff02::1",
  "2001:db8::1",
  "2001::1",
  "2002:7f00:1::",
  "localhost",
  "",
  "1.1.1",
])("%j is not", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test("an address is as public inside IPv6 as by itself", () => {
  assert(property(ipV4(), (address) => isPublicAddress(`::ffff:${address}`) === isPublicAddress(address)));
});

test("loopback hosts, as the URL parser writes them", () => {
  const seen = [
    "http://127.1/",
    "http://0x7f000001/",
    "http://LOCALHOST/",
    "http://[::1]/",
    "http://a.localhost/",
    "http://127.0.0.1.test/",
  ];
  expect(seen.map((url) => isLoopbackHost(new URL(url).hostname))).toEqual([true, true, true, true, true, false]);
});

test("one inside answer among public ones refuses the name", () => {
  const answers = [
    { address: "1.1.1.1", family: 4 },
    { address: "10.0.0.1", family: 4 },
  ];
  const ask = (count: number, all: boolean) =>
    new Promise((resolve) => {
      publicOnly((_name, _options, answer) => answer(null, answers.slice(0, count)))("x.test", { all }, (error, address) =>
        resolve(error?.code ?? address),
      );
    });
  return expect(Promise.all([ask(1, true), ask(1, false), ask(2, true), ask(0, true)])).resolves.toEqual([
    [{ address: "1.1.1.1", family: 4 }],
    "1.1.1.1",
    "ERR_PRIVATE_ADDRESS",
    "ERR_PRIVATE_ADDRESS",
  ]);
});
