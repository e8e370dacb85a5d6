/** Decides where commands find the running gateway's management listener, and what they say when nobody answers there. */

import { ConfigurationError, managementUrl } from "../config/load-configuration.js";
import { ended } from "./ended.js";
import { usage } from "./usage.js";

/** What the command line says about where the gateway is. */
export interface Whereabouts {
  readonly config?: string | undefined;
  readonly management?: string | undefined;
}

/** Where the running gateway is asked. Undefined, after saying why, when nobody can tell. */
export function managementOf(command: string, values: Whereabouts): string | undefined {
  let management: string | undefined;
  try {
    management = values.management ?? (values.config === undefined ? undefined : managementUrl(values.config));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    ended(2, `${error.message}\n`);
    return undefined;
  }
  if (management === undefined) usage(`${command} needs --config FILE or --management URL`);
  else if (URL.canParse(management)) return management;
  else usage(`--management: '${management}' is no URL such as http://127.0.0.1:9090`);
  return undefined;
}

export async function replyOf(url: URL, method: "GET" | "POST"): Promise<Response | undefined> {
  try {
    return await fetch(url, { method, signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    const code = ((error as Error).cause as { code?: string } | undefined)?.code ?? (error as Error).name;
    ended(
      1,
      `freebusy: no gateway answers at ${url.origin} (${code}). Start it, or name its management listener with --management.\n`,
    );
    return undefined;
  }
}

export function refused(url: URL, reply: Response): void {
  ended(1, `freebusy: ${url.origin} answered with HTTP ${reply.status}\n`);
}
