"""Asks a running gateway with exchangelib, and prints what it read as JSON.

usage: exchangelib_client.py URL USERNAME PASSWORD VERSION|none YEAR-MONTH-DAY ZONE ADDRESS...
"""

import datetime
import json
import sys

from exchangelib import Build, Configuration, Credentials, EWSTimeZone, FaultTolerance, Version
from exchangelib.errors import EWSError
from exchangelib.protocol import BaseProtocol
from exchangelib.version import EXCHANGE_2010_SP2, EXCHANGE_2013, EXCHANGE_2016

url, username, password, version, day, zone, *addresses = sys.argv[1:]
versions = {"2010": EXCHANGE_2010_SP2, "2013": EXCHANGE_2013, "2016": EXCHANGE_2016}
BaseProtocol.TIMEOUT = 10
config = Configuration(
    service_endpoint=url,
    credentials=Credentials(username, password),
    auth_type="basic",
    version=Version(versions[version]) if version != "none" else None,
)

from exchangelib.protocol import Protocol  # noqa: E402

tz = EWSTimeZone(zone)
start = datetime.datetime.fromisoformat(day).replace(tzinfo=tz)
end = start + datetime.timedelta(days=1)
protocol = Protocol(config=config)
people = []


def local(value):
    """exchangelib gives naive values for times without offset; they are in the zone that was asked in."""
    return (value.replace(tzinfo=tz) if value.tzinfo is None else value.astimezone(tz)).isoformat()


answers = protocol.get_free_busy_info([(address, "Required", False) for address in addresses], start, end)
for address, view in zip(addresses, answers):
    if isinstance(view, EWSError):
        people.append({"address": address, "error": type(view).__name__})
        continue
    people.append(
        {
            "address": address,
            "view": view.view_type,
            "merged": view.merged,
            "events": [
                [local(event.start), local(event.end), event.busy_type, event.details.subject if event.details else None]
                for event in view.calendar_events or []
            ],
            "working_hours": [[period.weekdays, str(period.start), str(period.end)] for period in view.working_hours or []],
        }
    )
print(json.dumps({"version": protocol.version.api_version, "people": people}))
