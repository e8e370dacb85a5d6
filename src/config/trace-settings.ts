/** Decides what can be configured about traces: where they go, how many, and whose trace is gone on with. */

import { isIP } from "node:net";
import { z } from "zod";
import { at, entries, list } from "./raw-values.js";
import { secret, url } from "./setting-terms.js";

export const traces = z
  .strictObject({
    endpoint: url.describe("OTLP over HTTP: https://collector.corp.example/v1/traces"),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, "is no header's name"), secret)
      .default({})
      .describe("Sent along, for example authorization. Each a reference to a secret."),
    caFile: z
      .string()
      .optional()
      .describe("PEM file with the private authority that signed the endpoint's certificate."),
    sampleRatio: z.number().min(0).max(1).default(0.1).describe("The share of requests that are traced."),
    acceptFrom: z
      .array(z.string())
      .default([])
      .describe("Callers whose traceparent is gone on with, and whose word on sampling counts. Others begin anew."),
    sendToBackends: z.boolean().default(true).describe("Backends are told the trace, as traceparent."),
  })
  .optional()
  .describe("OpenTelemetry traces: one span for each step of a request. They hold no address and no subject.");

/** What is wrong between these settings and the rest. */
export function traceProblems(raw: unknown): string[] {
  const settings = at(raw, "traces");
  const callers = list(at(raw, "callers")).map((caller) => at(caller, "name"));
  const problems = list(at(settings, "acceptFrom"))
    .filter((name) => !callers.includes(name))
    .map((name) => `traces.acceptFrom: there is no caller '${name}'. Known: ${callers.join(", ")}.`);
  const endpoint = at(settings, "endpoint");
  if (typeof endpoint === "string" && URL.canParse(endpoint)) {
    const { protocol, hostname, username, password } = new URL(endpoint);
    if (`${username}${password}` !== "") {
      problems.push("traces.endpoint: holds a password. Give it as headers.authorization, by reference.");
    }
    if (protocol === "http:" && entries(at(settings, "headers")).length > 0 && !isOwnMachine(hostname)) {
      problems.push("traces.endpoint: http:// would send the headers' secrets in clear. Use https://.");
    }
  }
  return problems;
}

function isOwnMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}
