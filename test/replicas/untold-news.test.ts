import { describe, expect, it } from "vitest";
import type { AccountNews } from "../../src/proxy/account-news.js";
import { UntoldNews } from "../../src/replicas/untold-news.js";

const secrets = { salt: "", marks: [] };
const paused = (forMs: number, account = "svc"): AccountNews => ({ kind: "paused", account, forMs });
const refused: AccountNews = { kind: "set-aside", account: "svc", forMs: 60_000, problem: "", counted: true, secrets };
const accepted: AccountNews = { kind: "accepted", account: "svc", secrets };

describe("what others have not been told yet", () => {
  it("is the newest pause and the newest verdict of each account, by backend", () => {
    const untold = new UntoldNews();
    const first = untold.add("exchange", paused(10_000), 0);
    for (const news of [paused(20_000), paused(5_000, "other"), refused, accepted]) untold.add("exchange", news, 0);
    untold.add("workmail", paused(1_000), 0);
    expect(untold.all().map(({ backend, news, until }) => [backend, news.kind, news.account, until])).toEqual([
      ["exchange", "paused", "svc", 20_000],
      ["exchange", "paused", "other", 5_000],
      ["exchange", "accepted", "svc", 1_800_000],
      ["workmail", "paused", "svc", 1_000],
    ]);
    // Said meanwhile, it is not the newest any more.
    expect(untold.holds(first)).toBe(false);
    untold.told(first);
    expect(untold.all()).toHaveLength(4);
  });

  it("is forgotten when somebody else has said it: a verdict always, a pause if it lasts as long", () => {
    const untold = new UntoldNews();
    untold.add("exchange", paused(20_000), 0);
    untold.add("exchange", accepted, 0);
    untold.heard("exchange", paused(10_000), 5_000);
    untold.heard("workmail", refused, 5_000);
    expect(untold.all()).toHaveLength(2);
    untold.heard("exchange", refused, 5_000);
    untold.heard("exchange", paused(15_000), 5_000);
    expect(untold.all()).toEqual([]);
  });

  it("outdates what others have left word of when it is a verdict", () => {
    const untold = new UntoldNews();
    untold.add("exchange", accepted, 0);
    untold.add("exchange", paused(20_000), 0);
    expect([untold.outdates("exchange", refused), untold.outdates("workmail", refused)]).toEqual([true, false]);
    expect(untold.outdates("exchange", paused(1))).toBe(false);
  });
});
