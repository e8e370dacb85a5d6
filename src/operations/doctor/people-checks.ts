/**
 * Compares what both systems say of the same people: principal names, the four-hour sync,
 * resources, forwarding addresses, and mailboxes that both of them have.
 */

import { type Check, fine, Impossible, type Shown } from "./finding.js";
import { noApi } from "./organization-checks.js";
import type { OwnClient, Person, Probes, WorkMail, WorkMailUser } from "./probes.js";
import { exchangeOf, type SiteFacts } from "./site-facts.js";

const SYNC_MS = 4 * 3_600_000;
/** So many are looked at one by one, and named in a finding. */
const ONE_BY_ONE = 25;
const NAMED = 10;
const SHARED_MS = 20_000;

/** Rows 9, 10, 11, 17 and 18. */
export function peopleChecks(site: SiteFacts, probes: Probes): Check[] {
  const { workmail, people, ownClient, now } = probes;
  const everybody = once((signal) => {
    if (people === undefined) throw noDirectory();
    return people.all(signal);
  });
  const enabled = once((signal) => {
    if (workmail === undefined) throw noApi();
    return workmail.enabledUsers(signal);
  });
  const movedTo = (person: Person) => site.forestDomains.includes(person.target?.split("@")[1] ?? "");
  return [
    {
      id: "principal-names",
      title: "User principal names",
      why: "WorkMail signs people in, and finds them, by the UPN: one that is not the primary address is somebody else to it.",
      run: async () => {
        const different = (await everybody()).filter(
          ({ principal, primary }) =>
            principal !== undefined && inDomains(site, primary) && principal.toLowerCase() !== primary,
        );
        const about = "users in Active Directory";
        if (different.length === 0) return [fine(about, "UPN and primary address are the same")];
        const found = named(different, ({ primary, principal }) => `${primary} has ${principal}`);
        const todo = different
          .slice(0, NAMED)
          .map(({ primary, principal }) => `Get-User '${principal}' | Set-User -UserPrincipalName ${primary}`);
        return [{ verdict: "warning", about, expected: "UPN and primary address are the same", found, todo }];
      },
    },
    {
      id: "directory-sync",
      title: "The four-hour sync to WorkMail",
      why: "WorkMail reads Active Directory every four hours: until then a moved user is known to one side only.",
      run: async () => {
        const [all, users] = await Promise.all([everybody(), enabled()]);
        const known = new Set(users.map(({ email }) => email?.toLowerCase()));
        const missing = all.filter(
          (person) => movedTo(person) && !person.addresses.some((address) => known.has(address)),
        );
        const about = "people moved to WorkMail";
        if (missing.length === 0) return [fine(about, "enabled in WorkMail, all of them")];
        return missing.slice(0, NAMED).map((person) => syncShown(person, now(), site));
      },
    },
    {
      id: "resources",
      title: "Rooms and equipment",
      why: "While interoperability is on, resources stay in Exchange; WorkMail's copy has no bookings and would look free.",
      run: async (signal) => {
        if (workmail === undefined) throw noApi();
        return resourcesShown(site, await enabled(), await workmail.ownResources(signal), ownClient, signal);
      },
    },
    {
      id: "forwarding",
      title: "Where Exchange forwards moved people",
      why: "Exchange asks for the time of a moved user under this address: another one leads nowhere.",
      run: async (signal) => {
        if (workmail === undefined) throw noApi();
        const users = (await enabled()).filter(({ role }) => role === "USER");
        return [await aliasesShown(site, users, workmail, people && (await everybody()), signal)];
      },
    },
    {
      id: "both-sides",
      title: "Mailboxes on both sides",
      why: "Somebody with two mailboxes has two calendars, and only one of them is true.",
      run: async () => {
        const [all, users] = await Promise.all([everybody(), enabled()]);
        const here = new Set(all.filter(({ lives }) => lives === "here").flatMap(({ addresses }) => addresses));
        const twice = users.filter(({ email, role }) => role === "USER" && here.has(email?.toLowerCase() ?? ""));
        const about = "people enabled in WorkMail";
        const expected = "no mailbox in Exchange";
        if (twice.length === 0) return [fine(about, expected)];
        const found = named(twice, ({ email }) => `${email} has a mailbox in both`);
        const todo = twice
          .slice(0, NAMED)
          .map(
            ({ email }) =>
              `freebusy explain ${email} --config FILE   # who is asked now; finish the move, or aws workmail deregister-from-work-mail`,
          );
        return [{ verdict: "warning", about, expected, found, todo }];
      },
    },
  ];
}

function noDirectory(): Impossible {
  return new Impossible(
    "no Active Directory is configured (directories: type ldap)",
    [
      "By hand, in the Exchange Management Shell:",
      "Get-User -ResultSize Unlimited | Where-Object { $_.UserPrincipalName -ne $_.WindowsEmailAddress } | Select-Object UserPrincipalName,WindowsEmailAddress",
      "Get-MailUser -ResultSize Unlimited | Select-Object PrimarySmtpAddress,ExternalEmailAddress,WhenChanged",
    ],
    "not-checked",
  );
}

