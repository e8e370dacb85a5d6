/** Accounts with tokens, whole: from whoever grants them to a simulated Exchange or WorkMail that believes them. */

import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { Calendar } from "../../simulators/calendar.js";
import { startSimulator } from "../../simulators/ews-simulator.js";
import { startWorkMailApi, type WorkMailApiSimulator } from "../../simulators/workmail-api-simulator.js";
import type { SimulatedOrganization } from "../../simulators/workmail-organization.js";
import { type MailboxAddress, parseMailboxAddress } from "../../src/availability/mailbox-address.js";
import { type InstantMs, instant } from "../../src/availability/time-window.js";
import type { AccountOptions } from "../../src/backends/account-options.js";
import { BasicTransport } from "../../src/backends/basic-transport.js";
import { BearerTransport } from "../../src/backends/bearer-transport.js";
import { ClientCredentials } from "../../src/backends/client-credentials.js";
import type { HttpAnswer } from "../../src/backends/http-channel.js";
import { ImpersonationRole } from "../../src/backends/impersonation-role.js";
import { KeptToken } from "../../src/backends/kept-token.js";
import { ServiceAccounts } from "../../src/backends/service-accounts.js";
import { TokenError } from "../../src/backends/token-source.js";
import { writeAvailabilityRequest } from "../../src/ews/get-user-availability-request.js";
import type { AccountChange } from "../../src/proxy/account-observer.js";
import { sendJson, startTokenEndpoint } from "../support/token-endpoint.js";
import { ORGANIZATION_ID, organization, SECRET, setCredentials } from "../support/workmail-organization.js";

setCredentials();
const never = new AbortController().signal;
const address = (text: string) => parseMailboxAddress(text) as MailboxAddress;
const SERVICE = address("svc-freebusy@corp.example");
const calendar = () =>
  new Calendar({
    [SERVICE]: { rights: "details" as const, events: [] },
    "bob@corp.example": {
      rights: "details" as const,
      events: [{ start: "2026-07-01T09:00:00Z", end: "2026-07-01T10:00:00Z", busy: "Busy", subject: "Planning" }],
    },
  });
const question = (actsAs: MailboxAddress | undefined) =>
  writeAvailabilityRequest({
    mailboxes: [address("bob@corp.example")],
    window: { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) },
    detail: "times",
    intervalMinutes: 15,
    serverVersion: "Exchange2010_SP2",
    impersonate: actsAs,
  });
const shows = ({ status, body }: HttpAnswer) => `${status} ${/<(?:\w+:)?BusyType>(\w+)</.exec(body.toString())?.[1]}`;
const thrown = (promise: Promise<unknown>): Promise<TokenError> =>
  promise.then(
    () => Promise.reject(new Error("it succeeded")),
    (error: TokenError) => error,
  );

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function site(change: Partial<SimulatedOrganization> = {}) {
  const api: WorkMailApiSimulator = await startWorkMailApi(
    organization({ impersonationRoles: [{ id: "role-1" }], ...change }),
  );
  closing.push(() => api.close());
  const known = { valid: (token: string) => api.organization.impersonationTokens?.has(token) ?? false };
  const ews = await startSimulator({
    style: "workmail",
    calendar: calendar(),
    accounts: [{ bearer: (token) => known.valid(token) }, { username: "svc", password: "canary-basic" }],
  });
  closing.push(() => ews.close());
  const clock = { now: instant(1_700_000_000_000) };
  const events: AccountChange[] = [];
  const url = new URL(ews.url);
  const role = (roleId = "role-1") =>
    new ImpersonationRole({
      organizationId: ORGANIZATION_ID,
      roleId,
      region: "eu-west-1",
      endpoint: api.url,
      timeoutMs: 5000,
    });
  const pool = { url, connections: 2, maximumAnswerBytes: 1_000_000, patienceMs: 5000 };
  const impersonation = (roleId?: string): AccountOptions => ({
    name: SERVICE,
    scheme: "impersonation",
    actsAs: SERVICE,
    current: () => "",
    channel: () =>
      new BearerTransport({ ...pool, tokens: new KeptToken({ grant: role(roleId), now: () => clock.now }) }),
  });
  const basic: AccountOptions = {
    name: "svc",
    scheme: "basic",
    current: () => "canary-basic",
    channel: (password) => new BasicTransport({ ...pool, username: "svc", password }),
  };
  const over = (...accounts: AccountOptions[]) => {
    const service = new ServiceAccounts({ accounts, now: () => clock.now, tell: (event) => events.push(event) });
    closing.push(() => service.close());
    return service;
  };
  return { api, ews, known, clock, events, role, impersonation, basic, over };
}

