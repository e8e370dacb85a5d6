/** Who asks, and what that allows. Nouns only: who somebody is was decided before. */

import type { CallerDisclosure } from "../availability/disclosure-rules.js";
import type { ViewDetail } from "../availability/free-busy-view.js";

/** The authenticated machine account that asks, and what it may learn. */
export interface Caller {
  readonly name: string;
  /** The backend this caller speaks for, when it is one of them. */
  readonly origin: string | undefined;
  readonly maximumDetail: ViewDetail;
  /** In place of `maximumDetail`, where there is more to say. */
  readonly disclosure?: CallerDisclosure | undefined;
  /** Whether it is served free/busy URLs. Absent: it is not. */
  readonly freeBusyUrls?: boolean;
}

export interface Asking {
  readonly caller: Caller;
  /** The question carries a mark of this gateway: it is one of our own, sent back by the system we asked. */
  readonly returned: boolean;
  /** On whose behalf the caller says it asks: lower-case addresses, "" where one cannot be read. Claimed and not proved. */
  readonly onBehalfOf?: readonly string[];
  /** The address the question came from, for the audit log. */
  readonly source?: string;
  /** When the question arrived, on the clock that only runs on: the time budget counts from then. Absent: just now. */
  readonly since?: number;
  /** Where the caller gives up sooner than the time budget ends. */
  readonly withinMs?: number;
  /** What is kept counts for nothing, not even in place of a failure: the systems are asked. */
  readonly anew?: boolean;
}
