/**
 * Decides what a soak asks, and which answers are wrong. Every mailbox has a meeting that is
 * known on every Wednesday, so an answer about a Wednesday either shows it, or says that the
 * mailbox could not be answered; anything else, first of all a free slot, is wrong.
 *
 * Beside questions there is what any day brings: wrong passwords, hostile XML, callers who
 * leave before the answer, other wires.
 */

import { connect } from "node:net";
import { Agent, request } from "undici";

const NAMESPACES =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
const DAY_MS = 86_400_000;
const A_WEDNESDAY = Date.UTC(2026, 0, 7);
/** The caller's clock is Berlin's, and so are these calendars: the slot is the same all year. */
const KNOWN: Readonly<Record<string, { slot: number; subject: string } | undefined>> = {
  "alice@corp.example": { slot: 18, subject: "Stand-up" },
  "bob@corp.example": { slot: 22, subject: "Sync" },
  "bob@corp.awsapps.com": { slot: 22, subject: "Sync" },
};
const MAILBOXES = [...Object.keys(KNOWN), "nobody@corp.example", "x@elsewhere.example"];

export interface Tally {
  answered: number;
  views: number;
  failures: number;
  refused: number;
  left: number;
  /** Beyond the budget of 4 s and a second for a busy machine. */
  late: number;
  readonly wrong: string[];
}

const LATE_MS = 5_000;
const agent = new Agent({ connections: 64, pipelining: 1 });

export function closeLoad(): Promise<void> {
  return agent.destroy();
}

/** One thing that somebody does, chosen by chance. */
export async function oneAct(url: string, tally: Tally, chance: () => number): Promise<void> {
  const started = performance.now();
  const roll = chance();
  try {
    if (roll < 0.7) await ask(url, tally, chance);
    else if (roll < 0.76) await refused(url, tally, question(["alice@corp.example"], 0), basic("client", "wrong"), 401);
    else if (roll < 0.82) await refused(url, tally, hostile(chance), basic("client"), 500);
    else if (roll < 0.87) await leave(url, tally, chance);
    else if (roll < 0.91) await get(url, tally, "/v1/freebusy/alice@corp.example.ifb");
    else if (roll < 0.95) await autodiscover(url, tally);
    else await cap(url, tally, chance);
  } catch (error) {
    tally.wrong.push(`no answer: ${(error as Error).message}`);
  }
  if (performance.now() - started > LATE_MS) tally.late++;
}

function basic(user: string, password = "soak"): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

async function post(url: string, authorization: string, body: string, type = "text/xml; charset=utf-8") {
  const headers = { authorization, "content-type": type };
  const { statusCode, body: answer } = await request(url, { method: "POST", dispatcher: agent, headers, body });
  return { status: statusCode, text: await answer.text() };
}

async function ask(url: string, tally: Tally, chance: () => number): Promise<void> {
  const mailboxes = Array.from({ length: 1 + Math.floor(chance() * 8) }, () => some(MAILBOXES, chance));
  // Some weeks are asked about again and again, others once. None is after 2100, from when on clocks do not change here.
  const week = chance() < 0.5 ? Math.floor(chance() * 5) : Math.floor(chance() * 3_800);
  const user = chance() < 0.3 ? "slots" : "client";
  const { status, text } = await post(url, basic(user), question(mailboxes, week));
  if (status !== 200) {
    tally.wrong.push(`HTTP ${status}: ${text.slice(0, 200)}`);
    return;
  }
  tally.answered++;
  const entries = text.split("<m:FreeBusyResponse>").slice(1);
  if (entries.length !== mailboxes.length) tally.wrong.push(`${entries.length} answers about ${mailboxes.length}`);
  for (const [i, entry] of entries.entries()) judge(entry, mailboxes[i] as string, user, tally);
}

function judge(entry: string, mailbox: string, user: string, tally: Tally): void {
  const known = KNOWN[mailbox];
  const digits = /<t:MergedFreeBusy>(\d*)</.exec(entry)?.[1];
  if (/ResponseClass="Error"/.test(entry)) {
    tally.failures++;
    if (digits !== undefined) tally.wrong.push(`${mailbox}: an error with a view`);
    return;
  }
  tally.views++;
  if (known === undefined) tally.wrong.push(`${mailbox}: a view of nobody`);
  else if (digits?.length !== 48 || digits[known.slot] === "0") tally.wrong.push(`${mailbox}: ${digits}`);
  const subjects = [...entry.matchAll(/<t:Subject>([^<]*)</g)].map(([, subject]) => subject);
  if (user === "slots" ? subjects.length > 0 : !subjects.includes(known?.subject))
    tally.wrong.push(`${mailbox}, shown to ${user}: ${subjects.join(", ")}`);
}

