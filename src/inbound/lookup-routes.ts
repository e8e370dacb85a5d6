/**
 * Decides how a look-up arrives in JSON and leaves: GET with parameters or POST with a body,
 * on the callers' listener. Who may ask, what they may see and what is answered is the same as
 * in EWS, because it is the same core behind the same sign-in; only the wire differs.
 *
 * Knows no backend and no cache.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { InstantMs } from "../availability/time-window.js";
import { failureMessage } from "../ews/failure-messages.js";
import { windowsTimeZone } from "../ews/windows-time-zones.js";
import { writeAnswers } from "../json/availability-answer.js";
import { type MailboxParameter, readQuestion } from "../json/availability-question.js";
import type { Caller } from "../proxy/asking.js";
import type { EwsRouteOptions } from "./ews-routes.js";
import { ProblemReplies } from "./problem-replies.js";
import { sendValidated } from "./revalidation.js";
import { signedInOnly } from "./signed-in.js";

/** The same parts as for EWS: one core for all wires. */
export type LookupRouteOptions = Omit<EwsRouteOptions, "now"> & { readonly now: () => InstantMs };

const PATH = "/v1/availability";
const JSON_TYPE = "application/json; charset=utf-8";

export async function lookupRoutes(app: FastifyInstance, options: LookupRouteOptions): Promise<void> {
  const { observer, answer, ownMarks, now } = options;
  signedInOnly(app, options);
  const problems = new ProblemReplies(observer);
  problems.handleErrors(app);
  app.removeContentTypeParser("text/plain");

  app.get<{ Querystring: Record<string, unknown> }>(PATH, (request, reply) =>
    lookUp(request.query, "mailbox", request, reply),
  );
  app.post(PATH, (request, reply) => {
    const { body = {} } = request;
    if (typeof body === "object" && body !== null && !Array.isArray(body)) {
      return lookUp(body as Record<string, unknown>, "mailboxes", request, reply);
    }
    const expected = "a JSON object with mailboxes, from and to";
    return problems.badQuestion(request, reply, [{ parameter: "body", problem: "is no object", expected }]);
  });
  app.route({
    method: ["PUT", "DELETE", "PATCH", "OPTIONS"],
    url: PATH,
    handler: async (request, reply) =>
      problems.refuse(
        request,
        reply.header("allow", "GET, HEAD, POST"),
        405,
        "method",
        "GET it with parameters, or POST a JSON body.",
      ),
  });

  async function lookUp(
    written: Record<string, unknown>,
    mailboxParameter: MailboxParameter,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const read = readQuestion(written, mailboxParameter, windowsTimeZone);
    if (read.kind === "problems") return problems.badQuestion(request, reply, read.problems);
    const { query, requester } = read.question;
    const onBehalfOf = requester === undefined ? [] : [requester];
    const returned = ownMarks.bearsOne(request.headers, onBehalfOf);
    const { source, since } = request;
    const asking = { caller: request.caller as Caller, returned, onBehalfOf, source, since };
    const askedAt = now();
    const answers = await answer(query, asking, request.id);
    const { substance, text } = writeAnswers(query, answers, failureMessage, askedAt);
    return sendValidated(request, reply, { substance, text, type: JSON_TYPE }, answers, now());
  }
}
