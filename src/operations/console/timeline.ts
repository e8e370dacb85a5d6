/**
 * Decides how people's time is drawn: a block for each day, a strip for each mailbox in the
 * order asked, hours above. Kinds of time differ by pattern before they differ by colour; what
 * is not known is hatched all over and says so, and looks like nothing else. Whoever cannot see
 * the drawing hears it: each strip says its stretches in words.
 *
 * Positions are percentages in attributes, so that a strip fits any screen without a script and
 * without inline styles, which the pages forbid.
 */

import type { MailboxAnswer } from "../../availability/mailbox-answer.js";
import { type InstantMs, instant, type TimeWindow } from "../../availability/time-window.js";
import { daysOf } from "../availability-grid.js";
import { type Html, html } from "./html.js";
import { clockText, dayText, type NamedZone } from "./moments.js";
import { KIND_NAMES, STRETCH_KINDS, type Stretch, stretchesOf, stretchesOfAll, workingTimes } from "./stretches.js";
import { foreign } from "./table.js";

export interface TimelineRow {
  readonly mailbox: string;
  /** Who said so, or why nobody did. */
  readonly note: Html;
  readonly answer: MailboxAnswer;
}

const HOUR_MS = 3_600_000;
/** Parts of a day: what has room for a word, cut short if need be, and what a letter takes on a desk. */
const WIDE = 0.2;
const LETTER = 0.0085;
const MOST_IN_WORDS = 40;

export function timeline(rows: readonly TimelineRow[], window: TimeWindow, zone: NamedZone, now: InstantMs): Html {
  return html`${patterns()}
${legend()}
${daysOf(window, zone.zone).map(
  (day) => html`<table class="timeline" role="table">
<caption>${dayText(day.start, zone)} <span class="muted">${zone.name}</span></caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col"><span class="unseen">Mailbox</span></th><th role="columnheader" scope="col"><span class="unseen">Time</span>${axis(day, zone)}</th></tr></thead>
<tbody role="rowgroup">
${rows.map(({ mailbox, note, answer }) =>
  row(foreign(mailbox), note, strip(stretchesOf(answer, day), day, zone, now, workingTimes(answer, day))),
)}${
  rows.length > 1 &&
  row(
    "Everybody",
    html`free only where all are`,
    strip(
      stretchesOfAll(
        rows.map(({ answer }) => answer),
        day,
      ),
      day,
      zone,
      now,
    ),
    "common",
  )
}</tbody>
</table>
`,
)}`;
}

function row(name: Html | string, note: Html, drawn: Html, kind?: string): Html {
  return html`<tr role="row" class="${kind}"><th role="rowheader" scope="row"><span class="who">${name}</span> <span class="note">${note}</span></th><td role="cell">${drawn}</td></tr>
`;
}

/** The hours, each at its place: a day on which clocks are changed has 23 or 25 of them. */
function axis(day: TimeWindow, zone: NamedZone): Html {
  const hours = hoursOf(day, zone);
  return html`<svg class="axis" aria-hidden="true" width="100%" height="16">${hours.map(({ at, hour }, i) => {
    const anchor = i === 0 ? "start" : at === day.end ? "end" : "middle";
    const text = at === day.end ? "24" : String(hour).padStart(2, "0");
    return html`<text class="${hour % 3 !== 0 && "fine"}" x="${place(at, day)}" y="12" text-anchor="${anchor}">${text}</text>`;
  })}</svg>`;
}

function strip(
  stretches: readonly Stretch[],
  day: TimeWindow,
  zone: NamedZone,
  now: InstantMs,
  working?: readonly TimeWindow[],
): Html {
  return html`<svg class="strip" role="img" aria-label="${inWords(stretches, day, zone)}" width="100%" height="32"><rect class="${working === undefined ? "free" : "off"}" width="100%" height="32"/>${working?.map(
    ({ start, end }) =>
      html`<rect class="free" x="${place(start, day)}" width="${share(start, end, day)}" height="32"/>`,
  )}${hoursOf(day, zone).map(
    ({ at, hour }) =>
      html`<line class="${hour % 6 === 0 ? "quarter" : hour % 3 === 0 ? "third" : "hour"}" x1="${place(at, day)}" x2="${place(at, day)}" y1="0" y2="32"/>`,
  )}${stretches.map((stretch) => drawn(stretch, day, zone))}${
    now >= day.start &&
    now < day.end &&
    html`<line class="now" x1="${place(now, day)}" x2="${place(now, day)}" y1="0" y2="32"/>`
  }</svg>`;
}

