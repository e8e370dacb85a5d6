#!/usr/bin/env node
/**
 * The demonstration: both simulated systems and the real gateway in one process, and on
 * the terminal who can be asked and how. Everything but the prints is what a site runs.
 */

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { hash } from "@node-rs/argon2";
import { compose, createLog } from "../src/compose.js";
import { parseConfiguration } from "../src/config/load-configuration.js";
import { calendarFromFile } from "./calendar.js";
import { startSimulator } from "./ews-simulator.js";

// The compiled demo runs from dist/; its calendar stays beside the source.
const CALENDAR = fileURLToPath(new URL("../../simulators/demo-calendar.yaml", import.meta.url));
// Autodiscover publishes an address, so the port has to be known before anybody listens on it.
const port = Number(process.env.DEMO_PORT ?? 8080) || (await freePort());
const managementPort = Number(process.env.DEMO_MANAGEMENT_PORT ?? 9090);

const exchange = await startSimulator({
  style: "exchange",
  calendar: calendarFromFile(CALENDAR, "exchange"),
  accounts: [{ username: "CORP\\svc-freebusy", password: "exchange-demo" }],
});
const workmail = await startSimulator({
  style: "workmail",
  calendar: calendarFromFile(CALENDAR, "workmail"),
  accounts: [{ username: "svc-freebusy@corp.example", password: "workmail-demo" }],
});

const configuration = `
listen: { port: ${port} }
management: { port: ${managementPort}, console: { username: admin, passwordHash: 'env:DEMO_HASH', maximumView: Detailed, timeZone: Europe/Berlin } }
log: { addresses: plain }
autodiscover: { url: 'http://127.0.0.1:${port}/EWS/Exchange.asmx', allowPlainHttp: true }
callers:
  - { name: exchange, usernames: ['CORP\\exchange'], passwordHash: 'env:DEMO_HASH', origin: exchange }
  - { name: workmail, usernames: [workmail@corp.example], passwordHash: 'env:DEMO_HASH', origin: workmail }
  - { name: client, usernames: [client@corp.example], passwordHash: 'env:DEMO_HASH', maximumView: Detailed }
backends:
  exchange: { type: ews, url: '${exchange.url}', username: 'CORP\\svc-freebusy', password: 'env:DEMO_EXCHANGE', allowPlainHttp: true }
  workmail: { type: workmail, url: '${workmail.url}', username: svc-freebusy@corp.example, password: 'env:DEMO_WORKMAIL', allowPlainHttp: true }
directories:
  - { type: probe }
addressSpaces:
  - { domain: corp.example, backend: exchange }
  - { domain: corp.awsapps.com, backend: workmail, rewriteDomain: corp.example }
probes:
  - { name: exchange-to-workmail, as: exchange, mailbox: bob@corp.example }
  - { name: workmail-to-exchange, as: workmail, mailbox: alice@corp.example, everySeconds: 30 }
mailboxes:
  - { address: bob@corp.example, aliases: [bob@corp.awsapps.com], backend: workmail }
  - { address: erin@corp.example, aliases: [erin@corp.awsapps.com], backend: workmail }
`;
const loaded = parseConfiguration("demo", configuration, {
  DEMO_HASH: await hash("demo"),
  DEMO_EXCHANGE: "exchange-demo",
  DEMO_WORKMAIL: "workmail-demo",
});

const gateway = await compose(loaded, createLog(process.env.DEMO_LOG ?? "info"));
try {
  const { ews, management } = await gateway.start();
  const day = new Date().toISOString().slice(0, 10);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  process.stdout.write(`
Free/busy gateway, demonstration. Everything below is simulated but the gateway.

  EWS         ${ews}/EWS/Exchange.asmx
  Operations  ${management}/readyz  ${management}/metrics
  Console     ${management}/console (admin, password: demo)

  Who can be asked (one domain, two systems)
    on Exchange   alice, carol, dave, room-einstein        @corp.example
    on WorkMail   bob, erin                                @corp.example, also @corp.awsapps.com
    nowhere       nobody@corp.example

  Who may ask (password: demo)
    CORP\\exchange           is Exchange: is never sent back to Exchange
    workmail@corp.example   is WorkMail: is never sent back to WorkMail
    client@corp.example     is neither: may ask about everybody

  Try it:

curl -s -u client@corp.example:demo -H 'Content-Type: text/xml; charset=utf-8' ${ews}/EWS/Exchange.asmx -d '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="Exchange2013"/><t:TimeZoneContext><t:TimeZoneDefinition Id="W. Europe Standard Time"/></t:TimeZoneContext></s:Header><s:Body><m:GetUserAvailabilityRequest><m:MailboxDataArray>${["alice@corp.example", "bob@corp.awsapps.com", "nobody@corp.example"].map((address) => `<t:MailboxData><t:Email><t:Address>${address}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData>`).join("")}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${day}T00:00:00</t:StartTime><t:EndTime>${tomorrow}T00:00:00</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>DetailedMerged</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></s:Body></s:Envelope>'

  Who is free when, drawn?

FREEBUSY_PASSWORD=demo node dist/src/main.js lookup alice@corp.example bob@corp.awsapps.com nobody@corp.example --user client@corp.example --url ${ews}

  How does Exchange find this address?

curl -s -u 'CORP\\exchange:demo' -H 'Content-Type: text/xml; charset=utf-8' ${ews}/autodiscover/autodiscover.xml -d '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>bob@corp.awsapps.com</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>'

  Why does a mailbox go where it goes?

node dist/src/main.js explain bob@corp.awsapps.com --as exchange --ask --management ${management}

  Ctrl-C ends it. One log line per lookup follows.

`);
} catch (error) {
  process.stderr.write(
    `The demonstration could not start: ${(error as Error).message}\nDEMO_PORT and DEMO_MANAGEMENT_PORT move its ports.\n`,
  );
  process.exit(1);
}
const stop = async () => {
  await gateway.stop();
  await Promise.all([exchange.close(), workmail.close()]);
};
process.once("SIGINT", () => void stop());
process.once("SIGTERM", () => void stop());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return free;
}
