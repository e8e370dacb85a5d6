/**
 * The gateway's own listener with nothing behind the sign-in: whoever is let in reads their
 * caller's name and how long their body was. Books are kept of what was refused, as a log would.
 */

import type { AddressInfo, Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import {
  type Authentication,
  CallerAuthenticator,
  type CallerAuthenticatorParts,
  type SignInRequest,
} from "../../src/inbound/caller-authentication.js";
import { createListener } from "../../src/inbound/listener.js";
import { signInAnswer } from "../../src/inbound/sign-in-answer.js";
import { BACKOFF, SignInBackoff } from "../../src/inbound/sign-in-backoff.js";
import type { TlsFiles } from "../../src/inbound/tls-files.js";
import { TrustedProxies } from "../../src/inbound/trusted-proxies.js";
import type { Caller } from "../../src/proxy/asking.js";

export const PATH = "/EWS/Exchange.asmx";

export function callerNamed(name: string): Caller {
  return { name, origin: undefined, maximumDetail: "times" };
}

export function backoff(now: () => number = Date.now): SignInBackoff {
  return new SignInBackoff(BACKOFF, now);
}

/** A request without a network: as much of one as is looked at. */
export function signInRequest(authorization: string | undefined, ip = "192.0.2.1", socket: object = {}): SignInRequest {
  return { headers: authorization === undefined ? {} : { authorization }, socket: socket as Socket, ip };
}

export const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

export interface SignInServer {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly url: string;
  /** The reason of everybody who was refused, and the source they came from. */
  readonly refused: { readonly reason: string; readonly source: string }[];
  close(): Promise<void>;
}

export interface SignInServerOptions extends Pick<CallerAuthenticatorParts, "schemes" | "standing"> {
  readonly proxies?: readonly string[];
  /** What is behind the sign-in, in place of a name and a number. */
  readonly serve?: (caller: Caller, body: Buffer) => Promise<string>;
  /** Given to the TLS listener as they are. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startSignInServer({ schemes, standing, ...options }: SignInServerOptions): Promise<SignInServer> {
  const proxies = new TrustedProxies(options.proxies ?? []);
  const authenticator = new CallerAuthenticator({
    schemes,
    standing,
    sharesConnection: (request) => proxies.sharesConnection(request),
  });
  const tls = options.tls === undefined ? undefined : ({ read: () => options.tls } as unknown as TlsFiles);
  const app = createListener({ bodyBytes: 65_536, requestMs: 10_000, idleMs: 60_000 }, tls);
  const refused: SignInServer["refused"] = [];
  app.decorateRequest("caller", null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  app.addHook("onRequest", (request, reply, done) => {
    const { headers } = request;
    const { socket } = request.raw;
    const signIn = { headers, socket, ip: proxies.sourceOf({ headers, socket }) };
    const admit = (result: Authentication) => {
      if (result.kind === "known") {
        request.caller = result.caller;
        if (result.proof !== undefined) reply.header("www-authenticate", result.proof);
        return done();
      }
      const { status, headers: told, sentence, reason } = signInAnswer(result);
      if (reason !== undefined) refused.push({ reason, source: signIn.ip });
      reply.code(status).headers(told).type("text/plain; charset=utf-8").send(`${sentence}\n`);
    };
    const found = authenticator.authenticate(signIn);
    if (found instanceof Promise) found.then(admit, done);
    else admit(found);
  });
  app.route({
    method: ["GET", "POST"],
    url: PATH,
    handler: async ({ caller, body }, reply) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
      const serve = options.serve ?? (async ({ name }: Caller) => `${name} ${bytes.length}`);
      return reply.type("text/xml; charset=utf-8").send(await serve(caller as Caller, bytes));
    },
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}${PATH}`,
    refused,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
