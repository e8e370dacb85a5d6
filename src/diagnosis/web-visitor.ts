/**
 * Looks at web servers the way a stranger does: which certificate is shown, what is answered
 * without a sign-in. Only the one request that signs in insists on a trusted certificate, because
 * it is the only one with something to lose.
 */

import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { connect, rootCertificates, type TLSSocket } from "node:tls";
import { bounded } from "./bounded-look.js";

const LARGEST_BODY = 65_536;
/** Who has not answered by then is not there, for practical purposes. */
const PATIENCE_MS = 8_000;
const HEADERS = { "content-type": "text/xml; charset=utf-8", "user-agent": "freebusy-doctor" };

export interface Visit {
  readonly status: number;
  readonly schemes: readonly string[];
  readonly aheadMs: number | undefined;
  readonly location: string | undefined;
  readonly body: string;
  readonly ms: number;
}

export class WebVisitor {
  /** Trusts `authorities` (PEM) or what Node comes with: neither this machine's store nor NODE_EXTRA_CA_CERTS. */
  async certificate(url: URL, authorities: string | undefined, signal: AbortSignal) {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const socket = connect({
      host,
      port: Number(url.port || 443),
      ...(isIP(host) === 0 && { servername: host }),
      ca: authorities ?? [...rootCertificates],
      // What is wrong with it is what is wanted; nothing is sent.
      rejectUnauthorized: false,
    });
    try {
      await bounded(signal, PATIENCE_MS, (own) => handshake(socket, own));
      const { valid_to, issuer } = socket.getPeerCertificate();
      const problem = socket.authorized ? undefined : codeOf(socket.authorizationError);
      return {
        trusted: socket.authorized,
        problem,
        endsAt: Date.parse(valid_to),
        issuer: [issuer?.O, issuer?.CN]
          .flat()
          .filter((part) => part !== undefined)
          .join(", "),
        protocol: socket.getProtocol() ?? "TLS",
      };
    } finally {
      socket.destroy();
    }
  }

  knock(
    url: URL,
    signal: AbortSignal,
    { method = "GET", body }: { method?: string; body?: string } = {},
  ): Promise<Visit> {
    return visited(url, { method, headers: HEADERS, rejectUnauthorized: false, signal }, body);
  }

  signedIn(
    url: URL,
    { username, password, ca }: { username: string; password: string; ca: string | undefined },
    body: string,
    signal: AbortSignal,
  ): Promise<Visit> {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    return visited(url, { method: "POST", headers: { ...HEADERS, authorization }, ...(ca && { ca }), signal }, body);
  }
}

/** The system's code, or OpenSSL's. */
function codeOf(error: Error | string | null): string {
  if (typeof error === "string") return error;
  return (error as { code?: string } | null)?.code ?? error?.message ?? "not trusted";
}

function handshake(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
    socket.once("close", () => signal.removeEventListener("abort", abort));
  });
}

function visited(
  url: URL,
  { signal, ...options }: RequestOptions & { signal: AbortSignal },
  body: string | undefined,
): Promise<Visit> {
  return bounded(signal, PATIENCE_MS, (own) => visit(url, { ...options, signal: own }, body));
}

async function visit(url: URL, options: RequestOptions, body: string | undefined): Promise<Visit> {
  const began = performance.now();
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest : httpRequest;
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const outgoing = request(url, { ...options, agent: false, headers: { ...options.headers, ...length } }, resolve);
    outgoing.once("error", reject);
    outgoing.end(body);
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > LARGEST_BODY) break;
  }
  reply.destroy();
  const { date, location } = reply.headers;
  const challenges = reply.rawHeaders.filter(
    (_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === "www-authenticate",
  );
  return {
    status: reply.statusCode ?? 0,
    schemes: [...new Set(challenges.flatMap((text) => /^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? []))],
    // A Date is whole seconds, cut off.
    aheadMs: date === undefined ? undefined : Date.parse(date) + 500 - Date.now(),
    location,
    body: Buffer.concat(chunks).toString("utf8"),
    ms: Math.round(performance.now() - began),
  };
}
