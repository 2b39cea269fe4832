"""The microsoft_calendar target: one event a key, found again by a mark that nobody sees."""

from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.oauth import RefusedError
from bridge.component.reading import object_in, text_of
from bridge.errors import AccessRefused, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject, Link, Message, Rate, Receipt
from bridge.options import Secret
from bridge.targets.microsoft_calendar.api import Graph
from bridge.targets.microsoft_calendar.event import escape, fields, mark_of, marked
from bridge.targets.microsoft_calendar.options import MicrosoftCalendarAction, MicrosoftCalendarOptions

NO_EVENT: Final = "there is no event to cancel"


class MicrosoftCalendar(Target[MicrosoftCalendarOptions, MicrosoftCalendarAction]):
    """Keeps one event a key: makes it, changes it, takes it out of the calendar and makes it anew.

    Graph gives events ids of its own. That of the link is tried first, then the event with the mark of the key, which
    also covers a crash between Graph's answer and its record; only then one is made (docs/adr/0023).
    """

    Options = MicrosoftCalendarOptions
    Action = MicrosoftCalendarAction
    escapes = {"description": escape}  # noqa: RUF012 (a ClassVar of the base)
    main_field = "description"
    rate = Rate(5, 1.0)
    """A mailbox takes 10 000 requests in ten minutes, and a message may need three."""
    over_http = True
    idempotent = True

    def __init__(self, name: str, options: MicrosoftCalendarOptions) -> None:
        """Prepare the way to the calendar; nothing is asked yet."""
        super().__init__(name, options)
        self._graph = Graph(options)
        self._zone = ZoneInfo(options.timezone)

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._graph.token

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the event of the message's key to what the entry says."""
        action, link = self.action(message), await self._link(message.key, links)
        try:
            if action.status == "cancelled":
                return await self._cancelled(message.key, link, http)
            return await self._kept(message, action, link, http)
        except RefusedError as refusal:
            raise refusal.failure from None

    def upserts(self, content: JsonObject) -> bool:
        """Tell that each message replaces what the one before it said of its event."""
        return True

    def link_key(self, message: Message) -> str:
        """Return the message's own key, which has one event."""
        return message.key

    async def probe(self, http: Http) -> str:
        """Ask for the calendar, which tells whether it may be written to."""
        try:
            calendar = await self._graph.about(http)
        except RefusedError as refusal:
            raise refusal.failure from None
        name = text_of(calendar, "name")
        if calendar.get("canEdit") is not True:
            raise AccessRefused(f'the calendar "{name}" of {self.options.mailbox} may only be read')
        return f'writes to the calendar "{name}" of {self.options.mailbox}'

    def accepted(self, request: Request, number: int) -> Answer:
        """Return an access token, the calendar, or what Graph says of an event; none is there yet."""
        if request.url.startswith(f"{self.options.login_url}/"):
            return Answer(200, {}, json_body({"access_token": "of-a-test", "expires_in": 3599}))
        if request.method == "GET":
            named: JsonObject = {"id": "calendar", "name": self.options.calendar or "Calendar", "canEdit": True}
            return Answer(200, {}, json_body({"value": [] if "/events?" in request.url else [named], **named}))
        return Answer(200, {}, json_body({"id": f"event{number}"}))

    def preview(self, content: JsonObject) -> str:
        """Return the event as the calendar shows it."""
        action = MicrosoftCalendarAction.model_validate(content)
        span = action.when(self._zone)
        said = (
            f"({action.status})" if action.status != "confirmed" else None,
            action.summary,
            str(span) if span else None,
            action.location,
            ", ".join(action.attendees or ()),
            ", ".join(action.categories or ()),
            action.description,
        )
        return "\n".join(filter(None, said))

    async def _link(self, key: str, links: Links) -> Link | None:
        """Return the link of a key; one to another mailbox, before a change of options, is over."""
        link = await links.find(key)
        return link if link and link.data.get("mailbox") == self.options.mailbox else None

    async def _cancelled(self, key: str, link: Link | None, http: Http) -> Receipt:
        """Take the event out of the calendar, if it is there."""
        answer = await self._graph.remove(http, link.external_id) if link else None
        if answer is None and (found := await self._graph.find(http, mark_of(self.name, key))):
            answer = await self._graph.remove(http, found)
        return Receipt(answer.status, "cancelled") if answer else Receipt(None, NO_EVENT)

    async def _kept(self, message: Message, action: MicrosoftCalendarAction, link: Link | None, http: Http) -> Receipt:
        """Change the event, or make it."""
        told = fields(action, self._zone, was_tentative=bool(link and link.data.get("tentative")))
        answer = await self._graph.change(http, link.external_id, told) if link else None
        if answer is None and (found := await self._graph.find(http, mark_of(self.name, message.key))):
            answer = await self._graph.change(http, found, told)
        return self._receipt(message.key, action, answer or await self._made(message, told, http))

    async def _made(self, message: Message, told: JsonObject, http: Http) -> Answer:
        """Make the event."""
        if "start" not in told:
            raise PermanentFailure("there is no event yet, and the entry names no `start`")
        try:
            return await self._graph.make(http, marked(told, mark_of(self.name, message.key), message.delivery_id))
        except RefusedError as refusal:
            if refusal.status != HTTPStatus.CONFLICT:
                raise
        raise TransientFailure("Graph has made the event, and does not show it yet", status=HTTPStatus.CONFLICT)

    def _receipt(self, key: str, action: MicrosoftCalendarAction, answer: Answer) -> Receipt:
        event = object_in(answer.body)
        if not text_of(event, "id"):
            raise UnknownOutcome("the answer is not one of Graph's", status=answer.status, excerpt=answer.excerpt)
        data: JsonObject = {"mailbox": self.options.mailbox, "tentative": action.status == "tentative"}
        if address := text_of(event, "webLink"):
            data["url"] = address
        return Receipt(answer.status, answer.excerpt, (Link(self.name, key, text_of(event, "id"), data),))
