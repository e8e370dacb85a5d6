import { describe, expect, it } from "vitest";
import { type DisclosureRule, MailboxSet } from "../../src/availability/disclosure-rules.js";
import { GroupExpander, MAXIMUM_MEMBERS } from "../../src/proxy/expand-group.js";
import { type MailboxDirectory, SourceFailure } from "../../src/proxy/mailbox-directory.js";
import { askedFor, FakeDirectory } from "../support/fake-directory.js";
import { mailbox, routerOf } from "../support/proxy.js";

const SPACES = [{ domain: "corp.example", backend: "exchange" }];
const people = (count: number, prefix = "m") => Array.from({ length: count }, (_, i) => `${prefix}${i}@corp.example`);

async function expand(
  directories: readonly MailboxDirectory[],
  text: string,
  {
    origin,
    deny = [],
    signal = new AbortController().signal,
  }: { origin?: string; deny?: readonly string[]; signal?: AbortSignal } = {},
) {
  const router = routerOf(directories, SPACES);
  const unexpected: string[] = [];
  const notRead: string[] = [];
  const expander = new GroupExpander(router, {
    unexpected: (what) => void unexpected.push(what),
    membersNotRead: (directory, problem) => void notRead.push(`${directory}: ${problem}`),
  });
  const group = router.route(askedFor(text), origin);
  if (group.kind !== "group") throw new Error(`${text} is no group`);
  const rule: DisclosureRule = {
    maximumDetail: "details",
    privateEvents: "without-text",
    allow: [],
    deny: [new MailboxSet(deny)],
  };
  const found = await expander.expand(group, origin, rule, signal);
  if ("reason" in found) return { failure: found, members: [], unexpected, notRead };
  const members = found.members.map(({ asked, route }) =>
    route.kind === "failure" ? `${asked.text}: ${route.failure.reason}` : asked.text,
  );
  return { failure: undefined, members, unexpected, notRead, targets: found.members, someUnknown: found.someUnknown };
}

const ad = () => new FakeDirectory("ad", { home: "exchange" });

