/**
 * Decides how the targets of a lookup come by their answers: backends asked at once, a
 * second chance for the doubtful ones of each presumed owner, groups through their members.
 * Each target fails alone, and none waits longer than the time budget.
 *
 * Knows ports only. Who may see what, and in which order answers are given, is not its
 * business.
 */

import type { AvailabilityQuery } from "../availability/availability-query.js";
import { type DisclosureRule, withPrivateEvents } from "../availability/disclosure-rules.js";
import type { FreeBusyView } from "../availability/free-busy-view.js";
import { failed, learnt, type MailboxAnswer, viewed } from "../availability/mailbox-answer.js";
import { mergedFreeBusy, mergedOfMembers, slotsIn } from "../availability/merged-free-busy.js";
import type { InstantMs } from "../availability/time-window.js";
import type { BackendAsker, Pending, Wanted } from "./ask-backends.js";
import type { AvailabilityBackend } from "./availability-backend.js";
import type { GroupExpander } from "./expand-group.js";
import type { Route } from "./route-mailbox.js";
import { backendOf, type SecondChance, type Settled } from "./second-chance.js";
import { isPassing } from "./stale-answers.js";
import { distinct, distinctTargets, type Target } from "./targets.js";
import { TimeBudget } from "./time-budget.js";
import type { AskedDetail } from "./view-cache.js";

export interface TargetSettlerParts {
  readonly backends: ReadonlyMap<string, AvailabilityBackend>;
  readonly asker: BackendAsker;
  readonly secondChance: SecondChance;
  readonly groups: GroupExpander;
}

/** What is asked about all targets of a lookup. */
export interface TargetQuestion {
  readonly query: AvailabilityQuery;
  readonly detail: AskedDetail;
  readonly origin: string | undefined;
  /** The caller's name. */
  readonly askedBy: string;
  /** Nothing that is kept may answer. */
  readonly anew?: boolean;
  readonly rule: DisclosureRule;
}

/** One a target, where a backend is asked about it. */
type AllPending = readonly (Pending | undefined)[];

interface Entry {
  readonly target: Target;
  readonly pending: Pending | undefined;
}

export class TargetSettler {
  readonly #parts: TargetSettlerParts;

  constructor(parts: TargetSettlerParts) {
    this.#parts = parts;
  }

  /** In the order of the targets, within `remainingMs()`. At once, without a promise, when everything is known. */
  settle(
    targets: readonly Target[],
    question: TargetQuestion,
    remainingMs: () => number,
  ): readonly Settled[] | Promise<readonly Settled[]> {
    const pending = this.#ask(targets, question);
    const atOnce = pending instanceof Promise ? undefined : this.#settledAtOnce(targets, pending);
    return atOnce ?? this.#settle(targets, pending, question, remainingMs());
  }

