/**
 * Decides what an administrator is told about each reason why a request never became a
 * look-up: not signed in, not readable, not allowed. A reason without a page does not compile.
 */

import type { RequestFaultReason } from "../availability/request-fault.js";
import type { SignInRefusal } from "../inbound/caller-authentication.js";
import type { AutodiscoverRefusal, HttpRefusal } from "../inbound/http-refusals.js";
import type { OverloadReason } from "../inbound/work-gate.js";
import type { ProbeReason } from "../proxy/synthetic-probes.js";
import type { ReasonPage } from "./reason-page.js";

const page = (
  means: string,
  causes: readonly string[],
  confirm: string,
  remedy: string,
  who: ReasonPage["who"],
): ReasonPage => ({ means, causes, confirm, remedy, who });

const WHO_SENT = "`source` and `caller` in the log line `request refused`.";
const operator = "the gateway's operator" as const;
const asker = "whoever asked" as const;

export const SIGN_IN_REASONS: Readonly<Record<SignInRefusal, ReasonPage>> = {
  "unknown-scheme": page(
    "A way to sign in that no caller here uses.",
    ["The client insists on NTLM, Kerberos or tokens that are not configured."],
    "WWW-Authenticate of the answer names what is offered.",
    "Configure that way for the caller (see Callers in the README), or change the client.",
    operator,
  ),
  "bad-credentials": page(
    "Unknown name or wrong password.",
    ["A typing error, or a password changed on one side only.", "Somebody guesses."],
    WHO_SENT,
    "Set the password anew on both sides: in Exchange the address space's credentials, in WorkMail the availability configuration.",
    operator,
  ),
  "bad-token": page(
    "A bearer token that is not valid here.",
    ["Expired, for another audience or issuer, signed with another key.", "No caller has its claim."],
    "Decode the token: iss, aud and exp against `signIn.tokens`, its claim against `callers[].tokens`.",
    "Correct the issuer's settings or the client's token request.",
    operator,
  ),
  "keys-unavailable": page(
    "An issuer's keys cannot be had just now, so its tokens cannot be checked.",
    ["The keysUrl cannot be reached or answers with an error."],
    "The log says which issuer and why.",
    "Let the gateway reach keysUrl, or give the keys as keysFile.",
    operator,
  ),
  "too-many-checks": page(
    "Password checks are as many as the machine is meant to bear.",
    ["Many new connections at once.", "Somebody guesses from many addresses."],
    "`freebusy_requests_refused_total` by reason.",
    "It passes by itself; known callers are not affected. Otherwise look at where the requests come from.",
    operator,
  ),
  "too-many-failures": page(
    "This address has failed to sign in too often, and is made to wait.",
    [
      "An old password in a client that tries again and again.",
      "Somebody guesses.",
      "All clients come from one proxy's address.",
    ],
    WHO_SENT,
    "Correct the client's password; name your proxy in `listen.trustedProxies`.",
    operator,
  ),
  "shared-connection": page(
    "NTLM or Negotiate over a connection that carries other people's requests.",
    ["A TLS-ending proxy or load balancer stands in between."],
    "The request has X-Forwarded-For, Via or the like.",
    "Pass TCP through to the gateway, or let the caller use Basic or tokens.",
    operator,
  ),
  "unsupported-mechanism": page(
    "Negotiate with a mechanism that is not offered here.",
    ["Kerberos without `signIn.kerberos`."],
    WHO_SENT,
    "Configure signIn.kerberos with a keytab, or let the client use NTLM.",
    operator,
  ),
  "kerberos-refused": page(
    "A Kerberos ticket that is not for this service, not valid now, seen before, or of nobody who is configured.",
    [
      "The keytab has another key version or host.",
      "Clocks differ by more than five minutes.",
      "The principal is no caller's.",
    ],
    "`klist -kt` of the keytab; the clocks; `callers[].principals`.",
    "Make a new keytab for HTTP/host, set the clocks, add the principal.",
    operator,
  ),
  "handshake-out-of-turn": page(
    "A step of a handshake that is not under way, or no longer.",
    ["The client's connection was not kept between two steps."],
    "A proxy in between opens connections of its own.",
    "Keep connections alive end to end.",
    operator,
  ),
  "ntlm-unreadable": page(
    "An NTLM message that is none.",
    ["A broken client."],
    WHO_SENT,
    "Look at the client.",
    asker,
  ),
  "ntlm-challenge-spent": page(
    "An answer to a challenge that was answered before, or too late.",
    ["A replay.", "A client that took more than its time."],
    WHO_SENT,
    "Nothing, if it happens once; otherwise look at the source.",
    operator,
  ),
  "ntlm-downgraded": page(
    "Less than NTLMv2, or other flags than agreed on.",
    ["A client set to LM or NTLMv1.", "Somebody in between changes messages."],
    "LmCompatibilityLevel of the client; it needs 3 or more.",
    "Set the client to NTLMv2.",
    asker,
  ),
  "ntlm-anonymous": page(
    "NTLM without a name.",
    ["A client without credentials."],
    WHO_SENT,
    "Give it credentials.",
    asker,
  ),
  "ntlm-stale": page(
    "The client's time is too far from ours.",
    ["Clocks differ."],
    "The Date header of both machines.",
    "Set the clocks (NTP).",
    operator,
  ),
  "ntlm-no-integrity-code": page(
    "NTLM without a code over its messages, which is required.",
    ["curl and Samba's bare client send none."],
    WHO_SENT,
    "Set `signIn.ntlm.integrityCode: when-promised`, or use another client.",
    operator,
  ),
  "ntlm-wrong-integrity-code": page(
    "The code over the NTLM messages is wrong.",
    ["Somebody in between changes messages."],
    "A capture on both sides.",
    "Find what is in between.",
    operator,
  ),
  "ntlm-no-channel-binding": page(
    "NTLM without channel binding, which is required here.",
    ["An old client, or plain HTTP."],
    WHO_SENT,
    "Set `signIn.ntlm.channelBinding: when-sent`, or use a newer client.",
    operator,
  ),
  "ntlm-wrong-channel-binding": page(
    "The client is bound to another TLS connection than this one.",
    ["TLS ends at a proxy in between.", "Somebody is in the middle."],
    "The certificate the client sees is not the gateway's.",
    "Let TLS end at the gateway, or let the caller use Basic or tokens behind that proxy.",
    operator,
  ),
};

