import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeBackend, FakeDirectory, gatewayOf, told } from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";

afterEach(() => void vi.useRealTimers());

const others = () => new FakeBackend("exchange", "a@corp.example");

describe("a lookup is answered, in order and in time, whatever others do:", () => {
  it("one that rejects a fresh look costs nobody but its own mailbox", async () => {
    const exchange = others();
    const ad = new FakeDirectory("ad").looks(() => Promise.reject(new Error("bug")));
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    expect((await ask(["a@corp.example", "nobody@corp.example"])).map(told)).toEqual([
      "a@corp.example",
      "mailbox-not-found",
    ]);
  });

  it("one that throws in a fresh look keeps no other from looking", async () => {
    const exchange = others();
    const workmail = new FakeBackend("workmail", "moved@corp.example");
    const broken = new FakeDirectory("broken");
    broken.lookAgain = () => {
      throw new Error("bug");
    };
    const good = new FakeDirectory("good");
    good.looks(() => {
      good.put({ addresses: ["moved@corp.example"], backend: "workmail" });
      return true;
    });
    const { ask } = gatewayOf({ directories: [broken, good], backends: [exchange, workmail] });
    expect((await ask(["a@corp.example", "moved@corp.example"])).map(told)).toEqual([
      "a@corp.example",
      "moved@corp.example",
    ]);
  });

  it("one that names a backend that does not exist costs nobody but its own mailbox", async () => {
    const exchange = others();
    const ad = new FakeDirectory("ad", {}, { addresses: ["lie@corp.example"], backend: "ghost" });
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    const answers = await ask(["a@corp.example", "lie@corp.example"]);
    expect(answers.map(({ kind }) => kind)).toEqual(["view", "failure"]);
  });

  it("one that throws when it is searched costs nobody but the mailbox searched for", async () => {
    const exchange = others();
    const ad = new FakeDirectory("ad");
    const find = ad.find.bind(ad);
    ad.find = (key) => {
      if (key === mailbox("bad@corp.example")) throw new Error("bug");
      return find(key);
    };
    const { ask } = gatewayOf({ directories: [ad], backends: [exchange] });
    const answers = await ask(["a@corp.example", "bad@corp.example"]);
    expect(answers).toHaveLength(2);
    expect(told(answers[0])).toBe("a@corp.example");
  });

  it("a cache that hangs costs a group the budget, and no more", async () => {
    vi.useFakeTimers();
    let reads = 0;
    // The first reading, for the members asked about beside the group, is answered.
    const find = (questions: readonly unknown[]) =>
      ++reads === 1 ? questions.map(() => undefined) : new Promise<never>(() => {});
    const directory = new FakeDirectory("ad").group(["all@corp.example"], ["b@corp.example"]);
    const { ask } = gatewayOf({
      directories: [directory],
      backends: [others()],
      cache: { find, store: async () => {}, forget: async () => "here" as const },
    });
    const answers = ask(["a@corp.example", "all@corp.example"]);
    const first = Promise.race([answers, new Promise((resolve) => setTimeout(resolve, 6000, "late"))]);
    await vi.advanceTimersByTimeAsync(6000);
    expect(await first).not.toBe("late");
    expect((await answers).map(told)).toEqual(["a@corp.example", "budget-spent"]);
  });

  it("a cache that hangs is no reason not to answer within the budget", async () => {
    vi.useFakeTimers();
    const cache = {
      find: () => new Promise<never>(() => {}),
      store: async () => {},
      forget: async () => "here" as const,
    };
    const { ask } = gatewayOf({ directories: [], backends: [others()], cache });
    const answers = ask(["a@corp.example"]);
    const first = Promise.race([answers, new Promise((resolve) => setTimeout(resolve, 6000, "late"))]);
    await vi.advanceTimersByTimeAsync(6000);
    expect(await first).not.toBe("late");
  });

  it("a backend that leaves a hole in its answers costs its own mailboxes only, and no rejection goes unhandled", async () => {
    const exchange = new FakeBackend("exchange", "a@corp.example");
    const workmail = new FakeBackend("workmail");
    workmail.respond = async () => [undefined as never];
    const { ask } = gatewayOf({ directories: [], backends: [exchange, workmail] });
    const answers = await ask(["a@corp.example", "b@corp.awsapps.com"]);
    expect(answers.map(({ kind }) => kind)).toEqual(["view", "failure"]);
  });

  it.each(["addressesOf", "state"] as const)(
    "a directory whose %s throws costs nobody the whole lookup",
    async (method) => {
      const exchange = new FakeBackend("exchange", "a@corp.example");
      for (const decides of [true, false]) {
        const broken = new FakeDirectory("broken", { decides }, { addresses: ["x@corp.example"], backend: "exchange" });
        broken[method] = () => {
          throw new Error("bug");
        };
        const good = new FakeDirectory(
          "good",
          {},
          { addresses: ["x@corp.example", "a@corp.example"], backend: "exchange" },
        );
        const { ask } = gatewayOf({ directories: [broken, good], backends: [exchange, new FakeBackend("workmail")] });
        const answers = await ask(["b@corp.awsapps.com", "x@corp.example", "a@corp.example"]);
        expect(answers).toHaveLength(3);
      }
    },
  );
});
