/** Attacks by and through parties: callers, backends, and whoever is between. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Mode } from "../../simulators/ews-simulator.js";
import { type EvilServer, startEvil } from "../support/evil-server.js";
import {
  ask,
  authorization,
  BACKEND_PASSWORD,
  CALLER_HASH,
  NAMESPACES,
  PROJECT,
  post,
  question,
  type Site,
  siteConfiguration,
  startGateway,
  startSite,
  told,
} from "../support/gateway-process.js";
import { NtlmHttpServer } from "../support/ntlm-http-server.js";
import { measured, note } from "../support/trial.js";

let site: Site;
const closing: (() => Promise<unknown>)[] = [];
const closedLater = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closing.push(() => one.close());
  return one;
};
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const start = async (...given: Parameters<typeof startSite>) => {
  site = closedLater(await startSite(...given));
};
let week = 0;
const fresh = () => {
  const text = (ms: number) => new Date(ms).toISOString().slice(0, 19);
  const from = Date.UTC(2034, 0, 4 + 7 * week++);
  return { start: text(from), end: text(from + 86_400_000) };
};
/** The configuration with that line in place of the one of the Exchange backend. */
const withExchange = (line: string) => (configuration: string) =>
  configuration.replace(/\n {2}exchange: \{ type: ews.*\n/, () => `\n  exchange: ${line}\n`);
const canary = async (...given: Parameters<typeof startEvil>): Promise<EvilServer> =>
  closedLater(await startEvil(...given));

describe("row 10: nobody is shown what another may see", () => {
  it("from one cache, at once, in any order and spelling, on every wire", async () => {
    await start((configuration) =>
      configuration.replace(
        "\nbackends:",
        `
  - { name: times, usernames: [times@corp.example], passwordHash: 'env:CALLER_HASH', freeBusyUrls: true }
  - { name: denied, usernames: [denied@corp.example], passwordHash: 'env:CALLER_HASH', deny: [bob@corp.example], freeBusyUrls: true }
backends:`,
      ),
    );
    const spellings = ["bob@corp.example", "BOB@corp.example", "bob@corp.awsapps.com", " Bob@Corp.AwsApps.com "];
    const expected: Record<string, RegExp> = {
      client: /^DetailedMerged .*Project Gemini/,
      times: /^FreeBusyMerged$/,
      slots: /^MergedOnly$/,
      denied: /^not-disclosed$/,
    };
    const questions = Array.from({ length: 400 }, (_, i) => {
      const user = Object.keys(expected)[(i * 7 + Math.floor(i / 5)) % 4] as string;
      return { user, address: spellings[i % 4] as string };
    });
    const answers = await measured(
      site.gateway.process,
      "10",
      "400 questions of four callers with different rights about one mailbox, at once",
      () => Promise.all(questions.map(({ user, address }) => site.ask([address], { user: `${user}@corp.example` }))),
      (all) =>
        `${all.length} answers, each with its caller's rights; ${site.workmail.asked.length} request(s) to the backend`,
    );
    for (const [i, { text }] of answers.entries()) {
      const { user } = questions[i] as { user: string };
      expect(told(text)[0]).toMatch(expected[user] as RegExp);
      if (user !== "client") expect(text).not.toMatch(/Gemini|Room 3/);
    }
    const url = (user: string) =>
      fetch(site.gateway.url.replace("/EWS/Exchange.asmx", "/v1/freebusy/bob@corp.example.ifb"), {
        headers: { authorization: authorization(`${user}@corp.example`) },
      });
    const [shown, denied] = await Promise.all([url("times"), url("denied")]);
    expect(await shown.text()).not.toContain("Gemini");
    expect(denied.status).toBeGreaterThanOrEqual(400);
  });
});

describe("row 11: what is wrong is not kept", () => {
  const modes: Mode[] = [
    "html",
    "html-500",
    "garbage",
    "half",
    "empty",
    "too-few",
    "too-many",
    "fault-200",
    "bad-event",
    "gzip",
    "redirect",
  ];
  it.each(modes)("%s is an error now, and a view when it is over", async (mode) => {
    await start();
    const when = fresh();
    site.exchange.behaviour.mode = mode;
    const bad = told((await site.ask(["alice@corp.example", "bob@corp.example"], when)).text);
    site.exchange.behaviour.mode = "normal";
    const good = told((await site.ask(["alice@corp.example", "bob@corp.example"], when)).text);
    note({ row: "11", what: `a backend's ${mode}`, outcome: `${bad[0]}; afterwards: ${good[0]}` });
    expect(bad).toEqual([expect.stringMatching(/^backend-/), expect.stringMatching(/^DetailedMerged/)]);
    expect(good[0]).toBe("DetailedMerged Stand-up");
  });
});

describe("row 12: connections have one identity", () => {
  it("of two service accounts over one server, while connections are cut under them", async () => {
    const users = { svc: "canary-Svc-1", other: "canary-Other-2" };
    const server = closedLater(await new NtlmHttpServer({ users }).listen());
    const account = (user: string, variable: string) =>
      `{ scheme: ntlm, username: 'CORP\\${user}', password: 'env:${variable}' }`;
    await start(
      withExchange(
        `{ type: ews, url: '${server.url}', allowPlainHttp: true, timeoutSeconds: 1.5, connections: 3, maximumMailboxes: 1, accounts: [${account("svc", "SVC")}, ${account("other", "OTHER")}] }`,
      ),
      { SVC: users.svc, OTHER: users.other },
    );
    // What it answers is no EWS: the books of the connections are what counts here.
    const cutting = setInterval(() => server.cut(), 200);
    const asking = async () => {
      const all: { text: string }[] = [];
      for (let round = 0; round < 20; round++)
        all.push(
          ...(await Promise.all(
            [0, 1, 2, 3, 4, 5].map((i) => site.ask([`p${i}@corp.example`, `q${i}@corp.example`], fresh())),
          )),
        );
      return all;
    };
    const answers = await measured(
      site.gateway.process,
      "12",
      "120 questions with two NTLM accounts, every connection cut five times a second",
      asking,
      () => {
        const names = new Map<number, Set<string>>();
        for (const { connection, user } of server.arrivals)
          if (user !== undefined) names.set(connection, (names.get(connection) ?? new Set()).add(user));
        expect(names.size).toBeGreaterThan(2);
        for (const [, seen] of names) expect(seen.size).toBe(1);
        return `${server.arrivals.length} requests over ${server.connections} connections, one name on each`;
      },
    );
    clearInterval(cutting);
    for (const { text } of answers) expect(told(text)).toHaveLength(2);
    for (const { authorization: sent } of server.arrivals) expect(sent ?? "NTLM").toMatch(/^(NTLM|Negotiate)/);
    expect(
      server.arrivals.some(({ user }) => user === "svc") && server.arrivals.some(({ user }) => user === "other"),
    ).toBe(true);
  });
});

describe("row 13: nothing weaker is proven than what was configured, and to nobody else", () => {
  it("a server that wants Basic after NTLM gets none", async () => {
    const evil = await canary((reply) => reply.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end());
    await start(
      withExchange(
        `{ type: ews, url: '${evil.url}', allowPlainHttp: true, timeoutSeconds: 1.5, scheme: ntlm, username: 'CORP\\svc', password: 'env:BACKEND_PASSWORD' }`,
      ),
    );
    const { text } = await site.ask(["alice@corp.example"]);
    note({
      row: "13",
      what: "the backend offers Basic in place of NTLM",
      outcome: `${told(text)[0]}; no password was sent`,
    });
    expect(told(text)).toEqual([expect.stringMatching(/^backend-/)]);
    expect(evil.arrivals.length).toBeGreaterThan(0);
    for (const { authorization: sent } of evil.arrivals) expect(sent ?? "").not.toMatch(/Basic/i);
  });

  it("a redirection is not followed, wherever it points", async () => {
    const elsewhere = await canary();
    await start();
    site.exchange.behaviour.mode = "redirect";
    for (const to of [
      elsewhere.url,
      "http://169.254.169.254/latest/meta-data/",
      "http://[::1]:1/",
      "file:///etc/hostname",
    ]) {
      site.exchange.behaviour.redirectTo = to;
      const { text } = await site.ask(["alice@corp.example"], fresh());
      expect(told(text)).toEqual([expect.stringMatching(/^backend-/)]);
      expect(text).not.toContain(to);
    }
    note({
      row: "13",
      what: "redirections to another host, to a cloud's metadata, to a file",
      outcome: `backend error; ${elsewhere.arrivals.length} requests arrived there`,
    });
    expect(elsewhere.arrivals).toEqual([]);
  });
});

describe("row 14: addresses lead nowhere but to configured systems", () => {
  it("unknown domains, addresses of machines and look-alikes cost no call at all", async () => {
    const elsewhere = await canary();
    const host = elsewhere.origin.replace("http://", "");
    await start(
      (configuration) => `${configuration}autodiscover: { url: 'https://freebusy.corp.example/EWS/Exchange.asmx' }\n`,
    );
    const addresses = [
      `x@${host}`,
      "x@127.0.0.1",
      "x@[127.0.0.1]",
      "x@169.254.169.254",
      "x@localhost",
      "x@evil.corp.example",
      "x@corp.example.evil.example",
      "x@autodiscover.com",
      `${elsewhere.origin}/x@corp.example`,
      "x@corp.example@evil.example",
    ];
    const pox = (address: string) =>
      `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${address}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`;
    const answers = await measured(
      site.gateway.process,
      "14",
      `${addresses.length} addresses of machines and strangers, asked about and discovered`,
      async () => {
        for (const address of addresses) {
          const { text } = await post(
            site.gateway.url.replace("/EWS/Exchange.asmx", "/autodiscover/autodiscover.xml"),
            pox(address),
          );
          expect(text).not.toContain("<EwsUrl>");
        }
        return told((await site.ask(addresses)).text);
      },
      (all) => [...new Set(all)].join(", "),
    );
    for (const one of answers) expect(one).toMatch(/^(no-address-space|invalid-address|mailbox-not-found)$/);
    expect(elsewhere.arrivals).toEqual([]);
    // The one that is well formed and in the domain is Exchange's to know.
    for (const { mailboxes } of site.exchange.asked)
      for (const one of mailboxes) expect(one).toMatch(/^[^@]+@corp\.example$/);
  });
});

describe("row 15: secrets and subjects stay where they are", () => {
  it("whatever goes wrong, at the most talkative level", async () => {
    await start();
    const said: string[] = [];
    const modes: Mode[] = [
      "normal",
      "busy",
      "reset",
      "half",
      "garbage",
      "html",
      "html-500",
      "empty",
      "too-few",
      "refuse-credentials",
      "forbidden",
      "unavailable",
      "redirect",
      "fault-200",
      "bad-event",
    ];
    for (const mode of modes) {
      site.exchange.behaviour.mode = mode;
      site.exchange.behaviour.backOffMs = 1;
      const { text } = await site.ask(["alice@corp.example", "canary-person@corp.example"], {
        ...fresh(),
        user: "slots@corp.example",
      });
      said.push(text);
    }
    for (const given of [
      "Basic Y2FuYXJ5OmNhbmFyeS1wYXNz",
      "Bearer canary-token",
      "Basic canary",
      "NTLM canary",
      `Basic ${Buffer.from("client@corp.example:canary-pass").toString("base64")}`,
    ])
      said.push((await post(site.gateway.url, question(["alice@corp.example"]), { authorization: given })).text);
    said.push((await post(site.gateway.url, `<a>canary-subject ${BACKEND_PASSWORD.slice(0, 3)}`)).text);
    await site.ask(["bob@corp.example"]);
    for (const path of ["/metrics", "/readyz", "/routes/alice%40corp.example?ask"])
      said.push(await (await fetch(`${site.gateway.management}${path}`)).text());
    const all = `${said.join("\n")}\n${site.gateway.output()}`;
    const canaries = [
      BACKEND_PASSWORD,
      Buffer.from(BACKEND_PASSWORD).toString("base64").slice(0, -3),
      "canary-pass",
      "Y2FuYXJ5OmNhbmFyeS1wYXNz",
      "canary-token",
      CALLER_HASH,
      "Stand-up",
      "Gemini",
      "canary-subject",
    ];
    for (const one of canaries) expect(all, one).not.toContain(one);
    // Addresses are hashed in the log.
    expect(site.gateway.output()).not.toContain("canary-person");
    note({
      row: "15",
      what: `${modes.length} failures and 5 wrong sign-ins at level debug, then a search of answers, log, metrics and operators' pages`,
      outcome: `0 of ${canaries.length} canaries found`,
    });
  });
});

describe("row 16: guessing", () => {
  it("a thousand wrong passwords cost little, and keep nobody out who is known there", async () => {
    await start();
    const other = () => site.ask(["alice@corp.example"], { user: "slots@corp.example" });
    expect((await other()).status).toBe(200);
    const before = site.exchange.asked.length + site.workmail.asked.length;
    const guess = (i: number) =>
      site.ask(["alice@corp.example"], {
        user: i % 2 ? "client@corp.example" : `nobody${i}@corp.example`,
        password: `wrong${i}`,
      });
    const replies = await measured(
      site.gateway.process,
      "16",
      "1,000 wrong passwords from one address, half for a name there is",
      async () => {
        const all: number[] = [];
        for (let i = 0; i < 1000; i += 50)
          all.push(
            ...(await Promise.all(Array.from({ length: 50 }, (_, j) => guess(i + j)))).map(({ status }) => status),
          );
        return all;
      },
      (all) =>
        [...new Set(all)].map((status) => `${all.filter((one) => one === status).length} × ${status}`).join(", "),
    );
    for (const status of replies) expect([401, 429]).toContain(status);
    expect(site.exchange.asked.length + site.workmail.asked.length).toBe(before);
    expect((await other()).status).toBe(200);
  });

  it("a service account whose password is wrong is not tried until it is locked", async () => {
    await start();
    site.exchange.behaviour.mode = "refuse-credentials";
    const asking = async () => {
      for (let i = 0; i < 100; i++) await site.ask(["alice@corp.example", "bob@corp.example"], fresh());
    };
    await measured(
      site.gateway.process,
      "16",
      "100 questions while the backend refuses the service account",
      asking,
      () => `${site.exchange.refused} tries`,
    );
    expect(site.exchange.refused).toBeLessThanOrEqual(2);
  });
});

describe("row 17: known and unknown names", () => {
  it("get the very same answer; how long it took is noted", async () => {
    await start((configuration) =>
      configuration.replace("LISTEN_PORT }", "LISTEN_PORT, trustedProxies: [127.0.0.1] }"),
    );
    const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
    const texts = new Set<string>();
    // Each from an address of its own, so that nobody has to wait.
    for (let i = 0; i < 120; i++)
      for (const which of ["known", "unknown"] as const) {
        const user = which === "known" ? "client@corp.example" : "nobody@corp.example";
        const { status, text, ms } = await post(site.gateway.url, question(["alice@corp.example"]), {
          authorization: authorization(user, `wrong${i}`),
          "x-forwarded-for": `203.${which === "known" ? 0 : 1}.${i}.1`,
        });
        texts.add(`${status} ${text}`);
        times[which].push(ms);
      }
    const mean = (list: number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
    const variance = (list: number[]) =>
      list.reduce((sum, one) => sum + (one - mean(list)) ** 2, 0) / (list.length - 1);
    const { known, unknown } = times;
    const t =
      (mean(known) - mean(unknown)) / Math.sqrt(variance(known) / known.length + variance(unknown) / unknown.length);
    note({
      row: "17",
      what: "120 wrong passwords each for a known and an unknown name, in turn",
      outcome: `the same answer; means ${mean(known).toFixed(2)} and ${mean(unknown).toFixed(2)} ms, Welch's t ${t.toFixed(2)} (beyond ±1.97 would be significant at 95 %)`,
    });
    expect([...texts]).toEqual([expect.stringMatching(/^401 /)]);
  });
});

describe("row 18: headers that pretend", () => {
  it("let nobody in, and change no address in the log where no proxy is trusted", async () => {
    await start();
    const pretending: Record<string, string>[] = [
      { "x-forwarded-user": "client@corp.example" },
      { "x-remote-user": "client@corp.example", x_remote_user: "client@corp.example" },
      { "x-ms-client-principal-name": "client@corp.example" },
      { "user-agent": "ELB-HealthChecker/2.0" },
      { "user-agent": "kube-probe/1.29", "x-original-url": "/healthz" },
      { "x-client-cert": "MII", "ssl-client-verify": "SUCCESS" },
    ];
    for (const headers of pretending) {
      const { status } = await post(site.gateway.url, question(["alice@corp.example"]), {
        ...headers,
        authorization: "",
      });
      expect(status).toBe(401);
    }
    await post(site.gateway.url, question(["alice@corp.example"]), {
      "x-forwarded-for": "198.51.100.77",
      forwarded: "for=198.51.100.77",
    });
    expect((await fetch(new URL("/healthz", site.gateway.url))).status).toBe(404);
    await expect.poll(() => site.gateway.output()).toMatch(/"caller":"client"/);
    expect(site.gateway.output()).not.toContain("198.51.100.77");
    note({
      row: "18",
      what: `${pretending.length} sets of headers of proxies, probes and certificates without a sign-in`,
      outcome: "HTTP 401 each; X-Forwarded-For not believed",
    });
  });
});

describe("row 19: routing loops", () => {
  it("end after one hop, though both systems drop the marks", async () => {
    await start((configuration) =>
      configuration.replace("\naddressSpaces:", "\ndirectories: [{ type: probe }]\naddressSpaces:"),
    );
    site.exchange.behaviour.forwardTo = { url: site.gateway.url, authorization: authorization("CORP\\exchange") };
    site.workmail.behaviour.forwardTo = {
      url: site.gateway.url,
      authorization: authorization("workmail@corp.example"),
    };
    // Until an account has been accepted its secret is tried by one request at a time: two systems that wait for each other
    // through the gateway then wait for the backend's time. From the first answer on they do not.
    expect(told((await site.ask(["alice@corp.example", "bob@corp.example"])).text)).toEqual([
      expect.stringMatching(/^DetailedMerged/),
      expect.stringMatching(/^DetailedMerged/),
    ]);
    const people = ["nobody@corp.example", "NOBODY@corp.awsapps.com", "ghost@corp.example", "alice@corp.example"];
    const { text } = await measured(
      site.gateway.process,
      "19",
      "Exchange and WorkMail both ask the gateway about whom they do not have, without its marks",
      () => site.ask(people),
      ({ text, ms }) => `${told(text).join(", ")} after ${ms.toFixed(0)} ms`,
    );
    for (const one of told(text).slice(0, 3)) expect(one).toMatch(/^(loop-detected|mailbox-not-found|backend-error)$/);
    expect(told(text)[3]).toMatch(/^DetailedMerged/);
    const asked = (list: Site["exchange"]["asked"]) =>
      list.filter(({ mailboxes }) => mailboxes.includes("ghost@corp.example"));
    expect(asked(site.exchange.asked).length).toBeLessThanOrEqual(1);
    expect(asked(site.workmail.asked).length).toBeLessThanOrEqual(1);
  });
});

describe("row 24: what strangers make up is not remembered", () => {
  it.each([
    [
      "names nobody has used before",
      (i: number) =>
        `<s:Envelope ${NAMESPACES}><s:Body><made-up-by-a-stranger-${i} xmlns:prefix-of-a-stranger-${i}="urn:${i}"/></s:Body></s:Envelope>`,
    ],
    ["a mailbox nobody has asked about before", (i: number) => question([`made-up-by-a-stranger-${i}@corp.example`])],
  ])("500 messages of 500 KB, each with %s", { timeout: 60_000 }, async (what, message) => {
    await start();
    const send = async () => {
      for (let i = 0; i < 500; i += 4)
        await Promise.all(
          [0, 1, 2, 3].map((j) =>
            post(site.gateway.url, message(i + j).replace("</s:Envelope>", `${" ".repeat(480_000)}</s:Envelope>`)),
          ),
        );
    };
    let grown = 0;
    await measured(
      site.gateway.process,
      "24",
      `500 messages of 470 KiB, each with ${what}`,
      async () => {
        const held = async () =>
          Number(
            /^nodejs_heap_size_used_bytes (\S+)/m.exec(
              await (await fetch(`${site.gateway.management}/metrics`)).text(),
            )?.[1],
          );
        const before = await held();
        await send();
        grown = ((await held()) - before) / 1_048_576;
      },
      () => `heap ${grown < 0 ? "" : "+"}${grown.toFixed(0)} MiB of 230 MiB sent`,
    );
    expect(grown).toBeLessThan(100);
    expect(told((await site.ask(["alice@corp.example"])).text)).toEqual([expect.stringMatching(/^DetailedMerged/)]);
  });
});

describe("row 25: configuration", () => {
  it("in which a secret stands is refused without saying it again, and one from a file is in no environment", async () => {
    await start();
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    const file = join(folder, "clear.yaml");
    const clear = "hunter2-canary";
    writeFileSync(
      file,
      siteConfiguration(site.exchange.url, site.workmail.url).replaceAll("'env:BACKEND_PASSWORD'", clear),
    );
    const [code, said] = await new Promise<[unknown, string]>((resolve) =>
      execFile(
        process.execPath,
        [join(PROJECT, "dist/src/main.js"), "--config", file],
        { env: { ...process.env, CALLER_HASH } },
        (error, out, err) => resolve([error?.code, out + err]),
      ),
    );
    expect(code).toBe(2);
    expect(said).toMatch(/never in clear/);
    expect(said).not.toContain(clear);
    writeFileSync(join(folder, "secret"), `${BACKEND_PASSWORD}\n`, { mode: 0o600 });
    const gateway = await startGateway(
      siteConfiguration(site.exchange.url, site.workmail.url).replaceAll(
        "'env:BACKEND_PASSWORD'",
        `'file:${join(folder, "secret")}'`,
      ),
      { CALLER_HASH },
    );
    closing.push(() => gateway.stop());
    expect(told((await ask(gateway.url, ["alice@corp.example"])).text)).toEqual([
      expect.stringMatching(/^DetailedMerged/),
    ]);
    for (const name of ["environ", "cmdline"])
      expect(readFileSync(`/proc/${gateway.process.pid}/${name}`, "latin1")).not.toContain(BACKEND_PASSWORD);
    note({
      row: "25",
      what: "a password in the configuration; one in a file",
      outcome: "refused without repeating it; in neither environment nor command line",
    });
  });
});
