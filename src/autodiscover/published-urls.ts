/**
 * Decides which EWS address whom is given, and for which domains any is given at all.
 *
 * Only what is configured counts: not the Host header, which is the caller's word, and no
 * look-up, because a domain that nobody configured is somebody else's, who would be sent our
 * callers' passwords. Whether a mailbox exists is not asked either: the address is the same for
 * all mailboxes of a domain, and Autodiscover has to answer within two seconds whatever the
 * systems behind are doing.
 */

import { domainOf, type MailboxAddress } from "../availability/mailbox-address.js";

export interface PublishedUrlsParts {
  /** In canonical form, as of `parseDomain`. */
  readonly domains: Iterable<string>;
  readonly url: string;
  /** In place of `url`, by the origin of the caller. */
  readonly urls: ReadonlyMap<string, string>;
}

export class PublishedUrls {
  readonly #domains: ReadonlySet<string>;
  readonly #url: string;
  readonly #urls: ReadonlyMap<string, string>;

  constructor({ domains, url, urls }: PublishedUrlsParts) {
    this.#domains = new Set(domains);
    this.#url = url;
    this.#urls = urls;
  }

  /** The EWS address for a caller of this origin; undefined: of none. */
  for(origin: string | undefined): string {
    return (origin === undefined ? undefined : this.#urls.get(origin)) ?? this.#url;
  }

  coversDomain(domain: string): boolean {
    return this.#domains.has(domain);
  }

  covers(mailbox: MailboxAddress): boolean {
    return this.coversDomain(domainOf(mailbox));
  }
}