  #ask(
    targets: readonly Target[],
    { query, detail, origin, askedBy, anew }: TargetQuestion,
  ): AllPending | Promise<AllPending> {
    const positions: number[] = [];
    const pairs: Wanted[] = [];
    targets.forEach(({ route }, i) => {
      const backend = route.kind === "backend" ? this.#parts.backends.get(route.backend) : undefined;
      if (backend === undefined || route.address === undefined) return;
      positions.push(i);
      pairs.push({ backend, address: route.address });
    });
    if (pairs.length === 0) return targets.map(() => undefined);
    const { once, indexOf } = distinct(pairs, ({ backend, address }) => `${backend.name}\0${address}`);
    const pending = this.#parts.asker.answersFor(once, query.window, detail, origin, askedBy, anew);
    const placed = (all: readonly Pending[]): AllPending => {
      const one = new Array<Pending | undefined>(targets.length);
      positions.forEach((target, i) => {
        one[target] = all[indexOf[i] as number];
      });
      return one;
    };
    return pending instanceof Promise ? pending.then(placed) : placed(pending);
  }

  /** When every answer is there and none is in doubt; undefined otherwise. */
  #settledAtOnce(targets: readonly Target[], pending: AllPending): readonly Settled[] | undefined {
    const settled: Settled[] = [];
    for (let i = 0; i < targets.length; i++) {
      const { asked, route } = targets[i] as Target;
      const answer = pending[i]?.answer ?? this.#answerWithout(route);
      if (answer === undefined || answer instanceof Promise) return undefined;
      if (this.#parts.secondChance.worthwhile({ route, answer })) return undefined;
      settled.push({ asked, route, cache: pending[i]?.cache ?? "none", answer });
    }
    return settled;
  }

  async #settle(
    targets: readonly Target[],
    pending: AllPending | Promise<AllPending>,
    question: TargetQuestion,
    remainingMs: number,
  ): Promise<readonly Settled[]> {
    const budget = new TimeBudget(remainingMs);
    try {
      const asked = await budget.within(pending, () => undefined);
      return await this.#settleWithin(targets, asked ?? [], question, budget);
    } finally {
      budget.end();
    }
  }

  async #settleWithin(
    targets: readonly Target[],
    pending: AllPending,
    question: TargetQuestion,
    budget: TimeBudget,
  ): Promise<readonly Settled[]> {
    // Per presumed owner, so that doubts about one system's answers do not wait for another's.
    const entries = new Map<string | undefined, Entry[]>();
    const positions = targets.map((target, i) => {
      const owner = backendOf(target.route);
      const others = entries.get(owner) ?? [];
      entries.set(owner, others);
      return { owner, at: others.push({ target, pending: pending[i] }) - 1 };
    });
    const byOwner = new Map([...entries].map(([owner, own]) => [owner, this.#settleOwner(own, question, budget)]));
    return Promise.all(
      positions.map(async ({ owner, at }) => ((await byOwner.get(owner)) as readonly Settled[])[at] as Settled),
    );
  }

  /** The mailboxes presumed to belong to one owner: their first answers, then a second chance for the doubtful ones. */
  async #settleOwner(
    entries: readonly Entry[],
    question: TargetQuestion,
    budget: TimeBudget,
  ): Promise<readonly Settled[]> {
    const asked = await Promise.all(entries.map((entry) => this.#first(entry, question, budget)));
    const first = await this.#ratherStale(asked, question, budget);
    const { secondChance } = this.#parts;
    const doubtful = first.filter((one) => secondChance.worthwhile(one));
    if (doubtful.length === 0) return first;
    const { origin, askedBy, anew, query, detail, rule } = question;
    const chance = { origin, askedBy, anew, window: query.window, detail, rule };
    const { over, soFar } = secondChance.take(doubtful, chance, budget.signal);
    await budget.within(over, () => undefined);
    const answered = await Promise.all(soFar().map((one) => this.#groupFound(one, question, budget)));
    const places = new Map(doubtful.map((one, i) => [one, answered[i] as Settled]));
    return first.map((one) => places.get(one) ?? one);
  }

  /** Where a backend failed for a reason that passes, what is still known, if stale answers are wanted. */
  async #ratherStale(
    settled: readonly Settled[],
    { query, detail, anew }: TargetQuestion,
    budget: TimeBudget,
  ): Promise<readonly Settled[]> {
    if (anew) return settled;
    const failing = settled.flatMap((one) => {
      const { route, answer } = one;
      const backend =
        route.kind === "backend" && isPassing(answer) ? this.#parts.backends.get(route.backend) : undefined;
      return backend === undefined || route.address === undefined ? [] : [{ one, backend, address: route.address }];
    });
    if (failing.length === 0) return settled;
    const found = this.#parts.asker.insteadOfFailures(failing, query.window, detail);
    // When time is up already, there is still time for what needs none.
    const known = found instanceof Promise ? await budget.within(found, () => []) : found;
    const instead = new Map(failing.map(({ one }, i) => [one, known[i]]));
    return settled.map((one) => ({ ...one, ...instead.get(one) }));
  }

  /** What turned out to be a group is answered like one. */
  async #groupFound(settled: Settled, question: TargetQuestion, budget: TimeBudget): Promise<Settled> {
    const { route } = settled;
    if (route.kind !== "group") return settled;
    return { ...settled, answer: await this.#answerGroup(route, question, budget) };
  }

  async #first({ target, pending }: Entry, question: TargetQuestion, budget: TimeBudget): Promise<Settled> {
    const { asked, route } = target;
    if (route.kind === "group") {
      const answer = await this.#answerGroup(route, question, budget);
      return { asked, route, cache: answer.kind === "view" && answer.stale ? "stale" : "none", answer };
    }
    const spent = () => failed({ reason: "budget-spent", backend: backendOf(route) });
    if (pending === undefined) return { asked, route, cache: "none", answer: this.#answerWithout(route) ?? spent() };
    return { asked, route, cache: pending.cache, answer: await budget.within(pending.answer, spent) };
  }

  /** What a route says by itself: its refusal, or that it leads nowhere. Undefined: there is somebody to ask. */
  #answerWithout(route: Route): MailboxAnswer | undefined {
    if (route.kind === "failure") return failed(route.failure);
    if (route.kind === "group" || this.#parts.backends.has(route.backend)) return undefined;
    return failed({ reason: "backend-error", backend: route.backend, detail: "no backend has this name" });
  }

  /** One view in slots for all members of a group, from every system that has some of them. */
  async #answerGroup(
    group: Route & { readonly kind: "group" },
    { query, origin, askedBy, anew, rule }: TargetQuestion,
    budget: TimeBudget,
  ): Promise<MailboxAnswer> {
    const expanding = this.#parts.groups.expand(group, origin, rule, budget.signal);
    const expansion = await budget.within(expanding, () => ({ reason: "budget-spent" as const }));
    if ("reason" in expansion) return failed(expansion);
    const { once: targets } = distinctTargets(expansion.members);
    const detail = rule.privateEvents === "busy" ? "details" : "times";
    const question: TargetQuestion = { query, detail, origin, askedBy, anew: anew ?? false, rule };
    const pending = await budget.within(this.#ask(targets, question), () => []);
    const settled = await this.#settleWithin(targets, pending, question, budget);
    const { window, intervalMinutes } = query;
    const known: string[] = [];
    let unknownForNow: MailboxAnswer | undefined;
    let { someUnknown } = expansion;
    let oldest: InstantMs | undefined;
    let stale = false;
    for (const { route, answer } of settled) {
      const { learntAt } = answer;
      if (learntAt !== undefined && (oldest === undefined || learntAt < oldest)) oldest = learntAt;
      if (answer.kind === "view") {
        const view = withPrivateEvents(answer.view, rule.privateEvents);
        known.push(mergedFreeBusy(view, window, intervalMinutes).digits);
        stale ||= answer.stale === true;
      } else if (!WITHOUT_DATA.has(answer.failure.reason)) unknownForNow = answer;
      else if (route.kind === "failure" && route.livesElsewhere) someUnknown = true;
    }
    if (known.length === 0 && unknownForNow !== undefined) return unknownForNow;
    someUnknown ||= unknownForNow !== undefined;
    const digits = mergedOfMembers(known, slotsIn(window, intervalMinutes), someUnknown);
    const view: FreeBusyView = { detail: "merged", merged: { start: window.start, intervalMinutes, digits } };
    // As old as its oldest member, and stale when any is.
    const answer: MailboxAnswer = stale ? { kind: "view", view, stale } : viewed(view);
    return oldest === undefined ? answer : learnt(answer, oldest);
  }
}

/** Reasons for which nobody has a member's time. What we may not ask, or cannot just now, is unknown: somebody has it. */
const WITHOUT_DATA: ReadonlySet<string> = new Set([
  "invalid-address",
  "unresolved-legacy-dn",
  "no-address-space",
  "mailbox-not-found",
  "no-access",
]);
