/** What is fuzzed: each reader with the one kind of error it may throw. Everything else it throws is a bug. */

import { readPoxQuestion } from "../../src/autodiscover/pox.js";
import { readSettingsQuestion } from "../../src/autodiscover/soap-request.js";
import { RequestFault } from "../../src/availability/request-fault.js";
import { instant } from "../../src/availability/time-window.js";
import { decodeAnswers } from "../../src/caches/answer-encoding.js";
import { UnreadableBytes } from "../../src/caches/byte-writer.js";
import { LdapMessages, NotLdap } from "../../src/directories/ldap-messages.js";
import { readAvailabilityRequest } from "../../src/ews/get-user-availability-request.js";
import { readBackendAnswer } from "../../src/ews/read-backend-answer.js";
import { readSoapRequest } from "../../src/ews/soap-envelope.js";
import { xmlText } from "../../src/ews/xml-bytes.js";
import { readAvPairs } from "../../src/ntlm/av-pairs.js";
import { NtlmMessageError } from "../../src/ntlm/message-error.js";
import { readAuthenticate, readChallenge, readNegotiate } from "../../src/ntlm/ntlm-messages.js";
import { readCapEvent } from "../../src/workmail-cap/cap-event.js";

export const WINDOW = { start: instant(Date.UTC(2026, 6, 1)), end: instant(Date.UTC(2026, 6, 2)) };
export const ASKED = { backend: "exchange", window: WINDOW, detail: "details", intervalMinutes: 30 } as const;

export interface Target {
  /** The folder of its corpus. */
  readonly name: string;
  read(bytes: Buffer): unknown;
  readonly refusal: new (...given: never[]) => Error;
}

/** One after the other: read when one of them takes it, refused when none does. */
const any =
  (...reads: readonly ((bytes: Buffer) => unknown)[]) =>
  (bytes: Buffer) => {
    const refused: Error[] = [];
    for (const read of reads) {
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof RequestFault || error instanceof NtlmMessageError)) throw error;
        refused.push(error);
      }
    }
    if (refused.length === reads.length) throw refused[0];
  };

export const TARGETS: readonly Target[] = [
  {
    name: "ews-request",
    read: (bytes) => readSoapRequest(xmlText(bytes), (xml, zone) => readAvailabilityRequest(xml, zone)),
    refusal: RequestFault,
  },
  { name: "backend-answer", read: (bytes) => readBackendAnswer(xmlText(bytes), ASKED), refusal: RequestFault },
  { name: "autodiscover", read: any(readPoxQuestion, readSettingsQuestion), refusal: RequestFault },
  {
    name: "cap",
    read: (bytes) => {
      let event: unknown;
      try {
        event = JSON.parse(bytes.toString());
      } catch {
        event = bytes.toString();
      }
      return readCapEvent(event);
    },
    refusal: RequestFault,
  },
  { name: "ntlm", read: any(readNegotiate, readChallenge, readAuthenticate, readAvPairs), refusal: NtlmMessageError },
  { name: "ldap", read: (bytes) => [...new LdapMessages().whole(bytes)], refusal: NotLdap },
  { name: "kept-answer", read: decodeAnswers, refusal: UnreadableBytes },
];
