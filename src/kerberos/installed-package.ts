/**
 * Decides what is used of the package `kerberos`, and whether it is there. It is not a
 * dependency: a site that wants Kerberos installs it beside the gateway.
 */

import { createRequire } from "node:module";

/** As much of the package as is used. */
export interface KerberosPackage {
  /** `HTTP@<host>`, with the key that KRB5_KTNAME names. */
  initializeServer(service: string): Promise<KerberosServer>;
  /** `HTTP@<host>`, as `principal`, with the key that KRB5_CLIENT_KTNAME names. */
  initializeClient(service: string, options: { principal: string; mechOID: number }): Promise<KerberosClient>;
  readonly GSS_MECH_OID_SPNEGO: number;
}

export interface KerberosServer {
  readonly username: string | null;
  readonly response: string | null;
  readonly contextComplete: boolean;
  step(token: string): Promise<unknown>;
}

export interface KerberosClient {
  /** The next token, in base64. */
  step(challenge: string): Promise<string>;
}

/** Kerberos is configured, and cannot be had. The message says what to do. */
export class KerberosUnavailable extends Error {}

export const NOT_INSTALLED = "Kerberos needs the package 'kerberos', which is not installed: npm install kerberos";

/** Undefined where it is not installed. */
export function installedKerberos(): KerberosPackage | undefined {
  try {
    return createRequire(import.meta.url)("kerberos") as KerberosPackage;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
