/**
 * Decides what is in a simulated system's calendars: mailboxes with their owner's zone,
 * rights, working hours, and events that are dated or come every week. Read from a
 * calendar file or from plain objects. Knows no wire and no protocol, and nothing of the
 * product: its zone arithmetic is Intl's.
 */

import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface EventRow {
  /** Dated: local to the owner's zone unless it ends in Z or an offset. */
  start?: string;
  end?: string;
  /** Or weekly: day names, and wall-clock times in the owner's zone. */
  weekly?: string[];
  from?: string;
  to?: string;
  busy: string;
  subject?: string;
  location?: string;
  private?: boolean;
}

export interface MailboxRow {
  aliases?: string[];
  /** IANA name. */
  timeZone?: string;
  rights?: "details" | "times" | "merged" | "none";
  workingHours?: { days: string[]; start: string; end: string };
  events?: EventRow[];
}

export interface SimulatedEvent {
  start: number;
  end: number;
  row: EventRow;
}

const BUSY = ["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"];
export const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_MS = 86_400_000;

export class Calendar {
  readonly #rows = new Map<string, MailboxRow>();

  constructor(mailboxes: Record<string, MailboxRow>) {
    for (const [address, row] of Object.entries(mailboxes)) this.set(address, row);
  }

  set(address: string, row: MailboxRow): void {
    for (const [i, event] of (row.events ?? []).entries()) {
      const dated = event.start !== undefined && event.end !== undefined;
      const weekly = event.weekly !== undefined && event.from !== undefined && event.to !== undefined;
      if (!BUSY.includes(event.busy) || dated === weekly) {
        throw new Error(
          `${address}, event ${i + 1}: needs busy (${BUSY.join(", ")}) and either start/end or weekly/from/to`,
        );
      }
    }
    for (const name of [address, ...(row.aliases ?? [])]) this.#rows.set(name.toLowerCase(), row);
  }

  /** Removes the mailbox, under all its addresses. */
  remove(address: string): void {
    const row = this.find(address);
    for (const [name, other] of this.#rows) if (other === row) this.#rows.delete(name);
  }

  find(address: string): MailboxRow | undefined {
    return this.#rows.get(address.toLowerCase());
  }

  /** Whole events that have a moment in the window, by start. */
  events(row: MailboxRow, from: number, to: number): SimulatedEvent[] {
    const zone = row.timeZone ?? "UTC";
    const found: SimulatedEvent[] = [];
    const add = (start: number, end: number, event: EventRow) => {
      if (start < to && end > from) found.push({ start, end, row: event });
    };
    for (const event of row.events ?? []) {
      if (event.start !== undefined && event.end !== undefined) {
        add(instantOf(event.start, zone), instantOf(event.end, zone), event);
        continue;
      }
      for (let day = Math.floor(from / DAY_MS) - 2; day <= Math.ceil(to / DAY_MS) + 1; day++) {
        if (!event.weekly?.includes(DAYS[new Date(day * DAY_MS).getUTCDay()] as string)) continue;
        const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
        const next = new Date((day + 1) * DAY_MS).toISOString().slice(0, 10);
        const end = event.to === "24:00" ? `${next}T00:00:00` : `${date}T${event.to}:00`;
        add(instantOf(`${date}T${event.from}:00`, zone), instantOf(end, zone), event);
      }
    }
    return found.sort((a, b) => a.start - b.start || a.end - b.end);
  }
}

/** One section ("exchange", "workmail") of a calendar file. */
export function calendarFromFile(file: string, section: string): Calendar {
  const document = parse(readFileSync(file, "utf8")) as Record<string, Record<string, MailboxRow> | undefined>;
  const mailboxes = document[section];
  if (mailboxes === undefined) throw new Error(`${file}: no section '${section}'`);
  return new Calendar(mailboxes);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** Milliseconds the zone's clock is ahead of UTC; remembered per quarter of an hour. */
export function offsetAt(zone: string, instant: number): number {
  const quarter = Math.floor(instant / 900_000);
  const key = `${zone}/${quarter}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    let format = formats.get(zone);
    if (format === undefined) {
      format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
      formats.set(zone, format);
    }
    offset = Date.parse(`${format.format(quarter * 900_000).replace(" ", "T")}Z`) - quarter * 900_000;
    if (offsets.size > 100_000) offsets.clear();
    offsets.set(key, offset);
  }
  return offset;
}

export function instantOf(text: string, zone: string): number {
  if (/(Z|[+-]\d\d:\d\d)$/.test(text)) return Date.parse(text);
  const shown = Date.parse(`${text}Z`);
  const guess = shown - offsetAt(zone, shown);
  return shown - offsetAt(zone, guess);
}
