/**
 * Decides how the answers for consecutive slices of a window become one answer. One
 * missing slice makes the whole unknown: half a calendar would read as a free half.
 *
 * A meeting across a border, which both slices report, counts once. One that only the later
 * slice reports counts as well: a time known to be taken is not shown free.
 *
 * Pure.
 */

import { type CalendarEvent, type FreeBusyView, inOrder } from "../availability/free-busy-view.js";
import { type MailboxAnswer, viewed } from "../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../availability/merged-free-busy.js";
import type { TimeWindow } from "../availability/time-window.js";

export function joinSlices(
  parts: readonly MailboxAnswer[],
  slices: readonly TimeWindow[],
  intervalMinutes: number,
): MailboxAnswer {
  const failure = parts.find((part) => part.kind === "failure");
  if (failure !== undefined) return failure;
  const views = parts.map((part) => (part as MailboxAnswer & { kind: "view" }).view);
  const first = views[0] as FreeBusyView;
  if (views.length === 1) return viewed(first);
  const timed = views.filter((view) => view.detail !== "merged");
  if (timed.length < views.length) {
    const digits = views
      .map((view, i) => mergedFreeBusy(view, slices[i] as TimeWindow, intervalMinutes).digits)
      .join("");
    return viewed({ detail: "merged", merged: { start: (slices[0] as TimeWindow).start, intervalMinutes, digits } });
  }
  const detail = timed.every((view) => view.detail === "details") ? "details" : "times";
  const told = new Set<string>();
  const events = timed.flatMap((view, i) => {
    const { start, end } = slices[i] as TimeWindow;
    const plain = detail === "details" ? view.events : view.events.map(withoutDetails);
    const added = plain.filter((event) => event.start >= start || !told.has(JSON.stringify(event)));
    for (const event of added) if (event.end > end) told.add(JSON.stringify(event));
    return added;
  });
  const workingHours = timed.find((view) => view.workingHours !== undefined)?.workingHours;
  return viewed({ detail, events: inOrder(events), workingHours });
}

function withoutDetails({ start, end, busyType }: CalendarEvent): CalendarEvent {
  return { start, end, busyType };
}
