"""Feeds over HTTP. Who does not know a secret of a feed is told the same, and as fast, whether there is one or not.

Serving never keeps a webhook waiting for long: what is served is made beside the event loop, at most once in a while
for each feed however many ask, by the connections of the store that only read.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import Final

from aiohttp import web

from bridge import telemetry
from bridge.component import AnyTarget
from bridge.errors import StoreError
from bridge.model import Clock
from bridge.store.base import Store
from bridge.targets.calendar_feed import CalendarFeed
from bridge.targets.calendar_feed.document import document
from bridge.targets.calendar_feed.entry import ENTRY

PATH: Final = r"/feeds/{feed}/{secret:[^/]+}.ics"
FRESH: Final = 10.0
"""Seconds for which what was made is served again."""
MOST: Final = 5000
"""Entries of one feed; of more, those that are over last."""
NOBODY: Final = (token_urlsafe(32),)
"""What is compared with where there is no such feed, so that the time taken does not tell."""
RETRY_AFTER: Final = {"Retry-After": "60"}
FIXED: Final = {
    "Cache-Control": "private, max-age=60",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Copy:
    """What is served of a feed: made by whom and when, and since when it has been so."""

    target: CalendarFeed
    made: float
    body: bytes
    tag: str
    since: datetime


class Feeds:
    """The handlers under ``/feeds``."""

    def __init__(self, targets: Callable[[], Mapping[str, AnyTarget]], store: Store, clock: Clock) -> None:
        """Take which targets there are at the moment, and where their entries are."""
        self._targets = targets
        self._store = store
        self._clock = clock
        self._copies: dict[str, Copy] = {}
        self._making = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers; a GET is a HEAD as well."""
        return [web.get(PATH, self._get)]

    async def _get(self, request: web.Request) -> web.Response:
        feed = self._admitted(request.match_info["feed"], request.match_info["secret"])
        try:
            copy = await self._copy(feed)
        except StoreError as error:
            telemetry.store_unavailable(error)
            telemetry.feed_asked(feed.name, "unavailable")
            return web.Response(status=503, headers=RETRY_AFTER)
        known = _known(request, copy)
        telemetry.feed_asked(feed.name, "unchanged" if known else "served")
        return _answer(copy, known=known)

    def _admitted(self, name: str, secret: str) -> CalendarFeed:
        """Return the feed that a secret opens; anything else does not exist."""
        feed = self._targets().get(name)
        accepted = [each.reveal() for each in feed.options.secrets] if isinstance(feed, CalendarFeed) else NOBODY
        given, admitted = _digest(secret), False
        for each in accepted:
            admitted |= compare_digest(given, _digest(each))
        if admitted and isinstance(feed, CalendarFeed):
            return feed
        telemetry.feed_asked(None, "refused")
        raise web.HTTPNotFound

    async def _copy(self, feed: CalendarFeed) -> Copy:
        async with self._making:
            known = self._copies.get(feed.name)
            if known and known.target is feed and monotonic() - known.made < FRESH:
                return known
            now = self._clock.now()
            links = await self._store.links(feed.name, now - feed.options.keep, MOST)
            body, tag = await asyncio.to_thread(_made, feed, [str(link.data[ENTRY]) for link in links])
            since = known.since if known and known.tag == tag else now.replace(microsecond=0)
            copy = self._copies[feed.name] = Copy(feed, monotonic(), body, tag, since)
            return copy


def _made(feed: CalendarFeed, entries: list[str]) -> tuple[bytes, str]:
    body = document(feed.name, feed.options, entries)
    return body, sha256(body).hexdigest()[:32]


def _digest(secret: str) -> bytes:
    """Return what is compared: as long for every secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _answer(copy: Copy, *, known: bool) -> web.Response:
    answer = web.Response(status=304) if known else web.Response(body=copy.body)
    if not known:
        answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
        answer.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    answer.headers.update(FIXED)
    answer.etag = copy.tag
    answer.last_modified = copy.since
    return answer


def _known(request: web.Request, copy: Copy) -> bool:
    """Tell whether who asks has it already (RFC 9110, 13.2.2: tags count first)."""
    if request.headers.get("If-None-Match") is not None:
        return any(tag.value in {copy.tag, "*"} for tag in request.if_none_match or ())
    try:
        asked = request.if_modified_since
    except OverflowError:  # a year of many digits
        return False
    return asked is not None and copy.since <= asked
