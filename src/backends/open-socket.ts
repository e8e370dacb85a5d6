/**
 * Decides how a connection to an origin is made: within a time, abandoned at once when
 * nobody waits for it any more, and with TLS only to whom the certificate names.
 *
 * Knows TCP and TLS; knows no HTTP.
 */

import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { TransportError } from "./http-channel.js";
import { sharedLookup } from "./shared-lookup.js";

export interface SocketOptions {
  /** As for Node's TLS: PEM of the authorities to trust; the usual ones when undefined. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
}

/** A connected socket, for `https:` a TLSSocket. Throws a {@link TransportError}, or the signal's reason when it aborted. */
export async function openSocket(url: URL, options: SocketOptions, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (secure ? 443 : 80);
  const name = isIP(host) === 0 ? { servername: host } : {};
  // No session is resumed, so the certificate is the one that was shown on this very connection.
  const socket = secure
    ? connectTls({
        host,
        port,
        lookup: sharedLookup,
        ...name,
        ALPNProtocols: ["http/1.1"],
        ...(options.ca !== undefined && { ca: options.ca }),
      })
    : connectTcp({ host, port, lookup: sharedLookup });
  socket.setNoDelay(true).setKeepAlive(true, 60_000);
  try {
    await connected(socket, secure ? "secureConnect" : "connect", options.timeoutMs, signal);
    return socket;
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
}

function connected(socket: Socket, event: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.off(event, made).off("error", failed).off("close", closed);
      settle();
    };
    const fail = (code: string, cause?: unknown) => done(() => reject(new TransportError(code, { cause })));
    const made = () => done(resolve);
    const failed = (error: NodeJS.ErrnoException) => fail(error.code ?? "UNKNOWN", error);
    const closed = () => fail("ECONNRESET");
    const aborted = () => done(() => reject(signal.reason));
    const timer = setTimeout(() => fail("UND_ERR_CONNECT_TIMEOUT"), timeoutMs);
    signal.addEventListener("abort", aborted, { once: true });
    socket.on(event, made).on("error", failed).on("close", closed);
  });
}
