/**
 * Decides how a system that speaks EWS is asked: Exchange, WorkMail, or another server of
 * that language. Splits the question to the backend's limits, asks the parts at once, and
 * puts them together; each part fails on its own, with its own reason.
 *
 * What differs between Exchange and WorkMail is data ({@link EwsDialect}), not code.
 */

import { setMaxListeners } from "node:events";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import { failed, type MailboxAnswer, type MailboxFailure } from "../availability/mailbox-answer.js";
import { RequestFault } from "../availability/request-fault.js";
import { DAY_MS, slices } from "../availability/time-window.js";
import { writeAvailabilityRequest } from "../ews/get-user-availability-request.js";
import { type AskedOfBackend, type BackendAnswer, readBackendAnswer } from "../ews/read-backend-answer.js";
import { xmlText } from "../ews/xml-bytes.js";
import type { AccountStanding } from "../proxy/account-observer.js";
import type { AvailabilityBackend, BackendHealth, BackendQuestion } from "../proxy/availability-backend.js";
import type { EndpointStanding } from "../proxy/endpoint-observer.js";
import type { Endpoint } from "./endpoint.js";
import { CircuitOpen } from "./endpoint-channel.js";
import { HandshakeFailure } from "./handshake.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { failureOfFault, failureOfStatus } from "./http-failures.js";
import { joinSlices } from "./join-slices.js";
import { outOfTime } from "./out-of-time.js";
import type { ServiceAccounts } from "./service-accounts.js";
import { TokenError } from "./token-source.js";

export interface EwsDialect {
  /** Declared in RequestServerVersion; the second is tried once when the first is refused, and kept if it works. */
  readonly serverVersions: readonly [first: string, fallback: string];
  readonly maximumMailboxes: number;
  readonly maximumWindowDays: number;
  /** How long its "server busy" is believed at most. */
  readonly longestPauseMs: number;
}

export interface EwsBackendOptions {
  readonly name: string;
  readonly timeoutMs: number;
  readonly dialect: EwsDialect;
  /** What the accounts' channels lead to, for people. */
  readonly endpoints?: readonly Endpoint[];
}

/**
 * The slots asked for, where a backend grants no events. Always the same, so that an answer from the cache is the
 * answer that would be fetched; callers' slots are worked out from these, upwards, never to less.
 */
const INTERVAL_MINUTES = 15;
const HEALTH_IS_FRESH_MS = 30_000;
const REACH_TIMEOUT_MS = 3_000;

export class EwsBackend implements AvailabilityBackend {
  readonly name: string;
  readonly serviceAccount: string;
  readonly timeoutMs: number;
  readonly #dialect: EwsDialect;
  readonly #accounts: ServiceAccounts;
  readonly #endpoints: readonly Endpoint[];
  #secretsTimer: NodeJS.Timeout | undefined;
  #serverVersion: string;
  #lastAsked: { readonly at: number; readonly health: BackendHealth } | undefined;

  constructor(options: EwsBackendOptions, accounts: ServiceAccounts) {
    this.name = options.name;
    this.serviceAccount = accounts.name;
    this.timeoutMs = options.timeoutMs;
    this.#dialect = options.dialect;
    this.#serverVersion = options.dialect.serverVersions[0];
    this.#accounts = accounts;
    this.#endpoints = options.endpoints ?? [];
  }

