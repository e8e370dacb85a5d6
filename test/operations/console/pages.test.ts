import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, failed, viewed } from "../../../src/availability/mailbox-answer.js";
import { instant } from "../../../src/availability/time-window.js";
import type { TimeZone } from "../../../src/availability/time-zone.js";
import { windowsTimeZone } from "../../../src/ews/windows-time-zones.js";
import { Console, type ConsoleParts } from "../../../src/operations/console/console.js";
import { STYLE } from "../../../src/operations/console/style.js";
import type { RecentLookup } from "../../../src/proxy/recent-lookups.js";

const HOSTILE = `"><script src=//evil.example></script>'&amp;<!--\u202e`;
const NOW = instant(Date.parse("2026-07-01T10:00Z"));
const berlin = { name: "Europe/Berlin", zone: windowsTimeZone("Europe/Berlin") as TimeZone };
const failure = { reason: HOSTILE as never, backend: HOSTILE, code: HOSTILE, detail: HOSTILE };
const outcome = {
  mailbox: HOSTILE,
  rule: HOSTILE,
  backend: HOSTILE,
  cache: HOSTILE as never,
  delivered: HOSTILE as never,
  failure: undefined,
};

const lookupOf = (id: string, change: object = {}): RecentLookup => ({
  at: NOW,
  outcome: {
    id,
    caller: HOSTILE,
    origin: HOSTILE,
    source: HOSTILE,
    windowMs: 1,
    durationMs: 1,
    mailboxes: [outcome, { ...outcome, failure }],
    ...change,
  },
});

function consoleOf(change: Partial<ConsoleParts> = {}) {
  const events = [
    { start: NOW, end: instant(NOW + 36_000_000), busyType: "Busy" as const, details: { subject: HOSTILE } as never },
  ];
  return new Console({
    version: HOSTILE,
    callerName: "console:admin",
    rule: { maximumDetail: "details", privateEvents: "without-text", allow: [], deny: [] },
    zone: berlin,
    zoneNamed: windowsTimeZone,
    systems: ["exchange", HOSTILE],
    overview: async () => ({
      state: "serving",
      backends: new Map([
        [
          HOSTILE,
          {
            usable: false,
            reason: HOSTILE,
            accounts: [
              { name: HOSTILE, scheme: HOSTILE, inFlight: 1, secret: "next", setAsideUntil: NOW, problem: HOSTILE },
            ],
            endpoints: [{ name: HOSTILE, circuit: "open", since: NOW, problem: HOSTILE }],
          },
        ],
      ]),
      directories: [{ name: HOSTILE, from: "none", recipients: 0, readAt: undefined, problem: HOSTILE }],
      probes: [{ name: HOSTILE, origin: HOSTILE, everyMs: 1, result: "failure", reason: HOSTILE as never }],
      sharedCache: { joined: false, problem: HOSTILE } as never,
    }),
    recent: { all: () => [lookupOf(HOSTILE)], written: (address) => address },
    tellAll: () => {},
    router: {
      explain: () => ({
        route: { kind: "failure", failure, rule: HOSTILE },
        steps: [{ considered: HOSTILE, finding: HOSTILE, ageSeconds: 1 }],
      }),
    },
    answer: (query) => [
      query.mailboxes[0]?.text === "ok@x.example" ? viewed({ detail: "details", events }) : failed(failure),
    ],
    clock: () => NOW,
    now: () => 0,
    ...change,
  });
}