async function refused(url: string, tally: Tally, body: string, authorization: string, expected: number) {
  const { status, text } = await post(url, authorization, body);
  // Who was wrong too often is told to wait, with 429.
  if (status !== expected && status !== 429)
    tally.wrong.push(`${status} in place of ${expected}: ${text.slice(0, 80)}`);
  tally.refused++;
}

/** The connection ends while the answer is on its way. */
function leave(url: string, tally: Tally, chance: () => number): Promise<void> {
  const body = question(["alice@corp.example", "bob@corp.example"], Math.floor(chance() * 3_800));
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      const whole = `POST ${pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic("client")}\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      socket.write(whole.slice(0, chance() < 0.5 ? whole.length : Math.floor(whole.length / 2)));
      setTimeout(() => socket.destroy(), chance() * 50);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      tally.left++;
      resolve();
    });
  });
}

async function get(url: string, tally: Tally, path: string): Promise<void> {
  const { statusCode, body } = await request(new URL(path, url), {
    dispatcher: agent,
    headers: { authorization: basic("client") },
  });
  const text = await body.text();
  tally.answered++;
  // Without an answer there is an error, never an empty calendar.
  if (statusCode === 200 && !text.includes("FREEBUSY")) tally.wrong.push(`an empty calendar: ${text.slice(0, 200)}`);
}

async function autodiscover(url: string, tally: Tally): Promise<void> {
  const body = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>bob@corp.example</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`;
  const { text } = await post(new URL("/autodiscover/autodiscover.xml", url).href, basic("client"), body);
  tally.answered++;
  if (!text.includes("<EwsUrl>http://127.0.0.1/EWS/Exchange.asmx<"))
    tally.wrong.push(`Autodiscover: ${text.slice(0, 200)}`);
}

async function cap(url: string, tally: Tally, chance: () => number): Promise<void> {
  const start = A_WEDNESDAY + 7 * DAY_MS * Math.floor(chance() * 3_800);
  const event = {
    requester: { email: "bob@corp.example" },
    mailboxes: ["alice@corp.example", "bob@corp.example"],
    window: { startDate: new Date(start).toISOString(), endDate: new Date(start + DAY_MS).toISOString() },
  };
  const { text } = await post(new URL("/CAP", url).href, basic("workmail"), JSON.stringify(event), "application/json");
  tally.answered++;
  const [alice, bob] = (JSON.parse(text) as { mailboxes: { error?: string; events?: object[] }[] }).mailboxes;
  if (alice?.error === undefined && alice?.events?.length === 0) tally.wrong.push("CAP: alice is free");
  if (bob?.error === undefined) tally.wrong.push("CAP: WorkMail was asked back");
}

function question(mailboxes: readonly string[], week: number): string {
  const text = (at: number) => new Date(at).toISOString().slice(0, 19);
  const start = A_WEDNESDAY + 7 * DAY_MS * week;
  const data = mailboxes.map(
    (one) =>
      `<t:MailboxData><t:Email><t:Address>${one}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData>`,
  );
  return `<s:Envelope ${NAMESPACES}><s:Header><t:RequestServerVersion Version="Exchange2013"/><t:TimeZoneContext><t:TimeZoneDefinition Id="W. Europe Standard Time"/></t:TimeZoneContext></s:Header><s:Body><m:GetUserAvailabilityRequest><m:MailboxDataArray>${data.join("")}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${text(start)}</t:StartTime><t:EndTime>${text(start + DAY_MS)}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>DetailedMerged</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
}

/** Each with names nobody has used before, so that whatever is remembered of strangers shows as growth. */
function hostile(chance: () => number): string {
  const mark = `made-up-by-a-stranger-${chance()}`;
  const inside = some(
    [
      "<a>".repeat(20_000),
      `<a ${Array.from({ length: 5_000 }, (_, i) => `a${i}="1"`).join(" ")}/>`,
      `<${mark}/>${" ".repeat(300_000)}<`,
      `<x:a xmlns:x="urn:${mark}"/>`,
      "&#65;".repeat(50_000),
    ],
    chance,
  );
  return `<s:Envelope ${NAMESPACES}><s:Body><m:GetUserAvailabilityRequest><${mark}/>${inside}</m:GetUserAvailabilityRequest></s:Body></s:Envelope>`;
}

function some<T>(list: readonly T[], chance: () => number): T {
  return list[Math.floor(chance() * list.length)] as T;
}
