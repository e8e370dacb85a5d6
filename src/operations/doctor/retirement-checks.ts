/**
 * Counts the days: both makers have named the day on which what the gateway asks goes away.
 * Sources: AWS's end of support for WorkMail; Microsoft's for EWS in Exchange Online.
 */

import { type Check, fine, type Shown } from "./finding.js";
import type { SiteFacts } from "./site-facts.js";

const DAY_MS = 86_400_000;
const WARN_DAYS = 90;
const EXCHANGE_ONLINE = /(^|\.)(office365\.com|outlook\.com|office\.com)$/i;
const ONLINE_EWS_ENDS = Date.UTC(2027, 3, 1);
const ONLINE_EWS_OFF_BY_DEFAULT = Date.UTC(2026, 9, 1);

/** Row 19, the dates. */
export function retirementChecks(site: SiteFacts, now: () => number): Check[] {
  return [
    {
      id: "retirement",
      title: "Days that are left",
      why: "After these days nothing is answered any more, whatever is configured here.",
      run: async () =>
        site.backends.flatMap(({ name, type, urls }): Shown[] => {
          if (type === "workmail") {
            const todo = ["Plan the move: afterwards neither the console nor any mailbox can be reached."];
            return [dayShown(`${name}: Amazon WorkMail`, site.workmailEndsAt, now(), todo)];
          }
          if (!urls.some(({ hostname }) => EXCHANGE_ONLINE.test(hostname))) return [];
          const todo = [
            "Until then EWS has to be allowed for this application by name:",
            "Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs APP-ID",
          ];
          const days = dayShown(`${name}: EWS in Exchange Online`, ONLINE_EWS_ENDS, now(), todo);
          if (now() < ONLINE_EWS_OFF_BY_DEFAULT || days.verdict !== "note") return [days];
          return [{ ...days, found: `${days.found}; off since 2026-10-01 for tenants that have not allowed it`, todo }];
        }),
    },
  ];
}

function dayShown(about: string, endsAt: number, now: number, todo: readonly string[]): Shown {
  const days = Math.ceil((endsAt - now) / DAY_MS);
  const day = new Date(endsAt).toISOString().slice(0, 10);
  const expected = `${WARN_DAYS} days or more`;
  if (days <= 0) return { verdict: "failure", about, expected, found: `ended on ${day}`, todo };
  const found = `ends on ${day}, in ${days} days`;
  if (days < WARN_DAYS) return { verdict: "warning", about, expected, found, todo };
  return days < 2 * 365 ? { verdict: "note", about, expected, found, todo: [] } : fine(about, found);
}
