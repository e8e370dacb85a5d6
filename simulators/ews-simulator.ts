/**
 * Decides how a simulated Exchange or WorkMail behaves on the wire: the 401 dance, the
 * limits and faults with their documented texts, the version ceiling, and, when told to,
 * every way a remote system fails. Independent of the product: it imports nothing of it.
 */

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { errorEntry, fault, response, type Style, viewEntry } from "./answer-writer.js";
import type { Calendar } from "./calendar.js";
import { fixedBias, type ReadRequest, readRequest } from "./request-reader.js";

export type Mode =
  | "normal"
  | "busy"
  | "busy-200"
  | "hang"
  | "reset"
  | "half"
  | "drip"
  | "garbage"
  | "html"
  | "html-500"
  | "empty"
  | "too-few"
  | "too-many"
  | "refuse-credentials"
  | "forbidden"
  | "unavailable"
  | "throttled"
  | "redirect"
  | "fault-200"
  | "gzip"
  | "bad-event"
  | "disorder";

export interface Behaviour {
  mode: Mode;
  latencyMs: number;
  backOffMs: number;
  redirectTo: string;
  /** Mailboxes that fail alone: address (lower case) to response code. */
  failing: Record<string, string>;
  /** Accounts (user names) that are told to come back later, whatever the mode. */
  busyAccounts: string[];
  /** Whether a mailbox that fails with ErrorServerBusy says for how long (backOffMs), too. */
  backOffInEntries: boolean;
  /** What is said of a mailbox that does not exist. */
  notFoundCode: string;
  /** Mailboxes it does not have are asked about here, as Exchange asks an address space and WorkMail a provider. */
  forwardTo?: { url: string; authorization: string; headers?: Record<string, string> };
}

/** With a password, or with any bearer token it approves of, which acts only in the name of a mailbox it has. */
export type SimulatedAccount =
  | { readonly username: string; readonly password: string }
  | { readonly bearer: (token: string) => boolean };

export interface SimulatorOptions {
  readonly style: Style;
  readonly calendar: Calendar;
  readonly accounts: readonly SimulatedAccount[];
  readonly port?: number;
  /** Where it listens; this machine alone when absent. */
  readonly host?: string;
  readonly maximumWindowDays?: number;
  readonly acceptedVersions?: readonly string[];
}

export interface AskedRequest extends ReadRequest {
  readonly userAgent: string;
  readonly scheme: string;
  /** The user name; empty with a token. */
  readonly account: string;
  /** Header names and values but the credentials. */
  readonly soapAction: string | undefined;
  readonly traceparent: string | undefined;
  /** The mailbox named in ExchangeImpersonation, as written. */
  readonly impersonated: string | undefined;
}

export interface EwsSimulator {
  readonly url: string;
  readonly port: number;
  readonly asked: AskedRequest[];
  readonly behaviour: Behaviour;
  readonly calendar: Calendar;
  /** Sign-ins it has answered with 401; first calls without credentials do not count. */
  readonly refused: number;
  /** The most requests that were under way at once, by account. */
  readonly mostAtOnce: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

const WORKMAIL_VERSIONS = ["Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2"];

export async function startSimulator(options: SimulatorOptions): Promise<EwsSimulator> {
  const simulator = new Simulator(options);
  await simulator.listen();
  return simulator;
}

class Simulator implements EwsSimulator {
  readonly asked: AskedRequest[] = [];
  readonly behaviour: Behaviour = {
    mode: "normal",
    latencyMs: 0,
    backOffMs: 30_000,
    redirectTo: "https://login.example/",
    failing: {},
    busyAccounts: [],
    backOffInEntries: false,
    notFoundCode: "ErrorMailRecipientNotFound",
  };
  readonly calendar: Calendar;
  readonly #options: SimulatorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #atOnce = new Map<string, number>();
  readonly mostAtOnce = new Map<string, number>();
  port = 0;
  refused = 0;

