/**
 * Decides how the look-up page is laid out: the form with what was written in it, then the
 * timeline, how each answer came about, and why what is not known is not. Pure.
 */

import type { MailboxAnswer } from "../../availability/mailbox-answer.js";
import type { InstantMs } from "../../availability/time-window.js";
import type { MailboxOutcome } from "../../proxy/lookup-observer.js";
import type { ExplainedRoute } from "../../proxy/route-mailbox.js";
import { reasonPage } from "../reason-catalogue.js";
import { type Html, html, type Part } from "./html.js";
import { type ConsoleQuestion, DAYS, type FieldProblems, type LookupFields, MOST_MAILBOXES } from "./lookup-form.js";
import { agoText, lastingText, momentText, tookText } from "./moments.js";
import { reasonArticle } from "./reason-article.js";
import { foreign, standing, table } from "./table.js";
import { timeline } from "./timeline.js";

/** One mailbox of a look-up, and how it came by its answer. */
export interface LookedUp {
  readonly mailbox: string;
  readonly answer: MailboxAnswer;
  /** As it was told to observers, but for its mailbox. */
  readonly outcome: MailboxOutcome | undefined;
  readonly explained: ExplainedRoute;
  readonly durationMs: number;
}

export function lookupForm(fields: LookupFields, systems: readonly string[], problems: FieldProblems = {}): Html {
  const wrong = Object.keys(problems).length;
  const problem = (field: keyof LookupFields) =>
    problems[field] !== undefined && html`<p class="problem" id="${field}-problem">${problems[field]}</p>`;
  const marked = (field: keyof LookupFields, hint?: string) => {
    const described = [hint, problems[field] === undefined ? undefined : `${field}-problem`].filter(Boolean).join(" ");
    return html`id="${field}" name="${field}"${described !== "" && html` aria-describedby="${described}"`}${problems[field] !== undefined && html` aria-invalid="true"`}`;
  };
  const option = (value: string, name: Part, chosen: string) =>
    html`<option value="${value}"${value === chosen && html` selected`}>${name}</option>`;
  return html`${wrong > 0 && html`<p class="alert" role="alert">Nobody was asked: ${wrong === 1 ? "one field needs" : `${wrong} fields need`} another look.</p>`}
<form method="post" action="/console/lookup" class="lookup">
<div class="field wide"><label for="mailboxes">Mailboxes</label>
<textarea ${marked("mailboxes", "mailboxes-hint")} rows="3" spellcheck="false" autocapitalize="off" required>${fields.mailboxes}</textarea>
<p class="hint" id="mailboxes-hint">Up to ${MOST_MAILBOXES}, one a line.</p>${problem("mailboxes")}</div>
<div class="field"><label for="from">From</label><input type="date" ${marked("from")} value="${fields.from}" required>${problem("from")}</div>
<div class="field"><label for="days">Days</label><select ${marked("days")}>${DAYS.map((days) => option(String(days), days, fields.days))}</select>${problem("days")}</div>
<div class="field"><label for="as">Asked as</label><select ${marked("as")}>${[option("none", "no system", fields.as), ...systems.map((system) => option(system, system, fields.as))]}</select>${problem("as")}</div>
<div class="field"><label for="zone">Time zone</label><input ${marked("zone")} value="${fields.zone}" spellcheck="false" required>${problem("zone")}</div>
<div class="field check"><input type="checkbox" id="anew" name="anew" value="yes"${fields.anew && html` checked`}><label for="anew">Ask anew, past the cache</label></div>
<div class="field"><button type="submit">Look up</button></div>
</form>
`;
}

