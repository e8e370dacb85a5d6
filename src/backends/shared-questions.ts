/**
 * Decides which questions go to a backend together: those about the same days and detail
 * that wait at the same time, whoever asks, up to as many mailboxes as one request takes.
 * One request counts once against a service account's budget, however many it is about.
 *
 * A backend with nothing under way is asked at once, so an idle gateway loses no time. While
 * something is under way, a question waits a few milliseconds for others like it; while the
 * backend has no room, all wait, and callers take turns ({@link FairQueue}). Nobody waits
 * longer than its own signal allows, and one that gives up ends nothing for the others. When a
 * shared request comes to nothing as a whole, each asker's part is asked once more on its own:
 * one mailbox that a backend stumbles over must not cost strangers their answers.
 *
 * Knows ports only. That a mailbox is asked about was registered before it came here, and
 * stays so until its answer is there: loops are looked for above.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import { failed, type MailboxAnswer } from "../availability/mailbox-answer.js";
import type { AvailabilityBackend, BackendHealth, BackendQuestion } from "../proxy/availability-backend.js";
import type { QuestionCounts } from "../proxy/endpoint-observer.js";
import { FairQueue, type Queued } from "./fair-queue.js";
import { outOfTime } from "./out-of-time.js";

/** How many requests a backend could take now. */
export interface RequestRoom {
  /** Also above zero when requests would be refused at once: then waiting helps nobody. A request counts from its call on. */
  readonly room: number;
  /** Called whenever there may be more of it. */
  onRoom(listener: () => void): void;
}

export interface SharingOptions {
  /** In one request. */
  readonly maximumMailboxes: number;
  /** Mailboxes that wait, at most. */
  readonly maximumWaiting: number;
  /** How long questions wait for others while something is under way, in milliseconds. */
  readonly gatherMs: number;
}

/** One `ask` of somebody. */
interface Asked {
  readonly answers: (MailboxAnswer | undefined)[];
  missing: number;
  readonly done: (answers: readonly MailboxAnswer[]) => void;
  readonly broken: (error: unknown) => void;
}

interface Entry extends Queued {
  kind: string;
  readonly asked: Asked;
  readonly position: number;
  readonly mailbox: MailboxAddress;
  readonly question: BackendQuestion;
  /** What it has been sent with. */
  request: SharedRequest | undefined;
  /** The last time; absent: nothing has been sent for it yet. */
  sentAt?: number;
}

interface SharedRequest {
  readonly abort: AbortController;
  /** Those who still wait for it. */
  readonly entries: Set<Entry>;
}

/** What one mailbox may do to a whole request. */
const SPOILT: ReadonlySet<string> = new Set([
  "backend-fault",
  "backend-http-error",
  "backend-unreadable",
  "backend-wrong-count",
]);

export class SharedQuestions implements AvailabilityBackend {
  readonly #backend: AvailabilityBackend;
  readonly #places: RequestRoom;
  readonly #options: SharingOptions;
  readonly #queue: FairQueue<Entry>;
  #underWay = 0;
  #requests = 0;
  #mailboxes = 0;
  #apart = 0;
  /** Whoever waits has waited for others long enough: it goes as soon as there is room. */
  #due = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(backend: AvailabilityBackend, places: RequestRoom, options: SharingOptions) {
    this.#backend = backend;
    this.#places = places;
    this.#options = options;
    this.#queue = new FairQueue(options.maximumWaiting);
    places.onRoom(() => this.#send());
  }

  get name(): string {
    return this.#backend.name;
  }

  get serviceAccount(): string {
    return this.#backend.serviceAccount;
  }

  get timeoutMs(): number {
    return this.#backend.timeoutMs;
  }

