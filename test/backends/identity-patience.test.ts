/** How long a request waits for what proves who asks, and what becomes of it and of the endpoint. */

import { describe, expect, it } from "vitest";
import { instant } from "../../src/availability/time-window.js";
import type { AccountChannel } from "../../src/backends/account-options.js";
import { BearerTransport } from "../../src/backends/bearer-transport.js";
import { Endpoint } from "../../src/backends/endpoint.js";
import { EndpointChannel } from "../../src/backends/endpoint-channel.js";
import { identityPatience } from "../../src/backends/identity-patience.js";
import { KeptToken } from "../../src/backends/kept-token.js";
import { KerberosTickets } from "../../src/backends/kerberos-tickets.js";
import { NegotiateTransport } from "../../src/backends/negotiate-transport.js";
import { ServiceAccounts } from "../../src/backends/service-accounts.js";

const TIMEOUT_MS = 300;
const SERVED = {
  status: 200,
  contentType: "text/xml",
  retryAfter: undefined,
  location: undefined,
  contentEncoding: undefined,
  body: Buffer.alloc(0),
};
const now = () => instant(performance.now());
const nobody = { connections: 1, maximumAnswerBytes: 1000, patienceMs: identityPatience(TIMEOUT_MS, 1) };

/** The library's one call, which the test ends. */
const calls: (() => void)[] = [];
const kerberos = {
  GSS_MECH_OID_SPNEGO: 6,
  initializeClient: async () => ({
    step: () => new Promise<never>((_, reject) => calls.push(() => reject(new Error("Cannot contact any KDC")))),
  }),
};
const silent: [scheme: string, make: (url: URL) => AccountChannel][] = [
  [
    "bearer token",
    (url) => {
      const grant = { obtain: () => new Promise<never>(() => undefined), close: async () => undefined };
      return new BearerTransport({ url, ...nobody, tokens: new KeptToken({ grant, now }) });
    },
  ],
  [
    "Kerberos ticket",
    (url) => {
      const tickets = new KerberosTickets({ principal: "svc@CORP.EXAMPLE", host: url.hostname }, kerberos);
      return new NegotiateTransport({ url, ...nobody, tickets });
    },
  ],
];

describe("the patience of a request with its own identity", () => {
  it("leaves most of its time for another account, and never looks like an endpoint's silence", () => {
    for (let endpoints = 1; endpoints <= 10; endpoints++) {
      const patience = identityPatience(15_000, endpoints);
      expect(patience).toBeLessThanOrEqual(15_000 / 3);
      expect(patience).toBeLessThan(15_000 / endpoints / 2);
    }
  });

  it.each(silent)(
    "with a %s that does not come ends in time for another account, and the endpoint is not to blame",
    async (_, make) => {
      const told: unknown[] = [];
      const endpoint = new Endpoint(new URL("http://127.0.0.1:9/"), true, now, (standing) => told.push(standing));
      const over = (channel: (url: URL) => AccountChannel) => () =>
        new EndpointChannel([endpoint], channel, TIMEOUT_MS);
      const account = { scheme: "x", current: () => "secret" };
      const well = { post: async () => SERVED, reach: async () => 200, close: async () => undefined };
      const alone = new ServiceAccounts({ accounts: [{ ...account, name: "silent", channel: over(make) }], now });
      const both = new ServiceAccounts({
        accounts: [
          { ...account, name: "silent", channel: over(make) },
          { ...account, name: "well", channel: over(() => well) },
        ],
        now,
      });
      const ask = (accounts: ServiceAccounts) =>
        accounts.post(() => "question", AbortSignal.timeout(TIMEOUT_MS)).catch((error: unknown) => error);
      for (let i = 0; i < 6; i++)
        expect(await ask(alone)).toMatchObject({ name: "TokenError", code: "TIMEOUT", refused: false });
      for (let i = 0; i < 2; i++) expect(await ask(both)).toMatchObject({ account: "well" });
      expect(told).toEqual([]);
      expect(endpoint.standing).not.toHaveProperty("problem");
      for (const end of calls.splice(0)) end();
      await Promise.all([alone.close(), both.close()]);
    },
  );
});
