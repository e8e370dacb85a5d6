/**
 * Decides what gateways write to each other about service accounts, and that it is sealed:
 * whoever reads the server, or the network, learns no account's name and no secret's mark,
 * and cannot make anything up. What cannot be read, of another version or key, is nothing.
 */

import { ByteReader, ByteWriter } from "../caches/byte-writer.js";
import type { SealedValues } from "../caches/sealed-values.js";
import type { AccountNews, SecretMarks } from "../proxy/account-news.js";
import type { RollWord } from "./roll-call.js";

const VERSION = 1;
const PAUSED = 1;
const SET_ASIDE = 2;
const ACCEPTED = 3;
const LONGEST_PROBLEM = 200;
/** Each kind of writing is bound to its use, so that none passes for another. Cache keys always have NULs. */
const ROLL = "account roll";
const NEWS = "account news";

export interface SentNews {
  readonly sender: string;
  readonly backend: string;
  /** Undefined: only that the roll has changed. */
  readonly news: AccountNews | undefined;
}

export class AccountWords {
  readonly #sealed: SealedValues;

  constructor(sealed: SealedValues) {
    this.#sealed = sealed;
  }

  /** Under which names news of an account are kept, the one to write under first. */
  namesOf(kind: "paused" | "set-aside", backend: string, account: string): readonly string[] {
    return this.#sealed.namesOf(`${kind}\0${backend}\0${account}`);
  }

  writeRoll({ view, accounts }: RollWord, id: string): Buffer {
    const to = new ByteWriter();
    to.byte(VERSION);
    to.text(view);
    to.integer(accounts.size);
    for (const [name, within] of accounts) {
      to.text(name);
      to.byte(within ? 1 : 0);
    }
    return this.#sealed.seal(to.finished(), `${ROLL} ${id}`);
  }

  readRoll(sealed: Buffer, id: string): RollWord | undefined {
    return this.#read(sealed, `${ROLL} ${id}`, (from) => {
      const view = from.text();
      const accounts = new Map(Array.from({ length: from.count() }, () => [from.text(), from.byte() === 1] as const));
      return { view, accounts };
    });
  }

  writeNews({ sender, backend, news }: SentNews): Buffer {
    const to = new ByteWriter();
    to.byte(VERSION);
    to.text(sender);
    to.text(backend);
    if (news === undefined) to.byte(0);
    else writeNews(to, news);
    return this.#sealed.seal(to.finished(), NEWS);
  }

  readNews(sealed: Buffer): SentNews | undefined {
    return this.#read(sealed, NEWS, (from) => ({ sender: from.text(), backend: from.text(), news: readNews(from) }));
  }

  #read<T>(sealed: Buffer, boundTo: string, read: (from: ByteReader) => T): T | undefined {
    try {
      const opened = this.#sealed.open(sealed, boundTo);
      if (opened === undefined) return undefined;
      const from = new ByteReader(opened.bytes);
      if (from.byte() !== VERSION) return undefined;
      const value = read(from);
      from.end();
      return value;
    } catch {
      return undefined;
    }
  }
}

function writeNews(to: ByteWriter, news: AccountNews): void {
  to.byte(news.kind === "paused" ? PAUSED : news.kind === "set-aside" ? SET_ASIDE : ACCEPTED);
  to.text(news.account);
  if (news.kind !== "accepted") to.integer(Math.ceil(news.forMs));
  if (news.kind === "set-aside") {
    to.byte(news.counted ? 1 : 0);
    to.text(news.problem.slice(0, LONGEST_PROBLEM));
  }
  if (news.kind !== "paused") writeMarks(to, news.secrets);
}

function readNews(from: ByteReader): AccountNews | undefined {
  const kind = from.byte();
  if (kind === 0) return undefined;
  const account = from.text();
  if (kind === PAUSED) return { kind: "paused", account, forMs: from.integer() };
  if (kind === ACCEPTED) return { kind: "accepted", account, secrets: readMarks(from) };
  const forMs = from.integer();
  const counted = from.byte() === 1;
  const problem = from.text();
  return { kind: "set-aside", account, forMs, counted, problem, secrets: readMarks(from) };
}

function writeMarks(to: ByteWriter, { salt, marks }: SecretMarks): void {
  to.text(salt);
  to.integer(marks.length);
  for (const mark of marks) to.text(mark);
}

function readMarks(from: ByteReader): SecretMarks {
  const salt = from.text();
  return { salt, marks: Array.from({ length: from.count() }, () => from.text()) };
}
