/**
 * Decides when one account may be asked with which of its secrets, and when it is left
 * alone: set aside when none of them is accepted, paused while the backend throttles it. It
 * has a budget of requests at once; after a pause the first one goes alone, and only when that
 * was served without complaint do the others follow.
 *
 * While the backend has not accepted a secret yet, or not any more, requests wait for the
 * verdict on the one that tries it ({@link SecretTrial}). When the secret in use is refused the
 * other one is tried at once; when that fails too, one of them is tried at the end of each
 * period, in turns. What the backend told another gateway that asks with the same account
 * counts here too.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import type { AccountNews } from "../proxy/account-news.js";
import type { AccountChange, AccountStanding } from "../proxy/account-observer.js";
import type { AccountLogin } from "./account-login.js";
import type { AccountOptions } from "./account-options.js";
import { AccountPause } from "./account-pause.js";
import { AccountSecrets } from "./account-secrets.js";
import { CarefulSteps } from "./careful-steps.js";
import type { HttpAnswer } from "./http-channel.js";
import { SecretTrial } from "./secret-trial.js";
import { type Refusal, refusalIn, refusalOf, SetAside, UNAUTHORIZED } from "./set-aside.js";
import { type HeardChange, hearVerdict, refusalNews } from "./shared-verdicts.js";
import { busyFor, throttles, toldPause } from "./throttling.js";

export interface AccountSurroundings {
  readonly now: () => InstantMs;
  readonly tell: (event: AccountChange) => void;
  /** For other gateways. */
  readonly share: (news: AccountNews) => void;
  /** It may have room now, or not be there to wait for any more. */
  readonly changed: () => void;
}

export interface AccountOutcome {
  readonly answer: HttpAnswer;
  /** refused: no secret is accepted; throttled: it is paused. Then the answer may be one of before. */
  readonly verdict: "answered" | "refused" | "throttled";
}

/** How often one request is sent when what it was sent with is refused meanwhile. */
const MAXIMUM_SENDS = 3;

export class ServiceAccount {
  readonly #options: AccountOptions;
  readonly #around: AccountSurroundings;
  readonly #secrets: AccountSecrets;
  readonly #trial = new SecretTrial();
  readonly #setAside = new SetAside();
  readonly #pause: AccountPause;
  /** Those of before a pause do not count after it: that they hear nothing is no news. */
  #requests = this.#countAnew();
  #inFlight = 0;
  #share: number | undefined;

  /** Throws when the current secret cannot be read. */
  constructor(options: AccountOptions, around: AccountSurroundings) {
    this.#options = options;
    this.#around = around;
    this.#secrets = new AccountSecrets(options);
    this.#pause = new AccountPause(around.now, around.changed);
  }

  get name(): string {
    return this.#options.name;
  }

