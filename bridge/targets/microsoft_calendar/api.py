"""Microsoft Graph over HTTP: the calendar, its events, and what refusals mean.

The codes are those of https://learn.microsoft.com/graph/errors and of Exchange behind it, in the answer's body.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from yarl import URL

from bridge.component import Answer, Http, Request
from bridge.component.http import json_body
from bridge.component.oauth import AccessTokens, Bearer, RefusedError
from bridge.component.reading import object_in, text_of
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.model import Json, JsonObject
from bridge.options import Secret, did_you_mean
from bridge.targets.microsoft_calendar.event import PROPERTY
from bridge.targets.microsoft_calendar.options import MicrosoftCalendarOptions

GRANT: Final = "grant the application the permission Calendars.ReadWrite, with the consent of an administrator"
NO_MAILBOX: Final = "there is no such mailbox in the directory, or it has no licence for Exchange Online"
HINTS: Final = {
    "ErrorAccessDenied": GRANT,
    "Authorization_RequestDenied": GRANT,
    "ErrorInvalidUser": NO_MAILBOX,
    "MailboxNotEnabledForRESTAPI": NO_MAILBOX,
    "Request_ResourceNotFound": NO_MAILBOX,
    "ResourceNotFound": NO_MAILBOX,
}
"""What a person can do about a code."""
NOT_NOW: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
"""Somebody changed the same event in the same moment."""
GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
MANY: Final = "200"
"""Calendars that are asked for; a mailbox has a few."""
ROOM: Final = 2**20
"""Bytes for an answer: an event, or the calendars of a mailbox."""


class Graph:
    """One calendar of one mailbox."""

    def __init__(self, options: MicrosoftCalendarOptions) -> None:
        """Take the calendar and the application."""
        self._options = options
        self._tokens = AccessTokens.of(options.client, options.timeout)
        self._bearer = Bearer(self._tokens, _sorted)
        self._calendar = ""

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._bearer.token

    async def make(self, http: Http, event: JsonObject) -> Answer:
        """Make an event; raises as ``call``."""
        return await self.call(http, "POST", await self._events(http), event)

    async def change(self, http: Http, id_: str, changes: JsonObject) -> Answer | None:
        """Change an event, None if there is none; raises as ``call``."""
        return await self._if_there(http, "PATCH", id_, changes)

    async def remove(self, http: Http, id_: str) -> Answer | None:
        """Take an event out of the calendar, None if there is none. Guests are told by Outlook; raises as ``call``."""
        return await self._if_there(http, "DELETE", id_)

    async def find(self, http: Http, mark: str) -> str | None:
        """Return the id of the event that bears a mark; raises as ``call``."""
        wanted = f"singleValueExtendedProperties/any(p:p/id eq '{PROPERTY}' and p/value eq '{mark}')"
        query = {"$filter": wanted, "$select": "id", "$top": "1"}
        found = _values(await self.call(http, "GET", await self._events(http), query=query))
        return text_of(found[0], "id") if found else None

    async def about(self, http: Http) -> JsonObject:
        """Return the calendar: name, id, and whether it may be written to; raises as ``call``.

        Raises:
            AccessRefused: the mailbox has none of that name.
        """
        select = {"$select": "id,name,canEdit"}
        if self._options.calendar is None:
            return object_in((await self.call(http, "GET", "/calendar", query=select)).body)
        known = _values(await self.call(http, "GET", "/calendars", query={**select, "$top": MANY}))
        wanted = self._options.calendar
        by_name = {text_of(each, "name").casefold(): each for each in known}
        found = next((each for each in known if text_of(each, "id") == wanted), by_name.get(wanted.casefold()))
        if found is None:
            hint = did_you_mean(wanted, (text_of(each, "name") for each in known))
            raise AccessRefused(f'the mailbox has no calendar "{wanted}"' + (f"; {hint}" if hint else ""))
        return found

    async def call(
        self,
        http: Http,
        method: str,
        path: str,
        body: JsonObject | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one request about what the mailbox has at a path.

        Raises:
            RefusedError: Graph said why it did not do it.
            DeliveryFailure: as ``Http.deliver``.
        """
        address = URL(f"{self._options.api_url}/users/{quote(self._options.mailbox, safe='')}{path}", encoded=True)
        headers = {"Prefer": 'IdType="ImmutableId"'}  # else the id changes when somebody moves the event
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(
            method,
            str(address.with_query(query) if query else address),
            headers,
            None if body is None else json_body(body),
            timeout=self._options.timeout,
            most=ROOM,
        )
        try:
            return await self._bearer.deliver(http, request)
        except RefusedError as refusal:
            if refusal.status in GONE and path.startswith("/calendars/"):
                self._calendar = ""  # so that a calendar which was made anew is found
            raise

    async def _events(self, http: Http) -> str:
        """Return the path of the calendar's events."""
        if self._options.calendar is None:
            return "/events"
        self._calendar = self._calendar or text_of(await self.about(http), "id")
        return f"/calendars/{quote(self._calendar, safe='')}/events"

    async def _if_there(self, http: Http, method: str, id_: str, body: JsonObject | None = None) -> Answer | None:
        try:
            return await self.call(http, method, f"/events/{quote(id_, safe='')}", body)
        except RefusedError as refusal:
            if refusal.status not in GONE:
                raise
        return None


def _values(answer: Answer) -> list[JsonObject]:
    listed: Json = object_in(answer.body).get("value")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _sorted(failure: DeliveryFailure) -> DeliveryFailure:
    """Return what a refusal means for the delivery, in Microsoft's words and with what can be done about it."""
    error = object_in(failure.excerpt.encode()).get("error")
    said = error if isinstance(error, dict) else {}
    hint = HINTS.get(text_of(said, "code"))
    told = f"Microsoft refused it: {text_of(said, 'message') or failure.reason}" + (f" ({hint})" if hint else "")
    status, excerpt = failure.status, failure.excerpt
    if status in NOT_NOW:
        return TransientFailure(told, status=status, excerpt=excerpt)
    of_us = isinstance(failure, AccessRefused) or status == HTTPStatus.NOT_FOUND
    return (AccessRefused if of_us else PermanentFailure)(told, status=status, excerpt=excerpt)
