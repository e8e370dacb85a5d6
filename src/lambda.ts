/** The entry file for AWS Lambda: exports the handler. No logic. */

import { composeLambda } from "./compose-lambda.js";

export const handler = composeLambda({ ...process.env });
