"""Asks a running gateway with exchangelib, signing in with NTLM, and prints what it read as JSON.

usage: exchangelib_ntlm_client.py URL USERNAME PASSWORD YEAR-MONTH-DAY ADDRESS...
"""

import datetime
import json
import sys

from exchangelib import Configuration, Credentials, EWSTimeZone, Version
from exchangelib.errors import EWSError, UnauthorizedError
from exchangelib.protocol import BaseProtocol, Protocol
from exchangelib.version import EXCHANGE_2016

url, username, password, day, *addresses = sys.argv[1:]
BaseProtocol.TIMEOUT = 10
config = Configuration(
    service_endpoint=url,
    credentials=Credentials(username, password),
    auth_type="NTLM",
    version=Version(EXCHANGE_2016),
)
protocol = Protocol(config=config)
start = datetime.datetime.fromisoformat(day).replace(tzinfo=EWSTimeZone("Europe/Berlin"))
people = [(address, "Required", False) for address in addresses]
try:
    # Two questions over the same session: the second goes over the connection that the first has signed in.
    for _ in range(2):
        views = list(protocol.get_free_busy_info(people, start, start + datetime.timedelta(days=1)))
    print(json.dumps([type(view).__name__ if isinstance(view, EWSError) else view.view_type for view in views]))
except UnauthorizedError:
    print(json.dumps("unauthorized"))
