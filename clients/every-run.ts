/** All runs of real clients, in the order of the table. */

import type { ClientRun } from "./client-run.js";
import { DAVMAIL_RUNS } from "./davmail-runs.js";
import { NODE_RUNS } from "./node-runs.js";
import { PYTHON_RUNS } from "./python-runs.js";

export const EVERY_RUN: readonly ClientRun[] = [...PYTHON_RUNS, ...NODE_RUNS, ...DAVMAIL_RUNS];
