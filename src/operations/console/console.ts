/**
 * Gathers what the console's pages show, and asks what its form asks: through the same core as
 * every caller, under a disclosure rule of the console's own. Each mailbox is a look-up by
 * itself, so that each has its own time and stands in the log for itself.
 *
 * How pages look is decided by their files; who may see them, before they get here.
 */

import type { AvailabilityQuery } from "../../availability/availability-query.js";
import type { DisclosureRule } from "../../availability/disclosure-rules.js";
import type { MailboxAnswer } from "../../availability/mailbox-answer.js";
import type { InstantMs } from "../../availability/time-window.js";
import type { TimeZone } from "../../availability/time-zone.js";
import type { Asking } from "../../proxy/asking.js";
import type { RecentLookups } from "../../proxy/recent-lookups.js";
import type { MailboxRouter } from "../../proxy/route-mailbox.js";
import { REASON_SECTIONS } from "../reason-catalogue.js";
import { CONSOLE_ICON, CONSOLE_STYLE } from "./assets.js";
import { html } from "./html.js";
import { type ConsoleQuestion, type LookupFields, readLookupForm } from "./lookup-form.js";
import { type LookedUp, lookupForm, lookupResult } from "./lookup-page.js";
import { dateText, type NamedZone } from "./moments.js";
import { type Overview, overviewContent } from "./overview-page.js";
import { page } from "./page.js";
import { reasonsContent } from "./reasons-page.js";
import { matching, type RecentSearch, recentContent } from "./recent-page.js";

export interface ConsoleParts {
  readonly version: string;
  /** As it stands in logs. */
  readonly callerName: string;
  readonly rule: DisclosureRule;
  readonly zone: NamedZone;
  readonly zoneNamed: (name: string) => TimeZone | undefined;
  /** The backends' names. */
  readonly systems: readonly string[];
  readonly overview: () => Promise<Overview>;
  readonly recent: RecentLookups;
  /** Has told of every look-up that is answered. */
  readonly tellAll: () => void;
  readonly router: Pick<MailboxRouter, "explain">;
  readonly answer: (
    query: AvailabilityQuery,
    asking: Asking,
    id: string,
  ) => readonly MailboxAnswer[] | Promise<readonly MailboxAnswer[]>;
  readonly clock: () => InstantMs;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** Where only slots may be shown, they are as fine as this. */
const INTERVAL_MINUTES = 15;

export class Console {
  readonly assets = [CONSOLE_STYLE, CONSOLE_ICON];
  readonly #parts: ConsoleParts;

  constructor(parts: ConsoleParts) {
    this.#parts = parts;
  }

  async overview(): Promise<string> {
    const { zone, overview } = this.#parts;
    const state = await overview();
    const frame = this.#frame();
    return page(frame, "/console", "Overview", overviewContent(state, zone, frame.now));
  }

  recent(search: RecentSearch): string {
    const { recent, zone, tellAll } = this.#parts;
    tellAll();
    const all = recent.all();
    const found = matching(all, search, (address) => recent.written(address));
    const frame = this.#frame();
    const content = recentContent(found, all.length, search, zone, frame.now);
    return page(frame, "/console/recent", "Recent look-ups", content);
  }

  reasons(): string {
    return page(this.#frame(), "/console/reasons", "Reasons", reasonsContent(REASON_SECTIONS));
  }

  emptyForm(): string {
    const { zone, systems } = this.#parts;
    const frame = this.#frame();
    const from = dateText(frame.now, zone.zone);
    const fields: LookupFields = { mailboxes: "", from, days: "1", as: "none", zone: zone.name, anew: false };
    return page(frame, "/console/lookup", "Look up", lookupForm(fields, systems));
  }

  /** `asked`: whether the form could be read. `id` names the look-ups in logs, with a number behind it. */
  async lookUp(fields: LookupFields, source: string, id: string): Promise<{ asked: boolean; text: string }> {
    const { systems, zoneNamed, now } = this.#parts;
    const question = readLookupForm(fields, systems, zoneNamed);
    if ("problems" in question) {
      const form = lookupForm(fields, systems, question.problems);
      return { asked: false, text: page(this.#frame(), "/console/lookup", "Look up", form) };
    }
    const started = now();
    const all = await this.#askEach(question, source, id);
    const durationMs = now() - started;
    const frame = this.#frame();
    const content = html`${lookupResult(all, question, durationMs, frame.now)}
<section aria-labelledby="again"><h2 id="again">Ask again</h2>${lookupForm(fields, systems)}</section>`;
    return { asked: true, text: page(frame, "/console/lookup", "Look up", content) };
  }

  async #askEach(question: ConsoleQuestion, source: string, id: string): Promise<readonly LookedUp[]> {
    const { callerName, rule, recent, router, answer, now, tellAll } = this.#parts;
    const { mailboxes, window, origin, anew } = question;
    const disclosure = { rule, groups: [] };
    const caller = { name: callerName, origin, maximumDetail: rule.maximumDetail, disclosure };
    const asking: Asking = { caller, returned: false, source, anew };
    const view = { detail: rule.maximumDetail, merged: true };
    const answered = await Promise.all(
      mailboxes.map(async (asked, i) => {
        const explained = router.explain(asked, origin);
        const query = { mailboxes: [asked], window, intervalMinutes: INTERVAL_MINUTES, view };
        const started = now();
        const [one] = await answer(query, asking, `${id}.${i + 1}`);
        return { mailbox: asked.text, answer: one as MailboxAnswer, explained, durationMs: now() - started };
      }),
    );
    tellAll();
    const outcomes = new Map(recent.all().map(({ outcome }) => [outcome.id, outcome.mailboxes[0]]));
    return answered.map((one, i) => ({ ...one, outcome: outcomes.get(`${id}.${i + 1}`) }));
  }

  #frame() {
    const { version, zone, clock } = this.#parts;
    return { version, zone, now: clock() };
  }
}
