/**
 * Decides when two spellings name the same mailbox: case, surrounding blanks, Unicode
 * form and internationalised domains are settled here, once, before routing and before
 * any cache key, so that no spelling can reach another route or another cache entry.
 *
 * Deliberately narrower than RFC 5321: quoted local parts, comments and control
 * characters are refused, because no mail system here hands them out and because they
 * are what header and XML injection is made of.
 *
 * Pure. `node:url` is used for IDNA only; nothing is looked up.
 */

import { domainToASCII } from "node:url";
import { ownText } from "./own-text.js";

/** A canonical SMTP address: lower case, NFC, domain in ASCII (punycode). Only {@link parseMailboxAddress} makes one. */
export type MailboxAddress = string & { readonly form: "canonical SMTP address" };

const CANONICAL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
/** What the URL standard, by which domains are read, would skip, decode or take for the domain's end. */
const NO_PART_OF_A_DOMAIN = /[\s\u0000-\u001f\u007f/\\?#%:@]/;
/** Without characters nobody sees: two addresses that look alike would be two, for us, and one for the next server. */
const INTERNATIONAL_LOCAL_PART = /^[^\s"<>()[\],;:\\@\p{Cc}\p{Cf}\u2028\u2029]{1,64}$/u;

/** The canonical address, or undefined when the text is not an address we are ready to route. */
export function parseMailboxAddress(text: string): MailboxAddress | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 320) return undefined;
  const plain = trimmed.toLowerCase();
  if (CANONICAL.test(plain)) return ownText(plain) as MailboxAddress;

  const at = trimmed.lastIndexOf("@");
  if (at < 1) return undefined;
  // Composed again after lowering: some letters with marks are one character in lower case only.
  const localPart = trimmed.slice(0, at).normalize("NFC").toLowerCase().normalize("NFC");
  if (!INTERNATIONAL_LOCAL_PART.test(localPart)) return undefined;
  const domain = asciiDomain(trimmed.slice(at + 1));
  if (domain === undefined) return undefined;
  return ownText(`${localPart}@${domain}`) as MailboxAddress;
}

/** A domain in its canonical ASCII form, or undefined when it is none. */
export function parseDomain(text: string): string | undefined {
  return asciiDomain(text.trim());
}

function asciiDomain(text: string): string | undefined {
  if (NO_PART_OF_A_DOMAIN.test(text)) return undefined;
  // domainToASCII follows the URL standard, which also reads "0x7f.1" as an IPv4 address: the pattern is judged on its result.
  const domain = domainToASCII(text.normalize("NFC"));
  return CANONICAL.test(`a@${domain}`) ? domain : undefined;
}

export function domainOf(address: MailboxAddress): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

export function localPartOf(address: MailboxAddress): string {
  return address.slice(0, address.lastIndexOf("@"));
}

export function withDomain(address: MailboxAddress, domain: string): MailboxAddress {
  return `${localPartOf(address)}@${domain}` as MailboxAddress;
}
