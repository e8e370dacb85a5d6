/**
 * Looks at what the world is told by DNS: while both systems live in one domain, mail and
 * Autodiscover stay with Exchange.
 */

import { type Check, fine, type Shown } from "./finding.js";
import type { Knock, Names, Web } from "./probes.js";
import { exchangeOf, type SiteFacts } from "./site-facts.js";

const MAIL_OF_WORKMAIL = /^inbound-smtp\.[a-z0-9-]+\.amazonaws\.com$|\.awsapps\.com$/i;
const OF_WORKMAIL = /(^|\.)awsapps\.com$/i;

/** Rows 4 and 5. */
export function nameChecks(site: SiteFacts, names: Names, web: Web): Check[] {
  return [
    {
      id: "mx",
      title: "Where mail goes",
      why: "Mail has to reach Exchange first, which sends on what belongs to WorkMail; the other way round it bounces.",
      run: (signal) => Promise.all(site.domains.map((domain) => mailShown(domain, site, names, signal))),
    },
    {
      id: "autodiscover-dns",
      title: "Where Autodiscover leads",
      why: "Outlook finds Exchange mailboxes by it. Pointed at WorkMail, everybody who still lives in Exchange loses theirs.",
      run: (signal) => Promise.all(site.domains.map((domain) => discoveryShown(domain, names, web, signal))),
    },
  ];
}

async function mailShown(domain: string, site: SiteFacts, names: Names, signal: AbortSignal): Promise<Shown> {
  const records = [...(await names.mx(domain, signal))].sort((a, b) => a.priority - b.priority);
  const expected = "Exchange, or whatever stands in front of it, first";
  const todo = [
    `Point the MX of ${domain} at Exchange (${exchangeOf(site)?.urls[0]?.hostname ?? "its host"}). WorkMail's console then shows MX "Inconsistent": that is as it should be.`,
  ];
  if (records.length === 0)
    return { verdict: "warning", about: domain, expected, found: "there is no MX record", todo };
  const found = records.map(({ priority, exchange }) => `${priority} ${exchange}`).join(", ");
  const ours = records.filter(({ exchange }) => MAIL_OF_WORKMAIL.test(exchange));
  if (ours.length === 0) return fine(domain, found);
  const first = ours.some(({ priority }) => priority === records[0]?.priority);
  return { verdict: first ? "failure" : "warning", about: domain, expected, found, todo };
}

async function discoveryShown(domain: string, names: Names, web: Web, signal: AbortSignal): Promise<Shown> {
  const name = `autodiscover.${domain}`;
  const [chain, services] = await Promise.all([
    names.aliases(name, signal),
    names.services(`_autodiscover._tcp.${domain}`, signal),
  ]);
  const expected = "nothing of WorkMail's";
  const todo = [
    `Remove the record that leads to WorkMail, or point ${name} at Exchange.`,
    `nslookup -type=CNAME ${name}`,
  ];
  const alias = chain.find((one) => OF_WORKMAIL.test(one));
  if (alias !== undefined)
    return { verdict: "failure", about: domain, expected, found: `${name} is an alias of ${alias}`, todo };
  const service = services.find((one) => OF_WORKMAIL.test(one));
  if (service !== undefined) {
    const found = `the SRV record _autodiscover._tcp.${domain} names ${service}`;
    return { verdict: "failure", about: domain, expected, found, todo };
  }
  const path = "/autodiscover/autodiscover.xml";
  for (const host of [domain, name]) {
    const knock = await answered(web, new URL(`https://${host}${path}`), signal);
    if (knock === undefined || !/awsapps\.com/i.test(`${knock.location ?? ""} ${knock.body}`)) continue;
    return {
      verdict: "failure",
      about: domain,
      expected,
      found: `https://${host}${path} sends clients to WorkMail`,
      todo,
    };
  }
  return fine(
    domain,
    chain.length > 0 ? `${name} is ${chain.join(", ")}` : "no alias, no service record, no redirection",
  );
}

/** Undefined when nobody is there, which is none of this check's business. */
async function answered(web: Web, url: URL, signal: AbortSignal): Promise<Knock | undefined> {
  try {
    return await web.knock(url, signal);
  } catch {
    return undefined;
  }
}
