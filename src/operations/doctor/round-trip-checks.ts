/**
 * Goes the whole way in each direction, as one system would about a mailbox of the other:
 * Autodiscover, the gateway, and the mailbox's own system directly, each hop timed. What the
 * gateway says is held against what the system itself says, by a client that is not ours.
 */

import { type Check, Impossible, type Shown } from "./finding.js";
import type { ClientAnswer, ClientQuestion, Probes } from "./probes.js";
import { type BackendFacts, type SignIn, type SiteFacts, urlFor } from "./site-facts.js";

const SLOW_MS = 5_000;
const DAY_MS = 86_400_000;
const DAYS = 7;
/** What WorkMail understands, and every Exchange. */
const VERSION = "Exchange2010_SP2";

interface Trip {
  readonly from: BackendFacts;
  readonly to: BackendFacts;
  readonly canary: string;
  readonly signIn: SignIn;
}

export function roundTripChecks(site: SiteFacts, probes: Probes): Check[] {
  const pairs = site.backends.flatMap((from) => site.backends.filter((to) => to !== from).map((to) => ({ from, to })));
  return pairs.map(({ from, to }) => ({
    id: `round-trip-${from.name}-${to.name}`,
    title: `${from.name} asks about a mailbox of ${to.name}`,
    why: "This is what people do. Every other check may be fine and this one not.",
    run: (signal) => {
      const canary = site.canaries.get(to.name);
      const signIn = site.signIns.get(from.name);
      if (canary === undefined || signIn?.password === undefined)
        throw notConfigured(from.name, to.name, canary, signIn);
      return goRound(site, probes, { from, to, canary, signIn }, signal);
    },
  }));
}

function notConfigured(from: string, to: string, canary: string | undefined, signIn: SignIn | undefined): Impossible {
  const todo: string[] = [];
  if (canary === undefined) todo.push(`Set doctor.canaries.${to}: a mailbox of ${to} with something in its calendar.`);
  if (signIn === undefined)
    todo.push(`Set doctor.signIns.${from}: username and password of the caller with origin: ${from}.`);
  else if (signIn.password === undefined)
    todo.push(`Give the doctor the secret that doctor.signIns.${from}.password refers to.`);
  todo.push(`Or by hand: ask for the time of somebody in ${to}, in Outlook or WorkMail, as somebody in ${from}.`);
  return new Impossible("not everything it needs is configured", todo, "not-checked");
}

async function goRound(site: SiteFacts, probes: Probes, trip: Trip, signal: AbortSignal): Promise<Shown[]> {
  const { from, to, canary, signIn } = trip;
  const url = urlFor(site, from.name);
  if (url === undefined || signIn.password === undefined) {
    throw new Impossible("the gateway's address is not configured", ["Set autodiscover.url."], "not-checked");
  }
  const today = Math.floor(probes.now() / DAY_MS) * DAY_MS;
  const window = { from: date(today), to: date(today + DAYS * DAY_MS) };
  const signedIn = { username: signIn.username, password: signIn.password };
  const question = { ...signedIn, url: url.href, mailbox: canary, caFile: undefined, version: VERSION, ...window };
  const [discovered, gateway, direct] = await Promise.all([
    discover(site, probes, trip, url, signal),
    probes.client.ask({ ...question, caFile: site.authoritiesFile }, signal),
    directly(probes, to, { mailbox: canary, version: VERSION, ...window }, signal),
  ]);
  const about = (hop: string) => `${from.name} → ${to.name}, ${hop}`;
  const asked = hopShown(about(`the gateway as ${signIn.username} about ${canary}`), gateway, site, [
    `freebusy explain ${canary} --as ${from.name} --ask --config FILE`,
    `grep lookup in the gateway's log: the line names the reason. docs/reasons.md says what to do.`,
  ]);
  const known = hopShown(about(`${to.name} itself about ${canary}`), direct.answer, site, [
    `The account of backends.${to.name} must be able to see the free/busy time of ${canary}.`,
    `Try it by hand: ${to.type === "ews" ? "Test-WebServicesConnectivity, or" : ""} sign in to ${to.urls[0]?.href} with that account.`,
  ]);
  return [...discovered, asked, known, ...compared(about("both answers"), gateway, direct)];
}

