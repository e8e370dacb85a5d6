/**
 * Decides which certificate the listener shows: the one in the files, also after they
 * have been renewed, without a restart. A pair that does not fit together is reported,
 * and the last good one stays in use.
 */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { createSecureContext, type Server as TlsServer } from "node:tls";
import { clientCertificateOptions } from "./certificate-authentication.js";

export interface TlsFileSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** Clients are asked for a certificate of the authorities in it. */
  readonly clientCaFile?: string | undefined;
  readonly checkSeconds: number;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

export interface TlsLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export class TlsFiles {
  readonly #settings: TlsFileSettings;
  readonly #log: TlsLog;
  /** The contents that were tried last, and why there were none since: whatever is the same again has been dealt with. */
  #seen = "";
  #problem = "";
  #inUse = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: TlsFileSettings, log: TlsLog) {
    this.#settings = settings;
    this.#log = log;
  }

  /** For the beginning. Throws when a file cannot be read, or no client authority is in its file. */
  read(): TlsPair {
    const pair = this.#read();
    this.#seen = contentsOf(pair);
    this.#inUse = pair.cert;
    return pair;
  }

  /** Looks at the contents rather than for events: mounted secrets are swapped by links, which send none. */
  watch(server: Server): void {
    this.#timer = setInterval(() => this.#renew(server as unknown as TlsServer), this.#settings.checkSeconds * 1000);
    this.#timer.unref();
  }

  /** When the certificate in use ends, in milliseconds since 1970. */
  get expiresAt(): number {
    return Date.parse(new X509Certificate(this.#inUse).validTo);
  }

  unwatch(): void {
    clearInterval(this.#timer);
  }

  #read(): TlsPair {
    const { certFile, keyFile, clientCaFile } = this.#settings;
    const cert = readFileSync(certFile, "utf8");
    const key = readFileSync(keyFile, "utf8");
    // Part of the pair also when it is renewed: otherwise no client would be known any more.
    return { cert, key, ...(clientCaFile && clientCertificateOptions(readFileSync(clientCaFile, "utf8"))) };
  }

  #renew(server: TlsServer): void {
    const { certFile } = this.#settings;
    let pair: TlsPair | undefined;
    try {
      pair = this.#read();
      this.#problem = "";
      if (contentsOf(pair) === this.#seen) return;
      this.#seen = contentsOf(pair);
      createSecureContext(pair);
      server.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
      this.#inUse = pair.cert;
      this.#log.info({ certFile }, "the renewed certificate is in use");
    } catch (error) {
      // Said once, and looked at again: the other half of the pair may still be on its way.
      const { message } = error as Error;
      if (pair === undefined && message === this.#problem) return;
      if (pair === undefined) this.#problem = message;
      this.#log.error({ certFile, err: error }, "the certificate files do not fit; the last good pair stays");
    }
  }
}

function contentsOf({ cert, key, ca = "" }: TlsPair): string {
  return `${cert}\0${key}\0${ca}`;
}
