/** Port: whoever wants to know how the cache that gateways share is doing. Nothing here names a mailbox. */

/** How the shared cache stands, for people, readiness and metrics. */
export interface SharedCacheState {
  /** Whether it is used, and news of other gateways arrives. Without it a gateway goes on alone. */
  readonly joined: boolean;
  /** What is wrong, in its own words; undefined when nothing is. */
  readonly problem: string | undefined;
}

export interface SharedCacheObserver {
  sharedCacheChanged(state: SharedCacheState): void;
  /** Mailboxes looked for that memory did not have. "unreadable": another version, another secret, or damaged. */
  sharedCacheRead(result: "found" | "missing" | "unreadable", count: number): void;
  /** It did not do as asked, or not in time. */
  sharedCacheFailed(what: "read" | "write" | "forget"): void;
  /** Because another gateway said so, or may have: some mailboxes, or all of memory. */
  sharedCacheForgot(what: "some" | "all"): void;
}
