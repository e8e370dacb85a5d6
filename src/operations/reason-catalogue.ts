/**
 * Decides which reasons can be looked up, under which headings. One namespace: an id leads
 * to one page, whoever met it where.
 */

import { MAILBOX_REASONS } from "./mailbox-reasons.js";
import type { ReasonPage } from "./reason-page.js";
import {
  AUTODISCOVER_REASONS,
  FAULT_REASONS,
  HTTP_REASONS,
  OVERLOAD_REASONS,
  PROBE_REASONS,
  SIGN_IN_REASONS,
} from "./request-reasons.js";

const entries = (pages: Readonly<Record<string, ReasonPage>>) => new Map(Object.entries(pages));

export const REASON_SECTIONS: ReadonlyMap<string, ReadonlyMap<string, ReasonPage>> = new Map([
  ["One mailbox has no answer", entries(MAILBOX_REASONS)],
  ["A question is refused as a whole", entries(FAULT_REASONS)],
  ["Autodiscover refuses", entries(AUTODISCOVER_REASONS)],
  ["Somebody is not let in", entries(SIGN_IN_REASONS)],
  ["Too much at once", entries(OVERLOAD_REASONS)],
  ["HTTP refuses", entries(HTTP_REASONS)],
  ["A probe fails, though it was answered", entries(PROBE_REASONS)],
]);

const ALL: ReadonlyMap<string, ReasonPage> = new Map([...REASON_SECTIONS.values()].flatMap((pages) => [...pages]));

export const REASON_IDS: readonly string[] = [...ALL.keys()];

export function reasonPage(id: string): ReasonPage | undefined {
  return ALL.get(id);
}
