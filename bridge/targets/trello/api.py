"""Trello over HTTP: one request, and its reply."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import orjson

from bridge.component import Answer, Http, Request
from bridge.component.http import json_body
from bridge.component.reading import text_of
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Json, JsonObject
from bridge.targets.trello.options import TrelloOptions
from bridge.targets.trello.refusals import told

ROOM: Final = 64 * 2**20
"""Bytes for an answer: a thousand cards with the longest of descriptions, in letters of four bytes."""


class Api:
    """What one attempt asks of Trello.

    Key and token go into a header, because addresses are logged on the way
    (https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/#passing-token-and-key-in-api-requests).
    What is written goes into a JSON body, because a long description does not fit into an address.
    """

    def __init__(self, options: TrelloOptions, http: Http) -> None:
        """Take where to ask, and by which way."""
        self._options = options
        self._http = http
        self._last = Answer(0, {}, b"")

    @property
    def status(self) -> int | None:
        """Return the status of the last answer that was no refusal, if there was one."""
        return self._last.status or None

    async def get(self, path: str, **asked: str) -> Json:
        """Return what there is; raises as ``Http.deliver``."""
        return await self.ask("GET", f"{path}?{urlencode(asked)}" if asked else path)

    async def listed(self, path: str, **asked: str) -> list[JsonObject]:
        """Return what there is of one kind.

        Raises:
            UnknownOutcome: the answer is no list.
            DeliveryFailure: as ``Http.deliver``.
        """
        found = await self.get(path, **asked)
        if not isinstance(found, list):
            raise self._not_trello()
        return [each for each in found if isinstance(each, dict)]

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """Make something, and return it; raises as ``object``."""
        return self._object(await self.ask("POST", path, body))

    async def put(self, path: str, body: JsonObject) -> JsonObject:
        """Change something, and return it; raises as ``object``."""
        return self._object(await self.ask("PUT", path, body))

    async def object(self, path: str, **asked: str) -> JsonObject:
        """Return one thing.

        Raises:
            UnknownOutcome: the answer is nothing of Trello's.
            DeliveryFailure: as ``Http.deliver``.
        """
        return self._object(await self.get(path, **asked))

    async def ask(self, method: str, path: str, body: JsonObject | None = None) -> Json:
        """Send a request, and return whatever the reply is; raises as ``Http.deliver``."""
        try:
            self._last = await self._http.deliver(self._request(method, path, body))
        except (TransientFailure, AccessRefused, PermanentFailure) as failure:
            told_so = told(failure)
        else:
            return self._read()
        raise told_so

    def _request(self, method: str, path: str, body: JsonObject | None) -> Request:
        key, token = self._options.api_key.reveal(), self._options.token.reveal()
        headers: dict[str, str] = {"Authorization": f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'}
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        data = None if body is None else json_body(body)
        address = f"{self._options.api_url.rstrip('/')}{path}"
        return Request(method, address, headers, data, timeout=self._options.timeout, most=ROOM)

    def _read(self) -> Json:
        try:
            read: Json = orjson.loads(self._last.body)
        except orjson.JSONDecodeError:
            raise self._not_trello() from None
        return read

    def _object(self, reply: Json) -> JsonObject:
        if not isinstance(reply, dict) or not text_of(reply, "id"):
            raise self._not_trello()
        return reply

    def _not_trello(self) -> DeliveryFailure:
        return UnknownOutcome("the answer is not one of Trello's", status=self._last.status, excerpt=self._last.excerpt)


def ids_of(thing: Mapping[str, Json], name: str) -> list[str]:
    """Return ids in a list of something that Trello told of."""
    value = thing.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
