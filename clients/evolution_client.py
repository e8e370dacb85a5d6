"""Asks a running gateway with the library of evolution-ews itself, and prints what it read as JSON.

usage: evolution_client.py URL USERNAME PASSWORD YEAR-MONTH-DAY YEAR-MONTH-DAY... ADDRESS...

The library is for Evolution alone: it has no headers to compile against and no introspection, so the few functions
needed are declared here. Evolution hands its answers on as iCalendar; that is what is read.
"""

import ctypes as c
import datetime
import json
import re
import sys

GLOBAL = c.RTLD_GLOBAL
glib = c.CDLL("libglib-2.0.so.0", mode=GLOBAL)
gobject = c.CDLL("libgobject-2.0.so.0", mode=GLOBAL)
camel = c.CDLL("libcamel-1.2.so.64", mode=GLOBAL)
eds = c.CDLL("libedataserver-1.2.so.27", mode=GLOBAL)
ical = c.CDLL("libical-glib.so.3", mode=GLOBAL)
c.CDLL("/usr/lib/evolution-ews/libcamelews-priv.so", mode=GLOBAL)
ews = c.CDLL("/usr/lib/evolution-ews/libevolution-ews.so", mode=GLOBAL)


class List(c.Structure):
    pass


List._fields_ = [("data", c.c_void_p), ("next", c.POINTER(List))]


class Error(c.Structure):
    _fields_ = [("domain", c.c_uint32), ("code", c.c_int), ("message", c.c_char_p)]


class ZoneDefinition(c.Structure):
    _fields_ = [("name", c.c_char_p), ("id", c.c_char_p)]


class FreeBusyQuestion(c.Structure):
    _fields_ = [("period_start", c.c_long), ("period_end", c.c_long), ("user_mails", c.POINTER(List))]


def function(library, name, result, *arguments):
    found = getattr(library, name)
    found.restype = result
    found.argtypes = list(arguments)
    return found


P, S, L = c.c_void_p, c.c_char_p, c.POINTER(List)
append = function(glib, "g_slist_append", L, L, P)
settings_type = function(ews, "camel_ews_settings_get_type", c.c_size_t)
new_object = function(gobject, "g_object_new_with_properties", P, c.c_size_t, c.c_uint, P, P)
set_user = function(camel, "camel_network_settings_set_user", None, P, S)
set_mechanism = function(camel, "camel_network_settings_set_auth_mechanism", None, P, S)
new_source = function(eds, "e_source_new", P, P, P, P)
new_connection = function(ews, "e_ews_connection_new_full", P, P, S, P, c.c_int)
new_parameters = function(eds, "e_named_parameters_new", P)
set_parameter = function(eds, "e_named_parameters_set", None, P, S, S)
set_credentials = function(ews, "e_ews_connection_update_credentials", None, P, P)
get_free_busy = function(ews, "e_ews_connection_get_free_busy_sync", c.c_int, P, c.c_int, P, P, P, P, P)
set_version = function(ews, "e_ews_connection_set_server_version_from_string", None, P, S)
get_zones = function(ews, "e_ews_connection_get_server_time_zones_sync", c.c_int, P, c.c_int, L, P, P, P)
as_text = function(ical, "i_cal_component_as_ical_string", S, P)

url, username, password, *rest = (argument.encode() for argument in sys.argv[1:])
days = [text.decode() for text in rest if b"@" not in text]
addresses = [text for text in rest if b"@" in text]

settings = new_object(settings_type(), 0, None, None)
set_user(settings, username)
set_mechanism(settings, b"PLAIN")
connection = new_connection(new_source(None, None, None), url, settings, 0)
credentials = new_parameters()
set_parameter(credentials, b"username", username)
set_parameter(credentials, b"password", password)
set_credentials(connection, credentials)


def items(link):
    while link:
        yield link.contents.data
        link = link.contents.next


def listed(texts):
    head = None
    for text in texts:
        head = append(head, c.cast(text, P))
    return head


def readable(stamp):
    return datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").strftime("%Y-%m-%dT%H:%M:%SZ")


def read(component):
    text = as_text(component).decode().replace("\r", "").replace("\n ", "")
    lines = re.findall(r"^FREEBUSY;.*?X-SUMMARY=([^;:]*).*:(\w+)/(\w+)$", text, re.MULTILINE)
    return [[readable(start), readable(end), subject] for subject, start, end in lines]


def ask(day):
    start = int(datetime.datetime.fromisoformat(day + "T00:00:00+00:00").timestamp())
    buffers = [c.create_string_buffer(address) for address in addresses]
    question = FreeBusyQuestion(start, start + 86400, listed(buffers))
    found, error = L(), c.POINTER(Error)()
    prepare = c.cast(ews.e_ews_cal_utils_prepare_free_busy_request, P)
    if not get_free_busy(connection, 0, prepare, c.byref(question), c.byref(found), None, c.byref(error)):
        return error.contents.message.decode()
    return [read(component) for component in items(found)]


def zones():
    # Evolution knows the version from opening a mailbox, which comes first in its life; it asks no 2007 for zones.
    set_version(connection, b"Exchange2013")
    # One at a time: of several in one answer Evolution reads the first.
    buffer = c.create_string_buffer(b"W. Europe Standard Time")
    found, error = L(), c.POINTER(Error)()
    if not get_zones(connection, 0, listed([buffer]), c.byref(found), None, c.byref(error)):
        return error.contents.message.decode()
    return [c.cast(item, c.POINTER(ZoneDefinition)).contents.id.decode() for item in items(found)]


print(json.dumps({"days": [ask(day) for day in days], "zones": zones()}))
