/**
 * Decides what is tried when the presumed owner does not know a mailbox, or asks about it
 * itself, or sends our own question on to us, which it would not if it had the mailbox: our
 * knowledge may be older than the last move. First the directories take a fresh look, and
 * where that leads elsewhere, elsewhere is asked. Whoever is not found even then is looked
 * for at the other systems, each asked once, when probing is on; the one that has the
 * mailbox is remembered until it stops having it.
 *
 * Every step asks about all mailboxes in one go. The system that asks is never probed. Gives
 * up silently when time is up: what was known before then stands.
 */

import type { AskedMailbox } from "../availability/availability-query.js";
import type { DisclosureRule } from "../availability/disclosure-rules.js";
import type { MailboxAddress } from "../availability/mailbox-address.js";
import { failed, type MailboxAnswer } from "../availability/mailbox-answer.js";
import type { InstantMs, TimeWindow } from "../availability/time-window.js";
import type { BackendAsker, Pending, Wanted } from "./ask-backends.js";
import type { AvailabilityBackend } from "./availability-backend.js";
import { disclosedRoute } from "./disclosed-route.js";
import type { CacheOutcome } from "./lookup-observer.js";
import type { RecipientKey } from "./mailbox-directory.js";
import type { OwnerResolver } from "./resolve-owner.js";
import { type MailboxRouter, type Route, recipientKey } from "./route-mailbox.js";
import { distinct } from "./targets.js";
import type { AskedDetail } from "./view-cache.js";

/** Port: what was found by probing, which is a directory too. */
export interface ProbeWinners {
  readonly name: string;
  /** Grows with everything that is forgotten. */
  readonly forgotten: number;
  /** `asked` is what `forgotten` was when the backend was asked: what was forgotten since has moved, and is not learnt. */
  learn(key: RecipientKey, backend: string, address: MailboxAddress, asked: number): void;
  forget(key: RecipientKey): void;
  forgetAll(): void;
}

/** How one mailbox was answered, and by whom. */
export interface Settled {
  readonly asked: AskedMailbox;
  readonly route: Route;
  readonly cache: CacheOutcome;
  readonly answer: MailboxAnswer;
}

export interface SecondChanceParts {
  readonly owners: OwnerResolver;
  readonly router: MailboxRouter;
  readonly asker: BackendAsker;
  readonly backends: ReadonlyMap<string, AvailabilityBackend>;
  /** Absent: nobody is probed. */
  readonly winners: ProbeWinners | undefined;
  readonly now: () => InstantMs;
}

/** What is asked about all of them. */
export interface ChanceQuestion {
  readonly origin: string | undefined;
  /** The caller's name. */
  readonly askedBy?: string | undefined;
  /** Nothing that is kept may answer. */
  readonly anew?: boolean | undefined;
  readonly window: TimeWindow;
  readonly detail: AskedDetail;
  /** What is found anew may be whom the caller may not see. */
  readonly rule: DisclosureRule;
}

export interface ChancesTaken {
  /** When there is nothing more to try. Never rejects. */
  readonly over: Promise<void>;
  /**
   * For each, in order, what stands: what it was, or something better. One that turned out to be a group comes with the
   * group's route and is still to be answered.
   */
  readonly soFar: () => readonly Settled[];
}

/** One mailbox in doubt: what stands so far, and who has been asked. */
interface Chance {
  settled: Settled;
  readonly asked: Set<string>;
}

interface Attempt {
  readonly chance: Chance;
  readonly backend: AvailabilityBackend;
  readonly address: MailboxAddress;
  readonly route: Route;
}

/** A directory that is slower than this is not waited for. */
const LOOK_MS = 3_000;
const PROBED = "probe: the presumed owner did not know it";

export class SecondChance {
  readonly #parts: SecondChanceParts;

  constructor(parts: SecondChanceParts) {
    this.#parts = parts;
  }

  /** Whether there is anything to try for a mailbox that was answered like this. */
  worthwhile({ route, answer }: Pick<Settled, "route" | "answer">): boolean {
    return isDoubtful(route, answer) && (this.#parts.owners.canLookAgain || this.#parts.winners !== undefined);
  }

  /** Begins to try. What is found counts as soon as it is found; whoever has no more time takes what there is. */
  take(doubtful: readonly Settled[], question: ChanceQuestion, signal: AbortSignal): ChancesTaken {
    const chances = doubtful.map((settled): Chance => ({ settled, asked: new Set(ownerOf(settled.route)) }));
    return { over: this.#try(chances, question, signal), soFar: () => chances.map(({ settled }) => settled) };
  }

  async #try(chances: readonly Chance[], question: ChanceQuestion, signal: AbortSignal): Promise<void> {
    await this.#lookAgain(
      chances.map(({ settled }) => settled),
      signal,
    );
    if (!signal.aborted) await this.#attempt(this.#reroutes(chances, question), question);
    if (signal.aborted) return;
    await this.#parts.router.whileProbing(this.#attempt(this.#probes(chances, question), question));
  }

