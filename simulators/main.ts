/** Runs one simulated system as a process of its own. No logic. */

import { parseArgs } from "node:util";
import { calendarFromFile } from "./calendar.js";
import { startSimulator } from "./ews-simulator.js";

const HELP = `Usage: node dist/simulators/main.js --style exchange|workmail --calendar FILE --user NAME --password-env VAR
                                    [--port N] [--host ADDRESS] [--latency MS]
While it runs, PUT /simulator/behaviour changes how it behaves: {"mode": "busy"}, {"latencyMs": 500}, …
`;

const { values } = parseArgs({
  options: {
    style: { type: "string" },
    calendar: { type: "string" },
    user: { type: "string" },
    "password-env": { type: "string" },
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    latency: { type: "string", default: "0" },
    help: { type: "boolean", short: "h" },
  },
});
const { style, calendar, user, "password-env": variable } = values;
const password = variable === undefined ? undefined : process.env[variable];
if (values.help) process.stdout.write(HELP);
else if ((style !== "exchange" && style !== "workmail") || !calendar || !user || !password) {
  process.stderr.write(HELP);
  process.exitCode = 2;
} else {
  const simulator = await startSimulator({
    style,
    calendar: calendarFromFile(calendar, style),
    accounts: [{ username: user, password }],
    port: Number(values.port),
    host: values.host,
  });
  simulator.behaviour.latencyMs = Number(values.latency);
  process.stdout.write(`listening on ${simulator.url}\n`);
  process.once("SIGTERM", () => void simulator.close());
  process.once("SIGINT", () => void simulator.close());
}
