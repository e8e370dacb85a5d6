/**
 * Decides what the console's form may ask: up to 20 mailboxes, one to seven days beginning at
 * a midnight of the zone named, as any of the systems or as nobody. Everything that is wrong is
 * said at once, each in its field.
 */

import type { AskedMailbox } from "../../availability/availability-query.js";
import { parseMailboxAddress } from "../../availability/mailbox-address.js";
import { DAY_MS, type TimeWindow } from "../../availability/time-window.js";
import { type TimeZone, wallClock } from "../../availability/time-zone.js";
import type { NamedZone } from "./moments.js";

/** As written in the form. */
export interface LookupFields {
  readonly mailboxes: string;
  readonly from: string;
  readonly days: string;
  readonly as: string;
  readonly zone: string;
  readonly anew: boolean;
}

export interface ConsoleQuestion {
  readonly mailboxes: readonly AskedMailbox[];
  readonly window: TimeWindow;
  readonly origin: string | undefined;
  readonly zone: NamedZone;
  readonly anew: boolean;
}

export type FieldProblems = Partial<Record<keyof LookupFields, string>>;

export const MOST_MAILBOXES = 20;
export const DAYS = [1, 2, 3, 5, 7] as const;

export function readLookupForm(
  written: LookupFields,
  systems: readonly string[],
  zoneNamed: (name: string) => TimeZone | undefined,
): ConsoleQuestion | { readonly problems: FieldProblems } {
  const problems: Partial<Record<keyof LookupFields, string>> = {};
  const mailboxes = mailboxesIn(written.mailboxes);
  if (mailboxes.length === 0) problems.mailboxes = "Name at least one mailbox.";
  else if (mailboxes.length > MOST_MAILBOXES) {
    problems.mailboxes = `These are ${mailboxes.length} mailboxes. Name ${MOST_MAILBOXES} at most.`;
  }
  const zone = zoneNamed(written.zone.trim());
  if (zone === undefined) problems.zone = "There is no such zone. Write Europe/Berlin, UTC or W. Europe Standard Time.";
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(written.from) ? Date.parse(`${written.from}T00:00:00Z`) : Number.NaN;
  if (!Number.isFinite(midnight) || written.from < "1970" || written.from > "2100") {
    problems.from = "Write a date such as 2026-07-01.";
  }
  const days = DAYS.find((one) => String(one) === written.days);
  if (days === undefined) problems.days = "Choose from the list.";
  if (written.as !== "none" && !systems.includes(written.as)) problems.as = "Choose from the list.";
  if (zone === undefined || days === undefined || Object.keys(problems).length > 0) return { problems };
  return {
    mailboxes,
    window: {
      start: zone.toInstant(wallClock(midnight)),
      end: zone.toInstant(wallClock(midnight + days * DAY_MS)),
    },
    origin: written.as === "none" ? undefined : written.as,
    zone: { name: written.zone.trim(), zone },
    anew: written.anew,
  };
}

/** One a line, or with commas, semicolons or blanks between them; a legacyExchangeDN may hold blanks. */
function mailboxesIn(text: string): AskedMailbox[] {
  return text
    .split(/[\r\n,;]+/)
    .map((line) => line.trim())
    .flatMap((line) => (line.startsWith("/") ? [line] : line.split(/\s+/)))
    .filter((one) => one !== "")
    .map((one) => {
      const address = parseMailboxAddress(one);
      return { text: one, routingType: address === undefined && one.startsWith("/") ? "EX" : "SMTP", address };
    });
}
