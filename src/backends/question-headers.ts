/** Decides what every question to a backend carries, whatever proves who asks. */

import { HOP_HEADER, USER_AGENT } from "../proxy/own-marks.js";

export const QUESTION_HEADERS = {
  "content-type": "text/xml; charset=utf-8",
  accept: "text/xml",
  "user-agent": USER_AGENT,
  [HOP_HEADER]: "1",
} as const;
