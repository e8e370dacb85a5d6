/**
 * Decides the answer to a query: every mailbox routed on its own, asked once however
 * often it is named, put back in the order asked, and lowered to what the caller may see.
 *
 * Answers find their mailbox by index, never by searching, so nothing can be mixed up.
 * What is not known when the time budget ends is a failure with its own reason; what is
 * known by then is given.
 *
 * Knows ports only: no wire on either side.
 */

import type { AskedMailbox, AvailabilityQuery } from "../availability/availability-query.js";
import { lowered } from "../availability/disclosure.js";
import { type DisclosureRule, withPrivateEvents } from "../availability/disclosure-rules.js";
import { atMost, type ViewDetail, viewWithin } from "../availability/free-busy-view.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import type { Asking } from "./asking.js";
import { disclosedRoute, ruleOf } from "./disclosed-route.js";
import type { LookupObserver, MailboxOutcome } from "./lookup-observer.js";
import type { MailboxRouter, Route } from "./route-mailbox.js";
import { backendOf, type Settled } from "./second-chance.js";
import type { TargetSettler } from "./settle-targets.js";
import { distinctTargets } from "./targets.js";

export interface QueryAnswererParts {
  readonly router: MailboxRouter;
  readonly settler: TargetSettler;
  readonly observer: LookupObserver;
  readonly budgetMs: number;
  /** Only runs on; the same clock as for {@link Asking.since}. */
  readonly now: () => number;
}

type Answers = readonly MailboxAnswer[];

export class QueryAnswerer {
  readonly #parts: QueryAnswererParts;

  constructor(parts: QueryAnswererParts) {
    this.#parts = parts;
  }

  /**
   * One answer per mailbox of the query, in its order, inside the time budget. At once, without a promise, when everything
   * is known. `id` names the lookup in logs.
   */
  answer(query: AvailabilityQuery, asking: Asking, id: string): Answers | Promise<Answers> {
    const { settler, now } = this.#parts;
    const started = now();
    const { since = started, withinMs = Number.POSITIVE_INFINITY } = asking;
    const ends = Math.min(since + this.#parts.budgetMs, started + withinMs);
    const rule = ruleOf(asking, (address) => this.#parts.router.askedAs(address));
    const limit = atMost(query.view.detail, rule.maximumDetail);
    const routed = query.mailboxes.map((asked) => ({ asked, route: this.#route(asked, asking, rule) }));
    const { once: targets, indexOf } = distinctTargets(routed);
    const question = {
      query,
      // Which events are private is seen in details only.
      detail: limit === "details" || rule.privateEvents === "busy" ? "details" : "times",
      origin: asking.caller.origin,
      askedBy: asking.caller.name,
      anew: asking.anew ?? false,
      rule,
    } as const;
    const settled = settler.settle(targets, question, () => ends - now());
    const finish = (all: readonly Settled[]) => this.#finish(query, asking, rule, limit, id, started, all, indexOf);
    return settled instanceof Promise ? settled.then(finish) : finish(settled);
  }

  #route(asked: AskedMailbox, { caller: { origin }, returned }: Asking, rule: DisclosureRule): Route {
    if (returned) return { kind: "failure", failure: { reason: "loop-detected" }, rule: "a mark of this gateway" };
    const { router } = this.#parts;
    return disclosedRoute(router.route(asked, origin), asked, rule, (...about) => router.addressesFor(...about));
  }

  /** Lowers, reassembles and tells. One view per distinct mailbox; duplicates share it. */
  #finish(
    query: AvailabilityQuery,
    { caller, source }: Asking,
    rule: DisclosureRule,
    limit: ViewDetail,
    id: string,
    started: number,
    settled: readonly Settled[],
    indexOf: readonly number[],
  ): Answers {
    const { observer, now } = this.#parts;
    const shown = settled.map(({ answer, route }) => {
      if (answer.kind === "failure") return answer;
      const within = viewWithin(answer.view, query.window);
      // Of a group, it has been done for each member.
      const shownEvents = route.kind === "group" ? within : withPrivateEvents(within, rule.privateEvents);
      const view = lowered(shownEvents, limit, query.window, query.intervalMinutes);
      // How old it is stays with it, whatever is taken away.
      return view === answer.view ? answer : { ...answer, view };
    });
    const answers = indexOf.map((index) => shown[index] as MailboxAnswer);
    observer.lookupAnswered({
      id,
      caller: caller.name,
      origin: caller.origin,
      source,
      windowMs: query.window.end - query.window.start,
      durationMs: now() - started,
      mailboxes: answers.map((answer, i) => outcome(query, settled[indexOf[i] as number] as Settled, i, answer)),
    });
    return answers;
  }
}

function outcome(
  query: AvailabilityQuery,
  { route, cache }: Settled,
  i: number,
  answer: MailboxAnswer,
): MailboxOutcome {
  const asked = query.mailboxes[i];
  return {
    mailbox: asked?.address ?? asked?.text ?? "",
    rule: route.rule,
    backend: backendOf(route),
    cache,
    delivered: answer.kind === "view" ? answer.view.detail : undefined,
    failure: answer.kind === "failure" ? answer.failure : undefined,
    asOf: answer.kind === "view" && answer.stale ? answer.learntAt : undefined,
  };
}
