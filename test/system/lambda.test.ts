/** The built zip, unpacked and run as Lambda runs it, between two simulated systems. */

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { calendarFromFile } from "../../simulators/calendar.js";
import { type EwsSimulator, startSimulator } from "../../simulators/ews-simulator.js";
import { capEvent } from "../support/cap-events.js";
import { BACKEND_PASSWORD, PROJECT } from "../support/gateway-process.js";
import { builtZip, type LambdaProcess, startLambda } from "../support/lambda-process.js";

const DEMO_CALENDAR = join(PROJECT, "simulators/demo-calendar.yaml");

function configuration(exchange: string, workmail: string, more = ""): string {
  return `
lambda: { caller: workmail }
callers:
  - { name: workmail, origin: workmail, maximumView: Detailed, requesterGroups: [{ requesters: [intern@corp.example], maximumView: MergedOnly }] }
backends:
  exchange: { type: ews, url: '${exchange}', username: 'CORP\\svc', password: 'env:EXCHANGE_PASSWORD', timeoutSeconds: 15, allowPlainHttp: true }
  workmail: { type: workmail, url: '${workmail}', username: svc@corp.example, password: 'env:EXCHANGE_PASSWORD', allowPlainHttp: true }
addressSpaces:
  - { domain: corp.example, backend: exchange }
mailboxes:
  - { address: bob@corp.example, backend: workmail }
${more}`;
}

let exchange: EwsSimulator;
let workmail: EwsSimulator;
let zip: Buffer;
let running: LambdaProcess | undefined;
beforeAll(async () => {
  const calendar = calendarFromFile(DEMO_CALENDAR, "exchange");
  exchange = await startSimulator({
    style: "exchange",
    calendar,
    accounts: [{ username: "CORP\\svc", password: BACKEND_PASSWORD }],
  });
  workmail = await startSimulator({
    style: "workmail",
    calendar: calendarFromFile(DEMO_CALENDAR, "workmail"),
    accounts: [],
  });
  zip = builtZip({ "freebusy.yaml": configuration(exchange.url, workmail.url) });
});
afterEach(async () => {
  exchange.behaviour.mode = "normal";
  await running?.stop();
});
afterAll(() => Promise.all([exchange.close(), workmail.close()]));

const start = (environment: Record<string, string> = { EXCHANGE_PASSWORD: BACKEND_PASSWORD }, from = zip) => {
  running = startLambda(from, environment);
  return running;
};

describe("the zip for Lambda", () => {
  it("is the same, byte for byte, when built again elsewhere on the clock", () => {
    const before = process.env.TZ;
    process.env.TZ = "Pacific/Auckland";
    const again = builtZip({ "freebusy.yaml": configuration(exchange.url, workmail.url) });
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
    expect(again.equals(zip)).toBe(true);
  });

  it("answers from Exchange with what the zip alone holds, never from the WorkMail that asks", async () => {
    const lambda = start();
    const { mailboxes } = await lambda.invoke(
      capEvent(["Alice@corp.example", "bob@corp.example", "ghost@corp.example", "x@elsewhere.example", 7]),
    );
    expect(mailboxes).toEqual([
      { mailbox: "Alice@corp.example", events: expect.any(Array), workingHours: expect.any(Object) },
      { mailbox: "bob@corp.example", error: "ErrorFreeBusyGenerationFailed" },
      { mailbox: "ghost@corp.example", error: "MailboxNotFound" },
      { mailbox: "x@elsewhere.example", error: "ErrorAvailabilityConfigNotFound" },
      { mailbox: 7, error: "MailboxNotFound" },
    ]);
    expect(JSON.stringify(mailboxes[0])).toContain('"subject":"Stand-up"');
    expect(workmail.asked).toEqual([]);
    // Told before the answer is handed over, because the process is frozen after it.
    expect(lambda.output()).toMatch(/"msg":"lookup"/);
    for (const secret of [BACKEND_PASSWORD, "Stand-up", "alice@"]) expect(lambda.output()).not.toContain(secret);
  });

  it("shows slots only where the requester named in the event may see no more", async () => {
    const requester = { email: "Intern@corp.example" };
    const { mailboxes } = await start().invoke(capEvent(["alice@corp.example"], { requester }));
    expect(Object.keys(mailboxes[0] as object)).toEqual(["mailbox", "events"]);
    expect(JSON.stringify(mailboxes)).not.toContain("details");
  });

  it("answers in what time Lambda has left when Exchange is silent", async () => {
    exchange.behaviour.mode = "hang";
    const answered = start().invoke(capEvent(["alice@corp.example", "ghost@corp.example"]), 2_500);
    // Not in the 15 seconds that the configuration gives Exchange.
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, 14_000, undefined).unref());
    const answer = await Promise.race([answered, late]);
    expect(answer?.mailboxes).toEqual([
      { mailbox: "alice@corp.example", error: "ErrorTimeoutExpired" },
      { mailbox: "ghost@corp.example", error: "ErrorTimeoutExpired" },
    ]);
  });

  it.each([
    [undefined, []],
    [null, []],
    [[], []],
    ["test", []],
    [{}, []],
    [{ mailboxes: [] }, []],
    [{ Mailboxes: ["a@corp.example"] }, ["ErrorFreeBusyGenerationFailed"]],
    [{ mailboxes: ["a@corp.example"], window: { startDate: 1, endDate: {} } }, ["ErrorFreeBusyGenerationFailed"]],
  ])("does not throw for an event such as %j", async (event, errors) => {
    const { mailboxes } = await start().invoke(event);
    expect(mailboxes.map((entry) => "error" in entry && entry.error)).toEqual(errors);
  });

  it("logs the shape of an event that is none, and nothing it holds", async () => {
    const lambda = start();
    await lambda.invoke({ test: "CANARY-1", requester: { email: "canary@corp.example" } });
    expect(lambda.output()).toContain('"shape":{"test":"string","requester":{"email":"string"}}');
    expect(lambda.output().toLowerCase()).not.toContain("canary");
  });

  it("answers every mailbox with an error while its configuration cannot be run, and says why", async () => {
    const lambda = start({});
    const { mailboxes } = await lambda.invoke(capEvent(["alice@corp.example"]));
    expect(mailboxes).toEqual([{ mailbox: "alice@corp.example", error: "ErrorFreeBusyGenerationFailed" }]);
    expect(lambda.output()).toContain("EXCHANGE_PASSWORD is not set");
  });
});