export const FAULT_REASONS: Readonly<Record<RequestFaultReason, ReasonPage>> = {
  malformed: page(
    "The request is not a SOAP 1.1 envelope that could be read; at /cap and in Lambda, no availability event.",
    [
      "Broken XML, a DTD, another namespace, an empty body.",
      "SOAP 1.2, or WS-Security.",
      "An event without mailboxes, or with a window that is none.",
    ],
    "The fault names line and position; the answer of /cap says what is wrong. In Lambda, so does the log line `an event that is none`, with the event's shape.",
    "Send SOAP 1.1 in UTF-8, as EWS clients do; hand WorkMail's event on as it came.",
    asker,
  ),
  "unknown-operation": page(
    "An EWS operation this gateway does not do.",
    ["A full mail client was pointed at it."],
    "The fault names the operation.",
    "Point only free/busy at the gateway: address space, availability configuration, ASUrl.",
    asker,
  ),
  "must-understand": page(
    "A SOAP header marked as essential that is not understood here.",
    ["WS-Addressing or WS-Security with mustUnderstand."],
    "The fault names the header.",
    "Leave it out, or do not mark it.",
    asker,
  ),
  "no-mailboxes": page(
    "No mailbox was asked about.",
    ["An empty MailboxDataArray."],
    WHO_SENT,
    "Name at least one.",
    asker,
  ),
  "too-many-mailboxes": page(
    "More than 100 mailboxes in one request, or 1000 in an availability event.",
    ["A script that asks for all."],
    WHO_SENT,
    "Ask in parts.",
    asker,
  ),
  "invalid-window": page(
    "The window ends before it begins.",
    ["Start and end are mixed up."],
    "The request.",
    "Put them right.",
    asker,
  ),
  "window-too-long": page(
    "A window of more than 62 days.",
    ["A script that asks for a year."],
    "The request.",
    "Ask in parts.",
    asker,
  ),
  "invalid-interval": page(
    "Slots of less than 5 or more than 1440 minutes, or longer than the window.",
    ["An interval of 0 or in seconds."],
    "The request.",
    "Use 5 to 1440 minutes.",
    asker,
  ),
  "invalid-view": page(
    "A view that does not exist.",
    ["A misspelt RequestedView."],
    "The request.",
    "Use MergedOnly, FreeBusy, FreeBusyMerged, Detailed or DetailedMerged.",
    asker,
  ),
  "invalid-zone": page(
    "A time zone that is unknown or contradicts itself.",
    ["An id that is no Windows zone.", "Rules out of range."],
    "The fault names it.",
    "Send a Windows zone id or a full definition.",
    asker,
  ),
};

