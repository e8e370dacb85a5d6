/**
 * Decides how kept answers are written where other gateways read them. The first byte is
 * the version of everything behind it: an older gateway and a newer one may share a cache
 * for the length of an update, and what one does not know is nothing to it, not a guess.
 *
 * Any change of meaning, and any new field, takes a new version. The numbers that stand for
 * words are this version's own: lists elsewhere may be put into another order any day.
 * Instants of events are written as distances, which takes a third of their bytes.
 */

import type {
  BusyType,
  CalendarEvent,
  EventDetails,
  FreeBusyView,
  WorkingHours,
} from "../availability/free-busy-view.js";
import { failed, learnt, type MailboxAnswer, viewed } from "../availability/mailbox-answer.js";
import { instant } from "../availability/time-window.js";
import { bias } from "../availability/time-zone.js";
import type { ZoneRule } from "../availability/zone-rules.js";
import type { AskedDetail, CachedAnswer } from "../proxy/view-cache.js";
import { ByteReader, ByteWriter, UnreadableBytes } from "./byte-writer.js";

export const ENCODING_VERSION = 1;

const BUSY_WORDS: readonly BusyType[] = ["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"];
const ASKED_WORDS: readonly AskedDetail[] = ["times", "details"];
const NOT_FOUND = 0;
const MERGED = 1;
const TIMES = 2;
const DETAILS = 3;
const FLAGS = ["isMeeting", "isRecurring", "isException", "isReminderSet", "isPrivate"] as const;
const TEXTS = ["id", "subject", "location"] as const;

/** Only what the port allows to be kept: views, and "no such mailbox". Throws on anything else. */
export function encodeAnswers(answers: readonly CachedAnswer[]): Buffer {
  const to = new ByteWriter();
  to.byte(ENCODING_VERSION);
  to.integer(answers.length);
  for (const { answer, window, detail, learntAt, freshUntil, expiresAt } of answers) {
    to.integer(learntAt);
    to.integer(freshUntil - learntAt);
    to.integer(expiresAt - learntAt);
    to.integer(window.start);
    to.integer(window.end - window.start);
    to.byte(ASKED_WORDS.indexOf(detail));
    writeAnswer(to, answer, window.start);
  }
  return to.finished();
}

/** Undefined: another version. Throws {@link UnreadableBytes} on what is no such encoding. */
export function decodeAnswers(bytes: Buffer): readonly CachedAnswer[] | undefined {
  const from = new ByteReader(bytes);
  if (from.byte() !== ENCODING_VERSION) return undefined;
  const answers = times(from.count(), (): CachedAnswer => {
    const learntAt = from.integer();
    const freshUntil = instant(learntAt + from.integer());
    const expiresAt = instant(learntAt + from.integer());
    const start = from.integer();
    const window = { start: instant(start), end: instant(start + from.integer()) };
    const detail = wordOf(ASKED_WORDS, from.byte());
    const answer = readAnswer(from, start);
    return {
      answer: learnt(answer, instant(learntAt)),
      window,
      detail,
      learntAt: instant(learntAt),
      freshUntil,
      expiresAt,
    };
  });
  from.end();
  return answers;
}

function writeAnswer(to: ByteWriter, answer: MailboxAnswer, from: number): void {
  if (answer.kind === "failure") {
    const { reason, backend, code } = answer.failure;
    if (reason !== "mailbox-not-found") throw new TypeError(`'${reason}' is no answer to keep`);
    to.byte(NOT_FOUND);
    for (const text of [backend, code]) writeOptional(to, text);
    return;
  }
  const { view } = answer;
  if (view.detail === "merged") {
    to.byte(MERGED);
    to.integer(view.merged.start);
    to.integer(view.merged.intervalMinutes);
    to.text(view.merged.digits);
    return;
  }
  to.byte(view.detail === "times" ? TIMES : DETAILS);
  writeWorkingHours(to, view.workingHours);
  to.integer(view.events.length);
  let before = from;
  for (const event of view.events) {
    to.integer(event.start - before);
    to.integer(event.end - event.start);
    before = event.start;
    to.byte(BUSY_WORDS.indexOf(event.busyType));
    if (view.detail === "details") writeDetails(to, event.details);
  }
}

