/** The part of the composition root that makes a caller and what it may see of its settings, however it signs in. */

import { type DisclosureRule, MailboxSet } from "./availability/disclosure-rules.js";
import type { ViewDetail } from "./availability/free-busy-view.js";
import type { Configuration } from "./config/configuration.js";
import type { Caller } from "./proxy/asking.js";

type Settings = Configuration["callers"][number];

export const DETAIL: Readonly<Record<Settings["maximumView"], ViewDetail>> = {
  MergedOnly: "merged",
  FreeBusy: "times",
  Detailed: "details",
};

export function callerOf(settings: Settings): Caller {
  const rule = ruleOf(settings);
  const groups = settings.requesterGroups.map((group) => ({
    requesters: new MailboxSet(group.requesters),
    rule: ruleOf(group),
  }));
  return {
    name: settings.name,
    origin: settings.origin === "none" ? undefined : settings.origin,
    maximumDetail: rule.maximumDetail,
    disclosure: { rule, groups },
    freeBusyUrls: settings.freeBusyUrls,
  };
}

/** `settings`: of whoever may see something, a caller or the console. */
export function ruleOf(settings: Pick<Settings, "maximumView" | "privateItems" | "allow" | "deny">): DisclosureRule {
  return {
    maximumDetail: DETAIL[settings.maximumView],
    privateEvents: settings.privateItems === "busy" ? "busy" : "without-text",
    allow: settings.allow === undefined ? [] : [new MailboxSet(settings.allow)],
    deny: settings.deny.length === 0 ? [] : [new MailboxSet(settings.deny)],
  };
}