/** Why a request is turned away before anything of it is looked at. */
export const OVERLOAD_REASONS: Readonly<Record<OverloadReason, ReasonPage>> = {
  "too-many-requests": page(
    "`overload.maximumRequests` requests, or look-ups, were under way already; this one got HTTP 503.",
    ["A backend or directory is slow, so that everything waits.", "Many more questions than usual, or a script."],
    "`freebusy_lookups_in_flight` near the limit: look at `freebusy_backend_seconds`. Only `freebusy_requests_in_flight`: at `freebusy_lookup_seconds_count` by caller.",
    "Mend the slow backend, slow down the caller, run more gateways; raise the limit if memory allows.",
    operator,
  ),
  "too-many-connections": page(
    "`overload.maximumConnections` connections were open; this one was closed without a word.",
    ["A client or proxy that opens connections and keeps them.", "Somebody who holds connections on purpose."],
    "`freebusy_connections`; `ss -tn` by remote address.",
    "Stop the client, limit connections in front of the gateway, or raise the limit.",
    operator,
  ),
  "event-loop-late": page(
    "The process is so busy that everything is late; new requests got HTTP 503 until it had caught up.",
    [
      "More questions than one processor answers.",
      "Other programs take the processor, or the container's share is small.",
    ],
    "`freebusy_event_loop_delay_seconds`; the processor time of the process and of its machine.",
    "Give it more processor, or run more gateways.",
    operator,
  ),
  "memory-short": page(
    "The heap is nearly full, or would be with the large answers that are still on their way out; new requests, and large answers, became HTTP 503 instead of the process ending in the middle of all.",
    [
      "Large questions, many at once.",
      "Callers that do not read their answers.",
      "A cache or directory too large for the machine.",
      "A leak.",
    ],
    "`freebusy_heap_share` over a day: only at busy times, or rising all the time; `ss -tn` by queue sizes, if it is low.",
    "Give it memory (NODE_OPTIONS=--max-old-space-size), lower `overload.maximumRequests`; if it rises all the time, report it.",
    operator,
  ),
};

export const AUTODISCOVER_REASONS: Readonly<Record<AutodiscoverRefusal, ReasonPage>> = {
  "autodiscover-malformed": page(
    "What was posted to an Autodiscover path is no Autodiscover request.",
    ["A client posts something else there, or nothing.", "Broken XML, or a DTD."],
    WHO_SENT,
    "Point only Autodiscover at that path; EWS is at /EWS/Exchange.asmx.",
    asker,
  ),
  "autodiscover-unknown-operation": page(
    "A SOAP Autodiscover operation other than GetUserSettings and GetDomainSettings.",
    ["A client that wants to set up a federation, or a whole mail account."],
    "The fault names the operation.",
    "Nothing, if the client goes on with another way; free/busy needs no other.",
    asker,
  ),
  "autodiscover-must-understand": page(
    "A SOAP header of an Autodiscover request, marked as essential, that is not understood here.",
    ["WS-Security: the client signs in inside of the message."],
    "The fault names the header.",
    "Let the client sign in over HTTP, or leave the mark out.",
    asker,
  ),
};

