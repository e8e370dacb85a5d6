#!/usr/bin/env node
/** The entry file: hands the command line over. No logic. */

import { runCommandLine } from "./cli.js";
import { VERSION } from "./version.js";

await runCommandLine(process.argv.slice(2), VERSION);
