import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { legacyKey } from "../../src/proxy/mailbox-directory.js";
import { OwnerResolver, type RouteStep } from "../../src/proxy/resolve-owner.js";
import { DAY, FakeDirectory, type FakeRecipient } from "../support/fake-directory.js";
import { mailbox } from "../support/proxy.js";

const NOW = instant(DAY + 90_000);
const signal = new AbortController().signal;

const resolverOf = (directories: readonly FakeDirectory[], whenOnBothSides: string) =>
  new OwnerResolver(directories, whenOnBothSides, (what) => {
    throw new Error(what);
  });

function ownerOf(directories: readonly FakeDirectory[], text: string, whenOnBothSides = "first") {
  const owned = resolverOf(directories, whenOnBothSides).resolve(mailbox(text), NOW);
  return owned && `${owned.claim.backend} as ${owned.address} by ${owned.directory.name}`;
}

const bobIn = (backend: string | undefined, ...addresses: string[]): FakeRecipient => ({
  addresses: addresses.length === 0 ? ["bob@corp.example"] : addresses,
  backend,
});
const ad = (...recipients: FakeRecipient[]) => new FakeDirectory("ad", { home: "exchange" }, ...recipients);
const wm = (...recipients: FakeRecipient[]) => new FakeDirectory("wm", { home: "workmail" }, ...recipients);
const deciding = (...recipients: FakeRecipient[]) => new FakeDirectory("overrides", { decides: true }, ...recipients);