  constructor(options: SimulatorOptions) {
    this.calendar = options.calendar;
    this.#options = options;
    this.#server = createServer((request, reply) => void this.#serve(request, reply));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/EWS/Exchange.asmx`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(this.#options.port ?? 0, this.#options.host ?? "127.0.0.1", resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks).toString("utf8");
    if (request.method === "PUT" && request.url === "/simulator/behaviour") {
      Object.assign(this.behaviour, JSON.parse(body));
      reply.writeHead(204).end();
      return;
    }
    const account = userName(request.headers.authorization);
    const atOnce = (this.#atOnce.get(account) ?? 0) + 1;
    this.#atOnce.set(account, atOnce);
    this.mostAtOnce.set(account, Math.max(atOnce, this.mostAtOnce.get(account) ?? 0));
    reply.once("close", () => this.#atOnce.set(account, (this.#atOnce.get(account) as number) - 1));
    if (this.behaviour.latencyMs > 0) await this.#pause(this.behaviour.latencyMs);
    const { mode } = this.behaviour;
    if (mode === "hang") return;
    if (mode === "reset") {
      request.socket.destroy();
      return;
    }
    if (request.url?.toLowerCase() !== "/ews/exchange.asmx") return send(reply, 404, "", "text/plain");
    const { authorization } = request.headers;
    if (mode === "refuse-credentials" || !this.#known(authorization)) {
      return this.#challenge(reply, authorization !== undefined);
    }
    if (this.behaviour.busyAccounts.includes(account)) return void this.#misbehave("busy", reply);
    if (mode !== "normal" && this.#misbehave(mode, reply)) return;
    const [status, text] = await this.#answer(body, request);
    if (mode === "half" || mode === "drip") return this.#partly(mode, text, reply, request.socket);
    send(reply, mode === "fault-200" ? 200 : status, text);
  }

  #known(header: string | undefined): boolean {
    if (header?.startsWith("Bearer ")) {
      const token = header.slice(7);
      return this.#options.accounts.some((account) => "bearer" in account && account.bearer(token));
    }
    if (!header?.startsWith("Basic ")) return false;
    const [username, ...rest] = Buffer.from(header.slice(6), "base64").toString("utf8").split(":");
    return this.#options.accounts.some(
      (account) =>
        "password" in account &&
        account.username.toLowerCase() === username?.toLowerCase() &&
        account.password === rest.join(":"),
    );
  }

  #challenge(reply: ServerResponse, signedIn: boolean): void {
    const exchange = ["Negotiate", "NTLM", 'Basic realm="simulated"'];
    reply.setHeader("WWW-Authenticate", this.#options.style === "exchange" ? exchange : ['Basic realm="EWS"']);
    if (signedIn) this.refused++;
    send(reply, 401, "", "text/html");
  }

  /** True when the mode has answered already. */
  #misbehave(mode: Mode, reply: ServerResponse): boolean {
    const { style } = this.#options;
    const busy = "The server cannot service this request right now. Try again later.";
    switch (mode) {
      case "busy":
        send(reply, 500, fault(style, "ErrorServerBusy", busy, this.behaviour.backOffMs));
        return true;
      case "busy-200":
        send(reply, 200, fault(style, "ErrorServerBusy", busy, this.behaviour.backOffMs));
        return true;
      case "fault-200":
        send(
          reply,
          200,
          fault(style, "ErrorInternalServerError", "An internal server error occurred. The operation failed."),
        );
        return true;
      case "garbage":
        reply.writeHead(200, { "content-type": "text/xml; charset=utf-8" }).end(randomBytes(4096));
        return true;
      case "html":
        send(reply, 200, "<html><body>Please sign in<br></body></html>", "text/html");
        return true;
      case "html-500":
        send(reply, 500, "<html><body>Runtime Error<br></body></html>", "text/html");
        return true;
      case "empty":
        send(reply, 200, "");
        return true;
      case "gzip":
        reply.writeHead(200, { "content-type": "text/xml", "content-encoding": "gzip" }).end(randomBytes(64));
        return true;
      case "forbidden":
        send(reply, 403, "", "text/html");
        return true;
      case "unavailable":
        reply.setHeader("Retry-After", String(Math.ceil(this.behaviour.backOffMs / 1000)));
        send(reply, 503, "", "text/html");
        return true;
      case "throttled":
        reply.setHeader("Retry-After", String(Math.ceil(this.behaviour.backOffMs / 1000)));
        send(reply, 429, "", "text/html");
        return true;
      case "redirect":
        reply.setHeader("Location", this.behaviour.redirectTo);
        send(reply, 302, "", "text/html");
        return true;
      default:
        return false;
    }
  }

