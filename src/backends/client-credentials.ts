/**
 * Decides how a token is obtained with OAuth 2.0's client credentials (RFC 6749 §4.4): how
 * the client proves who it is, what is believed of the answer, and how a refusal is called.
 *
 * The secret goes to the configured endpoint and nowhere else; of the answer only known
 * words and numbers are repeated.
 */

import type { InstantMs } from "../availability/time-window.js";
import { USER_AGENT } from "../proxy/own-marks.js";
import { type CertificateCredential, clientAssertion } from "./client-assertion.js";
import { type HttpAnswer, TransportError } from "./http-channel.js";
import { HttpPool } from "./http-pool.js";
import { pauseFor, throttles, toldPause } from "./throttling.js";
import { type GrantedToken, TokenError, type TokenGrant } from "./token-source.js";

export type ClientProof =
  | { readonly method: "client_secret_basic"; readonly secret: string }
  | { readonly method: "client_secret_post"; readonly secret: string }
  | ({ readonly method: "private_key_jwt" } & CertificateCredential);

export interface ClientCredentialsOptions {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly proof: ClientProof;
  /** For example `https://outlook.office365.com/.default`. */
  readonly scope?: string | undefined;
  /** AD FS wants the resource named apart from the scope. */
  readonly resource?: string | undefined;
  readonly ca?: string | undefined;
  /** For tests. */
  readonly allowPlainHttp?: boolean;
  readonly now: () => InstantMs;
}

const MAXIMUM_ANSWER_BYTES = 65_536;
/** Servers SHOULD say; those that do not are asked often. */
const UNSAID_LIFETIME_SECONDS = 300;
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** RFC 6749 §5.2 and what Microsoft adds; true: the server does not believe who we are. */
const KNOWN_ERRORS: ReadonlyMap<string, boolean> = new Map([
  ["invalid_client", true],
  ["unauthorized_client", true],
  ["invalid_grant", true],
  ["access_denied", true],
  ["invalid_request", false],
  ["unsupported_grant_type", false],
  ["invalid_scope", false],
  ["invalid_resource", false],
  ["invalid_target", false],
  ["server_error", false],
  ["temporarily_unavailable", false],
]);
/** Microsoft's own numbers, where they tell more than the word. */
const MICROSOFT_SAYS: ReadonlyMap<unknown, string> = new Map([
  [7000215, "the client secret is wrong (AADSTS7000215)"],
  [7000222, "the client secret or certificate has expired (AADSTS7000222)"],
  [700027, "the certificate is not registered with the application (AADSTS700027)"],
  [700016, "the tenant has no such application (AADSTS700016)"],
  [90002, "there is no such tenant (AADSTS90002)"],
]);

export class ClientCredentials implements TokenGrant {
  readonly #options: ClientCredentialsOptions;
  readonly #pool: HttpPool;

  /** Throws when the endpoint is not https, unless that is allowed. */
  constructor(options: ClientCredentialsOptions) {
    const { tokenUrl, ca, allowPlainHttp = false } = options;
    if (tokenUrl.protocol !== "https:" && !(allowPlainHttp && tokenUrl.protocol === "http:")) {
      throw new Error("a token endpoint has to be https");
    }
    this.#options = options;
    this.#pool = new HttpPool({ url: tokenUrl, ca, connections: 1, maximumAnswerBytes: MAXIMUM_ANSWER_BYTES });
  }

  async obtain(signal: AbortSignal): Promise<GrantedToken> {
    const { headers, form } = this.#request();
    const answer = await this.#pool.post(headers, form.toString(), signal).catch((error: unknown) => {
      if (!(error instanceof TransportError)) throw error;
      const { host } = this.#options.tokenUrl;
      throw new TokenError(error.code, { detail: `the token endpoint at ${host} cannot be asked` });
    });
    const said = json(answer);
    if (answer.status === 200) return granted(said);
    throw refusal(answer, said, this.#options.now());
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  #request(): { headers: Record<string, string>; form: URLSearchParams } {
    const { tokenUrl, clientId, proof, scope, resource, now } = this.#options;
    const headers: Record<string, string> = {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      "user-agent": USER_AGENT,
    };
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    if (scope !== undefined) form.set("scope", scope);
    if (resource !== undefined) form.set("resource", resource);
    if (proof.method === "client_secret_basic") {
      // §2.3.1: both parts in the form's own encoding first.
      const pair = `${formEncoded(clientId)}:${formEncoded(proof.secret)}`;
      headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
      return { headers, form };
    }
    form.set("client_id", clientId);
    if (proof.method === "client_secret_post") form.set("client_secret", proof.secret);
    else {
      form.set("client_assertion_type", ASSERTION_TYPE);
      const atSeconds = Math.floor(now() / 1000);
      form.set("client_assertion", clientAssertion(proof, { clientId, audience: tokenUrl.href, atSeconds }));
    }
    return { headers, form };
  }
}

function granted(said: Record<string, unknown>): GrantedToken {
  const { access_token: token, token_type: type, expires_in: seconds = UNSAID_LIFETIME_SECONDS } = said;
  // Some servers write the number as a string.
  const lifetimeMs = typeof seconds === "number" || typeof seconds === "string" ? Number(seconds) * 1000 : Number.NaN;
  if (typeof token !== "string" || typeof type !== "string" || type.toLowerCase() !== "bearer") {
    throw new TokenError("TOKEN_UNUSABLE", { detail: "the token endpoint answered without a bearer token" });
  }
  return { token, lifetimeMs };
}

function refusal(answer: HttpAnswer, { error, error_codes: numbers }: Record<string, unknown>, now: InstantMs) {
  const { status } = answer;
  const known = typeof error === "string" ? KNOWN_ERRORS.get(error) : undefined;
  const microsoft = Array.isArray(numbers) ? numbers.map((number) => MICROSOFT_SAYS.get(number)) : [];
  const why = microsoft.find((text) => text !== undefined);
  return new TokenError(known === undefined ? `HTTP ${status}` : (error as string), {
    refused: known ?? status === 401,
    detail: `the token endpoint answered HTTP ${status}${why === undefined ? "" : `: ${why}`}`,
    retryAfterMs: throttles(answer) ? pauseFor(toldPause(answer, now), 0) : undefined,
  });
}

/** The answer's object; empty when it is none. */
function json({ body }: HttpAnswer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const formEncoded = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
