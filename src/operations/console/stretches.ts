/**
 * Decides which stretches of a day are drawn for an answer: each with its kind, those that
 * weigh more later, so that they cover the others. Time that no stretch covers is free, so an
 * answer without a view is one stretch of unknown time, and never none.
 *
 * Pure.
 */

import type { BusyType, FreeBusyView } from "../../availability/free-busy-view.js";
import type { MailboxAnswer } from "../../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../../availability/merged-free-busy.js";
import { DAY_MS, type InstantMs, instant, MINUTE_MS, type TimeWindow } from "../../availability/time-window.js";
import { wallClock } from "../../availability/time-zone.js";
import { timeZoneFromRules } from "../../availability/zone-rules.js";

/** Everything that is drawn; what is free is what is left. From what weighs least to what weighs most. */
export const STRETCH_KINDS = ["elsewhere", "tentative", "busy", "away", "unknown"] as const;
export type StretchKind = (typeof STRETCH_KINDS)[number];

export const KIND_NAMES: Readonly<Record<StretchKind, string>> = {
  elsewhere: "working elsewhere",
  tentative: "tentative",
  busy: "busy",
  away: "out of office",
  unknown: "not known",
};

export interface Stretch {
  readonly start: InstantMs;
  readonly end: InstantMs;
  readonly kind: StretchKind;
  /** Only where it may be shown. */
  readonly subject?: string | undefined;
}

const KINDS: Readonly<Record<BusyType, StretchKind | undefined>> = {
  Free: undefined,
  WorkingElsewhere: "elsewhere",
  Tentative: "tentative",
  Busy: "busy",
  OOF: "away",
  NoData: "unknown",
};
const DIGIT_KINDS: readonly (StretchKind | undefined)[] = [undefined, "tentative", "busy", "away", "unknown"];
/** Where slots are drawn, one person's like everybody's: so the two rows never disagree. */
const SLOT_MINUTES = 15;

export function stretchesOf(answer: MailboxAnswer, day: TimeWindow): readonly Stretch[] {
  if (answer.kind === "failure") return [{ ...day, kind: "unknown" }];
  const { view } = answer;
  if (view.detail === "merged") return runs(mergedFreeBusy(view, day, SLOT_MINUTES).digits, day, SLOT_MINUTES);
  return view.events
    .flatMap(({ start, end, busyType, details }): Stretch[] => {
      const kind = KINDS[busyType];
      const [from, to] = [Math.max(start, day.start), Math.min(end, day.end)];
      if (kind === undefined || from >= to) return [];
      return [{ start: instant(from), end: instant(to), kind, subject: details?.subject }];
    })
    .sort((a, b) => STRETCH_KINDS.indexOf(a.kind) - STRETCH_KINDS.indexOf(b.kind) || a.start - b.start);
}

/** What several have in common: taken where any of them is, and free only where all of them are. */
export function stretchesOfAll(answers: readonly MailboxAnswer[], day: TimeWindow): readonly Stretch[] {
  const unknown: FreeBusyView = {
    detail: "merged",
    merged: { start: day.start, intervalMinutes: SLOT_MINUTES, digits: "" },
  };
  const all = answers.map(
    (answer) => mergedFreeBusy(answer.kind === "view" ? answer.view : unknown, day, SLOT_MINUTES).digits,
  );
  const digits = Array.from(all[0] ?? "", (_, slot) => common(all.map((one) => one[slot] as string)));
  return runs(digits.join(""), day, SLOT_MINUTES);
}

/** Whoever is busy is busy, whatever the others are; next comes what is not known. */
function common(digits: readonly string[]): string {
  if (digits.includes("2") || digits.includes("3")) return "2";
  return ["4", "1"].find((digit) => digits.includes(digit)) ?? "0";
}

function runs(digits: string, day: TimeWindow, intervalMinutes: number): Stretch[] {
  return [...digits.matchAll(/(\d)\1*/g)].flatMap(({ index, 0: run, 1: digit }): Stretch[] => {
    const kind = DIGIT_KINDS[Number(digit)];
    if (kind === undefined) return [];
    const at = (slot: number) => instant(Math.min(day.start + slot * intervalMinutes * MINUTE_MS, day.end));
    return [{ start: at(index), end: at(index + run.length), kind }];
  });
}

/** When the mailbox's owner works, by the owner's own clock; undefined: nobody said. */
export function workingTimes(answer: MailboxAnswer, day: TimeWindow): readonly TimeWindow[] | undefined {
  if (answer.kind === "failure" || answer.view.detail === "merged") return undefined;
  const { workingHours } = answer.view;
  if (workingHours === undefined) return undefined;
  const zone = timeZoneFromRules(workingHours.zone);
  const midnight = Math.floor(zone.toWallClock(day.start) / DAY_MS) * DAY_MS;
  return [midnight, midnight + DAY_MS].flatMap((shown) =>
    workingHours.periods
      .filter(({ weekdays }) => weekdays.includes(new Date(shown).getUTCDay()))
      .map(({ startMinutes, endMinutes }) => ({
        start: instant(Math.max(day.start, zone.toInstant(wallClock(shown + startMinutes * MINUTE_MS)))),
        end: instant(Math.min(day.end, zone.toInstant(wallClock(shown + endMinutes * MINUTE_MS)))),
      }))
      .filter(({ start, end }) => start < end),
  );
}