export function lookupResult(
  all: readonly LookedUp[],
  { window, zone, origin, anew }: ConsoleQuestion,
  durationMs: number,
  now: InstantMs,
): Html {
  const unknown = all.filter(({ answer }) => answer.kind === "failure").length;
  const mailboxes = all.length === 1 ? "1 mailbox" : `${all.length} mailboxes`;
  return html`<section aria-labelledby="result">
<h2 id="result">Who is free when</h2>
<p class="summary">${mailboxes}, ${unknown === 0 ? "all known" : html`<strong>${unknown} not known</strong>`}, in ${tookText(durationMs)}${origin !== undefined && html`, asked as <b>${origin}</b>`}${anew && ", past the cache"}. <a href="#again">Ask again</a></p>
${timeline(
  all.map(({ mailbox, answer, outcome }) => ({ mailbox, answer, note: note(answer, outcome, now) })),
  window,
  zone,
  now,
)}
</section>
<section aria-labelledby="routes">
<h2 id="routes">How each answer came about</h2>
${table(
  "One row a mailbox, in the order asked",
  [
    { name: "Mailbox" },
    { name: "Answer" },
    { name: "System" },
    { name: "Because of" },
    { name: "Cache" },
    { name: "Learnt" },
    { name: "Took", isNumber: true },
  ],
  all.map(({ mailbox, answer, outcome, explained, durationMs: took }) => [
    foreign(mailbox),
    answered(answer),
    outcome?.backend ?? "none",
    html`${foreign(outcome?.rule ?? explained.route.rule)}${steps(answer, explained)}`,
    outcome?.cache ?? "none",
    answer.learntAt === undefined
      ? "–"
      : `${momentText(answer.learntAt, zone, now)}${answer.kind === "view" && answer.stale ? ", stale" : ""}`,
    tookText(took),
  ]),
)}
</section>
${unknown > 0 && reasons(all)}`;
}

function note(answer: MailboxAnswer, outcome: MailboxOutcome | undefined, now: InstantMs): Html {
  if (answer.kind === "failure") return html`<code>${answer.failure.reason}</code>`;
  const from = outcome?.backend ?? "members of a group";
  return answer.stale && answer.learntAt !== undefined
    ? html`${from}, stale: of ${agoText(answer.learntAt, now)}`
    : html`${from}`;
}

function answered(answer: MailboxAnswer): Html {
  if (answer.kind === "view") return standing("good", DETAILS[answer.view.detail]);
  const { reason, code, detail } = answer.failure;
  const more = [code, detail].filter((text) => text !== undefined).join(", ");
  return html`${standing("bad", "not known")} <a href="#reason-${reason}"><code>${reason}</code></a>${more !== "" && html` <span class="muted">${foreign(more)}</span>`}`;
}

const DETAILS = { merged: "slots", times: "times", details: "details" } as const;

/** Whom this console may not see is not told about either. */
function steps(answer: MailboxAnswer, { steps: all }: ExplainedRoute): Part {
  if (all.length === 0 || (answer.kind === "failure" && answer.failure.reason === "not-disclosed")) return undefined;
  return html`<details><summary>${all.length === 1 ? "1 step" : `${all.length} steps`}</summary><ol class="steps">${all.map(
    ({ considered, finding, ageSeconds }) =>
      html`<li><b>${foreign(considered)}</b> ${foreign(finding)}${ageSeconds !== undefined && html` <span class="muted">(${lastingText(ageSeconds * 1000)} old)</span>`}</li>`,
  )}</ol></details>`;
}

function reasons(all: readonly LookedUp[]): Html {
  const concerned = new Map<string, string[]>();
  for (const { mailbox, answer } of all) {
    if (answer.kind === "view") continue;
    const { reason } = answer.failure;
    concerned.set(reason, [...(concerned.get(reason) ?? []), mailbox]);
  }
  return html`<section aria-labelledby="why">
<h2 id="why">Why it is not known</h2>
${[...concerned].map(([reason, mailboxes]) => {
  const page = reasonPage(reason);
  const whom = mailboxes.map((mailbox, i) => html`${i > 0 && ", "}${foreign(mailbox)}`);
  return page && reasonArticle(reason, page, whom);
})}
</section>`;
}
