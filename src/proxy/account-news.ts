/**
 * Port: what gateways that ask with the same service accounts tell each other about them,
 * and how one of them is told its share of what an account may do. Durations, never
 * instants, because clocks differ; secrets only as marks, by which two can be compared.
 */

/** Marks of secrets under one salt; see whoever makes them. */
export interface SecretMarks {
  readonly salt: string;
  readonly marks: readonly string[];
}

/** What a backend has let one gateway know. "set-aside": these secrets are refused; "accepted": this one is not. */
export type AccountNews =
  | { readonly kind: "paused"; readonly account: string; readonly forMs: number }
  | {
      readonly kind: "set-aside";
      readonly account: string;
      readonly forMs: number;
      readonly problem: string;
      /** Whether whoever refused counts refusals. */
      readonly counted: boolean;
      readonly secrets: SecretMarks;
    }
  | { readonly kind: "accepted"; readonly account: string; readonly secrets: SecretMarks };

export interface AccountUse {
  readonly name: string;
  /** Requests at once, of all gateways together. */
  readonly limit: number;
  readonly inFlight: number;
}

/** A backend's service accounts, as far as other gateways ask with them too. */
export interface AccountsInCommon {
  names(): readonly string[];
  /** Those that have a limit. */
  uses(): readonly AccountUse[];
  /** From now on no request begins with it while so many are under way. */
  takeShare(account: string, share: number): void;
  /** Heard from another gateway; how long it says is believed within reason. What it says of unknown accounts is nothing. */
  hear(news: AccountNews): void;
  /** What this gateway has found out itself, and what still holds. */
  news(): readonly AccountNews[];
  onNews(listener: (news: AccountNews) => void): void;
}

/** How many gateways share accounts, for people, readiness and metrics. */
export interface GatewayCount {
  /** This one included; as last counted, or as presumed when they never were. */
  readonly gateways: number;
  /** False: they cannot be counted now. */
  readonly counted: boolean;
}

export interface GatewayCountObserver {
  /** Once for each change. `crowded`: accounts whose limit is lower than the number of gateways. */
  gatewaysCounted(count: GatewayCount, crowded: readonly string[]): void;
}
