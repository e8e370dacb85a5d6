"""Asks a running gateway with zeep, knowing nothing but its WSDL, and prints what it read as JSON.

usage: zeep_client.py URL USERNAME PASSWORD YEAR-MONTH-DAY YEAR-MONTH-DAY... ADDRESS...
"""

import datetime
import json
import sys

from requests import Session
from requests.auth import HTTPBasicAuth
from zeep import Client
from zeep.transports import Transport

url, username, password, *rest = sys.argv[1:]
days = [text for text in rest if "@" not in text]
addresses = [text for text in rest if "@" in text]
session = Session()
session.auth = HTTPBasicAuth(username, password)
client = Client(url + "?wsdl", transport=Transport(session=session, timeout=10))
TYPES = "{http://schemas.microsoft.com/exchange/services/2006/types}"
headers = [
    client.get_element(TYPES + "RequestServerVersion")(Version="Exchange2013"),
    client.get_element(TYPES + "TimeZoneContext")(TimeZoneDefinition={"Id": "UTC"}),
]


def read(response):
    if response.ResponseMessage.ResponseClass == "Error":
        return response.ResponseMessage.ResponseCode
    return [
        [event.StartTime.isoformat() + "Z", event.EndTime.isoformat() + "Z", event.CalendarEventDetails.Subject]
        for event in response.FreeBusyView.CalendarEventArray.CalendarEvent
    ]


def ask(day):
    start = datetime.datetime.fromisoformat(day)
    answer = client.service.GetUserAvailability(
        MailboxDataArray={
            "MailboxData": [{"Email": {"Address": address}, "AttendeeType": "Required"} for address in addresses]
        },
        FreeBusyViewOptions={
            "TimeWindow": {"StartTime": start, "EndTime": start + datetime.timedelta(days=1)},
            "RequestedView": "Detailed",
        },
        _soapheaders=headers,
    )
    return [read(response) for response in answer.body.FreeBusyResponseArray.FreeBusyResponse]


zones = client.service.GetServerTimeZones(ReturnFullTimeZoneData=True, _soapheaders=headers[:1])
definitions = zones.body.ResponseMessages.GetServerTimeZonesResponseMessage[0].TimeZoneDefinitions.TimeZoneDefinition
print(json.dumps({"days": [ask(day) for day in days], "zones": len(definitions)}))
