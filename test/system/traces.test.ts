import { afterEach, describe, expect, it, vi } from "vitest";
import { authorization, post, question, type Site, startSite, told } from "../support/gateway-process.js";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../support/otlp-receiver.js";

let site: Site | undefined;
let receiver: OtlpReceiver | undefined;
afterEach(async () => {
  await site?.close();
  await receiver?.close();
  site = undefined;
});

const TOKEN = "collector-canary-Vq3";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = (sampled: boolean) => `00-${TRACE}-00f067aa0ba902b7-0${Number(sampled)}`;

/** `more` inside of the section. */
async function startTraced(more = "sampleRatio: 1", after = "") {
  receiver = await startOtlpReceiver();
  site = await startSite(
    (text) => `${text}traces: { endpoint: '${receiver?.url}', headers: { x-token: 'env:TOKEN' }, ${more} }\n${after}`,
    { TOKEN },
  );
  return { site, receiver };
}

const arrived = async (count: number) => {
  await vi.waitFor(() => expect(receiver?.spans.length).toBeGreaterThanOrEqual(count), 10_000);
  return receiver?.spans as ReceivedSpan[];
};
const named = (spans: readonly ReceivedSpan[], name: string) => {
  const found = spans.filter((span) => span.name === name);
  expect(found.map((span) => span.name)).toEqual([name]);
  return found[0] as ReceivedSpan;
};
const metric = async (name: string) => {
  const text = await (await fetch(`${site?.gateway.management}/metrics`)).text();
  return Number(new RegExp(`^${name.replace(/[{}]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1]);
};

describe("a traced request", () => {
  it("is one trace: request, lookup, cache and each backend beneath one another, in time; nobody's address is in it", async () => {
    const { site, receiver } = await startTraced();
    site.exchange.behaviour.latencyMs = 50;
    const answer = await site.ask(["alice@corp.example", "bob@corp.example", "nobody@corp.example"]);
    expect(told(answer.text).length).toBe(3);
    const spans = await arrived(5);
    const request = named(spans, "POST /EWS/Exchange.asmx");
    const lookup = named(spans, "lookup answer");
    const find = named(spans, "cache find");
    const exchange = named(spans, "backend exchange ask");
    const workmail = named(spans, "backend workmail ask");
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(request.parentSpanId ?? "").toBe("");
    expect(lookup.parentSpanId).toBe(request.spanId);
    for (const step of [find, exchange, workmail]) expect(step.parentSpanId).toBe(lookup.spanId);
    expect(exchange.ms).toBeGreaterThan(40);
    expect(request.ms).toBeGreaterThanOrEqual(exchange.ms);
    expect(request.attributes).toMatchObject({ "http.response.status_code": 200, "freebusy.caller": "client" });
    expect(find.attributes).toMatchObject({ "freebusy.asked": 3, "freebusy.hits": 0 });
    expect(exchange.attributes).toMatchObject({ "freebusy.mailboxes": 2, "freebusy.failures": ["mailbox-not-found"] });
    expect(exchange.status.code).toBe(2);
    expect(receiver.headers[0]?.["x-token"]).toBe(TOKEN);
    const all = receiver.bodies.join("\n");
    for (const secret of ["alice", "bob@", "nobody", "corp.example", TOKEN, "demo", "Basic "])
      expect(all).not.toContain(secret);
    expect(site.gateway.output()).not.toContain(TOKEN);
  });

  it("that is not let in has a span without its words", async () => {
    await startTraced();
    await post(site?.gateway.url as string, "x", {
      authorization: authorization("mallory-canary@x", "y"),
      traceparent: traceparent(true),
    });
    await fetch(`${site?.gateway.url.replace("/EWS/Exchange.asmx", "")}/canary-path`);
    const spans = await arrived(2);
    expect(named(spans, "POST /EWS/Exchange.asmx").attributes["http.response.status_code"]).toBe(401);
    expect(spans.some(({ traceId }) => traceId === TRACE)).toBe(false);
    expect(receiver?.bodies.join("")).not.toMatch(/canary/);
  });
});

describe("traceparent", () => {
  const asked = async (user: string, sampled: boolean, day: string) =>
    post(
      site?.gateway.url as string,
      question(["alice@corp.example"], { start: `2026-07-${day}T00:00:00`, end: "2026-07-20T00:00:00" }),
      {
        authorization: authorization(user),
        traceparent: traceparent(sampled),
      },
    );

  it("is gone on with from a caller who is named for it, and from nobody else; backends are told", async () => {
    const { site } = await startTraced("sampleRatio: 1, acceptFrom: [client]");
    await asked("client@corp.example", true, "05");
    const trusted = await arrived(4);
    expect(new Set(trusted.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(named(trusted, "POST /EWS/Exchange.asmx").parentSpanId).toBe("00f067aa0ba902b7");
    const told = String(site.exchange.asked[0]?.traceparent);
    expect(told).toBe(`00-${TRACE}-${named(trusted, "backend exchange ask").spanId}-01`);
    await asked("slots@corp.example", true, "01");
    const others = (await arrived(8)).slice(4);
    expect(others.some(({ traceId }) => traceId === TRACE)).toBe(false);
  });

  it("that says it is not sampled is believed from such a caller", async () => {
    await startTraced("sampleRatio: 1, acceptFrom: [client]");
    await asked("client@corp.example", false, "05");
    await asked("slots@corp.example", false, "01");
    const spans = await arrived(4);
    expect(new Set(spans.map(({ attributes }) => attributes["freebusy.caller"]))).toEqual(
      new Set(["slots", undefined]),
    );
    expect(spans.some(({ traceId }) => traceId === TRACE)).toBe(false);
  });

  it("is not sent to backends where that is switched off", async () => {
    const { site } = await startTraced("sampleRatio: 1, sendToBackends: false");
    await site.ask(["alice@corp.example"]);
    expect(site.exchange.asked[0]?.traceparent).toBeUndefined();
  });
});

describe("a receiver that is out of order", () => {
  it.each([
    ["answers with an error", (one: OtlpReceiver) => one.becomes(400)],
    ["never answers", (one: OtlpReceiver) => one.becomes(0)],
    ["is away", (one: OtlpReceiver) => one.close()],
  ])("that %s costs no answer and no clean end, and is told once", { timeout: 30_000 }, async (_, breakIt) => {
    const { site, receiver } = await startTraced();
    await breakIt(receiver);
    for (let i = 1; i <= 9; i++) {
      const { text } = await site.ask(["alice@corp.example"], {
        start: `2026-07-0${i}T00:00:00`,
        end: "2026-07-20T00:00:00",
      });
      expect(told(text)).toEqual([expect.stringMatching(/^Detailed/)]);
    }
    await vi.waitFor(
      async () => expect(await metric('freebusy_spans_total{result="dropped"}')).toBeGreaterThan(0),
      15_000,
    );
    expect(await site.gateway.stop()).toBe(0);
    expect(site.gateway.output().split("traces do not arrive").length).toBe(2);
  });
});
