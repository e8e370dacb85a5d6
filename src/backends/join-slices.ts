/**
 * Decides how the answers for consecutive slices of a window become one answer. One
 * missing slice makes the whole unknown: half a calendar would read as a free half.
 *
 * An event belongs to the slice it starts in (the first slice also has those that started
 * earlier), so a meeting across a border, which both slices report, counts once.
 *
 * Pure.
 */

import type { FreeBusyView } from "../availability/free-busy-view.js";
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
  const events = timed.flatMap((view, i) => {
    const { start, end } = slices[i] as TimeWindow;
    const last = i === slices.length - 1;
    return view.events.filter((event) => (i === 0 || event.start >= start) && (last || event.start < end));
  });
  const detail = timed.every((view) => view.detail === "details") ? "details" : "times";
  const plain = detail === "times" ? events.map(({ start, end, busyType }) => ({ start, end, busyType })) : events;
  const workingHours = timed.find((view) => view.workingHours !== undefined)?.workingHours;
  return viewed({ detail, events: plain, workingHours });
}
