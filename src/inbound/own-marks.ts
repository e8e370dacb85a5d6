/**
 * Decides whether a question is one of this gateway's own, sent back to it by a system that
 * it asked: by its user agent, by a header of its own, or because the asker says it asks on
 * behalf of one of our service accounts. Where a system forwards a question and drops all of
 * these, the loop is cut elsewhere, by the origin rule and by what is being asked just then.
 */

import type { IncomingHttpHeaders } from "node:http";
import { HOP_HEADER, USER_AGENT } from "../proxy/own-marks.js";

export class OwnMarks {
  readonly #serviceAccounts: ReadonlySet<string>;

  /** `serviceAccounts`: the names our backends know us by. */
  constructor(serviceAccounts: readonly string[]) {
    this.#serviceAccounts = new Set(serviceAccounts.map((name) => name.toLowerCase()));
  }

  bearsOne(headers: IncomingHttpHeaders, onBehalfOf: readonly string[]): boolean {
    if (headers[HOP_HEADER] !== undefined) return true;
    if (headers["user-agent"]?.startsWith(USER_AGENT)) return true;
    return onBehalfOf.some((address) => this.#serviceAccounts.has(address));
  }
}
