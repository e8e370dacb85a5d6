import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DisclosureRule,
  disclosesEverybody,
  disclosesMailbox,
  MailboxSet,
  narrowed,
  ruleFor,
  withPrivateEvents,
} from "../../src/availability/disclosure-rules.js";
import {
  BUSY_TYPES,
  type CalendarEvent,
  type FreeBusyView,
  reaches,
  VIEW_DETAILS,
} from "../../src/availability/free-busy-view.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { instant } from "../../src/availability/time-window.js";

const at = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const EVERYTHING: DisclosureRule = { maximumDetail: "details", privateEvents: "without-text", allow: [], deny: [] };

const names = ["bob@corp.example", "eve@corp.example", "bob@partner.example", "boss@corp.example"];
const sets = fc
  .subarray([...names, "corp.example", "partner.example", "EVE@corp.example"])
  .map((entries) => new MailboxSet(entries));
const rules: fc.Arbitrary<DisclosureRule> = fc.record({
  maximumDetail: fc.constantFrom(...VIEW_DETAILS),
  privateEvents: fc.constantFrom("without-text" as const, "busy" as const),
  allow: fc.array(sets, { maxLength: 2 }),
  deny: fc.array(sets, { maxLength: 2 }),
});
const mailboxes = fc.subarray(names, { minLength: 1 }).map((all) => all.map(at));

const alone = (address: MailboxAddress) => [address];

describe("a set of mailboxes", () => {
  it("holds addresses in any spelling, and whole domains, but not the ones below them", () => {
    const set = new MailboxSet(["Bob@Corp.Example", "partner.example", "münchen.example"]);
    for (const inside of ["bob@corp.example", "any@partner.example", "any@xn--mnchen-3ya.example"]) {
      expect(set.has(at(inside))).toBe(true);
    }
    for (const outside of ["eve@corp.example", "any@sub.partner.example", "any@notpartner.example"]) {
      expect(set.has(at(outside))).toBe(false);
    }
  });

  it.each(["", "@", "@corp.example", "bob@", "*", "*.corp.example", "a b"])("cannot be made with '%s'", (entry) => {
    expect(() => new MailboxSet([entry])).toThrow(RangeError);
  });
});

describe("a rule", () => {
  const bob = new MailboxSet(["bob@corp.example"]);
  const corp = new MailboxSet(["corp.example"]);

  it("without lists discloses everybody, with an empty list of allowed ones nobody", () => {
    expect(disclosesEverybody(EVERYTHING)).toBe(true);
    expect(disclosesMailbox(EVERYTHING, [at("bob@corp.example")])).toBe(true);
    expect(disclosesMailbox({ ...EVERYTHING, allow: [new MailboxSet([])] }, [at("bob@corp.example")])).toBe(false);
  });

  it("denies what is in both lists, and a mailbox under any of its addresses", () => {
    const rule = { ...EVERYTHING, allow: [corp], deny: [bob] };
    expect(disclosesMailbox(rule, [at("alice@corp.example")])).toBe(true);
    expect(disclosesMailbox(rule, [at("bob@corp.example")])).toBe(false);
    expect(disclosesMailbox(rule, [at("robert@corp.example"), at("bob@corp.example")])).toBe(false);
    expect(disclosesMailbox(rule, [at("bob@elsewhere.example")])).toBe(false);
    expect(disclosesMailbox(rule, [at("alice@elsewhere.example"), at("alice@corp.example")])).toBe(true);
  });

  it("narrowed by another grants what both grant, and no more, in either order", () => {
    fc.assert(
      fc.property(rules, rules, mailboxes, (a, b, addresses) => {
        for (const both of [narrowed(a, b), narrowed(b, a)]) {
          expect(disclosesMailbox(both, addresses)).toBe(
            disclosesMailbox(a, addresses) && disclosesMailbox(b, addresses),
          );
          expect(reaches(a.maximumDetail, both.maximumDetail) && reaches(b.maximumDetail, both.maximumDetail)).toBe(
            true,
          );
          expect(both.privateEvents === "busy").toBe([a, b].some(({ privateEvents }) => privateEvents === "busy"));
        }
      }),
    );
  });

  it("is never widened by whoever the caller says it asks for", () => {
    const requesters = fc.array(fc.oneof(fc.constantFrom(...names, "BOSS@corp.example"), fc.string()), {
      maxLength: 4,
    });
    const groups = fc.array(fc.record({ requesters: sets, rule: rules }), { maxLength: 3 });
    fc.assert(
      fc.property(rules, groups, requesters, mailboxes, (rule, all, claimed, addresses) => {
        const applied = ruleFor({ rule, groups: all }, claimed, alone);
        expect(reaches(rule.maximumDetail, applied.maximumDetail)).toBe(true);
        if (!disclosesMailbox(rule, addresses)) expect(disclosesMailbox(applied, addresses)).toBe(false);
        if (rule.privateEvents === "busy") expect(applied.privateEvents).toBe("busy");
      }),
    );
  });

  it("is narrowed by every group of a requester, and by none of others", () => {
    const interns = { requesters: bob, rule: { ...EVERYTHING, maximumDetail: "merged" as const } };
    const staff = { requesters: corp, rule: { ...EVERYTHING, deny: [new MailboxSet(["boss@corp.example"])] } };
    const disclosure = { rule: EVERYTHING, groups: [interns, staff] };
    const forAll = (...requesters: string[]) => ruleFor(disclosure, requesters, alone);
    expect(forAll()).toBe(EVERYTHING);
    expect(forAll("eve@partner.example")).toEqual(EVERYTHING);
    const narrowest = { maximumDetail: "merged", deny: [staff.rule.deny[0]] };
    expect(forAll("BOB@corp.example")).toMatchObject(narrowest);
    expect(forAll("eve@corp.example")).toMatchObject({ maximumDetail: "details" });
    // Who cannot be told from a member counts as one.
    expect(forAll("CORP\\bob")).toMatchObject(narrowest);
    expect(forAll("")).toMatchObject(narrowest);
    expect(forAll("eve@partner.example", "")).toMatchObject(narrowest);
  });

  it("is narrowed for a requester who gives another of their addresses", () => {
    const interns = { requesters: bob, rule: { ...EVERYTHING, maximumDetail: "merged" as const } };
    const aliases = (address: MailboxAddress) => [address, "bob@corp.example" as MailboxAddress];
    const disclosure = { rule: EVERYTHING, groups: [interns] };
    expect(ruleFor(disclosure, ["bob@corp.awsapps.com"], aliases)).toMatchObject({ maximumDetail: "merged" });
    expect(ruleFor(disclosure, ["bob@corp.awsapps.com"], alone)).toEqual(EVERYTHING);
  });
});

