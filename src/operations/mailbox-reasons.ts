/**
 * Decides what an administrator is told about each reason why one mailbox had no answer.
 * A reason without a page does not compile.
 */

import type { FailureReason } from "../availability/mailbox-answer.js";
import type { ReasonPage } from "./reason-page.js";

const LOG = "the log line `lookup` of that time, and `freebusy explain ADDRESS --as SYSTEM --ask`";

export const MAILBOX_REASONS: Readonly<Record<FailureReason, ReasonPage>> = {
  "invalid-address": {
    means: "The text that was asked about is not an SMTP address.",
    causes: ["A client sent a display name or a truncated address.", "A contact with a broken address."],
    confirm: "the answer's text quotes what was asked.",
    remedy: "Correct the address where it is kept: the contact, the directory entry or the script.",
    who: "whoever asked",
  },
  "unresolved-legacy-dn": {
    means: "An internal Exchange address (legacyExchangeDN) that no directory here knows.",
    causes: [
      "No `ldap` directory is configured, or it has not been read.",
      "The entry has been deleted, or its old legacyExchangeDN was not kept as an X500 address.",
    ],
    confirm: "`/readyz` on the management port shows the directory's age and problem.",
    remedy: "Configure a directory of type ldap; add the old value as an X500 proxy address of the mailbox.",
    who: "the gateway's operator",
  },
  "no-address-space": {
    means: "No address space of this gateway names the domain; nobody was asked.",
    causes: [
      "The domain is a stranger's.",
      "An alias domain (for example @orgname.awsapps.com) is missing in addressSpaces.",
      "A directory says that the mailbox lives where this gateway may not ask.",
    ],
    confirm: "`freebusy explain ADDRESS` shows every rule that was considered.",
    remedy: "Add the domain to `addressSpaces`, with `rewriteDomain` where the system knows it under another name.",
    who: "the gateway's operator",
  },
  "belongs-to-origin": {
    means: "The mailbox belongs to the very system that asks, so it is not asked back.",
    causes: [
      "The asking system's directory still says that the mailbox is on the other side, but it has moved back.",
      "The gateway's directory or override is out of date.",
      "The caller is configured with the wrong `origin`.",
    ],
    confirm: "`freebusy explain ADDRESS --as SYSTEM` names the rule and how old it is.",
    remedy:
      "If the mailbox is on the other side, correct the override or wait for the directory; if it is at home, correct the asking system: in Exchange the user must be a mailbox and no mail user.",
    who: "the gateway's operator",
  },
  "loop-detected": {
    means: "The question is one this gateway put itself, sent back by the system it asked.",
    causes: [
      "Each system believes that the other one has the mailbox, usually in the middle of a move.",
      "A caller signs in with a service account that the gateway itself uses.",
    ],
    confirm: "`freebusy explain ADDRESS` for both origins; both lead away from home.",
    remedy: "Finish the move on both sides, or name the owner in an overrides file until it is finished.",
    who: "the gateway's operator",
  },
  "group-unresolved": {
    means: "A distribution group whose members could not be read from its directory.",
    causes: [
      "The directory server cannot be reached or refused the search.",
      "A dynamic group, whose members only Exchange knows.",
      "The group has been deleted since the directory was read.",
    ],
    confirm: "The log line `members of a group not read` names the directory and its problem; without one, it is gone.",
    remedy: "Repair the directory connection. Until then ask about the members one by one.",
    who: "the gateway's operator",
  },
  "mailbox-not-found": {
    means: "The system that was asked has no such mailbox, and nobody else has it either.",
    causes: [
      "A typing error, or somebody who has left.",
      "A new or just moved user whom WorkMail does not know yet: it takes over changes every four hours.",
      "The user is not enabled in WorkMail.",
    ],
    confirm: LOG,
    remedy: "Wait for the synchronization, enable the user in WorkMail, or name the owner in an overrides file.",
    who: "the administrator of the system that was asked",
  },
  "no-access": {
    means: "The system knows the mailbox, but does not let the service account see its free/busy time.",
    causes: [
      "The calendar's default permission is None.",
      "The service account is outside the scope of an access policy.",
    ],
    confirm: "`Get-MailboxFolderPermission user:\\Calendar` shows AvailabilityOnly or more for Default.",
    remedy: "Give Default (or the service account) AvailabilityOnly or LimitedDetails on the calendar.",
    who: "the administrator of the system that was asked",
  },
  "not-disclosed": {
    means: "This caller may not see this mailbox; nobody was asked.",
    causes: ["The caller's `deny` names it, or its `allow` does not.", "A group has a member the caller may not see."],
    confirm: "the caller's `allow`, `deny` and `requesterGroups` in the configuration.",
    remedy: "If it should see it, change those lists.",
    who: "the gateway's operator",
  },
  "backend-timeout": {
    means: "The system did not answer within its own time.",
    causes: ["It is slow or overloaded.", "A firewall drops packets without a word.", "`timeoutSeconds` is short."],
    confirm: "`freebusy_backend_seconds` in the metrics; `freebusy explain ADDRESS --ask` shows how long it takes.",
    remedy:
      "Look at the system's load; allow the connection; raise `backends.*.timeoutSeconds` below timeBudgetSeconds.",
    who: "the administrator of the system that was asked",
  },
  "budget-spent": {
    means: "The whole look-up's time was over before this mailbox was answered.",
    causes: [
      "Several steps one after the other: a slow directory, then a slow system.",
      "`timeBudgetSeconds` is short.",
    ],
    confirm: "`ms` in the log line equals timeBudgetSeconds; the hop metrics show where it went.",
    remedy: "Make `timeoutSeconds` of the slow system shorter than the budget, so that its own reason is told.",
    who: "the gateway's operator",
  },
  "queue-full": {
    means: "More questions wait for the system in this gateway already than are kept waiting; it was not asked.",
    causes: ["A burst of questions, or a script that asks about everybody.", "The system answers slowly."],
    confirm: "`freebusy_backend_waiting` in the metrics; `caller` in the log says who asks so much.",
    remedy: "Configure more `accounts`, keep answers longer (`cache.viewSeconds`), or raise `maximumWaiting`.",
    who: "the gateway's operator",
  },
  "queue-timeout": {
    means: "The question's turn did not come in its time, because too much was asked before; the system was not asked.",
    causes: ["More questions than the accounts' `connections` can carry.", "All accounts are paused by throttling."],
    confirm: "`freebusy_backend_waiting` and the accounts in `/readyz`.",
    remedy: "Configure more `accounts`; find out who asks so much.",
    who: "the gateway's operator",
  },
  "backend-circuit-open": {
    means: "Every endpoint of the system failed again and again, and is left alone for a moment.",
    causes: ["The system is down, or cannot be reached from here."],
    confirm: "`/readyz` shows each endpoint and since when; the log has the failures before.",
    remedy:
      "Repair what the failures before it name (most often `backend-unreachable`); it is tried again by itself within seconds.",
    who: "the gateway's operator",
  },
  "backend-unreachable": {
    means: "No connection (the name, the network or TLS), or nothing to sign in with: no token, no ticket.",
    causes: [
      "The system is down, or its name does not resolve here.",
      "A firewall refuses port 443.",
      "Its certificate is not trusted, expired, or for another name.",
      "The token endpoint, WorkMail's API or the KDC cannot be reached, or a key and its certificate do not fit.",
    ],
    confirm:
      "`detail` in the log is the network's own word (ENOTFOUND, ECONNREFUSED, CERT_HAS_EXPIRED …), or says why there is no token.",
    remedy: "Repair what it names; for a private authority set `caFile`. Verification cannot be switched off.",
    who: "the gateway's operator",
  },
  "backend-refused-credentials": {
    means: "The system refused the service account (HTTP 401), or the account was refused a token.",
    causes: [
      "A wrong or expired password, a locked or disabled account.",
      "The scheme is not offered: Basic switched off, Extended Protection required.",
      "WorkMail with Identity Center only: no passwords at all.",
    ],
    confirm: "`/readyz` shows each account: which secret is in use, set aside until when.",
    remedy: "Put the new secret where the reference points (it is read again by itself), or choose another `scheme`.",
    who: "the gateway's operator",
  },
  "backend-denied-access": {
    means: "The account is known, but may not use EWS.",
    causes: [
      "EWS is blocked for the account or by an application access policy.",
      "A WorkMail access control rule denies EWS.",
    ],
    confirm: "`Get-CASMailbox svc | fl Ews*`, `Get-OrganizationConfig | fl Ews*`; in WorkMail GetAccessControlEffect.",
    remedy: "Allow EWS for the service account and the gateway's user agent.",
    who: "the administrator of the system that was asked",
  },
  "backend-busy": {
    means: "The system throttles: ErrorServerBusy, HTTP 429 or 503.",
    causes: [
      "More questions at once than one account is granted (Exchange: about 27).",
      "The system is overloaded.",
      "WorkMail says so for good about a mailbox it cannot manage.",
    ],
    confirm: "the log says `service account throttled` with how long it is left alone.",
    remedy: "Configure more `accounts`, lower `connections`, or keep answers longer (`cache.viewSeconds`).",
    who: "the gateway's operator",
  },
  "backend-http-error": {
    means: "Another HTTP status, a redirect, or an error page instead of EWS.",
    causes: ["The url does not lead to EWS.", "A proxy or load balancer answers in the system's place."],
    confirm: "`detail` in the log names the status.",
    remedy: "Correct `url`, up to /EWS/Exchange.asmx; look at the proxy in between.",
    who: "the gateway's operator",
  },
  "backend-fault": {
    means: "The system refused the whole question with a SOAP fault.",
    causes: ["A limit of that system (window, mailboxes).", "An EWS version it does not speak."],
    confirm: "`code` in the log is the system's response code.",
    remedy: "Lower `maximumMailboxes` or `maximumWindowDays` of that backend.",
    who: "the gateway's operator",
  },
  "backend-unreadable": {
    means: "The answer is not EWS, not XML, cut short, or larger than allowed.",
    causes: ["A login page, or a connection that broke.", "`maximumAnswerMegabytes` is too small."],
    confirm: "`detail` in the log says what was wrong with it.",
    remedy: "Correct `url`; raise maximumAnswerMegabytes if it says that the answer is too large.",
    who: "the gateway's operator",
  },
  "backend-wrong-count": {
    means: "The system answered for another number of mailboxes than asked, so none of its answers can be placed.",
    causes: ["A fault of that server or of something in between that caches."],
    confirm: "`detail` in the log has both numbers.",
    remedy: "Take caches for POST out of the way; set `maximumMailboxes: 1` for that backend until it is repaired.",
    who: "the administrator of the system that was asked",
  },
  "backend-error": {
    means: "The system answered for this mailbox with an error of its own.",
    causes: [
      "A damaged calendar, or a mailbox that is being moved.",
      "The system could not find the mailbox's server.",
    ],
    confirm: "`code` in the log is the system's response code.",
    remedy: "Look that code up for that system; try again after the move.",
    who: "the administrator of the system that was asked",
  },
  "too-many-events": {
    means: "The calendar has more entries in the window than the system hands out.",
    causes: ["A room or team calendar with more than 1,000 entries in the window."],
    confirm: "A shorter window is answered.",
    remedy: "Ask for a shorter window; lower `maximumWindowDays` of that backend, so that windows are asked in slices.",
    who: "whoever asked",
  },
  "group-too-large": {
    means: "A distribution group with more members than free/busy time is given for.",
    causes: ["More than 100 members."],
    confirm: "The group's member count.",
    remedy: "Ask about smaller groups or single people.",
    who: "whoever asked",
  },
};
