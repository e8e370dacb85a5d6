import { describe, expect, it } from "vitest";
import { SealedValues } from "../../src/caches/sealed-values.js";

const OLD = "an old secret of more than 32 characters";
const NEW = "a new secret of more than 32 characters!";
const KEY = "exchange\0svc\0bob@corp.example";
const secretBytes = Buffer.from("Project Gemini");

describe("a sealed value", () => {
  it("opens under its own key with its secret only, and is new each time", () => {
    const sealed = new SealedValues(OLD, undefined);
    const value = sealed.seal(secretBytes, KEY);
    expect(sealed.open(value, KEY)).toEqual({ bytes: secretBytes, byOther: false });
    expect(sealed.open(value, KEY.replace("bob", "ann"))).toBeUndefined();
    expect(new SealedValues(NEW, undefined).open(value, KEY)).toBeUndefined();
    expect(sealed.seal(secretBytes, KEY).equals(value)).toBe(false);
    expect(value.includes("Gemini")).toBe(false);
  });

  it("does not open when any bit of it is another", () => {
    const sealed = new SealedValues(OLD, undefined);
    const value = sealed.seal(secretBytes, KEY);
    for (let bit = 0; bit < value.length * 8; bit++) {
      const changed = Buffer.from(value);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(sealed.open(changed, KEY)).toBeUndefined();
    }
    for (let length = 0; length < value.length; length++)
      expect(sealed.open(value.subarray(0, length), KEY)).toBeUndefined();
  });

  it("opens on both sides while one secret follows the other", () => {
    const before = new SealedValues(OLD, NEW);
    const after = new SealedValues(NEW, OLD);
    expect(after.open(before.seal(secretBytes, KEY), KEY)).toEqual({ bytes: secretBytes, byOther: true });
    expect(before.open(after.seal(secretBytes, KEY), KEY)).toEqual({ bytes: secretBytes, byOther: true });
    expect(new Set(before.namesOf(KEY))).toEqual(new Set(after.namesOf(KEY)));
  });

  it("has a name that tells nothing without the secret", () => {
    const [name] = new SealedValues(OLD, undefined).namesOf(KEY);
    expect(name).toMatch(/^[\w-]{32}$/);
    expect(new SealedValues(NEW, undefined).namesOf(KEY)).not.toEqual([name]);
  });
});
