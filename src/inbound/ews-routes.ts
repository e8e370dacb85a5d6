/**
 * Decides how EWS arrives over HTTP: authenticated before the body is read, POST with XML
 * only, dispatched on the body's first element, faults as HTTP 500 and everything that is
 * not EWS at all as a plain status with a sentence that says what was expected.
 *
 * Knows no backend and no cache: a decoded question goes in, answers come out.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
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
import type { Authentication, CallerAuthenticator } from "./caller-authentication.js";
import type { OwnMarks } from "./own-marks.js";
import { RepeatedQuestions } from "./repeated-questions.js";
import { signInAnswer } from "./sign-in-answer.js";
import type { TrustedProxies } from "./trusted-proxies.js";

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller | null;
    /** The address it comes from, not the last proxy's. */
    source: string;
  }
}

export interface EwsRouteOptions {
  readonly answer: (
    query: AvailabilityQuery,
    asking: Asking,
    id: string,
  ) => readonly MailboxAnswer[] | Promise<readonly MailboxAnswer[]>;
  readonly ownMarks: OwnMarks;
  readonly authenticator: CallerAuthenticator;
  readonly proxies: TrustedProxies;
  readonly observer: LookupObserver;
  readonly now: () => number;
}

/** Exactly these bytes: DavMail compares them. */
const XML = "text/xml; charset=utf-8";
const PLAIN_TEXT = "text/plain; charset=utf-8";
const PATH = "/EWS/Exchange.asmx";

/** What the body held: a question, or the finished answer to some other operation. */
type Operation = AvailabilityRequest | string;

export async function ewsRoutes(app: FastifyInstance, options: EwsRouteOptions): Promise<void> {
  const { authenticator, observer, proxies } = options;
  app.decorateRequest("caller", null);
  app.decorateRequest("source", "");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["text/xml", "application/xml", "application/soap+xml"],
    { parseAs: "buffer" },
    (_, body, done) => done(null, body),
  );

  // With a callback, because a caller seen before is known at once and no promise is needed.
  app.addHook("onRequest", (request, reply, done) => {
    const { headers } = request;
    const { socket } = request.raw;
    request.source = proxies.sourceOf({ headers, socket });
    const found = authenticator.authenticate({ headers, socket, ip: request.source });
    if (found instanceof Promise) found.then((result) => admit(result, request, reply, done), done);
    else admit(found, request, reply, done);
  });

  const questions = new RepeatedQuestions<SoapRequest<Operation>>();
  const decode = (bytes: Buffer) =>
    readSoapRequest<Operation>(xmlText(bytes), (xml, zone) =>
      xml.name() === "m:GetUserAvailabilityRequest"
        ? readAvailabilityRequest(xml, zone)
        : answerOtherOperation(xml, new Date(options.now()).getUTCFullYear()),
    );

  function admit(result: Authentication, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    if (result.kind === "known") {
      request.caller = result.caller;
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

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    if (error instanceof RequestFault) {
      tellRefused(request, 500, error.reason);
      return reply.code(500).type(XML).send(writeRequestFault(error));
    }
    const status = error.statusCode ?? 500;
    if (status < 500)
      return refuse(
        request,
        reply,
        status,
        error.code ?? "bad-request",
        PLAIN[status] ?? "The request cannot be read.",
      );
    observer.unexpected("an EWS request failed", error);
    return reply.code(500).type(XML).send(writeInternalFault());
  });

  app.route({
    method: ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"],
    url: PATH,
    handler: async (request, reply) =>
      refuse(
        request,
        reply.header("allow", "POST"),
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
    const question = questions.get(request.body, decode, ({ body }) => typeof body !== "string");
    const { serverVersion, onBehalfOf, body } = question.request;
    reply.type(XML).header("request-id", request.id);
    if (typeof body === "string") return reply.send(writeSoapResponse([body], serverVersion));
    const write = (answers: readonly MailboxAnswer[]) =>
      question.write(answers, () => {
        const style = { workingElsewhere: knowsWorkingElsewhere(serverVersion) };
        return writeSoapResponse(writeAvailabilityResponse(body, answers, style), serverVersion);
      });
    if (body.query === undefined) return reply.send(write([]));
    const returned = options.ownMarks.bearsOne(request.headers, onBehalfOf);
    const asking = { caller: request.caller as Caller, returned, onBehalfOf, source: request.source };
    const answers = options.answer(body.query, asking, request.id);
    return answers instanceof Promise ? answers.then(write) : reply.send(write(answers));
  });

  function refuse(request: FastifyRequest, reply: FastifyReply, status: number, reason: string, sentence: string) {
    tellRefused(request, status, reason);
    return reply.code(status).type(PLAIN_TEXT).send(`${sentence}\n`);
  }

  function tellRefused(request: FastifyRequest, status: number, reason: string): void {
    observer.requestRefused({ id: request.id, source: request.source, caller: request.caller?.name, status, reason });
  }
}

const PLAIN: Readonly<Record<number, string>> = {
  413: "The request is larger than this gateway reads. 100 mailboxes fit many times over; see listen.bodyLimitBytes.",
  415: "Send the SOAP envelope as Content-Type: text/xml; charset=utf-8.",
};
