/**
 * Decides which numbers Prometheus sees. Labels are configured names and fixed words
 * only: never an address, a caller's text or anything else a stranger could make up.
 */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { InstantMs } from "../availability/time-window.js";
import type { AccountChange, AccountObserver, AccountStanding } from "../proxy/account-observer.js";
import type { CircuitState, EndpointObserver, EndpointStanding, QuestionCounts } from "../proxy/endpoint-observer.js";
import type { BackendCallOutcome, LookupObserver, LookupOutcome, RefusedRequest } from "../proxy/lookup-observer.js";
import type { DirectoryObserver, DirectoryReading, MailboxDirectory } from "../proxy/mailbox-directory.js";
import { HopMetrics } from "./hop-metrics.js";
import { UntoldDurations } from "./untold-durations.js";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20];

/** From memory it takes microseconds, from another machine milliseconds. */
const FAST_SECONDS = [0.000005, 0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1];

const CIRCUITS: Readonly<Record<CircuitState, number>> = { closed: 0, "half-open": 1, open: 2 };

export class Metrics implements LookupObserver, DirectoryObserver, AccountObserver, EndpointObserver {
  readonly registry = new Registry();
  readonly #lookups = new Histogram({
    name: "freebusy_lookup_seconds",
    help: "Time from a decoded question to its answer, by caller",
    labelNames: ["caller"],
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly #backendSeconds = new Histogram({
    name: "freebusy_backend_seconds",
    help: "Time a backend took to answer",
    labelNames: ["backend"],
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly #backendFailures = new Counter({
    name: "freebusy_backend_failures_total",
    help: "Mailboxes a backend did not answer for, by reason",
    labelNames: ["backend", "reason"],
    registers: [this.registry],
  });
  readonly #refused = new Counter({
    name: "freebusy_requests_refused_total",
    help: "Requests answered with an error as a whole, by HTTP status and reason",
    labelNames: ["status", "reason"],
    registers: [this.registry],
  });
  readonly #unexpected = new Counter({
    name: "freebusy_unexpected_total",
    help: "Errors that should not be able to happen; each is in the log with its stack",
    registers: [this.registry],
  });

  readonly #directoryReads = new Counter({
    name: "freebusy_directory_reads_total",
    help: "Readings of a directory to its end, by result (read, failed)",
    labelNames: ["directory", "result"],
    registers: [this.registry],
  });
  readonly #accountChanges = new Counter({
    name: "freebusy_account_changes_total",
    help: "Service accounts set aside (secrets refused), paused (throttled) or accepted again",
    labelNames: ["backend", "account", "kind"],
    registers: [this.registry],
  });
  readonly #endpointChanges = new Counter({
    name: "freebusy_endpoint_changes_total",
    help: "Endpoints left alone after failing again and again (open), tried (half-open) or asked again (closed)",
    labelNames: ["backend", "endpoint", "circuit"],
    registers: [this.registry],
  });
  readonly #directoryChanges = new Counter({
    name: "freebusy_directory_changes_total",
    help: "Recipients that were new, moved or gone since the reading before",
    labelNames: ["directory"],
    registers: [this.registry],
  });
  readonly #requests: UntoldDurations;
  readonly #spans = new Counter({
    name: "freebusy_spans_total",
    help: "Spans of traces that arrived where they are configured to go, or were dropped",
    labelNames: ["result"],
    registers: [this.registry],
  });
  /** The steps of lookups that are timed. */
  readonly hops: HopMetrics;
  // Finding a series by its labels costs more than counting, so mailboxes are counted here and told when somebody looks.
  readonly #untoldMailboxes = new Map<string, { backend: string; cache: string; result: string; count: number }>();

  readonly #seenAt = new Map<string, number>();

  constructor() {
    const seenAt = this.#seenAt;
    new Gauge({
      name: "freebusy_caller_last_seen_timestamp_seconds",
      help: "When a caller last signed in, in seconds since 1970",
      labelNames: ["caller"],
      registers: [this.registry],
      collect() {
        for (const [caller, at] of seenAt) this.set({ caller }, Math.floor(at / 1000));
      },
    });
    collectDefaultMetrics({ register: this.registry });
    this.#requests = this.#durations(
      "freebusy_request_seconds",
      "Time from a request's header to the end of its answer, of all requests that were taken",
    );
    const finds = this.#durations(
      "freebusy_cache_seconds",
      "Time to find in the cache what it holds for a lookup",
      FAST_SECONDS,
    );
    this.hops = new HopMetrics(this.registry, finds, () => performance.now());
    const untold = this.#untoldMailboxes;
    new Counter({
      name: "freebusy_mailboxes_total",
      help: "Mailboxes answered, by backend, cache outcome and result (a view's detail, or the reason of the failure)",
      labelNames: ["backend", "cache", "result"],
      registers: [this.registry],
      collect() {
        for (const { count, ...labels } of untold.values()) this.inc(labels, count);
        untold.clear();
      },
    });
  }

  /** Somebody has signed in, whatever is asked then. */
  callerSeen(caller: string): void {
    this.#seenAt.set(caller, Date.now());
  }

  /** A histogram that is told in batches, and in any case before somebody reads it. */
  #durations(name: string, help: string, buckets = SECONDS): UntoldDurations {
    const registers = [this.registry];
    const collect = () => untold.tell();
    const untold: UntoldDurations = new UntoldDurations(new Histogram({ name, help, buckets, registers, collect }));
    return untold;
  }

  requestTook(durationMs: number): void {
    this.#requests.add(durationMs);
  }

  spansExported(spans: number, arrived: boolean): void {
    this.#spans.inc({ result: arrived ? "arrived" : "dropped" }, spans);
  }

  lookupAnswered({ caller, durationMs, mailboxes }: LookupOutcome): void {
    this.#lookups.observe({ caller }, durationMs / 1000);
    for (const { backend = "none", cache, delivered, failure } of mailboxes) {
      const result = delivered ?? failure?.reason ?? "none";
      const key = `${backend}/${cache}/${result}`;
      const known = this.#untoldMailboxes.get(key);
      if (known === undefined) this.#untoldMailboxes.set(key, { backend, cache, result, count: 1 });
      else known.count++;
    }
  }

  backendAsked({ backend, durationMs, failures }: BackendCallOutcome): void {
    this.#backendSeconds.observe({ backend }, durationMs / 1000);
    for (const { reason } of failures) this.#backendFailures.inc({ backend, reason });
  }

  directoryRead({ directory, changed, problem }: DirectoryReading): void {
    this.#directoryReads.inc({ directory, result: problem === undefined ? "read" : "failed" });
    this.#directoryChanges.inc({ directory }, changed);
  }

  accountChanged(backend: string, { account, kind }: AccountChange): void {
    this.#accountChanges.inc({ backend, account, kind });
  }

  endpointChanged(backend: string, { name, circuit }: EndpointStanding): void {
    this.#endpointChanges.inc({ backend, endpoint: name, circuit });
  }

  /** How service accounts stand, worked out when somebody looks. */
  watchAccounts(standings: () => ReadonlyMap<string, readonly AccountStanding[]>, now: () => InstantMs): void {
    const each = (tell: (labels: { backend: string; account: string }, standing: AccountStanding) => void) => {
      for (const [backend, accounts] of standings()) {
        for (const standing of accounts) tell({ backend, account: standing.name }, standing);
      }
    };
    const gauge = (name: string, help: string, value: (standing: AccountStanding) => number | undefined) =>
      new Gauge({
        name,
        help,
        labelNames: ["backend", "account"],
        registers: [this.registry],
        collect() {
          this.reset();
          each((labels, standing) => {
            const number = value(standing);
            if (number !== undefined) this.set(labels, number);
          });
        },
      });
    gauge("freebusy_account_usable", "1 unless the account is set aside or paused", ({ setAsideUntil, pausedUntil }) =>
      setAsideUntil === undefined && pausedUntil === undefined ? 1 : 0,
    );
    gauge("freebusy_account_in_flight", "Requests under way with this account", ({ inFlight }) => inFlight);
    gauge("freebusy_account_budget", "Requests this account may have under way at once", ({ budget }) => budget);
    gauge(
      "freebusy_account_share",
      "Of the account's limit, what this gateway may use while others share it",
      ({ share }) => share,
    );
    gauge("freebusy_account_token_expires_seconds", "Until the token in use ends", ({ expiresAt }) =>
      expiresAt === undefined ? undefined : (expiresAt - now()) / 1000,
    );
  }

  /** What waits for backends and how their endpoints stand, worked out when somebody looks. */
  watchBackends(
    backends: ReadonlyMap<string, { counts(): QuestionCounts; endpoints(): readonly EndpointStanding[] }>,
  ): void {
    const registers = [this.registry];
    new Gauge({
      name: "freebusy_backend_waiting",
      help: "Mailboxes that wait to be asked about",
      labelNames: ["backend"],
      registers,
      collect() {
        for (const [backend, one] of backends) this.set({ backend }, one.counts().waiting);
      },
    });
    const counter = (name: string, help: string, value: (counts: QuestionCounts) => number) =>
      new Counter({
        name,
        help,
        labelNames: ["backend"],
        registers,
        collect() {
          this.reset();
          for (const [backend, one] of backends) this.inc({ backend }, value(one.counts()));
        },
      });
    counter(
      "freebusy_backend_questions_total",
      "Questions put to a backend, each about all that waited for it",
      ({ requests }) => requests,
    );
    counter(
      "freebusy_backend_mailboxes_total",
      "Mailboxes in questions put to a backend",
      ({ mailboxes }) => mailboxes,
    );
    new Gauge({
      name: "freebusy_endpoint_circuit",
      help: "0 asked (closed), 1 tried (half-open), 2 left alone (open)",
      labelNames: ["backend", "endpoint"],
      registers,
      collect() {
        for (const [backend, one] of backends) {
          for (const { name, circuit } of one.endpoints()) this.set({ backend, endpoint: name }, CIRCUITS[circuit]);
        }
      },
    });
  }

  /** Lines for standard output that could not be written, counted when somebody looks. */
  watchLog(lost: () => number): void {
    new Counter({
      name: "freebusy_log_lines_lost_total",
      help: "Lines of the log, and of an audit log beside it, that could not be written: a full disk, or a reader that is too slow",
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(lost());
      },
    });
  }

  /** What directories hold and how old it is, worked out when somebody looks. */
  watchDirectories(directories: readonly MailboxDirectory[], now: () => InstantMs): void {
    new Gauge({
      name: "freebusy_directory_recipients",
      help: "Recipients a directory knows, by where they are from (live, snapshot, none)",
      labelNames: ["directory", "from"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const directory of directories) {
          const { from, recipients } = directory.state();
          this.set({ directory: directory.name, from }, recipients);
        }
      },
    });
    new Gauge({
      name: "freebusy_directory_age_seconds",
      help: "Time since a directory was read to its end",
      labelNames: ["directory"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const directory of directories) {
          const { readAt } = directory.state();
          if (readAt !== undefined) this.set({ directory: directory.name }, (now() - readAt) / 1000);
        }
      },
    });
  }

  requestRefused({ status, reason, times = 1 }: RefusedRequest): void {
    this.#refused.inc({ status, reason }, times);
  }

  unexpected(): void {
    this.#unexpected.inc();
  }
}
