"""Discovers a running gateway with exchangelib, asks it for free/busy, and prints what it read as JSON.

usage: exchangelib_autodiscover_client.py pox|soap PORT MAILBOX USERNAME PASSWORD YEAR-MONTH-DAY ADDRESS...

Every name ends at 127.0.0.1, and port 443 at PORT; only autodiscover.DOMAIN is in this script's DNS, so that
exchangelib goes from its first step to its second. REQUESTS_CA_BUNDLE names the authority.
"""

import datetime
import json
import socket
import sys

import dns.resolver

wire, port, mailbox, username, password, day, *addresses = sys.argv[1:]
domain = mailbox.split("@")[1]


def loopback(host, service, *_, **__):
    if not str(host).endswith("corp.example") or int(service) != 443:
        raise socket.gaierror(f"{host}:{service} is not for this test")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]


def resolve(_, name, kind="A", *__, **___):
    if kind == "A" and str(name) == f"autodiscover.{domain}.":
        return []
    raise dns.resolver.NXDOMAIN()


socket.getaddrinfo = loopback
dns.resolver.Resolver.resolve = resolve

from exchangelib import Credentials, EWSTimeZone  # noqa: E402
from exchangelib.autodiscover.discovery.pox import PoxAutodiscovery  # noqa: E402
from exchangelib.autodiscover.discovery.soap import SoapAutodiscovery  # noqa: E402
from exchangelib.errors import EWSError  # noqa: E402
from exchangelib.protocol import BaseProtocol  # noqa: E402

BaseProtocol.TIMEOUT = 10
discovery = {"pox": PoxAutodiscovery, "soap": SoapAutodiscovery}[wire](mailbox, Credentials(username, password))
try:
    found, protocol = discovery.discover()
except EWSError as error:
    print(json.dumps({"error": type(error).__name__}))
    sys.exit()
start = datetime.datetime.fromisoformat(day).replace(tzinfo=EWSTimeZone("Europe/Berlin"))
views = protocol.get_free_busy_info(
    [(address, "Required", False) for address in addresses], start, start + datetime.timedelta(days=1)
)
people = [
    type(view).__name__
    if isinstance(view, EWSError)
    else [event.details.subject if event.details else event.busy_type for event in view.calendar_events or []]
    for view in views
]
print(
    json.dumps(
        {
            "mailbox": found.autodiscover_smtp_address,
            "endpoint": protocol.service_endpoint,
            "version": protocol.version.api_version,
            "people": people,
        }
    )
)
