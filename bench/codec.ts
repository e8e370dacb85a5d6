/**
 * Measures the codec alone, in one process: a backend's large answer read into views and written for a caller, against
 * the fastest general parser merely parsing the same bytes. Reads the answer and the question from files, prints JSON.
 */

import { readFileSync } from "node:fs";
import { parse } from "txml/txml";
import { readAvailabilityRequest } from "../src/ews/get-user-availability-request.js";
import { writeAvailabilityResponse } from "../src/ews/get-user-availability-response.js";
import { readBackendAnswer } from "../src/ews/read-backend-answer.js";
import { readSoapRequest, writeSoapResponse } from "../src/ews/soap-envelope.js";
import { xmlText } from "../src/ews/xml-bytes.js";

const [answerFile, questionFile] = process.argv.slice(2) as [string, string];
const answer = readFileSync(answerFile);
const { body: request } = readSoapRequest(readFileSync(questionFile, "utf8"), (xml, zone) =>
  readAvailabilityRequest(xml, zone),
);
const { query } = request;
if (query === undefined) throw new Error("the question asks about nobody");
const asked = { backend: "exchange", window: query.window, detail: "details", intervalMinutes: 15 } as const;

function ours(): void {
  const read = readBackendAnswer(xmlText(answer), asked);
  if (read.kind !== "answers" || read.answers.length !== query?.mailboxes.length) throw new Error("not read");
  writeSoapResponse(writeAvailabilityResponse(request, read.answers, { workingElsewhere: true }), "Exchange2013");
}

function theirs(): void {
  if (parse(answer.toString()).length === 0) throw new Error("not parsed");
}

function timeOf(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const [a, b]: [number[], number[]] = [[], []];
for (let i = 0; i < 150; i++) {
  const [one, two] = [timeOf(ours), timeOf(theirs)];
  if (i >= 50) {
    a.push(one);
    b.push(two);
  }
}
const median = (list: number[]) => list.sort((x, y) => x - y)[list.length >> 1] as number;
process.stdout.write(JSON.stringify({ ours: median(a), theirs: median(b) }));
