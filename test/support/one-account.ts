/** A backend's service accounts when there is one, over a channel that a test brings. */

import { instant } from "../../src/availability/time-window.js";
import type { HttpChannel } from "../../src/backends/http-channel.js";
import { ServiceAccounts } from "../../src/backends/service-accounts.js";

export function oneAccount(channel: HttpChannel): ServiceAccounts {
  const account = { name: "svc", scheme: "basic", current: () => "secret", channel: () => channel };
  return new ServiceAccounts({ accounts: [account], now: () => instant(Date.now()) });
}
