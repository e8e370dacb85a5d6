import { afterEach, describe, expect, it } from "vitest";
import { FAILURE_REASONS, failed, type MailboxFailure } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import type { CallerAuthenticator } from "../../src/inbound/caller-authentication.js";
import { freeBusyUrlRoutes } from "../../src/inbound/free-busy-url-routes.js";
import { createListener } from "../../src/inbound/listener.js";
import { OwnMarks } from "../../src/inbound/own-marks.js";
import { TrustedProxies } from "../../src/inbound/trusted-proxies.js";

const caller = { name: "client", origin: undefined, maximumDetail: "times", freeBusyUrls: true } as const;
const app = createListener({ bodyBytes: 100_000, requestMs: 30_000, idleMs: 30_000 }, undefined);
afterEach(() => app.close());

describe("a free/busy URL without an answer", () => {
  it("says when to come back exactly where coming back may help, as the system asked if it did", async () => {
    let failure: MailboxFailure = { reason: "backend-busy" };
    app.register(freeBusyUrlRoutes, {
      answer: () => [failed(failure)],
      authenticator: { authenticate: () => ({ kind: "known", caller }) } as unknown as CallerAuthenticator,
      proxies: new TrustedProxies([]),
      ownMarks: new OwnMarks([]),
      observer: { lookupAnswered() {}, backendAsked() {}, requestRefused() {}, unexpected() {} },
      now: () => instant(Date.now()),
    });
    const said = async (told: MailboxFailure) => {
      failure = told;
      const { statusCode, headers } = await app.inject("/v1/freebusy/alice@corp.example.ifb");
      return [statusCode, headers["retry-after"]];
    };
    expect(await said({ reason: "backend-busy", retryAfterMs: 29_001 })).toEqual([503, "30"]);
    expect(await said({ reason: "backend-busy", retryAfterMs: 0 })).toEqual([503, "1"]);
    for (const reason of FAILURE_REASONS) {
      const [status, later] = await said({ reason });
      expect([reason, later]).toEqual([reason, status === 503 ? "5" : undefined]);
    }
  });
});
