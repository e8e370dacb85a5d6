/**
 * Decides what is said when a backend's own time is over: whether it was asked at all, and how long its answer was
 * waited for, which is less than its time where the question had to wait for its turn.
 */

import type { MailboxFailure } from "../availability/mailbox-answer.js";
import type { AvailabilityBackend } from "../proxy/availability-backend.js";

/** `sentAt` by performance.now(); undefined: nothing was sent. */
export function outOfTime(
  { name: backend, timeoutMs }: Pick<AvailabilityBackend, "name" | "timeoutMs">,
  sentAt: number | undefined,
): MailboxFailure {
  if (sentAt === undefined) return { reason: "queue-timeout", backend, detail: `not sent in ${timeoutMs} ms` };
  const waitedMs = Math.round(performance.now() - sentAt);
  return { reason: "backend-timeout", backend, detail: `no answer in ${waitedMs} ms` };
}
