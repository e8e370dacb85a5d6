/**
 * What a backend needs of whatever carries its bytes to one endpoint: with Basic
 * (`EwsTransport`), or over connections that were authenticated once
 * (`ConnectionBoundTransport`).
 */

import type { HttpAnswer } from "./ews-transport.js";

export interface HttpChannel {
  /** Any HTTP answer, whatever its status. Throws a TransportError, or the signal's reason when it aborted. */
  post(body: string, signal: AbortSignal): Promise<HttpAnswer>;
  /** The status of an unauthenticated GET: whether anybody is there. */
  reach(signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}
