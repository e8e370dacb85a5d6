import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MailboxAddress } from "../../src/availability/mailbox-address.js";
import { instant } from "../../src/availability/time-window.js";
import { atOnce } from "../../src/directories/in-slices.js";
import { overrideConflicts, type PlacedOverride } from "../../src/directories/override-conflicts.js";
import { readOverrides } from "../../src/directories/read-overrides.js";

const read = (fileName: string, text: string) =>
  atOnce(readOverrides({ fileName, text, backends: ["exchange", "workmail"], directory: "overrides" }));
const csv = (...lines: string[]) => read("overrides.csv", lines.join("\n"));
const yaml = (...lines: string[]) => read("overrides.yaml", `${lines.join("\n")}\n`);
const problems = (result: ReturnType<typeof read>) => ("problems" in result ? result.problems : []);
const HEADER = "address,owner,from,until,backendAddress";
const BOB = {
  addresses: ["bob@corp.awsapps.com", "bob@corp.example"],
  backend: "workmail",
  from: Date.UTC(2026, 7, 31, 22),
  until: Date.UTC(2027, 0, 1),
};
const EVE = { addresses: ["eve@corp.example"], backend: "exchange", from: undefined, until: undefined };

describe("a file of overrides in CSV", () => {
  it("says who owns which mailbox, from when, until when, and under which address", () => {
    const bob = "Bob@Corp.example,workmail,2026-09-01T00:00:00+02:00,2027-01-01T00:00Z,bob@corp.awsapps.com";
    expect(csv("# moves of September", HEADER, "", bob, "eve@corp.example, exchange ,,,")).toEqual({
      overrides: [
        { ...BOB, rule: "overrides: line 4" },
        { ...EVE, rule: "overrides: line 5" },
      ],
    });
  });

  it("may have its columns in any order and case, a mark before it, and the line ends of either world", () => {
    const text = '\uFEFFOwner,BackendAddress,"address"\r\nworkmail,bob@corp.awsapps.com,bob@corp.example\r\n\r\n';
    expect(read("Overrides.CSV", text)).toEqual({
      overrides: [{ ...BOB, from: undefined, until: undefined, rule: "overrides: line 2" }],
    });
  });

  it("may hold nobody", () => {
    expect(csv("address,owner")).toEqual({ overrides: [] });
  });

  it.each([
    ["bob@corp.example,workmial,,,", "owner 'workmial' is no backend. Known: exchange, workmail."],
    ["bob@corp.example,WorkMail,,,", "owner 'WorkMail' is no backend. Known: exchange, workmail."],
    ["bob@corp.example, ,,,", "owner is missing. Known: exchange, workmail."],
    [
      "bob.corp.example,workmail,,,",
      "address 'bob.corp.example' is no SMTP address. Expected one like bob@corp.example.",
    ],
    [",workmail,,,", "address is missing. Expected one like bob@corp.example."],
    ["b@corp.example,workmail,,,x@", "backendAddress 'x@' is no SMTP address. Expected one like bob@corp.example."],
    [
      "b@corp.example,workmail,2026-09-01T00:00:00,,",
      "from '2026-09-01T00:00:00' is a local time, and does not say of which place. Expected ISO 8601 with Z or an offset: 2026-09-01T00:00:00+02:00.",
    ],
    [
      "b@corp.example,workmail,,2026-09-01,",
      "until '2026-09-01' is a local time, and does not say of which place. Expected ISO 8601 with Z or an offset: 2026-09-01T00:00:00+02:00.",
    ],
    [
      "b@corp.example,workmail,2026-09-01T00:00:00+02,,",
      "from '2026-09-01T00:00:00+02' is no instant. Expected ISO 8601 with Z or an offset: 2026-09-01T00:00:00+02:00.",
    ],
    [
      "b@corp.example,workmail,2026-02-29T00:00:00Z,,",
      "from '2026-02-29T00:00:00Z' is a day that no calendar has. Expected ISO 8601 with Z or an offset: 2026-09-01T00:00:00+02:00.",
    ],
    [
      "b@corp.example,workmail,2026-09-01T00:00:00Z,2026-09-01T02:00:00+02:00,",
      "until '2026-09-01T02:00:00+02:00' is not after from '2026-09-01T00:00:00Z'. Expected a later instant.",
    ],
    ["b@corp.example,workmail", "has 2 fields. Expected 5, as in the header line."],
    ["b@corp.example,workmail,,,,", "has 6 fields. Expected 5, as in the header line."],
    ['"b\nb",workmail,,,', "address 'b\\u{a}b' is no SMTP address. Expected one like bob@corp.example."],
  ])("refuses %s, and says what was found and what was expected", (line, problem) => {
    expect(csv(HEADER, "eve@corp.example,exchange,,,", line)).toEqual({
      problems: [`overrides.csv line 3: ${problem}`],
    });
  });

  it.each([
    ["", "line 1: the header line is missing."],
    ["bob@corp.example,workmail", "line 1: 'bob@corp.example,workmail' is no header line."],
    ["address;owner", "line 1: 'address;owner' is no header line."],
    ["# who\naddress,form\nx,y", "line 2: there is no column 'form'."],
    ["address,owner,address", "line 1: the column 'address' is there twice."],
    ["address,from", "line 1: the column 'owner' is missing."],
  ])("cannot be read with %j for a header", (text, problem) => {
    expect(problems(csv(text))[0]).toMatch(`overrides.csv ${problem}`);
  });

  it("is told all its mistakes at once, line by line", () => {
    const result = csv(
      "address,owner,form",
      "bob@corp.example,workmial,x",
      'eve@corp.example,"exchange"x,',
      "x,y,z",
      "ann@corp.example,workmail,",
      "ann@corp.example,exchange,",
      "dan@corp.example",
    );
    expect(problems(result).map((text) => text.split(":")[0])).toEqual([
      "overrides.csv line 1",
      "overrides.csv line 2",
      "overrides.csv line 3",
      "overrides.csv line 4",
      "overrides.csv line 4",
      "overrides.csv line 6",
      "overrides.csv line 7",
    ]);
  });

  it("is refused for one bad line anywhere, and that line is the one named", () => {
    const good = fc.nat(9999).map((n) => `user${n}@corp.example,workmail,,,`);
    const bad = fc.constantFrom(
      "user@corp.example,workmail",
      "user@corp.example,workmial,,,",
      "user@corp.example,workmail,soon,,",
      '"user@corp.example,workmail,,,',
      "@,workmail,,,",
    );
    fc.assert(
      fc.property(fc.array(good, { maxLength: 30 }), bad, fc.nat(), (lines, wrong, where) => {
        const position = where % (lines.length + 1);
        const result = csv(HEADER, ...lines.toSpliced(position, 0, wrong), "");
        expect(problems(result)).toHaveLength(1);
        expect(problems(result)[0]).toMatch(`overrides.csv line ${position + 2}: `);
        expect(result).not.toHaveProperty("overrides");
      }),
    );
  });

  it("cut off anywhere within its last line, says nothing that the whole line does not say", () => {
    const whole = `${HEADER}\nbob@corp.example,workmail,2026-09-01T00:00:00+02:00,2027-01-01T00:00:00Z,`;
    for (let length = HEADER.length + 2; length < whole.length; length++) {
      expect(read("overrides.csv", whole.slice(0, length))).toHaveProperty("problems");
    }
    expect(read("overrides.csv", whole)).toHaveProperty("overrides");
  });
});