describe("the members of a group", () => {
  it("are its own and those of the groups inside, each group looked into once, cycles or not", async () => {
    const calls: string[] = [];
    const naming = (members: string[]) => async (group: string) => {
      calls.push(group);
      return { addresses: members.map(mailbox), without: 0 };
    };
    const directory = ad()
      .group(["top@corp.example"], naming(["a@corp.example", "left@corp.example", "right@corp.example"]))
      .group(["left@corp.example"], naming(["b@corp.example", "bottom@corp.example", "top@corp.example"]))
      .group(["right@corp.example"], naming(["bottom@corp.example", "a@corp.example", "left@corp.example"]))
      .group(["bottom@corp.example"], naming(["c@corp.example", "bottom@corp.example"]));
    const { members } = await expand([directory], "top@corp.example");
    expect([...members].sort()).toEqual(["a@corp.example", "b@corp.example", "c@corp.example"]);
    expect(calls.sort()).toEqual([
      "bottom@corp.example",
      "left@corp.example",
      "right@corp.example",
      "top@corp.example",
    ]);
  });

  it("are named under a group's own address, by whichever of its addresses it is asked for", async () => {
    const directory = ad().group(["top@corp.example", "alias@corp.example"], ["a@corp.example"]);
    expect((await expand([directory], "alias@corp.example")).members).toEqual(["a@corp.example"]);
  });

  it("come from both systems, and from another directory where that one has the group inside", async () => {
    const wm = new FakeDirectory("wm", { home: "workmail" }, { addresses: ["w@corp.example"], backend: "workmail" });
    wm.group(["inner@corp.example"], ["w@corp.example"]);
    const directory = ad().group(["top@corp.example"], ["a@corp.example", "inner@corp.example"]);
    const { targets } = await expand([directory, wm], "top@corp.example");
    expect(targets?.map(({ route }) => route.kind === "backend" && `${route.backend} ${route.address}`)).toEqual([
      "exchange a@corp.example",
      "workmail w@corp.example",
    ]);
  });

  it("count once under all their addresses", async () => {
    const directory = new FakeDirectory(
      "ad",
      {},
      {
        addresses: ["bob@corp.example", "robert@corp.example"],
        backend: "workmail",
      },
    )
      .group(["top@corp.example"], ["robert@corp.example", "bob@corp.example", "inner@corp.example"])
      .group(["inner@corp.example"], ["bob@corp.example", ...people(99)]);
    const { members, someUnknown } = await expand([directory], "top@corp.example");
    expect(members).toHaveLength(100);
    expect(someUnknown).toBe(false);
  });

  it("are never to be asked of the system that asks", async () => {
    const wm = new FakeDirectory("wm", {}, { addresses: ["w@corp.example"], backend: "workmail" });
    const directory = ad()
      .group(["top@corp.example"], ["a@corp.example", "inner@corp.example", "x@elsewhere.example"])
      .group(["inner@corp.example"], ["w@corp.example", "b@corp.example"]);
    expect((await expand([directory, wm], "top@corp.example", { origin: "exchange" })).members).toEqual([
      "a@corp.example: belongs-to-origin",
      "x@elsewhere.example: no-address-space",
      "w@corp.example",
      "b@corp.example: belongs-to-origin",
    ]);
  });

  it("are not looked for in a group inside that the caller may not see, whatever its address here, and it counts as one", async () => {
    const named: string[] = [];
    const directory = ad()
      .group(["top@corp.example"], ["a@corp.example", "b1@corp.example"])
      .group(["board@corp.example", "b1@corp.example"], async (group) => {
        named.push(group);
        return { addresses: [mailbox("chair@corp.example")], without: 0 };
      });
    const told = (members: readonly string[]) => [...members].sort();
    expect(told((await expand([directory], "top@corp.example", { deny: ["board@corp.example"] })).members)).toEqual([
      "a@corp.example",
      "b1@corp.example: not-disclosed",
    ]);
    expect(named).toEqual([]);
    expect(told((await expand([directory], "top@corp.example")).members)).toEqual([
      "a@corp.example",
      "chair@corp.example",
    ]);
  });

  it("are none in an empty group", async () => {
    expect(await expand([ad().group(["top@corp.example"], [])], "top@corp.example")).toMatchObject({
      failure: undefined,
      members: [],
    });
  });
});

describe("a group is too large", () => {
  it.each([
    ["not with as many members of its own as are allowed", 100, 0, undefined],
    ["with one more", 101, 0, "group-too-large"],
    ["when it is those without an address that are too many", 90, 11, "group-too-large"],
    ["not when they just fit", 90, 10, undefined],
    ["when only the beginning of its members was read", 5000, 0, "group-too-large"],
  ])("%s: %i, %i", async (_, count, without, reason) => {
    const { failure, members } = await expand(
      [ad().group(["top@corp.example"], people(count), without)],
      "top@corp.example",
    );
    expect(failure?.reason).toBe(reason);
    expect(members).toHaveLength(reason === undefined ? count : 0);
  });

  it("not because of a group inside, which is left out whole", async () => {
    const directory = ad()
      .group(["top@corp.example"], ["big@corp.example", "small@corp.example", "a@corp.example"])
      .group(["big@corp.example"], people(100, "big"))
      .group(["small@corp.example"], people(99, "small"));
    const { members, failure, someUnknown } = await expand([directory], "top@corp.example");
    expect([failure, someUnknown]).toEqual([undefined, true]);
    expect([...members].sort()).toEqual(["a@corp.example", ...people(99, "small")].sort());
  });

  it("not because of a group inside of which only the beginning was read, and which is left out whole as well", async () => {
    const both = people(50).map((one) => ({ addresses: [one, `x-${one}`], backend: "exchange" }));
    const directory = new FakeDirectory("ad", {}, ...both)
      .group(["top@corp.example"], [...people(50), "inner@corp.example"])
      .group(["inner@corp.example"], [...both.flatMap(({ addresses }) => addresses), ...people(80, "new")]);
    const { members, someUnknown } = await expand([directory], "top@corp.example");
    expect([...members].sort()).toEqual(people(50).sort());
    expect(someUnknown).toBe(true);
  });

  it("not with more than a hundred groups inside, and they are looked into without end neither", async () => {
    let calls = 0;
    const directory = ad();
    const chain = (i: number) => `g${i}@corp.example`;
    for (let i = 0; i < 300; i++) {
      directory.group([chain(i)], async () => {
        calls++;
        return { addresses: [mailbox(`p${i % 50}@corp.example`), mailbox(chain(i + 1))], without: 0 };
      });
    }
    const { failure, someUnknown } = await expand([directory], chain(0));
    expect([failure, someUnknown]).toEqual([undefined, true]);
    expect(calls).toBeLessThanOrEqual(101);
  });

  it("of which the directory is told the most that is wanted", async () => {
    const limits: number[] = [];
    const directory = ad().group(["top@corp.example"], async (_, limit) => {
      limits.push(limit);
      return { addresses: [], without: 0 };
    });
    await expand([directory], "top@corp.example");
    expect(limits[0]).toBeGreaterThanOrEqual(MAXIMUM_MEMBERS);
  });
});

