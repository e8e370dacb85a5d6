/**
 * Decides when gateways that ask with the same service accounts talk about them: once a
 * second each signs in and sees who else is there, and when the backend has told one of them
 * something, it tells the others and leaves word for those that come later. What a server that
 * is late or full does not take or give, is tried again each second. No lookup waits for any
 * of it, and none costs a command.
 *
 * Where nobody can be reached each goes on with what it knows.
 */

import { randomBytes } from "node:crypto";
import type { Attendee, MeetingPlace } from "../caches/meeting-place.js";
import type { SealedValues } from "../caches/sealed-values.js";
import type {
  AccountNews,
  AccountsInCommon,
  AccountUse,
  GatewayCount,
  GatewayCountObserver,
} from "../proxy/account-news.js";
import { AccountWords } from "./account-words.js";
import { GONE_AFTER_MS, NEW_WAITS_MS, RollCall, type RollWord } from "./roll-call.js";
import { type Untold, UntoldNews } from "./untold-news.js";

export interface SharedAccountsOptions {
  readonly backends: ReadonlyMap<string, AccountsInCommon>;
  readonly place: MeetingPlace;
  readonly sealed: SealedValues;
  /** So many gateways there are, as long as they cannot be counted. */
  readonly presumedGateways: number;
  readonly observer: GatewayCountObserver;
  /** Something that should not be able to happen did; it costs what was to be said, and nothing else. */
  readonly unexpected: (what: string, error: unknown) => void;
  /** Milliseconds of a clock that only runs on. */
  readonly now: () => number;
}

export class SharedAccounts implements Attendee {
  readonly #options: SharedAccountsOptions;
  readonly #words: AccountWords;
  readonly #roll: RollCall;
  readonly #untold = new UntoldNews();
  readonly #id = randomBytes(8).toString("hex");
  #said: RollWord | undefined;
  #toldCount = "";
  #signingIn = false;
  #again = false;
  /** Others may have left word that has not been read here. */
  #unread = false;
  #catchingUp = false;
  #stopped = false;
  #onShare: () => void = () => undefined;

  constructor(options: SharedAccountsOptions) {
    this.#options = options;
    this.#words = new AccountWords(options.sealed);
    this.#roll = new RollCall(this.#id, options.presumedGateways);
  }

  get count(): GatewayCount {
    return this.#roll.count;
  }