describe("a mailbox's owner", () => {
  it("is nobody when no directory knows the mailbox, or there is none", () => {
    expect(ownerOf([ad(bobIn("exchange"))], "eve@corp.example")).toBeUndefined();
    expect(ownerOf([], "bob@corp.example")).toBeUndefined();
  });

  it("is whom a directory that decides names, wherever in the order it stands", () => {
    const directories = [ad(bobIn("exchange")), wm(bobIn("exchange")), deciding(bobIn("workmail"))];
    expect(ownerOf(directories, "bob@corp.example")).toBe("workmail as bob@corp.example by overrides");
    expect(ownerOf(directories, "bob@corp.example", "exchange")).toBe("workmail as bob@corp.example by overrides");
  });

  it("is whom the first of two deciding directories names", () => {
    const probe = new FakeDirectory("probe", { decides: true }, bobIn("exchange"));
    expect(ownerOf([deciding(bobIn("workmail")), probe], "bob@corp.example")).toContain("by overrides");
    expect(ownerOf([probe, deciding(bobIn("workmail"))], "bob@corp.example")).toContain("by probe");
  });

  it("is whom a directory decided on under another address that a second directory knows for the mailbox", () => {
    const directories = [
      deciding(bobIn("workmail", "bob@corp.example")),
      ad(bobIn("exchange", "robert@corp.example", "bob@corp.example")),
    ];
    expect(ownerOf(directories, "robert@corp.example")).toBe("workmail as bob@corp.example by overrides");
  });

  it("is not whom a directory decided on under an address of another mailbox", () => {
    const directories = [deciding(bobIn("workmail")), ad(bobIn("exchange", "robert@corp.example", "rob@corp.example"))];
    expect(ownerOf(directories, "robert@corp.example")).toBe("exchange as robert@corp.example by ad");
  });

  it.each([
    ["first", "exchange as bob@corp.example by ad"],
    ["exchange", "exchange as bob@corp.example by ad"],
    ["workmail", "workmail as bob@corp.example by wm"],
    ["third", "exchange as bob@corp.example by ad"],
  ])("is, when two systems have it and the rule is %s, %s", (rule, expected) => {
    expect(ownerOf([ad(bobIn("exchange")), wm(bobIn("workmail"))], "bob@corp.example", rule)).toBe(expected);
  });

  it("is the system the rule names also when only the third directory knows it there", () => {
    const third = new FakeDirectory("third", {}, bobIn("third"));
    expect(ownerOf([ad(bobIn("exchange")), wm(bobIn("workmail")), third], "bob@corp.example", "third")).toContain(
      "third as",
    );
  });

  it("is not chosen by the rule where the directories agree", () => {
    expect(ownerOf([ad(bobIn("workmail")), wm(bobIn("workmail"))], "bob@corp.example", "exchange")).toContain(
      "workmail as",
    );
  });

  it("is whoever is named, when another directory only knows that it lives where nobody may ask", () => {
    expect(ownerOf([ad(bobIn(undefined)), wm(bobIn("workmail"))], "bob@corp.example")).toContain("workmail as");
    expect(ownerOf([ad(bobIn("exchange")), wm(bobIn(undefined))], "bob@corp.example")).toContain("exchange as");
    expect(ownerOf([ad(bobIn(undefined))], "bob@corp.example")).toBe("undefined as bob@corp.example by ad");
  });

  it("is a group's directory before anybody who has a mailbox of that name, when it comes first", () => {
    const group = ad().group(["bob@corp.example"], []);
    expect(ownerOf([group, wm(bobIn("workmail"))], "bob@corp.example", "workmail")).toContain("by ad");
    expect(ownerOf([wm(bobIn("workmail")), group], "bob@corp.example")).toContain("workmail as");
  });

  it("is asked under the address that its own directory knows, whoever names it", () => {
    const own = wm(bobIn("workmail", "bob@corp.awsapps.com", "bob@corp.example"));
    expect(ownerOf([deciding(bobIn("workmail")), own], "bob@corp.example")).toContain("as bob@corp.awsapps.com");
    expect(ownerOf([ad(bobIn("workmail")), own], "bob@corp.example")).toContain("as bob@corp.awsapps.com");
  });

  it("is asked under the address it was named by, when its own directory has the mailbox elsewhere, or a group there", () => {
    const elsewhere = wm(bobIn("exchange", "bob@corp.awsapps.com", "bob@corp.example"));
    expect(ownerOf([deciding(bobIn("workmail")), elsewhere], "bob@corp.example")).toContain("as bob@corp.example");
    const group = wm().group(["bob@corp.awsapps.com", "bob@corp.example"], []);
    expect(ownerOf([deciding(bobIn("workmail")), group], "bob@corp.example")).toContain("as bob@corp.example");
  });

  it("is found by a legacyExchangeDN, under which another directory has decided nothing", () => {
    const directory = ad({ ...bobIn("exchange"), legacyDns: ["/o=Corp/cn=Bob"] });
    const resolver = resolverOf([deciding(bobIn("workmail")), directory], "first");
    const owned = resolver.resolve(legacyKey(" /O=CORP/CN=BOB "), NOW);
    expect([owned?.claim.backend, owned?.address]).toEqual(["workmail", "bob@corp.example"]);
  });

  it("is the same under all addresses, for any claims, any order and any rule, where directories know all or none of them", () => {
    const ALIASES = ["a@corp.example", "b@corp.example", "c@corp.awsapps.com"];
    const claim = fc.record({
      addresses: fc.shuffledSubarray(ALIASES, { minLength: ALIASES.length }),
      backend: fc.constantFrom("exchange", "workmail", "third"),
      home: fc.constantFrom(undefined, "exchange", "workmail"),
    });
    const override = fc.record({
      addresses: fc.shuffledSubarray(ALIASES, { minLength: 1 }),
      backend: fc.constantFrom("exchange", "workmail"),
    });
    fc.assert(
      fc.property(
        fc.array(claim, { minLength: 1, maxLength: 3 }),
        fc.option(override, { nil: undefined }),
        fc.constantFrom("first", "exchange", "workmail", "third"),
        (claims, decided, rule) => {
          const directories = claims.map(
            ({ home, ...recipient }, i) => new FakeDirectory(`d${i}`, home === undefined ? {} : { home }, recipient),
          );
          if (decided !== undefined) directories.push(deciding(decided));
          expect(new Set(ALIASES.map((one) => ownerOf(directories, one, rule))).size).toBe(1);
          if (decided !== undefined) {
            expect(ownerOf(directories, "a@corp.example", rule)?.startsWith(decided.backend)).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("what was considered", () => {
  it("is told of every directory up to the decision, with its age", () => {
    const steps: RouteStep[] = [];
    const resolver = resolverOf([deciding(), ad(bobIn("exchange")), wm(bobIn("workmail"))], "workmail");
    resolver.resolve(mailbox("bob@corp.example"), NOW, (step) => steps.push(step));
    expect(steps.map(({ considered }) => considered)).toEqual([
      "directory overrides",
      "directory ad",
      "directory wm",
      "whenOnBothSides",
    ]);
    expect(steps[0]).toEqual({ considered: "directory overrides", finding: "does not know it" });
    expect(steps[1]).toEqual({
      considered: "directory ad",
      finding: "exchange, as bob@corp.example; ad: mailbox in exchange",
      ageSeconds: 90,
    });
    expect(steps[3]?.finding).toContain("wm counts");
  });

  it("names the directory that knew the other address something was decided about", () => {
    const steps: RouteStep[] = [];
    const resolver = resolverOf(
      [deciding(bobIn("workmail")), ad(bobIn("exchange", "robert@corp.example", "bob@corp.example"))],
      "first",
    );
    resolver.resolve(mailbox("robert@corp.example"), NOW, (step) => steps.push(step));
    expect(steps.at(-1)?.finding).toContain("another address, which ad knows");
  });

  it("is never from the future", () => {
    const steps: RouteStep[] = [];
    resolverOf([ad(bobIn("exchange"))], "first").resolve(mailbox("bob@corp.example"), instant(DAY - 5000), (step) =>
      steps.push(step),
    );
    expect(steps[0]?.ageSeconds).toBe(0);
  });
});

describe("a fresh look", () => {
  it("is taken by every directory that is weighed and can, and by no other", async () => {
    const decider = deciding().looks();
    const [first, second, blind] = [ad().looks(() => false), wm().looks(), new FakeDirectory("blind")];
    const resolver = resolverOf([decider, first, second, blind], "first");
    expect(resolver.canLookAgain).toBe(true);
    expect(await resolver.lookAgain(mailbox("bob@corp.example"), signal)).toBe(true);
    expect([decider.looked, first.looked, second.looked]).toEqual([[], ["bob@corp.example"], ["bob@corp.example"]]);
  });

  it("is none when no source could be asked", async () => {
    expect(await resolverOf([ad().looks(() => false)], "first").lookAgain(mailbox("a@b.example"), signal)).toBe(false);
    const blind = resolverOf([deciding().looks(), new FakeDirectory("blind")], "first");
    expect(blind.canLookAgain).toBe(false);
    expect(await blind.lookAgain(mailbox("a@b.example"), signal)).toBe(false);
  });
});

describe("a change of ownership", () => {
  it("concerns every address that a directory knows for the mailbox, each once", () => {
    const resolver = resolverOf(
      [
        ad(bobIn("exchange", "bob@corp.example", "robert@corp.example")),
        wm(bobIn("workmail", "bob@corp.example", "bob@corp.awsapps.com")),
      ],
      "first",
    );
    const all = ["bob@corp.awsapps.com", "bob@corp.example", "robert@corp.example"];
    for (const one of all) expect([...resolver.addressesOf(mailbox(one), NOW)].sort()).toEqual(all);
    expect(resolver.addressesOf(mailbox("eve@corp.example"), NOW)).toEqual(["eve@corp.example"]);
  });

  it("of everything is told as everything, also by a directory that is weighed", () => {
    const directory = ad();
    const resolver = resolverOf([directory], "first");
    const heard: unknown[] = [];
    resolver.onChange((changed) => heard.push(changed));
    directory.tell("all");
    directory.tell(["new@corp.example"]);
    expect(heard).toEqual(["all", ["new@corp.example"]]);
  });
});

describe("in the middle of a move", () => {
  const OLD = ["bob@corp.example", "bsmith@corp.example"];

  it("an alias that only the second directory has leads where the first one's word leads", () => {
    const directories = [ad(bobIn("exchange")), wm(bobIn("workmail", "bob@corp.example", "bob@corp.awsapps.com"))];
    for (const one of ["bob@corp.example", "bob@corp.awsapps.com"]) {
      expect(ownerOf(directories, one)).toBe("exchange as bob@corp.example by ad");
    }
  });

  it("an alias that only the first directory has leads where the rule says", () => {
    const directories = [ad(bobIn("exchange", ...OLD)), wm(bobIn("workmail"))];
    for (const one of OLD) expect(ownerOf(directories, one, "workmail")).toBe("workmail as bob@corp.example by wm");
  });

  it("an override about one address beats what was probed about another of the same mailbox", () => {
    const probe = new FakeDirectory("probe", { decides: true }, bobIn("workmail", "bsmith@corp.example"));
    const directories = [deciding(bobIn("exchange")), probe, ad(bobIn("exchange", ...OLD))];
    for (const one of OLD) expect(ownerOf(directories, one)).toBe("exchange as bob@corp.example by overrides");
  });

  it("an alias that two people have, each in another directory, makes neither of them the other", () => {
    const directories = [
      ad(bobIn("exchange", "ann@corp.example", "sales@corp.example")),
      wm(bobIn("workmail", "ben@corp.example", "sales@corp.example")),
    ];
    for (const rule of ["first", "workmail", "exchange"]) {
      expect(ownerOf(directories, "ann@corp.example", rule)).toBe("exchange as ann@corp.example by ad");
      expect(ownerOf(directories, "ben@corp.example", rule)).toBe("workmail as ben@corp.example by wm");
    }
  });

  it("where each directory knows the others' first addresses, a mailbox has one owner and one address", () => {
    const FIRST = ["a", "b"].map((name) => `${name}@corp.example`);
    const known = fc.record({
      first: fc.shuffledSubarray(FIRST, { minLength: 2 }),
      others: fc.subarray(["c", "d"].map((name) => `${name}@corp.example`)),
      backend: fc.constantFrom("exchange", "workmail"),
      home: fc.constantFrom(undefined, "exchange", "workmail"),
    });
    const decided = fc.record({
      addresses: fc.shuffledSubarray([...FIRST, "c@corp.example", "d@corp.example"], { minLength: 1 }),
      backend: fc.constantFrom("exchange", "workmail"),
    });
    fc.assert(
      fc.property(
        fc.array(known, { minLength: 1, maxLength: 3 }),
        fc.array(decided, { maxLength: 2 }),
        fc.constantFrom("first", "exchange", "workmail"),
        (all, overrides, whenOnBothSides) => {
          const directories = [
            ...all.map(({ home, first, others, backend }, i) => {
              const addresses = [...first, ...others];
              return new FakeDirectory(`d${i}`, home === undefined ? {} : { home }, { addresses, backend });
            }),
            ...overrides.map((one, i) => new FakeDirectory(`o${i}`, { decides: true }, one)),
          ];
          const owners = resolverOf(directories, whenOnBothSides);
          const linked = new Set(all.flatMap(({ first, others }) => [...first, ...others]));
          const found = [...linked].map((one) => {
            const owned = owners.resolve(mailbox(one), instant(DAY));
            return `${owned?.claim.backend} ${owned?.address}`;
          });
          expect(new Set(found).size).toBe(1);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
