/**
 * Decides what the words of the configuration are that several sections share: addresses,
 * domains, ports, secrets by reference, views. What a section holds is decided there.
 */

import { BlockList, isIPv6, SocketAddress } from "node:net";
import { z } from "zod";
import { parseDomain, parseMailboxAddress } from "../availability/mailbox-address.js";

export const address = z
  .string()
  .refine((text) => parseMailboxAddress(text) !== undefined, "is not an SMTP address such as bob@corp.example");
export const domain = z
  .string()
  .refine((text) => parseDomain(text) !== undefined, "is not a domain such as corp.example");
export const port = z.int().min(0).max(65535);
export const seconds = (least: number, most: number) => z.number().min(least).max(most);
export const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "use lower-case letters, digits, '-' and '_'");

export const isAddressOrDomain = (text: string): boolean =>
  parseMailboxAddress(text) !== undefined || (!text.includes("@") && parseDomain(text) !== undefined);
export const isAddressRange = (text: string): boolean => {
  const [address = "", prefix, ...more] = text.split("/");
  if (more.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return false;
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  try {
    const length = Number(prefix ?? 0);
    new BlockList().addSubnet(address, length, family);
    if (prefix === undefined || family === "ipv4") return true;
    // An IPv4 address in IPv6 form: its bits count from the front of that form.
    const plain = new SocketAddress({ address: address.replace(/%[\w.-]+$/, ""), family }).address;
    return length >= 96 || !/^::ffff:\d+\./.test(plain);
  } catch {
    return false;
  }
};

export const secret = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    "a secret is given by reference: env:NAME or file:/path, never in clear",
  )
  .describe("A reference: env:NAME for an environment variable, file:/path for a file, without its last line end.");

export const view = z
  .enum(["MergedOnly", "FreeBusy", "Detailed"])
  .describe("The most that is shown: slots only, times without details, or times with subject and location.");

export const mailboxList = z
  .array(z.string().refine((text) => isAddressOrDomain(text), "is neither an address nor a domain"))
  .describe("Addresses, and whole domains (without the ones below them).");

export const url = z.url({ protocol: /^https?$/ });
export const region = z.enum(["us-east-1", "us-west-2", "eu-west-1"]);
