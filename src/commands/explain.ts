/**
 * `freebusy explain`: asks the running gateway why a mailbox goes where it goes. Exit codes: 0 told, 1 nobody answers,
 * 2 the command line is wrong, 3 nobody would be asked, or what was asked failed.
 */

import { explanationText } from "../operations/explanation-text.js";
import type { RouteExplanation } from "../proxy/explain-route.js";
import { managementOf, refused, replyOf, type Whereabouts } from "./running-gateway.js";
import { usage } from "./usage.js";

export interface ExplainOptions extends Whereabouts {
  readonly as?: string | undefined;
  readonly ask?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export async function explain(address: string | undefined, values: ExplainOptions): Promise<void> {
  if (address === undefined) return usage("explain needs an ADDRESS");
  const management = managementOf("explain", values);
  if (management === undefined) return;
  const url = new URL(`/routes/${encodeURIComponent(address)}`, management);
  if (values.as !== undefined) url.searchParams.set("as", values.as);
  if (values.ask) url.searchParams.set("ask", "1");
  const reply = await replyOf(url, "GET");
  if (reply === undefined) return;
  if (reply.status === 400) {
    const { known } = (await reply.json()) as { known: string[] };
    usage(`--as: there is no system '${values.as}'. Known: ${known.join(", ")}`);
  } else if (!reply.ok) refused(url, reply);
  else {
    const explanation = (await reply.json()) as RouteExplanation;
    process.stdout.write(values.json ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation));
    const { decision, asked } = explanation;
    if (asked === undefined ? decision.kind === "failure" : asked.result !== "a view") process.exitCode = 3;
  }
}
