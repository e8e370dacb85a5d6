/**
 * Decides how an operator has kept answers dropped: POST /purge on the management listener,
 * about one mailbox or all. A page in an operator's browser may not do it for them: browsers
 * say when a request comes from a page, and such a request is refused.
 */

import type { FastifyInstance } from "fastify";
import { type MailboxAddress, parseMailboxAddress } from "../availability/mailbox-address.js";
import type { Purged } from "../proxy/purge.js";

export interface PurgeRouteOptions {
  readonly purge: (what: MailboxAddress | "all") => Promise<Purged>;
  /** Whether there are others to be told. */
  readonly shared: boolean;
}

export async function purgeRoute(app: FastifyInstance, { purge, shared }: PurgeRouteOptions): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, __, done) => done(null, undefined));
  app.post<{ Querystring: { mailbox?: string | string[]; all?: string } }>("/purge", async (request, reply) => {
    const { mailbox, all } = request.query;
    if (request.headers.origin !== undefined || request.headers["sec-fetch-site"] !== undefined) {
      return reply.code(403).send({ status: "not from a page in a browser" });
    }
    const address = typeof mailbox === "string" ? parseMailboxAddress(mailbox) : undefined;
    const everything = mailbox === undefined && all !== undefined && all !== "false" && all !== "0";
    if (address === undefined && !everything) {
      return reply.code(400).send({ status: "say ?mailbox=ADDRESS, or ?all for everything" });
    }
    const { addresses, reached } = await purge(address ?? "all");
    return {
      status: "purged",
      addresses,
      // Who shares the cache has been told, or could not be: then each of them keeps what it has for its time.
      others: shared ? (reached === "everywhere" ? "told" : "not reached") : "none",
    };
  });
}
