"""Finding a calendar by its name: RFC 6764 from the server to who we are, RFC 4791 from there to the calendars."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from yarl import URL

from bridge.component import Answer, Http
from bridge.errors import AccessRefused, DeliveryFailure, TransientFailure, UnknownOutcome
from bridge.targets.caldav.dav import CALDAV, DAV, Dav, Found, read
from bridge.targets.caldav.options import CaldavOptions

WELL_KNOWN: Final = "/.well-known/caldav"
MOST_REDIRECTS: Final = 5
FAMILIES: Final = {"caldav.icloud.com": "icloud.com"}
"""Servers whose calendars are at others of the same family; any other has them at its own name, or below it."""
ABOUT_CALENDARS: Final = (
    "<d:displayname/><d:resourcetype/><d:current-user-privilege-set/><c:supported-calendar-component-set/>"
)
WRITING: Final = ("write", "write-content", "all")


@dataclass(frozen=True, slots=True)
class Place:
    """One calendar: its address, what it is called, which kinds it takes (none told: all), whether we may write."""

    url: str
    name: str
    kinds: frozenset[str]
    writable: bool

    @property
    def names(self) -> tuple[str, str]:
        """Return what people call it, and the last part of its address."""
        return self.name, URL(self.url).parts[-2]

    def takes(self, kind: str) -> bool:
        """Tell whether it takes objects of a kind, such as ``VEVENT``."""
        return not self.kinds or kind in self.kinds


class Calendars:
    """The calendar of one target, looked for when it is first needed."""

    def __init__(self, dav: Dav, options: CaldavOptions) -> None:
        """Ask nothing yet."""
        self._dav = dav
        self._options = options
        self._known: tuple[Place, ...] = ()
        self._looking = asyncio.Lock()

    async def address(self, kind: str, http: Http) -> str:
        """Return the address of the calendar that takes a kind, with a slash at its end.

        Raises:
            AccessRefused: there is none.
            DeliveryFailure: as ``Http.deliver``; nothing of the message has left.
        """
        return f"{self._options.url}/" if not self._options.calendar else (await self._named(kind, http)).url

    def forget(self) -> None:
        """Look anew next time: the calendar was not where it had been."""
        self._known = ()

    async def seen(self, http: Http) -> tuple[Place, ...]:
        """Return the calendar as the server shows it just now; of one name there may be more, each of a kind.

        Raises:
            DeliveryFailure: as ``address``.
        """
        if self._options.calendar:
            return self._called_so(await self._all(http))
        address = f"{self._options.url}/"
        return tuple(self._places(address, await self._dav.ask(http, address, ABOUT_CALENDARS)))

    async def _named(self, kind: str, http: Http) -> Place:
        async with self._looking:
            try:
                self._known = self._known or self._called_so(await self._all(http))
            except UnknownOutcome as failure:
                raise TransientFailure(f"the calendar was not found: {failure.reason}") from None
        fitting = [place for place in self._known if place.takes(kind)]
        return (fitting or list(self._known))[0]

    def _called_so(self, places: tuple[Place, ...]) -> tuple[Place, ...]:
        name = self._options.calendar or ""
        for read_as in (str, str.casefold):
            if found := tuple(place for place in places if read_as(name) in map(read_as, place.names)):
                return found
        names = ", ".join(f'"{place.name}"' for place in places) or "none"
        raise AccessRefused(f'the server shows no calendar "{name}"; it has: {names}')

    async def _all(self, http: Http) -> tuple[Place, ...]:
        who = await self._principal(http)
        home = await self._property(http, who, "<c:calendar-home-set/>", f"{CALDAV}calendar-home-set")
        if home is None:
            raise AccessRefused("the server does not say where the user's calendars are")
        url, answer = await self._asked(http, home, ABOUT_CALENDARS, below=True)
        return tuple(self._places(url, answer))

    async def _principal(self, http: Http) -> str:
        """Return the address of who we are at the server: asked where the options say, and where RFC 6764 does."""
        given = URL(self._options.url)
        places = [self._options.url + ("" if given.path != "/" else "/"), str(given.with_path(WELL_KNOWN))]
        failure: DeliveryFailure | None = None
        for place in reversed(places) if given.path == "/" else places:
            try:
                found = await self._property(http, place, "<d:current-user-principal/>", f"{DAV}current-user-principal")
            except DeliveryFailure as refused:
                if refused.status in {None, HTTPStatus.UNAUTHORIZED} or isinstance(refused, TransientFailure):
                    raise
                failure = refused
            else:
                if found:
                    return found
        raise failure or AccessRefused("the server does not say who the user is; check `url`")

    async def _property(self, http: Http, url: str, asked: str, name: str) -> str | None:
        """Return the address that a property of a resource holds."""
        url, answer = await self._asked(http, url, asked)
        for found in read(answer):
            if address := found.address(name):
                return self._joined(url, address)
        return None

    async def _asked(self, http: Http, url: str, properties: str, *, below: bool = False) -> tuple[str, Answer]:
        """Ask a resource, wherever it has moved to; return also where it is."""
        for _ in range(MOST_REDIRECTS):
            answer = await self._dav.ask(http, url, properties, below=below)
            if answer.ok:
                return url, answer
            url = self._joined(url, answer.headers["location"])
        raise AccessRefused("the server sends from one address to the next; check `url`")

    def _places(self, base: str, answer: Answer) -> Iterator[Place]:
        """Yield the calendars of an answer, each of which must be where the password may go."""
        for found in read(answer):
            if found.holds(f"{DAV}resourcetype", f"{CALDAV}calendar"):
                url = self._joined(base, found.href)
                yield Place(f"{url.rstrip('/')}/", found.text(f"{DAV}displayname"), _kinds(found), _writable(found))

    def _joined(self, base: str, href: str) -> str:
        """Return an address that the server names, if the password may go there.

        Raises:
            AccessRefused: it is of somebody else, or without encryption.
        """
        found, start = URL(base).join(URL(href, encoded=True)), URL(self._options.url)
        family = FAMILIES.get(start.host or "", start.host or "")
        near = found.host == family or (found.host or "").endswith(f".{family}")
        if not near or (start.scheme == "https" and found.scheme != "https"):
            raise AccessRefused(
                f"the server sends to {found.scheme}://{found.host}, where the password was not to go; "
                "if that is right, write it as `url`"
            )
        return str(found)


def _kinds(found: Found) -> frozenset[str]:
    told = found.properties.get(f"{CALDAV}supported-calendar-component-set")
    return frozenset() if told is None else frozenset(each.get("name", "") for each in told)


def _writable(found: Found) -> bool:
    name = f"{DAV}current-user-privilege-set"
    return name not in found.properties or any(found.holds(name, f"{DAV}{each}") for each in WRITING)
