/**
 * Decides what whoever is turned away by the {@link WorkGate} hears, before the work or when
 * a large answer finds no room, and what the observer does: of each reason the first at once,
 * the others counted and told once a second. Under overload a line for each would be load of
 * its own.
 */

import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { LookupObserver, RefusedRequest } from "../proxy/lookup-observer.js";
import { PLAIN_TEXT } from "./signed-in.js";
import { parseSourceAddress } from "./source-address.js";
import type { TrustedProxies } from "./trusted-proxies.js";
import type { GateConnection, OverloadReason, WorkGate } from "./work-gate.js";

declare module "fastify" {
  interface FastifyReply {
    /**
     * Sends what `write` gives, which may be large; where there is no room for it, nothing is written, and it is turned away.
     * Written and sent in one go: many wait for the same answers, and each has to see what was sent to those before it.
     */
    sendWhereRoom(write: () => string | Buffer): FastifyReply;
  }
}

export interface RefusedWorkOptions {
  readonly gate: WorkGate;
  readonly maximumConnections: number;
  readonly proxies: Pick<TrustedProxies, "sourceOf">;
  readonly observer: Pick<LookupObserver, "requestRefused">;
  /** In [0, 1): those who are refused together should not come back together. */
  readonly random: () => number;
  /** From then on every answer is the last one on its connection. */
  readonly draining: () => boolean;
}

const TOLD_EVERY_MS = 1000;
const LONGEST_RETRY_SECONDS = 5;
const UNAVAILABLE = 503;
/** Answers up to this size are not counted: the number of requests bounds them. */
const SMALL_BYTES = 65_536;

/** Before any route is registered: hooks hold for those that come after. */
export function refuseWork(app: FastifyInstance, options: RefusedWorkOptions): void {
  const { gate, proxies, observer, draining, random } = options;
  const refusals = new RefusalTally(observer);
  const connections = new WeakMap<Socket, GateConnection>();
  // Not the answer's own end alone: answers to requests sent in one go, of which the first was never read, have none.
  const connectionOf = (socket: Socket): GateConnection => {
    const before = connections.get(socket);
    if (before !== undefined) return before;
    const connection = gate.connected();
    socket.once("close", () => connection.gone());
    connections.set(socket, connection);
    return connection;
  };

  const turnedAway = (request: FastifyRequest, reply: FastifyReply, reason: OverloadReason): string => {
    const { headers, raw } = request;
    const source = proxies.sourceOf({ headers, socket: raw.socket });
    refusals.add({ id: request.id, source, caller: request.caller?.name, status: UNAVAILABLE, reason });
    reply
      .code(UNAVAILABLE)
      .header("retry-after", 1 + Math.floor(random() * LONGEST_RETRY_SECONDS))
      .type(PLAIN_TEXT);
    return "Too much is under way here. Ask again in a few seconds.\n";
  };

  app.addHook("onRequest", (request, reply, done) => {
    const reason = gate.refusal;
    if (reason === undefined) {
      reply.raw.on("close", connectionOf(request.raw.socket).enter());
      if (draining()) reply.header("connection", "close");
      done();
      return;
    }
    reply.send(turnedAway(request, reply, reason));
  });

  app.decorateReply("sendWhereRoom", function (write) {
    // Many may have been let in before the first of their answers was written.
    if (gate.full) return this.send(turnedAway(this.request, this, "memory-short"));
    const answer = write();
    const { length } = answer;
    if (length > SMALL_BYTES) this.raw.once("close", connectionOf(this.request.raw.socket).answer(length));
    return this.send(answer);
  });

  app.server.maxConnections = options.maximumConnections;
  app.server.on("drop", (dropped) => {
    const source = parseSourceAddress(dropped?.remoteAddress ?? "") ?? "";
    const reason: OverloadReason = "too-many-connections";
    // It had no request yet, and nothing was answered.
    refusals.add({ id: "", source, caller: undefined, status: 0, reason });
  });
  app.addHook("onClose", (_, done) => {
    refusals.tellAll();
    done();
  });
}

class RefusalTally {
  readonly #observer: Pick<LookupObserver, "requestRefused">;
  /** By reason: the last one, and how many have not been told. */
  readonly #untold = new Map<string, { last: RefusedRequest; times: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(observer: Pick<LookupObserver, "requestRefused">) {
    this.#observer = observer;
  }

  add(refused: RefusedRequest): void {
    const before = this.#untold.get(refused.reason);
    if (before === undefined) {
      this.#observer.requestRefused(refused);
      this.#untold.set(refused.reason, { last: refused, times: 0 });
    } else {
      before.last = refused;
      before.times++;
    }
    this.#timer ??= setTimeout(() => this.tellAll(), TOLD_EVERY_MS).unref();
  }

  tellAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [reason, { last, times }] of this.#untold) {
      if (times === 0) this.#untold.delete(reason);
      else {
        this.#observer.requestRefused({ ...last, times });
        this.#untold.set(reason, { last, times: 0 });
        this.#timer ??= setTimeout(() => this.tellAll(), TOLD_EVERY_MS).unref();
      }
    }
  }
}
