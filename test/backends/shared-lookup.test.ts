/** How the names of hosts are looked up, and by whom. */

import type { LookupFunction } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HttpPool } from "../../src/backends/http-pool.js";
import { openSocket } from "../../src/backends/open-socket.js";
import { shared } from "../../src/backends/shared-lookup.js";

const asked = vi.hoisted(() => [] as { name: string; told: Parameters<LookupFunction>[2] }[]);
const resolve: LookupFunction = vi.hoisted(() => (name, _, told) => void asked.push({ name, told }));
vi.mock("node:dns", async (original) => ({ ...(await original<typeof import("node:dns")>()), lookup: resolve }));

const names = () => asked.map(({ name }) => name);
const failure = (code: string) => Object.assign(new Error(code), { code });
/** With what no look-up of the system's ends with. */
const answer = () => {
  for (const { told } of asked.splice(0)) told(failure("ESERVFAIL"), "");
};
afterEach(answer);

describe("a look-up of a name", () => {
  const outcome = (lookup: LookupFunction, name: string, options: Parameters<LookupFunction>[1] = {}) =>
    new Promise((done) => lookup(name, options, (error, address) => done(error?.code ?? address)));

  it("serves everybody who wants the name meanwhile, and nobody who wants another one or asks otherwise", async () => {
    const lookup = shared(resolve);
    const same = [outcome(lookup, "mail.corp.example"), outcome(lookup, "mail.corp.example")];
    const other = outcome(lookup, "other.corp.example");
    const all = outcome(lookup, "mail.corp.example", { all: true });
    expect(names()).toEqual(["mail.corp.example", "other.corp.example", "mail.corp.example"]);
    asked[0]?.told(null, "192.0.2.1", 4);
    asked[1]?.told(failure("EAI_AGAIN"), "");
    asked[2]?.told(null, [{ address: "192.0.2.2", family: 4 }]);
    expect(await Promise.all([...same, other, all])).toEqual([
      "192.0.2.1",
      "192.0.2.1",
      "EAI_AGAIN",
      [{ address: "192.0.2.2", family: 4 }],
    ]);
  });

  it("is made anew when the one before is over, whatever came of it", async () => {
    const lookup = shared(resolve);
    const before = outcome(lookup, "mail.corp.example");
    asked[0]?.told(failure("EAI_AGAIN"), "");
    expect(await before).toBe("EAI_AGAIN");
    const after = outcome(lookup, "mail.corp.example");
    asked[1]?.told(null, "192.0.2.1", 4);
    expect(await after).toBe("192.0.2.1");
  });

  it("is one for all connections to a host, whoever opens them", async () => {
    const never = new AbortController().signal;
    const [plain, secure] = [new URL("http://mail.corp.example/"), new URL("https://mail.corp.example/")];
    const pools = [plain, secure].map((url) => new HttpPool({ url, connections: 5, maximumAnswerBytes: 1000 }));
    const opened = [plain, secure].map((url) => openSocket(url, { timeoutMs: 60_000 }, never));
    const sent = pools.flatMap((pool) => [pool.post({}, "question", never), pool.post({}, "question", never)]);
    const elsewhere = openSocket(new URL("http://other.corp.example/"), { timeoutMs: 60_000 }, never);
    await vi.waitFor(() => expect(names()).toContain("other.corp.example"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(names()).toEqual(["mail.corp.example", "other.corp.example"]);
    answer();
    for (const one of [...opened, ...sent, elsewhere]) await expect(one).rejects.toMatchObject({ code: "ESERVFAIL" });
    await Promise.all(pools.map((pool) => pool.close()));
  });
});