describe("an impersonation role of WorkMail", () => {
  it("gives tokens that are believed for as long as it says, fifteen minutes at most", async () => {
    const { role, api } = await site({
      impersonationRoles: [
        { id: "role-1", expiresIn: 600 },
        { id: "long", expiresIn: 86_400 },
      ],
    });
    const roles = [role(), role("long")];
    const granted = await Promise.all(roles.map((one) => one.obtain(never)));
    expect(granted.map(({ lifetimeMs }) => lifetimeMs)).toEqual([600_000, 900_000]);
    expect([...(api.organization.impersonationTokens?.keys() ?? [])].sort()).toEqual(
      granted.map(({ token }) => token).sort(),
    );
    for (const one of roles) await one.close();
  });

  it.each([
    ["AccessDeniedException", { refused: true, detail: expect.stringContaining("workmail:AssumeImpersonationRole") }],
    ["UnrecognizedClientException", { refused: true, detail: expect.stringContaining("credentials") }],
    ["ThrottlingException", { refused: false }],
    ["OrganizationStateException", { refused: false }],
  ])("ends with %s and what to do, and nothing of what AWS says", async (code, expected) => {
    const { role, api } = await site();
    api.behaviour.failing = { "role-1": code };
    const error = await thrown(role().obtain(never));
    expect(error).toBeInstanceOf(TokenError);
    expect(error).toMatchObject({ code, ...expected });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(new RegExp(`Simulated|${SECRET}`));
  });

  it("that does not exist is named, and an API that is away too", async () => {
    const { role, api } = await site();
    expect(await thrown(role("nobody").obtain(never))).toMatchObject({
      code: "ResourceNotFoundException",
      refused: true,
      detail: expect.stringContaining("nobody"),
    });
    api.behaviour.mode = "down";
    expect(await thrown(role().obtain(never))).toMatchObject({ code: expect.stringMatching(/^E/), refused: false });
  });

  it("asks WorkMail in the name of its mailbox, with one token for many questions", async () => {
    const { ews, api, impersonation, over } = await site();
    const accounts = over(impersonation());
    const answers = await Promise.all(Array.from({ length: 5 }, () => accounts.post(question, never)));
    expect(new Set(answers.map(({ answer }) => shows(answer)))).toEqual(new Set(["200 Busy"]));
    expect(ews.asked.map(({ scheme, impersonated, version }) => [scheme, impersonated, version])).toEqual(
      Array.from({ length: 5 }, () => ["Bearer", SERVICE, "Exchange2010_SP2"]),
    );
    expect(api.calls()).toEqual({ AssumeImpersonationRole: 1 });
    expect(accounts.state()).toMatchObject([{ scheme: "impersonation", expiresAt: 1_700_000_900_000 }]);
  });

  it("is assumed again when WorkMail no longer believes the token, and nobody notices", async () => {
    const { api, impersonation, over, events } = await site();
    const accounts = over(impersonation());
    await accounts.post(question, never);
    api.organization.impersonationTokens?.clear();
    expect(shows((await accounts.post(question, never)).answer)).toBe("200 Busy");
    expect(api.calls()).toEqual({ AssumeImpersonationRole: 2 });
    expect(events).toEqual([]);
  });

  it("is assumed again ahead of the token's end", async () => {
    const { api, impersonation, over, clock } = await site();
    const accounts = over(impersonation());
    await accounts.post(question, never);
    clock.now = instant(clock.now + 700_000);
    await accounts.post(question, never);
    await expect.poll(() => accounts.state()[0]?.expiresAt, { timeout: 10_000 }).toBe(clock.now + 900_000);
    expect(api.calls()).toEqual({ AssumeImpersonationRole: 2 });
  });

  it("may stand beside an account with a password, each asking in its own way", async () => {
    const { ews, impersonation, basic, over } = await site();
    const accounts = over(impersonation(), basic);
    const used: string[] = [];
    for (let i = 0; i < 4; i++) used.push((await accounts.post(question, never)).account);
    expect(used).toEqual([SERVICE, "svc", SERVICE, "svc"]);
    expect(ews.asked.map(({ scheme, impersonated }) => `${scheme} ${impersonated}`)).toEqual([
      `Bearer ${SERVICE}`,
      "Basic undefined",
      `Bearer ${SERVICE}`,
      "Basic undefined",
    ]);
  });

  it("that is denied leaves its work to the other account, and says why", async () => {
    const { api, impersonation, basic, over } = await site();
    api.behaviour.mode = "deny";
    const accounts = over(impersonation(), basic);
    for (let i = 0; i < 4; i++) expect((await accounts.post(question, never)).account).toBe("svc");
    expect(accounts.state()[0]?.problem).toContain("AccessDeniedException: allow the IAM action");
    expect(api.calls()).toEqual({ AssumeImpersonationRole: 1 });
  });
});

