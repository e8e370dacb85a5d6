/**
 * Decides when a password may be tried: one that the directory refused not again for five minutes,
 * then twice as long each time, half an hour at most, and until then everybody is told of that
 * refusal. Active Directory counts wrong passwords, and locks an account that others may use too.
 * Another password is tried at once. One bind is under way at a time, so that all know how it went.
 *
 * Does not know what is asked over a connection.
 */

import type { DirectoryError } from "./directory-source.js";
import { LdapConnection, type LdapServer } from "./ldap-connection.js";
import { ldapFailure } from "./ldap-failures.js";
import { settleWithin } from "./settle-within.js";

interface Refusal {
  readonly password: string;
  readonly failure: DirectoryError;
  readonly periodMs: number;
  readonly until: number;
}

const FIRST_MS = 300_000;
const LONGEST_MS = 1_800_000;

export class LdapBinds {
  readonly #server: LdapServer;
  readonly #now: () => number;
  #refusal: Refusal | undefined;
  #underWay: Promise<unknown> | undefined;

  /** `now`: milliseconds since whenever. */
  constructor(server: LdapServer, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  /** Throws a {@link DirectoryError}. */
  async open(signal?: AbortSignal): Promise<LdapConnection> {
    while (this.#underWay !== undefined) await settleWithin(this.#underWay, this.#server.timeoutMs, signal);
    const { password } = this.#server;
    if (this.#refusal?.password !== password) this.#refusal = undefined;
    if (this.#refusal !== undefined && this.#now() < this.#refusal.until) throw this.#refusal.failure;
    const opened = this.#bind(password, signal);
    this.#underWay = opened
      .catch(() => undefined)
      .finally(() => {
        this.#underWay = undefined;
      });
    return opened;
  }

  async #bind(password: string, signal: AbortSignal | undefined): Promise<LdapConnection> {
    try {
      const connection = await LdapConnection.open({ ...this.#server, password }, signal);
      this.#refusal = undefined;
      return connection;
    } catch (error) {
      const failure = ldapFailure(error);
      if (failure.code === "InvalidCredentials") {
        const periodMs = Math.min(2 * (this.#refusal?.periodMs ?? FIRST_MS / 2), LONGEST_MS);
        this.#refusal = { password, failure, periodMs, until: this.#now() + periodMs };
      }
      throw failure;
    }
  }
}
