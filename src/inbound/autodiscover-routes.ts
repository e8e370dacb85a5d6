/**
 * Decides how Autodiscover arrives over HTTP: at Exchange's two paths, in any case, for callers
 * who have signed in. What is answered is the codec's business.
 *
 * X-SOAP-Enabled stands on every answer, also on the 401: the Managed API and its kin look
 * for it there, without credentials, before they use the SOAP service. Where Autodiscover is
 * not configured nobody is asked to sign in: a 401 at this path makes clients send a password.
 */

import type { FastifyInstance } from "fastify";
import { readPoxQuestion, writePoxError, writePoxSettings } from "../autodiscover/pox.js";
import type { PublishedUrls } from "../autodiscover/published-urls.js";
import { MAXIMUM_BYTES, malformed } from "../autodiscover/request-tree.js";
import { readSettingsQuestion } from "../autodiscover/soap-request.js";
import {
  answerSettings,
  writeAutodiscoverFault,
  writeAutodiscoverInternalFault,
} from "../autodiscover/soap-response.js";
import { domainOf } from "../availability/mailbox-address.js";
import { RequestFault, type RequestFaultReason } from "../availability/request-fault.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import { type AutodiscoverRefusal, unreadRefusal } from "./http-refusals.js";
import { PLAIN_TEXT, type SignedInOptions, signedInOnly } from "./signed-in.js";

/** One answered request for settings, for whoever tells operators. */
export interface Discovery {
  readonly id: string;
  readonly caller: string;
  readonly origin: string;
  readonly source: string;
  readonly wire: "pox" | "soap";
  readonly result: "settings" | "not-found" | "schema-not-offered" | "invalid-request";
  /** Those asked about; never an address. */
  readonly domains: readonly string[];
}

export interface AutodiscoverRouteOptions extends SignedInOptions {
  /** Absent: Autodiscover is not configured. */
  readonly urls: PublishedUrls | undefined;
  readonly observer: Pick<LookupObserver, "requestRefused" | "unexpected">;
  readonly told: (discovery: Discovery) => void;
  readonly now: () => number;
}

const POX = "/autodiscover/autodiscover.xml";
const SOAP = "/autodiscover/autodiscover.svc";
/** Exactly these bytes: DavMail compares them. */
const XML = "text/xml; charset=utf-8";
const OFF =
  "Autodiscover is not configured here. Set autodiscover.url to the EWS address under which callers reach this gateway.";

export async function autodiscoverRoutes(app: FastifyInstance, options: AutodiscoverRouteOptions): Promise<void> {
  const { urls, observer, told } = options;
  if (urls === undefined) {
    for (const path of [POX, SOAP]) app.all(path, (_, reply) => reply.code(404).type(PLAIN_TEXT).send(`${OFF}\n`));
    return;
  }
  app.addHook("onRequest", (_, reply, done) => {
    reply.header("x-soap-enabled", "True");
    done();
  });
  const refuse = signedInOnly(app, options);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ["text/xml", "application/xml", "application/soap+xml"],
    { parseAs: "buffer", bodyLimit: MAXIMUM_BYTES },
    (_, body, done) => done(null, body),
  );

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const soap = request.routeOptions.url === SOAP;
    const { id, source, caller } = request;
    if (error instanceof RequestFault) {
      const status = soap ? 500 : 200;
      observer.requestRefused({ id, source, caller: caller?.name, status, reason: faultRefusal(error.reason) });
      reply.code(status).type(XML);
      return reply.send(soap ? writeAutodiscoverFault(error) : poxError("invalid-request", id));
    }
    const status = error.statusCode ?? 500;
    if (status < 500) {
      const sentence = PLAIN[status] ?? "The request cannot be read.";
      return refuse(request, reply, status, unreadRefusal(error), sentence);
    }
    observer.unexpected("an Autodiscover request failed", error);
    if (soap) return reply.code(500).type(XML).send(writeAutodiscoverInternalFault());
    return reply.code(500).type(PLAIN_TEXT).send("An internal server error occurred.\n");
  });

  // Exchange answers a GET like a request without content; clients try out signing in with it.
  app.get(POX, (request, reply) => {
    reply.type(XML).header("request-id", request.id);
    return reply.send(poxError("invalid-request", request.id));
  });
  app.post(POX, (request, reply) => {
    const question = readPoxQuestion(bodyOf(request.body));
    reply.type(XML).header("request-id", request.id);
    if (question.kind === "refused") {
      told({ ...whoAsks(request), wire: "pox", result: question.refusal, domains: [] });
      return reply.send(poxError(question.refusal, request.id));
    }
    const { mailbox } = question;
    const covered = urls.covers(mailbox);
    const result = covered ? "settings" : "not-found";
    told({ ...whoAsks(request), wire: "pox", result, domains: [domainOf(mailbox)] });
    return reply.send(
      covered ? writePoxSettings(mailbox, urls.for(request.caller?.origin)) : poxError("not-found", request.id),
    );
  });
  app.post(SOAP, (request, reply) => {
    const question = readSettingsQuestion(bodyOf(request.body));
    const { text, result, domains } = answerSettings(question, urls, request.caller?.origin);
    told({ ...whoAsks(request), wire: "soap", result, domains });
    return reply.type(XML).header("request-id", request.id).send(text);
  });
  for (const [url, method] of [
    [POX, ["PUT", "DELETE", "PATCH", "OPTIONS"]],
    [SOAP, ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]],
  ] as const) {
    app.route({
      method: [...method],
      url,
      handler: async (request, reply) =>
        refuse(request, reply.header("allow", "POST"), 405, "method", "POST an Autodiscover request here."),
    });
  }

  const poxError = (refusal: Parameters<typeof writePoxError>[0], id: string) =>
    writePoxError(refusal, new Date(options.now()), id);
}

type Asked = { readonly id: string; readonly source: string; readonly caller: SignedInCaller | null };
type SignedInCaller = { readonly name: string; readonly origin: string | undefined };

const whoAsks = ({ id, source, caller }: Asked) => ({
  id,
  source,
  caller: caller?.name ?? "",
  origin: caller?.origin ?? "none",
});

/** Of the faults a question can have, Autodiscover knows three. */
function faultRefusal(reason: RequestFaultReason): AutodiscoverRefusal {
  return reason === "unknown-operation" || reason === "must-understand"
    ? `autodiscover-${reason}`
    : "autodiscover-malformed";
}

function bodyOf(body: unknown): Buffer {
  if (!Buffer.isBuffer(body)) throw malformed("the body is empty");
  return body;
}

const PLAIN: Readonly<Record<number, string>> = {
  413: `An Autodiscover request is at most ${MAXIMUM_BYTES} bytes.`,
  415: "Send the Autodiscover request as Content-Type: text/xml; charset=utf-8.",
};
