/**
 * Decides when the gateway asks by itself, in order to know before people do that a direction
 * does not work any more: the same question, through the same policy, as the system it is asked
 * as would put it. What is kept never answers, or a broken system would look well for as long
 * as answers are kept.
 *
 * A probe that fails makes nobody less ready: it is told, and that is all. Knows no wire. (Not
 * to be confused with looking for a mailbox's owner at every system, which is a directory.)
 */

import type { AvailabilityQuery } from "../availability/availability-query.js";
import { reaches, type ViewDetail } from "../availability/free-busy-view.js";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { FailureReason, MailboxAnswer } from "../availability/mailbox-answer.js";
import { mergedFreeBusy } from "../availability/merged-free-busy.js";
import { DAY_MS, type InstantMs, instant } from "../availability/time-window.js";
import type { Asking } from "./asking.js";

export interface ProbePlan {
  readonly name: string;
  readonly mailbox: MailboxAddress;
  /** The system as which it is asked; undefined: as somebody who is none. */
  readonly origin: string | undefined;
  /** From the beginning of one question to that of the next. */
  readonly everyMs: number;
  /** The least that has to come back. */
  readonly expects: ViewDetail;
}

/** Of a view that does not do, and of a question that could not be put. */
export type ProbeReason = "no-data" | "less-than-expected" | "unexpected";

/** How a probe stands, for people, readiness and metrics. Holds no address. */
export interface ProbeStanding {
  readonly name: string;
  readonly origin: string | undefined;
  readonly everyMs: number;
  readonly result: "not asked yet" | "success" | "failure";
  readonly reason?: FailureReason | ProbeReason;
  readonly durationMs?: number;
  readonly askedAt?: InstantMs;
  readonly succeededAt?: InstantMs;
}

export interface SyntheticProbesParts {
  readonly plans: readonly ProbePlan[];
  readonly answer: (
    query: AvailabilityQuery,
    asking: Asking,
    id: string,
  ) => readonly MailboxAnswer[] | Promise<readonly MailboxAnswer[]>;
  /** Told when a probe's result is another than before, or its reason is. */
  readonly changed: (standing: ProbeStanding) => void;
  readonly unexpected: (what: string, error: unknown) => void;
  readonly clock: () => InstantMs;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** The first questions are this far apart, so that a start asks nobody about everything at once. */
const FIRST_APART_MS = 1_000;
const INTERVAL_MINUTES = 30;
/** No caller can be called so: names have no colon. */
export const PROBE_CALLER = "probe:";

export class SyntheticProbes {
  readonly #parts: SyntheticProbesParts;
  readonly #standings = new Map<string, ProbeStanding>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #running = false;
  #count = 0;

  constructor(parts: SyntheticProbesParts) {
    this.#parts = parts;
    for (const { name, origin, everyMs } of parts.plans) {
      this.#standings.set(name, { name, origin, everyMs, result: "not asked yet" });
    }
  }

  start(): void {
    this.#running = true;
    for (const [i, plan] of this.#parts.plans.entries()) this.#after(i * FIRST_APART_MS, plan);
  }

  /** Asks no more, and tells nothing of what is still under way. */
  stop(): void {
    this.#running = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  standings(): readonly ProbeStanding[] {
    return [...this.#standings.values()];
  }

  #after(ms: number, plan: ProbePlan): void {
    this.#timers.set(
      plan.name,
      setTimeout(() => void this.#ask(plan), ms),
    );
  }

  async #ask(plan: ProbePlan): Promise<void> {
    const { clock, now, changed } = this.#parts;
    const { name, origin, everyMs } = plan;
    const [askedAt, started] = [clock(), now()];
    const reason = await this.#reasonOfFailure(plan, askedAt);
    if (!this.#running) return;
    const durationMs = now() - started;
    const before = this.#standings.get(name);
    const common = { name, origin, everyMs, durationMs, askedAt };
    const succeededAt = reason === undefined ? askedAt : before?.succeededAt;
    const standing: ProbeStanding = {
      ...common,
      ...(reason === undefined ? { result: "success" as const } : { result: "failure" as const, reason }),
      ...(succeededAt !== undefined && { succeededAt }),
    };
    this.#standings.set(name, standing);
    // One after another, however long each takes.
    this.#after(Math.max(0, everyMs - durationMs), plan);
    if (before?.result !== standing.result || before.reason !== reason) changed(standing);
  }

  async #reasonOfFailure(plan: ProbePlan, at: InstantMs): Promise<ProbeStanding["reason"]> {
    const { name, mailbox, origin, expects } = plan;
    const start = instant(Math.floor(at / DAY_MS) * DAY_MS);
    const query: AvailabilityQuery = {
      mailboxes: [{ text: mailbox, routingType: "SMTP", address: mailbox }],
      window: { start, end: instant(start + DAY_MS) },
      intervalMinutes: INTERVAL_MINUTES,
      view: { detail: expects, merged: true },
    };
    const caller = { name: `${PROBE_CALLER}${name}`, origin, maximumDetail: expects };
    try {
      const id = `${PROBE_CALLER}${name}-${++this.#count}`;
      const [answer] = await this.#parts.answer(query, { caller, returned: false, anew: true }, id);
      return reasonOf(answer as MailboxAnswer, query, expects);
    } catch (error) {
      this.#parts.unexpected("a probe could not ask", error);
      return "unexpected";
    }
  }
}

function reasonOf(answer: MailboxAnswer, query: AvailabilityQuery, expects: ViewDetail): ProbeStanding["reason"] {
  if (answer.kind === "failure") return answer.failure.reason;
  const { digits } = mergedFreeBusy(answer.view, query.window, query.intervalMinutes);
  // A view of nothing but unknown time is what a system gives that knows nothing.
  if (/^4*$/.test(digits)) return "no-data";
  return reaches(answer.view.detail, expects) ? undefined : "less-than-expected";
}
