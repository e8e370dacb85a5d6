/** Asks a gateway that runs, on its management listener, how it is and whom it has seen. */

import { request } from "undici";

const SEEN = /^freebusy_caller_last_seen_timestamp_seconds\{caller="([^"]*)"\} (\S+)$/gm;

interface Readiness {
  readonly status: string;
  readonly backends?: Record<string, { readonly usable: boolean; readonly reason: string }>;
  readonly directories?: Record<string, { readonly from: string; readonly problem: string | null }>;
}

export class ManagementClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async lastSeen(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const text = await this.#text("/metrics", signal);
    return new Map([...text.matchAll(SEEN)].map(([, caller = "", seconds]) => [caller, Number(seconds)]));
  }

  async readiness(signal: AbortSignal) {
    const { status, backends = {}, directories = {} } = JSON.parse(await this.#text("/readyz", signal)) as Readiness;
    return {
      status,
      backends: new Map(
        Object.entries(backends).map(([name, { usable, reason }]) => [name, { usable, detail: reason }]),
      ),
      directories: new Map(
        Object.entries(directories).map(([name, { from, problem }]) => [name, { from, problem: problem ?? undefined }]),
      ),
    };
  }

  async #text(path: string, signal: AbortSignal): Promise<string> {
    const { body } = await request(new URL(path, this.#url), { signal });
    return body.text();
  }
}
