"""Google Calendar over HTTP: one request, and what its refusal means.

The reasons are those of https://developers.google.com/workspace/calendar/api/guides/errors, in the answer's body.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from bridge.component import Answer, Http, Request
from bridge.component.http import json_body
from bridge.component.oauth import Bearer
from bridge.component.reading import object_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.model import JsonObject
from bridge.options import Secret
from bridge.targets.google_calendar.options import GoogleCalendarOptions

SCOPE: Final = "https://www.googleapis.com/auth/calendar.events"
"""To read and change events, and nothing else (https://developers.google.com/workspace/calendar/api/auth)."""
TOO_FAST: Final = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "calendarUsageLimitsExceeded", "dailyLimitExceeded"}
)
"""Reasons of a 403 that pass with time."""
OF_THE_EVENT: Final = frozenset({"forbiddenForNonOrganizer", "forbiddenForServiceAccounts"})
"""Reasons of a 403 that another event would not meet."""
SHARE: Final = "share the calendar with the account, with the right to make changes to events"
HINTS: Final = {
    "accessNotConfigured": "enable the Google Calendar API in the project of the account",
    "forbidden": SHARE,
    "forbiddenForNonOrganizer": "only who made the event may change this of it",
    "forbiddenForServiceAccounts": "a service account may invite people only on behalf of a `subject` of its domain",
    "insufficientPermissions": "the consent lacks the scope calendar.events",
    "notFound": SHARE,
    "requiredAccessLevel": SHARE,
}
"""What a person can do about a reason."""


class Calendar:
    """One calendar, as one account sees it."""

    def __init__(self, options: GoogleCalendarOptions) -> None:
        """Take the calendar and the account."""
        self._options = options
        self._tokens = options.tokens(SCOPE)
        self._bearer = Bearer(self._tokens, _sorted)

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._bearer.token

    async def call(
        self, http: Http, method: str, event_id: str = "", body: JsonObject | None = None, etag: str = "", **query: str
    ) -> Answer:
        """Make one request about the calendar's events, or one of them.

        Raises:
            RefusedError: Google said why it did not do it.
            DeliveryFailure: as ``Http.deliver``.
        """
        return await self._bearer.deliver(http, self._request(method, event_id, body, etag, query))

    def _request(
        self, method: str, event_id: str, body: JsonObject | None, etag: str, query: dict[str, str]
    ) -> Request:
        below = f"/{quote(event_id, safe='')}" if event_id else ""
        url = f"{self._options.api_url}/calendars/{quote(self._options.calendar, safe='')}/events{below}"
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return Request(
            method,
            f"{url}?{urlencode(query)}" if query else url,
            {**headers, "If-Match": etag} if etag else headers,
            None if body is None else json_body(body),
            timeout=self._options.timeout,
        )


def _sorted(failure: DeliveryFailure) -> DeliveryFailure:
    """Return what a refusal means for the delivery, in Google's words and with what can be done about it."""
    reason, words = _reason(failure.excerpt)
    hint = HINTS.get(reason)
    told = f"Google refused it: {words or failure.reason}" + (f" ({hint})" if hint else "")
    status, excerpt = failure.status, failure.excerpt
    if status == HTTPStatus.FORBIDDEN and reason in TOO_FAST:
        return TransientFailure(told, status=status, excerpt=excerpt, throttled=True)
    of_us = status == HTTPStatus.NOT_FOUND or (isinstance(failure, AccessRefused) and reason not in OF_THE_EVENT)
    return (AccessRefused if of_us else PermanentFailure)(told, status=status, excerpt=excerpt)


def _reason(excerpt: str) -> tuple[str, str]:
    """Return the reason of a refusal, as a word of Google's and in a sentence of its."""
    error = object_in(excerpt.encode()).get("error")
    if not isinstance(error, dict):
        return "", ""
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return str(first.get("reason", "")), str(error.get("message", ""))
