/**
 * Decides what of a view a caller may see. It only ever takes away: a view never gains
 * detail here, whatever the limit says.
 *
 * Pure. Who the caller is and where the limit comes from is not known here.
 */

import type { CalendarEvent, FreeBusyView, ViewDetail } from "./free-busy-view.js";
import { atMost } from "./free-busy-view.js";
import { mergedFreeBusy } from "./merged-free-busy.js";
import type { TimeWindow } from "./time-window.js";

/** The very same object when nothing had to be taken away. */
export function lowered(
  view: FreeBusyView,
  limit: ViewDetail,
  window: TimeWindow,
  intervalMinutes: number,
): FreeBusyView {
  if (view.detail === "merged") return view;
  switch (atMost(view.detail, limit)) {
    case "details":
      return view;
    case "times": {
      const plain = view.detail === "times" && view.events.every(({ details }) => details === undefined);
      return plain ? view : { ...view, detail: "times", events: view.events.map(timesOnly) };
    }
    case "merged":
      return { detail: "merged", merged: mergedFreeBusy(view, window, intervalMinutes) };
  }
}

function timesOnly(event: CalendarEvent): CalendarEvent {
  return event.details === undefined ? event : { start: event.start, end: event.end, busyType: event.busyType };
}