describe("secrets that were planted everywhere", () => {
  it("are in no error, no state and no event, whatever goes wrong", async () => {
    const { ews, api, known, clock, events, impersonation, basic, over } = await site();
    const endpoint = await startTokenEndpoint();
    closing.push(() => endpoint.close());
    const oauth: AccountOptions = {
      name: "app",
      scheme: "oauth",
      actsAs: SERVICE,
      current: () => "canary-client-1",
      next: () => "canary-client-2",
      channel: (secret) =>
        new BearerTransport({
          url: new URL(ews.url),
          connections: 1,
          maximumAnswerBytes: 10_000,
          patienceMs: 5000,
          tokens: new KeptToken({
            now: () => clock.now,
            grant: new ClientCredentials({
              tokenUrl: endpoint.url,
              clientId: "app",
              proof: { method: "client_secret_post", secret },
              allowPlainHttp: true,
              now: () => clock.now,
            }),
          }),
        }),
    };
    const seen: unknown[] = [];
    const tokens = new Set<string>();
    const echo = (status: number) => (reply: Parameters<typeof sendJson>[0]) => {
      const form = endpoint.asked.at(-1)?.form;
      const said = String(form?.get("client_secret"));
      sendJson(reply, status, {
        error: said,
        error_description: said,
        access_token: `canary ${said}`,
        token_type: said,
      });
    };
    const tell = (accounts: ServiceAccounts) =>
      accounts.post(question, AbortSignal.timeout(1000)).then(
        ({ answer, account }) => seen.push({ ...answer, body: answer.body.toString() }, account),
        (error: unknown) => seen.push(error),
      );
    const turns: (() => void)[] = [
      () => undefined,
      () => Object.assign(endpoint, { answer: echo(400) }),
      () => Object.assign(endpoint, { answer: echo(200) }),
      () => Object.assign(endpoint, { answer: (reply: Parameters<typeof sendJson>[0]) => reply.destroy() }),
      () => Object.assign(known, { valid: () => false }),
      () => Object.assign(api.behaviour, { mode: "deny" }),
      () => Object.assign(ews.behaviour, { mode: "refuse-credentials" }),
      () => Object.assign(ews.behaviour, { mode: "half" }),
      () => Object.assign(ews.behaviour, { mode: "reset" }),
      () => Object.assign(ews.behaviour, { mode: "throttled" }),
    ];
    for (const turn of turns) {
      turn();
      for (const accounts of [over(oauth), over(impersonation()), over(basic), over(oauth, basic, impersonation())]) {
        await tell(accounts);
        clock.now = instant(clock.now + 120_000) as InstantMs;
        await tell(accounts);
        seen.push(accounts.state(), accounts.name, accounts);
        await accounts.close();
      }
    }
    for (const token of api.organization.impersonationTokens?.keys() ?? []) tokens.add(token);
    const printed = inspect([seen, events], {
      depth: 20,
      showHidden: true,
      maxStringLength: null,
      maxArrayLength: null,
    });
    const encoded = Buffer.from("svc:canary-basic").toString("base64");
    expect(seen.length).toBeGreaterThan(100);
    expect(tokens.size).toBeGreaterThan(0);
    for (const secret of ["canary", encoded, SECRET, ...tokens]) expect(printed.includes(secret)).toBe(false);
    expect(printed).toContain("HTTP 401");
  });
});