describe("secrets from Secrets Manager", () => {
  let api: Server;
  let answers: unknown[];
  const asked: unknown[] = [];
  beforeAll(async () => {
    api = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        asked.push([request.headers["x-amz-target"], JSON.parse(Buffer.concat(chunks).toString())]);
        response.setHeader("content-type", "application/x-amz-json-1.1");
        response.end(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0]));
      });
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => api.close(resolve)));

  const environment = () => ({
    FREEBUSY_SECRET_ID: "freebusy",
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "example",
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
  });

  it("count like environment variables; an unreadable one is read again with the next event", async () => {
    answers = [
      { SecretString: "CANARY is no JSON" },
      { SecretString: JSON.stringify({ EXCHANGE_PASSWORD: BACKEND_PASSWORD }) },
    ];
    const lambda = start(environment());
    const first = await lambda.invoke(capEvent(["alice@corp.example"]));
    expect(first.mailboxes).toEqual([{ mailbox: "alice@corp.example", error: "ErrorFreeBusyGenerationFailed" }]);
    const second = await lambda.invoke(capEvent(["alice@corp.example"]));
    expect(second.mailboxes[0]).toHaveProperty("events");
    expect(asked[0]).toEqual(["secretsmanager.GetSecretValue", { SecretId: "freebusy" }]);
    expect(lambda.output()).toContain("the secret freebusy is no JSON object");
    for (const secret of ["CANARY", BACKEND_PASSWORD]) expect(lambda.output()).not.toContain(secret);
  });
});

describe("lambda/template.yaml", () => {
  const tags = ["!Ref", "!Sub", "!If", "!Not", "!Equals", "!GetAtt", "!Join", "!Split"];
  const customTags = tags.flatMap((tag) => [
    { tag, resolve: (text: string) => ({ [tag]: text }) },
    { tag, collection: "seq" as const, resolve: (seq: { toJSON(): unknown }) => ({ [tag]: seq.toJSON() }) },
  ]);
  const { Resources: resources } = parse(readFileSync(join(PROJECT, "lambda/template.yaml"), "utf8"), { customTags });

  it("lets WorkMail's availability service of one organization call the function, and nobody else", () => {
    const permissions = Object.values(resources as Record<string, { Type: string; Properties: object }>).filter(
      ({ Type }) => Type === "AWS::Lambda::Permission",
    );
    expect(permissions.map(({ Properties }) => Properties)).toEqual([
      {
        FunctionName: { "!GetAtt": "Function.Arn" },
        Action: "lambda:InvokeFunction",
        Principal: { "!Sub": expect.stringMatching(/^availability\.workmail\.\$\{WorkMailRegion\}\.amazonaws\.com$/) },
        SourceAccount: { "!Ref": "AWS::AccountId" },
        SourceArn: {
          "!Sub": expect.stringMatching(
            /^arn:aws:workmail:\$\{WorkMailRegion\}:\$\{AWS::AccountId\}:organization\/\$\{OrganizationId\}$/,
          ),
        },
      },
    ]);
  });

  it("gives the function the handler of the zip, and less time than WorkMail waits", () => {
    const { Handler, Timeout, Code } = resources.Function.Properties;
    expect([Handler, Timeout, Code]).toEqual(["lambda.handler", 20, "../dist/freebusy-lambda.zip"]);
  });
});
