/** Who asks, and what that allows. Nouns only: who somebody is was decided before. */

import type { ViewDetail } from "../availability/free-busy-view.js";

/** The authenticated machine account that asks, and what it may learn. */
export interface Caller {
  readonly name: string;
  /** The backend this caller speaks for, when it is one of them. */
  readonly origin: string | undefined;
  readonly maximumDetail: ViewDetail;
}

export interface Asking {
  readonly caller: Caller;
  /** The question carries a mark of this gateway: it is one of our own, sent back by the system we asked. */
  readonly returned: boolean;
}
