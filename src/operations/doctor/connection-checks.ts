/**
 * Knocks at every address that is asked: the backends' and the gateway's own. Certificates, the
 * schemes that are really offered, and how far the clocks are apart. No password is sent here.
 */

import { type Check, fine, Impossible, LOOKED_AT, type Shown } from "./finding.js";
import type { Web } from "./probes.js";
import type { AccountFacts, BackendFacts, SiteFacts } from "./site-facts.js";

const DAY_MS = 86_400_000;
const SKEW_MS = 120_000;
const NEEDED: Readonly<Record<AccountFacts["scheme"], readonly string[]>> = {
  basic: ["basic"],
  ntlm: ["ntlm", "negotiate"],
  negotiate: ["negotiate"],
  oauth: ["bearer"],
  // WorkMail does not offer it in a challenge.
  impersonation: [],
};

/** Rows 6, 8 and the clocks of 19. */
export function connectionChecks(site: SiteFacts, web: Web, now: () => number): Check[] {
  const published = [...new Map(site.published.map(({ url }) => [url.origin, url])).values()];
  return [
    {
      id: "certificates",
      title: "Certificates",
      why: "WorkMail asks only servers whose certificate a public authority has signed; Exchange only those its servers trust. Nobody says so aloud: there are hash marks.",
      run: async (signal) => {
        if (published.length === 0) throw noAddress();
        const shown = [
          ...published.map((url) =>
            certificateShown(url, `the gateway, ${url.origin}`, site.authorities, site, web, now, signal),
          ),
          ...site.backends.flatMap(({ name, urls, ca }) =>
            urls.map((url) =>
              certificateShown(url, `${name}, ${url.origin}`, ca ?? site.authorities, site, web, now, signal),
            ),
          ),
        ];
        return Promise.all(shown);
      },
    },
    ...site.backends.map(
      (backend): Check => ({
        id: `sign-in-${backend.name}`,
        title: `What ${backend.name} offers to sign in with`,
        why: "An account whose scheme is not offered is refused every time, and whoever asks sees hash marks.",
        run: (signal) => Promise.all(backend.urls.map((url) => offersShown(backend, url, web, signal))),
      }),
    ),
  ];
}

export function noAddress(): Impossible {
  return new Impossible(
    "the address under which callers reach the gateway is not configured",
    ["Set autodiscover.url, such as https://freebusy.corp.example/EWS/Exchange.asmx."],
    "not-checked",
  );
}

async function certificateShown(
  url: URL,
  about: string,
  authorities: string | undefined,
  site: SiteFacts,
  web: Web,
  now: () => number,
  signal: AbortSignal,
): Promise<Shown> {
  const expected = `signed by an authority, complete, for this name, ${site.certificateDays} days or more left`;
  if (url.protocol === "http:") {
    const found = "http://, so there is none, and passwords travel in clear";
    return { verdict: "not-checked", about, expected, found, todo: ["Use https:// outside of tests."] };
  }
  const certificate = await web.certificate(url, authorities, signal).catch((error) => unreachable(about, error));
  if ("verdict" in certificate) return certificate;
  const { trusted, problem, endsAt, issuer, protocol } = certificate;
  const left = Math.floor((endsAt - now()) / DAY_MS);
  const show = `openssl s_client -connect ${url.hostname}:${url.port || 443} -servername ${url.hostname} -showcerts </dev/null`;
  if (!trusted) {
    return {
      verdict: "failure",
      about,
      expected,
      found: `${problem}, issued by ${issuer}`,
      todo: [remedy(problem), show],
    };
  }
  if (left < site.certificateDays) {
    const found = `it ends in ${left} days (${new Date(endsAt).toISOString().slice(0, 10)})`;
    return {
      verdict: "warning",
      about,
      expected,
      found,
      todo: ["Renew it; the gateway takes up new files by itself.", show],
    };
  }
  return fine(about, `${protocol}, ${left} days left`);
}

function remedy(problem: string | undefined): string {
  switch (problem) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return "It is self-signed, or of a private authority: get one from a public authority. For a backend, caFile names the private one.";
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return "Either the server leaves out its intermediate certificates (put them behind its own in the file), or the authority is a private one.";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "The certificate is for another name: ask under its name, or have this one added.";
    case "CERT_HAS_EXPIRED":
      return "It has ended: renew it.";
    default:
      return "See what the server shows:";
  }
}

async function offersShown({ name, accounts }: BackendFacts, url: URL, web: Web, signal: AbortSignal): Promise<Shown> {
  const about = `${name}, ${url.origin}`;
  const knock = await web.knock(url, signal, { method: "POST", body: "" }).catch((error) => unreachable(about, error));
  if ("verdict" in knock) return knock;
  const { status, schemes, aheadMs } = knock;
  const wanted = [...new Set(accounts.map(({ scheme }) => scheme))];
  const offered = `HTTP ${status}, ${schemes.join(", ") || "no scheme at all"}`;
  const missing = wanted.filter(
    (scheme) => NEEDED[scheme].length > 0 && !NEEDED[scheme].some((one) => schemes.includes(one)),
  );
  if (missing.length > 0) {
    const todo = [
      `Configure a scheme that is offered (backends.${name}.scheme: ntlm needs no change in Exchange), or turn it on:`,
      "Get-WebServicesVirtualDirectory | Set-WebServicesVirtualDirectory -BasicAuthentication $true",
    ];
    return { verdict: "failure", about, expected: `offers ${missing.join(", ")}`, found: offered, todo };
  }
  if (aheadMs !== undefined && Math.abs(aheadMs) > SKEW_MS) {
    const found = `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's`;
    const todo = ["Both machines should follow a time server: timedatectl (here), w32tm /query /status (there)."];
    return { verdict: "warning", about, expected: "a clock within two minutes of ours", found, todo };
  }
  return fine(about, offered);
}

/** The code of a failed connection and what it means; anything else is not known. */
export function unreachable(about: string, error: unknown): Shown {
  const { code: given, name } = error as { code?: unknown; name: string };
  // A time-out of ours has a number for a code.
  const code = typeof given === "string" ? given : name;
  const means: Readonly<Record<string, string>> = {
    ENOTFOUND: "its name is not known to DNS",
    EAI_AGAIN: "DNS does not answer",
    ECONNREFUSED: "nobody listens there",
    ECONNRESET: "the connection is cut off",
    ETIMEDOUT: "nobody answers: a firewall, or a machine that is off",
    ABORT_ERR: "nobody answers: a firewall, or a machine that is off",
    AbortError: "nobody answers: a firewall, or a machine that is off",
    TimeoutError: "nobody answers: a firewall, or a machine that is off",
  };
  const said = means[code] ?? "no connection";
  const safe = /^[A-Za-z0-9_]{1,60}$/.test(code) ? code : "no code";
  return {
    ...{ verdict: "failure", about, expected: LOOKED_AT, found: `${about} cannot be reached: ${said} (${safe})` },
    todo: ["Check the address in the configuration, DNS, the firewall, and that the server runs."],
  };
}
