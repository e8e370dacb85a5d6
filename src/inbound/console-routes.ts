/**
 * Decides who sees the console and what their browser may do with it: whoever signs in, on
 * every path below /console, and nothing but showing pages and fetching their style. Look-ups
 * are asked by POST, so that addresses stand in no address bar, and only from a page of the
 * console itself: browsers send credentials along wherever a request comes from.
 *
 * Knows no page: those are handed in.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PLAIN_TEXT, type SignedInOptions, signedInOnly } from "./signed-in.js";

/** What was written into the look-up form. */
interface LookupFields {
  readonly mailboxes: string;
  readonly from: string;
  readonly days: string;
  readonly as: string;
  readonly zone: string;
  readonly anew: boolean;
}

/** Whole pages, in HTML. */
export interface ConsolePages {
  readonly assets: readonly { readonly path: string; readonly type: string; readonly text: string }[];
  overview(): Promise<string>;
  recent(search: { readonly text: string; readonly onlyUnknown: boolean }): string;
  reasons(): string;
  emptyForm(): string;
  /** `asked`: false when the form was not filled in well; `text` says so. */
  lookUp(fields: LookupFields, source: string, id: string): Promise<{ readonly asked: boolean; readonly text: string }>;
}

export interface ConsoleRouteOptions extends SignedInOptions {
  readonly pages: ConsolePages;
  readonly observer: SignedInOptions["observer"] & { unexpected(what: string, error: unknown): void };
}

const HTML = "text/html; charset=utf-8";
const LONGEST_FORM_BYTES = 16_384;
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Not no-referrer: browsers would then send `Origin: null` with our own forms.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

export async function consoleRoutes(app: FastifyInstance, options: ConsoleRouteOptions): Promise<void> {
  const { pages, observer } = options;
  // First of all, so that refusals have them, too.
  app.addHook("onRequest", async (_, reply) => void reply.headers(HEADERS));
  const refuse = signedInOnly(app, options);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return refuse(request, reply, status, "bad-request", "The request cannot be read.");
    observer.unexpected("a page of the console failed", error);
    return reply.code(500).type(PLAIN_TEXT).send("An internal error occurred; the log has it.\n");
  });

  app.get("/console", async (_, reply) => reply.type(HTML).send(await pages.overview()));
  app.get("/console/reasons", async (_, reply) => reply.type(HTML).send(pages.reasons()));
  app.get<{ Querystring: Record<string, unknown> }>("/console/recent", async ({ query: { q, unknown } }, reply) =>
    reply.type(HTML).send(pages.recent({ text: typeof q === "string" ? q : "", onlyUnknown: unknown !== undefined })),
  );
  app.get("/console/lookup", async (_, reply) => reply.type(HTML).send(pages.emptyForm()));
  app.post("/console/lookup", { bodyLimit: LONGEST_FORM_BYTES }, async (request, reply) => {
    if (!isFromHere(request)) {
      return refuse(
        request,
        reply,
        403,
        "cross-site",
        "Ask from the console's own page: the request came from another.",
      );
    }
    const { asked, text } = await pages.lookUp(fieldsOf(request), request.source, request.id);
    return reply
      .code(asked ? 200 : 400)
      .type(HTML)
      .send(text);
  });
  for (const { path, type, text } of pages.assets) {
    // Its name changes with it.
    app.get(path, async (_, reply: FastifyReply) =>
      reply.header("cache-control", "private, max-age=31536000, immutable").type(type).send(text),
    );
  }
}

/** Browsers say where a request comes from: in one header where they trust the connection, in another everywhere. */
function isFromHere({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin = "", host = "" } = headers;
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}

function fieldsOf({ body }: FastifyRequest): LookupFields {
  const form = body instanceof URLSearchParams ? body : new URLSearchParams();
  // Forms end lines as e-mail does.
  const text = (name: string) => (form.get(name) ?? "").replace(/\r\n/g, "\n");
  return {
    mailboxes: text("mailboxes"),
    from: text("from"),
    days: text("days"),
    as: text("as"),
    zone: text("zone"),
    anew: form.has("anew"),
  };
}