function readAnswer(from: ByteReader, start: number): MailboxAnswer {
  const kind = from.byte();
  if (kind === NOT_FOUND) {
    const [backend, code] = [readOptional(from), readOptional(from)];
    return failed({ reason: "mailbox-not-found", backend, code });
  }
  if (kind === MERGED) {
    const merged = { start: instant(from.integer()), intervalMinutes: from.integer(), digits: from.text() };
    if (!/^[0-4]*$/.test(merged.digits) || merged.intervalMinutes < 1) throw new UnreadableBytes("no slots");
    return viewed({ detail: "merged", merged });
  }
  if (kind !== TIMES && kind !== DETAILS) throw new UnreadableBytes("no kind of answer");
  const workingHours = readWorkingHours(from);
  let before = start;
  const events = times(from.count(), (): CalendarEvent => {
    before += from.integer();
    const span = { start: instant(before), end: instant(before + from.integer()) };
    const event = { ...span, busyType: wordOf(BUSY_WORDS, from.byte()) };
    const details = kind === DETAILS ? readDetails(from) : undefined;
    return details === undefined ? event : { ...event, details };
  });
  const view: FreeBusyView = { detail: kind === TIMES ? "times" : "details", events };
  return viewed(workingHours === undefined ? view : { ...view, workingHours });
}

/** Two bytes say what there is and which flags are set. */
function writeDetails(to: ByteWriter, details: EventDetails | undefined): void {
  if (details === undefined) {
    to.byte(0);
    return;
  }
  to.byte(FLAGS.reduce((bits, flag, i) => bits + (details[flag] ? 2 << i : 0), 1));
  to.byte(TEXTS.reduce((bits, text, i) => bits + (details[text] === undefined ? 0 : 1 << i), 0));
  for (const text of TEXTS) if (details[text] !== undefined) to.text(details[text]);
}

function readDetails(from: ByteReader): EventDetails | undefined {
  const flags = from.byte();
  if (flags === 0) return undefined;
  const present = from.byte();
  const [isMeeting, isRecurring, isException, isReminderSet, isPrivate] = FLAGS.map((_, i) => (flags & (2 << i)) !== 0);
  const [id, subject, location] = TEXTS.map((_, i) => ((present & (1 << i)) === 0 ? undefined : from.text()));
  const own = { isMeeting, isRecurring, isException, isReminderSet, isPrivate } as Record<
    (typeof FLAGS)[number],
    boolean
  >;
  return { id, subject, location, ...own };
}

function writeWorkingHours(to: ByteWriter, hours: WorkingHours | undefined): void {
  to.byte(hours === undefined ? 0 : 1);
  if (hours === undefined) return;
  to.integer(hours.zone.bias);
  for (const rule of [hours.zone.standard, hours.zone.daylight]) {
    for (const number of [rule.bias, rule.timeOfDayMs, rule.dayOrder, rule.month, rule.weekday]) to.integer(number);
    to.integer(rule.year ?? 0);
  }
  to.integer(hours.periods.length);
  for (const { weekdays, startMinutes, endMinutes } of hours.periods) {
    to.byte(weekdays.reduce((bits, day) => bits + (1 << day), 0));
    to.integer(startMinutes);
    to.integer(endMinutes);
  }
}

function readWorkingHours(from: ByteReader): WorkingHours | undefined {
  if (from.byte() === 0) return undefined;
  const zoneBias = bias(from.integer());
  const [standard, daylight] = [readRule(from), readRule(from)];
  const periods = times(from.count(), () => {
    const bits = from.byte();
    const weekdays = [0, 1, 2, 3, 4, 5, 6].filter((day) => (bits & (1 << day)) !== 0);
    return { weekdays, startMinutes: from.integer(), endMinutes: from.integer() };
  });
  return { zone: { bias: zoneBias, standard, daylight }, periods };
}

function readRule(from: ByteReader): ZoneRule {
  const rule = {
    bias: from.integer(),
    timeOfDayMs: from.integer(),
    dayOrder: from.integer(),
    month: from.integer(),
    weekday: from.integer(),
  };
  const year = from.integer();
  return year === 0 ? rule : { ...rule, year };
}

function writeOptional(to: ByteWriter, text: string | undefined): void {
  to.byte(text === undefined ? 0 : 1);
  if (text !== undefined) to.text(text);
}

function readOptional(from: ByteReader): string | undefined {
  return from.byte() === 0 ? undefined : from.text();
}

function wordOf<Word>(words: readonly Word[], number: number): Word {
  const word = words[number];
  if (word === undefined) throw new UnreadableBytes("no such word");
  return word;
}

function times<T>(count: number, make: () => T): T[] {
  const all: T[] = [];
  for (let i = 0; i < count; i++) all.push(make());
  return all;
}
