/** Decides what can be configured about the gateway as an AWS Lambda function: whom WorkMail is, when it calls. */

import { z } from "zod";

export const lambda = z
  .strictObject({
    caller: z
      .string()
      .describe("The name in callers that stands for WorkMail. AWS has signed it in: it needs no password."),
  })
  .optional()
  .describe("For the gateway as WorkMail's custom availability provider in AWS Lambda.");
