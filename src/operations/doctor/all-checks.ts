/** Every check there is, in the order of docs/doctor.md. */

import { connectionChecks } from "./connection-checks.js";
import type { Check } from "./finding.js";
import { nameChecks } from "./name-checks.js";
import { organizationChecks } from "./organization-checks.js";
import { peopleChecks } from "./people-checks.js";
import type { Probes } from "./probes.js";
import { providerChecks } from "./provider-checks.js";
import { retirementChecks } from "./retirement-checks.js";
import { roundTripChecks } from "./round-trip-checks.js";
import type { SiteFacts } from "./site-facts.js";

export function allChecks(site: SiteFacts, probes: Probes): Check[] {
  const now = () => probes.now();
  return [
    ...organizationChecks(site, probes.workmail, now),
    ...nameChecks(site, probes.names, probes.web),
    ...connectionChecks(site, probes.web, now),
    ...providerChecks(site, probes),
    ...peopleChecks(site, probes),
    ...retirementChecks(site, now),
    ...roundTripChecks(site, probes),
  ];
}
