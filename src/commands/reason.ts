/**
 * `freebusy reason`: what a reason that stands in a log or an answer means, and what to do
 * about it. Asks nobody. Exit codes: 0 found, 2 there is no such reason.
 */

import { REASON_IDS, reasonPage } from "../operations/reason-catalogue.js";
import { reasonText } from "../operations/reason-page.js";
import { ended } from "./ended.js";

/** `id` undefined: all that there are, a line each. */
export function reason(id: string | undefined): void {
  if (id === undefined) {
    const width = Math.max(...REASON_IDS.map(({ length }) => length));
    for (const one of REASON_IDS) process.stdout.write(`${one.padEnd(width)}  ${reasonPage(one)?.means}\n`);
    return;
  }
  // As it stands in an answer's text, in brackets, or without them.
  const word = id.replace(/^\[|\]$/g, "");
  const page = reasonPage(word);
  if (page !== undefined) process.stdout.write(reasonText(word, page));
  else ended(2, `freebusy: there is no reason '${id}'. freebusy reason lists all.\n`);
}
