/**
 * Every reader of what others send, on its corpus and on thousands of changed copies of it. A
 * failure prints the bytes that caused it: they belong into the corpus, which is read on every run.
 * FUZZ_RUNS makes it longer.
 */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergedFreeBusy } from "../../src/availability/merged-free-busy.js";
import { readBackendAnswer } from "../../src/ews/read-backend-answer.js";
import { XmlCursor } from "../../src/ews/xml-cursor.js";
import { ASKED, TARGETS, type Target, WINDOW } from "./targets.js";

const CORPUS = fileURLToPath(new URL("corpus/", import.meta.url));
const RUNS = Number(process.env.FUZZ_RUNS ?? 3_000);

const seedsOf = ({ name }: Target) =>
  readdirSync(CORPUS + name).map((file) => {
    const bytes = readFileSync(`${CORPUS}${name}/${file}`);
    return { file, bytes: file.endsWith(".hex") ? Buffer.from(bytes.toString().trim(), "hex") : bytes };
  });

function readOrRefused({ read, refusal }: Target, bytes: Buffer): "read" | "refused" {
  try {
    read(bytes);
    return "read";
  } catch (error) {
    expect(error, bytes.toString("latin1")).toBeInstanceOf(refusal);
    return "refused";
  }
}

type Change = (bytes: Buffer) => Buffer;
/** What parsers stumble over; put anywhere. */
const TOKENS = [
  "<",
  ">",
  "</",
  "/>",
  "&",
  "&#0;",
  "&#x10ffff;",
  "]]>",
  "<![CDATA[",
  "<!--",
  "-->",
  "<?x?>",
  "<!DOCTYPE a>",
  "\r",
  "\0",
  "\ufeff",
  "é",
  "\u{1f600}",
  "xmlns:t=''",
  " s:mustUnderstand='1'",
  "__proto__",
  "constructor",
  "-1",
  "99999999999999999999",
  "NaN",
  "2026-02-30T25:61:61",
  "9999-12-31T23:59:59Z",
  "Free",
  "{",
  "[",
  "null",
  '"',
  ",",
];
const at = fc.nat(100_000);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(at, fc.nat(40)).map(
    ([from, length]): Change =>
      (b) => {
        const start = from % (b.length + 1);
        return Buffer.concat([b.subarray(0, start), b.subarray(start + length)]);
      },
  ),
  fc.tuple(at, fc.constantFrom(...TOKENS)).map(
    ([where, token]): Change =>
      (b) => {
        const start = where % (b.length + 1);
        return Buffer.concat([b.subarray(0, start), Buffer.from(token), b.subarray(start)]);
      },
  ),
  fc.tuple(at, fc.nat(255)).map(
    ([where, value]): Change =>
      (b) => {
        const changed = Buffer.from(b);
        if (changed.length > 0) changed[where % changed.length] = value;
        return changed;
      },
  ),
  fc.tuple(at, fc.nat(300), at).map(
    ([from, length, to]): Change =>
      (b) => {
        const piece = b.subarray(from % (b.length + 1), (from % (b.length + 1)) + length);
        const where = to % (b.length + 1);
        return Buffer.concat([b.subarray(0, where), piece, b.subarray(where)]);
      },
  ),
  at.map(
    (where): Change =>
      (b) =>
        b.subarray(0, where % (b.length + 1)),
  ),
);

describe.each(TARGETS.map((target) => [target.name, target] as const))("the reader of %s", (_, target) => {
  const seeds = seedsOf(target);

  it.each(seeds.map(({ file, bytes }) => [file, bytes] as const))("takes or refuses %s of the corpus", (_, bytes) => {
    readOrRefused(target, bytes);
  });

  it("throws nothing but its own refusal, whatever is changed", { timeout: 120_000 }, () => {
    const outcomes = new Set<string>();
    const bytes = seeds.map((seed) => seed.bytes);
    fc.assert(
      fc.property(fc.constantFrom(...bytes), fc.array(change, { minLength: 1, maxLength: 4 }), (seed, changes) => {
        outcomes.add(
          readOrRefused(
            target,
            changes.reduce<Buffer>((b, one) => one(b), seed),
          ),
        );
      }),
      { numRuns: RUNS },
    );
    // Otherwise the changes are too coarse to come anywhere.
    expect(outcomes).toEqual(new Set(["read", "refused"]));
  });
});

