/**
 * Scriptable parties of a lookup: a directory that claims what a test says, a backend that has
 * the mailboxes a test gives it, and the policy connected to both as the gateway connects them.
 */

import type { AskedMailbox } from "../../src/availability/availability-query.js";
import type { BusyType, ViewDetail } from "../../src/availability/free-busy-view.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { type FailureReason, failed, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { DAY_MS, instant } from "../../src/availability/time-window.js";
import { MemoryViewCache } from "../../src/caches/memory-view-cache.js";
import type { AvailabilityBackend, BackendQuestion } from "../../src/proxy/availability-backend.js";
import type { LookupOutcome } from "../../src/proxy/lookup-observer.js";
import type {
  DirectoryClaim,
  DirectoryMembers,
  MailboxDirectory,
  RecipientKey,
} from "../../src/proxy/mailbox-directory.js";
import { legacyKey } from "../../src/proxy/mailbox-directory.js";
import { mailbox, type PolicyParts, policyOf } from "./proxy.js";

export const DAY = Date.UTC(2026, 6, 1);
export const HOUR = 3_600_000;

export interface FakeRecipient {
  /** The first is the address its backend knows. */
  readonly addresses: readonly string[];
  /** Absent: a group, or a mailbox that lives where nobody may ask. */
  readonly backend?: string | undefined;
  readonly kind?: "mailbox" | "group";
  readonly legacyDns?: readonly string[];
}

type Look = (address: MailboxAddress, signal: AbortSignal) => Promise<boolean>;
type Members = (group: MailboxAddress, limit: number, signal: AbortSignal) => Promise<DirectoryMembers | undefined>;

export class FakeDirectory implements MailboxDirectory {
  readonly home: string | undefined;
  readonly decides: boolean;
  readonly looked: MailboxAddress[] = [];
  /** Present once {@link looks} was called. */
  lookAgain?: Look;
  /** Present once a group has members. */
  members?: Members;
  readonly #byKey = new Map<RecipientKey, { claim: DirectoryClaim; keys: readonly RecipientKey[] }>();
  readonly #groups = new Map<string, Members>();
  readonly #listeners: ((changed: readonly MailboxAddress[] | "all") => void)[] = [];

  constructor(
    readonly name: string,
    { home, decides = false }: { home?: string; decides?: boolean } = {},
    ...recipients: readonly FakeRecipient[]
  ) {
    this.home = home;
    this.decides = decides;
    for (const one of recipients) this.put(one);
  }

  /** Claims it from now on, silently; whoever had one of its keys loses that key. */
  put({ addresses, backend, kind = "mailbox", legacyDns = [] }: FakeRecipient): this {
    const own = addresses.map(mailbox);
    const keys: RecipientKey[] = [...own, ...legacyDns.map(legacyKey)];
    const rule = `${this.name}: ${kind} in ${backend ?? "no backend"}`;
    const claim = { kind, backend, address: own[0] as MailboxAddress, rule, learntAt: instant(DAY) };
    for (const key of keys) this.#byKey.set(key, { claim, keys });
    return this;
  }

