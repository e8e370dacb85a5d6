/** The clients written in Python, or called from it: exchangelib, zeep, and Evolution's library. */

import {
  ALICE,
  ASKED,
  BOB,
  type ClientRun,
  DAYS,
  type Endpoint,
  EVERY_ZONE,
  EXPECTED,
  EXPECTED_PEOPLE,
  NOBODY,
  PYTHON,
  printed,
  type Read,
  scriptPath,
  unlessThere,
  utc,
} from "./client-run.js";

const LIBRARIES = "/usr/lib/python3/dist-packages";
const noExchangelib = unlessThere("python3-exchangelib", `${LIBRARIES}/exchangelib`);
const noZeep = unlessThere("python3-zeep", `${LIBRARIES}/zeep`);
const noEvolution = unlessThere("evolution-ews", "/usr/lib/evolution-ews/libevolution-ews.so");

const python = (script: string, { url, username, password }: Endpoint, ...rest: readonly string[]) =>
  printed(PYTHON, [scriptPath(script), url, username, password, ...rest]);

interface ExchangelibAnswer {
  readonly people: readonly { readonly error?: string; readonly events?: readonly string[][] }[];
}

async function askWithExchangelib(version: string, endpoint: Endpoint): Promise<readonly Read[][]> {
  const days: Read[][] = [];
  for (const day of DAYS) {
    const args = [version, day, "Europe/Berlin", ...ASKED];
    const { people } = (await python("exchangelib_client.py", endpoint, ...args)) as ExchangelibAnswer;
    days.push(
      people.map(
        ({ error, events = [] }): Read =>
          error ??
          events.map(([start = "", end = "", , subject = ""]) => [utc(new Date(start)), utc(new Date(end)), subject]),
      ),
    );
  }
  return days;
}

const exchangelib = (version: string, client: string): ClientRun => ({
  client,
  operation: version === "none" ? "ConvertId, GetServerTimeZones, GetUserAvailability" : "GetUserAvailability",
  outcome: "every event right; unknown mailbox alone fails",
  missing: noExchangelib,
  run: (endpoint) => askWithExchangelib(version, endpoint),
  expected: EXPECTED,
});

export const PYTHON_RUNS: readonly ClientRun[] = [
  exchangelib("2016", "exchangelib, Exchange 2016"),
  exchangelib("2010", "exchangelib, Exchange 2010 SP2"),
  exchangelib("none", "exchangelib, version not given"),
  {
    client: "exchangelib",
    operation: "GetServerTimeZones, all, full data",
    outcome: "all zones read; Berlin's rules right",
    missing: noExchangelib,
    run: (endpoint) => python("exchangelib_zones.py", endpoint),
    expected: { zones: EVERY_ZONE, berlin: [10, 3, -60] },
  },
  {
    client: "zeep, from ?wsdl",
    operation: "GetServerTimeZones, GetUserAvailability",
    outcome: "every event right; unknown mailbox alone fails",
    missing: noZeep,
    run: (endpoint) => python("zeep_client.py", endpoint, ...DAYS, ...ASKED),
    expected: { days: EXPECTED, zones: EVERY_ZONE },
  },
  {
    client: "evolution-ews (its library)",
    operation: "GetUserAvailability, GetServerTimeZones",
    outcome: "every event right; a zone by its id",
    missing: noEvolution,
    run: (endpoint) => python("evolution_client.py", endpoint, ...DAYS, ALICE, BOB),
    expected: { days: EXPECTED_PEOPLE, zones: ["W. Europe Standard Time"] },
  },
  {
    client: "evolution-ews (its library)",
    operation: "GetUserAvailability with an unknown mailbox",
    outcome: "shows the gateway's text, but drops all answers: Evolution's own way",
    missing: noEvolution,
    run: (endpoint) => python("evolution_client.py", endpoint, DAYS[0], ALICE, NOBODY),
    expected: {
      days: [`Unable to resolve e-mail address <>SMTP:${NOBODY} to an Active Directory object. [mailbox-not-found]`],
      zones: ["W. Europe Standard Time"],
    },
  },
];
