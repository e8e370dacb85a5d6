import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configurationJsonSchema } from "../../src/config/configuration.js";
import { ConfigurationError, parseConfiguration } from "../../src/config/load-configuration.js";
import { isAddressRange } from "../../src/config/setting-terms.js";
import { TrustedProxies } from "../../src/inbound/trusted-proxies.js";
import { VERSION } from "../../src/version.js";

const GOOD = `
callers:
  - { name: exchange, usernames: ['CORP\\exchange'], passwordHash: '$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHQ$aGFzaA', origin: exchange }
backends:
  exchange: { type: ews, url: https://mail.corp.example/EWS/Exchange.asmx, username: 'CORP\\svc', password: env:SECRET }
addressSpaces:
  - { domain: corp.example, backend: exchange }
`;
const problems = (text: string, environment = {}): readonly string[] => {
  try {
    parseConfiguration("freebusy.yaml", text, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
};

describe("what Autodiscover gives out", () => {
  const given = (settings: string) => problems(`${GOOD}autodiscover: ${settings}\n`, { SECRET: "x" });

  it("is an EWS address, of its own for a system that asks", () => {
    const url = "https://freebusy.corp.example/EWS/Exchange.asmx";
    expect(given(`{ url: ${url}, urls: { exchange: ${url} } }`)).toEqual([]);
    expect(given("{ url: http://127.0.0.1:8080/ews/exchange.asmx, allowPlainHttp: true }")).toEqual([]);
  });

  it.each([
    ["{ url: http://freebusy.corp.example/EWS/Exchange.asmx }", "autodiscover.url: callers would send their passwords"],
    ["{ url: https://freebusy.corp.example/ }", "autodiscover.url: is not an EWS address"],
    ["{ url: https://freebusy.corp.example/autodiscover/autodiscover.xml }", "autodiscover.url: is not an EWS address"],
    ["{ url: https://a:b@freebusy.corp.example/EWS/Exchange.asmx }", "autodiscover.url: is not an EWS address"],
    [
      "{ url: https://x.example/EWS/Exchange.asmx, urls: { lotus: https://x.example/EWS/Exchange.asmx } }",
      "autodiscover.urls.lotus: there is no backend 'lotus'. Known: exchange.",
    ],
    [
      "{ url: https://x.example/EWS/Exchange.asmx, urls: { exchange: https://x.example/owa } }",
      "autodiscover.urls.exchange: is not an EWS address",
    ],
    ["{ urls: {} }", "autodiscover.url"],
  ])("%s is refused with a remedy", (settings, expected) => {
    expect(given(settings)).toEqual([expect.stringContaining(expected)]);
  });
});

describe("where traces go", () => {
  const given = (settings: string) => problems(`${GOOD}traces: ${settings}\n`, { SECRET: "x", TOKEN: "y" });

  it("is an address, with secrets by reference", () => {
    expect(
      given("{ endpoint: https://collector.corp.example/v1/traces, headers: { authorization: 'env:TOKEN' } }"),
    ).toEqual([]);
    expect(
      given(
        "{ endpoint: http://127.0.0.1:4318/v1/traces, headers: { authorization: 'env:TOKEN' }, acceptFrom: [exchange] }",
      ),
    ).toEqual([]);
    expect(given("{ endpoint: http://collector.corp.example/v1/traces }")).toEqual([]);
  });

  it.each([
    [
      "{ endpoint: http://collector.corp.example/v1/traces, headers: { authorization: 'env:TOKEN' } }",
      "traces.endpoint: http:// would send the headers' secrets in clear",
    ],
    ["{ endpoint: https://a:b@collector.corp.example/v1/traces }", "traces.endpoint: holds a password"],
    [
      "{ endpoint: https://x.example/v1/traces, headers: { authorization: Bearer abc } }",
      "traces.headers.authorization: a secret is given by reference",
    ],
    [
      "{ endpoint: https://x.example/v1/traces, headers: { authorization: 'env:NOT_SET' } }",
      "traces.headers.authorization: the environment variable NOT_SET is not set",
    ],
    [
      "{ endpoint: https://x.example/v1/traces, acceptFrom: [nobody] }",
      "traces.acceptFrom: there is no caller 'nobody'. Known: exchange.",
    ],
    [
      "{ endpoint: https://x.example/v1/traces, caFile: /nonexistent.pem }",
      "traces.caFile: /nonexistent.pem cannot be read (ENOENT)",
    ],
    ["{ endpoint: https://x.example/v1/traces, sampleRatio: 2 }", "traces.sampleRatio"],
  ])("%s is refused with a remedy", (settings, expected) => {
    expect(given(settings)).toEqual([expect.stringContaining(expected)]);
  });
});

describe("a configuration", () => {
  it("with little in it has safe defaults", () => {
    const { configuration, secrets } = parseConfiguration("x", GOOD, { SECRET: "s3cret" });
    expect(configuration.listen.host).toBe("127.0.0.1");
    expect(configuration.callers[0]?.maximumView).toBe("FreeBusy");
    expect(configuration.log.addresses).toBe("hashed");
    expect(secrets.get("backends.exchange.password")).toBe("s3cret");
  });

  it("takes secrets from files, without the last line end", () => {
    const file = join(mkdtempSync(join(tmpdir(), "secret-")), "password");
    writeFileSync(file, "s3cret\n");
    const { secrets } = parseConfiguration("x", GOOD.replace("env:SECRET", `file:${file}`), {});
    expect(secrets.get("backends.exchange.password")).toBe("s3cret");
  });

  it.each([
    ["a hash that is a password", "s3cret", "callers.0.passwordHash: what it refers to is no argon2 or scrypt hash"],
  ])("whose secret leads to %s is told so, without the value", (_, value, expected) => {
    const [found, ...more] = problems(GOOD.replace(/passwordHash: '[^']+'/, "passwordHash: 'env:HASH'"), {
      SECRET: "x",
      HASH: value,
    });
    expect([found, more]).toEqual([expect.stringContaining(expected), []]);
    expect(found).not.toContain(value);
  });

  it.each([
    ["overload: { idleSeconds: 18 }", "overload.idleSeconds: 18 is not longer than timeBudgetSeconds (18)"],
    ["audit: { to: { file: /nonexistent/audit.log } }", "audit.to.file: the folder /nonexistent does not exist"],
    [
      "signIn: { tokens: [{ name: a, issuer: 'https://x.example/', audience: [a], keysUrl: 'https://x.example/keys' }, { name: b, issuer: 'https://x.example/', audience: [b], keysUrl: 'https://x.example/keys' }] }",
      "signIn.tokens.1: issuer 'https://x.example/' is already in signIn.tokens.0",
    ],
    ['timeBudgetSeconds: "18"', "timeBudgetSeconds: has the wrong type. Expected: number."],
    ["audit: { to: stdoutt }", "audit.to: expected stdout, or { file: PATH }"],
    ["listen: { port: 9090 }", "management.port: 9090 is the port of listen, too"],
    [
      "listen: { port: 7000 }\nmanagement: { host: '0.0.0.0', port: 7000 }",
      "management.port: 7000 is the port of listen",
    ],
    ["listen: { trustedProxies: ['::ffff:10.0.0.0/8'] }", "listen.trustedProxies.0: is"],
    ["signIn: { schemes: [bearer, ntlm] }", "callers.0: cannot sign in, because signIn.schemes lacks basic"],
    [
      "signIn: { kerberos: { host: h.example, keytabFile: /nonexistent } }",
      "signIn.kerberos.keytabFile: /nonexistent cannot be read",
    ],
    ["traces: { endpoint: 'https://x.example/', headers: { 'a b': 'env:SECRET' } }", "traces.headers.a b: its name: "],
  ])("%s is told to be wrong", (more, expected) => {
    expect(problems(`${GOOD}\n${more}\n`, { SECRET: "x" })).toEqual([expect.stringContaining(expected)]);
  });

  it("takes both listeners on one port of different addresses, and any port for both", () => {
    for (const listeners of [
      "listen: { host: 127.0.0.1, port: 7000 }\nmanagement: { host: 127.0.0.2, port: 7000 }",
      "listen: { port: 0 }\nmanagement: { port: 0 }",
    ]) {
      expect(problems(`${GOOD}\n${listeners}\n`, { SECRET: "x" })).toEqual([]);
    }
  });

  it("takes callers that can sign in with one of the schemes that are offered", () => {
    expect(problems(`${GOOD}\nsignIn: { schemes: [ntlm, basic] }\n`, { SECRET: "x" })).toEqual([]);
  });

  it("names proxies as the gateway reads them", () => {
    const part = fc.constantFrom(
      "10.0.0.0",
      "192.0.2.1",
      "::ffff:10.0.0.0",
      "::ffff:a00:0",
      "2001:db8::",
      "fe80::1%eth0",
      "x",
      "",
    );
    const bits = fc.constantFrom(
      "",
      "/8",
      "/32",
      "/33",
      "/95",
      "/96",
      "/104",
      "/128",
      "/129",
      "/0008",
      "/x",
      "/",
      "/8/8",
    );
    fc.assert(
      fc.property(part, bits, (address, prefix) => {
        const text = `${address}${prefix}`;
        const isRead = () => new TrustedProxies([text]);
        if (isAddressRange(text)) expect(isRead).not.toThrow();
        else expect(isRead).toThrow();
      }),
    );
  });

  it("takes no principal of ours for a caller's, and nothing of an account beside the list of accounts", () => {
    const negotiate = "accounts: [{ scheme: negotiate, principal: svc@CORP.EXAMPLE, keytabFile: /nonexistent }]";
    const ours = GOOD.replace(/username: [^,]+, password: [^,}]+/, negotiate).replace(
      /passwordHash: '[^']+'/,
      "principals: [SVC@corp.example]",
    );
    expect(problems(ours, { SECRET: "x" })).toContainEqual(
      expect.stringContaining("callers.0.principals: 'SVC@corp.example' is also the service account of backend"),
    );
    const accounts = "accounts: [{ scheme: basic, username: svc, password: 'env:SECRET' }], nextPassword: 'env:SECRET'";
    const beside = GOOD.replace(/username: [^,]+, password: [^,}]+/, accounts);
    expect(problems(beside, { SECRET: "x" })).toEqual([
      expect.stringContaining("backends.exchange: nextPassword beside accounts. Put what belongs to an account"),
    ]);
  });

  it("that is wrong in many places is told all of them at once, each with its path and a remedy", () => {
    const text = `
listen: { port: 99999, prot: 1, tls: { certFile: /nonexistent.pem, keyFile: /nonexistent.key } }
timeBudgetSeconds: 10
callers:
  - { name: a, usernames: [A@corp.example], passwordHash: hunter2, origin: exchagne }
  - { name: b, usernames: [a@CORP.example], passwordHash: env:UNSET_HASH }
backends:
  exchange: { type: ews, url: http://mail.corp.example/, username: svc, password: hunter2, timeoutSeconds: 12 }
  workmail: { type: workmail, username: svc, password: env:UNSET_PASSWORD }
addressSpaces:
  - { domain: corp.example, backend: exchnage }
  - { domain: CORP.example, backend: exchange }
mailboxes:
  - { address: bob, backend: workmail }
`;
    const found = problems(text);
    for (const expected of [
      /^listen\.port: /,
      /^listen\.prot: no such setting/,
      /^listen\.tls\.certFile: \/nonexistent\.pem cannot be read/,
      /^callers\.0\.passwordHash: .*hash-password/,
      /^callers\.0\.origin: there is no backend 'exchagne'\. Known: exchange, workmail/,
      /^callers\.1: entry 'a@corp\.example' is already in callers\.0/,
      /^callers\.1\.passwordHash: the environment variable UNSET_HASH is not set\. Set it, or use file:/,
      /^backends\.exchange\.password: a secret is given by reference/,
      /^backends\.exchange\.url: http:/,
      /^backends\.exchange\.timeoutSeconds: 12 is not shorter than timeBudgetSeconds \(10\)/,
      /^backends\.workmail\.password: the environment variable UNSET_PASSWORD/,
      /^backends\.workmail: give either region or url/,
      /^addressSpaces\.0\.backend: there is no backend 'exchnage'/,
      /^addressSpaces\.1: entry 'corp\.example' is already in/,
      /^mailboxes\.0\.address: is not an SMTP address/,
    ]) {
      expect(found).toContainEqual(expect.stringMatching(expected));
    }
    expect(found.join()).not.toContain("hunter2");
  });

  it("takes one url or several, to different hosts and never in clear", () => {
    const withPlace = (place: string) =>
      problems(GOOD.replace("url: https://mail.corp.example/EWS/Exchange.asmx", place), { SECRET: "x" });
    expect(withPlace("urls: [https://one.corp.example/EWS, https://two.corp.example/EWS]")).toEqual([]);
    const either = /^backends\.exchange: give either url or urls\./;
    expect(withPlace("url: https://a.example/, urls: [https://b.example/]")).toEqual([expect.stringMatching(either)]);
    expect(withPlace("timeoutSeconds: 5")).toEqual([expect.stringMatching(either)]);
    expect(withPlace("urls: [https://a.example/x, http://b.example/, https://A.example/y]")).toEqual([
      expect.stringMatching(/^backends\.exchange\.urls\.1: http:\/\/ would send/),
      expect.stringMatching(
        /^backends\.exchange\.urls\.2: host 'a\.example' is already in backends\.exchange\.urls\.0/,
      ),
    ]);
  });

  it("takes one keytab for all accounts", () => {
    const account = (name: string) =>
      `{ scheme: negotiate, principal: ${name}@CORP.EXAMPLE, keytabFile: /nowhere/${name}.keytab }`;
    const found = problems(`
backends:
  exchange: { type: ews, url: https://mail.corp.example/, accounts: [${account("one")}, ${account("two")}] }
`);
    expect(found).toContainEqual(expect.stringMatching(/^backends: accounts name different keytabFiles\. Put/));
    expect(found).toContainEqual(
      expect.stringMatching(/^backends\.exchange\.accounts\.1\.keytabFile: .* cannot be read/),
    );
  });

  it.each([
    ["nothing", ""],
    ["a list", "- 1"],
    ["no YAML", "a: [1"],
    ["a broken alias", "a: *b"],
  ])("of %s is an error, not a crash", (_, text) => {
    expect(problems(text).length).toBeGreaterThan(0);
  });

  it("of a shared cache is told what would not work or not be safe, all at once", () => {
    const shared = (text: string) => problems(`${GOOD}cache: { shared: { ${text} } }\n`, { SECRET: "x", SHORT: "x" });
    const key = "encryptionKey: env:LONG";
    const long = { SECRET: "x", LONG: "x".repeat(32), SHORT: "x" };
    const wrong = shared(
      "urls: [redis://10.0.0.1, 'rediss://:hunter2@b', http://c], password: env:SECRET, encryptionKey: env:SHORT",
    );
    for (const expected of [
      "redis:// and rediss:// stand side by side",
      "cache.shared.urls: there are several",
      "would send the password in clear",
      "cache.shared.encryptionKey: has 1 characters, and 32 are needed",
      "a password does not belong here",
      "write redis://host:6379",
    ])
      expect([expected, wrong.some((problem) => problem.includes(expected))]).toEqual([expected, true]);
    expect(wrong.join()).not.toContain("hunter2");
    expect(shared("urls: [redis://a]").join()).toContain("cache.shared.encryptionKey: is missing");
    for (const [text, expected] of [
      ["urls: ['redis://bob@a']", "cache.shared.urls.0: a user does not belong here"],
      ["urls: ['redis:///3']", "cache.shared.urls.0: write redis://host:6379"],
      ["urls: ['redis://a?db=4']", "cache.shared.urls.0: write redis://host:6379"],
      ["urls: [redis://a/1, redis://b], topology: cluster", "cache.shared.urls: a cluster has one database only"],
      ["urls: [redis://a/1, redis://b/2], topology: sentinel", "cache.shared.urls: they name different databases"],
      ["urls: [redis://a], sentinelName: x", "cache.shared.sentinelName: is for topology: sentinel"],
      ["urls: [redis://a], username: x", "cache.shared.username: signs in with a password"],
      ["urls: [redis://a], caFile: /nonexistent", "cache.shared.caFile: is of no use with redis://"],
    ] as const) {
      expect([text, problems(`${GOOD}cache: { shared: { ${text}, ${key} } }\n`, long)]).toEqual([
        text,
        expect.arrayContaining([expect.stringContaining(expected)]),
      ]);
    }
    const right = (text: string) => problems(`${GOOD}cache: { shared: { ${text} } }\n`, long);
    expect(right(`urls: [redis://10.0.0.1/3], ${key}`)).toEqual([]);
    expect(right(`urls: [redis://127.0.0.1], ${key}, password: env:SHORT`)).toEqual([]);
    expect(right(`urls: [redis://10.0.0.1], ${key}, password: env:SHORT, allowPlainRedis: true`)).toEqual([]);
    expect(right(`urls: [rediss://a, rediss://b], topology: cluster, ${key}, password: env:SHORT`)).toEqual([]);
  });

  it("has its schema published as the code has it", () => {
    const published = JSON.parse(readFileSync("freebusy.schema.json", "utf8"));
    expect(published).toEqual(JSON.parse(JSON.stringify(configurationJsonSchema())));
  });

  it("given as an example in the project is one that runs", () => {
    const text = readFileSync("freebusy.example.yaml", "utf8");
    const environment = {
      EXCHANGE_PASSWORD: "x",
      WORKMAIL_PASSWORD: "x",
      EXCHANGE_CALLER_HASH: "$argon2id$x",
      WORKMAIL_CALLER_HASH: "$argon2id$x",
    };
    expect(problems(text, environment)).toEqual([]);
  });

  it("knows the version of the package", () => {
    expect(existsSync("package.json")).toBe(true);
    expect(JSON.parse(readFileSync("package.json", "utf8")).version).toBe(VERSION);
  });
});

