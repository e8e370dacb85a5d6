/**
 * Decides what a process keeps of answers: as much as fits the configured bytes, the
 * least used going first. A mailbox may have a few windows kept side by side, because
 * people page through weeks. Newer news wins, in whatever order it arrives.
 */

import { LRUCache } from "lru-cache";
import type { CalendarEvent } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { ownText } from "../availability/own-text.js";
import type { InstantMs } from "../availability/time-window.js";
import { covers } from "../availability/time-window.js";
import {
  type CachedAnswer,
  type CacheQuestion,
  type Found,
  type Reached,
  serves,
  type ViewCache,
} from "../proxy/view-cache.js";

const WINDOWS_PER_MAILBOX = 4;

export class MemoryViewCache implements ViewCache {
  readonly #entries: LRUCache<string, readonly CachedAnswer[]>;

  constructor(maximumBytes: number) {
    this.#entries = new LRUCache({ maxSize: maximumBytes, sizeCalculation: (kept, key) => sizeOf(kept, key) });
  }

  find(questions: readonly CacheQuestion[], now: InstantMs): Found {
    return questions.map((question) => this.#entries.get(question.key)?.find((kept) => serves(kept, question, now)));
  }

  async store(entries: readonly { readonly key: string; readonly kept: CachedAnswer }[]): Promise<void> {
    for (const { key, kept } of entries) {
      const others = this.keptUnder(key);
      if (others.some((other) => other.learntAt > kept.learntAt && contradicts(kept, other))) continue;
      const beside = others.filter((other) => other.expiresAt > kept.learntAt && !replaces(kept, other));
      const own = { ...kept, answer: withOwnTexts(kept.answer) };
      const all = [own, ...beside].sort((a, b) => b.learntAt - a.learntAt);
      this.#entries.set(key, all.slice(0, WINDOWS_PER_MAILBOX));
    }
  }

  /** Everything that is kept of a mailbox, the newest first. */
  keptUnder(key: string): readonly CachedAnswer[] {
    return this.#entries.peek(key) ?? [];
  }

  async forget(keys: readonly string[] | "all"): Promise<Reached> {
    if (keys === "all") this.#entries.clear();
    else for (const key of keys) this.#entries.delete(key);
    return "here";
  }
}

/** A mailbox that has a view exists, and one that does not exist has none. */
function contradicts(one: CachedAnswer, other: CachedAnswer): boolean {
  return one.answer.kind !== other.answer.kind || one.answer.kind === "failure";
}

function replaces(newer: CachedAnswer, older: CachedAnswer): boolean {
  if (older.learntAt > newer.learntAt) return false;
  if (contradicts(newer, older)) return true;
  return covers(newer.window, older.window) && (newer.detail === "details" || older.detail === newer.detail);
}

/** The answer with its texts copied ({@link ownText}): they are pieces of a backend's whole answer. */
function withOwnTexts(answer: MailboxAnswer): MailboxAnswer {
  if (answer.kind !== "view" || answer.view.detail !== "details") return answer;
  const { view } = answer;
  const texts = view.events.flatMap(({ details }) => [details?.id, details?.subject, details?.location]);
  // All of them at once: one copy is much cheaper than many.
  const copy = ownText(texts.join(""));
  let at = 0;
  const own = (text: string | undefined) => {
    if (text === undefined) return undefined;
    at += text.length;
    return copy.slice(at - text.length, at);
  };
  const events = view.events.map((event) => {
    if (event.details === undefined) return event;
    const { id, subject, location, ...flags } = event.details;
    return { ...event, details: { id: own(id), subject: own(subject), location: own(location), ...flags } };
  });
  return { ...answer, view: { ...view, events } };
}

// Rough on purpose: what V8 takes for an object with its fields, and two bytes a character.
const ENTRY_BYTES = 300;
const EVENT_BYTES = 100;
const DETAILS_BYTES = 150;

function sizeOf(kept: readonly CachedAnswer[], key: string): number {
  let bytes = key.length * 2;
  for (const { answer } of kept) {
    bytes += ENTRY_BYTES;
    if (answer.kind === "failure") continue;
    if (answer.view.detail === "merged") bytes += answer.view.merged.digits.length;
    else for (const event of answer.view.events) bytes += eventSize(event);
  }
  return bytes;
}

function eventSize({ details }: CalendarEvent): number {
  if (details === undefined) return EVENT_BYTES;
  const text = (details.id?.length ?? 0) + (details.subject?.length ?? 0) + (details.location?.length ?? 0);
  return EVENT_BYTES + DETAILS_BYTES + text * 2;
}
