/**
 * Decides which secrets an account has at the moment, and which of them comes first: the
 * one the backend accepted last. A secret that moves from "next" to "current" stays what
 * it was, with its channel and its standing; one that is gone takes no new request.
 */

import { randomBytes } from "node:crypto";
import type { SecretMarks } from "../proxy/account-news.js";
import { AccountLogin } from "./account-login.js";
import type { AccountOptions, SecretProvider } from "./account-options.js";

export class AccountSecrets {
  readonly #options: AccountOptions;
  #current: AccountLogin;
  #next: AccountLogin | undefined;
  #active: AccountLogin;
  /** Whose turn it is when only one may be tried. */
  #turn = 0;

  /** Throws what `current` throws. */
  constructor(options: AccountOptions) {
    this.#options = options;
    this.#current = new AccountLogin(options.current(), options.channel);
    this.#active = this.#current;
    this.reload();
  }

  /** In use, or tried first. */
  get active(): AccountLogin {
    return this.#active;
  }

  get all(): readonly AccountLogin[] {
    return this.#next === undefined ? [this.#current] : [this.#current, this.#next];
  }

  /** The first that has not been refused. */
  get candidate(): AccountLogin | undefined {
    return this.#inOrder().find((login) => login.standing !== "refused");
  }

  slotOf(login: AccountLogin): "current" | "next" {
    return login === this.#next ? "next" : "current";
  }

  /** So that another gateway can tell whether it has the same. */
  marksOf(logins: readonly AccountLogin[]): SecretMarks {
    const salt = randomBytes(12).toString("base64url");
    return { salt, marks: logins.map((login) => login.mark(salt)) };
  }

  /** Those of ours that another gateway means. */
  marked({ salt, marks }: SecretMarks): readonly AccountLogin[] {
    return this.all.filter((login) => marks.includes(login.mark(salt)));
  }

  /** False when it has been taken away meanwhile. */
  accept(login: AccountLogin): boolean {
    login.standing = "accepted";
    if (!this.all.includes(login)) return false;
    this.#active = login;
    this.#turn = 0;
    return true;
  }

  /** One that was refused may be tried once more: in turn, so that two wrong secrets do not count double. */
  admitOne(): void {
    const order = this.#inOrder();
    (order[this.#turn++ % order.length] as AccountLogin).standing = "untried";
  }

  /** Takes up what has changed; what cannot be read stays as it was. */
  reload(): "same" | "fewer" | "new" {
    const { current, next, channel } = this.#options;
    const before = this.all;
    const loginOf = (secret: string) => before.find((login) => login.has(secret)) ?? new AccountLogin(secret, channel);
    const [first, second] = [value(current), value(next)];
    if (first !== undefined) this.#current = loginOf(first);
    if (second !== undefined || next === undefined) this.#next = second ? loginOf(second) : undefined;
    if (this.#next === this.#current) this.#next = undefined;

    const kept = this.all;
    const gone = before.filter((login) => !kept.includes(login));
    const added = kept.find((login) => !before.includes(login));
    for (const login of gone) login.retire();
    if (!kept.includes(this.#active)) {
      this.#active = this.#current;
      if (this.#active.standing === "refused") this.#active.standing = "untried";
    }
    if (added === undefined) return gone.length === 0 ? "same" : "fewer";
    if (this.#active.standing === "refused") this.#active = added;
    this.#turn = 0;
    return "new";
  }

  #inOrder(): AccountLogin[] {
    return [this.#active, ...this.all.filter((login) => login !== this.#active)];
  }
}

/** Undefined when there is no such secret, or it cannot be read. */
function value(provider: SecretProvider | undefined): string | undefined {
  try {
    return provider?.();
  } catch {
    return undefined;
  }
}
