/**
 * Decides how a WorkMail event is answered, however it arrived: its questions at once, each
 * failing alone, and every mailbox with an entry of its own by the time there has to be one.
 * Only an event that is none is refused; WorkMail would fail all mailboxes of it either way.
 */

import type { AvailabilityQuery } from "../availability/availability-query.js";
import type { FailureReason, MailboxAnswer } from "../availability/mailbox-answer.js";
import { failed } from "../availability/mailbox-answer.js";
import type { Asking } from "../proxy/asking.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import { TimeBudget } from "../proxy/time-budget.js";
import type { CapQuestion } from "../workmail-cap/cap-event.js";
import type { CapEntry } from "../workmail-cap/cap-response.js";
import { entriesWithin } from "../workmail-cap/within-size.js";

export interface CapAnswering {
  readonly answer: (
    query: AvailabilityQuery,
    asking: Asking,
    id: string,
  ) => readonly MailboxAnswer[] | Promise<readonly MailboxAnswer[]>;
  readonly observer: Pick<LookupObserver, "unexpected">;
}

/** One entry per mailbox, in order, no larger than may be returned; after `withinMs` milliseconds at the latest. Never rejects. */
export async function capAnswers(
  question: CapQuestion,
  { answer, observer }: CapAnswering,
  asking: Asking,
  id: string,
  withinMs: number,
): Promise<readonly CapEntry[]> {
  const budget = new TimeBudget(withinMs);
  const { mailboxes, queries } = question;
  const several = queries.length > 1;
  try {
    const answers = await Promise.all(
      queries.map(async (query, i) => {
        const all = (reason: FailureReason) => query.mailboxes.map(() => failed({ reason }));
        const asked = async () => {
          try {
            return await answer(query, asking, several ? `${id}.${i + 1}` : id);
          } catch (error) {
            observer.unexpected("an availability event failed", error);
            return all("backend-error");
          }
        };
        return { query, answers: await budget.within(asked(), () => all("budget-spent")) };
      }),
    );
    const all = answers.flatMap(({ query, answers }) =>
      query.mailboxes.map((_, i) => ({ query, answer: answers[i] as MailboxAnswer })),
    );
    return entriesWithin(all.map((one, i) => ({ mailbox: mailboxes[i], ...one })));
  } finally {
    budget.end();
  }
}

/** Lower case, as rules about requesters are written. */
export function onBehalfOf({ requester: { email } }: CapQuestion): readonly string[] {
  return email === undefined ? [] : [email.toLowerCase()];
}
