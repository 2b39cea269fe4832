"""Holding requests and answers to an official OpenAPI document."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from tests.support.contract_server import SPECS


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; ``path`` is below the address of the API."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Contract:
    """What an API says it accepts and answers."""

    def __init__(self, file: str, host: str, base: str) -> None:
        self._document = json.loads((SPECS / file).read_text("utf-8"))
        self._api = OpenAPI.from_dict(self._document)
        self._host, self._base = host, base

    def violations(self, asked: Asked) -> list[str]:
        """Return what a request breaks; a query name that the document does not know breaks it too."""
        unknown = asked.query.keys() - self._query_names(asked)
        found = [f"unknown query name {name}" for name in sorted(unknown)]
        try:
            self._api.validate_request(self._request(asked))
        except OpenAPIError as error:
            found.append(f"{error!r}: {error.__cause__!r}"[:500])
        return [f"{asked.method} {asked.path}: {each}" for each in found]

    def reply_violations(self, asked: Asked, status: int, reply: Any) -> list[str]:
        """Return what an answer breaks."""
        try:
            self._api.validate_response(self._request(asked), MockResponse(json.dumps(reply).encode(), status))
        except OpenAPIError as error:
            return [f"answer to {asked.method} {asked.path}: {error!r}: {error.__cause__!r}"[:500]]
        return []

    def _request(self, asked: Asked) -> MockRequest:
        path = f"{self._base}{asked.path}"
        return MockRequest(
            self._host,
            asked.method.lower(),
            path,
            args=dict(asked.query),
            headers=dict(asked.headers),
            data=asked.body or None,
        )

    def _query_names(self, asked: Asked) -> set[str]:
        for path, item in self._document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), asked.path) and asked.method.lower() in item:
                parameters = [*item.get("parameters", []), *item[asked.method.lower()].get("parameters", [])]
                return {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
        return set()


@cache
def google_calendar() -> Contract:
    """Return the contract of Google Calendar."""
    return Contract("google/calendar.v3.openapi.json", "https://www.googleapis.com", "/calendar/v3")
