"""The caldav target: one event or to-do a key, at an address that we choose, so that none is ever made twice."""

from dataclasses import replace
from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component import Answer, Http, Links, Request, Target
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure
from bridge.model import JsonObject, Link, Message, Rate, Receipt, made_at
from bridge.targets.caldav.dav import NOBODY_HERE, Dav, in_trash
from bridge.targets.caldav.discovery import Calendars
from bridge.targets.caldav.objects import NAMES, Wanted, identity
from bridge.targets.caldav.options import CaldavAction, CaldavOptions
from bridge.targets.caldav.played import answer_to

GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
GENERATIONS: Final = 10
"""How many deleted objects of a key in the server's trash are passed over."""


class Caldav(Target[CaldavOptions, CaldavAction]):
    """Keeps one event, or one thing to do, a key: makes it, changes it, cancels it and brings it back.

    A change keeps what the entry does not name, and what people answered. It is written over what was read, and only
    if nobody has changed that meanwhile. Nothing is ever deleted.
    """

    Options = CaldavOptions
    Action = CaldavAction
    main_field = "description"
    rate = Rate(5, 1.0)
    """As much as a small server of a team's own bears, for a change takes two requests."""
    over_http = True
    idempotent = True

    def __init__(self, name: str, options: CaldavOptions) -> None:
        """Prepare the way to the calendar; nothing is asked yet."""
        super().__init__(name, options)
        self._dav = Dav(options)
        self._calendars = Calendars(self._dav, options)

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the object of the message's key to what the entry says."""
        action = self.action(message)
        link = await links.find(message.key)
        calendar = await self._calendars.address(NAMES[action.kind], http)
        for uid in self._identities(message.key, action.kind, link):
            wanted, url = Wanted(uid, action, self.options, made_at(message.delivery_id)), f"{calendar}{uid}.ics"
            known = link is not None and link.data.get("url") == url
            try:
                answer = await self._settled(url, wanted, http, known=known)
            except DeliveryFailure as failure:
                if in_trash(failure):
                    continue
                if failure.status in NOBODY_HERE:
                    self._calendars.forget()
                raise
            return self._receipt(message.key, uid, url, answer)
        raise PermanentFailure("the server keeps too many deleted objects of this key; empty its trash")

    def upserts(self, content: JsonObject) -> bool:
        """Tell that each message replaces what the one before it said of its object."""
        return True

    def link_key(self, message: Message) -> str:
        """Return the message's own key, which has one object."""
        return message.key

    async def probe(self, http: Http) -> str:
        """Ask what the calendar is called, and whether we may write to it."""
        places = await self._calendars.seen(http)
        if not places:
            raise AccessRefused("the address is no calendar; check `url`, or name a `calendar`")
        names = ", ".join(dict.fromkeys(f'"{place.name or place.url}"' for place in places))
        if not all(place.writable for place in places):
            raise AccessRefused(f"the user may only read the calendar {names}")
        return f"writes to the calendar {names}"

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what a server that has the calendar answers."""
        return answer_to(request, self.options, number)

    def preview(self, content: JsonObject) -> str:
        """Return the object as a calendar shows it."""
        action = CaldavAction.model_validate(content)
        span = action.when(ZoneInfo(self.options.timezone))
        said = (
            f"({action.becomes})" if action.becomes not in {"confirmed", "open"} else None,
            action.summary,
            str(span) if span else None,
            f"due {action.due}" if action.due else None,
            action.location,
            ", ".join(action.attendees or ()),
            action.url,
            action.description,
        )
        return "\n".join(filter(None, said))

    def _identities(self, key: str, kind: str, link: Link | None) -> list[str]:
        """Return the UIDs that an object of a key may have, from the one that it has."""
        all_ = [identity(self.name, key, kind, generation) for generation in range(1, GENERATIONS + 1)]
        return all_[all_.index(link.external_id) :] if link and link.external_id in all_ else all_

    async def _settled(self, url: str, wanted: Wanted, http: Http, *, known: bool) -> Answer | None:
        """Make the object, or change it; None if it was to end and is not there."""
        make = not wanted.ends and not wanted.lacking
        if make and not known and (made := await self._made(url, wanted, http)):
            return made
        changed = await self._changed(url, wanted, http)
        if changed or wanted.ends:
            return changed
        if wanted.lacking:
            raise PermanentFailure(f"there is no {wanted.action.kind} yet, and the entry names no `{wanted.lacking}`")
        if made := await self._made(url, wanted, http):
            return made
        raise TransientFailure("somebody made it in the same moment", status=HTTPStatus.PRECONDITION_FAILED)

    async def _made(self, url: str, wanted: Wanted, http: Http) -> Answer | None:
        """Make the object; None if it is there already."""
        try:
            return await self._written(url, wanted.made(), http, If_None_Match="*")
        except TransientFailure as failure:
            if failure.status == HTTPStatus.PRECONDITION_FAILED:
                return None
            raise

    async def _changed(self, url: str, wanted: Wanted, http: Http) -> Answer | None:
        """Change the object; None if there is none. The answer is that of the reading where nothing is to change."""
        try:
            there = await self._dav.call(http, "GET", url, Accept="text/calendar")
        except DeliveryFailure as failure:
            if failure.status in GONE:
                return None
            raise
        body = wanted.changed(there.body)
        if body is None:
            return replace(there, body=b"it is so already")
        etag = there.headers.get("etag", "")
        return await self._written(url, body, http, **({"If_Match": etag} if etag else {}))

    async def _written(self, url: str, body: bytes, http: Http, **condition: str) -> Answer:
        kind = "text/calendar; charset=utf-8"
        return await self._dav.call(http, "PUT", url, body, Content_Type=kind, **condition)

    def _receipt(self, key: str, uid: str, url: str, answer: Answer | None) -> Receipt:
        if answer is None:
            return Receipt(None, "there is nothing to end")
        return Receipt(answer.status, answer.excerpt, (Link(self.name, key, uid, {"url": url}),))
