/**
 * Asks name servers, those of this machine or others: what people outside are told may be
 * another story than what is told inside.
 */

import { Resolver } from "node:dns/promises";

/** No such name, or none of that kind: an answer, not a failure. */
const NONE = new Set(["ENODATA", "ENOTFOUND", "NXDOMAIN"]);
const LONGEST_CHAIN = 8;

export class NameServers {
  readonly #servers: readonly string[];

  /** IP addresses, with a port or without; none: this machine's own. */
  constructor(servers: readonly string[]) {
    this.#servers = servers;
  }

  mx(domain: string, signal: AbortSignal) {
    return this.#ask(signal, (resolver) => resolver.resolveMx(domain), []);
  }

  async aliases(name: string, signal: AbortSignal): Promise<string[]> {
    const chain: string[] = [];
    for (let next = name; chain.length < LONGEST_CHAIN; ) {
      const [alias] = await this.#ask(signal, (resolver) => resolver.resolveCname(next), []);
      if (alias === undefined || chain.includes(alias)) break;
      chain.push(alias);
      next = alias;
    }
    return chain;
  }

  async services(name: string, signal: AbortSignal): Promise<string[]> {
    const found = await this.#ask(signal, (resolver) => resolver.resolveSrv(name), []);
    return found.map((service) => service.name);
  }

  async #ask<Found>(signal: AbortSignal, ask: (resolver: Resolver) => Promise<Found>, none: Found): Promise<Found> {
    const resolver = new Resolver({ timeout: 3_000, tries: 2 });
    if (this.#servers.length > 0) resolver.setServers([...this.#servers]);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await ask(resolver);
    } catch (error) {
      if (NONE.has((error as { code?: string }).code ?? "")) return none;
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }
}