  get actsAs(): MailboxAddress | undefined {
    return this.#options.actsAs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests at once, of all gateways that ask with it; infinite when there is no limit. */
  get limit(): number {
    return this.#options.maximumAtOnce ?? Number.POSITIVE_INFINITY;
  }

  /** Requests at once: few, as long as it is not known whether the backend has had enough. */
  get budget(): number {
    const before = this.#inFlight - this.#requests.underWay;
    const careful = this.#pause.careful ? before + this.#requests.most : Number.POSITIVE_INFINITY;
    return Math.min(careful, this.limit, this.#share ?? Number.POSITIVE_INFINITY);
  }

  /** This gateway's part of the limit. */
  takeShare(share: number): void {
    const more = share > (this.#share ?? Number.POSITIVE_INFINITY);
    this.#share = share;
    if (more) this.#around.changed();
  }

  /** How many more requests it may be asked with now. */
  get room(): number {
    return Math.max(0, this.budget - this.inFlight);
  }

  get usable(): boolean {
    return this.setAsideUntil === undefined && this.pausedUntil === undefined;
  }

  /** A request is about to be sent with it. The function is to be called when it is over. */
  enter(): () => void {
    const over = this.#requests.begin();
    this.#inFlight++;
    return () => {
      over();
      this.#inFlight--;
      this.#around.changed();
    };
  }

  /** Whether a request would have to wait for the verdict on another one. */
  get onTrial(): boolean {
    return !this.#trial.isOpen(this.#wasRefused);
  }

  /** Until when it is paused; undefined when it is not. */
  get pausedUntil(): InstantMs | undefined {
    return this.#pause.until;
  }

  /** Until when it is set aside; undefined when it is not. */
  get setAsideUntil(): InstantMs | undefined {
    return this.#setAside.until(this.#around.now());
  }

  /** What was last said to its secrets, by the backend or by whoever grants tokens. */
  get refusal(): HttpAnswer {
    return this.#setAside.refusal?.answer ?? UNAUTHORIZED;
  }

  /** The backend wants it to be left alone; undefined: without saying for how long, then longer each time. */
  pause(told: number | undefined): void {
    const until = this.#pause.begin(told);
    if (until === undefined) return;
    // Where it is to come back at once, whatever is under way is of now.
    if (this.pausedUntil !== undefined) this.#requests = this.#countAnew();
    this.#around.tell({ kind: "paused", account: this.name, until });
    this.#around.share({ kind: "paused", account: this.name, forMs: until - this.#around.now() });
    this.#around.changed();
  }

  /** The backend hesitates: one request at a time, until it serves one without complaint. */
  slowDown(): void {
    this.#pause.slowDown();
  }

  /** The backend has served a request of it without complaint. */
  served(): void {
    if (this.#pause.served()) this.#around.changed();
  }

  /** What another gateway has found out with the same account. */
  hear(news: AccountNews): void {
    const change = this.#heard(news);
    if (change === undefined) return;
    this.#around.tell({ ...change, account: this.name, heard: true });
    this.#around.changed();
  }

  /** What has been found out here, and still holds. */
  news(): AccountNews[] {
    const now = this.#around.now();
    const { pausedUntil: paused, setAsideUntil: aside, name } = this;
    const news: AccountNews[] = [];
    if (paused && !this.#pause.heard) news.push({ kind: "paused", account: name, forMs: paused - now });
    if (aside && !this.#setAside.heard) news.push(refusalNews(name, this.#secrets, this.#setAside, aside - now));
    return news;
  }

  /** After `enter`. Throws as the channel does. */
  async post(body: string, signal: AbortSignal): Promise<AccountOutcome> {
    for (let sends = 0; ; ) {
      const login = this.#secrets.active;
      if (login.standing !== "accepted") {
        const foregone = this.#foregone();
        if (foregone !== undefined) return foregone;
        if (this.onTrial) {
          await this.#trial.news(signal);
          continue;
        }
        const outcome = await this.#trial.run(() => this.#try(body, signal));
        if (outcome !== undefined) return outcome;
        continue;
      }
      const { judgements } = login;
      const result = await sent(login, body, signal);
      if (!("problem" in result)) return this.#answered(result);
      // Sent before the last verdict, it says nothing new.
      if (login.judgements === judgements) this.#refuse(login, result);
      if (++sends === MAXIMUM_SENDS) return { answer: result.answer, verdict: "refused" };
    }
  }

  reach(signal: AbortSignal): Promise<number> {
    return this.#secrets.active.reach(signal);
  }

  /** Takes up secrets that have changed; true when there were any. With a new one the account is asked again at once. */
  reload(): boolean {
    const change = this.#secrets.reload();
    if (change === "new") this.#setAside.end();
    return change !== "same";
  }

  state(): AccountStanding {
    const { name, scheme } = this.#options;
    const { active } = this.#secrets;
    const { pausedUntil, setAsideUntil } = this;
    const { refusal } = this.#setAside;
    return {
      name,
      scheme,
      inFlight: this.inFlight,
      ...(Number.isFinite(this.budget) && { budget: this.budget }),
      ...(this.#share !== undefined && { share: this.#share }),
      secret: this.#secrets.slotOf(active),
      ...(setAsideUntil !== undefined && { setAsideUntil }),
      ...(pausedUntil !== undefined && { pausedUntil }),
      ...(active.expiresAt !== undefined && { expiresAt: active.expiresAt }),
      ...(refusal !== undefined && { problem: refusal.problem }),
    };
  }

  /** At once. */
  async close(): Promise<void> {
    this.#pause.close();
    await Promise.all(this.#secrets.all.map((login) => login.close()));
  }

  #countAnew(): CarefulSteps {
    return new CarefulSteps(() => {
      if (this.#pause.careful) this.#around.changed();
    });
  }

  /** What is to be said without asking; undefined: it may be asked. */
  #foregone(): AccountOutcome | undefined {
    if (this.setAsideUntil !== undefined) return { answer: this.refusal, verdict: "refused" };
    const { pausedUntil } = this;
    if (pausedUntil === undefined) return undefined;
    return { answer: busyFor(pausedUntil - this.#around.now()), verdict: "throttled" };
  }

  /** Since a secret was accepted last. */
  get #wasRefused(): boolean {
    return this.#setAside.refusal !== undefined;
  }

  /** Undefined when somebody else has heard the verdict meanwhile. */
  async #try(body: string, signal: AbortSignal): Promise<AccountOutcome | undefined> {
    if (this.#secrets.candidate === undefined && this.#setAside.over(this.#around.now())) this.#secrets.admitOne();
    for (let login = this.#secrets.candidate; login !== undefined; login = this.#secrets.candidate) {
      const { judgements } = login;
      const result = await sent(login, body, signal);
      if (!("problem" in result)) {
        if (accepts(result.status)) this.#accept(login);
        return this.#answered(result);
      }
      if (login.judgements !== judgements) return undefined;
      this.#refuse(login, result);
    }
    this.#leaveAlone();
    return { answer: this.refusal, verdict: "refused" };
  }

  #answered(answer: HttpAnswer): AccountOutcome {
    if (!throttles(answer)) return { answer, verdict: "answered" };
    this.pause(toldPause(answer, this.#around.now()));
    return { answer, verdict: "throttled" };
  }

  #accept(login: AccountLogin): void {
    const news = this.#secrets.active !== login || this.#setAside.refusal !== undefined;
    if (!this.#secrets.accept(login)) return;
    this.#setAside.end();
    if (!news) return;
    this.#around.tell({ kind: "accepted", account: this.name, secret: this.#secrets.slotOf(login) });
    this.#around.share({ kind: "accepted", account: this.name, secrets: this.#secrets.marksOf([login]) });
  }

  #refuse(login: AccountLogin, refusal: Refusal): void {
    login.standing = "refused";
    this.#setAside.refusal = refusal;
  }

  #leaveAlone(): void {
    const until = this.#setAside.begin(this.#around.now());
    const problem = this.#setAside.refusal?.problem ?? "";
    this.#around.tell({ kind: "set-aside", account: this.name, until, problem });
    this.#around.share(refusalNews(this.name, this.#secrets, this.#setAside, until - this.#around.now()));
  }

  #heard(news: AccountNews): HeardChange | undefined {
    if (news.kind !== "paused") return hearVerdict(news, this.#secrets, this.#setAside, this.#around.now());
    const until = this.#pause.hear(news.forMs);
    if (until === undefined) return undefined;
    this.#requests = this.#countAnew();
    return { kind: "paused", until };
  }
}

/** The answer, unless the secret is refused. */
async function sent(login: AccountLogin, body: string, signal: AbortSignal): Promise<HttpAnswer | Refusal> {
  try {
    const answer = await login.post(body, signal);
    return refusalIn(answer) ?? answer;
  } catch (error) {
    const refusal = signal.aborted ? undefined : refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** What a server answers to somebody it knows; anything else may come from in front of it. A fault comes with 500. */
function accepts(status: number): boolean {
  return (status >= 200 && status < 300) || status === 400 || status === 500;
}
