/** The part of the composition root that connects Autodiscover: which domains it knows, and what it gives out. */

import { PublishedUrls } from "./autodiscover/published-urls.js";
import { domainOf, parseDomain, parseMailboxAddress } from "./availability/mailbox-address.js";
import type { Configuration } from "./config/configuration.js";

/** Undefined: Autodiscover is not configured. */
export function publishedUrls({ autodiscover, addressSpaces, mailboxes }: Configuration): PublishedUrls | undefined {
  if (autodiscover === undefined) return undefined;
  const addresses = mailboxes.flatMap(({ address, aliases }) => [address, ...aliases]);
  return new PublishedUrls({
    domains: [
      ...addressSpaces.flatMap(({ domain }) => parseDomain(domain) ?? []),
      ...addresses.flatMap((text) => {
        const address = parseMailboxAddress(text);
        return address === undefined ? [] : domainOf(address);
      }),
    ],
    url: autodiscover.url,
    urls: new Map(Object.entries(autodiscover.urls)),
  });
}
