/**
 * Decides what the console's first page says: can the gateway answer, with whom, by whose word,
 * and since when not. What is wrong comes with a sentence on what to do about it. Pure.
 */

import type { InstantMs } from "../../availability/time-window.js";
import type { AccountStanding } from "../../proxy/account-observer.js";
import type { BackendHealth } from "../../proxy/availability-backend.js";
import type { EndpointStanding } from "../../proxy/endpoint-observer.js";
import type { DirectoryState } from "../../proxy/mailbox-directory.js";
import type { SharedCacheState } from "../../proxy/shared-cache-observer.js";
import type { ProbeStanding } from "../../proxy/synthetic-probes.js";
import { type Html, html } from "./html.js";
import { agoText, lastingText, momentText, type NamedZone, tookText } from "./moments.js";
import { type Column, foreign, standing, table } from "./table.js";

export interface Overview {
  readonly state: "serving" | "reading directories" | "draining";
  readonly backends: ReadonlyMap<string, BackendHealth>;
  readonly directories: readonly (DirectoryState & { readonly name: string })[];
  readonly probes: readonly ProbeStanding[];
  readonly sharedCache: SharedCacheState | undefined;
}

export function overviewContent(overview: Overview, zone: NamedZone, now: InstantMs): Html {
  const { backends, directories, probes, sharedCache } = overview;
  return html`${headline(overview)}
<section aria-labelledby="systems"><h2 id="systems">Systems</h2>
${table(
  "The systems that are asked",
  columns("System", "Standing", "Endpoints", "Waiting#", "Remark"),
  [...backends].map(([name, health]) => [
    name,
    health.usable ? standing("good", "usable") : standing("bad", "not usable"),
    html`<ul>${(health.endpoints ?? []).map((one) => html`<li>${endpoint(one, now)}</li>`)}</ul>`,
    health.waiting ?? 0,
    foreign(health.reason),
  ]),
)}
${table(
  "Service accounts, with which they are asked",
  columns("Account", "System", "Way", "Standing", "At once#", "Token ends", "Remark"),
  [...backends].flatMap(([system, { accounts = [] }]) =>
    accounts.map((account) => [
      foreign(account.name),
      system,
      account.scheme,
      accountStanding(account, zone, now),
      account.budget === undefined ? `${account.inFlight}` : `${account.inFlight} of ${account.budget}`,
      account.expiresAt === undefined ? "–" : agoText(account.expiresAt, now),
      account.problem === undefined
        ? account.secret === "next"
          ? "with its next secret"
          : "–"
        : foreign(account.problem),
    ]),
  ),
)}
</section>
<section aria-labelledby="directories"><h2 id="directories">Directories</h2>
${
  directories.length === 0
    ? html`<p class="summary">None is configured: address spaces alone decide who owns a mailbox.</p>`
    : table(
        "Who knows where mailboxes live, in the order in which their word counts",
        columns("Directory", "Standing", "Recipients#", "Read", "Remark"),
        directories.map(({ name, from, recipients, readAt, problem }) => [
          name,
          FROM[from],
          recipients.toLocaleString("en-US"),
          readAt === undefined ? "–" : agoText(readAt, now),
          problem === undefined ? "–" : foreign(problem),
        ]),
      )
}
</section>
<section aria-labelledby="probes"><h2 id="probes">Probes</h2>
${
  probes.length === 0
    ? html`<p class="summary">None is configured. With <code>probes</code> the gateway asks by itself, and notices before people do.</p>`
    : table(
        "Questions the gateway asks by itself, past its cache",
        columns("Probe", "Asked as", "Standing", "Took#", "Asked", "Last success", "Every"),
        probes.map((probe) => [
          probe.name,
          probe.origin ?? "no system",
          probeStanding(probe),
          probe.durationMs === undefined ? "–" : tookText(probe.durationMs),
          probe.askedAt === undefined ? "–" : agoText(probe.askedAt, now),
          probe.succeededAt === undefined ? "–" : momentText(probe.succeededAt, zone, now),
          lastingText(probe.everyMs),
        ]),
      )
}
</section>
${
  sharedCache &&
  html`<section aria-labelledby="cache"><h2 id="cache">Shared cache</h2><p class="summary">${sharedCache.joined ? standing("good", "joined") : standing("bad", "alone")} ${sharedCache.problem !== undefined && foreign(sharedCache.problem)}</p></section>`
}`;
}

function headline({ state, backends, probes }: Overview): Html {
  const unusable = [...backends].filter(([, { usable }]) => !usable).map(([name]) => name);
  const failing = probes.filter(({ result }) => result === "failure").map(({ name }) => name);
  const ready = state === "serving" && unusable.length < backends.size;
  const sentence =
    state !== "serving"
      ? `The gateway is ${state}.`
      : unusable.length === 0
        ? "Every system can be asked."
        : ready
          ? `Not to be asked: ${unusable.join(", ")}. Its mailboxes are answered as not known.`
          : "No system can be asked. Every mailbox is answered as not known, unless it is cached.";
  return html`<p class="headline">${ready ? standing(unusable.length + failing.length === 0 ? "good" : "waiting", state) : standing("bad", state === "serving" ? "cannot answer" : state)} ${sentence}${failing.length > 0 && ` Probes that fail: ${failing.join(", ")}.`}</p>`;
}

/** A "#" behind a name: the column holds numbers. */
function columns(...names: readonly string[]): Column[] {
  return names.map((name) => ({ name: name.replace("#", ""), isNumber: name.endsWith("#") }));
}

const FROM = {
  live: standing("good", "read"),
  snapshot: standing("waiting", "from disk"),
  none: standing("bad", "empty"),
} as const;

const CIRCUITS = {
  closed: ["good", "asked"],
  "half-open": ["waiting", "tried"],
  open: ["bad", "left alone"],
} as const;

function endpoint({ name, circuit, since, problem }: EndpointStanding, now: InstantMs): Html {
  const [kind, word] = CIRCUITS[circuit];
  const more = [since && `since ${lastingText(now - since)}`, problem].filter((text) => text !== undefined);
  return html`${foreign(name)} ${standing(kind, word)}${more.length > 0 && html` <span class="muted">${foreign(more.join(", "))}</span>`}`;
}

function accountStanding({ setAsideUntil, pausedUntil }: AccountStanding, zone: NamedZone, now: InstantMs): Html {
  if (setAsideUntil !== undefined) return standing("bad", `set aside until ${momentText(setAsideUntil, zone, now)}`);
  if (pausedUntil !== undefined) return standing("waiting", `paused until ${momentText(pausedUntil, zone, now)}`);
  return standing("good", "usable");
}

function probeStanding({ result, reason }: ProbeStanding): Html {
  if (result === "success") return standing("good", "as expected");
  if (result === "not asked yet") return standing("waiting", result);
  const known = reason !== "less-than-expected" && reason !== "no-data" && reason !== "unexpected";
  return html`${standing("bad", "fails")} ${known ? html`<a href="/console/reasons#reason-${reason}"><code>${reason}</code></a>` : html`<code>${reason}</code>`}`;
}
