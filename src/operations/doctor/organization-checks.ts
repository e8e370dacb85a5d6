/**
 * Looks at the WorkMail organization as its control API describes it: alive, somebody enabled,
 * domains verified, our service accounts good for something. Reads only.
 */

import { type Check, fine, Impossible, type Shown } from "./finding.js";
import type { WorkMail } from "./probes.js";
import { type AccountFacts, type SiteFacts, workMailOf } from "./site-facts.js";

const DAY_MS = 86_400_000;
const TOKEN_DAYS = 30;

/** Rows 1, 2, 3, 12, 13 and 14. */
export function organizationChecks(site: SiteFacts, workmail: WorkMail | undefined, now: () => number): Check[] {
  const look = (run: (api: WorkMail, signal: AbortSignal) => Promise<Shown[]>) => async (signal: AbortSignal) => {
    if (workmail === undefined) throw noApi();
    return run(workmail, signal);
  };
  const accounts = workMailOf(site)?.accounts ?? [];
  const who = `--organization-id ${site.organization?.id ?? "m-…"} --region ${site.organization?.region ?? "…"}`;
  return [
    {
      id: "organization",
      title: "WorkMail organization",
      why: "Nothing of WorkMail answers when the organization is not active, and only with interoperability on does it ask Exchange.",
      run: look(async (api, signal) => {
        const { state, alias, directoryId, interoperabilityEnabled } = await api.organization(signal);
        const about = site.organization?.id ?? "the organization";
        const expected = "active, with interoperability on and an AD Connector";
        const todo = [`aws workmail describe-organization ${who}`];
        if (state?.toLowerCase() !== "active") {
          return [{ verdict: "failure", about, expected, found: `its state is ${state ?? "not told"}`, todo }];
        }
        const shown: Shown[] = [];
        if (!interoperabilityEnabled) {
          const more =
            "Only AWS Support can turn it on for an organization that exists. Turning it off cannot be undone.";
          shown.push({ verdict: "warning", about, expected, found: "interoperability is off", todo: [...todo, more] });
        }
        const forest = `${alias?.toLowerCase()}.awsapps.com`;
        if (alias !== undefined && !site.forestDomains.includes(forest)) {
          const said = site.forestDomains.join(", ") || "none";
          shown.push({
            ...{ verdict: "failure", about, expected: `the address space ${forest}` },
            found: `configured domains of WorkMail's own: ${said}`,
            todo: [`Add to addressSpaces: { domain: ${forest}, backend: ${workMailOf(site)?.name ?? "workmail"} }`],
          });
        }
        return shown.length > 0 ? shown : [fine(about, `active, ${forest}, directory ${directoryId ?? "not told"}`)];
      }),
    },
    {
      id: "enabled-users",
      title: "Users enabled in WorkMail",
      why: "WorkMail has nobody's calendar until somebody is enabled.",
      run: look(async (api, signal) => {
        const users = (await api.enabledUsers(signal)).filter(({ role }) => role !== "SYSTEM_USER");
        const about = "users of the organization";
        if (users.length > 0) return [fine(about, `${users.length} enabled`)];
        const todo = [
          `aws workmail register-to-work-mail ${who} --entity-id USER --email USER@${site.domains[0] ?? "…"}`,
        ];
        return [{ verdict: "failure", about, expected: "at least one enabled", found: "none", todo }];
      }),
    },
    {
      id: "domain-verified",
      title: "Mail domains in WorkMail",
      why: "Mail to addresses of a domain that is not verified bounces, and its users cannot be enabled.",
      run: look(async (api, signal) => Promise.all(site.domains.map((domain) => ownership(api, domain, who, signal)))),
    },
    {
      id: "service-account",
      title: "The gateway's account in WorkMail",
      why: "Everything about WorkMail's people is asked with it: when it does not work, all of them are hash marks.",
      run: look(async (api, signal) =>
        (await Promise.all(accounts.map((account) => accountShown(api, account, now, who, signal)))).flat(),
      ),
    },
    {
      id: "access-rules",
      title: "WorkMail's access control rules",
      why: "A rule may keep EWS from the gateway's address, whatever its password.",
      run: look(async (api, signal) => {
        const ip = site.egressAddress;
        if (ip === undefined) {
          const command = `aws workmail get-access-control-effect ${who} --action EWS --ip-address IPV4 --user-id USER_ID`;
          throw new Impossible(
            "doctor.egressAddress is not set, so nobody knows which address WorkMail sees",
            ["Set it to the gateway's public IPv4, or ask by hand:", command],
            "not-checked",
          );
        }
        return (await Promise.all(accounts.map((account) => accessShown(api, account, ip, who, signal)))).flat();
      }),
    },
    {
      id: "impersonation",
      title: "Impersonation roles",
      why: "A role that does not cover its mailbox gives a token, and every question with it is refused.",
      run: look(async (api, signal) => {
        const roles = accounts.filter(({ scheme }) => scheme === "impersonation");
        if (roles.length === 0) return [fine("impersonation roles", "none is used")];
        return Promise.all(roles.map((role) => roleShown(api, role, who, signal)));
      }),
    },
  ];
}

