/** The entry file of the process that asks with ews-javascript-api: one question in, one answer out. */

import type { IndependentAnswer, IndependentQuestion } from "./independent-client.js";

process.once("message", async (question: IndependentQuestion) => {
  const answer = await answered(question);
  process.send?.(answer, () => process.exit(0));
});

async function answered(question: IndependentQuestion): Promise<IndependentAnswer | "missing"> {
  const loaded = await import("ews-javascript-api").catch(() => undefined);
  if (loaded === undefined) return "missing";
  const { default: ews } = loaded;
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  try {
    const version = ews.ExchangeVersion[question.version as keyof typeof ews.ExchangeVersion];
    const service = new ews.ExchangeService(version);
    service.Credentials = new ews.WebCredentials(question.username, question.password);
    service.Url = new ews.Uri(question.url);
    service.UserAgent = "freebusy-doctor (ews-javascript-api)";
    const { AttendeesAvailability } = await service.GetUserAvailability(
      [new ews.AttendeeInfo(question.mailbox)],
      new ews.TimeWindow(ews.DateTime.Parse(question.from), ews.DateTime.Parse(question.to)),
      ews.AvailabilityData.FreeBusy,
    );
    const [response] = AttendeesAvailability.Responses;
    if (response === undefined) return { kind: "failed", problem: "an answer about nobody", ms: ms() };
    const { ErrorCode, CalendarEvents } = response;
    if (ErrorCode !== ews.ServiceError.NoError) {
      return { kind: "refused", code: String(ews.ServiceError[ErrorCode]), ms: ms() };
    }
    // When, and how busy. Nothing else of anybody's calendar leaves this process.
    const events = CalendarEvents.map(({ StartTime, EndTime, FreeBusyStatus }) =>
      [instant(String(StartTime)), instant(String(EndTime)), ews.LegacyFreeBusyStatus[FreeBusyStatus]].join(" "),
    );
    return { kind: "view", events: events.sort(), ms: ms() };
  } catch (error) {
    return { kind: "failed", problem: problemOf(error), ms: ms() };
  }
}

const instant = (text: string): string => new Date(text).toISOString();

/** The package's errors hold the request, password included: only codes and numbers are taken out of them. */
function problemOf(error: unknown): string {
  const { code, status, response, ErrorCode, innerException, InnerException } = (error ?? {}) as Record<string, never>;
  const inner = (innerException ?? InnerException ?? {}) as { code?: unknown; status?: unknown };
  const http = [status, (response as { status?: unknown } | undefined)?.status, inner.status].find(
    (one) => typeof one === "number",
  );
  if (http === 401) return "HTTP 401: the account or its password is refused";
  if (http !== undefined) return `HTTP ${http}`;
  const named = [code, inner.code].find((one) => typeof one === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(one));
  if (named !== undefined) return `no connection (${named})`;
  return typeof ErrorCode === "number"
    ? `EWS refuses the question (${ErrorCode})`
    : "no answer that the client can read";
}
