/** Every real client that is installed asks the real process; what is not installed is skipped and named. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVERY_RUN } from "../../clients/every-run.js";
import { PASSWORD, type Site, startSite } from "../support/gateway-process.js";

const missing = new Set(EVERY_RUN.flatMap((run) => run.missing ?? []));
for (const name of missing) process.stderr.write(`SKIPPED: clients that need ${name} (Debian), not installed\n`);

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

describe("real clients read what the calendars hold, in summer and in winter", () => {
  for (const { client, operation, outcome, missing: needed, run, expected } of EVERY_RUN) {
    it.skipIf(needed !== undefined)(`${client}: ${operation}: ${outcome}`, { timeout: 60_000 }, async () => {
      const endpoint = { url: site.gateway.url, username: "client@corp.example", password: PASSWORD };
      expect(await run(endpoint)).toEqual(expected);
    });
  }
});
