import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { explainRoute } from "../../src/proxy/explain-route.js";
import { DAY, FakeBackend, FakeDirectory, gatewayOf, viewOf } from "../support/fake-directory.js";

const BOB = "bob@corp.example";

function setUp() {
  const exchange = new FakeBackend("exchange", "a@corp.example");
  const workmail = new FakeBackend("workmail", "bob@corp.awsapps.com");
  const directory = new FakeDirectory(
    "wm",
    { home: "workmail" },
    {
      addresses: ["bob@corp.awsapps.com", BOB],
      backend: "workmail",
      legacyDns: ["/o=Corp/cn=Bob"],
    },
  ).group(["all@corp.example"], ["a@corp.example", BOB]);
  const winners = new ProbeMemory({ now: () => instant(DAY) });
  const gateway = gatewayOf({ directories: [winners, directory], backends: [exchange, workmail], winners });
  const explain = (text: string, { origin, ask = false }: { origin?: string; ask?: boolean } = {}) =>
    explainRoute(text, origin, gateway.router, ask ? gateway.answerer : undefined, () => instant(gateway.clock.now));
  return { ...gateway, exchange, workmail, directory, explain };
}

describe("a route explained", () => {
  it("tells what was considered, in order, and what came of it, and asks nobody", async () => {
    const { explain, exchange, workmail } = setUp();
    expect(await explain(`  ${BOB.toUpperCase()} `)).toEqual({
      address: BOB,
      as: "none",
      steps: [
        { considered: "directory probe", finding: "does not know it" },
        {
          considered: "directory wm",
          finding: "workmail, as bob@corp.awsapps.com; wm: mailbox in workmail",
          ageSeconds: 0,
        },
      ],
      decision: {
        kind: "backend",
        backend: "workmail",
        address: "bob@corp.awsapps.com",
        rule: "wm: mailbox in workmail",
      },
    });
    expect([exchange.asked, workmail.asked]).toEqual([[], []]);
  });

  it("falls to the address space, and says so", async () => {
    const { steps, decision } = await setUp().explain("a@corp.example");
    expect(steps.at(-1)).toEqual({
      considered: "address space corp.example",
      finding: "exchange, as a@corp.example",
    });
    expect(decision).toEqual({
      kind: "backend",
      backend: "exchange",
      address: "a@corp.example",
      rule: "address space corp.example",
    });
  });

  it("says that the asking system is not asked back, and which address that would have been", async () => {
    const { steps, decision, as } = await setUp().explain(BOB, { origin: "workmail" });
    expect(as).toBe("workmail");
    expect(steps.at(-1)?.considered).toBe("origin");
    expect(decision).toEqual({
      kind: "failure",
      backend: "workmail",
      address: "bob@corp.awsapps.com",
      rule: "wm: mailbox in workmail",
      reason: "belongs-to-origin",
    });
  });

  it.each([
    ["/o=corp/cn=BOB", { kind: "backend", backend: "workmail" }],
    ["/o=corp/cn=nobody", { kind: "failure", reason: "unresolved-legacy-dn" }],
    ["nonsense", { kind: "failure", reason: "invalid-address" }],
    ["", { kind: "failure", reason: "invalid-address" }],
    ["eve@attacker.example", { kind: "failure", reason: "no-address-space" }],
    ["all@corp.example", { kind: "group", address: "all@corp.example" }],
  ])("of %s", async (text, decision) => {
    const explanation = await setUp().explain(text);
    expect(explanation.decision).toMatchObject(decision);
    expect(explanation.asked).toBeUndefined();
  });

  it("says that no address space is configured for a domain", async () => {
    expect((await setUp().explain("eve@attacker.example")).steps.at(-1)).toEqual({
      considered: "address space attacker.example",
      finding: "none is configured",
    });
  });
});

describe("a route tried", () => {
  it("tells whether there was a view, and nothing of what is in it", async () => {
    const { explain, workmail } = setUp();
    workmail.respond = async ({ mailboxes }) => mailboxes.map(() => viewOf("Secret plans", "details", 13));
    const explanation = await explain(BOB, { ask: true });
    expect(explanation.asked).toEqual({ result: "a view", durationMs: 0 });
    expect(JSON.stringify(explanation)).not.toMatch(/Secret|"2"|0000/);
    expect(workmail.questions.map(({ detail }) => detail)).toEqual(["times"]);
  });

  it("tells why there was none, and leaves the decision alone", async () => {
    const { explain, workmail } = setUp();
    workmail.failsWith("no-access");
    expect((await explain(BOB, { ask: true })).asked).toEqual({
      result: "no-access",
      backend: "workmail",
      durationMs: 0,
    });
  });

  it("tells the decision as it is now, when the answer has changed it", async () => {
    const { explain, workmail } = setUp();
    workmail.has.set("a@corp.example", 9);
    const { decision, asked } = await explain("a@corp.example", { ask: true });
    // Found at its presumed owner: nothing has changed.
    expect([decision.backend, asked?.result, asked?.decisionNow]).toEqual(["exchange", "a view", undefined]);
    workmail.has.set("moved@corp.example", 9);
    const moved = await explain("moved@corp.example", { ask: true });
    expect([moved.decision.backend, moved.asked?.result, moved.asked?.decisionNow?.backend]).toEqual([
      "exchange",
      "a view",
      "workmail",
    ]);
  });

  it("never asks the system it is tried as, nor anybody about a domain nobody named", async () => {
    const { explain, exchange, workmail } = setUp();
    const { asked } = await explain(BOB, { ask: true, origin: "workmail" });
    expect([asked?.result, workmail.asked]).toEqual(["belongs-to-origin", []]);
    const before = exchange.asked.length;
    expect((await explain("eve@attacker.example", { ask: true })).asked?.result).toBe("no-address-space");
    expect(exchange.asked).toHaveLength(before);
  });

  it("tries a group by its members", async () => {
    const { explain, exchange, workmail } = setUp();
    expect((await explain("all@corp.example", { ask: true })).asked?.result).toBe("a view");
    expect([exchange.asked, workmail.asked]).toEqual([["a@corp.example"], ["bob@corp.awsapps.com"]]);
  });
});