/** What HTTP itself or a route refuses; the words of fastify where they are its own. */
export const HTTP_REASONS: Readonly<Record<Exclude<HttpRefusal, ProbeReason>, ReasonPage>> = {
  method: page(
    "Another method than the path takes.",
    ["A browser on the EWS path."],
    WHO_SENT,
    "POST to /EWS/Exchange.asmx.",
    asker,
  ),
  "content-encoding": page(
    "A compressed body.",
    ["A client or proxy that compresses."],
    WHO_SENT,
    "Send it as it is.",
    asker,
  ),
  "bad-request": page(
    "The request could not be read.",
    ["A broken client.", "In the console, a form of more than 16 KiB."],
    WHO_SENT,
    "Look at the client.",
    asker,
  ),
  "broken-off": page(
    "The connection ended before the whole body had come.",
    ["The client gave up or was ended.", "A network or a proxy in between that ends connections."],
    WHO_SENT,
    "Nothing, if it happens once; otherwise look at what is in between.",
    asker,
  ),
  "bad-question": page(
    "Something is wrong with a question in JSON, or with the parameters of a URL.",
    ["A parameter is missing, misspelt or out of range.", "More than 100 mailboxes, or more than 62 days."],
    "The answer's `problems` name each parameter and what was expected.",
    "Put them right.",
    asker,
  ),
  "no-free-busy-urls": page(
    "The caller asked for a free/busy URL and is served none.",
    ["`freeBusyUrls` is off, as it is for every caller at first."],
    "`caller` in the log line `request refused`.",
    "Set `callers[].freeBusyUrls: true` if this caller should have them.",
    operator,
  ),
  "no-such-file": page(
    "A path below /v1/freebusy that is no address followed by .ifb.",
    ["A wrong URL in a client's settings."],
    WHO_SENT,
    "Use /v1/freebusy/ADDRESS.ifb.",
    asker,
  ),
  "cross-site": page(
    "A look-up in the console was sent from another site's page.",
    ["A page that tries to use the browser of somebody who is signed in.", "A proxy in front that changes Host."],
    "`source` in the log line `request refused`; in the browser, the request's Sec-Fetch-Site and Origin.",
    "Ask from the console's own page; let the proxy keep Host. Otherwise find out which page it was.",
    operator,
  ),
  FST_ERR_CTP_BODY_TOO_LARGE: page(
    "A body larger than `listen.bodyLimitBytes`, or 64 KiB in Autodiscover.",
    ["Not a free/busy question."],
    WHO_SENT,
    "100 mailboxes fit many times over; raise the limit only if you know why.",
    asker,
  ),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: page(
    "A Content-Type the path does not take.",
    ["A client that sends JSON to EWS, or XML to /cap or /v1/availability."],
    WHO_SENT,
    "Send text/xml; charset=utf-8 to EWS and Autodiscover, application/json to /cap and /v1/availability.",
    asker,
  ),
  FST_ERR_CTP_EMPTY_JSON_BODY: page(
    "Nothing was posted to /v1/availability.",
    ["A client that forgets the body, or a proxy that drops it."],
    WHO_SENT,
    "POST the question as JSON, or GET it with parameters.",
    asker,
  ),
  FST_ERR_CTP_INVALID_JSON_BODY: page(
    "What was posted to /v1/availability is not JSON.",
    ["A script that puts its question together by hand.", "Another encoding than UTF-8."],
    WHO_SENT,
    "Send JSON in UTF-8.",
    asker,
  ),
};

/** Why a probe fails that was answered; `no-data` is a free/busy URL's reason, too. */
export const PROBE_REASONS: Readonly<Record<ProbeReason, ReasonPage>> = {
  "no-data": page(
    "The system answered, and tells nothing of this mailbox's time: all of it is unknown.",
    ["The calendar's permissions give the service account nothing.", "A group of whose members nothing is known."],
    "`freebusy lookup ADDRESS` shows question marks all the time.",
    "Give Default (or the service account) AvailabilityOnly or more on that calendar.",
    "the administrator of the system that was asked",
  ),
  "less-than-expected": page(
    "A probe was answered with less detail than its `expect`.",
    ["The calendar's permissions, or those of the service account, have been lowered.", "`expect` is too much."],
    "`freebusy lookup ADDRESS --json` has the `detail` that came back.",
    "Give Default (or the service account) LimitedDetails on the probe's calendar, or lower `probes[].expect`.",
    "the administrator of the system that was asked",
  ),
  unexpected: page(
    "A probe could not ask because of a mistake in the gateway.",
    ["None that is known."],
    "The log line `a probe could not ask` has the stack.",
    "Report that line.",
    operator,
  ),
};