describe("the work of reading XML", () => {
  /** Texts of about n characters, each the worst of its kind. */
  const WORST: Record<string, (n: number) => string> = {
    nesting: (n) => `<a>${"<b>".repeat(60)}${"<c/>".repeat(n / 4)}${"</b>".repeat(60)}</a>`,
    siblings: (n) => `<a>${"<b></b>".repeat(n / 7)}</a>`,
    "sections of characters": (n) => `<a>${"<![CDATA[&]]>".repeat(n / 13)}</a>`,
    comments: (n) => `<a>${"<!---->".repeat(n / 7)}</a>`,
    instructions: (n) => `<a>${"<?x?>".repeat(n / 5)}</a>`,
    references: (n) => `<a>${"&lt;".repeat(n / 4)}</a>`,
    "references between elements": (n) => `<a>${"&lt;<b/>".repeat(n / 8)}</a>`,
    "brackets between elements": (n) => `<a>${"]]<b/>".repeat(n / 6)}</a>`,
    "line ends": (n) => `<a>${"\r\n".repeat(n / 2)}</a>`,
    "attributes, many times": (n) =>
      `<a>${`<b ${Array.from({ length: 20 }, (_, i) => `a${i}=""`).join(" ")}/>`.repeat(n / 120)}</a>`,
    "namespaces, many times": (n) =>
      `<a>${Array.from({ length: n / 22 }, (_, i) => `<p:b xmlns:p="u${i}"/>`).join("")}</a>`,
    "one long name": (n) => `<${"a".repeat(n / 2)}></${"a".repeat(n / 2)}>`,
  };

  /** Characters that were looked at or searched through while it runs. */
  function counted(run: () => void): number {
    let work = 0;
    const { charCodeAt, indexOf, startsWith, slice, replace } = String.prototype;
    const counting = {
      charCodeAt(this: string, i: number) {
        work++;
        return charCodeAt.call(this, i);
      },
      indexOf(this: string, text: string, from = 0) {
        const found = indexOf.call(this, text, from);
        work += (found < 0 ? this.length : found) - from + 1;
        return found;
      },
      startsWith(this: string, text: string, from?: number) {
        work += text.length;
        return startsWith.call(this, text, from);
      },
      slice(this: string, from?: number, to?: number) {
        work++;
        return slice.call(this, from, to);
      },
      replace(this: string, ...given: Parameters<typeof replace>) {
        work += this.length;
        return replace.apply(this, given);
      },
    };
    try {
      Object.assign(String.prototype, counting);
      run();
    } finally {
      Object.assign(String.prototype, { charCodeAt, indexOf, startsWith, slice, replace });
    }
    return work;
  }

  it.each(Object.entries(WORST))("is in proportion to its length: %s", (_, make) => {
    const walk = (text: string) => () => {
      const xml = new XmlCursor(text);
      xml.text();
      xml.finish();
    };
    const [short, long] = [make(20_000), make(80_000)].map((text) => counted(walk(text))) as [number, number];
    expect(short).toBeGreaterThan(1_000);
    expect(long).toBeLessThan(short * 4.5);
  });
});

