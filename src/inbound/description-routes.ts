/**
 * Decides what a GET is answered beside the EWS endpoint: programs get the WSDL and its
 * schemas at the paths Exchange has them at, people who open the endpoint in a browser a
 * page that says what this is.
 *
 * All of it only after signing in, as at Exchange: strangers need not know what runs here.
 * The one thing in it that is not the same everywhere is the endpoint's address, and that is
 * the one the request was sent to. A proxy in front that speaks TLS says so in
 * X-Forwarded-Proto, which anybody may claim: nobody else sees the answer.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MESSAGE_SCHEMA } from "../ews/description/message-schema.js";
import { serviceDescription } from "../ews/description/service-description.js";
import { TYPE_SCHEMA } from "../ews/description/type-schema.js";

const XML = "text/xml; charset=utf-8";
/** Nothing runs, nothing is loaded, nobody frames it, and nothing of it is kept. */
const HEADERS = {
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Adds the routes to `app`, whose routes are for signed-in callers; `path` is where EWS is posted. */
export function describeAt(app: FastifyInstance, path: string): void {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const wsdl = (request: FastifyRequest, reply: FastifyReply) =>
    reply
      .headers(HEADERS)
      .type(XML)
      .send(serviceDescription(addressOf(request, path)));

  app.get(path, (request, reply) => {
    const asked = Object.keys(request.query as object).map((name) => name.toLowerCase());
    if (asked.includes("wsdl") || asked.includes("singlewsdl")) return wsdl(request, reply);
    return reply.headers(HEADERS).type("text/html; charset=utf-8").send(PAGE);
  });
  app.get(`${folder}/services.wsdl`, wsdl);
  app.get(`${folder}/messages.xsd`, (_, reply) => reply.headers(HEADERS).type(XML).send(MESSAGE_SCHEMA));
  app.get(`${folder}/types.xsd`, (_, reply) => reply.headers(HEADERS).type(XML).send(TYPE_SCHEMA));
}

/** The endpoint's URL as the asker knows it; the path alone when the Host header is no host. */
function addressOf({ headers, protocol }: FastifyRequest, path: string): string {
  const { host = "" } = headers;
  if (!/^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/.test(host)) return path;
  const secure = protocol === "https" || /^\s*https\b/i.test(String(headers["x-forwarded-proto"] ?? ""));
  return `${secure ? "https" : "http"}://${host}${path}`;
}

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Free/busy gateway</title><meta name="robots" content="noindex"></head>
<body>
<h1>Free/busy gateway</h1>
<p>Programs ask here when people are free. There is nothing to see in a browser, and nothing to set up: your mail program
asks by itself.</p>
<p>Programs POST a SOAP 1.1 message with an EWS <code>GetUserAvailability</code> request to this address.
<a href="services.wsdl">services.wsdl</a> describes it.</p>
</body>
</html>
`;
