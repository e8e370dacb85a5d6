/**
 * Decides what is answered to EWS operations that are not GetUserAvailability: those that
 * clients insist on before they ask it, as far as a server without mailboxes can, and one
 * clear fault for all others.
 *
 * No folder is ever made up: a client that believed in an empty one could go on to delete
 * what it holds of the real one. So GetFolder and ConvertId are answered id by id, each with
 * the error Exchange has for an account without a mailbox.
 */

import { RequestFault } from "../availability/request-fault.js";
import { answerServerTimeZones } from "./server-time-zones.js";
import { localName, malformed } from "./soap-envelope.js";
import type { XmlCursor } from "./xml-cursor.js";

const MOST_IDS = 200;

/**
 * The response element for the operation the cursor stands on, or a promise of it that never rejects; throws a
 * {@link RequestFault}. `year` is the current one.
 */
export function answerOtherOperation(xml: XmlCursor, year: number): string | Promise<string> {
  switch (xml.name()) {
    case "m:GetServerTimeZones":
      return answerServerTimeZones(xml, year);
    case "m:ConvertId":
      return noneOf(xml, "ConvertId", "m:SourceIds", "ErrorInvalidOperation");
    case "m:GetFolder":
      return noneOf(xml, "GetFolder", "m:FolderIds", "ErrorNonExistentMailbox");
    default:
      if (!xml.name().startsWith("m:")) {
        throw malformed(
          `the Body holds ${localName(xml)}, which is not in the EWS messages namespace (http://schemas.microsoft.com/exchange/services/2006/messages)`,
        );
      }
      throw new RequestFault(
        "unknown-operation",
        `The operation ${localName(xml)} is not offered here. This gateway answers GetUserAvailability only.`,
      );
  }
}

/** An error for every id in the list; clients take the answers by position, and some ask about none to see the version. */
function noneOf(xml: XmlCursor, operation: string, list: string, code: string): string {
  const depth = xml.depth;
  let count = 0;
  while (xml.nextChild(depth)) {
    if (xml.name() !== list) continue;
    while (xml.nextChild(depth + 1)) count++;
  }
  if (count > MOST_IDS) throw malformed(`more than ${MOST_IDS} ids`);
  const message = `<m:${operation}ResponseMessage ResponseClass="Error"><m:MessageText>This gateway answers questions about free/busy time. It holds no mailboxes, no folders and no items.</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey></m:${operation}ResponseMessage>`;
  return `<m:${operation}Response><m:ResponseMessages>${message.repeat(Math.max(1, count))}</m:ResponseMessages></m:${operation}Response>`;
}
