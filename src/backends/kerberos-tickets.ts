/**
 * Decides how an account proves itself with Kerberos (RFC 4559): with a ticket for
 * HTTP/<the backend's host>, which the Kerberos library gets and keeps, in the account's own
 * name and with the key of its keytab. Each token is for one request.
 *
 * While a KDC is silent the library keeps one of the process's few threads for up to a minute,
 * without which no password is checked, no name looked up and no file read. So it is asked for
 * one token at a time, and whoever gives up leaves the call, but not the place, behind.
 *
 * Knows no HTTP. The library offers no way to tie a token to the TLS channel, so none is:
 * Extended Protection has to be at "Allow".
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KerberosPackage, KerberosUnavailable, NOT_INSTALLED } from "../kerberos/installed-package.js";
import { WaitingLine } from "../proxy/waiting-line.js";
import { TokenError } from "./token-source.js";
import { untilAborted } from "./until-aborted.js";

export interface TicketHolder {
  /** `svc-freebusy@CORP.EXAMPLE`. */
  readonly principal: string;
  /** Of the configured URL, without port: what the backend's service principal is named after. */
  readonly host: string;
}

type ClientPackage = Pick<KerberosPackage, "initializeClient" | "GSS_MECH_OID_SPNEGO">;

/** As MIT's library says it. */
const UNREACHABLE = /cannot (contact|find|resolve)/i;
/** The process's. */
const calls = new WaitingLine(1);

export class KerberosTickets {
  readonly #holder: TicketHolder;
  readonly #kerberos: ClientPackage;

  /** Throws {@link KerberosUnavailable}. */
  constructor(holder: TicketHolder, kerberos: ClientPackage | undefined) {
    if (kerberos === undefined) throw new KerberosUnavailable(NOT_INSTALLED);
    this.#holder = holder;
    this.#kerberos = kerberos;
  }

  /** A new token, in base64. Throws a {@link TokenError}, or the signal's reason as soon as it aborts. */
  async token(signal: AbortSignal): Promise<string> {
    await calls.enter(signal);
    return untilAborted(
      this.#made().finally(() => calls.leave()),
      signal,
    );
  }

  async #made(): Promise<string> {
    const { principal, host } = this.#holder;
    const { initializeClient, GSS_MECH_OID_SPNEGO } = this.#kerberos;
    try {
      const client = await initializeClient(`HTTP@${host}`, { principal, mechOID: GSS_MECH_OID_SPNEGO });
      return await client.step("");
    } catch (error) {
      const { message } = error as Error;
      const detail = `${principal} gets no ticket for HTTP/${host}: ${message}`;
      // Active Directory counts a wrong key as it counts a wrong password.
      const refused = !UNREACHABLE.test(message);
      throw new TokenError("KERBEROS_NO_TICKET", { detail, refused, counted: refused });
    }
  }
}

/**
 * Where the Kerberos library finds the keys of our accounts, and where it keeps their tickets: in a folder of this
 * process's own, which goes with it, because its cache in memory holds one account only. Both are the process's, so there
 * is one keytab for all accounts.
 */
export function useClientKeytab(file: string): void {
  process.env.KRB5_CLIENT_KTNAME = `FILE:${file}`;
  if (tickets !== undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "freebusy-tickets-"));
  tickets = folder;
  process.env.KRB5CCNAME = `DIR:${folder}`;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
}

let tickets: string | undefined;
