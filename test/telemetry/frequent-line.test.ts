import fc from "fast-check";
import pino from "pino";
import { describe, expect, it } from "vitest";
import { FrequentLine } from "../../src/telemetry/frequent-line.js";

function collecting(level = "info") {
  const lines: string[] = [];
  const options = { level, base: { service: "a service" }, timestamp: () => ',"time":"2026-07-01T00:00:00.000Z"' };
  const log = pino(options, { write: (line) => lines.push(line) });
  return { log, lines };
}

describe("a frequent line", () => {
  it("is, byte for byte, what pino would have written, whatever the fields hold", () => {
    const plain = fc.jsonValue();
    // "err" and what stands in every line are no fields of ours.
    const name = fc
      .string()
      .filter((key) => !["err", "level", "time", "service", "msg", "__proto__", "toJSON"].includes(key));
    fc.assert(
      fc.property(fc.dictionary(name, fc.option(plain, { nil: undefined }), { minKeys: 1 }), (fields) => {
        const { log, lines } = collecting();
        const given = { id: "1", ...fields };
        log.info(given, "lookup");
        new FrequentLine(log, "lookup").write(given);
        expect(lines[1]).toBe(lines[0]);
        expect(lines[1]?.endsWith("}\n")).toBe(true);
      }),
    );
  });

  it("is one line of JSON with what stands in every line, for a child logger too", () => {
    const { log, lines } = collecting();
    new FrequentLine(log.child({ part: "x" }), "said").write({ text: "a\nb", nothing: undefined });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: 30,
      time: "2026-07-01T00:00:00.000Z",
      service: "a service",
      part: "x",
      text: "a\nb",
      msg: "said",
    });
  });

  it("is not written where lines of its level are not", () => {
    const { log, lines } = collecting("warn");
    new FrequentLine(log, "said").write({ text: "x" });
    expect(lines).toEqual([]);
  });
});