  /** Knows it no more under any of its keys, silently. */
  drop(address: string): this {
    for (const key of this.#byKey.get(mailbox(address))?.keys ?? []) this.#byKey.delete(key);
    return this;
  }

  tell(changed: readonly string[] | "all"): void {
    for (const listener of this.#listeners) listener(changed === "all" ? changed : changed.map(mailbox));
  }

  /** Looks again from now on, and does this then. */
  looks(look: (address: MailboxAddress, signal: AbortSignal) => boolean | Promise<boolean> = () => true): this {
    this.lookAgain = async (address, signal) => {
      this.looked.push(address);
      return look(address, signal);
    };
    return this;
  }

  /** A group under its first address, with these members; ends at the limit, as directories do. */
  group(addresses: readonly string[], members: readonly string[] | Members, without = 0): this {
    this.put({ addresses, kind: "group" });
    const all = typeof members === "function" ? members : undefined;
    const fixed = typeof members === "function" ? [] : members.map(mailbox);
    this.#groups.set(
      mailbox(addresses[0] as string),
      all ?? (async (_, limit) => ({ addresses: fixed.slice(0, limit + 1), without })),
    );
    this.members = async (group, limit, signal) => this.#groups.get(group)?.(group, limit, signal);
    return this;
  }

  find(key: RecipientKey): DirectoryClaim | undefined {
    return this.#byKey.get(key)?.claim;
  }

  addressesOf(key: RecipientKey): readonly MailboxAddress[] {
    return (this.#byKey.get(key)?.keys ?? []).filter((one): one is MailboxAddress => !one.startsWith("x500:"));
  }

  state() {
    return { from: "live" as const, recipients: this.#byKey.size, readAt: instant(DAY), problem: undefined };
  }

  onChange(listener: (changed: readonly MailboxAddress[] | "all") => void): void {
    this.#listeners.push(listener);
  }
}

/** One event an hour long whose subject is the mailbox: a mix-up cannot go unseen. */
export function viewOf(address: string, detail: "times" | "details", hour = 9, busyType: BusyType = "Busy") {
  const flags = { isMeeting: false, isRecurring: false, isException: false, isReminderSet: false, isPrivate: false };
  const event = { start: instant(DAY + hour * HOUR), end: instant(DAY + (hour + 1) * HOUR), busyType };
  return viewed({
    detail,
    events: [detail === "details" ? { ...event, details: { ...flags, subject: address } } : event],
  });
}

type Respond = (address: MailboxAddress, question: BackendQuestion) => MailboxAnswer | Promise<MailboxAnswer>;

/** Has the mailboxes it was given; of all others it says that there are none, unless told what else to do. */
export class FakeBackend implements AvailabilityBackend {
  readonly serviceAccount = "svc";
  readonly questions: BackendQuestion[] = [];
  readonly signals: AbortSignal[] = [];
  timeoutMs = 1000;
  /** The hour at which each is busy. */
  readonly has = new Map<string, number>();
  otherwise: Respond = () => failed({ reason: "mailbox-not-found", backend: this.name });
  respond: (question: BackendQuestion, signal: AbortSignal) => Promise<readonly MailboxAnswer[]> = (question) =>
    Promise.all(question.mailboxes.map(async (address) => this.answer(address, question)));

  constructor(
    readonly name: string,
    ...mailboxes: readonly string[]
  ) {
    for (const one of mailboxes) this.has.set(one, 9);
  }

  answer(address: MailboxAddress, question: BackendQuestion): MailboxAnswer | Promise<MailboxAnswer> {
    const hour = this.has.get(address);
    return hour === undefined ? this.otherwise(address, question) : viewOf(address, question.detail, hour);
  }

  /** Every mailbox it was asked about, in order. */
  get asked(): string[] {
    return this.questions.flatMap(({ mailboxes }) => mailboxes);
  }

  failsWith(reason: FailureReason): void {
    this.respond = async ({ mailboxes }) => mailboxes.map(() => failed({ reason, backend: this.name }));
  }

  ask(question: BackendQuestion, signal: AbortSignal) {
    this.questions.push(question);
    this.signals.push(signal);
    return this.respond(question, signal);
  }

  async health() {
    return { usable: true, reason: "" };
  }
}

export interface AskOptions {
  readonly origin?: string | undefined;
  readonly intervalMinutes?: number;
  readonly detail?: ViewDetail;
  readonly maximumDetail?: ViewDetail;
  readonly returned?: boolean;
}

export const askedFor = (text: string): AskedMailbox => ({
  text,
  routingType: text.startsWith("/") ? "EX" : "SMTP",
  address: text.startsWith("/") ? undefined : parseMailboxAddress(text),
});

/** The policy with a clock, Exchange and WorkMail domains, and ways to ask and to see what became of it. */
export function gatewayOf(parts: Pick<PolicyParts, "directories" | "backends"> & Partial<PolicyParts>): ReturnType<
  typeof policyOf
> & {
  readonly clock: { now: number };
  readonly outcomes: LookupOutcome[];
  readonly unexpected: string[];
  ask(mailboxes: readonly string[], options?: AskOptions): Promise<readonly MailboxAnswer[]>;
} {
  const clock = { now: DAY };
  const outcomes: LookupOutcome[] = [];
  const unexpected: string[] = [];
  const observer = {
    lookupAnswered: (outcome: LookupOutcome) => void outcomes.push(outcome),
    backendAsked: () => {},
    requestRefused: () => {},
    unexpected: (what: string) => void unexpected.push(what),
  };
  const policy = policyOf({
    addressSpaces: [
      { domain: "corp.example", backend: "exchange" },
      { domain: "corp.awsapps.com", backend: "workmail" },
    ],
    cache: new MemoryViewCache(10_000_000),
    observer,
    now: () => clock.now,
    ...parts,
  });
  const ask = async (mailboxes: readonly string[], options: AskOptions = {}) => {
    const { origin, intervalMinutes = 60, detail = "details", maximumDetail = "details", returned = false } = options;
    return policy.answerer.answer(
      {
        mailboxes: mailboxes.map(askedFor),
        window: { start: instant(DAY), end: instant(DAY + DAY_MS) },
        intervalMinutes,
        view: { detail, merged: false },
      },
      { caller: { name: origin ?? "client", origin, maximumDetail }, returned },
      "id",
    );
  };
  return { ...policy, clock, outcomes, unexpected, ask };
}

/** What became of a mailbox: a failure's reason, slots, or whose calendar it is. */
export const told = (answer: MailboxAnswer | undefined): string | undefined => {
  if (answer === undefined) return undefined;
  if (answer.kind === "failure") return answer.failure.reason;
  return answer.view.detail === "merged" ? answer.view.merged.digits : answer.view.events[0]?.details?.subject;
};

/** Slots of an hour that are free but for some hours. */
export function slotsOf(hours: Readonly<Record<number, string>>, otherwise = "0"): string {
  return Array.from({ length: 24 }, (_, hour) => hours[hour] ?? otherwise).join("");
}
