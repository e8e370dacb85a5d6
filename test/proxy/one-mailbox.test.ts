import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { ProbeMemory } from "../../src/directories/probe-memory.js";
import { askedFor, DAY, FakeBackend, FakeDirectory, gatewayOf } from "../support/fake-directory.js";
import { mailbox, pinned } from "../support/proxy.js";

const backends = () => [new FakeBackend("exchange"), new FakeBackend("workmail")];

describe("one mailbox, whatever is known of it", () => {
  it("a backend is still known to be asked about a mailbox that has been forgotten meanwhile", async () => {
    // The guard against loops lives on what is under way; joining it must end at a flip, knowing of it must not.
    const exchange = new FakeBackend("exchange");
    exchange.respond = () => new Promise(() => {});
    const { asker, ask } = gatewayOf({ directories: [], backends: [exchange], budgetMs: 20 });
    const answers = ask(["bob@corp.example"], { origin: "workmail" });
    const wanted = { backend: exchange, address: mailbox("bob@corp.example") };
    asker.forget([wanted]);
    expect([...(asker.askersOf(wanted) ?? ["nobody knows"])]).toEqual(["workmail"]);
    asker.forget("all");
    expect([...(asker.askersOf(wanted) ?? ["nobody knows"])]).toEqual(["workmail"]);
    await answers;
  });

  it("two systems that forward everything are asked once each about a mailbox neither has", async () => {
    // A question sent on is probed for; the outer question must not probe once more.
    const backends = ["exchange", "workmail"].map((name) => new FakeBackend(name));
    const winners = new ProbeMemory({ now: () => instant(DAY) });
    const gateway = gatewayOf({ directories: [winners], backends, winners });
    for (const backend of backends) {
      backend.otherwise = async (address) => {
        const [answer] = await gateway.ask([address], { origin: backend.name });
        return answer as NonNullable<typeof answer>;
      };
    }
    await gateway.ask(["bob@corp.example"]);
    expect(backends.map(({ asked }) => asked.length)).toEqual([1, 1]);
  });

  const routes = (gateway: ReturnType<typeof gatewayOf>, ...texts: string[]) =>
    new Set(
      texts.map((text) => {
        const route = gateway.router.route(askedFor(text), undefined);
        return route.kind === "backend" ? `${route.backend} ${route.address}` : route.kind;
      }),
    );

  it("the owner is asked about the address its own directory knows, though the override names one only another knows", () => {
    // AD: bob, with bsmith beside; WorkMail's directory: bob, with the awsapps address beside. One mailbox by any rule.
    const ad = new FakeDirectory(
      "ad",
      { home: "exchange" },
      {
        addresses: ["bob@corp.example", "bsmith@corp.example"],
        backend: "exchange",
      },
    );
    const wm = new FakeDirectory(
      "wm",
      { home: "workmail" },
      {
        addresses: ["bob@corp.example", "bob@corp.awsapps.com"],
        backend: "workmail",
      },
    );
    const gateway = gatewayOf({
      directories: [pinned({ addresses: [mailbox("bsmith@corp.example")], backend: "workmail" }), ad, wm],
      backends: backends(),
    });
    expect(routes(gateway, "bob@corp.example", "bsmith@corp.example", "bob@corp.awsapps.com")).toEqual(
      new Set(["workmail bob@corp.example"]),
    );
  });

  it.each(["first", "workmail"])(
    "mid-move, with the rule %s, one owner also where WorkMail's own address is one AD does not know",
    (rule) => {
      // The usual state between steps 1 and 3 of a migration, when WorkMail's primary address is the awsapps one.
      const ad = new FakeDirectory(
        "ad",
        { home: "exchange" },
        { addresses: ["bob@corp.example"], backend: "exchange" },
      );
      const wm = new FakeDirectory(
        "wm",
        { home: "workmail" },
        {
          addresses: ["bob@corp.awsapps.com", "bob@corp.example"],
          backend: "workmail",
        },
      );
      const gateway = gatewayOf({ directories: [ad, wm], backends: backends(), whenOnBothSides: rule });
      expect(routes(gateway, "bob@corp.example", "bob@corp.awsapps.com").size).toBe(1);
    },
  );
});
