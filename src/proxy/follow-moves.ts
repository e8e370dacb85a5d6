/**
 * Decides what is dropped when a mailbox may have changed hands: whatever was learnt about
 * it at any backend, under any of its addresses, what is under way about it, and, when a
 * directory has spoken, what had been found by probing.
 */

import type { MailboxAddress } from "../availability/mailbox-address.js";
import type { InstantMs } from "../availability/time-window.js";
import type { BackendAsker } from "./ask-backends.js";
import type { AvailabilityBackend } from "./availability-backend.js";
import type { OwnerResolver } from "./resolve-owner.js";
import type { MailboxRouter } from "./route-mailbox.js";
import type { ProbeWinners } from "./second-chance.js";

export interface MoveFollowers {
  readonly owners: OwnerResolver;
  readonly router: MailboxRouter;
  readonly asker: BackendAsker;
  readonly backends: ReadonlyMap<string, AvailabilityBackend>;
  readonly winners: ProbeWinners | undefined;
  readonly now: () => InstantMs;
}

export function followMoves({ owners, router, asker, backends, winners, now }: MoveFollowers): void {
  owners.onChange((changed, directory) => {
    if (changed === "all") {
      // A directory was read for the first time, or is another one now: news to this gateway alone.
      void asker.forget("all", "here");
      if (!directory.decides) winners?.forgetAll();
      return;
    }
    const addresses = new Set(changed.flatMap((address) => router.askedAs(address)));
    // What was found by probing was found by asking: that very answer stays.
    const found = (address: MailboxAddress) =>
      directory.name === winners?.name ? directory.find(address, now())?.backend : undefined;
    void asker.forget(
      [...addresses].flatMap((address) =>
        [...backends.values()].filter(({ name }) => name !== found(address)).map((backend) => ({ backend, address })),
      ),
    );
    if (!directory.decides) for (const address of addresses) winners?.forget(address);
  });
}
