/**
 * Decides how free/busy URLs are served: `/v1/freebusy/{address}.ifb`, for Outlook's internet
 * free/busy and CalDAV tools, to callers that are configured for it and to nobody else.
 *
 * A mailbox without an answer is an HTTP error, never a calendar: an empty VFREEBUSY would say
 * that all of it is free. Which error follows the reason, in one exhaustive table.
 */

import type { FastifyInstance } from "fastify";
import type { FailureReason } from "../availability/mailbox-answer.js";
import { DAY_MS, type InstantMs, instant } from "../availability/time-window.js";
import { failureMessage } from "../ews/failure-messages.js";
import { windowsTimeZone } from "../ews/windows-time-zones.js";
import { busyPeriods, isAllUnknown } from "../icalendar/busy-periods.js";
import { writeFreeBusyCalendar } from "../icalendar/free-busy-calendar.js";
import { readQuestion } from "../json/availability-question.js";
import { writeInstant } from "../json/date-time.js";
import type { Caller } from "../proxy/asking.js";
import type { LookupRouteOptions } from "./lookup-routes.js";
import { ProblemReplies } from "./problem-replies.js";
import { retryAfter } from "./retry-after.js";
import { sendValidated } from "./revalidation.js";
import { signedInOnly } from "./signed-in.js";

/** Yesterday, so that today is whole in every zone, and two months on. */
const PUBLISHED_DAYS = 62;
/** For callers that may see slots only. */
const SLOT_MINUTES = 15;

export async function freeBusyUrlRoutes(app: FastifyInstance, options: LookupRouteOptions): Promise<void> {
  const { observer, answer, ownMarks, now } = options;
  signedInOnly(app, options);
  const problems = new ProblemReplies(observer);
  problems.handleErrors(app);

  app.get<{ Params: { file: string }; Querystring: Record<string, unknown> }>(
    "/v1/freebusy/:file",
    async (request, reply) => {
      const caller = request.caller as Caller;
      if (!caller.freeBusyUrls) {
        const sentence = "This caller is not served free/busy URLs; see callers[].freeBusyUrls.";
        return problems.refuse(request, reply, 403, "no-free-busy-urls", sentence);
      }
      const mailbox = /^(.+)\.ifb$/i.exec(request.params.file)?.[1];
      if (mailbox === undefined) {
        return problems.refuse(request, reply, 404, "no-such-file", "Ask for an address followed by .ifb.");
      }
      const { from, to, ...unexpected } = request.query;
      const period = from === undefined && to === undefined ? usualPeriod(now()) : { from, to };
      const read = readQuestion({ ...unexpected, ...period, mailbox, view: "times" }, "mailbox", windowsTimeZone);
      if (read.kind === "problems") return problems.badQuestion(request, reply, read.problems);
      const { query, requester } = read.question;
      const onBehalfOf = requester === undefined ? [] : [requester];
      const returned = ownMarks.bearsOne(request.headers, onBehalfOf);
      const { source, since } = request;
      const [answered] = await answer(query, { caller, returned, onBehalfOf, source, since }, request.id);
      const asked = query.mailboxes[0];
      if (answered === undefined || asked === undefined)
        throw new Error("one mailbox was asked about and none answered");
      if (answered.kind === "failure") {
        const { reason, retryAfterMs } = answered.failure;
        if (STATUS[reason] === 503) reply.header("retry-after", retryAfter(retryAfterMs));
        return problems.refuse(request, reply, STATUS[reason], reason, failureMessage(asked, answered.failure).text);
      }
      const { window } = query;
      const periods = busyPeriods(answered.view, window);
      if (asked.address === undefined || isAllUnknown(periods, window)) {
        return problems.refuse(request, reply, 404, "no-data", "Nothing is known of this mailbox's time.");
      }
      const published = { address: asked.address, window, periods };
      const text = writeFreeBusyCalendar({ ...published, stampedAt: answered.learntAt ?? now() });
      const type = "text/calendar; charset=utf-8; method=PUBLISH; component=VFREEBUSY";
      return sendValidated(request, reply, { substance: JSON.stringify(published), text, type }, [answered], now());
    },
  );
}

function usualPeriod(now: InstantMs) {
  const start = (Math.floor(now / DAY_MS) - 1) * DAY_MS;
  const end = start + PUBLISHED_DAYS * DAY_MS;
  return { from: writeInstant(instant(start)), to: writeInstant(instant(end)), interval: SLOT_MINUTES };
}

/** Not there, not for you, not now, or the other side's fault. */
const STATUS: Readonly<Record<FailureReason, number>> = {
  "invalid-address": 404,
  "unresolved-legacy-dn": 404,
  "no-address-space": 404,
  "mailbox-not-found": 404,
  "belongs-to-origin": 404,
  "no-access": 403,
  "not-disclosed": 403,
  "backend-busy": 503,
  "queue-full": 503,
  "backend-circuit-open": 503,
  "queue-timeout": 504,
  "backend-timeout": 504,
  "budget-spent": 504,
  "loop-detected": 502,
  "group-unresolved": 502,
  "backend-unreachable": 502,
  "backend-refused-credentials": 502,
  "backend-denied-access": 502,
  "backend-http-error": 502,
  "backend-fault": 502,
  "backend-unreadable": 502,
  "backend-wrong-count": 502,
  "backend-error": 502,
  "too-many-events": 502,
  "group-too-large": 502,
};