describe("a file of overrides in YAML", () => {
  const bob = [
    "- address: bob@corp.example",
    "  owner: workmail",
    "  from: 2026-09-01T00:00:00+02:00",
    "  until: 2027-01-01T00:00:00Z # end of WorkMail",
    "  backendAddress: bob@corp.awsapps.com",
  ];

  it("says the same as one in CSV, and has aliases besides", () => {
    const result = yaml(
      "# moves",
      "---",
      ...bob,
      "  aliases:",
      "  - b.smith@corp.example",
      "",
      "- {address: eve@corp.example, owner: exchange}",
    );
    expect(result).toEqual({
      overrides: [
        { ...BOB, addresses: [...BOB.addresses, "b.smith@corp.example"], rule: "overrides: line 3" },
        { ...EVE, rule: "overrides: line 11" },
      ],
    });
  });

  it.each([
    ["in brackets", "[{address: eve@corp.example, owner: exchange}]"],
    ["in JSON", '[\n{"address": "eve@corp.example",\n"owner": "exchange"}]'],
    ["indented", "   - address: eve@corp.example\n     owner: exchange\n"],
    ["with dashes on lines of their own", "-\n  address: eve@corp.example\n  owner: exchange\n"],
    ["with the line ends of the other world", "\uFEFF- address: eve@corp.example\r\n  owner: exchange\r\n"],
    ["with its end marked", "- address: eve@corp.example\n  owner: exchange\n...\n"],
    ["with its end marked, and no line end", "- address: eve@corp.example\n  owner: exchange\n..."],
    ["with each entry in brackets, and no line end", "- {address: eve@corp.example, owner: exchange}"],
  ])("may be written %s", (_, text) => {
    expect(read("o.yml", text)).toEqual({ overrides: [{ ...EVE, rule: expect.stringMatching(/line [12]$/) }] });
  });

  it.each([
    ["entry by entry", [...bob, "  aliases:", "    - b.smith@corp.example"]],
    ["with the line ends of the other world", bob.map((line) => `${line}\r`)],
    ["in brackets", ["- {address: bob@corp.example, owner: workmail, from: 2026-09-01T00:00:00+02:00}"]],
  ])("cut off anywhere within a line of it says nothing when it is written %s", (_, lines) => {
    const eve = "- address: eve@corp.example\n  owner: exchange\n";
    const whole = `${eve}${lines.join("\n")}\n`;
    const within = Array.from({ length: whole.length - eve.length }, (_, i) => whole.slice(0, eve.length + i)).filter(
      (text) => !text.endsWith("\n") && !text.endsWith("}"),
    );
    for (const text of within) expect(read("overrides.yaml", text)).toHaveProperty("problems");
    expect(read("overrides.yaml", whole)).toHaveProperty("overrides");
  });

  it("cut off within its last line is told so, by line", () => {
    expect(problems(read("overrides.yaml", "- address: eve@corp.example\n  owner: exchange"))).toEqual([
      "overrides.yaml line 2: has no line end, as when a file is not yet written to its end. Add one.",
    ]);
  });

  it("may hold nobody, when it says so", () => {
    expect(yaml("[]")).toEqual({ overrides: [] });
    expect(problems(yaml("# nobody"))[0]).toMatch("line 1: the list is missing.");
  });

  it.each([
    [["- address: 7", "  owner: workmail"], "address 7 is no SMTP address."],
    [["- address: eve@corp.example", "  owner: [workmail]"], "owner (a list) is no backend."],
    [["- address: eve@corp.example", "  owner: workmail", "  form: x"], "there is no setting 'form'."],
    [["- address: eve@corp.example", "  owner: workmail", "  aliases: x@y"], "aliases 'x@y' is no list."],
    [["- address: eve@corp.example", "  owner: workmail", "  aliases: [x]"], "alias 'x' is no SMTP address."],
    [["- address: eve@corp.example", "  owner: workmail", "  from: 2026-09-01"], "from '2026-09-01' is a local time"],
    [["- eve@corp.example"], "is no override."],
    [["- address: eve@corp.example", "  owner: workmail", "  owner: exchange"], "is no YAML: Map keys must be unique."],
    [["- address: *eve", "  owner: workmail"], "cannot be read: Unresolved alias"],
    [['- address: "eve@corp.example', "  owner: workmail"], "is no YAML: "],
    [["- address: eve@corp.example", "  owner: workmail", "---", "[]"], "is no YAML: "],
    [["- &a [*a]"], "is no override."],
    [["- &a {address: *a, owner: workmail}"], "address (a mapping) is no SMTP address."],
  ])("refuses %j, and reads the entries around it", (entry, problem) => {
    const result = yaml(...bob, ...entry, "- address: last", "  owner: workmail");
    const found = problems(result).map((text) => /^overrides\.yaml line (\d+): (.*)$/.exec(text) ?? []);
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(found.some(([, , text]) => text?.startsWith(problem))).toBe(true);
    for (const [, line] of found.slice(0, -1)) {
      expect(Number(line)).toBeGreaterThanOrEqual(bob.length + 1);
      expect(Number(line)).toBeLessThanOrEqual(bob.length + entry.length + 1);
    }
    expect(found.at(-1)?.slice(1)).toEqual([
      `${bob.length + entry.length + 1}`,
      "address 'last' is no SMTP address. Expected one like bob@corp.example.",
    ]);
  });

  it.each([["owner: workmail"], ["address"], ["  ", "a: [", "b"]])("refuses %j, which is no list", (...lines) => {
    expect(problems(yaml(...lines)).length).toBeGreaterThan(0);
  });

  it("refuses what is nested or repeated beyond all bounds, without falling over it", () => {
    expect(problems(yaml(`- address: ${"[".repeat(20_000)}`, "  owner: x")).length).toBeGreaterThan(0);
    const levels = Array.from({ length: 20 }, (_, i) => `- &k${i} [${`*k${i - 1}, `.repeat(i === 0 ? 0 : 9)}]`);
    expect(
      problems(yaml("- address: eve@corp.example", "  aliases:", ...levels.map((line) => `  ${line}`))),
    ).toHaveLength(21);
    expect(problems(yaml(`[${"{address: a@b.example, owner: exchange}, ".repeat(2000)}]`))).toEqual([
      "overrides.yaml line 1: is too long for a list in brackets. Begin each entry with '- ' on a line of its own.",
    ]);
  });
});