function drawn({ start, end, kind, subject }: Stretch, day: TimeWindow, zone: NamedZone): Html {
  const times = `${clockText(start, zone)}–${clockText(end, zone, true)} ${KIND_NAMES[kind]}`;
  const word = subject ?? KIND_NAMES[kind];
  const part = (end - start) / (day.end - day.start);
  // Half a word says nothing; on a narrow screen what is not wide has room for none.
  const hasRoom = part >= WIDE || part >= word.length * LETTER + 2 * LETTER;
  const label = hasRoom && html`<text class="${part < WIDE && "narrow"}" x="7" y="16">${word}</text>`;
  return html`<svg class="stretch ${kind}" x="${place(start, day)}" y="4" width="${share(start, end, day)}" height="24"><title>${times}${subject !== undefined && `: ${subject}`}</title><rect width="100%" height="100%" rx="2"${kind !== "busy" && html` fill="url(#${kind})"`}/>${label}</svg>`;
}

/** "busy 09:00–09:30; tentative 13:00–15:00; otherwise free" */
function inWords(stretches: readonly Stretch[], day: TimeWindow, zone: NamedZone): string {
  if (stretches.length === 0) return "free all day";
  const [first] = stretches;
  if (stretches.length === 1 && first?.start === day.start && first.end === day.end) {
    return `${KIND_NAMES[first.kind]} all day${first.subject === undefined ? "" : `: ${first.subject}`}`;
  }
  const told = [...stretches]
    .sort((a, b) => a.start - b.start)
    .slice(0, MOST_IN_WORDS)
    .map(
      ({ start, end, kind, subject }) =>
        `${KIND_NAMES[kind]} ${clockText(start, zone)}–${clockText(end, zone, true)}${subject === undefined ? "" : ` ${subject}`}`,
    );
  const more = stretches.length > told.length ? `; ${stretches.length - told.length} more` : "";
  return `${told.join("; ")}${more}; otherwise free`;
}

function hoursOf(day: TimeWindow, { zone }: NamedZone): { readonly at: InstantMs; readonly hour: number }[] {
  const hours: { at: InstantMs; hour: number }[] = [];
  for (let at: number = day.start; at <= day.end; at += HOUR_MS) {
    const shown = new Date(zone.toWallClock(instant(at)));
    if (shown.getUTCMinutes() === 0) hours.push({ at: instant(at), hour: shown.getUTCHours() });
  }
  return hours;
}

function place(at: InstantMs, day: TimeWindow): string {
  return percent((at - day.start) / (day.end - day.start));
}

function share(start: InstantMs, end: InstantMs, day: TimeWindow): string {
  return percent((end - start) / (day.end - day.start));
}

function percent(part: number): string {
  return `${Math.round(part * 100_000) / 1000}%`;
}

/** What blocks are filled with; once in a page. Busy is plain, everything else has a pattern of its own. */
function patterns(): Html {
  return html`<svg class="patterns" aria-hidden="true" width="0" height="0"><defs>
<pattern id="tentative" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="tentative-ground" width="9" height="9"/><rect class="tentative-mark" width="3.5" height="9"/></pattern>
<pattern id="away" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="away-ground" width="6" height="6"/><circle class="away-mark" cx="3" cy="3" r="1.1"/></pattern>
<pattern id="elsewhere" width="7" height="7" patternUnits="userSpaceOnUse"><rect class="elsewhere-ground" width="7" height="7"/><circle class="elsewhere-mark" cx="3.5" cy="3.5" r="1"/></pattern>
<pattern id="unknown" width="7" height="7" patternUnits="userSpaceOnUse"><rect class="unknown-ground" width="7" height="7"/><path class="unknown-mark" d="M0 0L7 7M7 0L0 7"/></pattern>
</defs></svg>`;
}

function legend(): Html {
  const swatch = (kind: string) =>
    html`<svg class="swatch" aria-hidden="true" width="30" height="16"><svg class="stretch ${kind}" width="30" height="16"><rect x="0.5" y="0.5" width="29" height="15" rx="2"${kind !== "busy" && kind !== "free-time" && html` fill="url(#${kind})"`}/></svg></svg>`;
  return html`<ul class="legend" aria-label="Kinds of time"><li>${swatch("free-time")} free</li>${[
    "busy" as const,
    ...STRETCH_KINDS.filter((kind) => kind !== "busy"),
  ].map(
    (kind) => html`<li>${swatch(kind)} ${KIND_NAMES[kind]}</li>`,
  )}<li><svg class="swatch" aria-hidden="true" width="30" height="16"><rect class="off" width="30" height="16"/></svg> outside working hours</li></ul>`;
}
