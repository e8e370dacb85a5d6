import { describe, expect, it } from "vitest";
import type { AskedMailbox } from "../../src/availability/availability-query.js";
import { type DisclosureRule, MailboxSet } from "../../src/availability/disclosure-rules.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { disclosedRoute } from "../../src/proxy/disclosed-route.js";
import type { Route } from "../../src/proxy/route-mailbox.js";

const at = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const asked = (text: string): AskedMailbox => ({ text, routingType: "SMTP", address: parseMailboxAddress(text) });
const to = (address: string): Route => ({ kind: "backend", backend: "exchange", address: at(address), rule: "r" });
const failed = (reason: "no-address-space" | "belongs-to-origin" | "invalid-address"): Route => ({
  kind: "failure",
  failure: { reason },
  rule: "r",
});
const ALL: DisclosureRule = { maximumDetail: "details", privateEvents: "without-text", allow: [], deny: [] };
const NO_BOSS: DisclosureRule = { ...ALL, deny: [new MailboxSet(["boss@corp.example"])] };
/** As the router finds them, with what directories know of each address. */
const knowing =
  (aliasesOf: (address: MailboxAddress) => readonly MailboxAddress[]) =>
  ({ address }: AskedMailbox, route: Route) =>
    [address, route.address].flatMap((one) => (one === undefined ? [] : [one, ...aliasesOf(one)]));
const alone = knowing(() => []);

describe("a mailbox the caller may not see", () => {
  it("goes nowhere: not under its name, its alias, nor the name its owner knows it by", () => {
    const aliases = (address: MailboxAddress) =>
      /^(boss|chief)@/.test(address) ? [at("boss@corp.example"), at("chief@corp.example")] : [address];
    const routes = [
      disclosedRoute(to("boss@corp.example"), asked("BOSS@corp.example"), NO_BOSS, alone),
      disclosedRoute(to("chief@corp.example"), asked("chief@corp.example"), NO_BOSS, knowing(aliases)),
      disclosedRoute(to("boss@corp.example"), asked("b1@corp.awsapps.com"), NO_BOSS, alone),
      disclosedRoute(
        to("chief@corp.example"),
        { text: "/o=corp/cn=x", routingType: "EX", address: undefined },
        NO_BOSS,
        knowing(aliases),
      ),
    ];
    for (const route of routes) {
      expect(route).toEqual({
        kind: "failure",
        failure: { reason: "not-disclosed" },
        rule: "disclosure: not for this caller",
      });
      // Without an address, so that nobody is looked for elsewhere either.
      expect(route.address).toBeUndefined();
    }
  });

  it("looks the same whether it exists, belongs to the one who asks, or has no owner", () => {
    const told = [to("boss@corp.example"), failed("belongs-to-origin"), failed("no-address-space")].map((route) =>
      disclosedRoute(route, asked("boss@corp.example"), NO_BOSS, alone),
    );
    expect(new Set(told.map((route) => JSON.stringify(route))).size).toBe(1);
  });
});

describe("a mailbox the caller may see", () => {
  it("keeps the very route it has", () => {
    const route = to("bob@corp.example");
    for (const rule of [ALL, NO_BOSS, { ...ALL, allow: [new MailboxSet(["corp.example"])] }]) {
      expect(disclosedRoute(route, asked("bob@corp.example"), rule, alone)).toBe(route);
    }
  });

  it("is not looked up anywhere where no rule is about mailboxes", () => {
    const never = () => {
      throw new Error("looked up");
    };
    const route = to("bob@corp.example");
    expect(disclosedRoute(route, asked("bob@corp.example"), ALL, never)).toBe(route);
  });
});

describe("text that names nobody", () => {
  it("is told so, whatever the rule", () => {
    const route = failed("invalid-address");
    expect(disclosedRoute(route, asked("boss"), NO_BOSS, alone)).toBe(route);
  });
});