  async ask(question: BackendQuestion, signal: AbortSignal): Promise<readonly MailboxAnswer[]> {
    // Each part listens to the one signal; there may be many parts.
    setMaxListeners(0, signal);
    const windows = slices(question.window, this.#dialect.maximumWindowDays * DAY_MS);
    const batches = chunks(question.mailboxes, this.#dialect.maximumMailboxes);
    const answered = await Promise.all(
      batches.map(async (mailboxes) => {
        const parts = await Promise.all(
          windows.map((window) => this.#askPart({ mailboxes, window, detail: question.detail }, signal)),
        );
        return mailboxes.map((_, i) =>
          joinSlices(
            parts.map((part) => part[i] as MailboxAnswer),
            windows,
            INTERVAL_MINUTES,
          ),
        );
      }),
    );
    return answered.flat();
  }

  async health(): Promise<BackendHealth> {
    return { ...(await this.#reachable()), accounts: this.#accounts.state(), endpoints: this.endpoints() };
  }

  async #reachable(): Promise<BackendHealth> {
    if (this.#lastAsked !== undefined && performance.now() - this.#lastAsked.at < HEALTH_IS_FRESH_MS) {
      return this.#lastAsked.health;
    }
    try {
      const status = await this.#accounts.reach(AbortSignal.timeout(REACH_TIMEOUT_MS));
      return { usable: true, reason: `reachable (HTTP ${status}); not asked in the last 30 s` };
    } catch (error) {
      const why = error instanceof TransportError ? error.code : "no answer in 3 s";
      return {
        usable: false,
        reason: `backend-unreachable: ${why}. Check the url, name resolution, firewall and certificate.`,
      };
    }
  }

  /** Looks at the accounts' secrets again and again, so that a new password needs no restart. */
  watchSecrets(everyMs: number): void {
    this.#secretsTimer = setInterval(() => this.#accounts.reload(), everyMs).unref();
  }

  accounts(): readonly AccountStanding[] {
    return this.#accounts.state();
  }

  endpoints(): readonly EndpointStanding[] {
    return this.#endpoints.map(({ standing }) => standing);
  }

  async close(): Promise<void> {
    clearInterval(this.#secretsTimer);
    await this.#accounts.close();
  }

  /** One request, at most as large as the backend takes. One answer per mailbox, always. */
  async #askPart(part: BackendQuestion, signal: AbortSignal): Promise<readonly MailboxAnswer[]> {
    const askedAt = performance.now();
    const attempt = () => this.#askOnce(part, signal).catch((error: unknown) => this.#failureOf(error));
    let result = await attempt();
    // The account that was told to come back later is paused by now; with another one it is no later.
    for (let others = this.#accounts.count - 1; others > 0 && isThrottled(result) && this.#accounts.usable; others--) {
      if (signal.aborted) break;
      result = await attempt();
    }
    const whole = "reason" in result ? result : undefined;
    this.#remember(whole, askedAt);
    if ("reason" in result) return part.mailboxes.map(() => failed(result));
    return result;
  }

  async #askOnce(part: BackendQuestion, signal: AbortSignal): Promise<readonly MailboxAnswer[] | MailboxFailure> {
    const [, fallback] = this.#dialect.serverVersions;
    // Another question may change it meanwhile.
    const declared = this.#serverVersion;
    const first = await this.#exchange(part, declared, signal);
    const refused = "code" in first && first.code === "ErrorInvalidServerVersion";
    if (!refused || declared === fallback) return first;
    const second = await this.#exchange(part, fallback, signal);
    if (!("reason" in second)) this.#serverVersion = fallback;
    return second;
  }

  async #exchange(
    part: BackendQuestion,
    serverVersion: string,
    signal: AbortSignal,
  ): Promise<readonly MailboxAnswer[] | MailboxFailure> {
    const backend = this.name;
    const asked = { ...part, backend, intervalMinutes: INTERVAL_MINUTES };
    let sentAt: number | undefined;
    const question = (impersonate: MailboxAddress | undefined) => {
      sentAt = performance.now();
      return writeAvailabilityRequest({ ...asked, serverVersion, impersonate });
    };
    const posted = await this.#accounts.post(question, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
      return outOfTime(this, sentAt);
    });
    if ("reason" in posted) return posted;
    const { answer: http, account } = posted;
    const refused = failureOfStatus(backend, http);
    if (refused !== undefined) return refused;
    const { contentEncoding } = http;
    if (contentEncoding !== undefined && contentEncoding !== "identity") {
      return {
        reason: "backend-unreadable",
        backend,
        detail: `content encoding ${contentEncoding}, which was not asked for`,
      };
    }
    const answer = readAnswer(http, asked);
    if ("reason" in answer) return answer;
    if (answer.kind === "fault") {
      const failure = failureOfFault(backend, answer.fault);
      // Its words for the whole question, not for one mailbox: this account has asked too much.
      if (failure.reason === "backend-busy") this.#pause(account, answer.fault.backOffMs);
      else this.#accounts.served(account);
      return failure;
    }
    this.#heed(answer.answers, account);
    const { length } = answer.answers;
    if (length === part.mailboxes.length) return answer.answers;
    return {
      reason: "backend-wrong-count",
      backend,
      detail: `${length} answers for ${part.mailboxes.length} mailboxes`,
    };
  }

