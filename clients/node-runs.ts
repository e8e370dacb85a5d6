/**
 * The clients of Node: ews-javascript-api in three dialects, and node-soap, once from
 * ?wsdl and once the way node-ews goes about it.
 *
 * node-ews itself is not installed: it is abandoned, and stands on `request`, an old `soap`
 * and an old `lodash`, all with known holes. What it does is short, and done here in the same
 * order: fetch three files, append a service to the first by text, ask with node-soap.
 */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ews from "ews-javascript-api";
import soap from "soap";
import {
  ASKED,
  type ClientRun,
  DAYS,
  type Endpoint,
  EVERY_ZONE,
  EXPECTED,
  nextDay,
  type Read,
  utc,
} from "./client-run.js";

const OUTCOME = "every event right; unknown mailbox alone fails";

async function askWithManagedApi(
  version: keyof typeof ews.ExchangeVersion,
  { url, username, password }: Endpoint,
): Promise<readonly Read[][]> {
  const service = new ews.ExchangeService(ews.ExchangeVersion[version] as ews.ExchangeVersion);
  service.Credentials = new ews.WebCredentials(username, password);
  service.Url = new ews.Uri(url);
  const days: Read[][] = [];
  for (const day of DAYS) {
    const start = ews.DateTime.Parse(`${day}T00:00:00`);
    const { AttendeesAvailability } = await service.GetUserAvailability(
      ASKED.map((address) => new ews.AttendeeInfo(address)),
      new ews.TimeWindow(start, start.AddDays(1)),
      ews.AvailabilityData.FreeBusy,
    );
    days.push(
      AttendeesAvailability.Responses.map(({ ErrorCode, CalendarEvents }): Read => {
        if (ErrorCode !== ews.ServiceError.NoError) return ews.ServiceError[ErrorCode] as string;
        return CalendarEvents.map(({ StartTime, EndTime, Details }) => [
          utc(new Date(String(StartTime))),
          utc(new Date(String(EndTime))),
          Details?.Subject ?? "",
        ]);
      }),
    );
  }
  return days;
}

const managedApi = (version: keyof typeof ews.ExchangeVersion): ClientRun => ({
  client: `ews-javascript-api, ${version}`,
  operation: "GetUserAvailability",
  outcome: OUTCOME,
  missing: undefined,
  run: (endpoint) => askWithManagedApi(version, endpoint),
  expected: EXPECTED,
});

interface SoapAnswer {
  readonly FreeBusyResponseArray: {
    readonly FreeBusyResponse: readonly {
      readonly ResponseMessage: { readonly ResponseCode: string };
      readonly FreeBusyView: {
        readonly CalendarEventArray?: {
          readonly CalendarEvent?: readonly {
            readonly StartTime: Date;
            readonly EndTime: Date;
            readonly CalendarEventDetails: { readonly Subject: string };
          }[];
        };
      };
    }[];
  };
}

async function askWithSoap(client: soap.Client, { username, password }: Endpoint) {
  client.setSecurity(new soap.BasicAuthSecurity(username, password));
  client.addSoapHeader({ "t:RequestServerVersion": { attributes: { Version: "Exchange2013" } } });
  const [{ ResponseMessages }] = await client.GetServerTimeZonesAsync({ attributes: { ReturnFullTimeZoneData: true } });
  client.addSoapHeader({ "t:TimeZoneContext": { "t:TimeZoneDefinition": { attributes: { Id: "UTC" } } } });
  const days: Read[][] = [];
  for (const day of DAYS) {
    const [answer]: [SoapAnswer] = await client.GetUserAvailabilityAsync({
      MailboxDataArray: {
        MailboxData: ASKED.map((Address) => ({ Email: { Address }, AttendeeType: "Required" })),
      },
      FreeBusyViewOptions: {
        TimeWindow: { StartTime: `${day}T00:00:00`, EndTime: `${nextDay(day)}T00:00:00` },
        RequestedView: "Detailed",
      },
    });
    days.push(
      answer.FreeBusyResponseArray.FreeBusyResponse.map(({ ResponseMessage, FreeBusyView }): Read => {
        if (ResponseMessage.ResponseCode !== "NoError") return ResponseMessage.ResponseCode;
        return (FreeBusyView.CalendarEventArray?.CalendarEvent ?? []).map((event) => [
          shown(event.StartTime),
          shown(event.EndTime),
          event.CalendarEventDetails.Subject,
        ]);
      }),
    );
  }
  const zones = ResponseMessages.GetServerTimeZonesResponseMessage[0].TimeZoneDefinitions.TimeZoneDefinition.length;
  return { days, zones };
}

/** node-soap takes times without an offset for times of this machine; they were asked for in UTC. */
const shown = (time: Date): string => utc(new Date(time.getTime() - time.getTimezoneOffset() * 60_000));
const credentials = ({ username, password }: Endpoint) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

async function fromWsdl(endpoint: Endpoint): Promise<soap.Client> {
  return soap.createClientAsync(`${endpoint.url}?wsdl`, { wsdl_headers: { authorization: credentials(endpoint) } });
}

async function asNodeEws(endpoint: Endpoint): Promise<soap.Client> {
  const folder = mkdtempSync(join(tmpdir(), "node-ews-"));
  const base = new URL("/ews/", endpoint.url);
  for (const file of ["services.wsdl", "messages.xsd", "types.xsd"]) {
    const reply = await fetch(new URL(file, base), { headers: { authorization: credentials(endpoint) } });
    if (!reply.ok) throw new Error(`${file}: HTTP ${reply.status}`);
    const service = `<wsdl:service name="ExchangeServices"><wsdl:port name="ExchangeServicePort" binding="tns:ExchangeServiceBinding"><soap:address location="${new URL("/EWS/Exchange.asmx", base)}"/></wsdl:port></wsdl:service>`;
    const text = (await reply.text()).replace("</wsdl:definitions>", `${service}</wsdl:definitions>`);
    writeFileSync(join(folder, file), text);
  }
  return soap.createClientAsync(join(folder, "services.wsdl"), {}, endpoint.url);
}

const nodeSoap = (client: string, connect: (endpoint: Endpoint) => Promise<soap.Client>): ClientRun => ({
  client,
  operation: "GetServerTimeZones, GetUserAvailability",
  outcome: OUTCOME,
  missing: undefined,
  run: async (endpoint) => askWithSoap(await connect(endpoint), endpoint),
  expected: { days: EXPECTED, zones: EVERY_ZONE },
});

export const NODE_RUNS: readonly ClientRun[] = [
  managedApi("Exchange2013"),
  managedApi("Exchange2010_SP2"),
  managedApi("Exchange2007_SP1"),
  nodeSoap("node-soap, from ?wsdl", fromWsdl),
  nodeSoap("node-soap, as node-ews does", asNodeEws),
];