describe("private events", () => {
  const event = (busyType: CalendarEvent["busyType"], isPrivate: boolean, hour = 9): CalendarEvent => ({
    start: instant(Date.UTC(2026, 6, 1, hour)),
    end: instant(Date.UTC(2026, 6, 1, hour + 1)),
    busyType,
    details: {
      ...(isPrivate ? {} : { subject: "Review", location: "Room 1" }),
      isMeeting: true,
      isRecurring: false,
      isException: false,
      isReminderSet: true,
      isPrivate,
    },
  });
  const view = (...events: CalendarEvent[]): FreeBusyView => ({ detail: "details", events });

  it("become blocks that say nothing but busy or free, and others stay the very same", () => {
    const open = event("Tentative", false, 12);
    for (const [busyType, block] of [
      ["Free", "Free"],
      ["WorkingElsewhere", "Free"],
      ["Tentative", "Busy"],
      ["Busy", "Busy"],
      ["OOF", "Busy"],
      ["NoData", "NoData"],
    ] as const) {
      const hidden = event(busyType, true);
      const shown = withPrivateEvents(view(hidden, open), "busy");
      expect(shown).toEqual(view({ start: hidden.start, end: hidden.end, busyType: block }, open));
      expect(shown.detail !== "merged" && shown.events[1]).toBe(open);
    }
  });

  it("are left as they are where the rule says so, and a view without any stays the very same object", () => {
    const hidden = view(event("OOF", true));
    expect(withPrivateEvents(hidden, "without-text")).toBe(hidden);
    const open = view(event("OOF", false));
    expect(withPrivateEvents(open, "busy")).toBe(open);
    const slots: FreeBusyView = {
      detail: "merged",
      merged: { start: instant(0), intervalMinutes: 30, digits: "0224" },
    };
    expect(withPrivateEvents(slots, "busy")).toBe(slots);
  });

  it("may be any event of a view without details, so all become blocks there", () => {
    const { details: _, ...away } = event("OOF", false);
    const { details: __, ...busy } = event("Busy", false, 12);
    const times: FreeBusyView = { detail: "times", events: [away, busy] };
    expect(withPrivateEvents(times, "busy")).toEqual({
      detail: "times",
      events: [{ ...away, busyType: "Busy" }, busy],
    });
    const merged = { start: instant(0), intervalMinutes: 30, digits: "01234" };
    expect(withPrivateEvents({ detail: "merged", merged }, "busy")).toEqual({
      detail: "merged",
      merged: { ...merged, digits: "02224" },
    });
  });

  it("never turn time that is taken, or not known, into time that is free", () => {
    const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) };
    const some = fc.array(fc.tuple(fc.constantFrom(...BUSY_TYPES), fc.boolean(), fc.nat(22)), { maxLength: 6 });
    fc.assert(
      fc.property(some, (all) => {
        const before = view(...all.map(([type, isPrivate, hour]) => event(type, isPrivate, hour)));
        const digits = (one: FreeBusyView) => mergedFreeBusy(one, window, 30).digits;
        const [was, is] = [digits(before), digits(withPrivateEvents(before, "busy"))];
        for (let i = 0; i < was.length; i++) expect(is[i] === "0").toBe(was[i] === "0");
      }),
    );
  });
});
