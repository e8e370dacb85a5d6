/**
 * Decides which steps of a lookup are watched: every find in the cache, every fresh look and
 * every group of a directory, every question to a backend. What a directory has in memory is
 * not: it takes microseconds and is explained by the lookup's own line.
 */

import type { MailboxAnswer } from "../availability/mailbox-answer.js";
import type { QueryAnswerer } from "../proxy/answer-query.js";
import type { AvailabilityBackend } from "../proxy/availability-backend.js";
import type { HopFacts, HopWatcher } from "../proxy/hop-watcher.js";
import type { MailboxDirectory } from "../proxy/mailbox-directory.js";
import type { Found, ViewCache } from "../proxy/view-cache.js";

export interface WatchedParts {
  readonly directories: readonly MailboxDirectory[];
  readonly backends: readonly AvailabilityBackend[];
  readonly cache: ViewCache;
}

/** `timed` is told of cache and directories, whose times nobody else tells; `traced`, when there is one, of everything. */
export function watchedParts(parts: WatchedParts, timed: HopWatcher, traced: HopWatcher | undefined): WatchedParts {
  const cache = watchedCache(parts.cache, timed);
  const directories = parts.directories.map((directory) => watchedDirectory(directory, timed));
  if (traced === undefined) return { directories, backends: parts.backends, cache };
  return {
    directories: directories.map((directory) => watchedDirectory(directory, traced)),
    backends: parts.backends.map((backend) => watchedBackend(backend, traced)),
    cache: watchedCache(cache, traced),
  };
}

/** Answers queries, as a step of its own in traces: routing included, which happens at once. */
export function watchedLookup(answerer: Pick<QueryAnswerer, "answer">, traced: HopWatcher | undefined) {
  const answer: QueryAnswerer["answer"] = (query, asking, id) => answerer.answer(query, asking, id);
  if (traced === undefined) return answer;
  const watched: QueryAnswerer["answer"] = (query, asking, id) =>
    traced.around(LOOKUP, () => answer(query, asking, id), outcomeOf);
  return watched;
}

const LOOKUP = { kind: "lookup", step: "answer" } as const;
const FIND = { kind: "cache", step: "find" } as const;

export function watchedCache(cache: ViewCache, watcher: HopWatcher): ViewCache {
  return {
    find: (questions, now) => watcher.around(FIND, () => cache.find(questions, now), hitsOf),
    store: (entries) => cache.store(entries),
    forget: (keys, reach) => cache.forget(keys, reach),
  };
}

function hitsOf(found: Found): HopFacts {
  return { asked: found.length, hits: found.reduce((hits, one) => hits + (one === undefined ? 0 : 1), 0) };
}

export function watchedDirectory(directory: MailboxDirectory, watcher: HopWatcher): MailboxDirectory {
  const { name, home, decides } = directory;
  const look = { kind: "directory", step: "look again", party: name } as const;
  const members = { kind: "directory", step: "members", party: name } as const;
  return {
    name,
    home,
    decides,
    find: (key, now) => directory.find(key, now),
    addressesOf: (key) => directory.addressesOf(key),
    state: () => directory.state(),
    onChange: (listener) => directory.onChange(listener),
    // Only where it can: who has no source to ask is not asked.
    ...(directory.lookAgain !== undefined && {
      lookAgain: (address, signal) =>
        watcher.around(
          look,
          () => (directory.lookAgain as NonNullable<typeof directory.lookAgain>)(address, signal),
          (looked) => ({ result: looked ? "asked" : "could not be asked" }),
        ),
    }),
    ...(directory.members !== undefined && {
      members: (group, limit, signal) =>
        watcher.around(
          members,
          () => (directory.members as NonNullable<typeof directory.members>)(group, limit, signal),
          (found) => ({
            members: found === undefined ? 0 : found.addresses.length + found.without + (found.unknown ?? 0),
          }),
        ),
    }),
  };
}

export function watchedBackend(backend: AvailabilityBackend, watcher: HopWatcher): AvailabilityBackend {
  const { name, serviceAccount, timeoutMs } = backend;
  const hop = { kind: "backend", step: "ask", party: name } as const;
  return {
    name,
    serviceAccount,
    timeoutMs,
    ask: (question, signal) => watcher.around(hop, () => backend.ask(question, signal), outcomeOf),
    health: () => backend.health(),
  };
}

/** How many mailboxes, and the distinct reasons of those without an answer. */
export function outcomeOf(answers: readonly MailboxAnswer[]): HopFacts {
  const reasons = answers.flatMap((answer) => (answer.kind === "failure" ? [answer.failure.reason] : []));
  return { mailboxes: answers.length, failures: [...new Set(reasons)] };
}
