/** What an account is told that gets no ticket; the tickets themselves are MIT's, in test/system/kerberos-backend.test.ts. */

import { describe, expect, it } from "vitest";
import { KerberosTickets } from "../../src/backends/kerberos-tickets.js";
import { NegotiateTransport } from "../../src/backends/negotiate-transport.js";
import { refusalOf } from "../../src/backends/set-aside.js";

const holder = { principal: "svc@CORP.EXAMPLE", host: "mail.corp.example" };
const never = new AbortController().signal;
const failing = (message: string) => ({
  GSS_MECH_OID_SPNEGO: 6,
  initializeClient: async () => ({ step: () => Promise.reject(new Error(message)) }),
});
/** Answers when the test says so. */
function slow() {
  const asked: string[] = [];
  let answer: () => void = () => undefined;
  const kerberos = {
    GSS_MECH_OID_SPNEGO: 6,
    initializeClient: async (_: string, { principal }: { principal: string }) => {
      asked.push(principal);
      return {
        step: () =>
          new Promise<string>((resolve) => {
            answer = () => resolve("dG9rZW4=");
          }),
      };
    },
  };
  return { kerberos, asked, answer: () => answer() };
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const errorOf = (tickets: KerberosTickets, signal = never) =>
  tickets.token(signal).then(
    () => Promise.reject(new Error("it succeeded")),
    (error: unknown) => error,
  );

describe("an account that wants a ticket", () => {
  it("is told what to install", () => {
    expect(() => new KerberosTickets(holder, undefined)).toThrow("npm install kerberos");
  });

  it("asks for its service by the name of the backend's host, in its own name", async () => {
    const asked: unknown[] = [];
    const kerberos = {
      GSS_MECH_OID_SPNEGO: 6,
      initializeClient: async (...question: unknown[]) => {
        asked.push(question);
        return { step: async () => "dG9rZW4=" };
      },
    };
    expect(await new KerberosTickets(holder, kerberos).token(never)).toBe("dG9rZW4=");
    expect(asked).toEqual([["HTTP@mail.corp.example", { principal: "svc@CORP.EXAMPLE", mechOID: 6 }]]);
  });

  it("is refused, and counted as with a wrong password, when its key is not accepted", async () => {
    const error = await errorOf(new KerberosTickets(holder, failing("Preauthentication failed")));
    expect(error).toMatchObject({ code: "KERBEROS_NO_TICKET" });
    expect(refusalOf(error)).toMatchObject({
      counted: true,
      problem:
        "KERBEROS_NO_TICKET: svc@CORP.EXAMPLE gets no ticket for HTTP/mail.corp.example: Preauthentication failed",
    });
  });

  it("is not refused when nobody can be asked for one", async () => {
    const error = await errorOf(
      new KerberosTickets(holder, failing("Cannot contact any KDC for realm 'CORP.EXAMPLE'")),
    );
    expect(error).toMatchObject({ code: "KERBEROS_NO_TICKET", refused: false });
    expect(refusalOf(error)).toBeUndefined();
  });

  it("waits no longer than its caller, in line or for the library, which is asked one thing at a time until it answers", async () => {
    const library = slow();
    const tickets = new KerberosTickets(holder, library.kerberos);
    const others = new KerberosTickets({ ...holder, principal: "other@CORP.EXAMPLE" }, library.kerberos);
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [errorOf(tickets, first.signal), errorOf(others, second.signal)];
    const last = others.token(never);
    const reason = new Error("given up");
    for (const caller of [first, second]) caller.abort(reason);
    expect(await Promise.all(waiting)).toEqual([reason, reason]);
    await settled();
    expect(library.asked).toEqual([holder.principal]);
    library.answer();
    await settled();
    expect(library.asked).toEqual([holder.principal, "other@CORP.EXAMPLE"]);
    library.answer();
    expect(await last).toBe("dG9rZW4=");
  });

  it("has its turn after one whose key was not accepted", async () => {
    await errorOf(new KerberosTickets(holder, failing("Preauthentication failed")));
    const library = slow();
    const token = new KerberosTickets(holder, library.kerberos).token(never);
    await settled();
    library.answer();
    expect(await token).toBe("dG9rZW4=");
  });

  it("sends nothing without one", async () => {
    const tickets = new KerberosTickets(holder, failing("No credentials"));
    const url = new URL("http://127.0.0.1:9/");
    const transport = new NegotiateTransport({
      url,
      tickets,
      connections: 1,
      maximumAnswerBytes: 1000,
      patienceMs: 5000,
    });
    await expect(transport.post("question", never)).rejects.toMatchObject({ code: "KERBEROS_NO_TICKET" });
    await transport.close();
  });
});
