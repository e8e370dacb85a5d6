"""Reads every zone of a running gateway with exchangelib, rules and all, and prints what it made of them as JSON.

usage: exchangelib_zones.py URL USERNAME PASSWORD
"""

import json
import sys

from exchangelib import Configuration, Credentials, Version
from exchangelib.protocol import BaseProtocol, Protocol
from exchangelib.version import EXCHANGE_2016

url, username, password = sys.argv[1:]
BaseProtocol.TIMEOUT = 10
config = Configuration(
    service_endpoint=url,
    credentials=Credentials(username, password),
    auth_type="basic",
    version=Version(EXCHANGE_2016),
)
zones = list(Protocol(config=config).get_timezones(return_full_timezone_data=True))
berlin = next(zone for zone in zones if zone.id == "W. Europe Standard Time")
for zone in zones:
    # Raises where it cannot make rules of a definition. A year that is over: what is to come changes with the data, and it
    # refuses more than two changes a year, as Morocco may have.
    zone.get_std_and_dst(2025)
standard, daylight, _ = berlin.get_std_and_dst(2025)
print(json.dumps({"zones": len(zones), "berlin": [standard.iso_month, daylight.iso_month, daylight.bias]}))
