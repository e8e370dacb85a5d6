/** NTLM as Apache with mod_auth_gssapi and gss-ntlmssp understands it: by nobody who knows this code. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calendarFromFile } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { DAY_MS, instant } from "../../src/availability/time-window.js";
import { ConnectionBoundTransport } from "../../src/backends/connection-bound-transport.js";
import { EwsBackend, EXCHANGE } from "../../src/backends/ews-backend.js";
import { ntlmScheme } from "../../src/backends/ntlm-scheme.js";
import type { BackendQuestion } from "../../src/proxy/availability-backend.js";
import {
  APACHE_MISSING,
  type Apache,
  GSS_NTLM_MISSING,
  hasApache,
  hasGssNtlm,
  startApache,
} from "../support/apache.js";
import { PROJECT } from "../support/gateway-process.js";
import { oneAccount } from "../support/one-account.js";
import { until } from "../support/until.js";

if (!hasApache) process.stderr.write(APACHE_MISSING);
else if (!hasGssNtlm) process.stderr.write(GSS_NTLM_MISSING);

const START = Date.UTC(2026, 6, 1);
const QUESTION: BackendQuestion = {
  mailboxes: [parseMailboxAddress("alice@corp.example") as MailboxAddress],
  window: { start: instant(START), end: instant(START + DAY_MS) },
  detail: "times",
};
const never = new AbortController().signal;
/** Its user file knows names in ASCII only. */
const PASSWORDS: Record<string, string> = { "CORP\\svc": "Secret-1", "CORP\\other": "Pässwörd-€-𝄞" };

describe.skipIf(!hasGssNtlm)("Apache, which authenticates connections with gss-ntlmssp", () => {
  let exchange: EwsSimulator;
  let apache: Apache;
  const transports: ConnectionBoundTransport[] = [];
  const transport = (
    url: URL,
    username = "CORP\\svc",
    password = PASSWORDS[username] as string,
    word?: "Negotiate",
  ) => {
    const scheme = ntlmScheme({ username, password }, word);
    const made = new ConnectionBoundTransport({
      url,
      scheme,
      ca: apache.ca,
      connections: 3,
      maximumAnswerBytes: 1 << 20,
    });
    transports.push(made);
    return made;
  };
  /** The whole way: a backend's question, and what it makes of the answer. */
  const ask = async (channel: ConnectionBoundTransport) => {
    const options = { name: "exchange", timeoutMs: 10_000, dialect: EXCHANGE };
    const [answer] = await new EwsBackend(options, oneAccount(channel)).ask(QUESTION, never);
    return answer?.kind === "failure" ? answer.failure.reason : answer?.kind;
  };

  beforeAll(async () => {
    const account = { username: "CORP\\proxy", password: "upstream" };
    const calendar = calendarFromFile(`${PROJECT}simulators/demo-calendar.yaml`, "exchange");
    exchange = await startSimulator({ style: "exchange", calendar, accounts: [account] });
    apache = await startApache({
      upstream: new URL(exchange.url),
      upstreamAuthorization: `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`,
      gssapi: ["GssapiAllowedMech ntlmssp", "GssapiConnectionBound On", "GssapiPublishErrors On"],
      files: {
        users: Object.entries(PASSWORDS)
          .map(([name, password]) => `${name.replace("\\", ":")}:${password}\n`)
          .join(""),
      },
      environment: { NTLM_USER_FILE: "FOLDER/users" },
    });
  });
  afterAll(async () => {
    for (const one of transports) await one.close();
    await apache?.remove();
    await exchange?.close();
  });

  it.each(["http", "https"] as const)("lets our account in over %s, and passes its question on", async (protocol) => {
    expect(await ask(transport(apache[protocol]))).toBe("view");
    expect(await ask(transport(apache[protocol], "CORP\\other"))).toBe("view");
  });

  it("knows a plain name, and a name in another case", async () => {
    expect(await ask(transport(apache.http, "svc", "Secret-1"))).toBe("view");
    expect(await ask(transport(apache.http, "CORP\\SVC", "Secret-1"))).toBe("view");
  });

  it("takes NTLM under the word Negotiate, too", async () => {
    expect(await ask(transport(apache.https, "CORP\\svc", "Secret-1", "Negotiate"))).toBe("view");
  });

  /** What came over connections that are not there yet. Apache writes a request down after it has answered it. */
  const fromNowOn = () => {
    const known = new Set(apache.requests().map(({ connection }) => connection));
    return () => apache.requests().filter(({ connection }) => !known.has(connection));
  };

  it("refuses a wrong password once, however many ask with it", async () => {
    const requests = fromNowOn();
    const channel = transport(apache.https, "CORP\\svc", "secret-1");
    const refused = await Promise.all(Array.from({ length: 8 }, () => ask(channel)));
    expect(refused).toEqual(Array(8).fill("backend-refused-credentials"));
    await until(() => requests().length >= 2);
    expect(requests().map(({ status, user }) => [status, user])).toEqual([
      [401, "-"],
      [401, "-"],
    ]);
  });

  it("sees one name on each connection, and no request without one, when two names ask and it is restarted", async () => {
    const requests = fromNowOn();
    const answered = () => requests().filter(({ status }) => status === 200);
    const both = [transport(apache.https), transport(apache.https, "CORP\\other")] as const;
    for (let round = 0; round < 3; round++) {
      if (round > 0) {
        await until(() => answered().length >= 24 * round);
        await apache.server.kill();
        await apache.server.start();
      }
      const asked = Array.from({ length: 24 }, (_, i) => ask(both[i % 2] as ConnectionBoundTransport));
      expect(await Promise.all(asked)).toEqual(Array(24).fill("view"));
    }
    await until(() => answered().length >= 72);
    const names = new Map<number, string[]>();
    for (const { connection, user } of requests()) names.set(connection, [...(names.get(connection) ?? []), user]);
    // On each the challenge, and then always the same name.
    for (const [nobody, name, ...more] of names.values()) {
      expect(nobody).toBe("-");
      expect(name).toMatch(/svc|other/);
      expect(more.every((user) => user === name)).toBe(true);
    }
    expect(names.size).toBeLessThanOrEqual(3 * 2 * 3);
  });
});
