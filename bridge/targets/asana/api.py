"""Asana over HTTP: one request, its reply, and what refusals mean (https://developers.asana.com/docs/errors)."""

import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import orjson

from bridge.component import Answer, Http, Request
from bridge.component.http import json_body
from bridge.component.reading import object_in, text_of, things_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Json, JsonObject
from bridge.targets.asana.options import AsanaOptions

PAGE: Final = 100
"""The most that Asana gives at once."""
ROOM: Final = 16 * 2**20
"""Bytes for an answer: a hundred tasks with the longest of descriptions, in letters that JSON spells out."""
ONE_TASK: Final = re.compile(r"/tasks/\d+(?:/.*)?")
HINTS: Final[Mapping[int | None, str]] = {
    HTTPStatus.UNAUTHORIZED: "make a new token at https://app.asana.com/0/my-apps; the old one was revoked",
    HTTPStatus.PAYMENT_REQUIRED: "the plan of the workspace has no such feature",
    HTTPStatus.FORBIDDEN: "let the account of the token edit the project",
}
"""What a person can do about a status."""


class Api:
    """What one attempt asks of Asana."""

    def __init__(self, options: AsanaOptions, http: Http) -> None:
        """Take where to ask, and by which way."""
        self._options = options
        self._http = http
        self._last = Answer(0, {}, b"")

    @property
    def status(self) -> int | None:
        """Return the status of the last answer that was no refusal, if there was one."""
        return self._last.status or None

    async def ask(
        self, method: str, path: str, data: JsonObject | None = None, asked: Mapping[str, str] | None = None
    ) -> JsonObject:
        """Send a request, and return the reply.

        Raises:
            UnknownOutcome: the answer is none of Asana's.
            DeliveryFailure: as ``Http.deliver``, in Asana's words.
        """
        try:
            self._last = await self._http.deliver(self._request(method, path, data, asked or {}))
        except (TransientFailure, AccessRefused, PermanentFailure) as failure:
            told = _sorted(failure, path)
        else:
            return self._read()
        raise told

    async def thing(self, method: str, path: str, data: JsonObject | None = None, **asked: str) -> JsonObject:
        """Send a request about one thing, and return it; raises as ``ask``."""
        thing = (await self.ask(method, path, data, asked)).get("data")
        if not isinstance(thing, dict) or not text_of(thing, "gid"):
            raise self._not_asana()
        return thing

    async def listed(self, path: str, **asked: str) -> AsyncIterator[JsonObject]:
        """Yield what there is at a path, page by page; raises as ``ask``."""
        offset: dict[str, str] = {}
        while True:
            page = await self.ask("GET", path, asked={"limit": str(PAGE), **asked, **offset})
            for each in things_in(page, "data"):
                yield each
            onward = page.get("next_page")
            if not isinstance(onward, dict) or not text_of(onward, "offset"):
                return
            offset = {"offset": text_of(onward, "offset")}

    def _request(self, method: str, path: str, data: JsonObject | None, asked: Mapping[str, str]) -> Request:
        headers = {"Authorization": f"Bearer {self._options.token.reveal()}", "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        address = f"{self._options.api_url}{path}" + (f"?{urlencode(asked)}" if asked else "")
        body = None if data is None else json_body({"data": data})
        return Request(method, address, headers, body, timeout=self._options.timeout, most=ROOM)

    def _read(self) -> JsonObject:
        try:
            reply: Json = orjson.loads(self._last.body)
        except orjson.JSONDecodeError:
            reply = None
        if not isinstance(reply, dict):
            raise self._not_asana()
        return reply

    def _not_asana(self) -> DeliveryFailure:
        return UnknownOutcome("the answer is not one of Asana's", status=self._last.status, excerpt=self._last.excerpt)


def _sorted(failure: DeliveryFailure, path: str) -> DeliveryFailure:
    """Return a failure in the words of Asana, with what can be done about it."""
    words = _words(failure.excerpt)
    status, excerpt = failure.status, failure.excerpt
    if isinstance(failure, TransientFailure):
        if not words:
            return failure
        wait, throttled = failure.retry_after, failure.throttled
        told = f"Asana says {status}: {words}"
        return TransientFailure(told, status=status, excerpt=excerpt, retry_after=wait, throttled=throttled)
    one_task = bool(ONE_TASK.fullmatch(path)) and status == HTTPStatus.FORBIDDEN
    hint = "it was moved to where the token may not see it" if one_task else HINTS.get(status)
    told = f"Asana refused it: {words or failure.reason}" + (f" ({hint})" if hint else "")
    kind = AccessRefused if isinstance(failure, AccessRefused) and not one_task else PermanentFailure
    return kind(told, status=status, excerpt=excerpt)


def _words(excerpt: str) -> str:
    """Return what Asana says is wrong, as one line."""
    errors = things_in(object_in(excerpt.encode()), "errors")
    return " ".join("; ".join(filter(None, (text_of(each, "message") for each in errors))).split())
