/**
 * Decides how a look-up is read, from a query string or a JSON body alike, into the question
 * every wire asks: the same limits, and everything that is wrong said at once.
 *
 * Strict where EWS is lenient: whoever writes this by hand learns of a mistyped parameter
 * now, and does not wonder later why it did nothing. A mailbox that is no address is not a
 * mistake of the request: it is answered, in its place, like any other failure.
 */

import {
  type AskedMailbox,
  type AvailabilityQuery,
  DEFAULT_INTERVAL_MINUTES,
  MAXIMUM_MAILBOXES,
  MAXIMUM_WINDOW_DAYS,
  queryFaults,
} from "../availability/availability-query.js";
import { VIEW_DETAILS, type ViewDetail } from "../availability/free-busy-view.js";
import { parseMailboxAddress } from "../availability/mailbox-address.js";
import type { RequestFaultReason } from "../availability/request-fault.js";
import { DAY_MS, type InstantMs, instant, type TimeWindow } from "../availability/time-window.js";
import { type TimeZone, UTC_ZONE } from "../availability/time-zone.js";
import { DATE_TIME_EXPECTED, readDateTime } from "./date-time.js";

/** What is wrong with one parameter, and what would be right. */
export interface ParameterProblem {
  readonly parameter: string;
  readonly problem: string;
  readonly expected: string;
}

export interface AvailabilityQuestion {
  readonly query: AvailabilityQuery;
  /** On whose behalf it is asked, in lower case: a claim, which can only take away. */
  readonly requester: string | undefined;
}

export type ReadQuestion =
  | { readonly kind: "question"; readonly question: AvailabilityQuestion }
  | { readonly kind: "problems"; readonly problems: readonly ParameterProblem[] };

/** The name of the parameter that lists mailboxes: repeated in a query string, an array in a body. */
export type MailboxParameter = "mailbox" | "mailboxes";

const EXPECTED = {
  mailboxes: `1 to ${MAXIMUM_MAILBOXES} mailboxes, each an SMTP address`,
  to: `the end of the window, itself not in it: later than from, by ${MAXIMUM_WINDOW_DAYS} days at most`,
  interval: "the length of a slot: a whole number of minutes, 5 to 1440, no longer than the window",
  view: `one of ${VIEW_DETAILS.join(", ")}`,
  zone: "the name of a time zone such as Europe/Berlin, UTC or W. Europe Standard Time",
  requester: "one SMTP address: on whose behalf it is asked",
};
/** Whoever sends more mistakes than this is not going to read them all. */
const MOST_PROBLEMS = 50;
/** Stands in for a window that cannot be read, so that the other limits can still be checked. */
const SOME_DAY: TimeWindow = { start: instant(0), end: instant(DAY_MS) };

/** `written`: by the names of the parameters; whatever JSON or a query string holds. `zoneNamed` knows the world's zones. */
export function readQuestion(
  written: Readonly<Record<string, unknown>>,
  mailboxParameter: MailboxParameter,
  zoneNamed: (name: string) => TimeZone | undefined,
): ReadQuestion {
  const reader = new ParameterReader(written, mailboxParameter);
  const zone = reader.zone(zoneNamed);
  const mailboxes = reader.mailboxes();
  const from = reader.instant("from", zone ?? UTC_ZONE);
  const to = reader.instant("to", zone ?? UTC_ZONE);
  const interval = reader.interval();
  const detail = reader.view();
  const requester = reader.requester();
  const window = from === undefined || to === undefined ? undefined : { start: from, end: to };
  const intervalMinutes = interval ?? fittingInterval(window ?? SOME_DAY);
  const query: AvailabilityQuery = {
    mailboxes: mailboxes ?? [],
    window: window ?? SOME_DAY,
    intervalMinutes,
    view: { detail: detail ?? "times", merged: true },
  };
  for (const fault of queryFaults(query, zone ?? UTC_ZONE)) reader.exceeded(fault.reason, mailboxes?.length);
  const { problems } = reader;
  if (problems.length > 0) return { kind: "problems", problems: problems.slice(0, MOST_PROBLEMS) };
  return { kind: "question", question: { query, requester } };
}

/** Whoever names no interval must not fail because the window is shorter than the usual one. */
function fittingInterval({ start, end }: TimeWindow): number {
  const minutes = (end - start) / 60_000;
  return minutes < DEFAULT_INTERVAL_MINUTES ? Math.max(5, Math.floor(minutes)) : DEFAULT_INTERVAL_MINUTES;
}

/** Reads parameter by parameter and remembers what was wrong with each. Undefined where it could not be read. */
class ParameterReader {
  readonly problems: ParameterProblem[] = [];
  readonly #written: Readonly<Record<string, unknown>>;
  readonly #mailboxParameter: MailboxParameter;

