/**
 * Decides whether a request was decoded before: the same text means the same question,
 * whoever asks. Scheduling views ask the same thing again whenever they are repainted, and
 * reading it is the dearest part of an answer from the cache.
 *
 * Holds questions only, never who asked or what the answer was, and only small ones.
 */

import { LRUCache } from "lru-cache";

const MOST = 500;
const LONGEST_CHARACTERS = 8_192;

export class DecodedRequests<Request extends object> {
  readonly #known = new LRUCache<string, Request>({ max: MOST });

  /** What `decode` made of this text, now or before. What it throws is thrown, and not remembered. */
  get(text: string, decode: (text: string) => Request, keep: (request: Request) => boolean): Request {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const request = decode(text);
    if (text.length <= LONGEST_CHARACTERS && keep(request)) this.#known.set(text, request);
    return request;
  }
}
