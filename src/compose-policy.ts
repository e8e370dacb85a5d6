/**
 * The part of the composition root that connects the policy: directories, router, asker,
 * second chances, groups. Decides nothing but who is connected to whom.
 */

import type { InstantMs } from "./availability/time-window.js";
import { QueryAnswerer } from "./proxy/answer-query.js";
import { BackendAsker, type CacheTimes } from "./proxy/ask-backends.js";
import type { AvailabilityBackend } from "./proxy/availability-backend.js";
import { GroupExpander, type MembersObserver } from "./proxy/expand-group.js";
import { followMoves } from "./proxy/follow-moves.js";
import type { LookupObserver } from "./proxy/lookup-observer.js";
import type { MailboxDirectory } from "./proxy/mailbox-directory.js";
import { OwnerResolver } from "./proxy/resolve-owner.js";
import { type AddressSpace, MailboxRouter } from "./proxy/route-mailbox.js";
import { type ProbeWinners, SecondChance } from "./proxy/second-chance.js";
import { TargetSettler } from "./proxy/settle-targets.js";
import type { ViewCache } from "./proxy/view-cache.js";

export interface PolicyParts {
  readonly directories: readonly MailboxDirectory[];
  /** Absent: nobody is probed. */
  readonly winners: ProbeWinners | undefined;
  readonly whenOnBothSides: string;
  readonly addressSpaces: readonly AddressSpace[];
  readonly backends: readonly AvailabilityBackend[];
  readonly cache: ViewCache;
  readonly cacheTimes: CacheTimes;
  readonly observer: LookupObserver & MembersObserver;
  readonly budgetMs: number;
  /** Monotonic, in milliseconds: how long things take. */
  readonly now: () => number;
  /** Milliseconds since 1970: when things are. */
  readonly clock: () => InstantMs;
}

export interface Policy {
  readonly owners: OwnerResolver;
  readonly router: MailboxRouter;
  readonly asker: BackendAsker;
  readonly answerer: QueryAnswerer;
}

export function composePolicy(parts: PolicyParts): Policy {
  const { observer, winners, clock } = parts;
  const unexpected = (what: string, error: unknown) => observer.unexpected(what, error);
  const backends = new Map(parts.backends.map((backend) => [backend.name, backend]));
  const asker = new BackendAsker(parts.cache, parts.cacheTimes, observer, parts.now, clock);
  const owners = new OwnerResolver(parts.directories, parts.whenOnBothSides, unexpected);
  const router = new MailboxRouter(owners, parts.addressSpaces, clock, (name, address) => {
    const backend = backends.get(name);
    return backend === undefined ? undefined : asker.askersOf({ backend, address });
  });
  followMoves({ owners, router, asker, backends, winners, now: clock });
  const settler = new TargetSettler({
    backends,
    asker,
    secondChance: new SecondChance({ owners, router, asker, backends, winners, now: clock }),
    groups: new GroupExpander(router, observer),
  });
  const answerer = new QueryAnswerer({ router, settler, observer, budgetMs: parts.budgetMs, now: parts.now });
  return { owners, router, asker, answerer };
}
