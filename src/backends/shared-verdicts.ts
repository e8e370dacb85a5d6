/**
 * Decides what a backend's verdict on secrets means where several gateways ask with the same
 * account: it counts for whoever has the same secrets. A verdict on others, because ours have
 * been changed or theirs have, is none. A secret that was accepted elsewhere is tried here
 * by one request, as every secret that has been refused.
 */

import type { InstantMs } from "../availability/time-window.js";
import type { AccountNews } from "../proxy/account-news.js";
import type { AccountChange } from "../proxy/account-observer.js";
import type { AccountSecrets } from "./account-secrets.js";
import { type SetAside, UNAUTHORIZED } from "./set-aside.js";

type Verdict = Exclude<AccountNews, { kind: "paused" }>;
/** What has changed here. */
export type HeardChange = Omit<AccountChange, "account" | "heard">;

/** What another gateway has found out, applied to our own secrets. Undefined: nothing has changed by it. */
export function hearVerdict(
  news: Verdict,
  secrets: AccountSecrets,
  setAside: SetAside,
  now: InstantMs,
): HeardChange | undefined {
  const meant = secrets.marked(news.secrets);
  if (news.kind === "accepted") {
    const login = meant.find(({ standing }) => standing === "refused");
    if (login === undefined) return undefined;
    login.standing = "untried";
    setAside.end();
    return { kind: "accepted", secret: secrets.slotOf(login) };
  }
  for (const login of meant) login.standing = "refused";
  if (meant.length === 0 || secrets.candidate !== undefined) return undefined;
  const { problem, counted } = news;
  const until = setAside.hear(now, news.forMs, { answer: UNAUTHORIZED, problem, counted });
  return until && { kind: "set-aside", until, problem };
}

/** All secrets are refused, as far as is known here. */
export function refusalNews(account: string, secrets: AccountSecrets, setAside: SetAside, forMs: number): AccountNews {
  const { problem = "", counted = true } = setAside.refusal ?? {};
  return { kind: "set-aside", account, forMs, problem, counted, secrets: secrets.marksOf(secrets.all) };
}
