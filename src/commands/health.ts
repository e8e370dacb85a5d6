/**
 * `freebusy health`: decides whether the gateway on this machine is alive, for container engines and service managers
 * that can start a program but have no HTTP client. Alive, not ready: a gateway whose backends are down must not be
 * started again for it.
 */

import { ended } from "./ended.js";

const WITHIN_MS = 4000;

/** `management`: the management listener's address. Sets the exit code: 0 alive, 1 not. */
export async function health(management: string): Promise<void> {
  try {
    const reply = await fetch(new URL("/healthz", management), { signal: AbortSignal.timeout(WITHIN_MS) });
    if (reply.ok) return void process.stdout.write("alive\n");
    ended(1, `freebusy: ${management} answered with HTTP ${reply.status}\n`);
  } catch (error) {
    const code = ((error as Error).cause as { code?: string } | undefined)?.code ?? (error as Error).name;
    ended(1, `freebusy: no gateway answers at ${management} (${code})\n`);
  }
}
