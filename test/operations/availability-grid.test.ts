import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, type TimeWindow } from "../../src/availability/time-window.js";
import { UTC_ZONE } from "../../src/availability/time-zone.js";
import { windowsTimeZone } from "../../src/ews/windows-time-zones.js";
import { availabilityGrid, type GridRow } from "../../src/operations/availability-grid.js";

const berlin = windowsTimeZone("Europe/Berlin") ?? UTC_ZONE;
const DAY: TimeWindow = {
  start: instant(Date.parse("2026-06-30T22:00Z")),
  end: instant(Date.parse("2026-07-01T22:00Z")),
};
const hourly = (mailbox: string, digits: string, window = DAY): GridRow => ({
  mailbox,
  merged: { start: window.start, intervalMinutes: 60, digits },
});
const draw = (rows: readonly GridRow[], change: { window?: TimeWindow; width?: number; colour?: boolean } = {}) =>
  availabilityGrid(rows, { window: DAY, zone: berlin, zoneName: "Europe/Berlin", width: 80, colour: false, ...change });
const digits = (marks: Record<number, string>, length = 24) =>
  Array.from({ length }, (_, hour) => marks[hour] ?? "0").join("");

describe("a grid", () => {
  it("has a row a mailbox in the order asked, the hours above, and a legend", () => {
    const rows = [
      hourly("bob@corp.example", digits({ 9: "2", 10: "1", 11: "3" })),
      hourly("alice@corp.example", digits({ 0: "4" })),
      { mailbox: "nobody@corp.example", merged: undefined },
    ];
    expect(draw(rows).split("\n")).toEqual([
      "Wednesday 2026-07-01, Europe/Berlin",
      "                    00 03 06 09 12 15 18 21",
      "bob@corp.example    .........#/o............",
      "alice@corp.example  ?.......................",
      "nobody@corp.example ????????????????????????",
      "",
      ". free  / tentative  # busy  o out of office  ? not known   one sign: 1 hour",
      "",
    ]);
  });

  it.each([
    ["2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25],
    ["2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23],
  ])("has as many hours as the day has: %s from %s to %s has %i", (date, from, to, count) => {
    const window = { start: instant(Date.parse(from)), end: instant(Date.parse(to)) };
    const [title, , row] = draw([hourly("a", "0".repeat(count), window)], { window }).split("\n");
    expect([title, row]).toEqual([`Sunday ${date}, Europe/Berlin`, `a ${".".repeat(count)}`]);
  });

  it("has a block for each day of the asker's, also where the window begins in the middle of one", () => {
    const window = { start: instant(Date.parse("2026-07-01T16:00Z")), end: instant(Date.parse("2026-07-02T02:00Z")) };
    const text = draw([hourly("a", "0000000002", window)], { window });
    expect(text.match(/^\w+day .*$|^a .*$/gm)).toEqual([
      "Wednesday 2026-07-01, Europe/Berlin",
      "a ......",
      "Thursday 2026-07-02, Europe/Berlin",
      "a ...#",
    ]);
  });

  it("says the same without colour as with it", () => {
    const rows = [hourly("a@corp.example", digits({ 1: "1", 2: "2", 3: "3", 4: "4" }))];
    const coloured = draw(rows, { colour: true });
    expect(coloured).toContain("\u001b[31m#");
    expect(coloured.replaceAll(/\u001b\[\d+m/g, "")).toBe(draw(rows));
  });

  it("numbers names that are too long, so that two which begin alike are not taken for each other", () => {
    const names = ["development.team.one@corp.example", "development.team.two@corp.example", "x@corp.example"];
    const lines = draw(
      names.map((name) => hourly(name, digits({}))),
      { width: 60 },
    ).split("\n");
    expect(lines.slice(2, 5).map((line) => line.slice(0, 24))).toEqual([
      "1 development.team.one@~",
      "2 development.team.two@~",
      "3 x@corp.example        ",
    ]);
    expect(lines).toContain("2 development.team.two@corp.example");
  });

  it("shows of a name nothing that a terminal would obey", () => {
    expect(draw([hourly("a\u001b[2J\u202eb\n@corp.example", digits({}))])).toMatch(/^a\?\[2J\?b\?@corp\.example \./m);
  });

  it("fits the width, at every width, and no sign is friendlier than the time it stands for", () => {
    const KINDS = "./#o?";
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 200 }),
        fc.array(fc.constantFrom(..."01234"), { minLength: 96, maxLength: 96 }),
        (width, quarters) => {
          const merged = { start: DAY.start, intervalMinutes: 15, digits: quarters.join("") };
          const lines = draw([{ mailbox: "alice@corp.example", merged }], { width }).split("\n");
          const row = lines[2] as string;
          expect(Math.max(...lines.slice(0, 3).map((line) => line.length))).toBeLessThanOrEqual(width);
          const shown = [...row.slice(row.lastIndexOf(" ") + 1)];
          const each = 96 / shown.length;
          expect(Number.isInteger(each)).toBe(true);
          shown.forEach((sign, i) => {
            const worst = Math.max(...quarters.slice(i * each, (i + 1) * each).map(Number));
            expect(sign).toBe(KINDS[worst]);
          });
        },
      ),
    );
  });
});
