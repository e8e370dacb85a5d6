/**
 * Decides how one call of WorkMail's control API is made: the SDK loaded on first use (it
 * takes a hundred milliseconds to import), the standard credential chain, how
 * often it is repeated, lists read page by page to their end, and every failure a DirectoryError.
 *
 * Knows no operation by itself, and nothing of users, groups and records.
 */

import type { WorkMail } from "@aws-sdk/client-workmail";
import { DirectoryError } from "./directory-source.js";
import { abandoned, workMailError } from "./workmail-errors.js";

export interface WorkMailCallOptions {
  /** "m-" and 32 hexadecimal digits. */
  readonly organizationId: string;
  readonly region: string;
  /** Instead of the region's own, for a private endpoint. */
  readonly endpoint?: string | undefined;
  /** How long one attempt may be silent: while connecting, before it answers, and between bytes. */
  readonly timeoutMs: number;
}

/** One operation of the SDK; `Extra` is what the caller of it adds to the organization. */
export type Call<Extra, Answer> = (
  api: WorkMail,
  input: { OrganizationId: string } & Extra,
  options: { abortSignal: AbortSignal },
) => Promise<Answer>;

/**
 * How throttling is met. Patient: the SDK's adaptive mode, which after the first refusal sends only a few calls a second and
 * keeps all others of the same client waiting. Prompt: for a caller who waits for one answer.
 */
export type CallManner = "patient" | "prompt";

const RETRIES = {
  patient: { retryMode: "adaptive", maxAttempts: 5 },
  prompt: { retryMode: "standard", maxAttempts: 3 },
} as const;

export class WorkMailCalls {
  readonly #options: WorkMailCallOptions;
  readonly #manner: CallManner;
  #loading: Promise<WorkMail> | undefined;
  #closed = false;

  constructor(options: WorkMailCallOptions, manner: CallManner) {
    this.#options = options;
    this.#manner = manner;
  }

  /** Throws a DirectoryError. `operation` as in IAM: "ListUsers". */
  async ask<Answer>(operation: string, signal: AbortSignal, call: Call<object, Answer>): Promise<Answer> {
    const { organizationId, region, timeoutMs } = this.#options;
    if (signal.aborted) throw abandoned(operation, signal);
    if (this.#closed) throw new DirectoryError("CLOSED", `${operation} was asked of a directory that is closed`);
    const answer = async (abortSignal: AbortSignal) => {
      this.#loading ??= load(this.#options, this.#manner);
      return call(await this.#loading, { OrganizationId: organizationId }, { abortSignal });
    };
    try {
      return await unlessAborted(answer, signal);
    } catch (error) {
      throw workMailError(error, { operation, organizationId, region, timeoutMs }, signal);
    }
  }

  /** Every page of a list. Throws a DirectoryError when the end is not reached. */
  async *pages<Page extends { NextToken?: string | undefined }>(
    operation: string,
    signal: AbortSignal,
    call: Call<{ NextToken?: string }, Page>,
  ): AsyncGenerator<Page> {
    const seen = new Set<string>();
    for (let token: string | undefined; ; ) {
      const next: { NextToken?: string } = token === undefined ? {} : { NextToken: token };
      const page = await this.ask(operation, signal, (api, input, options) =>
        call(api, { ...input, ...next }, options),
      );
      yield page;
      token = page.NextToken || undefined;
      if (token === undefined) return;
      if (seen.has(token)) throw new DirectoryError("REPEATED_TOKEN", `${operation} gave the same page twice`);
      seen.add(token);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#loading?.catch(() => undefined);
    client?.destroy();
  }
}

async function load({ region, endpoint, timeoutMs }: WorkMailCallOptions, manner: CallManner): Promise<WorkMail> {
  const { WorkMail } = await import("@aws-sdk/client-workmail");
  return new WorkMail({
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...RETRIES[manner],
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      // Without this the SDK only writes a warning.
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
    },
  });
}

/**
 * Ends at once, also while the SDK is imported or looks for credentials, which it would finish first. The SDK gets a signal
 * of its own: it leaves several listeners on it per call, and Node warns of more than ten on the caller's.
 */
async function unlessAborted<Answer>(ask: (own: AbortSignal) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const own = new AbortController();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      own.abort(signal.reason);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([ask(own.signal), aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
