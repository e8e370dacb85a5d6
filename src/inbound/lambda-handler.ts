/**
 * Decides how WorkMail's availability events are answered inside AWS Lambda: whatever comes,
 * with an entry for every mailbox it names, and before Lambda ends the function. A function
 * that throws, or is ended, or answers too much, fails every mailbox of the event.
 *
 * What WorkMail sends to test a provider is not documented. The shape of an event that is
 * none is therefore logged: names and kinds of its members, never their values.
 *
 * Knows no AWS package: the function is what is exported, and it is called.
 */

import { RequestFault } from "../availability/request-fault.js";
import type { Caller } from "../proxy/asking.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import { TimeBudget } from "../proxy/time-budget.js";
import type { CapError } from "../workmail-cap/cap-errors.js";
import { eventMailboxes, readCapEvent } from "../workmail-cap/cap-event.js";
import type { CapResponse } from "../workmail-cap/cap-response.js";
import { type CapAnswering, capAnswers, onBehalfOf } from "./cap-answers.js";
import type { OwnMarks } from "./own-marks.js";

/** Whatever the function needs once it is composed. */
export interface LambdaParts {
  readonly answer: CapAnswering["answer"];
  /** Whom WorkMail is to the gateway. */
  readonly caller: Caller;
  readonly ownMarks: OwnMarks;
  readonly observer: LookupObserver;
  /** Tells and writes what is still to be told. */
  readonly flush: () => void;
}

/** As much of Lambda's context as is used. Absent when somebody calls the function by hand. */
export interface LambdaContext {
  readonly awsRequestId?: string;
  getRemainingTimeInMillis?(): number;
}

export interface LambdaOptions {
  /** Composes, or gives what is composed already. Rejects when it cannot; it is asked again with the next event. */
  readonly ready: () => Promise<LambdaParts>;
  /** Tells what nobody composed can tell yet. */
  readonly tell: (what: string, fields: object) => void;
}

/** WorkMail gives up after 25 seconds. */
const LONGEST_MS = 20_000;
/** For writing the answer and handing it over. */
const RESERVE_MS = 500;
/** How much sooner the lookup itself ends, so that what it knows by then is given. */
const AHEAD_MS = 200;

export function lambdaHandler({ ready, tell }: LambdaOptions) {
  return async (event: unknown, context: LambdaContext = {}): Promise<CapResponse> => {
    const leftMs = Math.min(LONGEST_MS, context.getRemainingTimeInMillis?.() ?? LONGEST_MS) - RESERVE_MS;
    const ends = performance.now() + leftMs;
    const budget = new TimeBudget(leftMs);
    let parts: LambdaParts | undefined;
    try {
      parts = await budget.within(ready(), () => undefined);
      if (parts === undefined) {
        tell("not composed in time", { mailboxes: eventMailboxes(event)?.length });
        return failing(event, "ErrorTimeoutExpired");
      }
      return await answered(event, context.awsRequestId ?? crypto.randomUUID(), parts, ends - performance.now(), tell);
    } catch (error) {
      if (parts === undefined) tell("could not be composed", { err: error });
      else parts.observer.unexpected("an availability event failed", error);
      return failing(event, "ErrorFreeBusyGenerationFailed");
    } finally {
      budget.end();
      // Between events the process is frozen: what is told later would be told much later.
      parts?.flush();
    }
  };
}

async function answered(
  event: unknown,
  id: string,
  parts: LambdaParts,
  leftMs: number,
  tell: LambdaOptions["tell"],
): Promise<CapResponse> {
  const { caller, ownMarks, observer } = parts;
  try {
    const question = readCapEvent(event);
    const requesters = onBehalfOf(question);
    const returned = ownMarks.bearsOne({}, requesters);
    const source = question.requester.origin;
    const asking = { caller, returned, onBehalfOf: requesters, withinMs: leftMs - AHEAD_MS, ...(source && { source }) };
    return { mailboxes: await capAnswers(question, parts, asking, id, leftMs) };
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error;
    observer.requestRefused({ id, source: "lambda", caller: caller.name, status: 400, reason: error.reason });
    tell("an event that is none", { id, problem: error.message, shape: shapeOf(event) });
    return failing(event, "ErrorFreeBusyGenerationFailed");
  }
}

function failing(event: unknown, error: CapError): CapResponse {
  const mailboxes = eventMailboxes(event) ?? [];
  return { mailboxes: mailboxes.map((mailbox) => ({ mailbox, error })) };
}

/** Names and kinds of members, two levels deep. */
function shapeOf(value: unknown, depth = 2): unknown {
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  if (depth === 0) return "object";
  const members = Object.entries(value).slice(0, 20);
  return Object.fromEntries(members.map(([key, inner]) => [key.slice(0, 40), shapeOf(inner, depth - 1)]));
}
