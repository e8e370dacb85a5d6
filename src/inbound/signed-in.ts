/**
 * Decides who gets as far as a route: whoever signs in. Everybody else has an answer before
 * the body is read. Plugs into any plugin whose routes are for callers, whatever they speak.
 *
 * Knows no scheme and no route; how somebody signs in is the authenticator's business.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RequestFaultReason } from "../availability/request-fault.js";
import type { Caller } from "../proxy/asking.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import type { Authentication, CallerAuthenticator, SignInRefusal } from "./caller-authentication.js";
import type { HttpRefusal } from "./http-refusals.js";
import { signInAnswer } from "./sign-in-answer.js";
import type { TrustedProxies } from "./trusted-proxies.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks; null only before somebody has signed in, so never in a handler. */
    caller: Caller | null;
    /** The address it comes from, not the last proxy's. */
    source: string;
    /** When its header was there, on the clock that only runs on. */
    since: number;
  }
}

export interface SignedInOptions {
  readonly authenticator: CallerAuthenticator;
  readonly proxies: TrustedProxies;
  readonly observer: Pick<LookupObserver, "requestRefused">;
  /** A caller has signed in; not told of the doctor, who comes as somebody else. */
  readonly seen?: ((caller: string) => void) | undefined;
}

/** The doctor's requests say so. Believed of anybody, because nothing but a time hangs on it. */
const DOCTOR = "freebusy-doctor";

/** Ends a request with one sentence in plain text, and tells the observer why. */
export type Refuse = (
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  reason: SignInRefusal | RequestFaultReason | HttpRefusal,
  sentence: string,
) => FastifyReply;

export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** Every route of `app` from here on is for callers who have signed in. */
export function signedInOnly(
  app: FastifyInstance,
  { authenticator, proxies, observer, seen }: SignedInOptions,
): Refuse {
  app.decorateRequest("caller", null);
  app.decorateRequest("source", "");
  app.decorateRequest("since", 0);

  // With a callback, because a caller seen before is known at once and no promise is needed.
  app.addHook("onRequest", (request, reply, done) => {
    // Whoever asks waits from now on, for its sign-in and its body, too. Hooks before this one wait for nothing.
    request.since = performance.now();
    const { headers } = request;
    const { socket } = request.raw;
    request.source = proxies.sourceOf({ headers, socket });
    const found = authenticator.authenticate({ headers, socket, ip: request.source });
    if (found instanceof Promise) found.then((result) => admit(result, request, reply, done), done);
    else admit(found, request, reply, done);
  });

  function admit(result: Authentication, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    if (result.kind === "known") {
      request.caller = result.caller;
      if (!request.headers["user-agent"]?.startsWith(DOCTOR)) seen?.(result.caller.name);
      if (result.proof !== undefined) reply.header("www-authenticate", result.proof);
      const encoding = request.headers["content-encoding"];
      if (encoding === undefined || encoding === "identity") done();
      else refuse(request, reply, 415, "content-encoding", "Send the body without Content-Encoding.");
    } else {
      const { status, headers, sentence, reason } = signInAnswer(result);
      // The first calls of many clients carry no credentials, or half of them: no incident.
      if (reason === undefined) reply.code(status).headers(headers).type(PLAIN_TEXT).send(`${sentence}\n`);
      else refuse(request, reply.headers(headers), status, reason, sentence);
    }
  }

  const refuse: Refuse = (request, reply, status, reason, sentence) => {
    observer.requestRefused({ id: request.id, source: request.source, caller: request.caller?.name, status, reason });
    return reply.code(status).type(PLAIN_TEXT).send(`${sentence}\n`);
  };
  return refuse;
}
