import { describe, expect, it, vi } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import { readTimeZoneDefinition } from "../../src/ews/time-zone-definition.js";
import { XmlCursor } from "../../src/ews/xml-cursor.js";

const TYPES = "http://schemas.microsoft.com/exchange/services/2006/types";
const utc = (text: string) => instant(Date.parse(`${text}Z`));
const yearly = (to: string, month: number, day: number) =>
  `<RecurringDateTransition><To Kind="Period">${to}</To><TimeOffset>PT2H</TimeOffset><Month>${month}</Month><Day>${day}</Day></RecurringDateTransition>`;
const group = (id: number, transitions: string) => `<TransitionsGroup Id="${id}">${transitions}</TransitionsGroup>`;
const era = (id: number, from: string) =>
  `<AbsoluteDateTransition><To Kind="Group">${id}</To><DateTime>${from}</DateTime></AbsoluteDateTransition>`;
const zoneOf = (groups: string, eras: string) =>
  readTimeZoneDefinition(
    new XmlCursor(
      `<TimeZoneDefinition xmlns="${TYPES}"><Periods><Period Id="S" Bias="PT5H"/><Period Id="D" Bias="PT4H"/></Periods><TransitionsGroups>${groups}</TransitionsGroups><Transitions>${eras}</Transitions></TimeZoneDefinition>`,
    ),
  );
const years = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("a zone given by a definition", () => {
  it("may say every year of three centuries by itself, as some .NET programs do", () => {
    const all = years(1800, 2100);
    const zone = zoneOf(
      all.map((year) => group(year, yearly("D", 4, 1 + (year % 28)) + yearly("S", 10, 1 + (year % 28)))).join(""),
      all.map((year) => era(year, `${year}-01-01T00:00:00`)).join(""),
    );
    // 2026 is 10 more than a multiple of 28.
    expect(
      ["2026-04-11T06:59:59", "2026-04-11T07:00:00", "2026-10-11T06:00:00"].map((at) => zone.biasAt(utc(at))),
    ).toEqual([300, 240, 300]);
  });

  it("may take up a group again in the middle of a year", () => {
    const zone = zoneOf(
      group(1, yearly("D", 4, 1) + yearly("S", 10, 1)) + group(2, yearly("S", 1, 1)),
      era(1, "2020-01-01T00:00:00") + era(2, "2026-06-01T00:00:00") + era(1, "2026-08-01T00:00:00"),
    );
    expect(
      ["2026-05-31", "2026-06-01", "2026-07-31", "2026-08-01", "2026-11-01"].map((day) =>
        zone.biasAt(utc(`${day}T00:00:00`)),
      ),
    ).toEqual([240, 300, 300, 240, 300]);
  });

  it("is refused when it has thousands of transitions, in one place or in several", () => {
    const many = (count: number) => yearly("S", 1, 1).repeat(count);
    const groups = Array.from({ length: 21 }, (_, i) => group(i, many(100))).join("");
    for (const definition of [
      () => zoneOf(group(1, many(2001)), era(1, "2020-01-01T00:00:00")),
      () => zoneOf(group(1, many(2)), era(1, "2020-01-01T00:00:00").repeat(2001)),
      () => zoneOf(groups, era(1, "2020-01-01T00:00:00")),
    ]) {
      expect(definition).toThrow(expect.objectContaining({ reason: "invalid-zone" }));
      expect(definition).toThrow(/more than 2000 transitions/);
    }
  });

  it("works out a group's year once, however many eras name the group", () => {
    const zone = zoneOf(
      group(1, yearly("S", 1, 1).repeat(200)),
      Array.from({ length: 200 }, (_, i) => era(1, new Date(Date.UTC(2026, 0, 1 + i)).toISOString())).join(""),
    );
    const worked = vi.spyOn(Date, "UTC");
    expect(zone.biasAt(utc("2026-07-01T00:00:00"))).toBe(300);
    // Of 200 changes, in a few years each; not 200 times as many.
    expect(worked.mock.calls.length).toBeLessThan(20 * 200);
    worked.mockRestore();
  });
});