describe("a group is unresolved", () => {
  it("when its directory cannot name members, or does not know it any more", async () => {
    const blind = new FakeDirectory("blind", {}, { addresses: ["top@corp.example"], kind: "group" });
    expect((await expand([blind], "top@corp.example")).failure).toEqual({
      reason: "group-unresolved",
      detail: "directory blind",
    });
    const gone = ad().group(["top@corp.example"], async () => undefined);
    const { failure, unexpected } = await expand([gone], "top@corp.example");
    expect([failure?.reason, unexpected]).toEqual(["group-unresolved", []]);
  });

  it.each([
    ["rejects with a mistake", () => Promise.reject(new Error("bug"))],
    [
      "throws one",
      () => {
        throw new Error("bug");
      },
    ],
  ])("when its directory %s, which is told as something that should not be able to happen", async (_, members) => {
    const { failure, unexpected } = await expand([ad().group(["top@corp.example"], members)], "top@corp.example");
    expect(failure?.reason).toBe("group-unresolved");
    expect(unexpected).toEqual(["directory ad could not name the members of a group"]);
  });

  it.each([
    ["cannot name members", new FakeDirectory("blind", {}, { addresses: ["inner@corp.example"], kind: "group" })],
    ["fails", new FakeDirectory("wm").group(["inner@corp.example"], () => Promise.reject(new Error("ECONNREFUSED")))],
    ["does not know it any more", new FakeDirectory("wm").group(["inner@corp.example"], async () => undefined)],
  ])("inside another one, whose members are then not all of them, when its directory %s", async (_, other) => {
    const directory = ad().group(["top@corp.example"], ["a@corp.example", "inner@corp.example"]);
    const { failure, members, someUnknown } = await expand([directory, other], "top@corp.example");
    expect([failure, members, someUnknown]).toEqual([undefined, ["a@corp.example"], true]);
  });

  it("when its directory cannot ask its source, which is told with the reason and is no mistake of the program", async () => {
    const down = ad().group(["top@corp.example"], () => Promise.reject(new SourceFailure("cannot be reached")));
    const { failure, unexpected, notRead } = await expand([down], "top@corp.example");
    expect([failure?.reason, notRead, unexpected]).toEqual(["group-unresolved", ["ad: cannot be reached"], []]);
  });

  it("silently when whoever asked has given up", async () => {
    const abort = new AbortController();
    const directory = ad().group(["top@corp.example"], async () => {
      abort.abort();
      throw new Error("aborted");
    });
    const { failure, unexpected } = await expand([directory], "top@corp.example", { signal: abort.signal });
    expect([failure?.reason, unexpected]).toEqual(["group-unresolved", []]);
  });

  it("without asking about groups inside once whoever asked has given up", async () => {
    const abort = new AbortController();
    let inner = 0;
    const directory = ad()
      .group(["inner@corp.example"], async () => {
        inner++;
        return { addresses: [], without: 0 };
      })
      .group(["top@corp.example"], async () => {
        abort.abort();
        return { addresses: [mailbox("inner@corp.example")], without: 0 };
      });
    await expand([directory], "top@corp.example", { signal: abort.signal });
    expect(inner).toBe(0);
  });
});
