"""CalDAV over HTTP: one request, what its answer says, and what its refusal means (RFC 4918, RFC 4791)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from xml.etree import ElementTree as ET

from bridge.component import Answer, Http, Request
from bridge.component.http import refusal
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.targets.caldav.options import CaldavOptions

DAV: Final = "{DAV:}"
CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"
QUESTION: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop>{}</d:prop></d:propfind>'
)
MOST: Final = 1024 * 1024
"""Bytes of an answer that are read: an object with all that people added, or the list of all calendars."""
NOBODY_HERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})
"""What servers answer to a write into a calendar that is not there."""
SAME_UID: Final = "no-uid-conflict"
WRONG_KIND: Final = "supported-calendar-component"
HINTS: Final = {
    HTTPStatus.UNAUTHORIZED: "check `username` and `password`: most servers want a password made for apps",
    HTTPStatus.FORBIDDEN: "the user may not write there; check the rights of the calendar",
    HTTPStatus.NOT_FOUND: "there is no such calendar; check `url` and `calendar`",
    HTTPStatus.CONFLICT: "there is no such calendar; check `url` and `calendar`",
    HTTPStatus.METHOD_NOT_ALLOWED: "the address is no calendar; check `url`, or name a `calendar`",
}
"""What a person can do about a status."""
WORDS: Final = re.compile(rb"<(?:\w+:)?message(?:\s[^>]*)?>([^<]+)</")
"""The words of Nextcloud, and of all servers that are made with sabre/dav."""
TRASH: Final = re.compile("trash ?bin|deleted calendar object", re.IGNORECASE)
"""How Nextcloud says that what was deleted still holds its UID."""


@dataclass(frozen=True, slots=True)
class Found:
    """One resource of an answer: its address as the server wrote it, and the properties that it has."""

    href: str
    properties: Mapping[str, ET.Element]

    def text(self, name: str) -> str:
        """Return the text of a property, empty without one."""
        element = self.properties.get(name)
        return (element.text or "").strip() if element is not None else ""

    def address(self, name: str) -> str | None:
        """Return the address that a property holds."""
        element = self.properties.get(name)
        href = element.find(f"{DAV}href") if element is not None else None
        return (href.text or "").strip() or None if href is not None else None

    def holds(self, name: str, inner: str) -> bool:
        """Tell whether a property has such an element inside."""
        element = self.properties.get(name)
        return element is not None and element.find(f".//{inner}") is not None


class Dav:
    """The way to one server, as one user."""

    def __init__(self, options: CaldavOptions) -> None:
        """Take user and password."""
        self._timeout = options.timeout
        self._headers = {"Authorization": f"Basic {options.pair}", "Accept-Encoding": "identity"}
        # Compressing proxies give what they compress another ETag, which the server then does not know.

    def request(self, method: str, url: str, body: bytes | None = None, **headers: str) -> Request:
        """Return a request; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(method, url, {**self._headers, **named}, body, timeout=self._timeout, most=MOST)

    async def call(self, http: Http, method: str, url: str, body: bytes | None = None, **headers: str) -> Answer:
        """Make a request and return its answer, if it is 2xx.

        Raises:
            DeliveryFailure: as ``Http.deliver``, in the server's words and with what can be done about it.
        """
        try:
            return await http.deliver(self.request(method, url, body, **headers))
        except (AccessRefused, PermanentFailure) as failure:
            raise _sorted(failure) from None

    async def ask(self, http: Http, url: str, properties: str, *, below: bool = False) -> Answer:
        """Ask for properties of a resource, or also of those below it; the answer may be a redirect.

        Raises:
            DeliveryFailure: any other refusal.
        """
        kind = "application/xml; charset=utf-8"
        depth = "1" if below else "0"
        request = self.request("PROPFIND", url, QUESTION.format(properties).encode(), Depth=depth, Content_Type=kind)
        answer = await http.call(request)
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST and "location" in answer.headers:
            return answer
        if failure := refusal(answer, datetime.now(UTC)):
            raise _sorted(failure)
        return answer


def read(answer: Answer) -> Iterator[Found]:
    """Yield the resources of an answer to a question for properties.

    Raises:
        PermanentFailure: it is none.
    """
    try:
        if b"<!DOCTYPE" in answer.body:  # one could blow up what is read
            raise ET.ParseError
        told = ET.fromstring(answer.body)  # noqa: S314 (the same)
    except ET.ParseError:
        told = None
    if told is None or told.tag != f"{DAV}multistatus":
        raise PermanentFailure(
            "the server does not answer as one of CalDAV; check `url`", status=answer.status, excerpt=answer.excerpt
        )
    for response in told.iter(f"{DAV}response"):
        yield Found((response.findtext(f"{DAV}href") or "").strip(), dict(_properties(response)))


def _properties(response: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    for group in response.iter(f"{DAV}propstat"):
        if " 200 " in f"{group.findtext(f'{DAV}status')} ":
            yield from ((each.tag, each) for each in group.iterfind(f"{DAV}prop/*"))


def _sorted(failure: DeliveryFailure) -> DeliveryFailure:
    """Return what a refusal means for the delivery, in the server's words and with what can be done about it."""
    status, excerpt = failure.status, failure.excerpt
    words = WORDS.search(excerpt.encode())
    told = f"the server refused it: {words[1].decode().strip() if words else failure.reason}"
    if isinstance(failure, TransientFailure):
        return failure
    if status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.LOCKED}:
        return TransientFailure(told, status=status, excerpt=excerpt)
    if SAME_UID in excerpt:
        return PermanentFailure(f"{told} (another object of the calendar has its UID)", status=status, excerpt=excerpt)
    if WRONG_KIND in excerpt:
        return PermanentFailure(f"{told} (the calendar does not take this kind)", status=status, excerpt=excerpt)
    hint = HINTS.get(HTTPStatus(status)) if status in list(HTTPStatus) else None
    told += f" ({hint})" if hint else ""
    of_us = isinstance(failure, AccessRefused) or status in NOBODY_HERE
    return (AccessRefused if of_us else PermanentFailure)(told, status=status, excerpt=excerpt)


def in_trash(failure: DeliveryFailure) -> bool:
    """Tell whether the server keeps a deleted object of this UID, and lets none be made under it."""
    return (
        failure.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN} and TRASH.search(failure.excerpt) is not None
    )