const fields = { mailboxes: "ok@x.example", from: "2026-07-01", days: "1", as: "none", zone: "UTC", anew: false };
/** Every tag and attribute name in a page. */
const tagsIn = (text: string) => [...text.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map((match) => match[1]);

describe("a page of the console", () => {
  it("shows hostile text in every field as text, and nothing else of it", async () => {
    const gateway = consoleOf();
    const hostileForm = { mailboxes: HOSTILE, from: HOSTILE, days: HOSTILE, as: HOSTILE, zone: HOSTILE, anew: true };
    const pages = [
      await gateway.overview(),
      gateway.recent({ text: HOSTILE, onlyUnknown: false }),
      gateway.emptyForm(),
      (await gateway.lookUp(hostileForm, "::1", "id")).text,
      (await gateway.lookUp({ ...fields, mailboxes: `ok@x.example\n${HOSTILE}` }, "::1", "id")).text,
    ];
    for (const text of pages) {
      expect(text).toContain("&lt;script src=//evil.example&gt;");
      expect(tagsIn(text).filter((tag) => /^(script|style|iframe|!-)/i.test(tag as string))).toEqual([]);
      expect(text).not.toMatch(/\u202e| style=| on[a-z]+=|javascript:/i);
    }
  });

  it("says of every reason what to do about it, where a mailbox has no answer", async () => {
    for (const reason of FAILURE_REASONS) {
      const { text } = await consoleOf({ answer: () => [failed({ reason })] }).lookUp(fields, "::1", "id");
      expect(text).toContain(`id="reason-${reason}"`);
      expect(text).toContain('aria-label="not known all day"');
      expect(text).not.toContain('aria-label="free all day"');
    }
  });

  it("does not show the way to a mailbox that may not be seen", async () => {
    const gateway = consoleOf({
      answer: () => [failed({ reason: "not-disclosed" })],
      router: {
        explain: () => ({
          route: { kind: "failure", failure, rule: "r" },
          steps: [{ considered: "ldap", finding: "workmail" }],
        }),
      },
    });
    expect((await gateway.lookUp(fields, "::1", "id")).text).not.toContain("workmail");
  });

  it("asks each mailbox once, in the order written, over whole days of the zone named, as the system chosen", async () => {
    const asked: unknown[] = [];
    const gateway = consoleOf({
      answer: ({ mailboxes, window }, { caller, anew }, id) => {
        asked.push([
          mailboxes[0]?.text,
          new Date(window.start).toISOString(),
          (window.end - window.start) / 3_600_000,
          caller.origin,
          anew,
          id,
        ]);
        return [failed({ reason: "no-access" })];
      },
    });
    // The clocks go back on the 25th of October: a day of 25 hours.
    const written = {
      mailboxes: "b@x.example, a@x.example\n/o=Org/cn=A B",
      from: "2026-10-25",
      days: "1",
      as: "exchange",
      zone: "Europe/Berlin",
      anew: true,
    };
    const { asked: was } = await gateway.lookUp(written, "::1", "id");
    expect(was).toBe(true);
    expect(asked).toEqual([
      ["b@x.example", "2026-10-24T22:00:00.000Z", 25, "exchange", true, "id.1"],
      ["a@x.example", "2026-10-24T22:00:00.000Z", 25, "exchange", true, "id.2"],
      ["/o=Org/cn=A B", "2026-10-24T22:00:00.000Z", 25, "exchange", true, "id.3"],
    ]);
  });

  it("asks nobody when a field is wrong, and says so in each", async () => {
    const gateway = consoleOf({
      answer: () => {
        throw new Error("asked");
      },
    });
    const many = Array.from({ length: 21 }, (_, i) => `m${i}@x.example`).join(" ");
    const { asked, text } = await gateway.lookUp(
      { mailboxes: many, from: "2026-02-30x", days: "9", as: "nowhere", zone: "Mars", anew: false },
      "::1",
      "id",
    );
    expect(asked).toBe(false);
    expect([...text.matchAll(/id="(\w+)-problem"/g)].map((match) => match[1])).toEqual([
      "mailboxes",
      "from",
      "days",
      "as",
      "zone",
    ]);
    expect([...text.matchAll(/aria-invalid="true"/g)]).toHaveLength(5);
  });

  it("finds look-ups by address though only its hash is remembered, and by any other text", () => {
    const mailbox = (of: string) => ({ ...outcome, mailbox: `hash of ${of}`, rule: "ldap: USER" });
    const all = [
      lookupOf("id-1", { caller: "exchange", mailboxes: [mailbox("bob@corp.example")] }),
      lookupOf("id-2", {
        caller: "client",
        mailboxes: [{ ...mailbox("ann@corp.example"), failure: { reason: "no-access" } }],
      }),
    ];
    const gateway = consoleOf({ recent: { all: () => all, written: (address) => `hash of ${address}` } });
    const found = (text: string, onlyUnknown = false) =>
      [...gateway.recent({ text, onlyUnknown }).matchAll(/<code class="muted">(id-\d)</g)].map((match) => match[1]);
    expect(found("")).toEqual(["id-1", "id-2"]);
    expect(found(" BOB@corp.example ")).toEqual(["id-1"]);
    expect(found("no-access")).toEqual(["id-2"]);
    expect(found("ID-2")).toEqual(["id-2"]);
    expect(found("ldap")).toEqual(["id-1", "id-2"]);
    expect(found("", true)).toEqual(["id-2"]);
    expect(found("carol@corp.example")).toEqual([]);
  });
});

describe("the style sheet", () => {
  it("gives text a contrast of 4.5 to 1 on what it stands on, in the light and in the dark", () => {
    const [light = "", dark = ""] = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].map((match) => match[1]);
    const pairs = [
      ...["text", "muted", "link", "good", "bad", "waiting"].flatMap((front) => [
        [front, "ground"],
        [front, "surface"],
      ]),
      ...[
        ["text", "alert-ground"],
        ["on-busy", "busy"],
        ["on-away", "away-ground"],
        ["surface", "link"],
      ],
      ...["unknown", "tentative", "elsewhere"].map((kind) => ["label", `${kind}-ground`]),
    ] as [string, string][];
    for (const scheme of [light, dark]) {
      const colours = new Map(
        [...scheme.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]]),
      );
      for (const [front, back] of pairs) {
        const contrast = contrastOf(colours.get(front) as string, colours.get(back) as string);
        expect([front, back, contrast >= 4.5]).toEqual([front, back, true]);
      }
    }
  });
});

/** WCAG 2.2, "contrast ratio". */
function contrastOf(one: string, other: string): number {
  const luminance = (colour: string) =>
    [1, 3, 5]
      .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, i) => sum + part * ([0.2126, 0.7152, 0.0722][i] as number), 0);
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
