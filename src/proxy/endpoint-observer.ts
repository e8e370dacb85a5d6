/** Port: whoever wants to know how the endpoints of a backend fare, and how much waits for it. */

import type { InstantMs } from "../availability/time-window.js";

/** "closed": it is asked; "open": it is left alone after failing again and again; "half-open": few requests try it. */
export type CircuitState = "closed" | "open" | "half-open";

export interface EndpointStanding {
  /** Host and port, as configured. */
  readonly name: string;
  readonly circuit: CircuitState;
  /** When that began; undefined: at the start. */
  readonly since?: InstantMs;
  /** What went wrong last, until it answers again: a code, never text from outside. */
  readonly problem?: string;
}

/** What waits for a backend, and what has been sent to it, counted since the start. */
export interface QuestionCounts {
  /** Mailboxes that wait to be asked about right now. */
  readonly waiting: number;
  /** Requests, however many mailboxes each was about. */
  readonly requests: number;
  /** Mailboxes in them. */
  readonly mailboxes: number;
}

export interface EndpointObserver {
  endpointChanged(backend: string, standing: EndpointStanding): void;
}
