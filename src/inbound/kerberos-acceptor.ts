/**
 * Decides whose a Kerberos token is: whether it was made for this service with a ticket of
 * the realm, and which caller its principal stands for. The work is done by the package
 * `kerberos`, which is not a dependency: a site that wants Kerberos installs it, with a
 * keytab of HTTP/<the name clients use>.
 *
 * Knows no HTTP. Replays are told by the Kerberos library's own cache. It gives no way to
 * tie a token to the TLS channel, so channel binding is not checked here.
 */

import { readFileSync } from "node:fs";
import {
  installedKerberos,
  type KerberosPackage,
  KerberosUnavailable,
  NOT_INSTALLED,
} from "../kerberos/installed-package.js";
import type { Caller } from "../proxy/asking.js";

export interface KerberosIdentity {
  /** `exchange@CORP.EXAMPLE`: compared as it is, case included. */
  readonly principal: string;
  readonly caller: Caller;
}

export interface KerberosSettings {
  readonly keytabFile: string;
  /** The name clients know this gateway by, as in its URL. */
  readonly host: string;
  readonly identities: readonly KerberosIdentity[];
}

export interface Accepted {
  readonly caller: Caller;
  /** With which we prove ourselves to the client, where it asks for that. */
  readonly answer: Buffer | undefined;
}

export interface KerberosAcceptor {
  /** Undefined: not for us, not now, or of nobody who is configured. Never rejects. */
  accept(token: Buffer): Promise<Accepted | undefined>;
}

/**
 * Ready to accept, or rejects with a sentence that says what is missing. Sets KRB5_KTNAME, which is the process's: there
 * is one keytab.
 */
export async function openKerberos(
  { keytabFile, host, identities }: KerberosSettings,
  kerberos: Pick<KerberosPackage, "initializeServer"> | undefined = installedKerberos(),
): Promise<KerberosAcceptor> {
  if (kerberos === undefined) throw new KerberosUnavailable(NOT_INSTALLED);
  const service = `HTTP@${host}`;
  try {
    // The library itself finds out with the first token, and then does not say.
    if (!holdsKeyOf(readFileSync(keytabFile), ["HTTP", host])) throw new Error("it holds keys of others only");
    process.env.KRB5_KTNAME = `FILE:${keytabFile}`;
    await kerberos.initializeServer(service);
  } catch (error) {
    throw new KerberosUnavailable(
      `signIn.kerberos: the keytab ${keytabFile} has no usable key of HTTP/${host}: ${(error as Error).message}`,
    );
  }
  const callers = new Map(identities.map(({ principal, caller }) => [principal, caller]));
  return {
    async accept(token) {
      try {
        const server = await kerberos.initializeServer(service);
        await server.step(token.toString("base64"));
        const caller = server.contextComplete ? callers.get(server.username ?? "") : undefined;
        if (caller === undefined) return undefined;
        return { caller, answer: server.response ? Buffer.from(server.response, "base64") : undefined };
      } catch {
        return undefined;
      }
    },
  };
}

/** MIT's keytab format: a name's components, each behind its length in two bytes. */
function holdsKeyOf(keytab: Buffer, components: readonly string[]): boolean {
  const name = components.map((component) => {
    const text = Buffer.from(component);
    return Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), text]);
  });
  return keytab[0] === 5 && keytab.includes(Buffer.concat(name));
}