  async #lookAgain(doubtful: readonly Settled[], signal: AbortSignal): Promise<void> {
    const abort = new AbortController();
    let giveUp = () => {};
    const over = new Promise<void>((resolve) => {
      giveUp = () => {
        abort.abort();
        resolve();
      };
    });
    const timer = setTimeout(giveUp, LOOK_MS);
    signal.addEventListener("abort", giveUp);
    const looks = doubtful.map(({ asked, route, answer }) => {
      // Where a mailbox was once found by probing, and is not any more, is nothing to go by.
      if (reasonOf(answer) === "mailbox-not-found") this.#forget(asked, route);
      const address = asked.address ?? route.address;
      return address === undefined ? undefined : this.#parts.owners.lookAgain(address, abort.signal);
    });
    await Promise.race([Promise.all(looks), over]);
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }

  #forget(asked: AskedMailbox, route: Route): void {
    const { winners, owners, now } = this.#parts;
    const key = recipientKey(asked);
    if (winners === undefined || key === undefined) return;
    const aliases = asked.address === undefined ? [] : owners.addressesOf(asked.address, now());
    for (const one of new Set([key, ...aliases, ...(route.address === undefined ? [] : [route.address])])) {
      winners.forget(one);
    }
  }

  /** Where the mailboxes are to be asked about now, as far as that is somewhere else than before. */
  #reroutes(chances: readonly Chance[], { origin, rule }: ChanceQuestion): Attempt[] {
    return chances.flatMap((chance) => {
      const { asked, route: before } = chance.settled;
      const route = this.#disclosed(this.#parts.router.route(asked, origin), asked, rule);
      if (route.kind === before.kind && route.address === before.address && ownerOf(route)[0] === ownerOf(before)[0]) {
        return [];
      }
      if (route.kind === "backend") return this.#attemptAt(chance, route.backend, route.address, route);
      const answer = route.kind === "failure" ? failed(route.failure) : chance.settled.answer;
      chance.settled = { asked, route, cache: "none", answer };
      return [];
    });
  }

  #disclosed(route: Route, asked: AskedMailbox, rule: DisclosureRule): Route {
    return disclosedRoute(route, asked, rule, (...about) => this.#parts.router.addressesFor(...about));
  }

  #probes(chances: readonly Chance[], { origin, rule }: ChanceQuestion): Attempt[] {
    const { winners, router, backends } = this.#parts;
    if (winners === undefined) return [];
    return chances.flatMap((chance) => {
      const { asked, route, answer } = chance.settled;
      const { address: presumed } = route;
      if (presumed === undefined || route.kind === "group" || !isDoubtful(route, answer)) return [];
      const never = router.neverAsked(asked, route, origin);
      return [...backends.keys()]
        .filter((name) => !never.has(name) && !chance.asked.has(name))
        .flatMap((backend) => {
          const address = router.addressAt(backend, asked, presumed);
          const there: Route = { kind: "backend", backend, address, rule: PROBED };
          const isDisclosed = this.#disclosed(there, asked, rule) === there;
          return isDisclosed ? this.#attemptAt(chance, backend, address, there) : [];
        });
    });
  }

  #attemptAt(chance: Chance, name: string, address: MailboxAddress, route: Route): Attempt[] {
    const backend = this.#parts.backends.get(name);
    if (backend === undefined) return [];
    chance.asked.add(name);
    return [{ chance, backend, address, route }];
  }

  async #attempt(
    attempts: readonly Attempt[],
    { window, detail, origin, askedBy, anew }: ChanceQuestion,
  ): Promise<void> {
    if (attempts.length === 0) return;
    const { once, indexOf } = distinct(attempts, ({ backend, address }) => `${backend.name}\0${address}`);
    const wanted = once.map(({ backend, address }): Wanted => ({ backend, address }));
    const forgotten = this.#parts.winners?.forgotten ?? 0;
    const pending = await this.#parts.asker.answersFor(wanted, window, detail, origin, askedBy, anew);
    await Promise.all(
      attempts.map(async (attempt, i) => {
        const { answer, cache } = pending[indexOf[i] as number] as Pending;
        this.#found(attempt, await answer, cache, forgotten);
      }),
    );
  }

  #found(
    { chance, route, backend, address }: Attempt,
    answer: MailboxAnswer,
    cache: CacheOutcome,
    forgotten: number,
  ): void {
    const { settled } = chance;
    const probed = route.rule === PROBED;
    // A probe that finds nobody changes nothing; one that fails leaves open whether the mailbox exists.
    if (settled.answer.kind === "view" || (probed && reasonOf(answer) === "mailbox-not-found")) return;
    chance.settled = { asked: settled.asked, route, cache, answer };
    const key = recipientKey(settled.asked);
    if (!probed || answer.kind !== "view" || key === undefined) return;
    this.#parts.winners?.learn(key, backend.name, address, forgotten);
  }
}

/** Whoever does not know a mailbox does not have it; nor, so it seems, whoever asks about it or sends our question on. */
function isDoubtful(route: Route, answer: MailboxAnswer): boolean {
  const reason = reasonOf(answer);
  if (route.address === undefined || reason === undefined) return false;
  return route.kind === "failure" ? route.failure.reason === reason : reason === "mailbox-not-found";
}

function reasonOf(answer: MailboxAnswer): string | undefined {
  return answer.kind === "failure" ? answer.failure.reason : undefined;
}

/** The backend that was, or would have been, asked: one or none. */
function ownerOf(route: Route): readonly string[] {
  const backend = backendOf(route);
  return backend === undefined ? [] : [backend];
}

export function backendOf(route: Route): string | undefined {
  if (route.kind === "backend") return route.backend;
  return route.kind === "failure" ? route.failure.backend : undefined;
}
