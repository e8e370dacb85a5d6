/**
 * Decides how a caller's copy of an answer is confirmed instead of sent again: a weak
 * validator over what is known, so that an answer learnt anew with nothing changed still
 * counts as the same. Nothing is ever used without asking here first, and nothing is kept by
 * caches that serve several people: the next caller may see less.
 */

import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { MailboxAnswer } from "../availability/mailbox-answer.js";

export interface Validated {
  /** What the validator is made of; what is sent may say more. */
  readonly substance: string;
  readonly text: string;
  readonly type: string;
}

/** Sends it, or 304 where the caller has it already. `now` in milliseconds since 1970. */
export function sendValidated(
  request: FastifyRequest,
  reply: FastifyReply,
  { substance, text, type }: Validated,
  answers: readonly MailboxAnswer[],
  now: number,
): FastifyReply {
  const tag = `W/"${createHash("sha256").update(substance).digest("base64url").slice(0, 27)}"`;
  const oldest = Math.min(now, ...answers.flatMap(({ learntAt }) => learntAt ?? []));
  reply.headers({
    etag: tag,
    age: String(Math.floor((now - oldest) / 1000)),
    "cache-control": "private, no-cache",
    vary: "authorization",
    "request-id": request.id,
  });
  const asksAgain = request.method === "GET" || request.method === "HEAD";
  if (asksAgain && has(request.headers["if-none-match"], tag)) return reply.code(304).send();
  return reply.type(type).sendWhereRoom(() => text);
}

/** If-None-Match compares weakly (RFC 9110 13.1.2). */
function has(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const opaque = tag.replace(/^W\//, "");
  return header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === opaque);
}
