/**
 * Decides how recent look-ups are found and listed: newest first, those that match. Whoever
 * searches for an address finds it where only its hash is remembered, too. Pure.
 */

import type { InstantMs } from "../../availability/time-window.js";
import type { MailboxOutcome } from "../../proxy/lookup-observer.js";
import type { RecentLookup } from "../../proxy/recent-lookups.js";
import { type Html, html } from "./html.js";
import { momentText, type NamedZone, tookText } from "./moments.js";
import { foreign, standing, table } from "./table.js";

export interface RecentSearch {
  readonly text: string;
  readonly onlyUnknown: boolean;
}

const MOST_ROWS = 100;
const MOST_MAILBOXES = 5;

/** `written`: how an address is told in what is remembered. */
export function matching(
  all: readonly RecentLookup[],
  { text, onlyUnknown }: RecentSearch,
  written: (address: string) => string,
): readonly RecentLookup[] {
  const wanted = text.trim().toLowerCase();
  const hash = written(text.trim()).toLowerCase();
  const hashOfLower = written(wanted).toLowerCase();
  return all.filter(({ outcome }) => {
    const { id, caller, origin = "none", source = "", mailboxes } = outcome;
    if (onlyUnknown && mailboxes.every(({ failure }) => failure === undefined)) return false;
    if (wanted === "") return true;
    const texts = mailboxes.flatMap(({ mailbox, rule, backend, failure }) => [mailbox, rule, backend, failure?.reason]);
    return [id, caller, origin, source, ...texts].some((one) => {
      const lower = one?.toLowerCase();
      return lower !== undefined && (lower.includes(wanted) || lower === hash || lower === hashOfLower);
    });
  });
}

export function recentContent(
  found: readonly RecentLookup[],
  remembered: number,
  search: RecentSearch,
  zone: NamedZone,
  now: InstantMs,
): Html {
  const count = found.length === remembered ? `${remembered}` : `${found.length} of ${remembered}`;
  return html`<form method="get" action="/console/recent" role="search" class="search">
<div class="field wide"><label for="q">Find</label><input type="search" id="q" name="q" value="${search.text}" spellcheck="false" autocapitalize="off" aria-describedby="q-hint">
<p class="hint" id="q-hint">An address, its hash, a caller, a rule, a reason, or the id from a log line.</p></div>
<div class="field check"><input type="checkbox" id="unknown" name="unknown" value="yes"${search.onlyUnknown && html` checked`}><label for="unknown">Only with something not known</label></div>
<div class="field"><button type="submit">Find</button></div>
</form>
${
  found.length === 0
    ? html`<p class="summary" role="status">${remembered === 0 ? "Nobody has asked since the gateway was started." : "Nothing that is remembered matches."}</p>`
    : table(
        `${count} look-ups remembered, newest first${found.length > MOST_ROWS ? `; the first ${MOST_ROWS} are shown` : ""}`,
        [{ name: "When" }, { name: "Who asked" }, { name: "About" }, { name: "Took", isNumber: true }],
        found
          .slice(0, MOST_ROWS)
          .map(({ at, outcome }) => [
            html`${momentText(at, zone, now)}<br><code class="muted">${outcome.id}</code>`,
            html`<b>${foreign(outcome.caller)}</b><br><span class="muted">${outcome.origin === undefined ? "no system" : html`as ${outcome.origin}`}${outcome.source !== undefined && html`, from ${foreign(outcome.source)}`}</span>`,
            about(outcome.mailboxes),
            tookText(outcome.durationMs),
          ]),
      )
}`;
}

function about(mailboxes: readonly MailboxOutcome[]): Html {
  const list = (some: readonly MailboxOutcome[]) => html`<ul class="outcomes">${some.map(line)}</ul>`;
  if (mailboxes.length <= MOST_MAILBOXES) return list(mailboxes);
  // What went wrong is not to be looked for.
  const ordered = [...mailboxes].sort((a, b) => Number(b.failure !== undefined) - Number(a.failure !== undefined));
  const rest = ordered.slice(MOST_MAILBOXES);
  return html`${list(ordered.slice(0, MOST_MAILBOXES))}<details><summary>${rest.length} more</summary>${list(rest)}</details>`;
}

function line({ mailbox, rule, backend, cache, delivered, failure }: MailboxOutcome): Html {
  const result =
    failure === undefined
      ? standing("good", delivered ?? "view")
      : html`${standing("bad", "not known")} <a href="/console/reasons#reason-${failure.reason}"><code>${failure.reason}</code></a>${failure.code !== undefined && html` ${foreign(failure.code)}`}`;
  const from = backend === undefined ? "no system" : `${backend}, cache ${cache}`;
  return html`<li><span class="address">${foreign(mailbox)}</span> ${result} <span class="muted">${from} · ${foreign(rule)}</span></li>`;
}
