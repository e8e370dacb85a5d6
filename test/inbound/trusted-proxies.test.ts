import type { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSourceAddress, sourceNetwork } from "../../src/inbound/source-address.js";
import { parseAddressRange, TrustedProxies } from "../../src/inbound/trusted-proxies.js";

const from = (remoteAddress: string | undefined, forwarded?: string, other: Record<string, string> = {}) => ({
  socket: { remoteAddress } as Socket,
  headers: { ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }), ...other },
});

describe("an address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::1", "::1"],
    ["192.0.2.256", undefined],
    ["192.0.2.1:80", undefined],
    ["corp.example", undefined],
    ["", undefined],
  ])("%s is %s", (text, address) => {
    expect(parseSourceAddress(text)).toBe(address);
  });

  it("of IPv6 is the same source as every other of its /64, and as none of another", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const groups = (length: number) => fc.array(group, { minLength: length, maxLength: length });
    fc.assert(
      fc.property(groups(4), groups(4), groups(4), fc.nat(3), (net, host, other, changed) => {
        const text = (parts: number[]) => parts.map((part) => part.toString(16)).join(":");
        const network = (parts: number[]) => sourceNetwork(parseSourceAddress(text(parts)) as string);
        // What is mapped from IPv4 is IPv4.
        fc.pre(net.some((part) => part !== 0));
        expect(network([...net, ...host])).toBe(network([...net, ...other]));
        const elsewhere = net.map((part, i) => (i === changed ? part ^ 1 : part));
        fc.pre(elsewhere.some((part) => part !== 0));
        expect(network([...elsewhere, ...host])).not.toBe(network([...net, ...host]));
      }),
    );
    expect(sourceNetwork("192.0.2.1")).not.toBe(sourceNetwork("192.0.2.2"));
  });
});

describe("where a request comes from", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"]);

  it.each([
    ["the other end, when it is no proxy, whatever it says", from("198.51.100.7", "203.0.113.9"), "198.51.100.7"],
    ["the other end, when a proxy says nothing", from("10.0.0.1"), "10.0.0.1"],
    ["what a proxy says", from("10.0.0.1", "203.0.113.9"), "203.0.113.9"],
    ["a mapped proxy is the same", from("::ffff:10.0.0.1", "203.0.113.9"), "203.0.113.9"],
    ["the last that is no proxy", from("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2"), "203.0.113.9"],
    ["the first, when all are proxies", from("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3"],
    ["up to what cannot be read", from("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2"), "10.0.0.2"],
    ["with a port", from("10.0.0.1", "203.0.113.9:4711"), "203.0.113.9"],
    ["IPv6 with a port", from("2001:db8::5", "[2001:0:0:0::9]:4711"), "2001::9"],
    ["a mapped address in the header", from("127.0.0.1", "::ffff:203.0.113.9"), "203.0.113.9"],
    ["nothing but commas", from("10.0.0.1", ",,,"), "10.0.0.1"],
    ["a connection that is gone", from(undefined, "203.0.113.9"), "0.0.0.0"],
  ])("is %s", (_, request, source) => {
    expect(proxies.sourceOf(request)).toBe(source);
  });

  it("is never what a caller that comes through one proxy wrote itself", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), fc.ipV4(), (made, real) => {
        fc.pre(!real.startsWith("10.") && real !== "127.0.0.1");
        expect(proxies.sourceOf(from("10.9.9.9", [...made, real].join(", ")))).toBe(real);
      }),
    );
  });

  it("is not looked for in ten thousand hops", () => {
    const hops = Array.from({ length: 10_000 }, () => "10.0.0.1").join(",");
    expect(proxies.sourceOf(from("10.0.0.1", `203.0.113.9,${hops}`))).toBe("10.0.0.1");
  });

  it("is the other end when there are no proxies", () => {
    expect(new TrustedProxies([]).sourceOf(from("10.0.0.1", "203.0.113.9"))).toBe("10.0.0.1");
  });
});

describe("a connection", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8"]);

  it("is shared when a proxy made it, configured or not", () => {
    expect(proxies.sharesConnection(from("10.1.2.3"))).toBe(true);
    for (const name of ["via", "forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-proto"]) {
      expect(proxies.sharesConnection(from("198.51.100.7", undefined, { [name]: "x" }))).toBe(true);
    }
    expect(proxies.sharesConnection(from("198.51.100.7"))).toBe(false);
  });
});

describe("a range", () => {
  it.each([
    ["::ffff:10.0.0.0/104", { address: "10.0.0.0", family: "ipv4", prefix: 8 }],
    ["192.0.2.7", { address: "192.0.2.7", family: "ipv4", prefix: 32 }],
    ["2001:db8::/32", { address: "2001:db8::", family: "ipv6", prefix: 32 }],
    ["10.0.0.0/33", undefined],
    ["10.0.0.0/-1", undefined],
    ["10.0.0.0/8/8", undefined],
    ["::ffff:10.0.0.0/8", undefined],
    ["proxies", undefined],
  ])("%s is read as %o", (text, range) => {
    expect(parseAddressRange(text)).toEqual(range);
  });

  it("that is none is refused by name", () => {
    expect(() => new TrustedProxies(["10.0.0.0/8", "10.0.0/8"])).toThrow("'10.0.0/8' is no address");
  });
});
