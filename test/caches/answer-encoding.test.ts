import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUSY_TYPES } from "../../src/availability/free-busy-view.js";
import { failed, learnt, type MailboxAnswer, viewed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import { bias } from "../../src/availability/time-zone.js";
import { decodeAnswers, ENCODING_VERSION, encodeAnswers } from "../../src/caches/answer-encoding.js";
import { ByteReader, ByteWriter, UnreadableBytes } from "../../src/caches/byte-writer.js";
import type { CachedAnswer } from "../../src/proxy/view-cache.js";

const anyInstant = fc.integer({ min: -1e14, max: 1e14 }).map(instant);
const anyText = fc.option(fc.string({ unit: "grapheme", maxLength: 40 }), { nil: undefined });
const anyDetails = fc.record({
  id: anyText,
  subject: anyText,
  location: anyText,
  isMeeting: fc.boolean(),
  isRecurring: fc.boolean(),
  isException: fc.boolean(),
  isReminderSet: fc.boolean(),
  isPrivate: fc.boolean(),
});
const anyTime = fc.record({ start: anyInstant, end: anyInstant, busyType: fc.constantFrom(...BUSY_TYPES) });
const anyRule = fc.record({
  bias: fc.integer({ min: -1440, max: 1440 }),
  timeOfDayMs: fc.integer({ min: 0, max: 86_399_999 }),
  dayOrder: fc.integer({ min: 1, max: 31 }),
  month: fc.integer({ min: 0, max: 12 }),
  weekday: fc.integer({ min: 0, max: 6 }),
  year: fc.option(fc.integer({ min: 1601, max: 9999 }), { nil: undefined }),
});
const anyHours = fc.option(
  fc.record({
    zone: fc.record({ bias: fc.integer({ min: -900, max: 900 }).map(bias), standard: anyRule, daylight: anyRule }),
    periods: fc.array(
      fc.record({
        weekdays: fc.subarray([0, 1, 2, 3, 4, 5, 6]),
        startMinutes: fc.integer({ min: 0, max: 1440 }),
        endMinutes: fc.integer({ min: 0, max: 1440 }),
      }),
      { maxLength: 3 },
    ),
  }),
  { nil: undefined },
);
const anyAnswer: fc.Arbitrary<MailboxAnswer> = fc.oneof(
  fc.record({ backend: anyText, code: anyText }).map((more) => failed({ reason: "mailbox-not-found", ...more })),
  fc
    .record({
      start: anyInstant,
      intervalMinutes: fc.integer({ min: 1, max: 1440 }),
      digits: fc.string({ unit: fc.constantFrom(..."01234"), maxLength: 200 }),
    })
    .map((merged) => viewed({ detail: "merged", merged })),
  fc
    .record({ events: fc.array(anyTime, { maxLength: 20 }), workingHours: anyHours })
    .map((view) => viewed({ detail: "times", ...view })),
  fc
    .record({
      events: fc.array(
        fc.tuple(anyTime, fc.option(anyDetails, { nil: undefined })).map(([time, details]) => ({ ...time, details })),
        { maxLength: 20 },
      ),
      workingHours: anyHours,
    })
    .map((view) => viewed({ detail: "details", ...view })),
);
const anyKept: fc.Arbitrary<CachedAnswer> = fc
  .record({
    answer: anyAnswer,
    window: fc.record({ start: anyInstant, end: anyInstant }),
    detail: fc.constantFrom("times", "details"),
    learntAt: anyInstant,
    freshUntil: anyInstant,
    expiresAt: anyInstant,
  })
  .map(
    (kept): CachedAnswer => ({
      ...kept,
      detail: kept.detail as CachedAnswer["detail"],
      answer: learnt(kept.answer, kept.learntAt),
    }),
  );

describe("an answer that was encoded", () => {
  it("is read as what it was", () => {
    fc.assert(
      fc.property(fc.array(anyKept, { maxLength: 4 }), (kept) => {
        expect(decodeAnswers(encodeAnswers(kept))).toEqual(kept);
      }),
      { numRuns: 500 },
    );
  });

  it("takes a fraction of its JSON", () => {
    const [kept] = fc.sample(anyKept, { numRuns: 1, seed: 1 }) as [CachedAnswer];
    const events = Array.from({ length: 20 }, (_, i) => ({
      start: instant(Date.UTC(2026, 6, 1 + i, 9)),
      end: instant(Date.UTC(2026, 6, 1 + i, 10)),
      busyType: "Busy" as const,
    }));
    const window = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 7, 1)) };
    const one = { ...kept, window, answer: viewed({ detail: "times", events }) };
    expect(encodeAnswers([one]).length).toBeLessThan(JSON.stringify(one).length / 5);
  });

  it("of another version is nothing, whatever follows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 50 }), (version, rest) => {
        fc.pre(version !== ENCODING_VERSION);
        expect(decodeAnswers(Buffer.from([version, ...rest]))).toBeUndefined();
      }),
    );
  });

  it("cut short, or followed by more, is not half believed", () => {
    fc.assert(
      fc.property(fc.array(anyKept, { minLength: 1, maxLength: 2 }), fc.nat(), (kept, at) => {
        const bytes = encodeAnswers(kept);
        expect(() => decodeAnswers(bytes.subarray(0, 1 + (at % (bytes.length - 1))))).toThrow(UnreadableBytes);
        expect(() => decodeAnswers(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(UnreadableBytes);
      }),
    );
  });

  it("of arbitrary bytes ends in an answer or an error of its own, soon", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeAnswers(Buffer.from([ENCODING_VERSION, ...bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableBytes);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("is refused when it is a failure that is no answer to keep", () => {
    const [kept] = fc.sample(anyKept, { numRuns: 1, seed: 1 }) as [CachedAnswer];
    expect(() => encodeAnswers([{ ...kept, answer: failed({ reason: "no-access" }) }])).toThrow("no-access");
  });
});

describe("a whole number", () => {
  it("is read as what it was, up to what is safe", () => {
    const edges = [0, -1, 63, 64, -64, -65, 8191, 8192, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...edges)), (value) => {
        const to = new ByteWriter();
        to.integer(value);
        expect(new ByteReader(to.finished()).integer()).toBe(value);
      }),
    );
  });
});
