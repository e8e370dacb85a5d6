/**
 * Decides what SOAP Autodiscover is asked: GetUserSettings for mailboxes or GetDomainSettings
 * for domains, with the settings that are wanted. Everything else is a fault.
 *
 * The body's element decides, whatever SOAPAction or wsa:Action say, so that no header can
 * get something else executed than what is read. WS-Security is refused: half of it would
 * invite signature wrapping.
 *
 * Shapes: the pages "GetUserSettings operation (SOAP)", "GetDomainSettings operation (SOAP)".
 */

import { RequestFault } from "../availability/request-fault.js";
import { childrenNamed, malformed, type RequestElement, readRequestTree } from "./request-tree.js";

const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const AUTODISCOVER = "http://schemas.microsoft.com/exchange/2010/Autodiscover";
const ADDRESSING = "http://www.w3.org/2005/08/addressing";
const UNDERSTOOD: Readonly<Record<string, readonly string[]>> = {
  [AUTODISCOVER]: ["RequestedServerVersion"],
  [ADDRESSING]: ["Action", "To", "MessageID", "ReplyTo"],
};
const SUBJECTS = {
  GetUserSettings: ["Users", "User", "Mailbox"],
  GetDomainSettings: ["Domains", "Domain", undefined],
} as const;

export type SoapOperation = keyof typeof SUBJECTS;

export interface SettingsQuestion {
  readonly operation: SoapOperation;
  /** Mailboxes or domains, as written. */
  readonly subjects: readonly string[];
  readonly settings: readonly string[];
  /** To be referred to in the answer; only when it is plain text of reasonable length. */
  readonly messageId: string | undefined;
}

/** What is asked, or a {@link RequestFault}. */
export function readSettingsQuestion(bytes: Buffer): SettingsQuestion {
  const envelope = readRequestTree(bytes);
  if (envelope.name !== "Envelope" || envelope.namespace !== SOAP) {
    throw malformed(`the root element is ${envelope.name}; a SOAP 1.1 Envelope (${SOAP}) is expected`);
  }
  const headers = childrenNamed(envelope, SOAP, "Header").flatMap(({ children }) => children);
  for (const header of headers) mustBeUnderstood(header);
  const bodies = childrenNamed(envelope, SOAP, "Body").flatMap(({ children }) => children);
  const [message, ...more] = bodies;
  if (message === undefined || more.length > 0) throw malformed("the Body does not hold exactly one element");
  const operation = operationOf(message);
  const [listName, itemName, valueName] = SUBJECTS[operation];
  const requests = childrenNamed(message, AUTODISCOVER, "Request");
  const inside = (list: string, item: string) =>
    requests
      .flatMap((request) => childrenNamed(request, AUTODISCOVER, list))
      .flatMap((element) => childrenNamed(element, AUTODISCOVER, item));
  const items = inside(listName, itemName);
  // An item without its value still gets an answer of its own: answers are matched by position.
  const subjects = items.map((item) =>
    valueName === undefined ? item.text : (childrenNamed(item, AUTODISCOVER, valueName)[0]?.text ?? ""),
  );
  const settings = inside("RequestedSettings", "Setting").map(({ text }) => text);
  const messageId = headers.find(({ namespace, name }) => namespace === ADDRESSING && name === "MessageID")?.text;
  return { operation, subjects, settings, messageId: /^[!-~]{1,200}$/.test(messageId ?? "") ? messageId : undefined };
}

function operationOf({ name, namespace }: RequestElement): SoapOperation {
  const operation = Object.keys(SUBJECTS).find((known) => name === `${known}RequestMessage`);
  if (operation !== undefined && namespace === AUTODISCOVER) return operation as SoapOperation;
  throw new RequestFault(
    "unknown-operation",
    operation === undefined
      ? `${name} is not offered here. This gateway answers GetUserSettings and GetDomainSettings only.`
      : `${name} is not in the Autodiscover namespace (${AUTODISCOVER}).`,
  );
}

function mustBeUnderstood({ name, namespace, attributes }: RequestElement): void {
  const essential = [...attributes].some(
    ([attribute, value]) => attribute.endsWith(":mustUnderstand") && (value === "1" || value === "true"),
  );
  const understood = UNDERSTOOD[namespace]?.includes(name) === true;
  if ((essential && !understood) || (name === "Security" && !understood)) {
    throw new RequestFault("must-understand", `The SOAP header ${name} is not understood here.`);
  }
}
