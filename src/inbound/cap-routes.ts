/**
 * Decides how WorkMail's availability events arrive over HTTP, sent on by a function that
 * runs elsewhere: authenticated before the body is read, POST with JSON only, and everything
 * that is no event as a plain status with a sentence that says what was expected.
 *
 * The caller is the function's account. The requester in the event is only what it says, so
 * it can take away from what the caller may see, and never add.
 */

import type { FastifyInstance } from "fastify";
import { RequestFault } from "../availability/request-fault.js";
import type { Caller } from "../proxy/asking.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import { readCapEvent } from "../workmail-cap/cap-event.js";
import type { CapResponse } from "../workmail-cap/cap-response.js";
import { type CapAnswering, capAnswers, onBehalfOf } from "./cap-answers.js";
import { unreadRefusal } from "./http-refusals.js";
import type { OwnMarks } from "./own-marks.js";
import { PLAIN_TEXT, type SignedInOptions, signedInOnly } from "./signed-in.js";

export interface CapRouteOptions extends SignedInOptions {
  readonly answer: CapAnswering["answer"];
  readonly ownMarks: OwnMarks;
  readonly observer: LookupObserver;
  /** How long an answer may take at most, in milliseconds: a little more than the lookup's own time budget. */
  readonly withinMs: number;
}

const PATH = "/cap";

export async function capRoutes(app: FastifyInstance, options: CapRouteOptions): Promise<void> {
  const { observer } = options;
  const refuse = signedInOnly(app, options);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => {
    let event: unknown;
    try {
      event = JSON.parse(body as string);
    } catch {
      done(new RequestFault("malformed", "The body is no JSON."));
      return;
    }
    done(null, event);
  });

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    if (error instanceof RequestFault) return refuse(request, reply, 400, error.reason, error.message);
    const status = error.statusCode ?? 500;
    if (status < 500) {
      const sentence = PLAIN[status] ?? "The request cannot be read.";
      return refuse(request, reply, status, unreadRefusal(error), sentence);
    }
    observer.unexpected("an availability event failed", error);
    return reply.code(500).type(PLAIN_TEXT).send("The gateway failed. Its log says more.\n");
  });

  app.route({
    method: ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"],
    url: PATH,
    handler: async (request, reply) =>
      refuse(request, reply.header("allow", "POST"), 405, "method", "POST an availability event of WorkMail here."),
  });

  app.post(PATH, async (request, reply) => {
    const question = readCapEvent(request.body);
    const requesters = onBehalfOf(question);
    const returned = options.ownMarks.bearsOne(request.headers, requesters);
    const { source, since } = request;
    const asking = { caller: request.caller as Caller, returned, onBehalfOf: requesters, source, since };
    reply.header("request-id", request.id);
    const mailboxes = await capAnswers(question, options, asking, request.id, options.withinMs);
    return reply
      .type("application/json; charset=utf-8")
      .sendWhereRoom(() => JSON.stringify({ mailboxes } satisfies CapResponse));
  });
}

const PLAIN: Readonly<Record<number, string>> = {
  413: "The event is larger than this gateway reads; see listen.bodyLimitBytes.",
  415: "Send the event as Content-Type: application/json.",
};
