/**
 * Looks at both systems' side of the bargain: that WorkMail's availability configurations and
 * Exchange's address space lead here, and that calls have really come.
 */

import { readAddressSpaces } from "./address-space-list.js";
import { noAddress, unreachable } from "./connection-checks.js";
import { type Check, fine, Impossible, type Shown } from "./finding.js";
import { noApi } from "./organization-checks.js";
import type { AvailabilityConfiguration, Probes, RunningGateway, WorkMail } from "./probes.js";
import { exchangeOf, type SiteFacts, urlFor, workMailOf } from "./site-facts.js";

/** Rows 7, 15, 16 and 20, and when each side was last seen. */
export function providerChecks(site: SiteFacts, { workmail, gateway, now }: Probes): Check[] {
  const who = `--organization-id ${site.organization?.id ?? "m-…"} --region ${site.organization?.region ?? "…"}`;
  const look = (run: (api: WorkMail, signal: AbortSignal) => Promise<Shown[]>) => async (signal: AbortSignal) => {
    if (workmail === undefined) throw noApi();
    return run(workmail, signal);
  };
  return [
    {
      id: "availability-configuration",
      title: "WorkMail's availability configurations",
      why: "WorkMail asks whoever stands there about everybody who is not enabled in it. Without one, or with another's address, WorkMail's people see hash marks.",
      run: look(async (api, signal) => {
        const configurations = await api.configurations(signal);
        return site.domains.map((domain) => configurationShown(site, domain, configurations, who));
      }),
    },
    {
      id: "availability-test",
      title: "WorkMail's own test, from AWS",
      why: "Only AWS can tell whether the gateway can be reached from the internet, with a certificate and a password it accepts.",
      run: look(async (api, signal) => {
        const known = (await api.configurations(signal)).filter(({ domain }) => site.domains.includes(domain));
        return Promise.all(known.map((one) => testShown(api, gateway, site, one, who, signal)));
      }),
    },
    {
      id: "address-space",
      title: "Exchange's availability address space",
      why: "Exchange asks the gateway about WorkMail's people only where it says so. Otherwise Exchange's people see hash marks.",
      run: async () => addressSpaceShown(site),
    },
    {
      id: "gateway",
      title: "The gateway that runs",
      why: "A backend that is not usable, or a directory that is not read, shows here before people call.",
      run: async (signal) => {
        const readiness = await gateway.readiness(signal).catch(notRunning);
        if ("verdict" in readiness) return [readiness];
        const { status, backends, directories } = readiness;
        const shown: Shown[] = [...backends]
          .filter(([, { usable }]) => !usable)
          .map(([name, { detail }]) => ({
            ...{ verdict: "failure", about: `backend ${name}`, expected: "usable", found: detail },
            todo: ["What the reason means and what to do: docs/reasons.md, or /reasons/… on the management listener."],
          }));
        for (const [name, { from, problem }] of directories) {
          if (problem === undefined) continue;
          const found = `${problem} (answers from: ${from})`;
          shown.push({ verdict: "warning", about: `directory ${name}`, expected: "read lately", found, todo: [] });
        }
        return shown.length > 0 ? shown : [fine("the running gateway", status)];
      },
    },
    {
      id: "last-seen",
      title: "Calls from both sides",
      why: "A side that never calls is set up elsewhere, or cannot get here.",
      run: async (signal) => {
        const seen = await gateway.lastSeen(signal).catch(notRunning);
        if ("verdict" in seen) return [seen];
        const origins = [exchangeOf(site), site.lambda ? undefined : workMailOf(site)].flatMap(
          (one) => one?.name ?? [],
        );
        return origins.map((origin) => seenShown(site, origin, seen, now()));
      },
    },
  ];
}

const notRunning = (error: unknown): Shown => unreachable("the gateway's management listener", error);

function configurationShown(
  site: SiteFacts,
  domain: string,
  configurations: readonly AvailabilityConfiguration[],
  who: string,
): Shown {
  const workmail = workMailOf(site)?.name ?? "workmail";
  const wanted = urlFor(site, workmail);
  const one = configurations.find((configuration) => configuration.domain === domain);
  if (site.lambda) {
    if (one?.type === "LAMBDA") return fine(domain, `the function ${one.lambda}`);
    const todo = [
      `aws workmail create-availability-configuration ${who} --domain-name ${domain} --lambda-provider LambdaArn=ARN`,
    ];
    const found = one === undefined ? "there is none" : `${one.type}, ${one.endpoint ?? "no address"}`;
    return { verdict: "failure", about: domain, expected: "the gateway as a function", found, todo };
  }
  if (wanted === undefined) throw noAddress();
  const names = site.callers
    .filter(({ origin, basic }) => origin === workmail && basic)
    .flatMap(({ usernames }) => usernames);
  const expected = `${wanted.href}, as ${names.join(" or ") || "a caller with origin workmail and a passwordHash"}`;
  const provider = `--domain-name ${domain} --ews-provider EwsEndpoint=${wanted.href},EwsUsername=${names[0] ?? "USER"},EwsPassword=PASSWORD`;
  const change = (verb: string) => [`aws workmail ${verb}-availability-configuration ${who} ${provider}`];
  if (one === undefined)
    return { verdict: "failure", about: domain, expected, found: "there is none", todo: change("create") };
  if (one.type !== "EWS") {
    const found = `a ${one.type} provider, ${one.lambda ?? "unnamed"}`;
    return { verdict: "warning", about: domain, expected, found, todo: change("update") };
  }
  if (!sameAddress(one.endpoint, wanted)) {
    return {
      verdict: "failure",
      about: domain,
      expected,
      found: `${one.endpoint}, as ${one.username}`,
      todo: change("update"),
    };
  }
  if (!names.some((name) => name.toLowerCase() === one.username?.toLowerCase())) {
    const found = `as ${one.username}, which is no caller with origin ${workmail} here`;
    return { verdict: "failure", about: domain, expected, found, todo: change("update") };
  }
  return fine(domain, `${one.endpoint}, as ${one.username}`);
}

