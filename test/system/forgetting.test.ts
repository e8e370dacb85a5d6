/** What operators and outages do to kept answers, on the real process: the command line, and what callers then get. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { PROJECT, type Site, startSite, told } from "../support/gateway-process.js";

let site: Site | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

function freebusy(...args: readonly string[]): Promise<{ code: number; out: string; problem: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(PROJECT, "dist/src/main.js"), ...args], (error, out, problem) =>
      resolve({ code: Number(error?.code ?? 0), out, problem }),
    );
  });
}

describe("freebusy purge", () => {
  it("has a gateway that shares nothing forget, and says what it cannot do", async () => {
    site = await startSite((configuration) => `${configuration}cache: { viewSeconds: 600 }\n`);
    const { gateway, exchange, workmail, ask } = site;
    const asked = async () => {
      await ask(["alice@corp.example", "bob@corp.example"]);
      return [exchange.asked.length, workmail.asked.length];
    };
    await asked();
    expect(await asked()).toEqual([1, 1]);
    const purge = (...args: readonly string[]) => freebusy("purge", ...args, "--management", gateway.management);
    const one = await purge("BOB@corp.awsapps.com");
    expect(one).toMatchObject({ code: 0, out: expect.stringMatching(/^forgotten: .*bob@corp\.example.*, here\n$/) });
    expect(await asked()).toEqual([1, 2]);
    expect(await purge("--all")).toMatchObject({ code: 0, out: "forgotten: every mailbox, here\n" });
    expect(await asked()).toEqual([2, 3]);
    for (const wrong of [[], ["a@b.example", "--all"], ["nonsense"]]) expect((await purge(...wrong)).code).toBe(2);
    expect((await freebusy("purge", "--all", "--management", "http://127.0.0.1:1")).code).toBe(1);
  });
});

describe("a system that is down", () => {
  it("is answered for from what was known, when the site wants that, and the log and metrics say so", async () => {
    const times = "cache: { viewSeconds: 0.001, staleIfErrorSeconds: 600 }\n";
    site = await startSite((configuration) => configuration + times);
    const { gateway, exchange, ask } = site;
    expect(told((await ask(["alice@corp.example"])).text)).toEqual(["DetailedMerged Stand-up Summer review"]);
    exchange.behaviour.mode = "reset";
    const { text } = await ask(["alice@corp.example", "bob@corp.example", "carol@corp.example"]);
    expect(told(text)).toEqual([
      "DetailedMerged Stand-up Summer review",
      "DetailedMerged Project Gemini Sync",
      "backend-unreachable",
    ]);
    const metrics = async () => (await fetch(`${gateway.management}/metrics`)).text();
    expect(await metrics()).toContain('freebusy_mailboxes_total{backend="exchange",cache="stale",result="details"} 1');
    while (!/"cache":"stale","asOf":"20\d\d-/.test(gateway.output()))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(gateway.output()).not.toContain("Summer review");
  });
});
