/**
 * Decides what a WorkMail event for a custom availability provider asks: mailboxes, a
 * window, and who is behind the question (WorkMail administrator guide, "Building a custom
 * availability provider"). The guide's table writes names with a capital, its example
 * without: both are read.
 *
 * The event names no view, interval or zone. So details are asked for, and the caller's
 * disclosure rules lower them; where slots are all there is, they have the usual length.
 *
 * How many mailboxes an event may hold is not documented. One question holds 100, so that
 * more become several questions; answers keep to the event's order.
 */

import {
  type AskedMailbox,
  type AvailabilityQuery,
  availabilityQuery,
  DEFAULT_INTERVAL_MINUTES,
  MAXIMUM_MAILBOXES,
} from "../availability/availability-query.js";
import { parseMailboxAddress } from "../availability/mailbox-address.js";
import { RequestFault } from "../availability/request-fault.js";
import { type InstantMs, instant } from "../availability/time-window.js";
import { UTC_ZONE } from "../availability/time-zone.js";

/** Far above what anybody invites at once; ten questions. */
export const MAXIMUM_EVENT_MAILBOXES = 1000;

export interface CapQuestion {
  /** As they came, to be said again in the answer; whatever JSON can hold. */
  readonly mailboxes: readonly unknown[];
  /** Their mailboxes one after the other are `mailboxes`, in order. */
  readonly queries: readonly AvailabilityQuery[];
  readonly requester: CapRequester;
}

/**
 * What WorkMail says about the person who asks. `email`: undefined when it names nobody, "" when it does and not in a way
 * that is read here. `origin`: the address that person's client has.
 */
export interface CapRequester {
  readonly email: string | undefined;
  readonly origin: string | undefined;
}

/** Throws a {@link RequestFault} when it is no event, or asks beyond the limits. */
export function readCapEvent(event: unknown): CapQuestion {
  const mailboxes = eventMailboxes(event);
  if (mailboxes === undefined) malformed("there is no list of mailboxes");
  if (mailboxes.length > MAXIMUM_EVENT_MAILBOXES) {
    throw new RequestFault(
      "too-many-mailboxes",
      `There are too many mailboxes in the event. The allowed size = ${MAXIMUM_EVENT_MAILBOXES}; the actual size = ${mailboxes.length}.`,
    );
  }
  const asked = mailboxes.map(askedMailbox);
  return { mailboxes, queries: asked.length === 0 ? [] : queriesOf(asked, event), requester: requesterOf(event) };
}

/** The event's mailboxes, as far as it has any. Never throws: an event that cannot be answered still names whom it is about. */
export function eventMailboxes(event: unknown): readonly unknown[] | undefined {
  const mailboxes = member(event, "mailboxes");
  if (Array.isArray(mailboxes)) return mailboxes;
  // The guide's text calls it a comma-separated list.
  if (typeof mailboxes === "string" && mailboxes.trim() !== "") return mailboxes.split(",").map((text) => text.trim());
  return undefined;
}

function queriesOf(asked: readonly AskedMailbox[], event: unknown): AvailabilityQuery[] {
  const window = member(event, "window");
  const start = instantOf(member(window, "startDate"), "startDate");
  const end = instantOf(member(window, "endDate"), "endDate");
  const queries: AvailabilityQuery[] = [];
  for (let i = 0; i < asked.length; i += MAXIMUM_MAILBOXES) {
    const question = {
      mailboxes: asked.slice(i, i + MAXIMUM_MAILBOXES),
      window: { start, end },
      intervalMinutes: DEFAULT_INTERVAL_MINUTES,
      view: { detail: "details", merged: false },
    } as const;
    queries.push(availabilityQuery(question, UTC_ZONE));
  }
  return queries;
}

function askedMailbox(given: unknown): AskedMailbox {
  const text = typeof given === "string" ? given : "";
  return { text, routingType: "SMTP", address: parseMailboxAddress(text) };
}

function requesterOf(event: unknown): CapRequester {
  const requester = member(event, "requester");
  const email = shortText(member(requester, "email")) ?? "";
  const names = requester !== undefined && requester !== null;
  return { email: names ? email : undefined, origin: shortText(member(requester, "origin")) };
}

function shortText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 320 ? value : undefined;
}

/** By its name in lower camel case, or with a capital. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const capitalized = (name[0] as string).toUpperCase() + name.slice(1);
  for (const key of [name, capitalized]) {
    if (Object.hasOwn(value, key)) return (value as Record<string, unknown>)[key];
  }
  return undefined;
}

/** RFC 3339. The contract says UTC, so a value without an offset is taken for that. */
const RFC_3339 = /^(\d{4}-\d{2}-(\d{2}))[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)([Zz]|[+-]\d{2}:\d{2})?$/;

function instantOf(value: unknown, name: string): InstantMs {
  const match = typeof value === "string" ? RFC_3339.exec(value.trim()) : null;
  if (match === null) malformed(`window.${name} is no time such as 2026-03-02T00:00:00.000Z`);
  const [, date, day, time, offset = "Z"] = match;
  const ms = Date.parse(`${date}T${time}${offset.toUpperCase()}`);
  // A month's 31st that it does not have would silently become the next month's first.
  if (Number.isNaN(ms) || new Date(`${date}T00:00:00Z`).getUTCDate() !== Number(day)) {
    malformed(`window.${name} is no time there is`);
  }
  return instant(ms);
}

function malformed(what: string): never {
  throw new RequestFault("malformed", `This is no availability event of WorkMail: ${what}.`);
}
