/**
 * Decides when two spellings are one address, and which addresses are one source: what a
 * socket or a header calls "::ffff:192.0.2.1" is 192.0.2.1, and whoever has an IPv6 address
 * has a whole /64 of them.
 *
 * Pure.
 */

import { isIPv4, isIPv6, SocketAddress } from "node:net";

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/** IPv4 in four numbers, IPv6 in its shortest form without a zone; undefined when the text is no address. */
export function parseSourceAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const plain = text.replace(/%[\w.-]+$/, "");
  if (!isIPv6(plain)) return undefined;
  const { address } = new SocketAddress({ address: plain, family: "ipv6" });
  return MAPPED.exec(address)?.[1] ?? address;
}

/** For an address as {@link parseSourceAddress} gives it: itself for IPv4, its first four groups for IPv6. */
export function sourceNetwork(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
