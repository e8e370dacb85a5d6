/**
 * Port: whatever carries a backend's bytes to one endpoint, as one identity. Decides what is
 * known of an answer before it is read, and how a connection's failure is called.
 */

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Buffer;
}

/** No connection, or none that lived long enough for a whole answer. `code` is Node's or undici's. */
export class TransportError extends Error {
  readonly code: string;

  constructor(code: string, options: { cause: unknown }) {
    super(code, options);
    this.name = "TransportError";
    this.code = code;
  }
}

export interface HttpChannel {
  /** Any HTTP answer, whatever its status. Throws a {@link TransportError}, or the signal's reason when it aborted. */
  post(body: string, signal: AbortSignal): Promise<HttpAnswer>;
  /** The status of an unauthenticated GET: whether anybody is there. */
  reach(signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}
