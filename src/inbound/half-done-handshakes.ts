/**
 * Decides how long, and how many, handshakes wait for their next step: one per connection,
 * for a bounded time, and of all of them the oldest gives way. A step is taken once.
 */

import type { Socket } from "node:net";

export class HalfDoneHandshakes<Step> {
  readonly #waiting = new Map<Socket, { readonly step: Step; readonly until: number }>();
  readonly #most: number;
  readonly #forMs: number;
  readonly #now: () => number;
  /** Connections whose end is listened for; once each, however many handshakes they begin. */
  readonly #watched = new WeakSet<Socket>();

  constructor(most: number, forMs: number, now: () => number) {
    this.#most = most;
    this.#forMs = forMs;
    this.#now = now;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** In place of whatever this connection had begun before. */
  begin(socket: Socket, step: Step): void {
    if (socket.destroyed) return;
    this.#waiting.delete(socket);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= this.#most && oldest !== undefined) this.#waiting.delete(oldest);
    this.#waiting.set(socket, { step, until: this.#now() + this.#forMs });
    if (this.#watched.has(socket)) return;
    this.#watched.add(socket);
    socket.once("close", () => this.#waiting.delete(socket));
  }

  /** What this connection has begun, if it still counts; from now on it does not. */
  take(socket: Socket): Step | undefined {
    const found = this.#waiting.get(socket);
    this.#waiting.delete(socket);
    return found === undefined || found.until < this.#now() ? undefined : found.step;
  }
}