  /** Before the place is started. From now on accounts keep to what is presumed, until somebody has been counted. */
  begin(): void {
    const { backends, place } = this.#options;
    this.#roll.begin(this.#uses());
    this.#toldCount = this.#countText();
    this.#takeShares();
    for (const [backend, accounts] of backends) {
      accounts.onNews((news) => this.#behind(this.#tell(this.#untold.add(backend, news, this.#options.now()))));
    }
    place.attend(this);
  }

  /** Resolves when every account may be asked with, or a little later. */
  async ready(): Promise<void> {
    if (!this.#waiting()) return;
    await new Promise<void>((resolve) => {
      this.#onShare = resolve;
      setTimeout(resolve, NEW_WAITS_MS).unref();
    });
  }

  /** Others may have our share at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const { place } = this.#options;
    if (place.state.joined && (await place.signOut(this.#id))) await this.#call();
  }

  beat(): void {
    if (this.#options.place.state.joined) {
      this.#behind(this.#signIn());
      this.#behind(this.#catchUp());
    } else this.#missed();
  }

  joined(): void {
    this.#unread = true;
    for (const [backend, accounts] of this.#options.backends) {
      for (const news of accounts.news()) this.#untold.add(backend, news, this.#options.now());
    }
    this.#behind(this.#signIn());
    this.#behind(this.#catchUp());
  }

  heard(message: Buffer): void {
    const sent = this.#words.readNews(message);
    if (sent === undefined || sent.sender === this.#id || this.#stopped) return;
    if (sent.news === undefined) this.#behind(this.#signIn());
    else {
      this.#untold.heard(sent.backend, sent.news, this.#options.now());
      this.#options.backends.get(sent.backend)?.hear(sent.news);
    }
  }

  /** Nobody waits for it, so nobody else would hear of its end. */
  #behind(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.unexpected("gateways could not talk about their accounts", error));
  }

  /** One at a time; asked for meanwhile, once more after it. */
  async #signIn(): Promise<void> {
    if (this.#signingIn) {
      this.#again = true;
      return;
    }
    this.#signingIn = true;
    try {
      do {
        this.#again = false;
        if (this.#stopped) return;
        if (await this.#signInOnce()) this.#again = true;
      } while (this.#again);
    } finally {
      this.#signingIn = false;
    }
  }

  /** Whether there is something else to be said now. */
  async #signInOnce(): Promise<boolean> {
    const said = this.#roll.word;
    const met = await this.#options.place.signIn(this.#id, this.#words.writeRoll(said, this.#id), GONE_AFTER_MS);
    if (met === undefined || this.#stopped) {
      this.#missed();
      return false;
    }
    // Whoever waits for us to have seen the same need not wait for the next beat.
    if (this.#said === undefined || !sameWord(said, this.#said)) this.#behind(this.#call());
    this.#said = said;
    const others = new Map<string, RollWord | undefined>();
    for (const [id, word] of met.there) if (id !== this.#id) others.set(id, this.#words.readRoll(word, id));
    this.#roll.met(others, met.known, this.#uses(), this.#options.now());
    this.#takeShares();
    return !sameWord(said, this.#roll.word);
  }

  #missed(): void {
    this.#roll.missed(this.#uses(), this.#options.now());
    this.#takeShares();
  }

  /** The others are to sign in again. */
  async #call(): Promise<void> {
    const { place } = this.#options;
    await place.announce(this.#words.writeNews({ sender: this.#id, backend: "", news: undefined }));
  }

  async #tell(untold: Untold): Promise<void> {
    const { place, now } = this.#options;
    const { backend, until } = untold;
    const forMs = until - now();
    if (forMs <= 0) return this.#untold.told(untold);
    if (!place.state.joined || this.#stopped || !this.#untold.holds(untold)) return;
    const news = untold.news.kind === "accepted" ? untold.news : { ...untold.news, forMs };
    const message = this.#words.writeNews({ sender: this.#id, backend, news });
    const [announced, kept] = await Promise.all([
      untold.announced || place.announce(message),
      untold.kept || this.#leaveWord(backend, news, message),
    ]);
    Object.assign(untold, { announced, kept });
    if (announced && kept) this.#untold.told(untold);
  }

  #leaveWord(backend: string, news: AccountNews, message: Buffer): Promise<boolean> {
    const { place } = this.#options;
    if (news.kind === "accepted") return place.drop(this.#words.namesOf("set-aside", backend, news.account));
    const [name] = this.#words.namesOf(news.kind, backend, news.account);
    return place.keep(name as string, message, news.forMs);
  }

  /** What others have left word of, and then what is known here and they do not know. */
  async #catchUp(): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    try {
      if (this.#unread) await this.#readWords();
      for (const untold of this.#untold.all()) await this.#tell(untold);
    } finally {
      this.#catchingUp = false;
    }
  }

  async #readWords(): Promise<void> {
    const { backends, place } = this.#options;
    // Should we join again meanwhile, there is more to read.
    this.#unread = false;
    for (const [backend, accounts] of backends) {
      const names = accounts
        .names()
        .flatMap((account) => [
          ...this.#words.namesOf("paused", backend, account),
          ...this.#words.namesOf("set-aside", backend, account),
        ]);
      const words = await place.kept(names);
      if (words === undefined) this.#unread = true;
      for (const word of words ?? []) {
        const news = word === null ? undefined : this.#words.readNews(word.value)?.news;
        if (word === null || news === undefined || news.kind === "accepted") continue;
        if (this.#untold.outdates(backend, news)) continue;
        // By the server's clock, and no longer than was said.
        const left = { ...news, forMs: Math.min(news.forMs, word.ttlMs) };
        this.#untold.heard(backend, left, this.#options.now());
        accounts.hear(left);
      }
    }
  }

  #uses(): AccountUse[] {
    return [...this.#options.backends].flatMap(([backend, accounts]) =>
      accounts.uses().map((use) => ({ ...use, name: `${backend}\0${use.name}` })),
    );
  }

  #takeShares(): void {
    for (const [backend, accounts] of this.#options.backends) {
      for (const { name } of accounts.uses()) {
        const share = this.#roll.shares.get(`${backend}\0${name}`);
        if (share !== undefined) accounts.takeShare(name, share);
      }
    }
    if (!this.#waiting()) this.#onShare();
    const text = this.#countText();
    if (text === this.#toldCount) return;
    this.#toldCount = text;
    const { count, crowded } = this.#roll;
    const names = crowded.map((name) => name.slice(name.indexOf("\0") + 1));
    this.#options.observer.gatewaysCounted(count, names);
  }

  #countText(): string {
    const { count, crowded } = this.#roll;
    return `${count.gateways} ${count.counted} ${crowded.join()}`;
  }

  /** Others have not made room yet. */
  #waiting(): boolean {
    return [...this.#roll.shares.values()].includes(0);
  }
}

function sameWord(a: RollWord, b: RollWord): boolean {
  return (
    a.view === b.view &&
    a.accounts.size === b.accounts.size &&
    [...a.accounts].every(([name, within]) => b.accounts.get(name) === within)
  );
}
