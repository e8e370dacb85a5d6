/** The entry file of the process that asks with ews-javascript-api: one question in, one answer out. */

import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { ClientAnswer, ClientQuestion } from "../operations/doctor/probes.js";

/** The last one that came, because the package loses it where an error has no XML in it. */
let lastStatus: number | undefined;
subscribe("http.client.response.finish", (message) => {
  lastStatus = (message as { request: ClientRequest; response: IncomingMessage }).response.statusCode;
});

process.once("message", async (question: ClientQuestion) => {
  const answer = await answered(question);
  process.send?.(answer, () => process.exit(0));
});

// It throws where nobody can catch it, too.
process.once("uncaughtException", (error) => {
  process.send?.({ kind: "failed", problem: problemOf(error), ms: 0 } satisfies ClientAnswer, () => process.exit(0));
});

async function answered(question: ClientQuestion): Promise<ClientAnswer | "missing"> {
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
    // Its own property is not sent.
    service.HttpHeaders.Add("User-Agent", "freebusy-doctor (ews-javascript-api)");
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
  if (lastStatus === 401) return "HTTP 401: the account or its password is refused";
  const { code, responseCode, errorCode, ErrorCode } = (error ?? {}) as Record<string, unknown>;
  const said = [responseCode, errorCode, ErrorCode, code].find(
    (one) => typeof one === "string" && /^\w{3,60}$/.test(one),
  );
  if (lastStatus !== undefined)
    return `HTTP ${lastStatus}, no free/busy time in it${said === undefined ? "" : ` (${said})`}`;
  const inner = JSON.stringify(error, ["code", "message", "InnerException", "innerException", "error", "cause"]) ?? "";
  const network = /\b(E[A-Z]{4,20}|CERT_[A-Z_]+|[A-Z_]*SELF_SIGNED[A-Z_]*|UNABLE_TO_[A-Z_]+|DEPTH_[A-Z_]+)\b/.exec(
    inner,
  )?.[1];
  return `no connection (${said ?? network ?? "no code"})`;
}