describe("a file that is neither", () => {
  it("is refused by its name", () => {
    expect(problems(read("overrides.txt", "address,owner"))).toEqual([
      "overrides.txt is of no kind known here. Expected .csv, .yaml or .yml.",
    ]);
  });
});

describe("overrides of one mailbox", () => {
  const rows = (...lines: string[]) => csv(HEADER, ...lines);
  const NOON = "2026-09-01T12:00:00Z";

  it("may take turns, and may say the same twice", () => {
    const result = rows(
      `bob@corp.example,exchange,,${NOON},`,
      `bob@corp.example,workmail,2026-09-01T14:00:00+02:00,,`,
      "eve@corp.example,exchange,,,",
      "eve@corp.example,exchange,,,",
      `eve@corp.example,exchange,${NOON},,`,
    );
    expect(result).toMatchObject({ overrides: { length: 5 } });
  });

  it("may not have two owners at one time, and both lines are named", () => {
    expect(
      rows(`bob@corp.example,workmail,${NOON},,`, "eve@corp.example,exchange,,,", "BOB@corp.example,exchange,,,"),
    ).toEqual({
      problems: [
        "overrides.csv line 4: owner 'exchange' contradicts line 2, where the same mailbox at the same time has owner 'workmail'. Keep one, or let one end (until) where the other begins (from).",
      ],
    });
  });

  it("may not be asked about under two addresses at one time", () => {
    const result = rows("bob@corp.example,workmail,,,bob@corp.awsapps.com", "bob@corp.example,workmail,,,");
    expect(problems(result)).toEqual([
      "overrides.csv line 3: asks workmail about another address than line 2 does, for the same mailbox at the same time. Keep one.",
    ]);
  });

  it("contradict each other when at some instant they do, each line that does is named, and no other", () => {
    const someRow = fc.record({
      addresses: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 2 }),
      backend: fc.constantFrom("exchange", "workmail"),
      from: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
      lasts: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    });
    const inForce = ({ pinned: { from, until } }: PlacedOverride, now: number) =>
      (from ?? -1) <= now && now < (until ?? 99);
    const contradict = (one: PlacedOverride, other: PlacedOverride) =>
      one.pinned.addresses.some((address) => other.pinned.addresses.includes(address)) &&
      (one.pinned.backend !== other.pinned.backend || one.pinned.addresses[0] !== other.pinned.addresses[0]) &&
      Array.from({ length: 12 }, (_, i) => i - 1).some((now) => inForce(one, now) && inForce(other, now));
    fc.assert(
      fc.property(fc.array(someRow, { maxLength: 7 }), (written) => {
        const placed: PlacedOverride[] = written.map(({ addresses, backend, from, lasts }, i) => ({
          line: i + 1,
          pinned: {
            addresses: addresses as [MailboxAddress, ...MailboxAddress[]] & string[],
            backend,
            from: from === undefined ? undefined : instant(from),
            until: lasts === undefined ? undefined : instant((from ?? 0) + lasts),
            rule: "",
          },
        }));
        const expected = placed.flatMap((one, i) =>
          placed.slice(i + 1).flatMap((other) => (contradict(one, other) ? [[one.line, other.line]] : [])),
        );
        const found = atOnce(overrideConflicts(placed)).map(({ line, problem }) => [
          Number(/line (\d+)/.exec(problem)?.[1]),
          line,
        ]);
        for (const pair of found) expect(expected).toContainEqual(pair);
        // Of a line that contradicts several, one is enough.
        expect(new Set(found.flat())).toEqual(new Set(expected.flat()));
      }),
      { numRuns: 3000 },
    );
  });
});
