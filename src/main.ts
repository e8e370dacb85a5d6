#!/usr/bin/env node
/** The entry file: hands the command line over. No logic. */

import { runCommandLine } from "./cli.js";
import { VERSION } from "./version.js";

// Whoever reads has seen enough: `freebusy reason | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});
await runCommandLine(process.argv.slice(2), VERSION);
