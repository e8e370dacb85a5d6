/**
 * Decides how somebody's busy time is published in iCalendar: one VFREEBUSY in a VCALENDAR
 * (RFC 5545 3.6.4, RFC 5546 3.3.1), times in UTC, lines folded at 75 bytes.
 *
 * Busy time only, never a summary, place or number of meetings. iCalendar has no word for
 * "unknown": such time is BUSY-UNAVAILABLE, which nobody books.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs, TimeWindow } from "../availability/time-window.js";
import type { BusyKind, BusyPeriod } from "./busy-periods.js";

export interface PublishedTime {
  readonly address: MailboxAddress;
  readonly window: TimeWindow;
  readonly periods: readonly BusyPeriod[];
  /** When it was learnt. */
  readonly stampedAt: InstantMs;
}

const TYPES: Readonly<Record<BusyKind, string>> = {
  Tentative: "BUSY-TENTATIVE",
  Busy: "BUSY",
  OOF: "BUSY-UNAVAILABLE",
  NoData: "BUSY-UNAVAILABLE",
};

export function writeFreeBusyCalendar({ address, window, periods, stampedAt }: PublishedTime): string {
  const uri = uriOf(address);
  const lines = [
    "BEGIN:VCALENDAR",
    "PRODID:-//Free/busy gateway//EN",
    "VERSION:2.0",
    "METHOD:PUBLISH",
    "BEGIN:VFREEBUSY",
    `UID:freebusy:${uri}`,
    `DTSTAMP:${utc(floorSecond(stampedAt))}`,
    `ORGANIZER:mailto:${uri}`,
    `DTSTART:${utc(floorSecond(window.start))}`,
    `DTEND:${utc(ceilSecond(window.end))}`,
    // To whole seconds outwards: a moment of busy time is not lost to rounding.
    ...periods.map(
      ({ start, end, kind }) => `FREEBUSY;FBTYPE=${TYPES[kind]}:${utc(floorSecond(start))}/${utc(ceilSecond(end))}`,
    ),
    "END:VFREEBUSY",
    "END:VCALENDAR",
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join("");
}

/** Only letters, digits, and marks that mean nothing in a URI or a content line; the address has no others outside ASCII. */
function uriOf(address: MailboxAddress): string {
  return address.split("@").map(encodeURIComponent).join("@");
}

function floorSecond(at: number): number {
  return Math.floor(at / 1000) * 1000;
}

function ceilSecond(at: number): number {
  return Math.ceil(at / 1000) * 1000;
}

/** `20260701T090000Z` */
function utc(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

/** Continued lines begin with a blank, which counts (RFC 5545 3.1). All is ASCII here, so bytes are characters. */
function folded(line: string): string {
  let rest = line.slice(75);
  let text = line.slice(0, 75);
  while (rest !== "") {
    text += `\r\n ${rest.slice(0, 74)}`;
    rest = rest.slice(74);
  }
  return text;
}
