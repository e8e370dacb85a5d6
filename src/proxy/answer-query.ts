/**
 * Decides the answer to a query: every mailbox routed on its own, asked once however
 * often it is named, put back in the order asked, and lowered to what the caller may see.
 *
 * It owns the time budget. What is not known when the budget ends is a failure with its
 * own reason; what is known by then is given. Answers find their mailbox by index, never
 * by searching, so nothing can be mixed up.
 *
 * Knows ports only: no wire on either side.
 */

import type { AvailabilityQuery } from "../availability/availability-query.js";
import { lowered } from "../availability/disclosure.js";
import { atMost, type ViewDetail, viewWithin } from "../availability/free-busy-view.js";
import { failed, type MailboxAnswer, viewed } from "../availability/mailbox-answer.js";
import type { BackendAsker, Pending, Wanted } from "./ask-backends.js";
import type { AvailabilityBackend } from "./availability-backend.js";
import type { LookupObserver, MailboxOutcome } from "./lookup-observer.js";
import type { MailboxRouter, Route } from "./route-mailbox.js";

/** The authenticated machine account that asks, and what it may learn. */
export interface Caller {
  readonly name: string;
  /** The backend this caller speaks for, when it is one of them. */
  readonly origin: string | undefined;
  readonly maximumDetail: ViewDetail;
}

export interface QueryAnswererParts {
  readonly router: MailboxRouter;
  readonly backends: ReadonlyMap<string, AvailabilityBackend>;
  readonly asker: BackendAsker;
  readonly observer: LookupObserver;
  readonly budgetMs: number;
  readonly now: () => number;
}

export class QueryAnswerer {
  readonly #parts: QueryAnswererParts;

  constructor(parts: QueryAnswererParts) {
    this.#parts = parts;
  }

  /** One answer per mailbox of the query, in its order, inside the time budget. `id` names the lookup in logs. */
  async answer(query: AvailabilityQuery, caller: Caller, id: string): Promise<readonly MailboxAnswer[]> {
    const { observer, now } = this.#parts;
    const started = now();
    const limit = atMost(query.view.detail, caller.maximumDetail);

    const routes = this.#routesOf(query, caller.origin);
    const { wanted, indexOf } = this.#distinct(routes);
    const pending =
      wanted.length === 0
        ? []
        : await this.#parts.asker.answersFor(wanted, query.window, limit === "details" ? "details" : "times");
    const known = await this.#withinBudget(wanted, pending, started);

    // One view per distinct mailbox; duplicates and aliases share it.
    const shown = known.map((answer) => {
      if (answer.kind === "failure") return answer;
      const view = lowered(viewWithin(answer.view, query.window), limit, query.window, query.intervalMinutes);
      return view === answer.view ? answer : viewed(view);
    });
    const answers = routes.map((route, i) =>
      route.kind === "failure" ? failed(route.failure) : (shown[indexOf[i] as number] as MailboxAnswer),
    );

    observer.lookupAnswered({
      id,
      caller: caller.name,
      origin: caller.origin,
      windowMs: query.window.end - query.window.start,
      durationMs: now() - started,
      mailboxes: answers.map((answer, i) => outcome(query, routes, pending, indexOf, i, answer)),
    });
    return answers;
  }

  #routesOf(query: AvailabilityQuery, origin: string | undefined): Route[] {
    return query.mailboxes.map((asked) => this.#parts.router.route(asked, origin));
  }

  /** The distinct backend–mailbox pairs, and for every position the index of its pair. */
  #distinct(routes: readonly Route[]): { wanted: Wanted[]; indexOf: (number | undefined)[] } {
    const wanted: Wanted[] = [];
    const seen = new Map<string, number>();
    const indexOf = routes.map((route) => {
      if (route.kind === "failure") return undefined;
      const pair = `${route.backend}\0${route.address}`;
      let index = seen.get(pair);
      if (index === undefined) {
        index = wanted.length;
        seen.set(pair, index);
        wanted.push({ backend: this.#backend(route.backend), address: route.address });
      }
      return index;
    });
    return { wanted, indexOf };
  }

  #backend(name: string): AvailabilityBackend {
    const backend = this.#parts.backends.get(name);
    if (backend === undefined) throw new Error(`routing names a backend that does not exist: ${name}`);
    return backend;
  }

  async #withinBudget(
    wanted: readonly Wanted[],
    pending: readonly Pending[],
    started: number,
  ): Promise<readonly MailboxAnswer[]> {
    if (pending.every(({ answer }) => !(answer instanceof Promise))) {
      return pending.map(({ answer }) => answer as MailboxAnswer);
    }
    let timer: NodeJS.Timeout | undefined;
    const spent = new Promise<"spent">((resolve) => {
      timer = setTimeout(resolve, Math.max(0, this.#parts.budgetMs - (this.#parts.now() - started)), "spent");
    });
    try {
      return await Promise.all(
        pending.map(async ({ answer }, i) => {
          const first = await Promise.race([answer, spent]);
          return first === "spent"
            ? failed({ reason: "budget-spent", backend: (wanted[i] as Wanted).backend.name })
            : first;
        }),
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

function outcome(
  query: AvailabilityQuery,
  routes: readonly Route[],
  pending: readonly Pending[],
  indexOf: readonly (number | undefined)[],
  i: number,
  answer: MailboxAnswer,
): MailboxOutcome {
  const route = routes[i] as Route;
  const asked = query.mailboxes[i];
  return {
    mailbox: asked?.address ?? asked?.text ?? "",
    rule: route.rule,
    backend: route.kind === "backend" ? route.backend : route.failure.backend,
    cache: route.kind === "backend" ? (pending[indexOf[i] as number] as Pending).cache : "none",
    delivered: answer.kind === "view" ? answer.view.detail : undefined,
    failure: answer.kind === "failure" ? answer.failure : undefined,
  };
}