describe("a slot is free only where a backend says so:", () => {
  const NAMESPACES =
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
  const answer = (view: string) =>
    `<s:Envelope ${NAMESPACES}><s:Body><m:GetUserAvailabilityResponse><m:FreeBusyResponseArray><m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>${view}</m:FreeBusyResponse></m:FreeBusyResponseArray></m:GetUserAvailabilityResponse></s:Body></s:Envelope>`;
  /** The slots of the day, or undefined where there is no view. */
  const slots = (view: string) => {
    const read = readBackendAnswer(answer(view), ASKED);
    const one = read.kind === "answers" ? read.answers[0] : undefined;
    return one?.kind === "view" ? mergedFreeBusy(one.view, WINDOW, 30).digits : undefined;
  };
  const view = (type: string, content: string) =>
    `<m:FreeBusyView><t:FreeBusyViewType>${type}</t:FreeBusyViewType>${content}</m:FreeBusyView>`;
  const event = (start: string, end: string, busy: string) =>
    `<t:CalendarEvent><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime><t:BusyType>${busy}</t:BusyType></t:CalendarEvent>`;
  const types = fc.constantFrom(
    "FreeBusy",
    "FreeBusyMerged",
    "Detailed",
    "DetailedMerged",
    "MergedOnly",
    "None",
    "Other",
    "",
  );

  it("never behind slots that cannot be read, or that are missing", () => {
    const digits = fc.string({
      unit: fc.constantFrom("0", "1", "2", "4", "5", "9", "x", " ", "-"),
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        types,
        digits.filter((text) => text.trim() !== ""),
        fc.boolean(),
        (type, text, withEvents) => {
          const events = withEvents ? "<t:CalendarEventArray></t:CalendarEventArray>" : "";
          const shown = slots(view(type, `<t:MergedFreeBusy>${text}</t:MergedFreeBusy>${events}`));
          if (shown === undefined) return;
          const said = text.trim();
          expect(said).toMatch(/^[0-4]+$/);
          for (const [slot, digit] of [...shown].entries()) {
            const free = withEvents && type !== "MergedOnly" ? said[slot] !== "4" : said[slot] === "0";
            if (digit === "0") expect(free, `${type} ${said} gives ${shown}`).toBe(true);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("never where an event's time or kind cannot be read", () => {
    const times = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom("2026-07-01T09:00:00", "2026-07-01T09:00:00Z", " 2026-07-01T09:00:00.000 "),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          "",
          "9",
          "2026-07-01",
          "2026-13-01T09:00:00",
          "2026-07-01T25:00:00",
          "yesterday",
          "1e9",
        ),
      },
    );
    const kinds = fc.constantFrom(
      "Busy",
      "Tentative",
      "OOF",
      "NoData",
      "busy",
      "BUSY",
      "free",
      "",
      "Away",
      "&#70;reeze",
    );
    fc.assert(
      fc.property(types, times, kinds, fc.constantFrom("", "\n", "<!-- x -->"), (type, start, kind, between) => {
        const text = event(start, "2026-07-01T10:00:00", kind).replaceAll("><", `>${between}<`);
        const shown = slots(view(type, `<t:CalendarEventArray>${text}</t:CalendarEventArray>`));
        // 09:00 to 10:00 are the slots 18 and 19.
        if (shown !== undefined) expect(shown.slice(18, 20)).not.toContain("0");
      }),
      { numRuns: RUNS },
    );
  });

  it("never because something was said twice", () => {
    const busy = event("2026-07-01T09:00:00", "2026-07-01T10:00:00", "Busy");
    const array = (content: string) => `<t:CalendarEventArray>${content}</t:CalendarEventArray>`;
    const merged = (digits: string) => `<t:MergedFreeBusy>${digits}</t:MergedFreeBusy>`;
    const cases = [
      view("FreeBusy", array(busy)) + view("FreeBusy", array("")),
      view("FreeBusy", array("")) + view("FreeBusy", array(busy)),
      view("FreeBusy", array(busy) + array("")),
      view("MergedOnly", merged("2".repeat(48)) + merged("0".repeat(48))),
    ];
    for (const one of cases) expect(slots(one)?.slice(18, 20) ?? "", one).not.toContain("0");
    const twice = answer(view("FreeBusy", array(busy))).replace(
      "</s:Body>",
      `${answer(view("FreeBusy", array(""))).replace(/.*<s:Body>|<\/s:Body>.*/g, "")}</s:Body>`,
    );
    expect(() => readBackendAnswer(twice, ASKED)).toThrow(/second element in the Body/);
  });
});
