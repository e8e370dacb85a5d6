/**
 * Decides where a request comes from: the other end of its connection, unless that is a
 * configured proxy; then the last address in X-Forwarded-For that is none. Whoever else
 * sends that header is not believed.
 *
 * Decides, too, which connections carry more than one caller's requests: those of proxies,
 * told by their address or, where nobody configured them, by the headers they leave.
 */

import { BlockList, isIPv6, type Socket } from "node:net";
import type { SignInRequest } from "./caller-authentication.js";
import { PerConnection } from "./per-connection.js";
import { parseSourceAddress } from "./source-address.js";

/** More hops than this nobody has; what is further away is not looked at. */
const MOST_HOPS = 32;
const LEFT_BY_PROXIES = ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-proto"];
const NOBODY = "0.0.0.0";

interface AddressRange {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  readonly prefix: number;
}

/** "192.0.2.0/24", "2001:db8::/32" or a single address; undefined when it is none of them. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [before = "", prefix, ...more] = text.trim().split("/");
  const address = parseSourceAddress(before);
  if (address === undefined || more.length > 0) return undefined;
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const bits = family === "ipv6" ? 128 : 32;
  // A range of mapped addresses counts its bits from the front of the IPv6 form.
  const mapped = family === "ipv4" && before.includes(":") ? 96 : 0;
  if (prefix === undefined) return { address, family, prefix: bits };
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) - mapped : -1;
  return length < 0 || length > bits ? undefined : { address, family, prefix: length };
}

export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #some: boolean;
  readonly #peers = new PerConnection<{ readonly address: string; readonly isProxy: boolean }>();

  /** Throws for a range that is none, with a sentence that names it. */
  constructor(ranges: readonly string[]) {
    this.#some = ranges.length > 0;
    for (const text of ranges) {
      const range = parseAddressRange(text);
      if (range === undefined) throw new RangeError(`'${text}' is no address and no range such as 192.0.2.0/24`);
      this.#ranges.addSubnet(range.address, range.prefix, range.family);
    }
  }

  /** The address a request comes from, in the form of {@link parseSourceAddress}. */
  sourceOf({ socket, headers }: Pick<SignInRequest, "socket" | "headers">): string {
    const peer = this.#peer(socket);
    if (!peer.isProxy) return peer.address;
    const forwarded = headers["x-forwarded-for"];
    const hops = (Array.isArray(forwarded) ? forwarded.join(",") : (forwarded ?? "")).split(",").slice(-MOST_HOPS);
    let source = peer.address;
    for (const hop of hops.reverse()) {
      const address = addressOfHop(hop.trim());
      // What cannot be read was not written by a proxy of ours: the one before it is as far as we can see.
      if (address === undefined) return source;
      source = address;
      if (!this.#isProxy(address)) return source;
    }
    return source;
  }

  /** Whether the connection may carry the requests of several callers. */
  sharesConnection({ socket, headers }: Pick<SignInRequest, "socket" | "headers">): boolean {
    return this.#peer(socket).isProxy || LEFT_BY_PROXIES.some((name) => headers[name] !== undefined);
  }

  #peer(socket: Socket) {
    const before = this.#peers.get(socket);
    if (before !== undefined) return before;
    const address = parseSourceAddress(socket.remoteAddress ?? "") ?? NOBODY;
    const peer = { address, isProxy: this.#isProxy(address) };
    // Gone already: its address may never be known.
    if (address !== NOBODY) this.#peers.set(socket, peer);
    return peer;
  }

  #isProxy(address: string): boolean {
    return this.#some && this.#ranges.check(address, address.includes(":") ? "ipv6" : "ipv4");
  }
}

/** Some proxies write ports: "192.0.2.1:4711", "[2001:db8::1]:4711". */
function addressOfHop(text: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?)$/.exec(text) ?? [];
  return parseSourceAddress(bracketed ?? plain ?? text);
}