async function discover(
  site: SiteFacts,
  probes: Probes,
  { from, canary, signIn }: Trip,
  url: URL,
  signal: AbortSignal,
): Promise<Shown[]> {
  // WorkMail is given an EWS address; only Exchange discovers.
  if (from.type === "workmail" || site.published.length === 0) return [];
  const endpoint = new URL("/autodiscover/autodiscover.xml", url);
  const about = `${from.name}, Autodiscover at ${endpoint.href}`;
  const expected = `the EWS address ${url.href}`;
  const as = { username: signIn.username, password: signIn.password ?? "", ca: site.authorities };
  const todo = [
    "autodiscover.url has to be configured in the gateway that runs, and the canary's domain has to be in addressSpaces.",
  ];
  try {
    const { status, body, ms } = await probes.web.signedIn(endpoint, as, discovery(canary), signal);
    const given = /<(?:ASUrl|EwsUrl)>([^<]*)</.exec(body)?.[1];
    if (status === 401)
      return [
        {
          verdict: "failure",
          about,
          expected,
          found: "HTTP 401: this account is not let in",
          todo: signInTodo(from.name),
        },
      ];
    if (given === undefined)
      return [{ verdict: "failure", about, expected, found: `HTTP ${status}, and no address`, todo }];
    if (given !== url.href) return [{ verdict: "failure", about, expected, found: given, todo }];
    return [{ verdict: "fine", about, expected, found: `${given} in ${ms} ms`, todo: [] }];
  } catch (error) {
    const code = (error as { code?: string }).code ?? (error as Error).name;
    return [
      { verdict: "failure", about, expected, found: `no answer (${/^\w{1,60}$/.test(code) ? code : "no code"})`, todo },
    ];
  }
}

const signInTodo = (origin: string): string[] => [
  `doctor.signIns.${origin} has to be the name and the present password of a caller with origin: ${origin}.`,
  "A new hash: freebusy hash-password < password.txt",
];

/** The first account with a password by the independent client, any other as the gateway itself does. */
async function directly(
  { client, ownClient }: Probes,
  { name, urls, accounts, caFile }: BackendFacts,
  asked: Pick<ClientQuestion, "mailbox" | "version" | "from" | "to">,
  signal: AbortSignal,
): Promise<{ answer: ClientAnswer; independent: boolean }> {
  const account = accounts.find(({ scheme, password }) => scheme === "basic" && password !== undefined);
  const [url] = urls;
  if (account?.password !== undefined && url !== undefined) {
    const login = { username: account.name, password: account.password };
    return { answer: await client.ask({ ...asked, ...login, url: url.href, caFile }, signal), independent: true };
  }
  return { answer: await ownClient(name, asked.mailbox, asked.from, asked.to, signal), independent: false };
}

function hopShown(about: string, answer: ClientAnswer, { budgetMs }: SiteFacts, todo: readonly string[]): Shown {
  const expected = `a calendar, within ${SLOW_MS / 1000} seconds`;
  if (answer.kind === "failed") return { verdict: "failure", about, expected, found: answer.problem, todo };
  if (answer.kind === "refused")
    return { verdict: "failure", about, expected, found: `${answer.code} in ${answer.ms} ms`, todo };
  const found = `${answer.events.length} events in ${answer.ms} ms`;
  if (answer.ms > budgetMs)
    return { verdict: "failure", about, expected, found: `${found}: whoever asks has given up by then`, todo };
  if (answer.ms > SLOW_MS) return { verdict: "warning", about, expected, found, todo };
  return { verdict: "fine", about, expected, found, todo: [] };
}

function compared(
  about: string,
  gateway: ClientAnswer,
  { answer, independent }: { answer: ClientAnswer; independent: boolean },
): Shown[] {
  if (gateway.kind !== "view" || answer.kind !== "view") return [];
  const expected = "the gateway says what the system itself says";
  const missing = answer.events.filter((event) => !gateway.events.includes(event));
  const added = gateway.events.filter((event) => !answer.events.includes(event));
  const by = independent ? "" : " (both by the gateway's own code)";
  if (missing.length === 0 && added.length === 0)
    return [{ verdict: "fine", about, expected, found: `the same${by}`, todo: [] }];
  if (gateway.events.length === 0) {
    const todo = ["callers[].maximumView: MergedOnly shows slots only; nothing is wrong then."];
    return [{ verdict: "note", about, expected, found: "the gateway shows this caller no events", todo }];
  }
  const found = `${missing.length} events are missing, ${added.length} are only there${by}`;
  const todo = ["An answer kept from before (cache.viewSeconds) may be the reason: run the doctor again in a minute."];
  return [{ verdict: "warning", about, expected, found, todo }];
}

const discovery = (mailbox: string): string =>
  `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>${escaped(mailbox)}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`;
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
