/** Samba's judgement on our messages, and ours on Samba's. */

import { afterEach, describe, expect, it } from "vitest";
import { authenticateMessage, negotiateMessage, ntlmCredential } from "../../src/ntlm/ntlm-client.js";
import { MIC_OFFSET } from "../../src/ntlm/ntlm-messages.js";
import { beginNtlm } from "../../src/ntlm/ntlm-server.js";
import { ntHash } from "../../src/ntlm/ntlmv2.js";
import {
  hasNtlmAuth,
  NTLM_AUTH_MISSING,
  type NtlmAuth,
  type NtlmAuthAccount,
  startNtlmAuth,
} from "../support/ntlm-auth.js";

if (!hasNtlmAuth) process.stderr.write(NTLM_AUTH_MISSING);

const SVC = { user: "svc", domain: "CORP", password: "Secret-1" };
const TARGET = { servicePrincipal: "HTTP/judge", endPoint: Buffer.from("tls-server-end-point:some") };

describe.skipIf(!hasNtlmAuth)("Samba", () => {
  const running: NtlmAuth[] = [];
  const samba = (side: "server" | "client", account: NtlmAuthAccount) => {
    const one = startNtlmAuth(side, account);
    running.push(one);
    return one;
  };
  afterEach(() => {
    for (const one of running.splice(0)) one.end();
  });

  async function judged(
    account: NtlmAuthAccount,
    password = account.password,
    change: (message: Buffer) => void = () => undefined,
  ) {
    const judge = samba("server", account);
    const challenge = await judge.say(`YR ${negotiateMessage().toString("base64")}`);
    expect(challenge.word).toBe("TT");
    const credential = ntlmCredential(`${account.domain}\\${account.user}`, password);
    const message = authenticateMessage(credential, Buffer.from(challenge.rest, "base64"), TARGET);
    change(message);
    const verdict = await judge.say(`KK ${message.toString("base64")}`);
    return `${verdict.word} ${verdict.rest}`;
  }

  it.each([
    ["svc", "Secret-1"],
    ["jürgen", "Pässwörd-€-𝄞"],
    // Letters whose upper case Windows does not know as JavaScript does.
    ["straße", "a"],
    ["ŉx", "a"],
    ["ſvc", "a"],
    ["ıd", "a"],
    ["µser", "a"],
    ["ιης", "a"],
    ["ÿ", "a"],
  ])("accepts our proof for %s", async (user, password) => {
    expect(await judged({ user, domain: "CORP", password })).toBe(`AF CORP\\${user}`);
  });

  it("refuses our proof with another password, and with a code over the messages that was changed", async () => {
    expect(await judged(SVC, "secret-1")).toBe("NA NT_STATUS_LOGON_FAILURE");
    const changed = (message: Buffer) => message.writeUInt8(message.readUInt8(MIC_OFFSET) ^ 1, MIC_OFFSET);
    expect(await judged(SVC, SVC.password, changed)).toBe("NA NT_STATUS_INVALID_PARAMETER");
  });

  it.each([
    [SVC, "Secret-1", { kind: "authenticated", account: "found" }],
    [{ ...SVC, user: "jürgen", password: "Pässwörd-€-𝄞" }, "Pässwörd-€-𝄞", { kind: "authenticated", account: "found" }],
    [SVC, "secret-1", { kind: "refused", reason: "wrong-credentials" }],
  ])("proves itself to our server as %o, which knows the password %s", async (account, known, verdict) => {
    const client = samba("client", account);
    const negotiate = await client.say("YR");
    const names: string[] = [];
    const beginning = beginNtlm(Buffer.from(negotiate.rest, "base64"), {
      domain: "CORP",
      computer: "GATEWAY",
      dnsComputer: "gateway.corp.example",
      // Outside of SPNEGO Samba's client makes none.
      integrityCode: "when-promised",
      find: (user, domain) => {
        names.push(`${domain}\\${user}`);
        return { name: "found", hash: ntHash(known) };
      },
    });
    if (beginning.kind !== "challenge") throw new Error(beginning.reason);
    const answer = await client.say(`TT ${beginning.message.toString("base64")}`);
    expect(beginning.exchange.verify(Buffer.from(answer.rest, "base64"), [])).toEqual(verdict);
    expect(names).toEqual([`${account.domain}\\${account.user}`]);
  });
});
