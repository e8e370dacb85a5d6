import { afterEach, describe, expect, it } from "vitest";
import type { AvailabilityQuery } from "../../src/availability/availability-query.js";
import { failed } from "../../src/availability/mailbox-answer.js";
import { instant } from "../../src/availability/time-window.js";
import type { Authentication, CallerAuthenticator } from "../../src/inbound/caller-authentication.js";
import { capRoutes } from "../../src/inbound/cap-routes.js";
import { ewsRoutes } from "../../src/inbound/ews-routes.js";
import { freeBusyUrlRoutes } from "../../src/inbound/free-busy-url-routes.js";
import { createListener } from "../../src/inbound/listener.js";
import { lookupRoutes } from "../../src/inbound/lookup-routes.js";
import { OwnMarks } from "../../src/inbound/own-marks.js";
import { TrustedProxies } from "../../src/inbound/trusted-proxies.js";
import type { Asking, Caller } from "../../src/proxy/asking.js";
import { capEvent } from "../support/cap-events.js";
import { question } from "../support/gateway-process.js";

const caller: Caller = { name: "client", origin: undefined, maximumDetail: "times", freeBusyUrls: true };
const xml = { "content-type": "text/xml" };
const json = { "content-type": "application/json" };
const days = { from: "2026-07-01", to: "2026-07-02" };

const app = createListener({ bodyBytes: 100_000, requestMs: 30_000, idleMs: 30_000 }, undefined);
afterEach(() => app.close());

describe("a question's arrival", () => {
  it("is when its header was there, on every wire, not when its caller had signed in or its body was read", async () => {
    const askings: Asking[] = [];
    const signingIn: number[] = [];
    const authenticate = (): Promise<Authentication> => {
      signingIn.push(performance.now());
      return new Promise((resolve) => setTimeout(() => resolve({ kind: "known", caller }), 20));
    };
    const options = {
      answer: (query: AvailabilityQuery, asking: Asking) => {
        askings.push(asking);
        return query.mailboxes.map(() => failed({ reason: "no-address-space" }));
      },
      authenticator: { authenticate } as unknown as CallerAuthenticator,
      proxies: new TrustedProxies([]),
      ownMarks: new OwnMarks([]),
      observer: { lookupAnswered() {}, backendAsked() {}, requestRefused() {}, unexpected() {} },
      now: () => instant(Date.now()),
    };
    app.decorateReply("sendWhereRoom", function (write) {
      return this.send(write());
    });
    for (const routes of [ewsRoutes, lookupRoutes, freeBusyUrlRoutes]) app.register(routes, options);
    app.register(capRoutes, { ...options, withinMs: 10_000 });
    const person = "alice@corp.example";
    const requests = [
      { method: "POST", url: "/EWS/Exchange.asmx", headers: xml, payload: question([person]) },
      { method: "GET", url: "/v1/availability", query: { mailbox: person, ...days } },
      { method: "POST", url: "/v1/availability", headers: json, payload: { mailboxes: [person], ...days } },
      { method: "GET", url: `/v1/freebusy/${person}.ifb` },
      { method: "POST", url: "/cap", headers: json, payload: capEvent([person]) as object },
    ] as const;
    for (const request of requests) {
      const before = performance.now();
      await app.inject(request);
      expect(askings.length).toBe(signingIn.length);
      const since = askings.at(-1)?.since;
      expect(since).toBeGreaterThanOrEqual(before);
      expect(since).toBeLessThanOrEqual(signingIn.at(-1) as number);
    }
    expect(askings.length).toBe(requests.length);
  });
});
