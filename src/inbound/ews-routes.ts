/**
 * Decides how EWS arrives over HTTP: authenticated before the body is read, POST with XML
 * only, dispatched on the body's first element, faults as HTTP 500 and everything that is
 * not EWS at all as a plain status with a sentence that says what was expected.
 *
 * Knows no backend and no cache: a decoded question goes in, answers come out.
 */

import type { FastifyInstance } from "fastify";
import type { AvailabilityQuery } from "../availability/availability-query.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { RequestFault } from "../availability/request-fault.js";
import { type AvailabilityRequest, readAvailabilityRequest } from "../ews/get-user-availability-request.js";
import { writeAvailabilityResponse } from "../ews/get-user-availability-response.js";
import { answerOtherOperation } from "../ews/other-operations.js";
import { knowsWorkingElsewhere, readSoapRequest, type SoapRequest, writeSoapResponse } from "../ews/soap-envelope.js";
import { writeInternalFault, writeRequestFault } from "../ews/soap-fault.js";
import { xmlText } from "../ews/xml-bytes.js";
import type { Asking, Caller } from "../proxy/asking.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import { describeAt } from "./description-routes.js";
import { unreadRefusal } from "./http-refusals.js";
import type { OwnMarks } from "./own-marks.js";
import { RepeatedQuestions } from "./repeated-questions.js";
import { type SignedInOptions, signedInOnly } from "./signed-in.js";

export interface EwsRouteOptions extends SignedInOptions {
  readonly answer: (
    query: AvailabilityQuery,
    asking: Asking,
    id: string,
  ) => readonly MailboxAnswer[] | Promise<readonly MailboxAnswer[]>;
  readonly ownMarks: OwnMarks;
  readonly observer: LookupObserver;
  readonly now: () => number;
}

/** Exactly these bytes: DavMail compares them. */
const XML = "text/xml; charset=utf-8";
const PATH = "/EWS/Exchange.asmx";

/** What the body held: a question, or the answer to some other operation, finished or under way. */
type Operation = AvailabilityRequest | string | Promise<string>;

export async function ewsRoutes(app: FastifyInstance, options: EwsRouteOptions): Promise<void> {
  const { observer } = options;
  const refuse = signedInOnly(app, options);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["text/xml", "application/xml", "application/soap+xml"],
    { parseAs: "buffer" },
    (_, body, done) => done(null, body),
  );

  const questions = new RepeatedQuestions<SoapRequest<Operation>>();
  const decode = (bytes: Buffer) =>
    readSoapRequest<Operation>(xmlText(bytes), (xml, zone) =>
      xml.name() === "m:GetUserAvailabilityRequest"
        ? readAvailabilityRequest(xml, zone)
        : answerOtherOperation(xml, new Date(options.now()).getUTCFullYear()),
    );

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    if (error instanceof RequestFault) {
      const { id, source, caller } = request;
      observer.requestRefused({ id, source, caller: caller?.name, status: 500, reason: error.reason });
      return reply.code(500).type(XML).send(writeRequestFault(error));
    }
    const status = error.statusCode ?? 500;
    if (status < 500)
      return refuse(request, reply, status, unreadRefusal(error), PLAIN[status] ?? "The request cannot be read.");
    observer.unexpected("an EWS request failed", error);
    return reply.code(500).type(XML).send(writeInternalFault());
  });

  describeAt(app, PATH);
  app.route({
    method: ["PUT", "DELETE", "PATCH", "OPTIONS"],
    url: PATH,
    handler: async (request, reply) =>
      refuse(
        request,
        reply.header("allow", "GET, HEAD, POST"),
        405,
        "method",
        "POST a SOAP 1.1 GetUserAvailability request here.",
      ),
  });

  // Not an async function, because most answers are there at once: what it throws is handled alike.
  app.post(PATH, (request, reply) => {
    if (!Buffer.isBuffer(request.body) || request.body.length === 0) {
      throw new RequestFault(
        "malformed",
        "The request failed schema validation: the body is empty; a SOAP 1.1 envelope is expected.",
      );
    }
    // Other operations depend on the day and are rare: only questions are remembered.
    const question = questions.get(request.body, decode, ({ body }) => isQuestion(body));
    const { serverVersion, onBehalfOf, body } = question.request;
    reply.type(XML).header("request-id", request.id);
    if (typeof body === "string") return reply.send(writeSoapResponse([body], serverVersion));
    if (body instanceof Promise) return body.then((finished) => writeSoapResponse([finished], serverVersion));
    const write = (answers: readonly MailboxAnswer[]) =>
      question.write(answers, () => {
        const style = { workingElsewhere: knowsWorkingElsewhere(serverVersion) };
        return writeSoapResponse(writeAvailabilityResponse(body, answers, style), serverVersion);
      });
    const send = (answers: readonly MailboxAnswer[]) => reply.sendWhereRoom(() => write(answers));
    if (body.query === undefined) return send([]);
    const returned = options.ownMarks.bearsOne(request.headers, onBehalfOf);
    const { source, since } = request;
    const asking = { caller: request.caller as Caller, returned, onBehalfOf, source, since };
    const answers = options.answer(body.query, asking, request.id);
    return answers instanceof Promise ? answers.then(send) : send(answers);
  });
}

function isQuestion(body: Operation): body is AvailabilityRequest {
  return typeof body !== "string" && !(body instanceof Promise);
}

const PLAIN: Readonly<Record<number, string>> = {
  413: "The request is larger than this gateway reads. 100 mailboxes fit many times over; see listen.bodyLimitBytes.",
  415: "Send the SOAP envelope as Content-Type: text/xml; charset=utf-8.",
};
