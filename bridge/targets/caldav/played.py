"""What a server answers in tests of rules: it has the calendar, and in it whatever is asked for."""

from html import escape

from yarl import URL

from bridge.component import Answer, Request
from bridge.targets.caldav.options import CaldavOptions

CALENDARS = """<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/calendars/played/</d:href>
<d:propstat><d:prop><d:current-user-principal><d:href>/me/</d:href></d:current-user-principal>
<c:calendar-home-set><d:href>/calendars/</d:href></c:calendar-home-set>
<d:resourcetype><d:collection/><c:calendar/></d:resourcetype><d:displayname>{}</d:displayname></d:prop>
<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"""
OBJECT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:played\r\nBEGIN:{0}\r\nUID:{1}\r\nEND:{0}\r\nEND:VCALENDAR\r\n"


def answer_to(request: Request, options: CaldavOptions, number: int) -> Answer:
    """Return the answer to a request: what a question asks for, an object that is read, or that it is written."""
    if request.method == "PROPFIND":
        return Answer(207, {}, CALENDARS.format(escape(options.calendar or "")).encode())
    if request.method == "GET":
        uid = URL(request.url).name.removesuffix(".ics")
        kind = "VTODO" if uid.startswith("todo-") else "VEVENT"
        return Answer(200, {"etag": f'"{number}"'}, OBJECT.format(kind, uid).encode())
    return Answer(201, {"etag": f'"{number}"'}, b"")