  #partly(mode: Mode, text: string, reply: ServerResponse, socket: Socket): void {
    const bytes = Buffer.from(text);
    reply.writeHead(200, { "content-type": "text/xml; charset=utf-8", "content-length": bytes.length });
    if (mode === "half") {
      reply.write(bytes.subarray(0, bytes.length >> 1), () => socket.destroy());
      return;
    }
    let sent = 0;
    const timer = setInterval(() => reply.write(bytes.subarray(sent, ++sent)), 500);
    this.#timers.add(timer);
    socket.once("close", () => clearInterval(timer));
  }

  async #answer(body: string, http: IncomingMessage): Promise<[status: number, text: string]> {
    const { style } = this.#options;
    const refuse = (code: string, message: string): [number, string] => [500, fault(style, code, message)];
    let request: ReadRequest;
    try {
      request = await readRequest(body);
    } catch (error) {
      return refuse(
        "ErrorSchemaValidation",
        `The request failed schema validation: ${(error as Error).message.split("\n")[0]}`,
      );
    }
    const scheme = http.headers.authorization?.split(" ")[0] ?? "";
    const impersonated =
      /<(\w+:)?ExchangeImpersonation>\s*<\1ConnectingSID>\s*<\1SmtpAddress>([^<]*)<\/\1SmtpAddress>/.exec(body)?.[2];
    this.asked.push({
      ...request,
      userAgent: http.headers["user-agent"] ?? "",
      scheme,
      account: userName(http.headers.authorization),
      impersonated,
      soapAction: http.headers.soapaction as string | undefined,
      traceparent: http.headers.traceparent as string | undefined,
    });
    if (this.asked.length > 10_000) this.asked.splice(0, 5_000);
    const accepted = this.#options.acceptedVersions ?? (style === "workmail" ? WORKMAIL_VERSIONS : undefined);
    if (accepted !== undefined && !accepted.includes(request.version ?? "Exchange2007")) {
      return refuse("ErrorInvalidServerVersion", "The specified server version is invalid.");
    }
    if (scheme === "Bearer" && (impersonated === undefined || this.calendar.find(impersonated) === undefined)) {
      return refuse(
        "ErrorImpersonateUserDenied",
        "The account does not have permission to impersonate the requested user.",
      );
    }
    if (request.operation !== "GetUserAvailabilityRequest") return refuse("ErrorInvalidOperation", "Not offered here.");
    return this.#availability(request, body, refuse);
  }

  async #availability(
    request: ReadRequest,
    body: string,
    refuse: (code: string, message: string) => [number, string],
  ): Promise<[number, string]> {
    const { style, calendar } = this.#options;
    const limit = this.#options.maximumWindowDays ?? (style === "workmail" ? 42 : 62);
    // A zone in the header counts as well, from 2010 on; only those without an offset are known here.
    const inHeader = /<(\w+:)?TimeZoneDefinition [^>]*\bId="(UTC|Greenwich Standard Time)"/.test(body);
    if (request.zone === undefined && !inHeader) return refuse("ErrorTimeZone", "The time zone is missing.");
    const bias = (request.zone && fixedBias(request.zone)) ?? 0;
    const at = (text: string) =>
      Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`) +
      (/(Z|[+-]\d\d:\d\d)$/.test(text) ? 0 : bias * 60_000);
    const from = at(request.start);
    const to = at(request.end);
    const days = (to - from) / 86_400_000;
    const { mailboxes } = request;
    if (mailboxes.length === 0)
      return refuse("ErrorMailboxDataArrayEmpty", "The MailboxDataArray element cannot be empty.");
    if (mailboxes.length > 100) {
      return refuse(
        "ErrorMailboxDataArrayTooBig",
        `There are too many target users in the EmailAddress array. The allowed size = 100; the actual size = ${mailboxes.length}.`,
      );
    }
    if (!(days > 0))
      return refuse(
        "ErrorInvalidTimeInterval",
        "The time duration specified for FreeBusyViewOptions.TimeWindow is invalid.",
      );
    if (days > limit) {
      return refuse(
        "ErrorTimeIntervalTooBig",
        `The requested time duration specified for FreeBusyViewOptions.TimeWindow is too long. The allowed limit = ${limit} days; the actual limit = ${Math.ceil(days)} days.`,
      );
    }
    if (request.interval < 5 || request.interval > 1440)
      return refuse("ErrorInvalidMergedFreeBusyInterval", "The specified merged free/busy interval is not valid.");
    if (request.view === "None") return refuse("ErrorInvalidFreeBusyViewType", "The specified view is not valid.");

    const { forwardTo } = this.behaviour;
    const strangers =
      forwardTo === undefined ? [] : mailboxes.filter((address) => calendar.find(address) === undefined);
    const forwarded = forwardTo === undefined ? new Map() : await forward(forwardTo, body, mailboxes, strangers);
    const entries = mailboxes.map((address) => {
      if (forwarded.has(address)) return forwarded.get(address) as string;
      const row = calendar.find(address);
      const failing = this.behaviour.failing[address.toLowerCase()];
      if (failing !== undefined) {
        const backOff = this.behaviour.backOffInEntries ? this.behaviour.backOffMs : undefined;
        return errorEntry(failing, `Simulated ${failing} for ${address}.`, 5000, backOff);
      }
      if (row === undefined) {
        return errorEntry(
          this.behaviour.notFoundCode,
          `Unable to resolve e-mail address <>SMTP:${address} to an Active Directory object.`,
          5009,
        );
      }
      if (row.rights === "none")
        return errorEntry("ErrorNoFreeBusyAccess", "The caller does not have access to free/busy data.", 5037);
      return this.#distorted(viewEntry(style, calendar, row, { request, from, to, bias }));
    });
    if (this.behaviour.mode === "too-few") entries.shift();
    if (this.behaviour.mode === "too-many") entries.unshift(entries[0] as string);
    return [200, response(style, entries)];
  }

  #distorted(entry: string): string {
    const { mode } = this.behaviour;
    if (mode === "bad-event") {
      return entry.replace(/<EndTime>[^<]*<\/EndTime>/, "<EndTime>1999-13-45T00:00:00</EndTime>");
    }
    if (mode !== "disorder") return entry;
    // Events in reverse, and one a year outside of any window.
    return entry.replace(
      /(<CalendarEventArray[^>]*>)(.*)(<\/CalendarEventArray>)/s,
      (_, open, events: string, close) => {
        const far =
          "<CalendarEvent><StartTime>1990-01-01T00:00:00Z</StartTime><EndTime>1990-01-01T01:00:00Z</EndTime><BusyType>Busy</BusyType></CalendarEvent>";
        const all = events.split(/(?=<CalendarEvent>)/).filter((event) => event !== "");
        return `${open}${far}${all.reverse().join("")}${close}`;
      },
    );
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

function userName(authorization: string | undefined): string {
  if (!authorization?.startsWith("Basic ")) return "";
  return Buffer.from(authorization.slice(6), "base64").toString("utf8").split(":")[0] as string;
}

function send(reply: ServerResponse, status: number, text: string, type = "text/xml; charset=utf-8"): void {
  const bytes = Buffer.from(text);
  reply.writeHead(status, { "content-type": type, "content-length": bytes.length }).end(bytes);
}

/** The entries another gateway gives for these mailboxes, put into this answer as they came. */
async function forward(
  { url, authorization, headers }: NonNullable<Behaviour["forwardTo"]>,
  body: string,
  mailboxes: readonly string[],
  strangers: readonly string[],
): Promise<Map<string, string>> {
  if (strangers.length === 0) return new Map();
  let position = 0;
  const question = body.replace(/<(\w+:)?MailboxData>.*?<\/\1MailboxData>/gs, (data) =>
    strangers.includes(mailboxes[position++] as string) ? data : "",
  );
  const reply = await fetch(url, {
    method: "POST",
    headers: { "content-type": "text/xml; charset=utf-8", authorization, ...headers },
    body: question,
  });
  const scope =
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';
  const entries = [...(await reply.text()).matchAll(/<m:FreeBusyResponse>(.*?)<\/m:FreeBusyResponse>/gs)].map((match) =>
    (match[1] as string).replace(/<m:(ResponseMessage|FreeBusyView)\b/g, `<m:$1 ${scope}`),
  );
  return new Map(
    strangers.map((address, i) => [
      address,
      entries[i] ?? errorEntry("ErrorProxyRequestProcessingFailed", "Nothing came back.", 5016),
    ]),
  );
}
