import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AskedMailbox } from "../../src/availability/availability-query.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import type { AddressSpace, Route } from "../../src/proxy/route-mailbox.js";
import { pinned, routerOf } from "../support/proxy.js";

const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const asked = (text: string): AskedMailbox => ({ text, routingType: "SMTP", address: parseMailboxAddress(text) });
const told = (route: Route) =>
  route.kind === "backend"
    ? `${route.backend}: ${route.address}`
    : route.kind === "group"
      ? `group ${route.address}`
      : [route.failure.reason, route.failure.backend].join(" ").trim();

interface MailboxRule {
  readonly addresses: readonly MailboxAddress[];
  readonly backend: string;
}

const router = routerOf(
  [
    pinned({
      addresses: [address("bob@corp.example"), address("bob@corp.awsapps.com"), address("robert@other.example")],
      backend: "workmail",
    }),
  ],
  [
    { domain: "corp.example", backend: "exchange" },
    { domain: "corp.awsapps.com", backend: "workmail", rewriteDomain: "corp.example" },
    { domain: "xn--mnchen-3ya.example", backend: "exchange" },
  ],
);

describe("a mailbox is asked", () => {
  it.each([
    ["where its domain is", "alice@corp.example", "exchange: alice@corp.example"],
    ["where its own rule says, before its domain", "bob@corp.example", "workmail: bob@corp.example"],
    ["under its backend's address, by an alias", "bob@corp.awsapps.com", "workmail: bob@corp.example"],
    ["by an alias in a domain no rule names", "robert@other.example", "workmail: bob@corp.example"],
    ["in the domain its backend knows", "carol@corp.awsapps.com", "workmail: carol@corp.example"],
    ["in whatever case it is written", "BOB@Corp.Example", "workmail: bob@corp.example"],
    ["in an international domain", "eve@münchen.example", "exchange: eve@xn--mnchen-3ya.example"],
  ])("%s: %s", (_, text, expected) => {
    expect(told(router.route(asked(text), undefined))).toBe(expected);
  });

  it.each([
    ["no rule names its domain", "alice@attacker.example", "no-address-space"],
    ["a rule names only the domain above", "alice@sub.corp.example", "no-address-space"],
    ["a rule names only a domain below", "alice@example", "no-address-space"],
    ["a rule's domain is only the end of its own", "alice@evilcorp.example", "no-address-space"],
    ["its domain is named like something every object has", "alice@constructor", "no-address-space"],
    ["it is no address", "alice", "invalid-address"],
    ["it is empty", "", "invalid-address"],
  ])("nowhere when %s: %s", (_, text, reason) => {
    expect(told(router.route(asked(text), undefined))).toBe(reason);
  });

  it("nowhere when it is an EX address, with a reason of its own", () => {
    const text = "/o=Corp/ou=Exchange/cn=Recipients/cn=bob";
    expect(told(router.route({ text, routingType: "EX", address: undefined }, undefined))).toBe("unresolved-legacy-dn");
  });

  it.each([
    ["workmail", "bob@corp.example", "belongs-to-origin workmail"],
    ["workmail", "bob@corp.awsapps.com", "belongs-to-origin workmail"],
    ["workmail", "carol@corp.awsapps.com", "belongs-to-origin workmail"],
    ["workmail", "alice@corp.example", "exchange: alice@corp.example"],
    ["exchange", "alice@corp.example", "belongs-to-origin exchange"],
    ["exchange", "bob@corp.example", "workmail: bob@corp.example"],
    ["neither", "alice@corp.example", "exchange: alice@corp.example"],
  ])("when %s asks for %s: %s", (origin, text, expected) => {
    expect(told(router.route(asked(text), origin))).toBe(expected);
  });
});

describe("for any rules and any address", () => {
  const backend = fc.constantFrom("exchange", "workmail", "third");
  const domain = fc.constantFrom("a.example", "b.example", "c.example", "sub.a.example");
  const localPart = fc.constantFrom("x", "y", "z");
  const anyAddress = fc.tuple(localPart, domain).map((parts) => address(parts.join("@")));
  const anyMailboxRule: fc.Arbitrary<MailboxRule> = fc.record({
    addresses: fc.uniqueArray(anyAddress, { minLength: 1, maxLength: 3 }),
    backend,
  });
  const anySpace: fc.Arbitrary<AddressSpace> = fc.record({
    domain,
    backend,
    rewriteDomain: fc.option(domain, { nil: undefined }),
  });
  const distinct = {
    rules: fc.uniqueArray(anyMailboxRule, {
      maxLength: 4,
      comparator: (a, b) => a.addresses.some((one) => b.addresses.includes(one)),
    }),
    spaces: fc.uniqueArray(anySpace, { maxLength: 4, selector: (space) => space.domain }),
  };

  it("the side that asks is never asked", () => {
    fc.assert(
      fc.property(distinct.rules, distinct.spaces, anyAddress, backend, (rules, spaces, text, origin) => {
        const route = routerOf([pinned(...rules)], spaces).route(asked(text), origin);
        if (route.kind === "backend") expect(route.backend).not.toBe(origin);
      }),
      { numRuns: 1000 },
    );
  });

  it("the origin changes whether a mailbox is asked, never where", () => {
    fc.assert(
      fc.property(distinct.rules, distinct.spaces, anyAddress, backend, (rules, spaces, text, origin) => {
        const those = routerOf([pinned(...rules)], spaces);
        const [free, bound] = [those.route(asked(text), undefined), those.route(asked(text), origin)];
        if (free.kind === "backend" && free.backend === origin) {
          expect(bound).toMatchObject({ kind: "failure", failure: { reason: "belongs-to-origin", backend: origin } });
        } else expect(bound).toEqual(free);
      }),
      { numRuns: 1000 },
    );
  });

  it("the mailbox's rule decides, then its domain's, then nobody", () => {
    fc.assert(
      fc.property(distinct.rules, distinct.spaces, anyAddress, (rules, spaces, text) => {
        const rule = rules.find(({ addresses }) => addresses.includes(text));
        const [name, ownDomain] = text.split("@");
        const space = spaces.find((one) => one.domain === ownDomain);
        const byDomain = space && `${space.backend}: ${name}@${space.rewriteDomain ?? ownDomain}`;
        const byRule = rule && `${rule.backend}: ${rule.addresses[0]}`;
        expect(told(routerOf([pinned(...rules)], spaces).route(asked(text), undefined))).toBe(
          byRule ?? byDomain ?? "no-address-space",
        );
      }),
      { numRuns: 1000 },
    );
  });
});
