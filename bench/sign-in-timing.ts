/**
 * Whether the time a refused sign-in takes tells that the name exists: Welch's t-test over
 * samples taken in turn. Nothing is asserted; |t| above 2 means a difference somebody with
 * as many samples could see. `npm run build && node dist/bench/sign-in-timing.js [samples]`.
 */

import type { Socket } from "node:net";
import { hashSync } from "@node-rs/argon2";
import type { SignInScheme } from "../src/inbound/caller-authentication.js";
import { NtlmAuthentication } from "../src/inbound/ntlm-authentication.js";
import { PasswordAuthentication } from "../src/inbound/password-authentication.js";
import { BACKOFF, SignInBackoff } from "../src/inbound/sign-in-backoff.js";
import { authenticateMessage, negotiateMessage, ntlmCredential } from "../src/ntlm/ntlm-client.js";
import { ntHash } from "../src/ntlm/ntlmv2.js";

const SAMPLES = Number(process.argv[2] ?? 3_000);
const caller = { name: "exchange", origin: undefined, maximumDetail: "times" } as const;
const patient = { ...BACKOFF, freePerAccount: Number.MAX_SAFE_INTEGER, freePerSource: Number.MAX_SAFE_INTEGER };
const backoff = () => new SignInBackoff(patient, Date.now);
// As cheap as argon2 gets, so that a difference beside it is not drowned in it.
const passwordHash = hashSync("right", { memoryCost: 1024, timeCost: 1, parallelism: 1 });
const usernames = ["CORP\\exchange"];

const passwords = new PasswordAuthentication({
  accounts: [{ caller, usernames, passwordHash }],
  backoff: backoff(),
});
const ntlm = new NtlmAuthentication({
  domain: "GATEWAY",
  computer: "GATEWAY",
  dnsComputer: "gateway.corp.example",
  accounts: [{ caller, usernames, hash: ntHash("right") }],
  backoff: backoff(),
  now: Date.now,
});

const connection = () => ({ once: () => undefined, destroyed: false }) as unknown as Socket;

async function basicMs(user: string, i: number): Promise<number> {
  const header = `Basic ${Buffer.from(`CORP\\${user}:wrong-${i}`).toString("base64")}`;
  const started = performance.now();
  await passwords.authenticate(header, { headers: {}, socket: connection(), ip: "192.0.2.1" });
  return performance.now() - started;
}

async function ntlmMs(user: string): Promise<number> {
  const scheme: SignInScheme = ntlm.scheme("NTLM");
  const request = { headers: {}, socket: connection(), ip: "192.0.2.1" };
  const begun = await scheme.authenticate(`NTLM ${negotiateMessage().toString("base64")}`, request);
  if (begun.kind !== "continue") throw new Error("no challenge");
  const challenge = Buffer.from(begun.challenge.slice("NTLM ".length), "base64");
  const target = { servicePrincipal: "HTTP/gateway.corp.example", endPoint: undefined };
  const message = authenticateMessage(ntlmCredential(`CORP\\${user}`, "wrong"), challenge, target);
  const header = `NTLM ${message.toString("base64")}`;
  const started = performance.now();
  await scheme.authenticate(header, request);
  return performance.now() - started;
}

function moments(values: readonly number[]) {
  // The slowest twentieth is the machine's, not ours.
  const kept = [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length * 0.95));
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}

async function compare(what: string, measure: (user: string, i: number) => Promise<number>): Promise<void> {
  const samples: Record<string, number[]> = { exchange: [], exchangf: [] };
  for (let i = 0; i < SAMPLES + 200; i++) {
    for (const user of i % 2 === 0 ? ["exchange", "exchangf"] : ["exchangf", "exchange"]) {
      const ms = await measure(user, i);
      if (i >= 200) samples[user]?.push(ms);
    }
  }
  const [known, unknown] = [moments(samples.exchange ?? []), moments(samples.exchangf ?? [])];
  const t = (known.mean - unknown.mean) / Math.sqrt(known.variance / known.count + unknown.variance / unknown.count);
  const micros = (ms: number) => `${(ms * 1000).toFixed(1)} µs`;
  process.stdout.write(
    `${what}: known ${micros(known.mean)}, unknown ${micros(unknown.mean)}, t = ${t.toFixed(2)} over ${known.count} samples each\n`,
  );
}

await compare("Basic, wrong password", basicMs);
await compare("NTLM, wrong password", ntlmMs);
