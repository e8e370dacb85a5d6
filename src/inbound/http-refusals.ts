/**
 * Decides under which words it is told that a request was refused by HTTP or by a route, after
 * its sender had signed in. The words are closed, whatever an error calls itself: each has a page.
 */

/** What could not be read: fastify's own words where it has found out, and two of ours. */
const FASTIFY = [
  "FST_ERR_CTP_BODY_TOO_LARGE",
  "FST_ERR_CTP_INVALID_MEDIA_TYPE",
  "FST_ERR_CTP_EMPTY_JSON_BODY",
  "FST_ERR_CTP_INVALID_JSON_BODY",
] as const;

export type UnreadRefusal = (typeof FASTIFY)[number] | "broken-off" | "bad-request";

export type HttpRefusal =
  | UnreadRefusal
  | "method"
  | "content-encoding"
  | "cross-site"
  | "bad-question"
  | "no-free-busy-urls"
  | "no-such-file"
  | "no-data";

/** Autodiscover's faults apart from those of EWS: other clients have them, for other reasons. */
export type AutodiscoverRefusal =
  | "autodiscover-malformed"
  | "autodiscover-unknown-operation"
  | "autodiscover-must-understand";

/** The word for an error that a request met before its route. */
export function unreadRefusal({ code }: { readonly code?: string }): UnreadRefusal {
  // Its connection has ended in the middle of the body.
  if (code === "ECONNRESET") return "broken-off";
  return FASTIFY.find((word) => word === code) ?? "bad-request";
}
