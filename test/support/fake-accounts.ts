/** A backend that knows accounts by their passwords, seen through channels that keep the books. No socket, no clock. */

import { instant } from "../../src/availability/time-window.js";
import type { AccountChannel, AccountOptions } from "../../src/backends/account-options.js";
import type { HttpAnswer } from "../../src/backends/http-channel.js";
import { ServiceAccounts } from "../../src/backends/service-accounts.js";
import { busyFor } from "../../src/backends/throttling.js";
import type { AccountChange } from "../../src/proxy/account-observer.js";

export const answerWith = (status: number, change: Partial<HttpAnswer> = {}): HttpAnswer => ({
  ...busyFor(0),
  retryAfter: undefined,
  status,
  ...change,
});

export interface SentRequest {
  readonly account: string;
  readonly secret: string;
  readonly body: string;
  readonly channel: FakeChannel;
  readonly startedAt: number;
  /** In the order of all starts and ends. */
  readonly started: number;
  ended?: number;
  status?: number;
}

export class FakeChannel implements AccountChannel {
  readonly account: FakeAccount;
  readonly secret: string;
  readonly #site: FakeSite;
  inFlight = 0;
  closed = false;
  closedWhileInUse = false;

  constructor(site: FakeSite, account: FakeAccount, secret: string) {
    this.#site = site;
    this.account = account;
    this.secret = secret;
  }

  async post(body: string, signal: AbortSignal): Promise<HttpAnswer> {
    if (this.closed) throw new Error("a request over a closed channel");
    this.inFlight++;
    try {
      return await this.#site.serve(this, body, signal);
    } finally {
      this.inFlight--;
    }
  }

  async reach(): Promise<number> {
    return 401;
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.inFlight > 0) this.closedWhileInUse = true;
  }
}

export interface FakeAccount {
  readonly name: string;
  /** What the backend believes. */
  valid: string;
  /** What is configured. */
  current: string;
  next: string;
  /** Instead of what the password deserves. */
  instead: HttpAnswer | Error | undefined;
}

export class FakeSite {
  readonly accounts: FakeAccount[];
  readonly sent: SentRequest[] = [];
  readonly channels: FakeChannel[] = [];
  readonly events: AccountChange[] = [];
  readonly service: ServiceAccounts;
  now = 1_000_000;
  /** While true, nothing is answered before `release`. */
  held = false;
  readonly #waiting: (() => void)[] = [];
  #order = 0;

  constructor(names: readonly string[], change: (account: FakeAccount) => Partial<AccountOptions> = () => ({})) {
    this.accounts = names.map((name) => ({
      name,
      valid: `${name}-1`,
      current: `${name}-1`,
      next: "",
      instead: undefined,
    }));
    this.service = new ServiceAccounts({
      now: () => instant(this.now),
      tell: (event) => this.events.push(event),
      accounts: this.accounts.map((account) => ({
        name: account.name,
        scheme: "basic",
        current: () => account.current,
        next: () => account.next,
        channel: (secret: string) => {
          const channel = new FakeChannel(this, account, secret);
          this.channels.push(channel);
          return channel;
        },
        ...change(account),
      })),
    });
  }

  account(name: string): FakeAccount {
    return this.accounts.find((account) => account.name === name) as FakeAccount;
  }

  ask(body = "question", signal = new AbortController().signal): Promise<{ status: number; account: string }> {
    return this.service.post(() => body, signal).then(({ answer, account }) => ({ status: answer.status, account }));
  }

  async serve(channel: FakeChannel, body: string, signal: AbortSignal): Promise<HttpAnswer> {
    const { account, secret } = channel;
    const request: SentRequest = {
      account: account.name,
      secret,
      body,
      channel,
      startedAt: this.now,
      started: ++this.#order,
    };
    this.sent.push(request);
    const answer = account.instead ?? answerWith(secret === account.valid ? 200 : 401);
    if (this.held) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    } else await settled();
    request.ended = ++this.#order;
    if (answer instanceof Error) throw answer;
    request.status = answer.status;
    return answer;
  }

  /** The oldest, or the one at a place in the line. */
  async release(at = 0): Promise<void> {
    this.#waiting.splice(at % Math.max(1, this.#waiting.length), 1)[0]?.();
    await settled();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  refusals(account?: string): SentRequest[] {
    return this.sent.filter((one) => one.status === 401 && (account === undefined || one.account === account));
  }
}

export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
