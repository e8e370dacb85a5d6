/**
 * Decides how the simulated control API of WorkMail behaves on the wire: JSON 1.1 by POST,
 * the operation in X-Amz-Target, a signature that must be there (it is not verified), errors
 * with `__type`, and, when told to, the ways in which it fails. Independent of the product:
 * it imports nothing of it.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ApiError, type Input } from "./workmail-input.js";
import { OPERATIONS, type SimulatedOrganization } from "./workmail-organization.js";

export type ApiMode = "normal" | "throttle" | "deny" | "down" | "half" | "slow";

export interface ApiBehaviour {
  mode: ApiMode;
  /** throttle: every so many calls one is refused; 1 refuses all. */
  every: number;
  /** slow: how long each answer takes. */
  latencyMs: number;
  /** deny: the operations that are denied; none named denies all. */
  denied: string[];
  /** Whatever the mode, calls about this id or address fail: id to exception. */
  failing: Record<string, string>;
}

export interface AskedCall {
  readonly operation: string;
  readonly input: Input;
}

export interface WorkMailApiSimulator {
  /** For the SDK's `endpoint`. */
  readonly url: string;
  readonly organization: SimulatedOrganization;
  readonly behaviour: ApiBehaviour;
  readonly asked: AskedCall[];
  /** Calls by operation, since the beginning or since `asked` was emptied. */
  calls(): Record<string, number>;
  /** The most calls that were under way together. */
  readonly mostAtOnce: number;
  /** Calls whose caller left before the answer. */
  readonly abandoned: number;
  close(): Promise<void>;
}

export async function startWorkMailApi(organization: SimulatedOrganization): Promise<WorkMailApiSimulator> {
  const simulator = new Simulator(organization);
  await simulator.listen();
  return simulator;
}

const TARGET = /^WorkMailService\.(\w+)$/;
const SIGNATURE =
  /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[a-z0-9-]+\/workmail\/aws4_request, ?SignedHeaders=[a-z0-9;-]+, ?Signature=[0-9a-f]{64}$/;

class Simulator implements WorkMailApiSimulator {
  readonly organization: SimulatedOrganization;
  readonly behaviour: ApiBehaviour = { mode: "normal", every: 5, latencyMs: 5_000, denied: [], failing: {} };
  readonly asked: AskedCall[] = [];
  mostAtOnce = 0;
  abandoned = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #port = 0;
  #atOnce = 0;
  #count = 0;

  constructor(organization: SimulatedOrganization) {
    this.organization = organization;
    this.#server = createServer((request, reply) => void this.#serve(request, reply));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  calls(): Record<string, number> {
    const calls: Record<string, number> = {};
    for (const { operation } of this.asked) calls[operation] = (calls[operation] ?? 0) + 1;
    return calls;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    reply.once("close", () => {
      this.#atOnce--;
      if (!reply.writableFinished) this.abandoned++;
    });
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    if (this.behaviour.mode === "down") {
      request.socket.destroy();
      return;
    }
    try {
      const answer = await this.#answer(request, Buffer.concat(chunks).toString("utf8"));
      if (this.behaviour.mode === "slow") await this.#pause(this.behaviour.latencyMs);
      send(reply, 200, answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      send(reply, error.status, { __type: error.type, message: error.message });
    }
  }

  async #answer(request: IncomingMessage, body: string): Promise<object> {
    const operation = TARGET.exec(String(request.headers["x-amz-target"]))?.[1] ?? "";
    const perform = OPERATIONS[operation];
    if (request.method !== "POST" || request.url !== "/" || perform === undefined)
      throw new ApiError("UnknownOperationException", "The operation is not known.");
    if (request.headers["content-type"] !== "application/x-amz-json-1.1" || !body.startsWith("{"))
      throw new ApiError("SerializationException", "Not JSON 1.1.");
    const input = JSON.parse(body) as Input;
    this.asked.push({ operation, input });
    if (!SIGNATURE.test(request.headers.authorization ?? ""))
      throw new ApiError("MissingAuthenticationTokenException", "The request is not signed.");
    this.#misbehave(operation, input);
    if (!/^m-[0-9a-f]{32}$/.test(String(input.OrganizationId)))
      throw new ApiError("InvalidParameterException", "OrganizationId does not match its pattern.");
    if (input.OrganizationId !== this.organization.id)
      throw new ApiError("OrganizationNotFoundException", "The organization does not exist.");
    return perform(this.organization, input);
  }

  #misbehave(operation: string, input: Input): void {
    const { mode, every, denied, failing } = this.behaviour;
    for (const value of Object.values(input)) {
      const type = typeof value === "string" ? failing[value] : undefined;
      if (type !== undefined) throw new ApiError(type, `Simulated ${type}.`);
    }
    if (mode === "throttle" && ++this.#count % every === 0) throw new ApiError("ThrottlingException", "Rate exceeded");
    if (mode === "deny" && (denied.length === 0 || denied.includes(operation)))
      throw new ApiError(
        "AccessDeniedException",
        `User: arn:aws:iam::111122223333:user/gateway is not authorized to perform: workmail:${operation}`,
      );
    if (mode === "half" && input.NextToken !== undefined)
      throw new ApiError("InternalServerException", "Simulated failure.", 500);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

function send(reply: ServerResponse, status: number, answer: object): void {
  const bytes = Buffer.from(JSON.stringify(answer));
  reply.writeHead(status, { "content-type": "application/x-amz-json-1.1", "content-length": bytes.length }).end(bytes);
}
