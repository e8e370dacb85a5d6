/**
 * Decides what the views are called in EWS: "FreeBusyMerged" for times plus slots.
 * A view's name tells what was delivered, so it is made from the view, never copied from
 * the request (FreeBusyViewType, §3.1).
 */

import type { RequestedView } from "../availability/availability-query.js";
import { reaches, type ViewDetail } from "../availability/free-busy-view.js";

const VIEW: Readonly<Record<string, RequestedView>> = {
  MergedOnly: { detail: "merged", merged: true },
  FreeBusy: { detail: "times", merged: false },
  FreeBusyMerged: { detail: "times", merged: true },
  Detailed: { detail: "details", merged: false },
  DetailedMerged: { detail: "details", merged: true },
};

/** The view a name stands for; the type is a list, so of several names the richest counts. Undefined for "None" and strangers. */
export function viewFromName(names: string): RequestedView | undefined {
  let richest: RequestedView | undefined;
  for (const name of names.trim().split(/\s+/)) {
    const view = Object.hasOwn(VIEW, name) ? VIEW[name] : undefined;
    if (view === undefined) return undefined;
    richest =
      richest === undefined
        ? view
        : {
            detail: reaches(view.detail, richest.detail) ? view.detail : richest.detail,
            merged: view.merged || richest.merged,
          };
  }
  return richest;
}

export function viewName(detail: ViewDetail, merged: boolean): string {
  if (detail === "merged") return "MergedOnly";
  return `${detail === "times" ? "FreeBusy" : "Detailed"}${merged ? "Merged" : ""}`;
}
