/**
 * The part of the composition root that builds the console of the management listener: who may
 * see it, and what its pages are filled from. Decides nothing but who is connected to whom.
 */

import type { InstantMs } from "./availability/time-window.js";
import type { TimeZone } from "./availability/time-zone.js";
import type { Lookups } from "./compose-lookups.js";
import { DETAIL, ruleOf } from "./compose-rights.js";
import type { Configuration } from "./config/configuration.js";
import type { Secrets } from "./config/secret-references.js";
import { windowsTimeZone } from "./ews/windows-time-zones.js";
import { CallerAuthenticator } from "./inbound/caller-authentication.js";
import type { ConsoleRouteOptions } from "./inbound/console-routes.js";
import { PasswordAuthentication } from "./inbound/password-authentication.js";
import { BACKOFF, SignInBackoff } from "./inbound/sign-in-backoff.js";
import { TrustedProxies } from "./inbound/trusted-proxies.js";
import { Console } from "./operations/console/console.js";
import type { Overview } from "./operations/console/overview-page.js";
import type { LookupMemory } from "./telemetry/lookup-memory.js";
import { VERSION } from "./version.js";

export type ConsoleSettings = NonNullable<Configuration["management"]["console"]>;

export function composeConsole(
  settings: ConsoleSettings,
  secrets: Secrets,
  recent: LookupMemory,
  { router, answerer, observer, backends }: Lookups,
  overview: () => Promise<Overview>,
  clock: () => InstantMs,
): ConsoleRouteOptions {
  const { username, timeZone } = settings;
  // No caller can be called so: names have no colon.
  const callerName = `console:${username}`;
  const passwordHash = secrets.get("management.console.passwordHash") ?? settings.passwordHash;
  const caller = { name: callerName, origin: undefined, maximumDetail: DETAIL[settings.maximumView] };
  const backoff = new SignInBackoff(BACKOFF, () => performance.now());
  const accounts = [{ caller, usernames: [username], passwordHash }];
  const pages = new Console({
    version: VERSION,
    callerName,
    rule: ruleOf(settings),
    // The schema has checked that there is one.
    zone: { name: timeZone, zone: windowsTimeZone(timeZone) as TimeZone },
    zoneNamed: windowsTimeZone,
    systems: [...backends.keys()],
    overview,
    recent,
    tellAll: () => observer.flush(),
    router,
    answer: (query, asking, id) => answerer.answer(query, asking, id),
    clock,
    now: () => performance.now(),
  });
  return {
    pages,
    observer,
    authenticator: new CallerAuthenticator({
      schemes: [new PasswordAuthentication({ accounts, backoff })],
      standing: [],
      sharesConnection: () => false,
    }),
    // Nobody before the management listener is believed about who asks.
    proxies: new TrustedProxies([]),
  };
}