  get counts(): QuestionCounts {
    return { waiting: this.#queue.size, requests: this.#requests, mailboxes: this.#mailboxes };
  }

  /** As the port has it. Rejects only as the backend behind it does: with a bug. */
  ask(question: BackendQuestion, signal: AbortSignal): Promise<readonly MailboxAnswer[]> {
    return new Promise((resolve, reject) => {
      const { mailboxes, window, detail, askedBy = "" } = question;
      const kind = `${window.start} ${window.end} ${detail}`;
      const giveUp = () => {
        for (const entry of entries) this.#giveUp(entry);
      };
      const settled = () => signal.removeEventListener("abort", giveUp);
      const asked: Asked = {
        answers: new Array(mailboxes.length).fill(undefined),
        missing: mailboxes.length,
        done: (answers) => {
          settled();
          resolve(answers);
        },
        broken: (error) => {
          settled();
          reject(error);
        },
      };
      const entries = mailboxes.map(
        (mailbox, position): Entry => ({ askedBy, kind, asked, position, mailbox, question, request: undefined }),
      );
      signal.addEventListener("abort", giveUp, { once: true });
      for (const entry of entries) this.#wait(entry);
      if (signal.aborted) giveUp();
      this.#send();
    });
  }

  async health(): Promise<BackendHealth> {
    return { ...(await this.#backend.health()), waiting: this.#queue.size };
  }

  #send(): void {
    const { maximumMailboxes, gatherMs } = this.#options;
    if (this.#underWay === 0 || gatherMs === 0 || this.#queue.size >= maximumMailboxes) this.#due = true;
    while (this.#due && this.#queue.size > 0 && this.#places.room > 0) {
      this.#request(this.#queue.take(maximumMailboxes));
    }
    if (this.#queue.size === 0) {
      this.#due = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else if (!this.#due) {
      this.#timer ??= setTimeout(() => {
        this.#due = true;
        this.#send();
      }, gatherMs);
    }
  }

  #request(entries: readonly Entry[]): void {
    const byMailbox = new Map<MailboxAddress, Entry[]>();
    for (const entry of entries) {
      const same = byMailbox.get(entry.mailbox);
      if (same === undefined) byMailbox.set(entry.mailbox, [entry]);
      else same.push(entry);
    }
    const request: SharedRequest = { abort: new AbortController(), entries: new Set(entries) };
    const sentAt = performance.now();
    for (const entry of entries) {
      entry.request = request;
      entry.sentAt = sentAt;
    }
    const { window, detail } = (entries[0] as Entry).question;
    const mailboxes = [...byMailbox.keys()];
    this.#underWay++;
    this.#requests++;
    this.#mailboxes += mailboxes.length;
    const over = () => {
      this.#underWay--;
      this.#send();
    };
    this.#backend
      .ask({ mailboxes, window, detail }, request.abort.signal)
      .then((answers) => {
        const right = answers.length === mailboxes.length && !Array.from(answers).includes(undefined as never);
        const known = right
          ? answers
          : mailboxes.map(() => failed({ reason: "backend-wrong-count", backend: this.name }));
        if (isSpoilt(known) && new Set(entries.map(({ asked }) => asked)).size > 1) this.#askApart(request);
        [...byMailbox.values()].forEach((waiting, position) => {
          for (const entry of waiting) {
            if (request.entries.delete(entry)) answered(entry, known[position] as MailboxAnswer);
          }
        });
      })
      .catch((error: unknown) => {
        for (const { asked } of request.entries) asked.broken(error);
      })
      .then(over);
  }

  /** Those who still wait for a request that came to nothing wait again, each asker for a request of its own. */
  #askApart({ entries }: SharedRequest): void {
    const numbers = new Map<Asked, number>();
    for (const entry of entries) {
      const number = numbers.get(entry.asked) ?? ++this.#apart;
      numbers.set(entry.asked, number);
      entry.kind = `${entry.kind} apart ${number}`;
      entry.request = undefined;
      this.#wait(entry);
    }
    entries.clear();
  }

  #wait(entry: Entry): void {
    const loser = this.#queue.add(entry);
    if (loser !== undefined) answered(loser, failed({ reason: "queue-full", backend: this.name }));
  }

  /** Its time is up. A request that nobody waits for any more is ended. */
  #giveUp(entry: Entry): void {
    const { request } = entry;
    if (!this.#queue.remove(entry) && !request?.entries.delete(entry)) return;
    answered(entry, failed(outOfTime(this, entry.sentAt)));
    if (request?.entries.size === 0) request.abort.abort();
  }
}

function answered({ asked, position }: Entry, answer: MailboxAnswer): void {
  asked.answers[position] = answer;
  asked.missing--;
  if (asked.missing === 0) asked.done(asked.answers as readonly MailboxAnswer[]);
}

function isSpoilt(answers: readonly MailboxAnswer[]): boolean {
  return answers.every((answer) => answer.kind === "failure" && SPOILT.has(answer.failure.reason));
}
