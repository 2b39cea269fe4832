"""The google_calendar target: one event a key, whose id we choose, so that it is made once however often we try."""

from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.oauth import RefusedError
from bridge.component.reading import object_in
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure
from bridge.model import JsonObject, Link, Message, Rate, Receipt
from bridge.options import Secret
from bridge.targets.google_calendar.api import SHARE, Calendar
from bridge.targets.google_calendar.event import escape, event_id, fields, merged
from bridge.targets.google_calendar.options import GoogleCalendarAction, GoogleCalendarOptions

GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
NOTIFY: Final = {"all": "all", "external": "externalOnly", "none": "none"}
WRITERS: Final = frozenset({"writer", "owner"})


class GoogleCalendar(Target[GoogleCalendarOptions, GoogleCalendarAction]):
    """Keeps one event a key: makes it, changes it, cancels it and brings it back.

    A change keeps what the entry does not name, and what people answered. It is written over what was read, and only
    if nobody has changed that meanwhile.
    """

    Options = GoogleCalendarOptions
    Action = GoogleCalendarAction
    escapes = {"description": escape}  # noqa: RUF012 (a ClassVar of the base)
    main_field = "description"
    rate = Rate(5, 1.0)
    """Half of the 600 requests a minute that an account has, for a change takes two."""
    over_http = True
    idempotent = True

    def __init__(self, name: str, options: GoogleCalendarOptions) -> None:
        """Prepare the way to the calendar; nothing is asked yet."""
        super().__init__(name, options)
        self._calendar = Calendar(options)
        self._zone = ZoneInfo(options.timezone)

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._calendar.token

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the event of the message's key to what the entry says."""
        action = self.action(message)
        told = fields(action, self._zone)
        identity = event_id(self.name, message.key)
        known = await links.find(message.key) is not None
        try:
            answer = await self._settled(identity, told, http, known=known)
        except RefusedError as refusal:
            raise refusal.failure from None
        if answer is None:
            return Receipt(None, "there is no event to cancel")
        return Receipt(answer.status, answer.excerpt, (self._link(message.key, identity, answer),))

    def upserts(self, content: JsonObject) -> bool:
        """Tell that each message replaces what the one before it said of its event."""
        return True

    def link_key(self, message: Message) -> str:
        """Return the message's own key, which has one event."""
        return message.key

    async def probe(self, http: Http) -> str:
        """Read one event of the calendar, which tells whose it is and what we may do with it."""
        try:
            answer = await self._calendar.call(http, "GET", maxResults="1")
        except RefusedError as refusal:
            raise refusal.failure from None
        told = object_in(answer.body)
        if told.get("accessRole") not in WRITERS:
            raise AccessRefused(f'the account may only read "{told.get("summary")}" ({SHARE})', status=answer.status)
        return f'writes to the calendar "{told.get("summary")}"'

    def accepted(self, request: Request, number: int) -> Answer:
        """Return an access token, or an event as Google keeps it."""
        if "/calendars/" not in request.url:
            return Answer(200, {}, json_body({"access_token": "of-a-test", "expires_in": 3600}))
        return Answer(200, {}, json_body({"id": f"event{number}", "status": "confirmed", "etag": f'"{number}"'}))

    def preview(self, content: JsonObject) -> str:
        """Return the event as the calendar shows it."""
        action = GoogleCalendarAction.model_validate(content)
        span = action.when(self._zone)
        said = (
            f"({action.status})" if action.status != "confirmed" else None,
            action.summary,
            str(span) if span else None,
            action.location,
            ", ".join(action.attendees or ()),
            action.description,
        )
        return "\n".join(filter(None, said))

    async def _settled(self, identity: str, told: JsonObject, http: Http, *, known: bool) -> Answer | None:
        """Make the event, or change it; None if it was to be cancelled and is not there."""
        cancel = told["status"] == "cancelled"
        if not known and not cancel and (made := await self._made(identity, told, http)):
            return made
        changed = await self._changed(identity, told, http)
        if changed or cancel:
            return changed
        made = await self._made(identity, told, http)
        if made is None:
            raise PermanentFailure("Google keeps the event's id, and does not show the event", status=409)
        return made

    async def _made(self, identity: str, told: JsonObject, http: Http) -> Answer | None:
        """Make the event; None if there is one already, be it cancelled."""
        if "start" not in told:
            raise PermanentFailure("there is no event yet, and the entry names no `start`")
        try:
            return await self._calendar.call(http, "POST", body={"id": identity, **told}, **self._notify())
        except RefusedError as refusal:
            if refusal.status == HTTPStatus.CONFLICT:
                return None
            raise

    async def _changed(self, identity: str, told: JsonObject, http: Http) -> Answer | None:
        """Change the event; None if there is none."""
        try:
            existing = object_in((await self._calendar.call(http, "GET", identity)).body)
        except RefusedError as refusal:
            if refusal.status in GONE:
                return None
            raise
        if told["status"] == existing.get("status") == "cancelled":
            return None
        try:
            return await self._calendar.call(
                http, "PUT", identity, merged(existing, told), str(existing.get("etag", "")), **self._notify()
            )
        except RefusedError as refusal:
            if refusal.status != HTTPStatus.PRECONDITION_FAILED:
                raise
        raise TransientFailure("somebody changed the event in the same moment", status=HTTPStatus.PRECONDITION_FAILED)

    def _notify(self) -> dict[str, str]:
        return {"sendUpdates": NOTIFY[self.options.notify]}

    def _link(self, key: str, identity: str, answer: Answer) -> Link:
        address = object_in(answer.body).get("htmlLink")
        return Link(self.name, key, identity, {"url": address} if isinstance(address, str) else {})
