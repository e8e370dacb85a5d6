/**
 * Decides how look-ups share a connection: one is kept and asked by all at once, bound before any
 * of them sees it, closed after a while without questions, and replaced when it is lost. A question
 * that a kept connection took with it is asked once more, as it changes nothing to ask twice.
 */

import { DirectoryError } from "./directory-source.js";
import type { LdapBinds } from "./ldap-binds.js";
import type { LdapConnection } from "./ldap-connection.js";
import { isLostConnection } from "./ldap-failures.js";
import { refuseAborted, settleWithin } from "./settle-within.js";

export class KeptConnection {
  readonly #binds: LdapBinds;
  readonly #timeoutMs: number;
  readonly #idleMs: number;
  #kept: LdapConnection | undefined;
  #opening: Promise<LdapConnection> | undefined;
  #underWay = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * `timeoutMs`: how long somebody waits for a connection. `idleMs`: how long it stays open without questions; servers
   * close it too, later.
   */
  constructor(binds: LdapBinds, timeoutMs: number, idleMs: number) {
    this.#binds = binds;
    this.#timeoutMs = timeoutMs;
    this.#idleMs = idleMs;
  }

  /** Throws what `work` throws, or a {@link DirectoryError} when there is no connection to be had. */
  async use<T>(work: (connection: LdapConnection) => Promise<T>, signal: AbortSignal): Promise<T> {
    clearTimeout(this.#idle);
    this.#underWay++;
    try {
      const kept = this.#kept?.usable ? this.#kept : undefined;
      if (kept === undefined) return await work(await this.#open(signal));
      try {
        return await work(kept);
      } catch (error) {
        if (!isLostConnection(error) || this.#closed) throw error;
        return await work(await this.#open(signal));
      }
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#idle = setTimeout(() => this.#kept?.close(), this.#idleMs).unref();
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#kept?.close();
  }

  /** Whoever comes meanwhile waits for the same connection; one that gives up does not end it for the others. */
  #open(signal: AbortSignal): Promise<LdapConnection> {
    refuseAborted(signal);
    if (this.#kept?.usable) return Promise.resolve(this.#kept);
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return settleWithin(this.#opening, this.#timeoutMs, signal);
  }

  async #connect(): Promise<LdapConnection> {
    const connection = this.#closed ? undefined : await this.#binds.open();
    if (connection === undefined || this.#closed) {
      connection?.close();
      throw new DirectoryError("Closed", "the directory source was closed");
    }
    this.#kept = connection;
    return connection;
  }
}