function sameAddress(text: string | undefined, wanted: URL): boolean {
  if (text === undefined || !URL.canParse(text)) return false;
  const found = new URL(text);
  return found.origin === wanted.origin && found.pathname.toLowerCase() === wanted.pathname.toLowerCase();
}

async function testShown(
  api: WorkMail,
  gateway: RunningGateway,
  site: SiteFacts,
  { domain, type }: AvailabilityConfiguration,
  who: string,
  signal: AbortSignal,
): Promise<Shown> {
  const before = Math.floor(Date.now() / 1000) - 1;
  const { passed, reason } = await api.test(domain, signal);
  const expected = "passed, and seen by this gateway";
  const again = `aws workmail test-availability-configuration ${who} --domain-name ${domain}`;
  if (!passed) {
    const hint =
      type === "LAMBDA"
        ? "The function's policy has to name availability.workmail.REGION.amazonaws.com with SourceAccount and SourceArn: freebusy setup prints the command."
        : "Open TCP 443 from the internet, show a public certificate, and store the caller's present password (update-availability-configuration).";
    return {
      verdict: "failure",
      about: domain,
      expected,
      found: `not passed: ${reason ?? "no reason given"}`,
      todo: [hint, again],
    };
  }
  if (type === "LAMBDA") return fine(domain, "passed (the function's own log has the event)");
  const workmail = workMailOf(site)?.name;
  const names = site.callers.filter(({ origin }) => origin === workmail).map(({ name }) => name);
  const seen = await gateway.lastSeen(signal).catch(() => undefined);
  if (seen === undefined) {
    const found = "passed, but this gateway could not be asked whether it has seen it";
    return { verdict: "not-checked", about: domain, expected, found, todo: [again] };
  }
  if (names.some((name) => (seen.get(name) ?? 0) >= before)) return fine(domain, expected);
  const found = "passed, but somebody else has answered: this gateway has not seen it";
  const todo = [
    "The name may lead to another machine from outside, or to another replica behind a load balancer.",
    again,
  ];
  return { verdict: "warning", about: domain, expected, found, todo };
}

function addressSpaceShown(site: SiteFacts): Shown[] {
  const epr = autodiscoverOf(site);
  if (site.addressSpacesText === undefined) {
    throw new Impossible(
      "Exchange's settings cannot be read from here",
      [
        "In the Exchange Management Shell, then name the file in doctor.addressSpacesFile:",
        "Get-AvailabilityAddressSpace | Format-List ForestName,AccessMethod,UserName,TargetAutodiscoverEpr | Out-File -Encoding utf8 address-spaces.txt",
      ],
      "not-checked",
    );
  }
  const spaces = readAddressSpaces(site.addressSpacesText);
  return site.forestDomains.map((forest): Shown => {
    const one = spaces.find(({ forestName }) => forestName.toLowerCase() === forest);
    const expected = `ForestName ${forest}, AccessMethod OrgWideFB, TargetAutodiscoverEpr ${epr ?? "(set autodiscover.url)"}`;
    const add = `Add-AvailabilityAddressSpace -ForestName ${forest} -AccessMethod OrgWideFB -Credentials (Get-Credential) -TargetAutodiscoverEpr ${epr ?? "URL"}`;
    const remove = `Get-AvailabilityAddressSpace | Where-Object ForestName -eq ${forest} | Remove-AvailabilityAddressSpace`;
    if (one === undefined) return { verdict: "failure", about: forest, expected, found: "there is none", todo: [add] };
    if (one.accessMethod !== "OrgWideFB" || one.autodiscover?.toLowerCase() !== epr?.toLowerCase()) {
      const found = `AccessMethod ${one.accessMethod}, TargetAutodiscoverEpr ${one.autodiscover ?? "none"}`;
      return { verdict: "failure", about: forest, expected, found, todo: [remove, add] };
    }
    return fine(forest, expected);
  });
}

/** What -TargetAutodiscoverEpr has to be. */
export function autodiscoverOf(site: SiteFacts): string | undefined {
  const url = urlFor(site, exchangeOf(site)?.name ?? "exchange");
  return url && new URL("/autodiscover/autodiscover.xml", url).href;
}

function seenShown(site: SiteFacts, origin: string, seen: ReadonlyMap<string, number>, now: number): Shown {
  const callers = site.callers.filter((caller) => caller.origin === origin).map(({ name }) => name);
  const last = Math.max(0, ...callers.map((name) => seen.get(name) ?? 0));
  const expected = "a call within the last day";
  const todo = [
    "Ask for somebody's time from there, and look at the gateway's log. freebusy setup prints what has to be set up.",
  ];
  if (callers.length === 0)
    return { verdict: "failure", about: origin, expected, found: `no caller has origin: ${origin}`, todo };
  if (last === 0)
    return { verdict: "warning", about: origin, expected, found: "none since this gateway was started", todo };
  const hours = Math.round((now / 1000 - last) / 3600);
  if (hours <= 24) return fine(origin, `last call ${new Date(last * 1000).toISOString()}`);
  return { verdict: "warning", about: origin, expected, found: `the last one was ${hours} hours ago`, todo };
}
