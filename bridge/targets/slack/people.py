"""Who is mentioned: e-mail addresses as they are known in the CRM, and the people of the workspace who have them.

An event may bring any address, and any name beside it. Neither mentions anybody but who has just that address.
"""

import re
from collections.abc import Sequence
from time import monotonic
from typing import Final, NamedTuple

from bridge.component import Http
from bridge.errors import DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.slack.api import asked_as, reply_of
from bridge.targets.slack.options import SlackOptions
from bridge.targets.slack.refusals import RefusedError, Wish
from bridge.targets.slack.text import escape

KNOWN_FOR: Final = 3600.0
"""Seconds in which nobody is asked whose an address is."""
UNKNOWN_FOR: Final = 300.0
"""Seconds in which nobody is asked again for an address that nobody has: somebody may join."""
MOST_KEPT: Final = 1000
WRITTEN: Final = re.compile(r"(?:(?P<name>[^<>]*)<)?\s*(?P<address>[^\s<>,;@]+@[^\s<>,;@]+)\s*>?")
USER: Final = re.compile(r"[UW][A-Z0-9]+")
LOOKING: Final = Wish(about_people=True)


class Person(NamedTuple):
    """Somebody as an entry names them: by an address, a name, or both."""

    name: str
    address: str | None

    @property
    def shown(self) -> str:
        """Return what they are called where they cannot be mentioned."""
        return self.name or self.address or ""


class Mentions(NamedTuple):
    """What stands for people in a message, and why some of them are not mentioned."""

    text: str = ""
    notes: tuple[str, ...] = ()


class _Found(NamedTuple):
    user: str | None
    why_not: str
    until: float


def person(written: str) -> Person:
    """Return who is meant by ``ana@example.com`` or ``Ana Souza <ana@example.com>``; anything else is a name."""
    one = " ".join(written.split())
    found = WRITTEN.fullmatch(one)
    if not found or (found["name"] is not None) != one.endswith(">"):
        return Person(one, None)
    return Person((found["name"] or "").strip(), found["address"])


def named(people: Sequence[str]) -> str:
    """Return people as they are called where none can be mentioned."""
    return " ".join(escape(person(each).shown) for each in people)


class People:
    """The people of a workspace, by their addresses."""

    def __init__(self, options: SlackOptions) -> None:
        """Know nobody yet."""
        self._options = options
        self._known: dict[str, _Found] = {}

    async def mentions(self, people: Sequence[str], http: Http) -> Mentions:
        """Return mentions of people; who is not found goes by name.

        Raises:
            DeliveryFailure: it could not be found out now, or the token is refused; nothing was posted.
        """
        texts, notes = [], []
        for each in dict.fromkeys(map(person, people)):
            found = await self._found(each, http)
            texts.append(f"<@{found.user}>" if found.user else escape(each.shown))
            notes += [] if found.user else [f"{each.shown} is not mentioned: {found.why_not}"]
        return Mentions(" ".join(texts), tuple(notes))

    async def _found(self, each: Person, http: Http) -> _Found:
        if each.address is None:
            return _Found(None, "no e-mail address", 0)
        key, now = each.address.casefold(), monotonic()
        kept = self._known.get(key)
        if kept is None or kept.until <= now:
            kept = await self._asked(each.address, now, http)
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = kept
        return kept

    async def _asked(self, address: str, now: float, http: Http) -> _Found:
        try:
            reply = reply_of(await asked_as(LOOKING, self._options, "users.lookupByEmail", {"email": address}, http))
        except RefusedError as refusal:
            failure: DeliveryFailure = refusal.failure
        except DeliveryFailure as lost:
            failure = lost
        else:
            return _found_in(reply, now)
        if isinstance(failure, PermanentFailure):
            return _Found(None, failure.reason, now + UNKNOWN_FOR)
        if isinstance(failure, UnknownOutcome):  # of a question: it does no harm to ask again
            reason = f"who has {address} could not be looked up: {failure.reason}"
            raise TransientFailure(reason, status=failure.status, excerpt=failure.excerpt)
        raise failure


def _found_in(reply: JsonObject, now: float) -> _Found:
    user = reply.get("user")
    found = str(user.get("id")) if isinstance(user, dict) else ""
    if not USER.fullmatch(found):
        return _Found(None, "Slack names no user", now + UNKNOWN_FOR)
    return _Found(found, "", now + KNOWN_FOR)