describe("a configuration for Lambda", () => {
  const lambda = (settings: string, caller = "{ name: workmail, origin: exchange }", type = "ews") => `
lambda: ${settings}
callers: [${caller}]
backends:
  exchange: { type: ${type}, url: https://mail.corp.example/EWS/Exchange.asmx, username: svc, password: env:SECRET }
`;

  it("needs no password of the caller that stands for WorkMail, and of no other", () => {
    expect(problems(lambda("{ caller: workmail }"), { SECRET: "s" })).toEqual([]);
    const other = "{ name: workmail, origin: exchange }, { name: other }";
    expect(problems(lambda("{ caller: workmail }", other), { SECRET: "s" })).toEqual([
      expect.stringMatching(/^callers\.1: cannot sign in/),
    ]);
    expect(problems(lambda("{ caller: workmail }").replace(/^lambda.*$/m, ""), { SECRET: "s" })).toEqual([
      expect.stringMatching(/^callers\.0: cannot sign in/),
    ]);
  });

  it("is told of a caller that is not there, and of one for whom WorkMail would be asked back", () => {
    expect(problems(lambda("{ caller: wormkail }"), { SECRET: "s" })).toContain(
      "lambda.caller: there is no caller 'wormkail'. Known: workmail.",
    );
    expect(problems(lambda("{ caller: workmail }", "{ name: workmail }", "workmail"), { SECRET: "s" })).toEqual([
      "lambda.caller: 'workmail' has not the origin exchange, so WorkMail would be asked what it asks. Set the caller's origin.",
    ]);
    expect(problems(lambda("{ caller: workmail }", undefined, "workmail"), { SECRET: "s" })).toEqual([]);
  });
});
