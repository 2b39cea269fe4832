"""Trello's contract: what a request, or an answer to it, breaks of the official OpenAPI document."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from jsonschema import Draft7Validator
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from tests.support.contract_server import SPECS

KEY: Final = "keyhush0123456789abcdef"
TOKEN: Final = "ATTAhush0123456789abcdef"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any

    @property
    def line(self) -> str:
        """The request without ids: ``PUT /cards/ID``."""
        return f"{self.method} {re.sub(r'[0-9a-f]{24}', 'ID', self.path)}"


def violations(asked: Asked, authorization: str) -> list[str]:
    """Return what a request breaks of Trello's contract."""
    found = [] if authorization == f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"' else ["no key and token"]
    found += [f"unknown query name {name}" for name in sorted(asked.query.keys() - _query_names(asked))]
    found += [f"body: {error.json_path}: {error.message[:300]}" for error in _body_errors(asked)]
    try:
        _contract().validate_request(_as_specified(asked))
    except OpenAPIError as error:
        found.append(f"{error!r}: {error.__cause__!r}"[:500])
    return [f"{asked.line}: {each}" for each in found]


def reply_violations(asked: Asked, reply: Any) -> list[str]:
    """Return what an answer of the board breaks of the contract."""
    try:
        _contract().validate_response(_as_specified(asked), MockResponse(json.dumps(reply).encode()))
    except OpenAPIError as error:
        return [f"answer to {asked.line}: {error!r}: {error.__cause__!r}"[:500]]
    return []


def body_violations(name: str, body: object) -> list[str]:
    """Return what the body of a card breaks of ``CreateCard`` or ``UpdateCard``."""
    return [f"{error.json_path}: {error.message[:300]}" for error in _card_body(name).iter_errors(body)]


def _body_errors(asked: Asked) -> Iterator[Any]:
    if (asked.method, asked.path) == ("POST", "/cards"):
        yield from _card_body("CreateCard").iter_errors(asked.body)
    elif asked.method == "PUT" and asked.path.count("/") == 2:
        yield from _card_body("UpdateCard").iter_errors(asked.body)


def _as_specified(asked: Asked) -> MockRequest:
    """Return a request as the contract has it: key and token in the query, and there what stands in the body of ours.

    What is cleared by nothing stands in the body alone.
    """
    spelt = {"key": KEY, "token": TOKEN, **asked.query}
    has_body = "customField/" in asked.path
    if isinstance(asked.body, dict) and not has_body:
        given = {name: value for name, value in asked.body.items() if value not in (None, "") or name == "color"}
        spelt |= {name: _as_query(value) for name, value in given.items()}
    data = json.dumps(asked.body).encode() if has_body else None
    return MockRequest("https://api.trello.com", asked.method.lower(), f"/1{asked.path}", args=spelt, data=data)


def _as_query(value: Any) -> Any:
    if isinstance(value, list):
        return value
    return json.dumps(value) if value is None or isinstance(value, bool | int | float) else value


def _query_names(asked: Asked) -> set[str]:
    """Return the names of query parameters that an operation has in the contract."""
    for path, item in _document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), asked.path) and asked.method.lower() in item:
            parameters = [*item.get("parameters", []), *item[asked.method.lower()].get("parameters", [])]
            return {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    return set()


@cache
def _document() -> Any:
    return json.loads((SPECS / "trello" / "trello.openapi.json").read_text("utf-8"))


@cache
def _contract() -> OpenAPI:
    return OpenAPI.from_dict(_document())


@cache
def _card_body(name: str) -> Draft7Validator:
    document = json.loads((SPECS / "trello" / "trello-card-body.schema.json").read_text("utf-8"))
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": document["definitions"]})