function syncShown({ primary, changedAt }: Person, now: number, { organization }: SiteFacts): Shown {
  const expected = "enabled in WorkMail";
  const who = `--organization-id ${organization?.id ?? "m-…"} --region ${organization?.region ?? "…"}`;
  const todo = [
    `aws workmail describe-user ${who} --user-id ${primary}`,
    `aws workmail register-to-work-mail ${who} --entity-id ID --email ${primary}`,
  ];
  if (changedAt !== undefined && now - changedAt < SYNC_MS) {
    const until = new Date(changedAt + SYNC_MS).toISOString().slice(11, 16);
    return {
      verdict: "note",
      about: primary,
      expected,
      found: `not yet; the sync is due until ${until} UTC`,
      todo: [],
    };
  }
  const since = changedAt === undefined ? "" : `, changed ${new Date(changedAt).toISOString()}`;
  return {
    verdict: "failure",
    about: primary,
    expected,
    found: `Exchange forwards it to WorkMail, which has nobody enabled${since}`,
    todo,
  };
}

async function resourcesShown(
  site: SiteFacts,
  users: readonly WorkMailUser[],
  own: readonly string[],
  ask: OwnClient,
  signal: AbortSignal,
): Promise<Shown[]> {
  const shown: Shown[] = [];
  const about = "resources";
  if (own.length > 0) {
    const found = `WorkMail has resources of its own: ${own.slice(0, NAMED).join(", ")}`;
    const todo = ["Move them to Exchange, or name them in an overrides file with WorkMail as their owner."];
    shown.push({ verdict: "warning", about, expected: "none in WorkMail", found, todo });
  }
  const exchange = exchangeOf(site);
  const rooms = users.filter(({ role }) => role === "RESOURCE").flatMap(({ email }) => email ?? []);
  if (exchange === undefined || rooms.length === 0) {
    return shown.length > 0 ? shown : [fine(about, "WorkMail has none of its own")];
  }
  const today = new Date().toISOString().slice(0, 10);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  for (const room of rooms.slice(0, NAMED)) {
    const answer = await ask(exchange.name, room, today, tomorrow, signal);
    if (answer.kind === "view") continue;
    const found = answer.kind === "refused" ? `Exchange says ${answer.code}` : answer.problem;
    const todo = [`Get-Mailbox ${room} | Format-List RecipientTypeDetails,HiddenFromAddressListsEnabled`];
    shown.push({ verdict: "failure", about: room, expected: "Exchange has its calendar", found, todo });
  }
  return shown.length > 0 ? shown : [fine(about, `${Math.min(rooms.length, NAMED)} asked, Exchange has them`)];
}

async function aliasesShown(
  site: SiteFacts,
  users: readonly WorkMailUser[],
  workmail: WorkMail,
  all: readonly Person[] | undefined,
  signal: AbortSignal,
): Promise<Shown> {
  const wrong: string[] = [];
  const todo: string[] = [];
  for (const { id, email = "" } of users.slice(0, ONE_BY_ONE)) {
    const aliases = (await workmail.aliases(id, signal)).map((alias) => alias.toLowerCase());
    const forwarded = [email.toLowerCase(), ...aliases].find((alias) =>
      site.forestDomains.includes(alias.split("@")[1] ?? ""),
    );
    const person = all?.find(({ addresses }) => addresses.includes(email.toLowerCase()));
    if (forwarded === undefined) {
      wrong.push(`${email} has no address in ${site.forestDomains.join(" or ")}`);
      todo.push(
        `Give ${email} that address in Active Directory (proxyAddresses); it reaches WorkMail within four hours.`,
      );
    } else if (person?.lives === "elsewhere" && ![email.toLowerCase(), ...aliases].includes(person.target ?? "")) {
      wrong.push(`Exchange forwards ${email} to ${person.target}`);
      todo.push(`Set-MailUser ${email} -ExternalEmailAddress ${forwarded}`);
    }
  }
  const about = "people enabled in WorkMail";
  const expected = `forwarded to an address in ${site.forestDomains.join(" or ")} that WorkMail has`;
  if (wrong.length > 0)
    return { verdict: "failure", about, expected, found: wrong.slice(0, NAMED).join("; "), todo: todo.slice(0, NAMED) };
  const looked = Math.min(users.length, ONE_BY_ONE);
  const rest = users.length > looked ? ` (of ${users.length})` : "";
  return fine(about, `${looked}${rest} looked at${all === undefined ? ", WorkMail's side only" : ""}`);
}

const inDomains = ({ domains }: SiteFacts, address: string): boolean => domains.includes(address.split("@")[1] ?? "");

function named<One>(ones: readonly One[], say: (one: One) => string): string {
  const more = ones.length > NAMED ? ` and ${ones.length - NAMED} more` : "";
  return `${ones.slice(0, NAMED).map(say).join("; ")}${more}`;
}

/** Asked by several checks, answered once; the one that asked first may be over long before the others. */
function once<Answer>(ask: (signal: AbortSignal) => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | undefined;
  // Held here: a signal that nobody holds may never come.
  const shared = AbortSignal.timeout(SHARED_MS);
  return async () => {
    asked ??= ask(shared);
    return asked;
  };
}