  constructor(written: Readonly<Record<string, unknown>>, mailboxParameter: MailboxParameter) {
    this.#written = written;
    this.#mailboxParameter = mailboxParameter;
    const known = [mailboxParameter, "from", "to", "interval", "view", "zone", "requester"];
    for (const name of Object.keys(written)) {
      if (known.includes(name)) continue;
      this.#problem(printable(name), "there is no such parameter", `one of ${known.join(", ")}`);
      if (this.problems.length >= MOST_PROBLEMS) break;
    }
  }

  mailboxes(): AskedMailbox[] | undefined {
    const value = this.#written[this.#mailboxParameter];
    // Without any, the limits say so.
    if (value === undefined) return [];
    const all = typeof value === "string" && this.#mailboxParameter === "mailbox" ? [value] : value;
    if (Array.isArray(all) && all.every((one) => typeof one === "string")) {
      return all.length > MAXIMUM_MAILBOXES ? new Array(all.length) : all.map(askedMailbox);
    }
    this.#problem(this.#mailboxParameter, "is not a list of texts", EXPECTED.mailboxes);
    return undefined;
  }

  zone(zoneNamed: (name: string) => TimeZone | undefined): TimeZone | undefined {
    const name = this.#text("zone", EXPECTED.zone);
    if (name === undefined) return this.#written.zone === undefined ? UTC_ZONE : undefined;
    const zone = zoneNamed(name);
    if (zone === undefined) this.#problem("zone", "is not known", EXPECTED.zone);
    return zone;
  }

  instant(parameter: "from" | "to", zone: TimeZone): InstantMs | undefined {
    const text = this.#text(parameter, DATE_TIME_EXPECTED);
    if (text === undefined) {
      if (this.#written[parameter] === undefined) this.#problem(parameter, "is missing", DATE_TIME_EXPECTED);
      return undefined;
    }
    // In a query string a "+" that was not written as %2B arrives as a blank.
    const at = readDateTime(text.replace(/ (\d{2}:\d{2})$/, "+$1"), zone);
    if (at === undefined) this.#problem(parameter, "is no date and time", DATE_TIME_EXPECTED);
    return at;
  }

  interval(): number | undefined {
    const value = this.#written.interval;
    if (value === undefined) return undefined;
    const minutes = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
    if (typeof minutes === "number" && Number.isInteger(minutes)) return minutes;
    this.#problem("interval", "is not a whole number", EXPECTED.interval);
    return undefined;
  }

  view(): ViewDetail | undefined {
    const text = this.#text("view", EXPECTED.view);
    if (text === undefined) return undefined;
    const detail = VIEW_DETAILS.find((one) => one === text);
    if (detail === undefined) this.#problem("view", "is not known", EXPECTED.view);
    return detail;
  }

  requester(): string | undefined {
    const text = this.#text("requester", EXPECTED.requester);
    if (text === undefined) return undefined;
    const address = parseMailboxAddress(text);
    // Passed over, a claim that only takes away would leave more than was meant.
    if (address === undefined) this.#problem("requester", "is no address", EXPECTED.requester);
    return address;
  }

  exceeded(reason: RequestFaultReason, mailboxes: number | undefined): void {
    if (reason === "no-mailboxes" && mailboxes === 0) {
      this.#problem(this.#mailboxParameter, "names nobody", EXPECTED.mailboxes);
    } else if (reason === "too-many-mailboxes") {
      this.#problem(this.#mailboxParameter, `names ${mailboxes} mailboxes`, EXPECTED.mailboxes);
    } else if (reason === "invalid-window") this.#problem("to", "is not later than from", EXPECTED.to);
    else if (reason === "window-too-long") this.#problem("to", "is too far from from", EXPECTED.to);
    else if (reason === "invalid-interval") this.#problem("interval", "does not fit", EXPECTED.interval);
  }

  #text(parameter: string, expected: string): string | undefined {
    const value = this.#written[parameter];
    if (value === undefined || typeof value === "string") return value;
    this.#problem(parameter, Array.isArray(value) ? "is given more than once" : "is not a text", expected);
    return undefined;
  }

  #problem(parameter: string, problem: string, expected: string): void {
    this.problems.push({ parameter, problem, expected });
  }
}

function askedMailbox(text: string): AskedMailbox {
  const trimmed = text.trim();
  const address = parseMailboxAddress(trimmed);
  return { text: trimmed, routingType: address === undefined && trimmed.startsWith("/") ? "EX" : "SMTP", address };
}

/** As much of a stranger's name as is worth repeating. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, "?").slice(0, 40);
}