  #failureOf(error: unknown): MailboxFailure {
    const backend = this.name;
    if (error instanceof HandshakeFailure) {
      return { reason: "backend-refused-credentials", backend, detail: error.detail };
    }
    if (error instanceof TokenError) {
      const reason = error.refused ? "backend-refused-credentials" : "backend-unreachable";
      return { reason, backend, detail: `${error.code}: ${error.detail}` };
    }
    if (error instanceof CircuitOpen) return { reason: "backend-circuit-open", backend, detail: error.detail };
    if (error instanceof TransportError) {
      const reason = error.code === "UND_ERR_RES_EXCEEDED_MAX_SIZE" ? "backend-unreadable" : "backend-unreachable";
      return { reason, backend, detail: error.code };
    }
    throw error;
  }

  /** One busy mailbox may be its own server's trouble; where a time is named, or all are busy, the account is meant. */
  #heed(answers: readonly MailboxAnswer[], account: string): void {
    const busy = answers.flatMap((one) =>
      one.kind === "failure" && one.failure.reason === "backend-busy" ? [one.failure] : [],
    );
    const told = busy.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]));
    if (told.length > 0) this.#pause(account, Math.max(...told));
    else if (busy.length < answers.length || busy.length === 0) this.#accounts.served(account);
    else if (busy.length > 1) this.#pause(account, undefined);
    else this.#accounts.slowDown(account);
  }

  #pause(account: string, ms: number | undefined): void {
    const { longestPauseMs } = this.#dialect;
    this.#accounts.pause(account, ms === undefined ? undefined : Math.min(ms, longestPauseMs));
  }

  #remember(failure: MailboxFailure | undefined, askedAt: number): void {
    // What was not sent says nothing of the system, nor one question without an answer of one that answers others.
    if (failure?.reason === "queue-timeout") return;
    const last = this.#lastAsked;
    const answeredSince = last?.health.usable === true && last.at >= askedAt;
    if (failure?.reason === "backend-timeout" && answeredSince) return;
    const health =
      failure === undefined
        ? { usable: true, reason: "answered when last asked" }
        : { usable: false, reason: `${failure.reason} when last asked${failure.detail ? `: ${failure.detail}` : ""}` };
    this.#lastAsked = { at: performance.now(), health };
  }
}

/** What the bytes say; when they say nothing, whether that is an answer gone wrong or a server's error page. */
function readAnswer(http: HttpAnswer, asked: AskedOfBackend): BackendAnswer | MailboxFailure {
  try {
    return readBackendAnswer(xmlText(http.body), asked);
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error;
    const { backend } = asked;
    if (http.status !== 200)
      return { reason: "backend-http-error", backend, detail: `HTTP ${http.status} without an EWS answer` };
    const type = http.contentType.split(";")[0]?.trim().toLowerCase() ?? "";
    return {
      reason: "backend-unreadable",
      backend,
      detail: `not an EWS answer (${/^[a-z/+.-]{1,40}$/.test(type) ? type : "no type"})`,
    };
  }
}

function isThrottled(result: readonly MailboxAnswer[] | MailboxFailure): boolean {
  return "reason" in result && result.reason === "backend-busy";
}

function chunks(mailboxes: readonly MailboxAddress[], size: number): (readonly MailboxAddress[])[] {
  const parts: (readonly MailboxAddress[])[] = [];
  for (let i = 0; i < mailboxes.length; i += size) parts.push(mailboxes.slice(i, i + size));
  return parts;
}

/** Exchange 2013 and later; the window limit is that of Exchange 2010 and later. */
export const EXCHANGE: EwsDialect = {
  serverVersions: ["Exchange2013", "Exchange2010"],
  maximumMailboxes: 100,
  maximumWindowDays: 62,
  longestPauseMs: 300_000,
};

/** Refuses every schema after Exchange2010_SP2. Its window limit is not documented, so the older one is kept to. */
export const WORKMAIL: EwsDialect = {
  serverVersions: ["Exchange2010_SP2", "Exchange2007_SP1"],
  maximumMailboxes: 100,
  maximumWindowDays: 42,
  // It says "server busy" also for what it will never manage.
  longestPauseMs: 30_000,
};

/** WorkMail's EWS endpoint in a region, as AWS documents it. */
export function workMailUrl(region: string): URL {
  return new URL(`https://ews.mail.${region}.awsapps.com/EWS/Exchange.asmx`);
}
