/**
 * Decides how people's time looks in a terminal: a block for each day, a row for each mailbox
 * in the order asked, a sign for each stretch of time, as fine as the width allows. The signs
 * differ without colour, and time that is not known has a sign of its own, never a free one.
 *
 * Pure: the width, the zone and whether there is colour are told. Text from elsewhere loses
 * what a terminal would obey.
 */

import type { MergedFreeBusy } from "../availability/free-busy-view.js";
import { mergedFreeBusy, slotsIn } from "../availability/merged-free-busy.js";
import { DAY_MS, type InstantMs, instant, MINUTE_MS, type TimeWindow } from "../availability/time-window.js";
import { type TimeZone, wallClock } from "../availability/time-zone.js";

export interface GridRow {
  readonly mailbox: string;
  /** Undefined: nothing is known. */
  readonly merged: MergedFreeBusy | undefined;
}

export interface GridOptions {
  readonly window: TimeWindow;
  readonly zone: TimeZone;
  readonly zoneName: string;
  /** In characters. */
  readonly width: number;
  readonly colour: boolean;
}

/** By digit: the sign, its colour (SGR) and its name. */
const SIGNS = [
  { sign: ".", colour: "32", name: "free" },
  { sign: "/", colour: "33", name: "tentative" },
  { sign: "#", colour: "31", name: "busy" },
  { sign: "o", colour: "35", name: "out of office" },
  { sign: "?", colour: "2", name: "not known" },
] as const;
const CELL_MINUTES = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440];
const LABEL_HOURS = [1, 2, 3, 4, 6, 12, 24];

export function availabilityGrid(rows: readonly GridRow[], options: GridOptions): string {
  const { window, zone, zoneName, width, colour } = options;
  const names = nameColumn(
    rows.map(({ mailbox }) => printable(mailbox)),
    width,
  );
  const days = daysOf(window, zone);
  const known = Math.max(...rows.map(({ merged }) => merged?.intervalMinutes ?? 0), 5);
  const cell = cellMinutes(days, width - names.width - 1, known);
  const lines: string[] = [];
  for (const day of days) {
    lines.push(`${dayName(day.start, zone)}, ${printable(zoneName)}`);
    lines.push(`${" ".repeat(names.width + 1)}${hours(day, zone, cell)}`.trimEnd());
    rows.forEach(({ merged }, i) => {
      const unknown = "4".repeat(slotsIn(day, cell));
      const digits = merged === undefined ? unknown : mergedFreeBusy({ detail: "merged", merged }, day, cell).digits;
      lines.push(`${names.short[i]} ${signs(digits, colour)}`);
    });
    lines.push("");
  }
  lines.push(...names.legend, `${legend(colour)}   one sign: ${cellName(cell)}`);
  return `${lines.join("\n")}\n`;
}

/** Text that a terminal shows and does not obey. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}

/** Names that are too long are cut, numbered, and written in full below. */
function nameColumn(names: readonly string[], width: number) {
  const most = Math.max(10, Math.floor(width * 0.4));
  const longest = Math.max(...names.map((name) => [...name].length));
  const column = Math.min(longest, most);
  if (longest <= most) return { width: column, short: names.map((name) => padded(name, column)), legend: [] };
  const digits = String(names.length).length;
  const short = names.map((name, i) => {
    const number = `${String(i + 1).padStart(digits)} `;
    const room = column - number.length;
    const fits = [...name].length <= room;
    return padded(`${number}${fits ? name : `${[...name].slice(0, room - 1).join("")}~`}`, column);
  });
  const legend = [...names.map((name, i) => `${String(i + 1).padStart(digits)} ${name}`), ""];
  return { width: column, short, legend };
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

/** The window, day by day as the zone counts them. */
export function daysOf(window: TimeWindow, zone: TimeZone): TimeWindow[] {
  const days: TimeWindow[] = [];
  for (let { start } = window; start < window.end; ) {
    const midnight = Math.floor(zone.toWallClock(start) / DAY_MS) * DAY_MS;
    const next = zone.toInstant(wallClock(midnight + DAY_MS));
    const end = instant(Math.min(next > start ? next : start + DAY_MS, window.end));
    days.push({ start, end });
    start = end;
  }
  return days;
}

/** The finest that fits, no finer than what is known. */
function cellMinutes(days: readonly TimeWindow[], columns: number, known: number): number {
  const longest = Math.max(...days.map(({ start, end }) => end - start)) / MINUTE_MS;
  return CELL_MINUTES.find((minutes) => minutes >= known && Math.ceil(longest / minutes) <= columns) ?? 1440;
}

/** The hours over the columns in which they begin, as many as can be told apart. */
function hours(day: TimeWindow, zone: TimeZone, cell: number): string {
  const cells = slotsIn(day, cell);
  const step = LABEL_HOURS.find((hour) => (hour * 60) / cell >= 3) ?? 24;
  let line = "";
  for (let i = 0; i < cells; i++) {
    const minutes = minutesOfDay(instant(day.start + i * cell * MINUTE_MS), zone);
    const next = Math.ceil(minutes / (step * 60)) * step * 60;
    if (next < minutes + cell && next < 1440 && (line === "" || line.length < i)) {
      line = `${line.padEnd(i)}${String(next / 60).padStart(2, "0")}`;
    }
  }
  return line;
}

function minutesOfDay(at: InstantMs, zone: TimeZone): number {
  const shown = zone.toWallClock(at);
  return Math.floor((shown - Math.floor(shown / DAY_MS) * DAY_MS) / MINUTE_MS);
}

function dayName(at: InstantMs, zone: TimeZone): string {
  const shown = new Date(zone.toWallClock(at));
  const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  return `${weekdays[shown.getUTCDay()]} ${shown.toISOString().slice(0, 10)}`;
}

function cellName(minutes: number): string {
  return minutes < 60 ? `${minutes} minutes` : minutes === 60 ? "1 hour" : `${minutes / 60} hours`;
}

function signs(digits: string, colour: boolean): string {
  return digits.replace(/(\d)\1*/g, (run, digit: string) => {
    const { sign, colour: sgr } = SIGNS[Number(digit)] ?? SIGNS[4];
    const text = sign.repeat(run.length);
    return colour ? `\u001b[${sgr}m${text}\u001b[0m` : text;
  });
}

function legend(colour: boolean): string {
  return SIGNS.map(({ name }, digit) => `${signs(String(digit), colour)} ${name}`).join("  ");
}
