/**
 * Decides how routes that are not EWS refuse: one form for everything that goes wrong after
 * signing in, told to the observer like any other refusal. A bug is answered without detail.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FailureReason } from "../availability/mailbox-answer.js";
import type { ParameterProblem } from "../json/availability-question.js";
import { PROBLEM_JSON, problemCount, writeProblem } from "../json/problem-details.js";
import type { LookupObserver } from "../proxy/lookup-observer.js";
import { type HttpRefusal, unreadRefusal } from "./http-refusals.js";

type ProblemReason = HttpRefusal | FailureReason;
export type ProblemObserver = Pick<LookupObserver, "requestRefused" | "unexpected">;

export class ProblemReplies {
  readonly #observer: ProblemObserver;

  constructor(observer: ProblemObserver) {
    this.#observer = observer;
  }

  /** `reason`: for logs and metrics, a fixed word. */
  refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    reason: ProblemReason,
    sentence: string,
  ): FastifyReply {
    this.#tell(request, status, reason);
    return reply.code(status).type(PROBLEM_JSON).send(writeProblem(status, sentence));
  }

  badQuestion(request: FastifyRequest, reply: FastifyReply, problems: readonly ParameterProblem[]): FastifyReply {
    this.#tell(request, 400, "bad-question");
    return reply
      .code(400)
      .type(PROBLEM_JSON)
      .send(writeProblem(400, problemCount(problems), problems));
  }

  /** What the routes of `app` throw, and what cannot be read before they are reached. */
  handleErrors(app: FastifyInstance): void {
    app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
      const status = error.statusCode ?? 500;
      if (status < 500) {
        const sentence = SENTENCES[status] ?? "The request cannot be read.";
        return this.refuse(request, reply, status, unreadRefusal(error), sentence);
      }
      this.#observer.unexpected("a look-up failed", error);
      return reply.code(500).type(PROBLEM_JSON).send(writeProblem(500, "An internal error occurred; the log has it."));
    });
  }

  #tell({ id, source, caller }: FastifyRequest, status: number, reason: ProblemReason): void {
    this.#observer.requestRefused({ id, source, caller: caller?.name, status, reason });
  }
}

const SENTENCES: Readonly<Record<number, string>> = {
  400: "The body is not JSON.",
  413: "The request is larger than this gateway reads; see listen.bodyLimitBytes.",
  415: "Send the question as Content-Type: application/json.",
};
