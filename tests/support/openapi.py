"""Holding requests and answers to an official OpenAPI document."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from tests.support.contract_server import SPECS


class Contract:
    """What an API says it accepts and answers."""

    def __init__(self, file: str) -> None:
        self._document = json.loads((SPECS / file).read_text("utf-8"))
        self._api = OpenAPI.from_dict(self._document)

    def request_violations(self, request: MockRequest) -> list[str]:
        """Return what a request breaks."""
        try:
            self._api.validate_request(request)
        except OpenAPIError as error:
            return [_told(error)]
        return []

    def reply_violations(self, request: MockRequest, reply: Any, status: int = 200) -> list[str]:
        """Return what an answer to a request breaks."""
        try:
            self._api.validate_response(request, MockResponse(json.dumps(reply).encode(), status))
        except OpenAPIError as error:
            return [f"answer: {_told(error)}"]
        return []

    def unknown_names(self, method: str, path: str, query: Mapping[str, object]) -> list[str]:
        """Return a line for each query name that an operation does not have; the document leaves them open."""
        known = self._query_names(method.lower(), path)
        return [f"unknown query name {name}" for name in sorted(query.keys() - known)]

    def _query_names(self, method: str, path: str) -> set[str]:
        for pattern, item in self._document["paths"].items():
            if re.fullmatch(re.sub(r"\{[\w-]+\}", "[^/]+", pattern), path) and method in item:
                listed = [*item.get("parameters", []), *item[method].get("parameters", [])]
                shared = self._document.get("components", {}).get("parameters", {})
                parameters = [shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in listed]
                return {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
        return set()


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; ``path`` is below the address of the API."""

    method: str
    path: str
    query: Mapping[str, str | list[str]]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """One service's contract, and where its API is; ``asked`` are requests below that address."""

    def __init__(self, file: str, host: str, prefix: str = "") -> None:
        self._file = file
        self._host = host
        self._prefix = prefix

    @cached_property
    def contract(self) -> Contract:
        return Contract(self._file)

    def violations(self, asked: Asked) -> list[str]:
        """Return what a request breaks of the contract."""
        found = [
            *self.contract.unknown_names(asked.method, asked.path, asked.query),
            *self.contract.request_violations(self._request(asked)),
        ]
        return [f"{asked.method} {asked.path}: {each}" for each in found]

    def reply_violations(self, asked: Asked, status: int, reply: Any) -> list[str]:
        """Return what an answer breaks of it."""
        found = self.contract.reply_violations(self._request(asked), reply, status)
        return [f"{asked.method} {asked.path}: {each}" for each in found]

    def _request(self, asked: Asked) -> MockRequest:
        query, headers = dict(asked.query), dict(asked.headers)
        path = f"{self._prefix}{asked.path}"
        return MockRequest(self._host, asked.method.lower(), path, args=query, headers=headers, data=asked.body or None)


GOOGLE_SHEETS: Final = Service("google/sheets-values.v4.openapi.json", "https://sheets.googleapis.com")
GOOGLE_CALENDAR: Final = Service("google/calendar.v3.openapi.json", "https://www.googleapis.com", "/calendar/v3")


def _told(error: OpenAPIError) -> str:
    return f"{error!r}: {error.__cause__!r}"[:500]
