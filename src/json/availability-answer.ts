/**
 * Decides how answers look in JSON: one object per mailbox, in the order asked, holding
 * either a view or a failure, never both and never neither, so that nothing unknown can be
 * read as free by somebody who looks for the wrong key. Same question, same bytes.
 *
 * Where an answer comes from stands beside it and apart, because it changes without the
 * answer changing: a validator made of the rest holds as long as nobody's time changes.
 */

import type { AskedMailbox, AvailabilityQuery } from "../availability/availability-query.js";
import type { CalendarEvent, FreeBusyView, WorkingHours } from "../availability/free-busy-view.js";
import type { MailboxAnswer, MailboxFailure } from "../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../availability/merged-free-busy.js";
import type { InstantMs } from "../availability/time-window.js";
import type { ZoneRule } from "../availability/zone-rules.js";
import { writeInstant } from "./date-time.js";

/** How a failure is worded: one table for all wires. */
export type FailureWording = (
  asked: AskedMailbox,
  failure: MailboxFailure,
) => { readonly code: string; readonly text: string };

export interface WrittenAnswer {
  /** What is known of everybody's time, without where it comes from: what a validator is made of. */
  readonly substance: string;
  readonly text: string;
}

/** `askedAt`: what was learnt before that came from the cache. */
export function writeAnswers(
  query: AvailabilityQuery,
  answers: readonly MailboxAnswer[],
  wording: FailureWording,
  askedAt: InstantMs,
): WrittenAnswer {
  const head = {
    from: writeInstant(query.window.start),
    to: writeInstant(query.window.end),
    intervalMinutes: query.intervalMinutes,
  };
  const known = answers.map((answer, i) => knownOf(query, query.mailboxes[i] as AskedMailbox, answer, wording));
  const sourced = known.map((one, i) => ({ ...one, ...sourceOf(answers[i] as MailboxAnswer, askedAt) }));
  return {
    substance: JSON.stringify({ ...head, mailboxes: known }),
    text: `${JSON.stringify({ ...head, mailboxes: sourced })}\n`,
  };
}

function knownOf(query: AvailabilityQuery, asked: AskedMailbox, answer: MailboxAnswer, wording: FailureWording) {
  if (answer.kind === "view") return { mailbox: asked.text, view: viewOf(answer.view, query) };
  const { code, text } = wording(asked, answer.failure);
  return { mailbox: asked.text, failure: { reason: answer.failure.reason, code, sentence: text } };
}

function sourceOf(answer: MailboxAnswer, askedAt: InstantMs) {
  const { learntAt } = answer;
  if (learntAt === undefined) return {};
  const stale = answer.kind === "view" && answer.stale;
  const source = stale ? "stale" : learntAt < askedAt ? "cache" : "fresh";
  return { source, learntAt: writeInstant(learntAt) };
}

function viewOf(view: FreeBusyView, query: AvailabilityQuery) {
  const merged = mergedFreeBusy(view, query.window, query.intervalMinutes).digits;
  if (view.detail === "merged") return { detail: view.detail, merged };
  const { detail, events, workingHours } = view;
  return {
    detail,
    merged,
    events: events.map(eventOf),
    ...(workingHours !== undefined && { workingHours: hoursOf(workingHours) }),
  };
}

function eventOf({ start, end, busyType, details }: CalendarEvent) {
  const times = { start: writeInstant(start), end: writeInstant(end), busyType };
  if (details === undefined) return times;
  const { id, subject, location, isMeeting, isRecurring, isException, isReminderSet, isPrivate } = details;
  // Keys without a value are left out by JSON itself.
  return {
    ...times,
    details: { id, subject, location, isMeeting, isRecurring, isException, isReminderSet, isPrivate },
  };
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** In the owner's zone, whose rules are given as EWS has them: `biasMinutes` is what is added to local time to reach UTC. */
function hoursOf({ zone, periods }: WorkingHours) {
  return {
    zone: { biasMinutes: zone.bias, standard: ruleOf(zone.standard), daylight: ruleOf(zone.daylight) },
    periods: periods.map(({ weekdays, startMinutes, endMinutes }) => ({
      weekdays: weekdays.map((weekday) => WEEKDAYS[weekday]),
      from: timeOfDay(startMinutes),
      to: timeOfDay(endMinutes),
    })),
  };
}

function ruleOf({ bias, timeOfDayMs, dayOrder, month, weekday, year }: ZoneRule) {
  return {
    biasMinutes: bias,
    month,
    dayOrder,
    weekday: WEEKDAYS[weekday],
    time: timeOfDay(timeOfDayMs / 60_000),
    year,
  };
}

function timeOfDay(minutes: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  return `${two(minutes / 60)}:${two(minutes % 60)}`;
}