export function noApi(): Impossible {
  return new Impossible(
    "no WorkMail organization is named in the configuration",
    [
      "Set doctor.organization: { organizationId: m-…, region: … }, and give the doctor AWS credentials that may read it.",
    ],
    "not-checked",
  );
}

async function ownership(api: WorkMail, domain: string, who: string, signal: AbortSignal): Promise<Shown> {
  const status = await api.ownership(domain, signal);
  if (status === "VERIFIED") return fine(domain, "VERIFIED");
  const expected = "ownership VERIFIED";
  const show = `aws workmail get-mail-domain ${who} --domain-name ${domain}`;
  if (status === undefined) {
    const todo = [
      `aws workmail register-mail-domain ${who} --domain-name ${domain}`,
      `${show}   # prints the TXT record`,
    ];
    return { verdict: "failure", about: domain, expected, found: "the organization does not have this domain", todo };
  }
  const todo = [`${show}   # prints the TXT record _amazonses.${domain} to publish`];
  return { verdict: "failure", about: domain, expected, found: `ownership ${status}`, todo };
}

async function accountShown(
  api: WorkMail,
  { name, scheme, actsAs }: AccountFacts,
  now: () => number,
  who: string,
  signal: AbortSignal,
): Promise<Shown[]> {
  const mailbox = actsAs ?? name.split("\\").at(-1) ?? name;
  const user = await api.user(mailbox, signal);
  const expected = "ENABLED, role USER, with a mailbox";
  const todo = [`aws workmail describe-user ${who} --user-id ${mailbox}`];
  if (user === undefined)
    return [{ verdict: "failure", about: mailbox, expected, found: "there is no such user", todo }];
  if (user.state !== "ENABLED" || user.role !== "USER" || user.deprovisioned || !user.provisioned) {
    const has = user.provisioned && !user.deprovisioned ? "" : ", without a mailbox";
    const found = `${user.state ?? "no state"}, role ${user.role ?? "none"}${has}`;
    return [{ verdict: "failure", about: mailbox, expected, found, todo }];
  }
  if (scheme !== "basic") return [fine(mailbox, expected)];
  if ((await api.signInMode(signal)) !== "IDENTITY_PROVIDER_ONLY") return [fine(mailbox, expected)];
  const ends = [...(await api.tokenEnds(user.id, signal))].sort((a, b) => b - a);
  const [last] = ends;
  const wanted = "a personal access token, because directory passwords are off (IDENTITY_PROVIDER_ONLY)";
  const how =
    "Make a token in WorkMail's web application as this user and use it as its password, or use an impersonation role.";
  if (last === undefined || last < now()) {
    const found = last === undefined ? "the user has none" : `the last one ended ${date(last)}`;
    return [{ verdict: "failure", about: mailbox, expected: wanted, found, todo: [how] }];
  }
  if (last - now() < TOKEN_DAYS * DAY_MS) {
    return [
      { verdict: "warning", about: mailbox, expected: wanted, found: `the last one ends ${date(last)}`, todo: [how] },
    ];
  }
  return [fine(mailbox, `${expected}, token until ${date(last)}`)];
}

async function accessShown(
  api: WorkMail,
  { name, scheme, actsAs }: AccountFacts,
  ip: string,
  who: string,
  signal: AbortSignal,
): Promise<Shown[]> {
  const about = `EWS from ${ip} for ${name}`;
  const mailbox = actsAs ?? name.split("\\").at(-1) ?? name;
  const user = scheme === "impersonation" ? undefined : await api.user(mailbox, signal);
  // Told by service-account.
  if (scheme !== "impersonation" && user === undefined) return [];
  const asked = user === undefined ? { roleId: name } : { userId: user.id };
  const { effect, rules } = await api.accessEffect(ip, asked, signal);
  if (effect === "ALLOW") return [fine(about, "ALLOW")];
  const found = rules.length === 0 ? `${effect}, by no rule at all` : `${effect}, by ${rules.join(", ")}`;
  const todo = [
    `aws workmail list-access-control-rules ${who}`,
    `aws workmail put-access-control-rule ${who} --name freebusy-gateway --effect ALLOW --description 'free/busy gateway' --ip-ranges ${ip}/32 --actions EWS`,
    "A DENY rule wins over it: except this address there (NotIpRanges). Changes take about five minutes.",
  ];
  return [{ verdict: "failure", about, expected: "ALLOW", found, todo }];
}

async function roleShown(
  api: WorkMail,
  { name, actsAs = "" }: AccountFacts,
  who: string,
  signal: AbortSignal,
): Promise<Shown> {
  const about = `role ${name} for ${actsAs}`;
  const { type, effect } = await api.roleEffect(name, actsAs, signal);
  const expected = "ALLOW, and READ_ONLY";
  const todo = [`aws workmail get-impersonation-role ${who} --impersonation-role-id ${name}`];
  if (effect !== "ALLOW") {
    const more = "Add a rule with Effect ALLOW whose TargetUsers hold this mailbox. Changes take about five minutes.";
    return { verdict: "failure", about, expected, found: effect, todo: [...todo, more] };
  }
  if (type !== "READ_ONLY") return { verdict: "warning", about, expected, found: `ALLOW, but ${type}`, todo };
  return fine(about, expected);
}

const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
