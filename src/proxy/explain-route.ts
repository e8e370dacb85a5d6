/**
 * Decides how a routing decision is told to people: every step that was considered, with
 * its evidence and age, and what came of it; on request, what the backend says now.
 *
 * Tells nothing about anybody's time: whether there was a view, never what is in it.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import { parseMailboxAddress } from "../availability/mailbox-address.js";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import { DAY_MS, type InstantMs, instant } from "../availability/time-window.js";
import type { QueryAnswerer } from "./answer-query.js";
import type { RouteStep } from "./resolve-owner.js";
import type { MailboxRouter, Route } from "./route-mailbox.js";

export interface Decision {
  readonly kind: Route["kind"];
  readonly backend?: string;
  /** The address the backend is, or would be, asked about. */
  readonly address?: string;
  readonly rule: string;
  readonly reason?: string;
}

export interface RouteExplanation {
  readonly address: string;
  /** The system that asks, or "none". */
  readonly as: string;
  readonly steps: readonly RouteStep[];
  readonly decision: Decision;
  /** Only when asked to ask. */
  readonly asked?: {
    readonly result: string;
    readonly backend?: string;
    readonly code?: string;
    readonly detail?: string;
    readonly durationMs: number;
    /** Where the answer changed what is known: the decision as it is now. */
    readonly decisionNow?: Decision;
  };
}

/** `text` is an SMTP address, or a legacyExchangeDN beginning with "/o=". */
export async function explainRoute(
  text: string,
  origin: string | undefined,
  router: MailboxRouter,
  answerer: QueryAnswerer | undefined,
  clock: () => InstantMs,
): Promise<RouteExplanation> {
  const trimmed = text.trim();
  const address = parseMailboxAddress(trimmed);
  const asked: AskedMailbox = {
    text: trimmed,
    routingType: address === undefined && trimmed.startsWith("/") ? "EX" : "SMTP",
    address,
  };
  const { route, steps } = router.explain(asked, origin);
  const explanation = { address: address ?? trimmed, as: origin ?? "none", steps, decision: decisionOf(route) };
  if (answerer === undefined) return explanation;

  const started = clock();
  const start = Math.floor(started / DAY_MS) * DAY_MS;
  const caller = { name: "explain", origin, maximumDetail: "merged" as const };
  const query = {
    mailboxes: [asked],
    window: { start: instant(start), end: instant(start + DAY_MS) },
    intervalMinutes: 60,
    view: { detail: "merged" as const, merged: true },
  };
  const [answer] = await answerer.answer(query, { caller, returned: false }, "explain");
  const after = decisionOf(router.explain(asked, origin).route);
  const changed = JSON.stringify(after) !== JSON.stringify(explanation.decision);
  return {
    ...explanation,
    asked: {
      ...resultOf(answer as MailboxAnswer),
      durationMs: clock() - started,
      ...(changed && { decisionNow: after }),
    },
  };
}

function decisionOf(route: Route): Decision {
  const { kind, rule, address } = route;
  const place = address === undefined ? { kind, rule } : { kind, rule, address };
  if (route.kind === "backend") return { ...place, backend: route.backend };
  if (route.kind === "group") return place;
  const { reason, backend } = route.failure;
  return backend === undefined ? { ...place, reason } : { ...place, reason, backend };
}

function resultOf(answer: MailboxAnswer) {
  if (answer.kind === "view") return { result: "a view" };
  const { reason, backend, code, detail } = answer.failure;
  return {
    result: reason,
    ...(backend !== undefined && { backend }),
    ...(code !== undefined && { code }),
    ...(detail !== undefined && { detail }),
  };
}
