"""Ingest: authenticate, read the envelope, store, answer. It neither routes nor renders.

Everything that an authenticated request holds is answered 2xx once it is durable: the CRM counts any other answer
against the address, and suspends it. What is not durable is never answered 2xx.
"""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from aiohttp import web

from bridge import telemetry
from bridge.component import AnySource
from bridge.errors import UnreadableWebhookError, legible
from bridge.ingest.bodies import BodyTooLargeError, BrokenBodyError, inflate
from bridge.ingest.secretbook import SecretBook
from bridge.model import Clock, Envelope, Event, EventState, new_id
from bridge.store.base import Store

PATH: Final = "/hooks/{source}/{secret:[^/]+}"
"""Where a secret opens a source; the plain form of a segment would not take a secret with a brace in it."""
BARE_PATH: Final = "/hooks/{source}"
"""Where a header does."""
UNREADABLE: Final = "unreadable"
"""The name of an event whose own name could not be read."""
TOO_LARGE: Final = "body too large"
JSON: Final = {"Content-Type": "application/json"}
RETRY_AFTER: Final = {"Retry-After": "5"}


class Ingest:
    """The handlers under ``/hooks``. ``in_flight`` counts the webhooks that are being answered."""

    def __init__(  # noqa: PLR0913 (the collaborators of the whole ingest, given once at the composition root)
        self,
        *,
        sources: Callable[[], Mapping[str, AnySource]],
        secrets: SecretBook,
        store: Store,
        clock: Clock,
        on_stored: Callable[[], None],
        no_room: Callable[[], str | None] = lambda: None,
        body_limit: int = 2**20,
        body_timeout: float = 10,
    ) -> None:
        """Take whom to ask, where to store, and whom to tell; sizes in bytes, times in seconds.

        ``no_room`` names the limit that is reached, if one is: then webhooks are answered 503 and not stored.
        """
        self.in_flight = 0
        self._sources = sources
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._on_stored = on_stored
        self._no_room = no_room
        self._body_limit = body_limit
        self._body_timeout = body_timeout

    @property
    def busy(self) -> bool:
        """Tell whether a webhook waits for its answer."""
        return self.in_flight > 0

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers, to be put on an application whose ``client_max_size`` is the body limit.

        The server must leave bodies as they came (``auto_decompress=False``): inflating them is bounded here.
        """
        return [
            web.post(PATH, self._post),
            web.get(PATH, self._probe),
            web.post(BARE_PATH, self._post),
            web.get(BARE_PATH, self._probe),
        ]

    async def _post(self, request: web.Request) -> web.Response:
        self.in_flight += 1
        try:
            source = self._admitted(request)
            body = await self._body(source, request)
            if not body:
                return _probed(source)
            if limit := self._no_room():
                telemetry.webhook_turned_away(source.name, limit)
                return web.Response(status=503, headers=RETRY_AFTER)
            event = self._event(source, body, request.headers.get("Content-Encoding"))
            return await self._keep(event)
        finally:
            self.in_flight -= 1

    async def _probe(self, request: web.Request) -> web.Response:
        return _probed(self._admitted(request))

    def _admitted(self, request: web.Request) -> AnySource:
        """Return the source that a request's secret opens; anything else does not exist."""
        place = request.match_info
        name, secret = place["source"], place.get("secret")
        admitted = secret is not None and self._secrets.admits(name, secret)
        source = self._sources().get(name)
        if source is None:
            raise _refusal(None, "no such source", web.HTTPNotFound())
        if not (admitted or self._secrets.admits_header(name, request.headers)):
            raise _refusal(name, "wrong secret", web.HTTPNotFound())
        return source

    async def _body(self, source: AnySource, request: web.Request) -> bytes:
        try:
            if request.content.is_eof():
                return await request.read()
            async with asyncio.timeout(self._body_timeout):
                return await request.read()
        except web.HTTPRequestEntityTooLarge as answer:
            raise _refusal(source.name, TOO_LARGE, answer) from None
        except TimeoutError:
            raise _refusal(source.name, "body too slow", web.HTTPRequestTimeout()) from None
        except (web.RequestPayloadError, ConnectionError):
            raise _refusal(source.name, "body broken off", web.HTTPBadRequest()) from None

    def _event(self, source: AnySource, body: bytes, encoding: str | None) -> Event:
        try:
            if encoding and encoding.lower() != "identity":
                body = inflate(body, encoding.lower(), self._body_limit)
            return self._received(source, body, source.read(body))
        except BodyTooLargeError:
            raise _refusal(source.name, TOO_LARGE, web.HTTPRequestEntityTooLarge(self._body_limit)) from None
        except (UnreadableWebhookError, BrokenBodyError) as error:
            reason = legible(str(error))
        except Exception as error:  # noqa: BLE001 (the sender cannot help our defect: the body is kept for a replay)
            telemetry.reading_failed(source.name, error)
            reason = f"reading it failed: {type(error).__name__}"
        envelope = Envelope(UNREADABLE, None, sha256(body).hexdigest())
        return self._received(source, body, envelope, EventState.QUARANTINED, reason)

    def _received(
        self,
        source: AnySource,
        body: bytes,
        envelope: Envelope,
        state: EventState = EventState.RECEIVED,
        reason: str | None = None,
    ) -> Event:
        return Event(
            new_id("evt"),
            source.name,
            envelope.name,
            envelope.entity,
            envelope.dedup_key,
            body,
            self._clock.now(),
            envelope.occurred_at,
            state,
            reason,
        )

    async def _keep(self, event: Event) -> web.Response:
        try:
            known = await self._store.add(event)
        except Exception as error:  # noqa: BLE001 (whatever it was, it is not stored, and the sender must hear that)
            telemetry.webhook_not_stored(event.source, error)
            return web.Response(status=503, headers=RETRY_AFTER)
        if known:
            telemetry.event_repeated(event, known)
            return _told("duplicate", known)
        if event.state is EventState.QUARANTINED:
            telemetry.event_quarantined(event)
            return _told("quarantined", event.id)
        telemetry.event_received(event, self._clock.now())
        self._on_stored()
        return _told("stored", event.id)


def _refusal(source: str | None, reason: str, answer: web.HTTPException) -> web.HTTPException:
    telemetry.webhook_refused(source, reason)
    return answer


def _told(status: str, event_id: str) -> web.Response:
    return web.Response(body=f'{{"status":"{status}","event_id":"{event_id}"}}'.encode(), headers=JSON)


def _probed(source: AnySource) -> web.Response:
    telemetry.webhook_probed(source.name)
    return web.Response(body=b'{"status":"probe"}', headers=JSON)
