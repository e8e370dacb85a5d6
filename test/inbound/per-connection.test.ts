import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LastHeader, PerConnection } from "../../src/inbound/per-connection.js";

describe("what is kept of a connection", () => {
  it("is another thing's on the same connection, and the same thing's on another", () => {
    const [one, two] = [{}, {}];
    const [names, ages] = [new PerConnection<string>(), new PerConnection<number>()];
    names.set(one, "ann");
    ages.set(one, 7);
    expect([names.get(one), ages.get(one), names.get(two), ages.get(two)]).toEqual(["ann", 7, undefined, undefined]);
    names.set(one, undefined);
    expect([names.get(one), ages.get(one)]).toEqual([undefined, 7]);
  });
});

describe("the last header of a connection", () => {
  it("is known only when it is the very same, to the last character", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, now) => {
        const last = new LastHeader<string>();
        const connection = {};
        expect(last.known(connection, now)).toBeUndefined();
        last.remember(connection, before, "ann");
        expect(last.known(connection, now)).toBe(before === now ? "ann" : undefined);
        expect(last.known(connection, before)).toBe("ann");
        for (const other of [`${before}x`, before.slice(1), `x${before.slice(1)}`])
          if (other !== before) expect(last.known(connection, other)).toBeUndefined();
        expect(last.known({}, before)).toBeUndefined();
      }),
    );
  });
});
