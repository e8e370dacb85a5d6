import { describe, expect, it } from "vitest";
import { unforeseen } from "../../src/telemetry/unforeseen.js";

describe("what is told of an exception that nobody caught", () => {
  it("is its kind and where it was thrown, and none of its words, though they look like places", () => {
    const { error, at } = unforeseen(new RangeError("Board meeting\n    at Board room (4th floor:1:1)"));
    expect(error).toBe("RangeError");
    expect(at[0]).toContain("unforeseen.test");
    expect(JSON.stringify(at)).not.toContain("Board");
    expect(at.length).toBeLessThanOrEqual(8);
  });

  it("is the system's code and call, where it is the system's", () => {
    const error = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" });
    expect(unforeseen(error)).toMatchObject({ error: "Error", code: "ECONNRESET", syscall: "read" });
  });

  it.each([undefined, null, "Board meeting", 7, {}])("is no more than what it was, of %j", (thrown) => {
    expect(unforeseen(thrown)).toEqual({ error: `a thrown ${typeof thrown}`, at: [] });
  });

  it("has no places where there is no stack", () => {
    const error = new Error("");
    delete error.stack;
    expect(unforeseen(error)).toEqual({ error: "Error", at: [] });
  });
});
