import { describe, expect, it, vi } from "vitest";
import { FetchedSecrets } from "../../src/aws/fetched-secrets.js";
import { namedSecrets } from "../../src/aws/named-secrets.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const into: Record<string, string | undefined> = { OTHER: "kept" };
  const clock = { now: 0 };
  const fetch = vi.fn(async (): Promise<Record<string, string>> => ({ PASSWORD: `at ${clock.now}` }));
  const onProblem = vi.fn();
  const secrets = new FetchedSecrets({ fetch, into, renewAfterMs: 1000, now: () => clock.now, onProblem });
  return { into, clock, fetch, onProblem, secrets };
}

describe("fetched secrets", () => {
  it("are had again once they are old, and not before; what else is there stays", async () => {
    const { into, clock, fetch, secrets } = setUp();
    await secrets.fetch();
    clock.now = 999;
    secrets.renew();
    expect(fetch).toHaveBeenCalledOnce();
    clock.now = 1000;
    secrets.renew();
    secrets.renew();
    await settled();
    expect(into).toEqual({ OTHER: "kept", PASSWORD: "at 1000" });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("stay as they were when they cannot be had again, and are tried again with the next work", async () => {
    const { into, clock, fetch, onProblem, secrets } = setUp();
    await secrets.fetch();
    clock.now = 5000;
    const problem = new Error("no way there");
    fetch.mockRejectedValueOnce(problem);
    secrets.renew();
    await settled();
    expect(into.PASSWORD).toBe("at 0");
    expect(onProblem).toHaveBeenCalledExactlyOnceWith(problem);
    secrets.renew();
    await settled();
    expect(into.PASSWORD).toBe("at 5000");
  });

  it("are not renewed by work that nobody has fetched any for", async () => {
    const { clock, fetch, secrets } = setUp();
    clock.now = 5000;
    secrets.renew();
    await settled();
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("a secret of many", () => {
  it("is a JSON object of texts, and anything else is refused without being quoted", () => {
    expect(namedSecrets("id", '{"A":"1","B":"2"}')).toEqual({ A: "1", B: "2" });
    for (const text of [
      undefined,
      "",
      "CANARY",
      "null",
      "[]",
      '["CANARY"]',
      "{}",
      '{"A":{"B":"CANARY"}}',
      '"CANARY"',
    ]) {
      expect(() => namedSecrets("id", text)).toThrow("the secret id is no JSON object of names and texts");
      expect(() => namedSecrets("id", text)).not.toThrow(/CANARY/);
    }
  });
});
