/**
 * Decides what one LDAP connection is: opened, made private where that is wanted, bound once, and
 * from then on only searched. It never opens itself again: ldapts would, and without the bind, so
 * that questions would be asked as nobody and answered with nothing.
 *
 * Knows no Exchange and no addresses.
 */

import { isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Client, type Filter } from "ldapts";
import { DirectoryError } from "./directory-source.js";
import { type LdapEntry, ldapEntry } from "./ldap-entry.js";
import { connectionClosed, isLostConnection, ldapFailure, repeatedPage, unreadableAnswer } from "./ldap-failures.js";
import { LdapMessages } from "./ldap-messages.js";
import { refuseAborted, settleWithin } from "./settle-within.js";

export interface LdapServer {
  /** ldap://host or ldaps://host, with a port or without. */
  readonly url: string;
  /** A distinguished name; Active Directory takes "user@domain" and "DOMAIN\user" too. */
  readonly bindDn: string;
  /** Read anew for each connection. */
  readonly password: string;
  /** `ca`: certificates in PEM to trust instead of the usual ones. Certificates are always verified. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
  /** On ldap://, ask for TLS before anything else. */
  readonly startTls?: boolean | undefined;
  /** For opening with the bind, and for each answer, in milliseconds. */
  readonly timeoutMs: number;
}

export interface LdapQuestion {
  readonly baseDn: string;
  readonly scope: "base" | "sub";
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** More than so many entries are not sent. */
  readonly sizeLimit?: number;
}

export class LdapConnection {
  readonly #server: LdapServer;
  readonly #client: Client;
  #lost = false;
  #unreadable = false;

  /** Throws a {@link DirectoryError}. */
  static async open(server: LdapServer, signal?: AbortSignal): Promise<LdapConnection> {
    // RFC 4513, 5.1.2: a server takes a name without a password for nobody, and says yes.
    if (server.password === "") throw new DirectoryError("InvalidCredentials", "the password of the bind is empty");
    refuseAborted(signal);
    const connection = new LdapConnection(server);
    try {
      await settleWithin(connection.#bind(), server.timeoutMs, signal);
    } catch (error) {
      connection.close();
      throw connection.#failure(error);
    }
    return connection;
  }

  private constructor(server: LdapServer) {
    this.#server = server;
    this.#client = new Client({
      url: server.url,
      connectTimeout: server.timeoutMs,
      // The last resort behind our own times: it tears the connection down under everybody who waits on it.
      timeout: 2 * server.timeoutMs,
      ...(isLdaps(server.url) ? { tlsOptions: tlsOptions(server) } : {}),
    });
    this.#readWholeMessages();
  }

  get usable(): boolean {
    return !this.#lost && this.#client.isConnected;
  }

  /** The entries found, in the directory's order; references to other servers are left out. Throws a {@link DirectoryError}. */
  search(question: LdapQuestion, signal: AbortSignal): Promise<readonly LdapEntry[]> {
    // Nobody waits longer, so the server need not work longer; a second more, as servers round down.
    const timeLimit = Math.ceil(this.#server.timeoutMs / 1000) + 1;
    return this.#answer(signal, async () => {
      const found = await this.#client.search(question.baseDn, { ...asked(question), timeLimit });
      return found.searchEntries.map(ldapEntry);
    });
  }

  /**
   * The same, `pageSize` entries at a time, each page once. One search at a time per connection: some servers forget the
   * one before.
   */
  async *pages(question: LdapQuestion, pageSize: number, signal: AbortSignal): AsyncGenerator<readonly LdapEntry[]> {
    // No limit of time for the server: Active Directory would cut pages short by it, down to empty ones.
    const options = { ...asked(question), timeLimit: 0, paged: { pageSize } };
    const pages = this.#client.searchPaginated(question.baseDn, options);
    const begunWith = new Set<string>();
    while (true) {
      const page = await this.#answer(signal, () => pages.next());
      if (page.done) return;
      const { searchEntries, searchReferences } = page.value;
      // A server that gives the same page again would do so for ever. ldapts ends by itself with a page of nothing.
      const first = searchEntries[0]?.dn ?? searchReferences[0];
      if (first !== undefined && begunWith.has(first)) throw repeatedPage();
      if (first !== undefined) begunWith.add(first);
      yield searchEntries.map(ldapEntry);
    }
  }

  /** Whoever still waits for an answer gets a {@link DirectoryError} "ConnectionClosed". */
  close(): void {
    this.#lost = true;
    this.#client.unbind().catch(() => undefined);
  }

  async #bind(): Promise<void> {
    if (this.#server.startTls && !isLdaps(this.#server.url)) {
      const upgrade = tlsOptions(this.#server);
      await this.#client.startTLS(upgrade);
      // ldapts puts the plain socket here, and does not notice when it closes afterwards.
      upgrade.socket?.once("close", () => {
        this.#lost = true;
      });
      if (this.#lost) throw connectionClosed();
    }
    await this.#client.bind(this.#server.bindDn, this.#server.password);
  }

  async #answer<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    refuseAborted(signal);
    if (!this.usable) throw connectionClosed();
    try {
      return await settleWithin(ask(), this.#server.timeoutMs, signal);
    } catch (error) {
      const failure = this.#failure(error);
      if (isLostConnection(failure)) this.#lost = true;
      if (failure.code === "ETIMEDOUT") this.#retire();
      throw failure;
    }
  }

  /** ldapts reads nothing but whole messages; what cannot be one ends the connection. */
  #readWholeMessages(): void {
    const client = this.#client as unknown as LdaptsReading;
    const parser = client.messageParser;
    const read = parser.read.bind(parser);
    let messages = new LdapMessages();
    let of = client.socket;
    parser.read = (piece, asked) => {
      // After StartTLS bytes come from another socket, and begin anew.
      if (of !== client.socket) messages = new LdapMessages();
      of = client.socket;
      try {
        for (const message of messages.whole(piece)) read(message, asked);
      } catch {
        this.#lost = this.#unreadable = true;
        client.socket?.destroy(new Error("the answer cannot be read"));
      }
    };
  }

  #failure(error: unknown): DirectoryError {
    return this.#unreadable ? unreadableAnswer() : ldapFailure(error);
  }

  /** A server that is silent may be gone: nothing new is asked here, what is under way has its time. */
  #retire(): void {
    this.#lost = true;
    setTimeout(() => this.close(), this.#server.timeoutMs).unref();
  }
}

/** What of ldapts is on the way of the bytes. */
interface LdaptsReading {
  readonly socket?: Socket;
  readonly messageParser: { read(piece: Buffer, asked: unknown): void };
}

function isLdaps(url: string): boolean {
  return /^ldaps:/i.test(url);
}

function tlsOptions({ url, tls }: LdapServer): ConnectionOptions {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  };
}

function asked({ scope, filter, attributes, sizeLimit }: LdapQuestion) {
  return { scope, filter, attributes: [...attributes], ...(sizeLimit === undefined ? {} : { sizeLimit }) };
}
