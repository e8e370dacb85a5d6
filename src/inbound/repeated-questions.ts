/**
 * Decides what need not be done again for a question that was put before, byte for byte:
 * scheduling views ask the same thing whenever they are repainted. Such a question is not
 * decoded again, and while the answers about its mailboxes are still the very same ones,
 * its answer is not written again.
 *
 * Answers are compared by identity, so nothing that was learnt anew, lowered for somebody
 * else or cut to another window can be taken for the same. Who asked is not known here.
 * Bounded by the bytes it holds.
 */

import { crc32 } from "node:zlib";
import { LRUCache } from "lru-cache";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import type { XmlMessage } from "../ews/xml-bytes.js";

const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST_QUESTION = 8_192;
const LONGEST_ANSWER = 262_144;

export interface Question<Request> {
  readonly request: Request;
  /** The message for these answers, written now or before. */
  write(answers: readonly MailboxAnswer[], write: () => XmlMessage): XmlMessage;
}

export class RepeatedQuestions<Request> {
  /** By checksum, which says where to look; the bytes say whether it is the same question. */
  readonly #known = new LRUCache<number, Remembered<Request>>({ maxSize: MOST_BYTES });

  /** What `decode` made of these bytes, now or before. What it throws is thrown, and not remembered. */
  get(bytes: Buffer, decode: (bytes: Buffer) => Request, keep: (request: Request) => boolean): Question<Request> {
    if (bytes.length > LONGEST_QUESTION) return { request: decode(bytes), write: (_, write) => write() };
    const checksum = crc32(bytes);
    const known = this.#known.get(checksum);
    if (known?.bytes.equals(bytes)) return known;
    const request = decode(bytes);
    if (!keep(request)) return { request, write: (_, write) => write() };
    const question = new Remembered(Buffer.from(bytes), request, (size) =>
      this.#known.set(checksum, question, { size }),
    );
    this.#known.set(checksum, question, { size: bytes.length });
    return question;
  }
}

class Remembered<Request> implements Question<Request> {
  readonly bytes: Buffer;
  readonly request: Request;
  readonly #grown: (size: number) => void;
  #answers: readonly MailboxAnswer[] | undefined;
  #written: XmlMessage = "";

  constructor(bytes: Buffer, request: Request, grown: (size: number) => void) {
    this.bytes = bytes;
    this.request = request;
    this.#grown = grown;
  }

  write(answers: readonly MailboxAnswer[], write: () => XmlMessage): XmlMessage {
    if (this.#answers !== undefined && same(this.#answers, answers)) return this.#written;
    const written = write();
    if (written.length <= LONGEST_ANSWER) {
      this.#answers = answers;
      this.#written = written;
      this.#grown(this.bytes.length + written.length);
    }
    return written;
  }
}

function same(a: readonly MailboxAnswer[], b: readonly MailboxAnswer[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
