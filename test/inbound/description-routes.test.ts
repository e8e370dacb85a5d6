import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serviceDescription } from "../../src/ews/description/service-description.js";
import { type DescriptionSchema, descriptionSchema } from "../support/description-schema.js";
import { authorization, NAMESPACES, post, question, type Site, startSite } from "../support/gateway-process.js";
import { read, samples } from "../support/shared.js";

let site: Site;
let schema: DescriptionSchema;
beforeAll(async () => {
  site = await startSite();
  schema = descriptionSchema(await text("/ews/messages.xsd"), await text("/EWS/types.xsd"));
});
afterAll(() => site.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, site.gateway.url), { headers: { authorization: authorization(), ...headers } });
const text = async (path: string, headers: Record<string, string> = {}) => (await get(path, headers)).text();
const location = (wsdl: string) => /<soap:address location="([^"]*)"/.exec(wsdl)?.[1];
const TREE = [
  "/EWS/Exchange.asmx",
  "/EWS/Exchange.asmx?wsdl",
  "/EWS/services.wsdl",
  "/EWS/messages.xsd",
  "/EWS/types.xsd",
];

describe("the schemas the gateway serves", () => {
  it.each(["MergedOnly", "FreeBusy", "FreeBusyMerged", "Detailed", "DetailedMerged"])(
    "describe a question for %s and its answer, errors and working hours included",
    async (view) => {
      const people = ["alice@corp.example", "room-einstein@corp.example", "nobody@corp.example", "x@else.example"];
      schema.validate(question(people, { view }));
      const { status, text: answer } = await site.ask(people, { view });
      expect(status).toBe(200);
      schema.validate(answer);
    },
  );

  it("describe the list of all zones", async () => {
    const body = `<s:Envelope ${NAMESPACES}><s:Body><m:GetServerTimeZones ReturnFullTimeZoneData="true"/></s:Body></s:Envelope>`;
    schema.validate(body);
    schema.validate((await post(site.gateway.url, body)).text);
  });

  it("describe an answer that suggests no times", async () => {
    const window = "<t:StartTime>2026-07-01T00:00:00</t:StartTime><t:EndTime>2026-07-02T00:00:00</t:EndTime>";
    const body = question(["alice@corp.example"]).replace(
      "</m:GetUserAvailabilityRequest>",
      `<t:SuggestionsViewOptions><t:DetailedSuggestionsWindow>${window}</t:DetailedSuggestionsWindow></t:SuggestionsViewOptions></m:GetUserAvailabilityRequest>`,
    );
    schema.validate(body);
    const { text: answer } = await post(site.gateway.url, body);
    expect(answer).toContain("SuggestionsResponse");
    schema.validate(answer);
  });

  it.each([
    ["a view nobody knows", ["<t:RequestedView>DetailedMerged", "<t:RequestedView>Everything"]],
    ["a zone outside of the header", ["<m:MailboxDataArray>", "<t:TimeZoneDefinition/><m:MailboxDataArray>"]],
    ["mailboxes in the wrong namespace", [/t:MailboxData\b/g, "m:MailboxData"]],
    ["an address without its Email", [/<\/?t:Email>/g, ""]],
  ] as [string, [string | RegExp, string]][])("do not allow %s", (_, [from, to]) => {
    const body = question(["alice@corp.example"]);
    schema.validate(body);
    expect(() => schema.validate(body.replace(from, to))).toThrow();
  });

  // Those without an envelope or with what no schema has are bad on purpose.
  const bad = /go-ews|msdocs-2006-unknown-element|suggestions\.xml$|-schema/;
  it.each(samples(/^(req-|resp-)/).filter(([name]) => !bad.test(name)))("describe %s", (_, sample) => {
    schema.validate(sample.replace(/<!--[\s\S]*?-->/g, ""));
  });
});

describe("the WSDL", () => {
  it("names the address it was fetched from, and https where a proxy says that it speaks it", async () => {
    expect(location(await text("/ews/services.wsdl"))).toBe(site.gateway.url);
    expect(location(await text("/EWS/Exchange.asmx?WSDL", { "x-forwarded-proto": "https" }))).toBe(
      site.gateway.url.replace("http:", "https:"),
    );
  });

  it("never repeats a Host header that is no host", async () => {
    const { port } = site.gateway;
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { authorization: authorization(), host: 'x"/><evil>' };
      const request = httpRequest({ host: "127.0.0.1", port, path: "/ews/services.wsdl", headers }, (reply) => {
        let body = "";
        reply.on("data", (chunk) => {
          body += chunk;
        });
        reply.on("end", () => resolve(body));
      });
      request.on("error", reject).end();
    });
    expect(location(answer)).toBe("/EWS/Exchange.asmx");
    expect(answer).not.toContain("evil");
  });

  it("has the two operations that are answered, and every message, part and type it refers to", async () => {
    const wsdl = serviceDescription("https://x.example/EWS/Exchange.asmx");
    const operations = [...wsdl.matchAll(/<soap:operation soapAction="[^"]*\/(\w+)"/g)].map(([, name]) => name);
    expect(operations).toEqual(["GetUserAvailability", "GetServerTimeZones"]);
    const schemas = (await text("/ews/messages.xsd")) + (await text("/ews/types.xsd"));
    for (const [, element] of wsdl.matchAll(/ element="\w+:(\w+)"/g))
      expect(schemas).toContain(`<xs:element name="${element}"`);
    for (const [, message] of wsdl.matchAll(/ message="tns:(\w+)"/g))
      expect(wsdl).toContain(`<wsdl:message name="${message}">`);
  });
});

describe("a GET", () => {
  it.each(TREE)("of %s is for those who have signed in, and tells strangers nothing", async (path) => {
    const reply = await get(path, { authorization: "" });
    expect(reply.status).toBe(401);
    expect(await reply.text()).not.toMatch(/wsdl|schema|free\/busy gateway/i);
  });

  it.each(TREE)("of %s runs nothing, loads nothing and is not kept", async (path) => {
    const { status, headers } = await get(path);
    expect(status).toBe(200);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("of the endpoint shows people a page with no script, no style and no name of anything at this site", async () => {
    const reply = await get("/EWS/Exchange.asmx");
    expect(reply.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const page = await reply.text();
    expect(page).toContain("<h1>Free/busy gateway</h1>");
    expect(page).not.toMatch(/<script|<style|corp\.example|exchange\b(?!\.)|workmail/i);
  });
});

it("an operation that is not offered is named in the fault", async () => {
  const body = `<s:Envelope ${NAMESPACES}><s:Body><m:FindFolder/></s:Body></s:Envelope>`;
  const { status, text: fault } = await post(site.gateway.url, body);
  expect([status, (await read(fault)).Fault.detail.ResponseCode._]).toEqual([500, "ErrorInvalidOperation"]);
});
